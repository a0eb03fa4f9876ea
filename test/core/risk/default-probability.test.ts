import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  defaultMultiplier,
  expectedLoss,
  exposureAtDefault,
  type MertonFirm,
  mertonDefault,
  spreadDefault,
} from "../../../core/risk/default-probability.ts";
import { REQUIRED_FUNDING, stableFunding } from "../../../core/risk/stable-funding.ts";
import { faultOf, figureOf } from "../answers.ts";

const FIRM: MertonFirm = { equity: 3, equityVolatility: 0.8, debt: 10, rate: 0.05, years: 1 };

describe("mertonDefault (M16)", () => {
  // Figures: mpmath's root finder.
  test.each<[MertonFirm, number, number, number, number]>([
    [FIRM, 12.39538718864, 0.21230471342321, 1.14082565533, 0.1269712410628],
    [
      { equity: 50, equityVolatility: 0.4, debt: 80, rate: -0.01, years: 2 },
      131.5047550131,
      0.15372154650732,
      2.08553951205,
      0.018510177727,
    ],
  ])("%o", (firm, assetValue, assetVolatility, distance, probability) => {
    expect(figureOf(mertonDefault(firm))).toEqual({
      assetValue: expect.closeTo(assetValue, 9),
      assetVolatility: expect.closeTo(assetVolatility, 11),
      distance: expect.closeTo(distance, 9),
      probability: expect.closeTo(probability, 11),
    });
  });

  test("whatever the firm, V is between E and E with its debt, and PD a probability", () => {
    const figure = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(figure, figure, fc.double({ min: 0.01, max: 3, noNaN: true }), (equity, debt, equityVolatility) => {
        const answer = mertonDefault({ ...FIRM, equity, debt, equityVolatility });
        if (!answer.ok) return expect(answer.fault).toBe("NO_SOLUTION");
        const { assetValue, assetVolatility, probability } = answer.value;
        expect(assetValue).toBeGreaterThanOrEqual(equity);
        expect(assetValue).toBeLessThanOrEqual(equity + debt);
        expect(assetVolatility).toBeLessThanOrEqual(equityVolatility * (1 + 1e-12));
        expect(probability >= 0 && probability <= 1).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test.each<[Partial<MertonFirm>, string]>([
    [{ equityVolatility: 0 }, "ZERO_VOLATILITY"],
    [{ equity: 0 }, "BAD_TERMS"],
    [{ debt: 0 }, "BAD_TERMS"],
    [{ years: 0 }, "BAD_TERMS"],
    [{ years: -1 }, "BAD_TERMS"],
    [{ equity: Number.NaN }, "BAD_NUMBER"],
    [{ rate: Number.NaN }, "BAD_NUMBER"],
  ])("refuses %o", (patch, fault) => {
    expect(faultOf(mertonDefault({ ...FIRM, ...patch })).fault).toBe(fault);
  });
});

describe("losses by default (M16)", () => {
  test("PD from a spread", () => {
    expect(figureOf(spreadDefault(0.02, 0.6, 1))).toBeCloseTo(0.032783899518, 11);
    expect(figureOf(spreadDefault(0, 0.6, 1))).toBeCloseTo(0, 12);
    expect(faultOf(spreadDefault(0.02, 0, 1)).fault).toBe("BAD_TERMS");
    expect(faultOf(spreadDefault(0.02, 1.1, 1)).fault).toBe("BAD_TERMS");
    expect(faultOf(spreadDefault(Number.NaN, 0.6, 1)).fault).toBe("BAD_NUMBER");
  });
  test("exposure and expected loss", () => {
    expect(figureOf(exposureAtDefault([50, -30, -90, 0]))).toBe(30);
    expect(figureOf(expectedLoss(0.127, 0.6, 30))).toBeCloseTo(2.286, 12);
    expect(faultOf(exposureAtDefault([])).fault).toBe("NO_HISTORY");
    expect(faultOf(exposureAtDefault([Number.NaN])).fault).toBe("BAD_NUMBER");
    expect(faultOf(expectedLoss(1.1, 0.6, 1)).fault).toBe("BAD_TERMS");
    expect(faultOf(expectedLoss(Number.NaN, 0.6, 1)).fault).toBe("BAD_NUMBER");
  });
  const BANDS = [
    { from: 0, multiplier: 1_000_000 },
    { from: 10_000, multiplier: 1_100_000 },
    { from: 50_000, multiplier: 1_500_000 },
  ];
  test.each([
    [0, 1_000_000],
    [9_999, 1_000_000],
    [10_000, 1_100_000],
    [1_000_000, 1_500_000],
  ])("a PD of %i ppm multiplies margin by %i ppm", (probability, multiplier) => {
    expect(figureOf(defaultMultiplier(BANDS, probability))).toBe(multiplier);
  });
  test("bands out of order, and figures that are no ppm, are refused", () => {
    expect(faultOf(defaultMultiplier([], 1)).fault).toBe("DISORDER");
    expect(faultOf(defaultMultiplier(BANDS.slice(1), 1)).fault).toBe("DISORDER");
    expect(faultOf(defaultMultiplier([...BANDS, { from: 60_000, multiplier: 1_400_000 }], 1)).fault).toBe("DISORDER");
    expect(faultOf(defaultMultiplier([...BANDS, { from: 50_000, multiplier: 1_600_000 }], 1)).fault).toBe("DISORDER");
    expect(faultOf(defaultMultiplier([{ from: 0, multiplier: 999_999 }], 1)).fault).toBe("BAD_TERMS");
    expect(faultOf(defaultMultiplier(BANDS, 0.1)).fault).toBe("BAD_TERMS");
  });
});

describe("stableFunding (M16)", () => {
  const have = (amount: number, weight: number) => [{ name: "capital", amount, weight }];
  test("initial margin posted needs 85 % of stable funding", () => {
    const posted = [{ name: "initial margin posted", amount: 200, weight: REQUIRED_FUNDING.initialMarginPosted }];
    expect(figureOf(stableFunding(have(170, 1_000_000), posted))).toEqual({ available: 170, required: 170, ratio: 1, isMet: true });
    expect(figureOf(stableFunding(have(160, 1_000_000), posted)).isMet).toBe(false);
  });
  test("refuses by name", () => {
    expect(faultOf(stableFunding(have(1, 1_000_000), [])).fault).toBe("BAD_TERMS");
    expect(faultOf(stableFunding(have(1, 1.5), have(1, 1)))).toMatchObject({
      fault: "BAD_TERMS",
      detail: expect.stringContaining("capital"),
    });
    expect(faultOf(stableFunding(have(1, 1), have(Number.NaN, 1)))).toMatchObject({ fault: "BAD_NUMBER" });
  });
});
