import { describe, expect, test } from "vitest";
import { type DynamicRateTerms, dynamicRate, type PublishedRate, publishedRate } from "../../../core/risk/dynamic-rates.ts";
import { faultOf, figureOf } from "../answers.ts";

const TERMS: DynamicRateTerms = { floor: 20_000, confidence: 990_000, horizonDays: 2, impact: 0.0085 };
const HOUR = 3_600_000;
const NOW = 100 * HOUR;

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

describe("publishedRate (M3)", () => {
  const first: PublishedRate = { rate: 40_000, effectiveAt: 0, emergency: null };
  const at = (rate: number, hours: number): PublishedRate => ({ rate, effectiveAt: NOW + hours * HOUR, emergency: null });

  test.each<[string, readonly PublishedRate[], number, string | null, number, string | null]>([
    ["a rise of 25 % holds at once", [first], 50_000, null, 0, null],
    ["a rise above it after 24 hours", [first], 50_001, null, 24, null],
    ["or at once in an emergency, with its reason", [first], 50_001, "Oracle lost a venue", 0, "Oracle lost a venue"],
    ["a small rise is no emergency", [first], 45_000, "Oracle lost a venue", 0, null],
    ["a fall holds at once", [first], 10_000, null, 0, null],
    ["two small rises within a day are one large rise", [first, at(50_000, -1)], 60_000, null, 24, null],
    ["a day later they are two", [first, at(50_000, -24)], 60_000, null, 0, null],
    ["a rate that is to come holds nothing down", [first, at(30_000, 5)], 50_000, null, 0, null],
  ])("%s", (_, ...[published, rate, emergency, hours, reason]) => {
    expect(figureOf(publishedRate(published, rate, NOW, emergency))).toEqual({
      rate,
      effectiveAt: NOW + hours * HOUR,
      emergency: reason,
    });
  });

  test("refuses an unknown past, disorder, a rate that is no ppm and an emergency without words", () => {
    expect(faultOf(publishedRate([], 1, NOW)).fault).toBe("NO_HISTORY");
    expect(faultOf(publishedRate([at(1, 0), first], 1, NOW)).fault).toBe("DISORDER");
    expect(faultOf(publishedRate([first], 0.05, NOW)).fault).toBe("BAD_TERMS");
    expect(faultOf(publishedRate([first], Number.NaN, NOW)).fault).toBe("BAD_TERMS");
    expect(faultOf(publishedRate([first], 90_000, NOW, "")).fault).toBe("BAD_TERMS");
  });
});
