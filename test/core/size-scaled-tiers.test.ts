import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimal, type Money, money } from "../../core/money.ts";
import { type SizeScaledTerms, sizeScaledTiers } from "../../core/size-scaled-tiers.ts";
import { loadTiers, requirementOf } from "../../core/tiers.ts";
import "../seed.ts";
import { modelTable } from "./models-page.ts";

const TERMS: SizeScaledTerms = {
  ...{ rateIm: 20_000, rateMm: 10_000, rateImAt: 40_000, rateMmAt: 20_000 },
  ...{ at: money("1000000"), upTo: money("25000000") },
};

test("the table of position-margin.md (M3)", () => {
  const tiers = loadTiers("t", sizeScaledTiers("t", TERMS), 0);
  expect(tiers).toHaveLength(15);
  const rows = modelTable("position-margin.md", "at a notional of");
  expect(rows).toHaveLength(5);
  for (const [notional = "", formulaIm, initial, formulaMm, maintenance] of rows) {
    const required = requirementOf(tiers, money(notional), 0);
    expect([decimal(required.initial), decimal(required.maintenance)]).toEqual([initial, maintenance]);
    const [im, mm] = [20_000, 10_000].map(
      (rate) => (Number(notional) * Math.max(rate, 2 * rate * Math.sqrt(Number(notional) / 1e6))) / 1e6,
    );
    expect([im, mm].map((figure) => figure?.toFixed(6))).toEqual([formulaIm, formulaMm].map((figure) => Number(figure).toFixed(6)));
  }
});

test("never below the formula up to the end of the table, and above it by at most 1.13 % and a part per million", () => {
  const ppm = (min: number, max: number) => fc.integer({ min, max });
  fc.assert(
    fc.property(ppm(500, 100_000), ppm(1, 40), ppm(10_000, 600_000), ppm(1, 1_000), ppm(1, 1_000_000), (rateIm, rise, share, at, place) => {
      const rateImAt = Math.min(1_000_000, rateIm * rise);
      const [rateMm, rateMmAt] = [rateIm, rateImAt].map((rate) => Math.max(1, Math.floor((rate * share) / 1e6))) as [number, number];
      const atMoney = (BigInt(at) * 100_000_000_000n) as Money;
      // Where the rate is 2/3, or as far as a hundred brackets reach.
      const most = BigInt(Math.floor(at * 1000 * Math.min((666_000 / rateImAt) ** 2, 100)));
      const upTo = (most * 100_000_000n) as Money;
      const notional = ((upTo * BigInt(place)) / 1_000_000n) as Money;
      if (rateMm >= rateIm || upTo < 100_000_000n) return;
      const tiers = loadTiers("t", sizeScaledTiers("t", { rateIm, rateMm, rateImAt, rateMmAt, at: atMoney, upTo }), 0);
      const required = requirementOf(tiers, notional, 0);
      const n = Number(notional);
      const root = Math.sqrt(n / Number(atMoney));
      for (const [figure, least, scaled] of [
        [required.initial, rateIm, rateImAt],
        [required.maintenance, rateMm, rateMmAt],
      ] as const) {
        const exact = (n * Math.max(least, scaled * root)) / 1e6;
        expect(Number(figure)).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
        expect(Number(figure)).toBeLessThanOrEqual(exact * 1.0113 + n / 1e6 + 100);
      }
    }),
    { numRuns: 1_000 },
  );
});

describe("what is refused by name", () => {
  test.each<[string, Partial<SizeScaledTerms>, RegExp]>([
    ["a rate of 0", { rateMmAt: 0 }, /rates: one is not above 0/],
    ["a notional of 0", { at: money("0") }, /notionals: one is not above 0/],
    ["an end above a rate of 2/3", { upTo: money("278000000") }, /upTo: the initial rate at upTo is above 2\/3/],
    [
      "more brackets than an instrument has",
      { rateImAt: 1, rateMmAt: 1, rateIm: 1, rateMm: 1, at: money("0.00000001"), upTo: money("10000000000") },
      /upTo: /,
    ],
  ])("%s", (_, over, words) => expect(() => sizeScaledTiers("tiers of X", { ...TERMS, ...over })).toThrow(words));
});
