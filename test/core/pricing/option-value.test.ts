import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { black76 } from "../../../core/pricing/black76.ts";
import { normalQuantile } from "../../../core/pricing/normal.ts";
import { fixedShare, type OptionContract, type OptionMarket, optionValue } from "../../../core/pricing/option-value.ts";

import { draws } from "../../../local/random.ts";

const HALF_HOUR = 0.5 / 24 / 365;
const contract = (patch: Partial<OptionContract> = {}): OptionContract => ({
  right: "call",
  strike: 28_000,
  multiplier: 1,
  settlement: "linear",
  style: "premium",
  averagingYears: 0,
  ...patch,
});
const market = (patch: Partial<OptionMarket> = {}): OptionMarket => ({
  forward: 30_000,
  volatility: 0.6,
  years: 0.25,
  discount: 0.99,
  averageFixed: null,
  ...patch,
});
const valued = (of: Partial<OptionContract>, at: Partial<OptionMarket>) => {
  const answer = optionValue(contract(of), market(at));
  if (!answer.ok) throw new Error(answer.fault);
  return answer;
};

describe("the value of one contract in its settlement asset (M1)", () => {
  test.each<[string, Partial<OptionContract>, Partial<OptionMarket>, string, number]>([
    ["a call that expired in the money", {}, { years: 0 }, "EXPIRED", 2_000],
    ["a call that expired out of the money", {}, { years: -1, forward: 27_000 }, "EXPIRED", 0],
    ["the multiplier counts contracts' units", { multiplier: 0.1 }, { years: 0 }, "EXPIRED", 200],
    ["an inverse call pays in coin at the index", { settlement: "inverse" }, { years: 0, forward: 40_000 }, "EXPIRED", 0.3],
    [
      "an inverse call pays in coin at the settlement average, not at the last index",
      { settlement: "inverse", averagingYears: HALF_HOUR },
      { years: 0, forward: 41_000, averageFixed: 40_000 },
      "EXPIRED",
      0.3,
    ],
    ["a put settles on the average", { right: "put", averagingYears: HALF_HOUR }, { years: 0, averageFixed: 27_500 }, "EXPIRED", 500],
    [
      "half of the window gone, certain to pay: half the average, half the forward",
      { averagingYears: HALF_HOUR, strike: 10_000 },
      { years: HALF_HOUR / 2, averageFixed: 29_000, discount: 1, volatility: 0.01 },
      "AVERAGING",
      19_500,
    ],
    [
      "what is fixed pays the strike alone: a call without a strike",
      { averagingYears: HALF_HOUR, strike: 10_000 },
      { years: HALF_HOUR / 4, averageFixed: 29_000, discount: 1 },
      "AVERAGING",
      19_250,
    ],
    [
      "and its put is worth nothing",
      { averagingYears: HALF_HOUR, strike: 10_000, right: "put" },
      { years: HALF_HOUR / 4, averageFixed: 29_000 },
      "AVERAGING",
      0,
    ],
  ])("%s", (_, of, at, state, value) => {
    const answer = valued(of, at);
    expect(answer.state).toBe(state);
    expect(answer.value).toBeCloseTo(value, 8);
  });

  test("the share of the average that has gone by: none before the window, all at expiry and after it, none without a window", () => {
    expect(
      [
        [31, 30],
        [30, 30],
        [7.5, 30],
        [0, 30],
        [-1, 30],
        [0, 0],
        [-1, 0],
      ].map(([years, window]) => fixedShare(years ?? 0, window ?? 0)),
    ).toEqual([0, 0, 0.75, 1, 1, 0, 0]);
  });

  test("futures style is never discounted and never counts in equity; premium style is and does", () => {
    const [premium, futures] = [valued({}, {}), valued({ style: "futures" }, {})];
    expect(premium.value / futures.value).toBeCloseTo(0.99, 12);
    expect(premium.equityValue).toBe(premium.value);
    expect(futures.equityValue).toBe(0);
  });

  test("inverse: the quote value by the forward, and its slopes", () => {
    const slope = (at: number): number => valued({ settlement: "inverse" }, { forward: at }).value;
    const answer = valued({ settlement: "inverse" }, {});
    expect(answer.value).toBeCloseTo(valued({}, {}).value / 30_000, 15);
    expect(answer.delta * 1e6).toBeCloseTo(((slope(30_001) - slope(29_999)) / 2) * 1e6, 4);
    expect(answer.gamma * 1e10).toBeCloseTo(((slope(30_010) - 2 * slope(30_000) + slope(29_990)) / 100) * 1e10, 3);
  });

  test("delta shrinks with what is left of the window, and the value does not jump where it begins", () => {
    const at = (share: number) =>
      valued({ averagingYears: HALF_HOUR, strike: 30_000 }, { years: HALF_HOUR * share, averageFixed: 30_000, discount: 1 });
    expect(at(1).state).toBe("LIVE");
    expect(at(1 - 1e-9).value).toBeCloseTo(at(1).value, 4);
    expect([at(1), at(0.5), at(0.1)].map(({ delta }) => Math.round(delta * 100))).toEqual([50, 25, 5]);
  });

  test("averaging: the mean of simulated settlements", () => {
    // 20,000 paths of the index in the 30 minutes' second half, and their mirrors.
    const [index, fixed, strike, volatility] = [30_000, 29_950, 29_980, 0.8];
    const years = HALF_HOUR / 2;
    const analytic = valued({ averagingYears: HALF_HOUR, strike }, { forward: index, averageFixed: fixed, years, volatility, discount: 1 });
    expect(analytic.value).toBeCloseTo(0.5 * black76(index, 2 * strike - fixed, volatility * Math.sqrt(years / 3), 1, true), 9);
    expect(Math.abs(analytic.value / simulated({ index, fixed, strike, volatility, years }) - 1)).toBeLessThan(0.02);
  });

  test.each<[string, Partial<OptionContract>, Partial<OptionMarket>]>([
    ["NOT_A_NUMBER", {}, { forward: Number.NaN }],
    ["NOT_A_NUMBER", {}, { years: Number.NEGATIVE_INFINITY }],
    ["FORWARD_NOT_POSITIVE", {}, { forward: 0 }],
    ["NOT_A_NUMBER", { settlement: "inverse", strike: 1e-200 }, { forward: 1e-200 }],
    ["STRIKE_NOT_POSITIVE", { strike: 0 }, {}],
    ["VOLATILITY_NEGATIVE", {}, { volatility: -0.6 }],
    ["DISCOUNT_NOT_POSITIVE", {}, { discount: 0 }],
    ["CONTRACT_OUT_OF_RANGE", { multiplier: 0 }, {}],
    ["CONTRACT_OUT_OF_RANGE", { multiplier: Number.POSITIVE_INFINITY }, {}],
    ["CONTRACT_OUT_OF_RANGE", { averagingYears: -1 }, {}],
    ["CONTRACT_OUT_OF_RANGE", { averagingYears: Number.NaN }, {}],
    ["AVERAGE_MISSING", { averagingYears: HALF_HOUR }, { years: 0 }],
    ["AVERAGE_MISSING", { averagingYears: HALF_HOUR }, { years: HALF_HOUR / 2, averageFixed: 0 }],
    ["AVERAGE_MISSING", { averagingYears: HALF_HOUR }, { years: HALF_HOUR / 2, averageFixed: Number.NaN }],
  ])("answers %s by name: %j %j", (fault, of, at) => {
    expect(optionValue(contract(of), market(at))).toEqual({ ok: false, fault });
  });

  test("never NaN, whatever the numbers", () => {
    const any = fc.double();
    fc.assert(
      fc.property(fc.tuple(any, any, any, any, any, any), fc.boolean(), ([strike, forward, volatility, years, discount, average], coin) => {
        const settlement = coin ? "inverse" : "linear";
        const answer = optionValue(contract({ strike, settlement, averagingYears: 0.1 }), {
          ...{ forward, volatility, years, discount },
          averageFixed: average,
        });
        if (answer.ok) expect([answer.value, answer.delta, answer.gamma, answer.vega].every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** Mean payoff on the average of a fixed half and a simulated half, on seeded paths and their mirrors. */
const simulated = (of: { index: number; fixed: number; strike: number; volatility: number; years: number }): number => {
  const draw = draws(20_200_312, "settlement paths");
  const [steps, paths] = [30, 20_000];
  const step = of.volatility * Math.sqrt(of.years / steps);
  let sum = 0;
  for (let path = 0; path < paths; path++) {
    const shocks = Array.from({ length: steps }, () => normalQuantile(draw() * 0.999_999_998 + 1e-9) * step);
    for (const mirror of [1, -1]) {
      let [log, total] = [0, 0];
      for (const shock of shocks) {
        const before = Math.exp(log);
        log += mirror * shock - (step * step) / 2;
        total += (before + Math.exp(log)) / 2;
      }
      sum += Math.max(0, 0.5 * of.fixed + (0.5 * of.index * total) / steps - of.strike);
    }
  }
  return sum / (2 * paths);
};
