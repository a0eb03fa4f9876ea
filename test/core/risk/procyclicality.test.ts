import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  asymmetricVariance,
  floorMargin,
  type ProcyclicalityTools,
  responsiveness,
  smoothedMargin,
  smoothedSeries,
} from "../../../core/risk/procyclicality.ts";
import { faultOf, figureOf } from "../answers.ts";

const OFF: ProcyclicalityTools = { buffer: null, stressed: null, floor: null, stepCap: null };
const BUFFER = { buffer: 250_000, significantRise: 50_000, rebuildSteps: 5 };
const charged = (models: number[], tools: Partial<ProcyclicalityTools>): number[] =>
  figureOf(smoothedSeries(models, { ...OFF, ...tools })).map((step) => step.charged);

describe("the tools of M9", () => {
  test.each<[string, number[], Partial<ProcyclicalityTools>, number[]]>([
    ["none", [100, 80, 120], {}, [100, 80, 120]],
    ["a buffer is drawn while margins rise, and is exhausted", [100, 118, 130, 150], { buffer: BUFFER }, [125, 125, 130, 150]],
    [
      "it is rebuilt in five quiet steps",
      [100, 130, 130, 130, 130, 130, 130, 130],
      { buffer: BUFFER },
      [125, 130, 136.5, 143, 149.5, 156, 162.5, 162.5],
    ],
    ["a small rise draws nothing", [100, 104], { buffer: BUFFER }, [125, 130]],
    ["a fall lets it go at once", [100, 80], { buffer: BUFFER }, [125, 100]],
    ["a stress has its weight", [100, 500], { stressed: { weight: 250_000, stressed: 300 } }, [150, 500]],
    ["a floor at ten years' volatility", [100, 140], { floor: 120 }, [120, 140]],
    ["a step rises by 20 % at most", [100, 200, 200, 50], { stepCap: { mostRise: 200_000 } }, [100, 120, 144, 50]],
    [
      "all together: floor, stress, buffer, cap",
      [40, 100],
      { floor: 60, stressed: { weight: 250_000, stressed: 140 }, buffer: BUFFER, stepCap: { mostRise: 100_000 } },
      [100, 110],
    ],
  ])("%s", (_, models, tools, expected) => {
    expect(charged(models, tools)).toEqual(expected.map((each) => expect.closeTo(each, 9)));
  });

  test("a step says what it drew, what it holds back, and why it did not", () => {
    const tools = { ...OFF, buffer: BUFFER, stepCap: { mostRise: 100_000 } };
    const before = figureOf(smoothedMargin(100, null, tools));
    expect(before).toMatchObject({ charged: 125, bufferDrawn: 0, deferred: 0, emergency: null });
    expect(figureOf(smoothedMargin(118, before, tools))).toMatchObject({ charged: 125, bufferDrawn: 22.5, deferred: 0 });
    expect(figureOf(smoothedMargin(160, before, tools))).toMatchObject({ charged: 137.5, deferred: 22.5, emergency: null });
    expect(figureOf(smoothedMargin(160, before, tools, "venue halted"))).toMatchObject({
      charged: 160,
      deferred: 0,
      emergency: "venue halted",
    });
  });

  test.each<[string, number, Partial<ProcyclicalityTools>, string | null, string]>([
    ["a model margin that is NaN", Number.NaN, {}, null, "BAD_NUMBER"],
    ["a model margin below 0", -1, {}, null, "BAD_TERMS"],
    ["a buffer under 25 %", 1, { buffer: { ...BUFFER, buffer: 249_999 } }, null, "BAD_TERMS"],
    ["a buffer that is never rebuilt", 1, { buffer: { ...BUFFER, rebuildSteps: 0 } }, null, "BAD_TERMS"],
    ["a stressed weight under 25 %", 1, { stressed: { weight: 249_999, stressed: 1 } }, null, "BAD_TERMS"],
    ["a stressed margin that is NaN", 1, { stressed: { weight: 250_000, stressed: Number.NaN } }, null, "BAD_NUMBER"],
    ["a floor that is NaN", 1, { floor: Number.NaN }, null, "BAD_NUMBER"],
    ["a cap of 0", 1, { stepCap: { mostRise: 0 } }, null, "BAD_TERMS"],
    ["an emergency without words", 1, {}, " ", "BAD_TERMS"],
  ])("refuses %s", (_, model, tools, emergency, fault) => {
    expect(faultOf(smoothedMargin(model, null, { ...OFF, ...tools }, emergency)).fault).toBe(fault);
  });

  test("a series names the step that is refused", () => {
    expect(faultOf(smoothedSeries([1, 2, Number.NaN], OFF))).toMatchObject({
      fault: "BAD_NUMBER",
      detail: expect.stringContaining("step 2"),
    });
  });

  test("a buffered margin is never below the model's, and never above it with its whole buffer", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }), (models) => {
        for (const [index, value] of charged(models, { buffer: BUFFER }).entries()) {
          expect(value).toBeGreaterThanOrEqual((models[index] as number) * (1 - 1e-12));
          expect(value).toBeLessThanOrEqual((models[index] as number) * 1.25 * (1 + 1e-12));
        }
      }),
    );
  });
});

test("floorMargin scales to ten years' volatility, up only (M9)", () => {
  expect(figureOf(floorMargin(100, 0.02, 0.03))).toBeCloseTo(150, 10);
  expect(figureOf(floorMargin(100, 0.04, 0.03))).toBe(100);
  expect(faultOf(floorMargin(100, 0, 0.03)).fault).toBe("ZERO_VOLATILITY");
  expect(faultOf(floorMargin(100, Number.NaN, 0.03)).fault).toBe("BAD_NUMBER");
});

test("asymmetricVariance is quick up and slow down (M9)", () => {
  expect(figureOf(asymmetricVariance(4, 4, 900_000, 990_000))).toBeCloseTo(5.2, 12);
  expect(figureOf(asymmetricVariance(4, -4, 900_000, 990_000))).toBeCloseTo(5.2, 12);
  expect(figureOf(asymmetricVariance(4, 1, 900_000, 990_000))).toBeCloseTo(3.97, 12);
  expect(faultOf(asymmetricVariance(4, 1, 990_000, 900_000)).fault).toBe("BAD_TERMS");
  expect(faultOf(asymmetricVariance(4, Number.NaN, 900_000, 990_000)).fault).toBe("BAD_NUMBER");
});

describe("responsiveness (M9)", () => {
  test("of the raw and the buffered series: the tool takes a third off the largest rise of a day", () => {
    const models = [100, 104, 110, 180, 171, 150, 140];
    const raw = figureOf(responsiveness(models));
    expect(raw.peakToTrough).toBeCloseTo(1.8, 12);
    expect([...raw.largestRise]).toEqual([
      [1, expect.closeTo(0.636363636, 8)],
      [5, expect.closeTo(0.5, 12)],
      [30, null],
    ]);
    // 95 % of 6 rises: 0.3 of one, the worst.
    expect(raw.expectedShortfallOfRises).toBeCloseTo(0.636363636, 8);
    const smooth = figureOf(responsiveness(charged(models, { buffer: { ...BUFFER, rebuildSteps: 60 } })));
    // 125, 125 + 26/60, as much, 180: 180/125.4333 − 1; the peak is 180 + 42.75/60 + 37.5/60.
    expect(smooth.largestRise.get(1)).toBeCloseTo(0.435025246, 8);
    expect(smooth.peakToTrough).toBeCloseTo(1.4507, 10);
  });
  test("a series that only falls has a negative largest rise; one margin has none", () => {
    expect(figureOf(responsiveness([100, 90], [1])).largestRise.get(1)).toBeCloseTo(-0.1, 12);
    expect(figureOf(responsiveness([100]))).toMatchObject({ peakToTrough: 1, expectedShortfallOfRises: null });
  });
  test.each<[string, number[], number[], number, string]>([
    ["no margin", [], [1], 950_000, "NO_HISTORY"],
    ["a margin of 0", [1, 0], [1], 950_000, "BAD_TERMS"],
    ["a margin that is NaN", [1, Number.NaN], [1], 950_000, "BAD_NUMBER"],
    ["a span of 0", [1, 2], [0], 950_000, "BAD_TERMS"],
    ["a level as a fraction", [1, 2], [1], 0.95, "BAD_TERMS"],
  ])("refuses %s", (_, series, spans, confidence, fault) => {
    expect(faultOf(responsiveness(series, spans, confidence)).fault).toBe(fault);
  });
});
