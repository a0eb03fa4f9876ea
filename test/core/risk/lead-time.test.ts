import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrationOf, leadTime, passageProbability, passageTime, pathFrequency } from "../../../core/risk/lead-time.ts";
import { walkPaths } from "../../../core/risk/paths.ts";
import { type JointReturns, measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const joint = (columns: Record<string, number[]>, kind: JointReturns["kind"] = "difference"): JointReturns =>
  figureOf(
    measuredReturns(
      kind,
      (Object.values(columns)[0] ?? []).map((_, index) => index),
      columns,
    ),
  );
/** Draws the dates of a list in turn, for a history of `dates` dates. */
const drawing = (order: readonly number[], dates: number): (() => number) => {
  let next = 0;
  return () => ((order[next++ % order.length] as number) + 0.5) / dates;
};

describe("passage of a diffusion (M11)", () => {
  // Figures: mpmath.
  test.each([
    [100, 50, 1, 0, 0.0455002638963584],
    [100, 50, 4, 0, 0.317310507862914],
    [100, 50, 4, -10, 0.45398036812315],
    [100, 50, 4, 10, 0.20398652853833],
    [100, 1, 10, -50, 1],
    [0, 50, 1, 0, 1],
    [-5, 50, 1, 0, 1],
    [100, 50, 0, 0, 0],
    [1e9, 1, 1, 1e3, 0],
  ])("%f away at %f a root day, %f days, drift %f: %f", (...[distance, volatility, time, drift, expected]) => {
    expect(figureOf(passageProbability(distance, volatility, time, drift))).toBeCloseTo(expected, 12);
  });
  test("far away it is small, and right", () => {
    expect(figureOf(passageProbability(300, 50, 1)) / 1.9731752900754e-9).toBeCloseTo(1, 10);
  });
  test.each([
    [100, 50, 50_000, 1.04127108650802],
    [100, 50, 500_000, 8.79243735327093],
    [0, 50, 50_000, 0],
  ])("%f away at %f: with %i ppm within %f", (distance, volatility, probability, expected) => {
    expect(figureOf(passageTime(distance, volatility, probability))).toBeCloseTo(expected, 10);
  });
  test("the two are each other's inverse", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e6, noNaN: true }), fc.integer({ min: 1_000, max: 999_000 }), (distance, probability) => {
        const time = figureOf(passageTime(distance, 100, probability));
        expect(figureOf(passageProbability(distance, 100, time))).toBeCloseTo(probability / 1e6, 9);
      }),
    );
  });
  test("refuses what has no answer", () => {
    expect(faultOf(passageProbability(1, 0, 1)).fault).toBe("ZERO_VOLATILITY");
    expect(faultOf(passageProbability(1, 1, -1)).fault).toBe("BAD_TERMS");
    expect(faultOf(passageProbability(Number.NaN, 1, 1)).fault).toBe("BAD_NUMBER");
    expect(faultOf(passageProbability(1, 1, 1, Number.NaN)).fault).toBe("BAD_NUMBER");
    expect(faultOf(passageTime(1, 0, 1)).fault).toBe("ZERO_VOLATILITY");
    expect(faultOf(passageTime(1, 1, 0)).fault).toBe("BAD_TERMS");
  });
});

describe("walkPaths (M11)", () => {
  const seen = (kind: JointReturns["kind"]): number[][] => {
    const moves: number[][] = [];
    figureOf(
      walkPaths(joint({ A: [0.5, -0.5], B: [1, 2] }, kind), { steps: 2, paths: 2, random: drawing([0, 1, 1, 0], 2) }, (move) => {
        moves.push([...move]);
        return true;
      }),
    );
    return moves;
  };
  test("factors move together by what they did on one date; simple returns compound", () => {
    expect(seen("difference")).toEqual([
      [0.5, 1],
      [0, 3],
      [-0.5, 2],
      [0, 3],
    ]);
    expect(seen("simple")).toEqual([
      [0.5, 1],
      [-0.25, 5],
      [-0.5, 2],
      [-0.25, 5],
    ]);
  });
  test("counts that are not whole, or far too many, are refused", () => {
    const paths = { steps: 1, paths: 1, random: () => 0 };
    for (const patch of [{ steps: 0 }, { steps: Number.NaN }, { paths: 0.5 }, { steps: 1e6, paths: 1e6 }]) {
      expect(faultOf(walkPaths(joint({ A: [1] }), { ...paths, ...patch }, () => true)).fault).toBe("BAD_TERMS");
    }
  });
});

describe("leadTime (M11)", () => {
  // An account 10 away that moves by −6, 0 or 6: two falls in a row breach it.
  const moves = joint({ A: [-6, 0, 6] });
  const away = ([move = 0]: Float64Array): number => 10 + move;

  test("the share of paths that breach, by step, and a path that came back has breached", () => {
    // Paths: fall fall rise; rise fall fall; fall stand fall; stand stand stand.
    const random = drawing([0, 0, 2, 0, 0, 1, 0, 1, 1, 1], 3);
    const order = drawing([0, 0, 2, 0, 0, 0, 1, 0, 1, 1, 1], 3);
    expect(random()).toBeCloseTo(1 / 6, 12);
    // The first path ends at its second step; so the next begins with the third draw.
    expect([...figureOf(pathFrequency(moves, away, { steps: 3, paths: 4, random: order }))]).toEqual([0, 0.25, 0.5]);
  });

  test("the larger probability and the earlier time are told", () => {
    // Diffusion: 2Φ(−10/(5√3)) = 0.2482130789..., and 10 % within (10/(5·1.644853627))² = 1.4784 steps.
    const random = drawing([0, 0, 1, 1, 1], 3);
    expect(figureOf(leadTime(moves, away, 5, { steps: 3, paths: 2, random, quantile: 100_000 }))).toEqual({
      probability: 500_000,
      byDiffusion: 248_214,
      byPaths: 500_000,
      steps: expect.closeTo(1.478449, 5),
    });
    const calm = figureOf(leadTime(moves, away, 5, { steps: 1, paths: 2, random: () => 0.5, quantile: 100_000 }));
    expect(calm).toEqual({ probability: 45_501, byDiffusion: 45_501, byPaths: 0, steps: null });
  });

  test("paths tell the time where the diffusion is late", () => {
    const told = figureOf(leadTime(moves, away, 0.01, { steps: 3, paths: 2, random: drawing([0, 0, 1, 1, 1], 3), quantile: 100_000 }));
    expect(told).toEqual({ probability: 500_000, byDiffusion: 0, byPaths: 500_000, steps: 2 });
  });

  test("an account below its requirement has breached", () => {
    const told = figureOf(leadTime(moves, () => -1, 5, { steps: 3, paths: 2, random: () => 0.5, quantile: 100_000 }));
    expect(told).toEqual({ probability: 1_000_000, byDiffusion: 1_000_000, byPaths: 1_000_000, steps: 0 });
  });

  test("faults come by name, never NaN", () => {
    const terms = { steps: 3, paths: 2, random: () => 0.1, quantile: 100_000 };
    expect(faultOf(leadTime(moves, away, 0, terms)).fault).toBe("ZERO_VOLATILITY");
    expect(faultOf(leadTime(moves, away, 5, { ...terms, quantile: 0 })).fault).toBe("BAD_TERMS");
    expect(faultOf(leadTime(moves, away, 5, { ...terms, paths: 0 })).fault).toBe("BAD_TERMS");
    const broken = faultOf(leadTime(moves, ([move = 0]) => (move === 0 ? 1 : Number.NaN), 5, terms));
    expect(broken).toMatchObject({ fault: "BAD_NUMBER", detail: expect.stringContaining("path 0, step 1") });
  });
});

describe("calibrationOf (M11)", () => {
  test("Brier score, what it has to beat, and the reliability curve", () => {
    const told = [
      { probability: 100_000, happened: false },
      { probability: 200_000, happened: false },
      { probability: 900_000, happened: true },
      { probability: 1_000_000, happened: false },
    ];
    const { brier, climatology, bins } = figureOf(calibrationOf(told, 2));
    // (0.01 + 0.04 + 0.01 + 1) / 4, and 0.25 · 0.75.
    expect(brier).toBeCloseTo(0.265, 12);
    expect(climatology).toBeCloseTo(0.1875, 12);
    expect(bins).toEqual([
      { from: 0, to: 500_000, count: 2, told: expect.closeTo(0.15, 12), happened: 0 },
      { from: 500_000, to: 1_000_000, count: 2, told: expect.closeTo(0.95, 12), happened: 0.5 },
    ]);
    expect(figureOf(calibrationOf(told, 4)).bins[1]).toEqual({ from: 250_000, to: 500_000, count: 0, told: null, happened: null });
  });
  test("refuses none, no ppm and no bins", () => {
    expect(faultOf(calibrationOf([])).fault).toBe("NO_HISTORY");
    expect(faultOf(calibrationOf([{ probability: 0.1, happened: true }])).fault).toBe("BAD_TERMS");
    expect(faultOf(calibrationOf([{ probability: 1, happened: true }], 0)).fault).toBe("BAD_TERMS");
  });
});
