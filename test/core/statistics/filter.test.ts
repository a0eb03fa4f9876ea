import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ewmaVolatility, FILTER, type FilterTerms, filteredReturns, filterJoint } from "../../../core/statistics/filter.ts";
import { measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const BARE: FilterTerms = { ...FILTER, decay: 500_000, seedReturns: 2, floorShare: 0 };
// Variances by hand with λ = 0.5 from the seed (1 + 9)/2 = 5: 5, 3, 6, 3.5, and 9.75 next.
const RETURNS = [1, -3, 1, -4];

describe("ewmaVolatility (M7)", () => {
  test("each day's volatility is made of the days before it", () => {
    const { forecast, next } = figureOf(ewmaVolatility(RETURNS, BARE));
    expect([...forecast].map((sigma) => sigma ** 2)).toEqual([5, 3, 6, 3.5].map((each) => expect.closeTo(each, 10)));
    expect(next ** 2).toBeCloseTo(9.75, 10);
  });

  test("λ = 0.97 halves the weight of a shock in 23 days", () => {
    const quiet = figureOf(ewmaVolatility([1, ...Array<number>(23).fill(0)], { ...FILTER, seedReturns: 1 }));
    expect(quiet.next ** 2).toBeCloseTo(0.496_306_4, 6);
  });

  test.each<[string, number[], Partial<FilterTerms>, string]>([
    ["fewer returns than the seed", [1], {}, "NO_HISTORY"],
    ["none", [], {}, "NO_HISTORY"],
    ["NaN", [1, Number.NaN], {}, "BAD_NUMBER"],
    ["a decay of 1", RETURNS, { decay: 1_000_000 }, "BAD_TERMS"],
    ["a decay as a fraction", RETURNS, { decay: 0.97 }, "BAD_TERMS"],
    ["a seed of 0", RETURNS, { seedReturns: 0 }, "BAD_TERMS"],
    ["a least scale above 1", RETURNS, { leastScale: 1_000_001 }, "BAD_TERMS"],
    ["a greatest scale below 1", RETURNS, { greatestScale: 999_999 }, "BAD_TERMS"],
    ["a floor above 1", RETURNS, { floorShare: 1_000_001 }, "BAD_TERMS"],
    ["a floor over no returns", RETURNS, { floorReturns: 0 }, "BAD_TERMS"],
  ])("refuses %s", (_, returns, patch, fault) => {
    expect(faultOf(ewmaVolatility(returns, { ...BARE, ...patch })).fault).toBe(fault);
  });
});

describe("filteredReturns (M7)", () => {
  test("past returns are scaled to today's volatility, within the clamp", () => {
    const wide = figureOf(filteredReturns(RETURNS, BARE));
    // √(9.75/5), √(9.75/3), √(9.75/6), √(9.75/3.5) are all below 2.
    expect([...wide.returns]).toEqual([1.396424004, -5.408326913, 1.274754878, -6.676183683].map((each) => expect.closeTo(each, 8)));
    const narrow = figureOf(filteredReturns(RETURNS, { ...BARE, greatestScale: 1_300_000 }));
    expect([...narrow.returns]).toEqual([1.3, -3.9, 1.274754878, -5.2].map((each) => expect.closeTo(each, 8)));
  });

  test("a calm end is held up by the floor, and scaled down to half at most", () => {
    const calm = [4, -4, 4, -4, ...Array<number>(20).fill(0.01)];
    const bare = figureOf(filteredReturns(calm, BARE));
    expect(bare.isFloored).toBe(false);
    expect(bare.returns[0]).toBeCloseTo(2, 12);
    const floored = figureOf(filteredReturns(calm, { ...BARE, floorShare: 900_000 }));
    expect(floored.isFloored).toBe(true);
    // 0.9 · √(64/24) and a hair for the calm days.
    expect(floored.volatility).toBeCloseTo(1.4697, 4);
  });

  test("the floor looks at its own years only", () => {
    const calm = [4, -4, ...Array<number>(20).fill(0.01)];
    expect(figureOf(filteredReturns(calm, { ...BARE, floorShare: 900_000, floorReturns: 10 })).volatility).toBeLessThan(0.02);
  });

  test("a day whose forecast was 0 takes the greatest scale; a series that never moves is refused", () => {
    expect([...figureOf(filteredReturns([0, 0, 1], BARE)).returns]).toEqual([0, 0, 2]);
    expect(faultOf(filteredReturns([0, 0, 0], BARE)).fault).toBe("ZERO_VOLATILITY");
  });

  test("never NaN, never another sign, never out of the clamp", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 30, maxLength: 90 }), (returns) => {
        const filtered = filteredReturns(returns);
        if (!filtered.ok) return expect(filtered.fault).toBe("ZERO_VOLATILITY");
        for (const [index, value] of returns.entries()) {
          const scaled = filtered.value.returns[index] as number;
          expect(Math.abs(scaled)).toBeGreaterThanOrEqual(0.5 * Math.abs(value) - 1e-12);
          expect(Math.abs(scaled)).toBeLessThanOrEqual(2 * Math.abs(value) + 1e-12);
          expect(scaled * value).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

test("filterJoint keeps dates together, and names the factor that it refuses", () => {
  const joint = figureOf(measuredReturns("log", [1, 2, 3, 4], { A: RETURNS, B: [1, 1, 1, 1] }));
  const filtered = figureOf(filterJoint(joint, BARE));
  expect(filtered.endsAt).toEqual([1, 2, 3, 4]);
  expect(filtered.columns[0]?.[3]).toBeCloseTo(-6.676183683, 8);
  expect([...(filtered.columns[1] ?? [])]).toEqual([1, 1, 1, 1]);
  const flat = figureOf(measuredReturns("log", [1, 2], { A: [1, 2], USDC: [0, 0] }));
  expect(faultOf(filterJoint(flat, BARE))).toMatchObject({ fault: "ZERO_VOLATILITY", detail: expect.stringContaining("USDC: ") });
});
