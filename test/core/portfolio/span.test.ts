import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { betaStress } from "../../../core/portfolio/beta-stress.ts";
import { netToGross, scheduleGross, scheduleMargin } from "../../../core/portfolio/schedule.ts";
import { scanRisk, spanArray, spanRequirement, spanScenarios, spreadCredit } from "../../../core/portfolio/span.ts";
import { future, option } from "./portfolio-fixtures.ts";

const FUTURE = [0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670, 10000, 10000, -10000, -10000, 7000, -7000];
const CALL = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130, -1500];
const MARKET = { spot: 50_000, quoteRate: 1 };
const TERMS = { priceScan: 0.12, volScan: 0.25, extremeMultiple: 2, extremeCover: 0.35 };

describe("SPAN", () => {
  const positions = {
    "long future": [{ quantity: 1, array: FUTURE }],
    "long call": [{ quantity: 1, array: CALL }],
    "long future, short call": [
      { quantity: 1, array: FUTURE },
      { quantity: -1, array: CALL },
    ],
  };
  test("the page's table is what the arrays say", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/models/span.md"), "utf8");
    const rows = [...page.matchAll(/^\| ([^|]+) \| ([\d,]+) \| (\d+) \|/gm)].map(([, name, scan, at]) => [
      name,
      Number(scan?.replaceAll(",", "")),
      Number(at),
    ]);
    expect(rows).toEqual(
      Object.entries(positions).map(([name, held]) => {
        const { scan, scenario } = scanRisk(held);
        return [name, scan, scenario];
      }),
    );
  });

  test.each([
    ["nothing held", [], 0, 0],
    ["nothing lost", [{ quantity: 1, array: [0, 5] }], 0, 0],
  ])("%s: no risk, no active scenario", (_, held, scan, scenario) => {
    expect(scanRisk(held)).toMatchObject({ scan, scenario });
  });

  test.each([
    [
      "a gap",
      [{ quantity: 1, array: [0, Number.NaN] }],
      "SPAN arrays, position 1: scenario 2 has no figure. Load the whole risk array of one file",
    ],
    [
      "a short array",
      [
        { quantity: 1, array: [0, 1] },
        { quantity: 1, array: [0] },
      ],
      "SPAN arrays, position 2: it has 1 scenarios, not 2. Load the whole risk array of one file",
    ],
  ])("%s is refused by place", (_, held, message) => {
    expect(() => scanRisk(held)).toThrow(message);
  });

  test("an array that is computed: a future by thirds of its range, extremes covered in part", () => {
    const computed = spanArray(future(50_000), MARKET, spanScenarios(TERMS));
    expect(computed.ok && [...computed.array].map(Math.round)).toEqual([
      0, 0, 2000, 2000, -2000, -2000, 4000, 4000, -4000, -4000, 6000, 6000, -6000, -6000, 4200, -4200,
    ]);
  });

  test("an option's array: more volatility is worth more, and a short one loses most at the far price", () => {
    const computed = spanArray(option(true, 50_000, 30), MARKET, spanScenarios(TERMS));
    if (!computed.ok) throw new TypeError(computed.fault);
    for (let row = 0; row < 14; row += 2) expect(computed.array[row]).toBeGreaterThan(computed.array[row + 1] ?? 0);
    expect(scanRisk([{ quantity: -1, array: computed.array }]).scenario).toBe(11);
    expect(spanArray(option(true, 50_000, 30, { volatility: 0 }), MARKET, spanScenarios(TERMS))).toEqual({
      ok: false,
      fault: "NO_VOLATILITY",
    });
  });

  test.each([
    ["priceScan", { ...TERMS, priceScan: 0 }, "SPAN terms, priceScan: 0 is no range. Give a number above 0"],
    ["volScan", { ...TERMS, volScan: Number.NaN }, "SPAN terms, volScan: NaN is no range. Give a number above 0"],
    [
      "extremeCover",
      { ...TERMS, extremeCover: 1.2 },
      "SPAN terms, extremeCover: 1.2 is no share. Give a share above 0 and at most 1: 0.35",
    ],
  ])("%s out of range is refused", (_, terms, message) => {
    expect(() => spanScenarios(terms)).toThrow(message);
  });

  test.each([
    ["corn against soybeans", 2, -1, { spreads: 1, gross: 6000, credit: 3300, margin: 2700 }],
    ["the scarcer side counts", 5, -2, { spreads: 2, gross: 12000, credit: 6600, margin: 5400 }],
    ["one direction is no spread", 2, 1, { spreads: 0, gross: 0, credit: 0, margin: 0 }],
  ])("%s", (_, corn, soy, expected) => {
    const credit = spreadCredit({ delta: corn, marginPerDelta: 1750, ratio: 2 }, { delta: soy, marginPerDelta: 2500, ratio: 1 }, 550_000);
    expect(credit).toEqual(expected);
  });

  test.each([
    [6000, 3300, 0, 0, 2700],
    [100, 0, 20, 25, 500],
    [100, 300, -5, 25, 0],
  ])("requirement of scan %d, credit %d, %d short options at %d", (scan, credit, shorts, minimum, expected) => {
    expect(spanRequirement(scan, credit, shorts, minimum)).toBe(expected);
  });
});

describe("the schedule of uncleared derivatives", () => {
  test("rates by class and remaining years", () => {
    const trade = (assetClass: "credit" | "interest-rate" | "equity", years: number) => ({ assetClass, notional: -1000, years, value: 0 });
    expect([2, 5, 6].map((years) => scheduleGross([trade("credit", years)]))).toEqual([20, 50, 100]);
    expect(scheduleGross([trade("interest-rate", 1), trade("equity", 1)])).toBe(160);
  });
  test.each([
    [[5, -3], 0.4],
    [[5, -9], 0],
    [[-5, -9], 1],
    [[], 1],
  ])("net by gross of values %j", (values, expected) => {
    expect(netToGross(values.map((value) => ({ assetClass: "other", notional: 1, years: 1, value }) as const))).toBe(expected);
  });
  test.each([
    [0, 395.864],
    [1, 989.66],
    [Number.NaN, 989.66],
    [-1, 989.66],
  ])("NGR %d", (ngr, expected) => {
    expect(scheduleMargin(989.66, ngr)).toBeCloseTo(expected, 9);
  });
});

test("stress by beta: the requirement is not stressed, and a holding is worth 0 at least", () => {
  const holding = { value: 160_000, betaPpm: 1_800_000, maintenancePpm: 250_000 };
  expect(betaStress([holding], 100_000, -80_000)).toEqual({ stressedValue: 136_960, requirement: 40_000, excess: -3_040 });
  expect(betaStress([holding], 0, -800_000).stressedValue).toBe(0);
});
