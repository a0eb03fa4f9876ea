import { expect, test } from "vitest";

import { mertonDefault } from "../../core/risk/default-probability.ts";
import { exposureProfile } from "../../core/risk/exposure.ts";
import { passageProbability } from "../../core/risk/lead-time.ts";
import { liquidityCost } from "../../core/risk/liquidity.ts";
import { responsiveness, smoothedSeries } from "../../core/risk/procyclicality.ts";
import { trafficLight } from "../../core/statistics/coverage.ts";
import { measuredReturns } from "../../core/statistics/returns.ts";
import { tailOf } from "../../core/statistics/tail.ts";
import { figureOf } from "./answers.ts";
import { modelTable } from "./models-page.ts";

/** A figure as a page writes it: thousands by commas, a true minus, per cent as a share. */
const figure = (cell = ""): number => {
  const value = Number(cell.replaceAll(",", "").replace("−", "-").replace(" %", ""));
  return cell.endsWith(" %") ? value / 100 : value;
};
/** Digits behind the point that a page shows, of a share two more. */
const digits = (cell = ""): number => (cell.replace(" %", "").split(".")[1] ?? "").length + (cell.endsWith(" %") ? 2 : 0);

/** Every figure that the rows show is the one that the code answers, to the digits shown. */
const hold = (page: string, heading: string, count: number, answers: (cells: readonly string[]) => readonly [string, number][]): void => {
  const rows = modelTable(page, heading);
  expect(rows).toHaveLength(count);
  for (const [cell, value] of rows.flatMap(answers)) expect(value, `${page}: ${cell}`).toBeCloseTo(figure(cell), digits(cell));
};

test("M7: value at risk and expected shortfall of ten losses", () =>
  hold("statistical-margin.md", "confidence", 4, ([confidence, k = "", worst = "", mean = ""]) => {
    const tail = figureOf(tailOf([9, 7, 6, 5, 4, 2, 1, 0, -3, -8], figure(confidence)));
    return [
      [k, tail.rank],
      [worst, tail.valueAtRisk],
      [mean, tail.expectedShortfall],
    ];
  }));

test("M14: the traffic light of 250 days at 99 %", () => {
  const rows = modelTable("coverage-tests.md", "exceptions");
  const told = rows.map(([exceptions]) => figureOf(trafficLight(250, figure(exceptions), 10_000)));
  expect(told.map(({ light, addOn }) => [light, addOn])).toEqual(rows.map(([, light, addOn]) => [light, figure(addOn)]));
});

test("M11: the probability of a passage", () =>
  hold("lead-time.md", "distance", 3, ([distance, sigma, days, drift, told = ""]) => [
    [told, figureOf(passageProbability(figure(distance), figure(sigma), figure(days), figure(drift)))],
  ]));

test("M8: what closing costs", () => {
  const market = { averageVolume: 50_000_000, halfSpread: 0.0005, dailyVolatility: 0.04 };
  hold("liquidity.md", "exposure", 2, ([exposure, cost = "", days = "", risk = "", concentration = ""]) => {
    const told = figureOf(liquidityCost(figure(exposure), market));
    return [
      [cost, told.cost],
      [days, told.days],
      [risk, told.timeRisk],
      [concentration, told.concentration],
    ];
  });
});

test("M16: Merton's firm", () =>
  hold("default-probability.md", "equity", 2, ([equity, sigma, debt, rate, years, assets = "", volatility = "", pd = ""]) => {
    const firm = { equity: figure(equity), equityVolatility: figure(sigma), debt: figure(debt), rate: figure(rate), years: figure(years) };
    const told = figureOf(mertonDefault(firm));
    return [
      [assets, told.assetValue],
      [volatility, told.assetVolatility],
      [pd, told.probability],
    ];
  }));

test("M9: the buffer against procyclicality", () => {
  const raw = [100, 104, 110, 180, 171, 150, 140];
  const buffer = { buffer: 250_000, significantRise: 50_000, rebuildSteps: 60 };
  const steps = figureOf(smoothedSeries(raw, { buffer, stressed: null, floor: null, stepCap: null }));
  const told = [raw, steps.map(({ charged }) => charged)].map((series) => figureOf(responsiveness(series)));
  const rows = modelTable("procyclicality.md", "metric");
  const values = [told.map(({ peakToTrough }) => peakToTrough), told.map(({ largestRise }) => largestRise.get(1) as number)];
  expect(rows).toHaveLength(2);
  for (const [index, [, ...cells]] of rows.entries()) {
    for (const [side, cell] of cells.entries()) expect(values[index]?.[side]).toBeCloseTo(figure(cell), digits(cell));
  }
});

test("M11: what a counterparty may come to owe, by four dates drawn in turn", () => {
  const joint = figureOf(measuredReturns("difference", [1, 2, 3, 4], { A: [-10, 0, 10, 20] }));
  hold("exposure.md", "confidence", 2, ([confidence, expected = "", potential = "", peak = ""]) => {
    let next = 0;
    const random = (): number => ((next++ % 4) + 0.5) / 4;
    const owed = ([move = 0]: Float64Array): number => 100 + move;
    const told = figureOf(exposureProfile(joint, owed, 95, figure(confidence), { steps: 1, paths: 4, random }));
    return [
      [expected, told.expected[0] as number],
      [potential, told.potential[0] as number],
      [peak, told.peak],
    ];
  });
});
