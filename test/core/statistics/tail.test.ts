import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpolatedPercentile, tailOf, weightedTail } from "../../../core/statistics/tail.ts";
import { faultOf, figureOf } from "../answers.ts";

const TEN = [1, -3, 9, 4, 0, 7, -8, 2, 6, 5];

describe("tailOf (M7, R23)", () => {
  test.each<[confidence: number, rank: number, valueAtRisk: number, expectedShortfall: number, worst: number[]]>([
    [900_000, 1, 9, 9, [2]],
    [800_000, 2, 7, 8, [2, 5]],
    // 2.5 of 10: 9 + 7 + half of 6, over 2.5.
    [750_000, 3, 6, 7.6, [2, 5, 8]],
    // 0.5 of 10: the worst loss alone.
    [950_000, 1, 9, 9, [2]],
    [999_999, 1, 9, 9, [2]],
  ])("at %i ppm: rank %i, VaR %f, ES %f", (confidence, rank, valueAtRisk, expectedShortfall, worst) => {
    expect(figureOf(tailOf(TEN, confidence))).toMatchObject({
      rank,
      valueAtRisk,
      expectedShortfall: expect.closeTo(expectedShortfall, 12),
      worst,
    });
  });

  // ceil(1000 * (1 - 0.9)) is 100 in whole numbers; 1 - 0.9 in float64 is 0.09999999999999998, and 1 - 0.99 is 0.010000000000000009.
  test.each([
    [100, 990_000, 1],
    [1_000, 990_000, 10],
    [1_000, 900_000, 100],
    [250, 975_000, 7],
    [1_000_000, 999_999, 1],
    [2_000_000, 999_999, 2],
  ])("R23: %i scenarios at %i ppm have a tail of %i, not one more", (scenarios, confidence, rank) => {
    const worst = Array.from({ length: rank }, (_, index) => rank - index);
    expect(figureOf(tailOf(worst, confidence, scenarios))).toMatchObject({ rank, valueAtRisk: 1 });
    expect(faultOf(tailOf(worst.slice(1), confidence, scenarios)).fault).toBe("NO_HISTORY");
  });

  test("of equal losses the earlier stands first, and the mean beyond VaR leaves equals out", () => {
    expect(figureOf(tailOf([5, 7, 7, 5], 250_000))).toMatchObject({ worst: [1, 2, 0], valueAtRisk: 5, meanBeyond: 7 });
    expect(figureOf(tailOf([5, 5], 500_000)).meanBeyond).toBeNull();
  });

  test.each<[string, number[], number, number | undefined, string]>([
    ["no loss", [], 990_000, undefined, "NO_HISTORY"],
    ["a loss that is NaN", [1, Number.NaN], 990_000, undefined, "BAD_NUMBER"],
    ["an infinite loss", [Number.POSITIVE_INFINITY], 990_000, undefined, "BAD_NUMBER"],
    ["a level of 1", [1], 1_000_000, undefined, "BAD_TERMS"],
    ["a level of 0", [1], 0, undefined, "BAD_TERMS"],
    ["a level in percent", [1], 99.5, undefined, "BAD_TERMS"],
    ["a level that is NaN", [1], Number.NaN, undefined, "BAD_TERMS"],
    ["more losses than scenarios", [1, 2], 990_000, 1, "BAD_TERMS"],
    ["half a scenario", [1], 990_000, 10.5, "BAD_TERMS"],
  ])("refuses %s by name", (_, losses, confidence, scenarios, fault) => {
    expect(faultOf(tailOf(losses, confidence, scenarios)).fault).toBe(fault);
  });

  test("ES is coherent: at least VaR, sub-additive over joint vectors, and moves with a shift and a scale", () => {
    const loss = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(loss, loss), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 999_999 }),
        (pairs, confidence) => {
          const [one, other] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
          const es = (losses: number[]): number => figureOf(tailOf(losses, confidence)).expectedShortfall;
          const tail = figureOf(tailOf(one, confidence));
          expect(tail.expectedShortfall).toBeGreaterThanOrEqual(tail.valueAtRisk - 1e-9);
          expect(es(pairs.map(([a, b]) => a + b))).toBeLessThanOrEqual(es(one) + es(other) + 1e-9);
          expect(es(one.map((each) => 3 * each + 50))).toBeCloseTo(3 * tail.expectedShortfall + 50, 7);
        },
      ),
    );
  });

  test("equal weights give what no weights give", () => {
    const losses = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(losses, fc.integer({ min: 1_000, max: 999_000 }), (all, confidence) => {
        const weights = all.map(() => 1 / all.length);
        expect(figureOf(weightedTail(all, weights, confidence)).expectedShortfall).toBeCloseTo(
          figureOf(tailOf(all, confidence)).expectedShortfall,
          6,
        );
      }),
    );
  });
});

describe("weightedTail (M7)", () => {
  test("walks the weights from the worst loss on, the last by what is still needed", () => {
    // 0.04 of 100, 0.05 of 80 and 0.01 of 60, over 0.1.
    expect(figureOf(weightedTail([60, 100, 10, 80], [0.5, 0.04, 0.41, 0.05], 900_000))).toMatchObject({
      valueAtRisk: 60,
      expectedShortfall: expect.closeTo(86, 10),
      meanBeyond: expect.closeTo(88.8888888889, 9),
      rank: 3,
      worst: [1, 3, 0],
    });
  });
  test("a loss of no weight counts nothing", () => {
    expect(figureOf(weightedTail([60, 100], [1, 0], 990_000))).toMatchObject({ valueAtRisk: 60, expectedShortfall: 60, meanBeyond: null });
  });
  test.each<[string, number[], number[], string]>([
    ["weights that end before the tail", [5, 4], [0.005, 0.002], "NO_HISTORY"],
    ["a negative weight", [5, 4], [1.1, -0.1], "BAD_TERMS"],
    ["weights above 1", [5, 4], [0.9, 0.2], "BAD_TERMS"],
    ["a weight too few", [5, 4], [1], "BAD_TERMS"],
    ["a weight that is NaN", [5], [Number.NaN], "BAD_NUMBER"],
    ["a loss that is NaN", [Number.NaN], [1], "BAD_NUMBER"],
  ])("refuses %s", (_, losses, weights, fault) => {
    expect(faultOf(weightedTail(losses, weights, 990_000)).fault).toBe(fault);
  });
});

describe("interpolatedPercentile", () => {
  test.each([
    [500_000, 2.5],
    [125_000, 1],
    [100_000, 1],
    [900_000, 4],
    [875_000, 4],
    [750_000, 3.5],
  ])("at %i ppm of 1, 2, 3, 4: %f", (level, expected) => {
    expect(figureOf(interpolatedPercentile([3, 1, 4, 2], level))).toBeCloseTo(expected, 12);
  });
  test("refuses nothing, NaN and a level that is no ppm", () => {
    expect(faultOf(interpolatedPercentile([], 900_000)).fault).toBe("NO_HISTORY");
    expect(faultOf(interpolatedPercentile([Number.NaN], 900_000)).fault).toBe("BAD_NUMBER");
    expect(faultOf(interpolatedPercentile([1], 0.9)).fault).toBe("BAD_TERMS");
  });
});
