import { describe, expect, test } from "vitest";
import { type CorrelationTerms, correlationOf, ewmaCovariance, profitVolatility } from "../../../core/statistics/covariance.ts";
import { type JointReturns, measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const jointOf = (columns: Record<string, number[]>): JointReturns =>
  figureOf(
    measuredReturns(
      "simple",
      (Object.values(columns)[0] ?? []).map((_, index) => index),
      columns,
    ),
  );
const PAIR = jointOf({ A: [2, -1, 3], B: [1, 1, -2] });

describe("ewmaCovariance (M11)", () => {
  test("the newest weighs most, and the weights sum to 1", () => {
    // Weights 1/7, 2/7, 4/7: A² 4, 1, 9; AB 2, −1, −6; B² 1, 1, 4.
    const { matrix } = figureOf(ewmaCovariance(PAIR, 500_000, 2));
    expect(matrix.map((row) => [...row])).toEqual([
      [42 / 7, -24 / 7].map((each) => expect.closeTo(each, 12)),
      [-24 / 7, 19 / 7].map((each) => expect.closeTo(each, 12)),
    ]);
  });

  test("volatility of a book is less than its parts where they hedge", () => {
    const covariance = figureOf(ewmaCovariance(PAIR, 500_000, 2));
    // 100·6 + 2·10·10·(−24/7) + 100·19/7 = 185.7142857.
    expect(figureOf(profitVolatility(covariance, { A: 10, B: 10 }))).toBeCloseTo(13.627702877, 8);
    expect(figureOf(profitVolatility(covariance, { A: 10 }))).toBeCloseTo(24.494897428, 8);
    expect(figureOf(profitVolatility(covariance, {}))).toBe(0);
  });

  test("a perfect hedge has volatility 0, not NaN", () => {
    const covariance = figureOf(ewmaCovariance(jointOf({ A: [0.1, -0.3, 0.7], B: [0.1, -0.3, 0.7] }), 970_000, 2));
    expect(figureOf(profitVolatility(covariance, { A: 3, B: -3 }))).toBe(0);
  });

  test("refuses what it cannot answer, by name", () => {
    expect(faultOf(ewmaCovariance(PAIR, 500_000, 4)).fault).toBe("NO_HISTORY");
    expect(faultOf(ewmaCovariance(PAIR, 1_000_000, 2)).fault).toBe("BAD_TERMS");
    expect(faultOf(ewmaCovariance(PAIR, 500_000, 1)).fault).toBe("BAD_TERMS");
    const covariance = figureOf(ewmaCovariance(PAIR, 500_000, 2));
    expect(faultOf(profitVolatility(covariance, { C: 1 }))).toMatchObject({ fault: "DISORDER", detail: expect.stringContaining("C") });
    expect(faultOf(profitVolatility(covariance, { A: Number.NaN })).fault).toBe("BAD_NUMBER");
  });
});

describe("correlationOf (M7)", () => {
  const TERMS: CorrelationTerms = { leastReturns: 6, window: 6, run: 3 };
  test("the floor is the worst run, not the year", () => {
    // Together in the first three, against each other in the last three.
    const joint = jointOf({ A: [1, 2, 6, 1, 2, 3], B: [1, 2, 6, 3, 2, 1] });
    const { recent, stressed, floor } = figureOf(correlationOf(joint, "A", "B", TERMS));
    expect(recent).toBeCloseTo(0.771428571, 8);
    expect(stressed).toBeCloseTo(-1, 12);
    expect(floor).toBe(stressed);
  });
  test("a run in which one of the two stands says 0", () => {
    const joint = jointOf({ A: [1, 1, 1, 4, 5, 6], B: [1, 2, 3, 4, 5, 6] });
    expect(figureOf(correlationOf(joint, "A", "B", TERMS)).stressed).toBe(0);
  });
  test("the window leaves older returns out", () => {
    const joint = jointOf({ A: [9, -9, 1, 2, 3, 4, 5, 6], B: [-9, 9, 1, 2, 3, 4, 5, 6] });
    expect(figureOf(correlationOf(joint, "A", "B", TERMS)).floor).toBeCloseTo(1, 12);
  });
  test.each<[string, string, Partial<CorrelationTerms>, string]>([
    ["a correlation without enough history", "B", { leastReturns: 7 }, "NO_HISTORY"],
    ["a run longer than the history", "B", { run: 7, window: 7 }, "NO_HISTORY"],
    ["a name without history", "C", {}, "DISORDER"],
    ["a factor that never moves", "FLAT", {}, "ZERO_VOLATILITY"],
    ["a run of 1", "B", { run: 1 }, "BAD_TERMS"],
    ["a window below its run", "B", { window: 2 }, "BAD_TERMS"],
  ])("refuses %s", (_, other, patch, fault) => {
    const joint = jointOf({ A: [1, 2, 3, 1, 2, 3], B: [1, 2, 3, 3, 2, 1], FLAT: [5, 5, 5, 5, 5, 5] });
    expect(faultOf(correlationOf(joint, "A", other, { ...TERMS, ...patch })).fault).toBe(fault);
  });
});
