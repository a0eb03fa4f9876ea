import { describe, expect, test } from "vitest";

import { decimal, money } from "../../../core/money.ts";
import { requirementOf } from "../../../core/tiers.ts";
import type { SourceFile } from "../../../operator/import/entries.ts";
import { lineOf } from "../../../operator/import/finding.ts";
import { importFiles } from "../../../operator/import/import.ts";
import type { TierFormat } from "../../../operator/import/instruments.ts";
import { found, source, textOf, tiers } from "./files.ts";

const HAIRCUTS = "policyId,asset,priceId,debtWeight,floor,initialHaircut,maintenanceHaircut\nstandard,USDT,,1,0,0,0\n";

describe("M2 R2 haircuts", () => {
  test.each([
    [
      "percent and fractions in one column",
      "standard,BTC,BTC-SPOT,1.05,0,0.5,0.025\nstandard,BTC,BTC-SPOT,1.05,100000,50,0.05\n",
      [
        "h.csv:4 initialHaircut: 50 is above 1 beside rates below: the column mixes percent and fractions. Write every rate of the column as a fraction: 0.5 % is 0.005",
      ],
    ],
    [
      "a column of percent",
      "standard,BTC,BTC-SPOT,1.05,0,5,0.025\nstandard,BTC,BTC-SPOT,1.05,100000,10,0.05\n",
      [
        "h.csv:3 initialHaircut: 5 is above 1: the column looks like percent. Write every rate of the column as a fraction: 0.5 % is 0.005",
        "h.csv:4 initialHaircut: 10 is above 1: the column looks like percent. Write every rate of the column as a fraction: 0.5 % is 0.005",
      ],
    ],
    [
      "several slices at fault, each at its line",
      "standard,BTC,BTC-SPOT,1.05,0,0.05,0.06\nstandard,BTC,BTC-SPOT,1.05,100000,0.1,0.05\nstandard,BTC,BTC-SPOT,1.05,50000,0.2,0.1\n",
      [
        "h.csv:3: collateral BTC: initial haircut 50000 is below maintenance haircut 60000. Raise the initial haircut: E_i may not exceed E_m (R2)",
        "h.csv:5: collateral BTC: floor 50000 is out of order. The first floor is 0, the others rise",
      ],
    ],
    [
      "weights that differ, and one that is percent",
      "standard,BTC,BTC-SPOT,1.05,0,0.05,0.025\nstandard,BTC,BTC-SPOT,105,100000,0.1,0.05\nstandard,ETH,ETH-SPOT,1,0,0.05,0.05\nstandard,ETH,ETH-SPOT,1.1,5,0.05,0.05\n",
      [
        'h.csv:4 debtWeight: weight "105" is not from 1 to 10. Write a factor: a debt that counts 5 % more weighs 1.05 (M2)',
        "h.csv:6 debtWeight: differs from line 5: it is one for all slices of ETH. Write the same in each",
      ],
    ],
    [
      "a price that differs from the line before",
      "standard,BTC,BTC-SPOT,1.05,0,0.05,0.025\nstandard,BTC,BTC-INDEX,1.05,100000,0.1,0.05\n",
      ["h.csv:4 priceId: differs from line 3: it is one for all slices of BTC. Write the same in each"],
    ],
    [
      "a rate below a part per million",
      "standard,BTC,BTC-SPOT,1,0,0.0500001,0.05\n",
      ["h.csv:3 initialHaircut: a rate with more than 6 decimals. Rates are whole parts per million: round it, for a requirement up"],
    ],
  ])("%s", async (_, rows, expected) => {
    const over = { haircuts: source("h.csv", HAIRCUTS + rows), accounts: undefined, positions: undefined, contacts: undefined };
    expect(await found(over)).toEqual(expected);
  });
});

const BRACKETS = "instrumentId,floorAsset,floor,cap,initialRate,maintenanceRate\n";
const COIN = "BTCUSD-PERP,BTC,0,,0.01,0.005\n";
const alone = { accounts: undefined, positions: undefined, contacts: undefined };

test("an asset that is none, and a value that is missing, at their lines", async () => {
  const rows = "standard,btc,BTC-SPOT,1.05,0,0.05,0.025\nstandard,ETH,ETH-SPOT,1,0,,0\n";
  const over = { haircuts: source("h.csv", HAIRCUTS + rows), accounts: undefined, positions: undefined, contacts: undefined };
  expect(await found(over)).toEqual([
    "h.csv:3 asset: 1-20 characters of A-Z 0-9. Correct it; docs/reference/import.md has the form",
    "h.csv:4 initialHaircut: no value. Give one",
  ]);
});

describe("M3 R24 tiers", () => {
  test.each([
    [
      "out of order",
      "BTC-PERP,USDT,0,,0.008,0.004\nBTC-PERP,USDT,250000,,0.02,0.01\nBTC-PERP,USDT,50000,,0.03,0.015\n",
      ["tiers.csv:4 floor: floor 50000 is not above the floor before it. Sort the brackets by floor"],
    ],
    [
      "a start above 0, told once",
      "BTC-PERP,USDT,50000,,0.008,0.004\nBTC-PERP,USDT,250000,,0.02,0.01\n",
      ["tiers.csv:2 floor: the first floor is 50000. Start the table at notional 0"],
    ],
    [
      "a hole and an overlap",
      "BTC-PERP,USDT,0,40000,0.008,0.004\nBTC-PERP,USDT,50000,250000,0.01,0.005\nBTC-PERP,USDT,200000,,0.02,0.01\n",
      [
        "tiers.csv:3 floor: a hole: the bracket before ends at 40000, this one starts at 50000. Let each bracket start where the one before ends",
        "tiers.csv:4 floor: an overlap: the bracket before ends at 250000, this one starts at 200000. Let each bracket start where the one before ends",
      ],
    ],
    [
      "rates that fall, and rates that do not rise",
      "BTC-PERP,USDT,0,,0.02,0.01\nBTC-PERP,USDT,50000,,0.01,0.005\nBTC-PERP,USDT,250000,,0.02,0.01\n",
      [
        "tiers.csv:3 floor: a rate falls, or none rises, against the bracket before it. Rates rise with the notional: merge or correct the brackets",
        "tiers.csv:4 floor: a rate falls, or none rises, against the bracket before it. Rates rise with the notional: merge or correct the brackets",
      ],
    ],
    [
      "no room for the fee between the rates",
      "BTC-PERP,USDT,0,,0.008,0.004\nBTC-PERP,USDT,50000,,0.0104,0.01\n",
      ["tiers.csv:3 floor: initial rate 10400 is below maintenance rate 10000 plus fee 500. Raise the initial rate of the bracket (R24)"],
    ],
    [
      "percent and fractions",
      "BTC-PERP,USDT,0,,0.8,0.4\nBTC-PERP,USDT,50000,,50,0.5\n",
      [
        "tiers.csv:3 initialRate: 50 is above 1 beside rates below: the column mixes percent and fractions. Write every rate of the column as a fraction: 0.5 % is 0.005",
      ],
    ],
    [
      "floors in two assets",
      "BTC-PERP,USDT,0,,0.008,0.004\nBTC-PERP,BTC,7,,0.01,0.005\n",
      [
        "tiers.csv:3 floorAsset: floors in BTC beside floors in USDT: the column mixes units. Write floors of BTC-PERP in USDT, the asset that it settles in",
      ],
    ],
    [
      "floors in thousands beside floors in whole units",
      "BTC-PERP,USDT,0,,0.008,0.004\nBTC-PERP,USDT,50,,0.01,0.005\nBTC-PERP,USDT,250000,,0.02,0.01\n",
      [
        "tiers.csv:4 floor: floor 250000 is 5000 times the floor before it: the column mixes units. Write every floor in whole units of the settlement asset, none in thousands, millions or contracts",
      ],
    ],
    [
      "an instrument that is nowhere: its brackets are judged all the same",
      `BTC-PERP,USDT,0,,0.008,0.004\nXRP-PERP,USDT,0,,0.004,0.008\n`,
      ["tiers.csv:3 floor: initial rate 4000 is not above maintenance rate 8000 plus fee 0. Raise the initial rate (R1: IM > MM)"],
    ],
  ])("%s", async (_, rows, expected) => {
    expect(await found({ ...alone, tiers: tiers(BRACKETS + rows + COIN) })).toEqual(expected);
  });

  test("of a spot pair, and missing ones of a contract", async () => {
    const text = `${BRACKETS}BTC-PERP,USDT,0,,0.008,0.004\nBTC-SPOT,USDT,0,,0.008,0.004\n`;
    expect(await found({ ...alone, tiers: tiers(text) })).toEqual([
      "instruments.csv:3 tiers: spot pairs and options have none, contracts have at least one. Correct it; docs/reference/import.md has the form",
      "instruments.csv:4 tiers: spot pairs and options have none, contracts have at least one. Correct it; docs/reference/import.md has the form",
      "tiers.csv:3: brackets of a contract for BTC-SPOT, which is spot. Give the table of the contract, or correct --symbol",
    ]);
  });
});

test.each<[string, [string, string][], string]>([
  [
    "a symbol that the file has not",
    [["BTCUSDC", "BTC-PERP"]],
    "binance.json: the file has no symbol BTCUSDC. Correct --symbol BTCUSDC=BTC-PERP",
  ],
  [
    "no symbol that an instrument takes",
    [],
    "binance.json: no symbol of the file is an instrument here. Name them: --symbol BTCUSDT=BTC-PERP",
  ],
  [
    "two symbols for one instrument",
    [
      ["BTCUSDT", "BTC-PERP"],
      ["ETHUSDT", "BTC-PERP"],
    ],
    "binance.json:13: a second table of BTC-PERP. Keep one of them",
  ],
])("%s", async (_, symbols, expected) => {
  const over = { ...alone, instruments: contract("linear"), tiers: tiers(textOf("binance-leverage-bracket.json"), "binance", symbols) };
  expect(await found(over)).toContain(expected);
});

/** An instruments file of the contracts that a venue's table is for. */
const contract = (kind: "linear" | "inverse"): SourceFile => {
  const [header, linear, inverse] = textOf("instruments.csv").split("\n");
  return source("i.csv", [header, kind === "linear" ? linear : inverse, ""].join("\n"));
};
const venue = async (format: TierFormat, text: string, symbol: [string, string], kind: "linear" | "inverse" = "linear") => {
  const files = { instruments: contract(kind), tiers: tiers(text, format, [symbol]), brokers: [] };
  const { plan, findings, leftOut } = await importFiles(files, null, false);
  return { instrument: plan.instruments[0]?.thing, faults: findings.map(lineOf), leftOut };
};
const BTC: [string, string] = ["BTCUSDT", "BTC-PERP"];

describe("M3 the brackets of a venue", () => {
  // Maintenance margin as the venue works it out, notional x rate - deduction, at each boundary and around it; without the fee.
  test.each([
    ["binance", "49999.99", "199.99996"],
    ["binance", "50000", "200"],
    ["binance", "50000.01", "200.00005"],
    ["binance", "250000", "1200"],
    ["binance", "250000.01", "1200.0001"],
    ["binance", "1000000", "8700"],
    ["binance", "10000000", "233700"],
    ["binance", "10000000.01", "233700.0005"],
    ["binance", "20000000", "733700"],
    ["bybit", "1999999.99", "9999.99995"],
    ["bybit", "2000000", "10000"],
    ["bybit", "2600000", "13360"],
    ["bybit", "2600000.01", "13360.000062"],
    ["bybit", "3200000", "17080"],
  ])("%s asks at a notional of %s for %s", async (format, notional, maintenance) => {
    const name = format === "binance" ? "binance-leverage-bracket.json" : "bybit-risk-limit.json";
    const { instrument, faults } = await venue(format as TierFormat, textOf(name), BTC);
    expect(faults).toEqual([]);
    expect(decimal(requirementOf(instrument?.tiers ?? [], money(notional), 0).maintenance)).toBe(maintenance);
  });

  test("the initial rate is that of the highest leverage, rounded up to a part per million", async () => {
    const { instrument, leftOut } = await venue("binance", textOf("binance-leverage-bracket.json"), ["ETHUSDT", "BTC-PERP"]);
    expect(instrument?.tiers.map(({ rateIm, rateMm }) => [rateIm, rateMm])).toEqual([
      [13_334, 6_500],
      [20_000, 10_000],
    ]);
    expect(leftOut).toEqual(["BTCUSDT"]);
  });

  test("one symbol is an object, and a list of one", async () => {
    const list = JSON.parse(textOf("binance-leverage-bracket.json")) as unknown[];
    expect((await venue("binance", JSON.stringify(list[0]), BTC)).instrument?.tiers).toHaveLength(5);
  });

  test.each([
    ["fractions", "0.005", "0.0133335"],
    ["percent", "0.5", "1.33335"],
  ])("an initial rate in %s is rounded up to a part per million", async (_, maintenanceMargin, initialMargin) => {
    const row = { symbol: "BTCUSDT", riskLimitValue: "1", maintenanceMargin, initialMargin, maxLeverage: "75.00" };
    const text = JSON.stringify({ result: { category: "linear", list: [row] } });
    expect((await venue("bybit", text, BTC)).instrument?.tiers.map(({ rateIm, rateMm }) => [rateIm, rateMm])).toEqual([[13_334, 5_000]]);
  });

  test("inverse limits are in the coin, and rates in percent are told by their leverage", async () => {
    const row = (limit: string, mm: string, im: string, leverage: string, deduction: string) =>
      `{ "symbol": "BTCUSD", "riskLimitValue": "${limit}", "maintenanceMargin": ${mm}, "initialMargin": ${im}, "maxLeverage": "${leverage}", "mmDeduction": "${deduction}" }`;
    const rows = [row("150", "0.5", "1", "100.00", ""), row("300", "1", "1.5", "66.66", "0.75")];
    const text = `{ "result": { "category": "inverse", "list": [${rows.join(",")}], "nextPageCursor": "" } }`;
    const { instrument, faults } = await venue("bybit", text, ["BTCUSD", "BTCUSD-PERP"], "inverse");
    expect(faults).toEqual([]);
    expect(instrument?.tiers.map(({ floor, rateIm, rateMm }) => [decimal(floor), rateIm, rateMm])).toEqual([
      ["0", 10_000, 5_000],
      ["150", 15_000, 10_000],
    ]);
    expect(decimal(requirementOf(instrument?.tiers ?? [], money("200"), 0).maintenance)).toBe("1.25");
  });

  test.each<[string, TierFormat, [string, string], string[]]>([
    [
      "a deduction that makes the requirement jump",
      "binance",
      ['"cum": 1300', '"cum": 1400'],
      [
        "binance.json:7 0.brackets.2.notionalFloor: amount 1400 makes the requirement jump at the floor. Continuity needs 1300: correct it, or leave the amount out and it is derived",
      ],
    ],
    [
      "a hole",
      "binance",
      ['"notionalCap": 250000', '"notionalCap": 200000'],
      [
        "binance.json:7 0.brackets.2.notionalFloor: a hole: the bracket before ends at 200000, this one starts at 250000. Let each bracket start where the one before ends",
      ],
    ],
    [
      "brackets of one user",
      "binance",
      ['"symbol": "BTCUSDT",', '"symbol": "BTCUSDT", "notionalCoef": 1.50,'],
      [
        "binance.json:3 0.notionalCoef: the brackets are one user's, multiplied by 1.50. Ask with an account whose brackets the venue did not change",
      ],
    ],
    [
      "a number that is none",
      "binance",
      ['"maintMarginRatio": 0.01,', '"maintMarginRatio": "1%",'],
      [
        'binance.json:7 0.brackets.2.maintMarginRatio: "1%" is no plain decimal with at most 8 decimals. Save the venue\'s reply as it came',
      ],
    ],
    [
      "percent beside fractions",
      "bybit",
      ['"0.0056",\n        "initialMargin": "0.0111"', '"0.56",\n        "initialMargin": "1.11"'],
      [
        "bybit.json:22 result.list.1.initialMargin: rates in percent beside rates in fractions: the table mixes units. Save the venue's reply as it came",
      ],
    ],
    [
      "a rate that its leverage contradicts",
      "bybit",
      ['"0.0125"', '"0.0250"'],
      [
        "bybit.json:32 result.list.2.initialMargin: initial margin 0.0250 at leverage 80.00 is neither a fraction nor percent. Save the venue's reply as it came: rate times leverage is 1, or 100 in percent",
      ],
    ],
    [
      "one page of several",
      "bybit",
      ['"nextPageCursor": ""', '"nextPageCursor": "first%3DA"'],
      [
        "bybit.json:38 result.nextPageCursor: one page of several: the last symbol may be cut off. Ask for one symbol, or join the lists of all pages and empty nextPageCursor",
      ],
    ],
    [
      "another category",
      "bybit",
      ['"category": "linear"', '"category": "inverse"'],
      ["bybit.json:9: brackets of inverse contracts for BTC-PERP, which is linear. Give the table of the contract, or correct --symbol"],
    ],
  ])("%s", async (_, format, [from, to], expected) => {
    const text = textOf(format === "binance" ? "binance-leverage-bracket.json" : "bybit-risk-limit.json");
    expect(text).toContain(from);
    const faults = (await venue(format, text.replace(from, to), BTC)).faults.filter((line) => line.startsWith(format));
    expect(faults.sort()).toEqual(expected.sort());
  });

  test.each([
    [
      "COIN-M",
      '[{ "symbol": "BTCUSDT", "brackets": [{ "bracket": 1, "initialLeverage": 125, "qtyCap": 50, "qtyFloor": 0, "maintMarginRatio": 0.004, "cum": 0.0 }] }]',
      "binance.json:1 0.brackets.0: COIN-M brackets count contracts (qtyFloor, qtyCap): their notional moves with the price, so no table of notionals is equal to them. Write the brackets in the coin by hand, as tiers.csv",
    ],
    [
      "OKX",
      '{ "code": "0", "data": [{ "instFamily": "BTC-USDT", "minSz": "0", "maxSz": "500", "mmr": "0.004", "imr": "0.01", "maxLever": "100", "tier": "1" }] }',
      "binance.json:1: no symbol with brackets. Give the reply of GET /fapi/v1/leverageBracket: [ { symbol, brackets: [...] } ]",
    ],
  ])("what counts contracts is refused by name: %s", async (_, text, expected) => {
    expect((await venue("binance", text, BTC)).faults).toContain(expected);
  });
});

describe("M3 rates that rise with the size, a row an instrument", () => {
  const scaled = (text: string) => ({ ...tiers(text, "scaled"), file: "scaledTiers.csv" });
  test("are brackets never below the rule", async () => {
    const files = { instruments: contract("linear"), tiers: scaled(textOf("scaledTiers.csv")), brokers: [] };
    const { plan, findings } = await importFiles(files, null, false);
    expect(findings).toEqual([]);
    const { tiers: brackets = [] } = plan.instruments[0]?.thing ?? {};
    expect(brackets).toHaveLength(15);
    // 1,000,000 at 2 %, and what a chord is above it.
    expect(decimal(requirementOf(brackets, money("1000000"), 0).maintenance)).toBe("20000.37610649");
  });

  test("what no bracket can follow is a finding at its line", async () => {
    const text = textOf("scaledTiers.csv").replace("25000000", "300000000");
    const files = { instruments: contract("linear"), tiers: scaled(text), brokers: [] };
    const { findings } = await importFiles(files, null, false);
    expect(findings.map(lineOf)).toEqual([
      "scaledTiers.csv:2: the initial rate at upTo is above 2/3. End the table earlier: brackets cannot rise faster than the notional",
    ]);
  });
});
