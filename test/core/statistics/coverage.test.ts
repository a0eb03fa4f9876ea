import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialCumulative, chiSquareTail } from "../../../core/statistics/chi-square.ts";
import {
  conditionalCoverage,
  exceptionsOf,
  independence,
  kupiec,
  shortfallPValue,
  shortfallTest,
  trafficLight,
} from "../../../core/statistics/coverage.ts";
import { faultOf, figureOf } from "../answers.ts";

const isNear = (actual: number, expected: number, relative: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * expected);
};

/** Expected figures: mpmath at 30 digits. */
describe("chiSquareTail and binomialCumulative (M14)", () => {
  test.each([
    [0.001, 1, 0.97477287936996],
    [0.46147, 1, 0.496937766949161],
    [3.841458820694124, 1, 0.05],
    [30, 1, 4.3204630578275e-8],
    [100, 1, 1.52397060483211e-23],
    [700, 1, 2.99022697512462e-154],
    [0.72013, 2, 0.697630978583646],
    [5.991464547107979, 2, 0.05],
    [50, 2, 1.3887943864964e-11],
    [7.5, 3, 0.0575584519726364],
    [12.5, 5, 0.0285431233261675],
    [40, 17, 0.0012941985337429],
    [99, 100, 0.509472198798414],
    [300, 100, 7.41210085732288e-22],
  ])("P(X > %f) with %i degrees", (x, degrees, expected) => {
    isNear(figureOf(chiSquareTail(x, degrees)), expected, 1e-12);
  });
  test("its ends, and what it refuses", () => {
    expect(figureOf(chiSquareTail(0, 1))).toBe(1);
    expect(figureOf(chiSquareTail(Number.POSITIVE_INFINITY, 1))).toBe(0);
    expect(faultOf(chiSquareTail(Number.NaN, 1)).fault).toBe("BAD_NUMBER");
    expect(faultOf(chiSquareTail(1, 0)).fault).toBe("BAD_TERMS");
    expect(faultOf(chiSquareTail(1, 101)).fault).toBe("BAD_TERMS");
  });
  test.each([
    [250, 4, 10_000, 0.892187626903625],
    [250, 9, 10_000, 0.99974980993126],
    [10, 0, 500_000, 0.000_976_562_5],
    [10, 5, 500_000, 0.623_046_875],
    [1_000_000, 50, 50, 0.537516690864883],
    [1_000, 3, 10_000, 0.0100726547720144],
    [5_000, 300, 50_000, 0.999288125949366],
    [5, 5, 10_000, 1],
  ])("of %i trials at most %i at %i ppm", (trials, most, probability, expected) => {
    isNear(figureOf(binomialCumulative(trials, most, probability)), expected, 1e-10);
  });
  test.each([
    [0, 0, 10_000],
    [10, -1, 10_000],
    [10, 1, 0],
    [10, 1, 0.01],
    [10, 1.5, 10_000],
  ])("refuses %f trials, %f successes, %f ppm", (trials, most, probability) => {
    expect(faultOf(binomialCumulative(trials, most, probability)).fault).toBe("BAD_TERMS");
  });
});

describe("coverage tests (M14)", () => {
  test("an exception is a loss strictly above its margin, with its transitions", () => {
    const { flags, ...counts } = figureOf(exceptionsOf([1, 5, 6, 2, 9, 3], [5, 5, 5, 5, 5, 5]));
    expect(flags).toEqual([false, false, true, false, true, false]);
    expect(counts).toEqual({ observations: 6, exceptions: 2, transitions: { n00: 1, n01: 2, n10: 2, n11: 0 } });
    expect(faultOf(exceptionsOf([], [])).fault).toBe("NO_HISTORY");
    expect(faultOf(exceptionsOf([1], [])).fault).toBe("DISORDER");
    expect(faultOf(exceptionsOf([Number.NaN], [1])).fault).toBe("BAD_NUMBER");
    expect(faultOf(exceptionsOf([1], [Number.NaN])).fault).toBe("BAD_NUMBER");
  });

  test("255 days without an exception reject a margin at 99 % at the 5 % level", () => {
    const { statistic, pValue } = figureOf(kupiec(255, 0, 10_000));
    expect(statistic).toBeCloseTo(5.125671285, 8);
    expect(pValue).toBeCloseTo(0.02357445, 8);
  });
  test("all days exceptions is a number too", () => {
    expect(figureOf(kupiec(250, 250, 10_000))).toMatchObject({ statistic: expect.closeTo(2302.585092994, 6), pValue: 0 });
    expect(figureOf(kupiec(100, 1, 10_000))).toMatchObject({ statistic: expect.closeTo(0, 9), pValue: expect.closeTo(1, 4) });
  });

  test.each([
    [[932, 53, 53, 4], 0.2586631526, 0.6110400778],
    [[240, 4, 4, 1], 3.1539892867, 0.0757415817],
    [[200, 20, 20, 9], 9.2285562665, 0.0023826945],
    [[249, 0, 0, 0], 0, 1],
    [[0, 0, 0, 249], 0, 1],
  ] as const)("independence of transitions %j", ([n00, n01, n10, n11], statistic, pValue) => {
    expect(figureOf(independence({ n00, n01, n10, n11 }))).toMatchObject({
      statistic: expect.closeTo(statistic, 8),
      pValue: expect.closeTo(pValue, 8),
    });
  });

  test("conditional coverage adds the two, with 2 degrees", () => {
    const together = figureOf(conditionalCoverage(1_043, 57, 50_000, { n00: 932, n01: 53, n10: 53, n11: 4 }));
    expect(together).toMatchObject({ statistic: expect.closeTo(0.72013, 4), degrees: 2, pValue: expect.closeTo(0.69763, 4) });
  });

  test.each<[number, string, number]>([
    [0, "GREEN", 0],
    [4, "GREEN", 0],
    [5, "YELLOW", 0.4],
    [6, "YELLOW", 0.5],
    [7, "YELLOW", 0.65],
    [8, "YELLOW", 0.75],
    [9, "YELLOW", 0.85],
    [10, "RED", 1],
    [200, "RED", 1],
  ])("%i exceptions in 250 days at 99 % are %s and add %f", (exceptions, light, addOn) => {
    expect(figureOf(trafficLight(250, exceptions, 10_000))).toMatchObject({ light, addOn });
  });
  test("another sample has a light, and no add-on from a table that is not for it", () => {
    expect(figureOf(trafficLight(500, 9, 10_000))).toMatchObject({ light: "YELLOW", addOn: null });
  });

  test("counts that cannot be are refused", () => {
    for (const answer of [kupiec(10, 11, 10_000), kupiec(0, 0, 10_000), kupiec(10, 1, 0), kupiec(10, 1, 0.01), trafficLight(10, 11, 1)]) {
      expect(faultOf(answer).fault).toBe("BAD_TERMS");
    }
    expect(faultOf(independence({ n00: 0, n01: 0, n10: 0, n11: 0 })).fault).toBe("NO_HISTORY");
    expect(faultOf(independence({ n00: 1.5, n01: 0, n10: 0, n11: 0 })).fault).toBe("BAD_TERMS");
    const none = { n00: 0, n01: 0, n10: 0, n11: 0 };
    expect(faultOf(conditionalCoverage(10, 1, 10_000, none)).fault).toBe("NO_HISTORY");
    expect(faultOf(conditionalCoverage(10, 11, 10_000, none)).fault).toBe("BAD_TERMS");
  });

  test("no count makes a statistic below 0 or a p-value outside [0, 1]", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.nat(2_000), fc.integer({ min: 1, max: 999_999 }), (n, x, p) => {
        const { statistic, pValue } = figureOf(kupiec(n, Math.min(x, n), p));
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("Acerbi and Székely's test of ES (M14)", () => {
  // 250 days at 97.5 %: 6.25 exceptions are expected, each of the size of ES = 2.
  const days = (exceptions: number, size: number) =>
    Array.from({ length: 250 }, (_, index) => ({ loss: index < exceptions ? size : 0, valueAtRisk: 1.5, expectedShortfall: 2 }));

  test.each<[number, number, number, string]>([
    [6, 2, 0.04, "GREEN"],
    [0, 2, 1, "GREEN"],
    [10, 2, -0.6, "GREEN"],
    [12, 2, -0.92, "YELLOW"],
    [6, 4, -0.92, "YELLOW"],
    [18, 2, -1.88, "RED"],
  ])("%i exceptions of %f: Z2 %f, %s", (exceptions, size, z2, light) => {
    expect(figureOf(shortfallTest(days(exceptions, size), 975_000))).toMatchObject({ z2: expect.closeTo(z2, 10), light, exceptions });
  });
  test("another sample has no tabulated light", () => {
    expect(figureOf(shortfallTest(days(6, 2).slice(1), 975_000)).light).toBeNull();
    expect(figureOf(shortfallTest(days(6, 2), 990_000)).light).toBeNull();
  });

  test("its p-value is small where losses are twice what was forecast, and not where they are drawn from the forecast", () => {
    // Each day's scenarios are −99 ... 100: at 95 %, VaR 91 and ES 95.5. A fixed congruential generator draws.
    const scenarios = Array.from({ length: 200 }, (_, index) => index - 99);
    let state = 7;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const forecast = { valueAtRisk: 91, expectedShortfall: 95.5, scenarios };
    const drawn = Array.from({ length: 100 }, () => ({ ...forecast, loss: scenarios[Math.floor(random() * 200)] ?? 0 }));
    const twice = drawn.map((day) => ({ ...day, loss: 2 * day.loss }));
    expect(figureOf(shortfallPValue(drawn, 950_000, 500, random))).toBeGreaterThan(0.05);
    expect(figureOf(shortfallPValue(twice, 950_000, 500, random))).toBeLessThan(0.01);
  });

  test("refuses what it cannot answer", () => {
    const day = { loss: 1, valueAtRisk: 1, expectedShortfall: 2, scenarios: [1] };
    const random = (): number => 0;
    expect(faultOf(shortfallTest([], 975_000)).fault).toBe("NO_HISTORY");
    expect(faultOf(shortfallTest([day], 0.975)).fault).toBe("BAD_TERMS");
    expect(faultOf(shortfallTest([{ ...day, expectedShortfall: 0 }], 975_000)).fault).toBe("BAD_NUMBER");
    expect(faultOf(shortfallTest([{ ...day, loss: Number.NaN }], 975_000)).fault).toBe("BAD_NUMBER");
    expect(faultOf(shortfallPValue([day], 975_000, 0, random)).fault).toBe("BAD_TERMS");
    expect(faultOf(shortfallPValue([], 975_000, 1, random)).fault).toBe("NO_HISTORY");
    expect(faultOf(shortfallPValue([{ ...day, scenarios: [] }], 975_000, 1, random)).fault).toBe("NO_HISTORY");
  });
});
