import { describe, expect, test } from "vitest";
import {
  deltaProfits,
  HISTORICAL,
  type HistoricalTerms,
  historicalMargin,
  revaluedProfits,
  type StressLoss,
} from "../../../core/statistics/historical-margin.ts";
import { measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

interface Asked {
  readonly all: readonly number[];
  readonly stress: readonly StressLoss[];
  readonly terms: Partial<HistoricalTerms>;
  readonly grid: number | null;
}
const ask = ({ all, stress, terms, grid }: Asked) => historicalMargin(all, stress, { ...HISTORICAL, ...terms }, grid);

const joint = figureOf(measuredReturns("simple", [1, 2, 3], { A: [0.1, -0.2, 0], B: [0.5, -0.5, 0.1] }));

describe("profits of past dates (M7)", () => {
  test("by delta, each date's vector together", () => {
    expect([...figureOf(deltaProfits(joint, { A: 100, B: -10 }))]).toEqual([5, -15, -1].map((each) => expect.closeTo(each, 12)));
  });
  test("log returns are turned into moves", () => {
    const logs = figureOf(measuredReturns("log", [1], { A: [Math.LN2] }));
    expect(figureOf(deltaProfits(logs, { A: 100 }))[0]).toBeCloseTo(100, 12);
  });
  test("by full revaluation, for what is not linear", () => {
    expect([...figureOf(revaluedProfits(joint, ([a = 0, b = 0]) => Math.max(0, 1_000 * a) + b))]).toEqual([100.5, -0.5, 0.1]);
  });
  test("an exposure without history and a model that answers NaN are refused by name and date", () => {
    expect(faultOf(deltaProfits(joint, { C: 1 }))).toMatchObject({ fault: "DISORDER", detail: expect.stringContaining("C") });
    expect(faultOf(deltaProfits(joint, { A: Number.POSITIVE_INFINITY })).fault).toBe("BAD_NUMBER");
    expect(faultOf(revaluedProfits(joint, ([a = 0]) => Math.sqrt(a)))).toMatchObject({
      fault: "BAD_NUMBER",
      detail: expect.stringContaining("ends at 2"),
    });
  });
});

describe("historicalMargin (M7)", () => {
  // Losses of 1 to 250: at 97.5 % the tail is 6.25: 250 + 249 + ... + 245 and a quarter of 244, over 6.25.
  const profits = Array.from({ length: 250 }, (_, index) => -(index + 1));
  const at = (loss: number): StressLoss[] => [
    { name: "a quiet day", loss: 1 },
    { name: "March 2020", loss },
  ];

  test.each<[string, number, number | null, string, number]>([
    ["a stress below ES leaves the history", 200, null, "HISTORY", 247.36],
    ["a stress above ES joins by a quarter", 400, null, "STRESS_BLEND", 285.52],
    ["the grid's requirement is a floor", 400, 300, "GRID", 300],
    ["a grid below changes nothing", 400, 200, "STRESS_BLEND", 285.52],
  ])("%s", (_, loss, grid, binding, margin) => {
    const answer = figureOf(historicalMargin(profits, at(loss), HISTORICAL, grid));
    expect(answer).toMatchObject({ binding, margin: expect.closeTo(margin, 9), stress: { name: "March 2020", loss } });
    expect(answer.tail.worst.slice(0, 2)).toEqual([249, 248]);
  });

  test("by VaR where the venue's margin is one", () => {
    const answer = figureOf(historicalMargin(profits, at(0), { ...HISTORICAL, confidence: 990_000, measure: "VAR" }));
    expect(answer).toMatchObject({ history: 248, margin: 248, binding: "HISTORY" });
  });

  test("a book that only ever gains needs nothing, and not less", () => {
    const gains = profits.map((profit) => -profit);
    expect(figureOf(historicalMargin(gains, [{ name: "none", loss: -5 }]))).toMatchObject({ margin: 0, binding: "NO_RISK" });
  });

  test.each<[string, Partial<Asked>, string]>([
    ["too few scenarios", { all: profits.slice(1) }, "NO_HISTORY"],
    ["a tail of less than one scenario", { terms: { confidence: 997_000 } }, "NO_HISTORY"],
    ["no stress", { stress: [] }, "NO_STRESS"],
    ["a stress that is NaN", { stress: at(Number.NaN) }, "BAD_NUMBER"],
    ["a profit that is NaN", { all: [...profits, Number.NaN] }, "BAD_NUMBER"],
    ["a grid that is NaN", { grid: Number.NaN }, "BAD_NUMBER"],
    ["a weight above 1", { terms: { weight: 1_000_001 } }, "BAD_TERMS"],
    ["a level as a fraction", { terms: { confidence: 0.975 } }, "BAD_TERMS"],
    ["a level of 1", { terms: { confidence: 1_000_000 } }, "BAD_TERMS"],
    ["no least number of scenarios", { terms: { leastScenarios: 0 } }, "BAD_TERMS"],
  ])("refuses %s by name", (_, patch, fault) => {
    expect(faultOf(ask({ all: profits, stress: at(0), terms: {}, grid: null, ...patch })).fault).toBe(fault);
  });
});
