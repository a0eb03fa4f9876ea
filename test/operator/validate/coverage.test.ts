import { describe, expect, it } from "vitest";

import type { Money } from "../../../core/money.ts";
import { coverageOf, shortfallCoverageOf } from "../../../operator/validate/coverage.ts";
import { TERMS } from "../../../operator/validate/terms.ts";
import type { Walk } from "../../../operator/validate/walk.ts";

const UNIT = 100_000_000n;
const dayOf = (day: number): string => new Date(Date.UTC(2020, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);

/** A margin of 10 each day; losses of 12 on the days of `breaches`, of 10 exactly on all others. */
const walkOf = (days: number, breaches: readonly number[]): { walk: Walk; days: string[] } => {
  const margins = Array.from({ length: days }, () => (10n * UNIT) as Money);
  const of = (value: number): Float64Array => new Float64Array(days).fill(value);
  return {
    days: Array.from({ length: days }, (_, day) => dayOf(day)),
    walk: {
      portfolio: { name: "p", kind: "asset", quantities: [] },
      margins: { statistical: margins, historical: margins, normal: margins, grid: margins },
      losses: margins.map((_, day) => ((breaches.includes(day) ? 12n : 10n) * UNIT) as Money),
      ...{ valueAtRisk: of(11), shortfall: of(12), longRun: of(12), stress: of(20), notional: of(100) },
    },
  };
};
const cover = (days: number, breaches: readonly number[]) => {
  const { walk, days: named } = walkOf(days, breaches);
  return coverageOf(walk, named, "statistical", TERMS);
};
const every = (step: number, count: number): number[] => Array.from({ length: count }, (_, index) => index * step);

describe("coverage of one model", () => {
  it("counts a loss above the margin, and none that meets it", () => {
    const found = cover(300, [10, 200]);
    expect(found).toMatchObject({ observations: 300, breaches: 2, expected: 3, breachDays: ["2020-01-11", "2020-07-19"], side: null });
    expect(found.worst).toEqual({ day: "2020-01-11", excess: "2" });
    expect(found.meanRate.value).toBeCloseTo(0.1, 12);
    expect(found.halves.map(({ observations, breaches }) => [observations, breaches])).toEqual([
      [150, 1],
      [150, 1],
    ]);
    expect(found.years.map(({ name, breaches }) => [name, breaches])).toEqual([["2020", 2]]);
  });

  it.each([
    [250, every(60, 4), "GREEN", 4, 0],
    [250, every(50, 5), "YELLOW", 5, 0.4],
    [250, every(25, 10), "RED", 10, 1],
    [300, every(10, 5), "GREEN", 0, 0],
  ] as const)("of %i days with breaches on %j the light is %s", (days, breaches, light, count, addOn) => {
    expect(cover(days, breaches)).toMatchObject({ light, lightBreaches: count, lightAddOn: addOn });
  });

  it("remembers the worst 250 days", () => {
    expect(cover(300, every(10, 5))).toMatchObject({ lightBreaches: 0, worstLightBreaches: 5 });
  });

  it.each([
    [1_000, every(30, 30), "more"],
    [1_000, [], "fewer"],
    [1_000, every(100, 10), null],
  ])("of %i days with breaches on %j Kupiec finds %s", (days, breaches, side) => {
    expect(cover(days, breaches).side).toBe(side);
  });

  it("finds breaches that follow each other", () => {
    expect(cover(1_000, [100, 101, 102, 103, 500, 501]).independence.isRejected).toBe(true);
    expect(cover(1_000, every(100, 10)).independence.isRejected).toBe(false);
  });

  it("says why there is no figure", () => {
    expect(cover(100, [])).toMatchObject({ light: null, worst: null, breachDays: [] });
    expect(cover(100, []).independence).toEqual({
      statistic: { value: null, reason: "no breach: nothing can follow another" },
      pValue: { value: null, reason: "no breach: nothing can follow another" },
      isRejected: null,
    });
    expect(shortfallCoverageOf(walkOf(100, []).walk, TERMS).z2Last250).toEqual({ value: null, reason: "100 days, 250 needed" });
  });

  it.each([
    // Each breach of 12 where the shortfall is 12 counts 1 of 250 * 2.5 % = 6.25.
    [every(100, 3), 0.52, false],
    [every(20, 12), -0.92, true],
  ])("breaches on %j give a Z2 of %d", (breaches, z2, isRejected) => {
    const found = shortfallCoverageOf(walkOf(250, breaches).walk, TERMS);
    expect(found.z2.value).toBeCloseTo(z2, 12);
    expect(found).toMatchObject({ isRejected, critical: -0.7 });
  });
});
