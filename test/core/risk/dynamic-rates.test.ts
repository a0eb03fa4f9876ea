import { describe, expect, test } from "vitest";
import { type DynamicRateTerms, dynamicRate } from "../../../core/risk/dynamic-rates.ts";
import { faultOf, figureOf } from "../answers.ts";

const TERMS: DynamicRateTerms = { floor: 20_000, confidence: 990_000, horizonDays: 2, impact: 0.0085 };

describe("dynamicRate (M3)", () => {
  test.each([
    // 2.3263 · 4 % · √2 + 0.85 % = 14.0098108571 %, up to the next ppm.
    [0.04, 140_099],
    [0.001, 20_000],
    [5, 1_000_000],
  ])("a day's volatility of %f is a rate of %i ppm", (volatility, rate) => {
    expect(figureOf(dynamicRate(volatility, TERMS))).toBe(rate);
  });
  test.each<[string, number, Partial<DynamicRateTerms>, string]>([
    ["a feed that stands", 0, {}, "ZERO_VOLATILITY"],
    ["NaN", Number.NaN, {}, "BAD_NUMBER"],
    ["a negative volatility", -0.1, {}, "BAD_TERMS"],
    ["a negative horizon", 0.1, { horizonDays: -1 }, "BAD_TERMS"],
    ["a confidence below a half", 0.1, { confidence: 400_000 }, "BAD_TERMS"],
    ["a floor of 0", 0.1, { floor: 0 }, "BAD_TERMS"],
  ])("refuses %s", (_, volatility, patch, fault) => {
    expect(faultOf(dynamicRate(volatility, { ...TERMS, ...patch })).fault).toBe(fault);
  });
});
