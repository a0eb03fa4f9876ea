import "../../functions/environment.ts";

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { applyFeed } from "../../../adapters/apply-feed.ts";
import { createDb } from "../../../adapters/aws/db.ts";
import { openDesk } from "../../../adapters/decide-account.ts";
import { createRiskReports } from "../../../adapters/dynamodb/risk-report.ts";
import { TABLES } from "../../../adapters/dynamodb/schema.ts";
import type { World } from "../../../adapters/world.ts";
import type { Fact } from "../../../core/ledger.ts";
import { money, price, quantity } from "../../../core/money.ts";
import type { StatisticalTerms } from "../../../core/statistical-model.ts";
import { createTables } from "../../../local/engines/tables.ts";
import { runCommand } from "../../../operator/command-line.ts";
import { readRiskBook } from "../../../operator/risk/book.ts";
import { readLimits } from "../../../operator/risk/exposures.ts";
import { readFunding } from "../../../operator/risk/funding.ts";
import { riskLines } from "../../../operator/risk/lines.ts";
import { type RiskInputs, type RiskReport, riskOf } from "../../../operator/risk/report.ts";
import { RISK } from "../../../operator/risk.ts";
import { readPrices } from "../../../operator/validate/lineage.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { putTerms, stageOn, T0 } from "../../functions/stage.ts";
import { EXAMPLE, written } from "../validate/files.ts";

const NAMES = {
  bookTable: "plimsoll-sandbox-book",
  marksTable: "plimsoll-sandbox-marks",
  journalTable: "plimsoll-sandbox-journal",
  outboundTable: "plimsoll-sandbox-outbound",
};
const SCENARIOS: StatisticalTerms = {
  ...{ scenariosId: "two", version: 1, horizonDays: 1, units: ["BTC"], confidence: 975_000, weight: 750_000 },
  history: Array.from({ length: 250 }, (_, day) => ({ name: `day ${day}`, movesPpm: [10_000] })),
  stress: [
    { name: "a fifth down", movesPpm: [-200_000] },
    { name: "half up", movesPpm: [500_000] },
  ],
};
const INPUTS: RiskInputs = {
  files: [],
  quoteAsset: "USDT",
  scenarios: SCENARIOS,
  limits: {},
  macro: [],
  lossGivenDefaultPpm: 1_000_000,
  funding: null,
};

const amount = (name: string, of: string, weightPpm: number) => ({ name, amount: of, weightPpm });
const SHEET = {
  available: [
    amount("capital", "10000000", 1_000_000),
    amount("stable deposits", "15000000", 950_000),
    amount("less stable deposits", "10000000", 900_000),
    amount("corporate, under a year", "17000000", 500_000),
  ],
  required: [amount("all", "35000000", 1_000_000)],
};
const GOLD = "date,price\n2024-01-02,2000\n2024-01-03,2010\n2024-01-04,2005\n";

let engine: TestTables;
let stage: ReturnType<typeof stageOn>;

/** 100 contracts long with 1,000, 50 short with 2,000 at another broker, and cash alone; all at 100. */
beforeAll(async () => {
  engine = await startTables();
  const client = new DynamoDBClient({});
  const { book, marks, journal, outbound } = TABLES;
  await createTables(client, {
    ...{ [NAMES.bookTable]: book, [NAMES.marksTable]: marks, [NAMES.journalTable]: journal, [NAMES.outboundTable]: outbound },
  });
  client.destroy();
  stage = stageOn({ ...engine, db: createDb(), names: NAMES });
  await putTerms(stage);
  await stage.price("100");
  const open = async (accountId: string, brokerId: string, cash: string, size: string | null): Promise<void> => {
    const positions = size === null ? [] : [{ instrumentId: "BTC-PERP", quantity: quantity(size), entryPrice: price("100") }];
    const at = { sequence: 1, occurredAt: T0, externalId: `${accountId}-open` };
    const entries: Fact[] = [{ ...at, kind: "snapshot", balances: new Map([["USDT", money(cash)]]), positions }];
    const account = { brokerId, clientClass: "retail", policyId: "standard" };
    await applyFeed(stage.desk, [{ schemaVersion: 1, accountId, account, entries }], await stage.desk.marks.newest());
  };
  await open("long", "B1", "1000", "100");
  await open("short", "B2", "2000", "-50");
  await open("cash", "B2", "500", null);
});
afterAll(() => engine.stop());

const write = (): Promise<never> => Promise.reject(new Error("risk wrote to the tables"));
const reported = async (inputs: Partial<RiskInputs> = {}): Promise<RiskReport> => {
  const world: World = { ...stage.world, db: { ...stage.world.db, put: write, update: write, transactWrite: write } };
  return riskOf(await readRiskBook(openDesk(world)), { ...INPUTS, ...inputs });
};

describe("the risk of a whole book (M15)", () => {
  test("metrics, open interest, stresses and contagion, without a write", async () => {
    const { accounts, leftOut, sections } = await reported();
    expect([accounts, leftOut, sections.length]).toEqual([3, [], 1]);
    const [section] = sections as [RiskReport["sections"][number]];
    const metric = Object.fromEntries(section.metrics.map(({ name, figure }) => [name, figure.value ?? figure.reason]));
    expect(metric).toMatchObject({
      // 10 % of 10,000 and of 5,000, over 10,000 of longs; 0.55 % to keep.
      "initial requirement over open interest": 0.15,
      "equity over maintenance: least": 1000 / 55,
      "equity over maintenance: 90 %": 2000 / 27.5,
      "share of positions at less than 1.2 times maintenance": 0,
      "share of positions of the largest account": 10_000 / 15_000,
      "below the initial requirement": 0,
      "insurance fund over cover-2": "the book holds no insurance fund: compare with the cover below",
    });
    expect(section.openInterest).toEqual([{ instrumentId: "BTC-PERP", notional: "10000" }]);
    // Down: 2,000 are lost and the requirement falls by 11. Up: 2,500 are lost and it grows by 13.75.
    expect(section.stresses).toEqual([
      {
        ...{ scenariosId: "two", name: "a fifth down", breached: 1 },
        overInitial: { cover1: "989", cover2: "989" },
        overEquity: { cover1: "1000", cover2: "1000" },
        largest: [{ name: "long", loss: "1989", overInitial: "989" }],
      },
      {
        ...{ scenariosId: "two", name: "half up", breached: 1 },
        overInitial: { cover1: "2013.75", cover2: "2013.75" },
        overEquity: { cover1: "500", cover2: "500" },
        largest: [{ name: "short", loss: "2513.75", overInitial: "2013.75" }],
      },
    ]);
    const [fall, rise] = section.contagion;
    expect(fall).toMatchObject({
      asset: "BTC",
      direction: "fall",
      breached: 1,
      safe: 1,
      turns: [{ name: "long", liquidated: { value: 100 } }],
    });
    expect(fall?.turns[0]?.move.value).toBeCloseTo(945 / 9_945, 6);
    expect(rise).toMatchObject({ direction: "rise", breached: 1, safe: 1, turns: [{ name: "short", liquidated: { value: -50 } }] });
    expect(rise?.turns[0]?.move.value).toBeCloseTo(1_972.5 / 5_027.5, 6);
  });

  test("exposures by broker against limits, and brokers without accounts", async () => {
    const at = written({
      "limits.json": '{"brokers": {"B1": {"notional": "9000", "stress": "1500", "potential": "2"}, "B3": {"shortfall": "0"}}}',
    });
    const [section] = (await reported({ limits: readLimits(at("limits.json")) })).sections;
    expect(section?.exposures).toEqual([
      {
        ...{ brokerId: "B1", accounts: 1, notional: "10000", shortfall: "0", stress: "1000", binding: { name: "notional", room: "0" } },
        // No day of the history takes its equity below 0; 1,000 of equity over 55 that it must keep.
        ...{ potential: "0", expectedLoss: "0.00000001", collateralisation: { value: 1_000 / 55, reason: null } },
        exceeded: [{ name: "notional", limit: "9000", used: "10000" }],
      },
      {
        ...{ brokerId: "B2", accounts: 2, notional: "5000", shortfall: "0", stress: "500", binding: null, exceeded: [] },
        ...{ potential: "0", expectedLoss: "0", collateralisation: { value: 2_500 / 27.5, reason: null } },
      },
      {
        ...{ brokerId: "B3", accounts: 0, notional: "0", shortfall: "0", stress: "0", binding: { name: "shortfall", room: "0" } },
        ...{ potential: "0", expectedLoss: "0", collateralisation: { value: null, reason: "nothing is required of its accounts" } },
        exceeded: [],
      },
    ]);
  });

  test("without scenarios it says so, and asks for them", async () => {
    const { sections } = await reported({ scenarios: null });
    expect(sections[0]).toMatchObject({ stresses: [], defaults: null, noStresses: expect.stringContaining("--scenarios") });
    expect(sections[0]?.exposures[0]).toMatchObject({ stress: null, potential: null, expectedLoss: null });
  });

  test("M16: defaults by account, what the history and the stresses make of each", async () => {
    // Falls by a tenth and rises in turn: 1,000 a day of the long's 1,000, and 500 of the short's 2,000.
    const history = SCENARIOS.history.map(({ name }, day) => ({ name, movesPpm: [day % 2 === 0 ? 100_000 : -100_000] }));
    const [section] = (await reported({ scenarios: { ...SCENARIOS, history }, lossGivenDefaultPpm: 500_000 })).sections;
    expect(section?.defaults).toMatchObject({ scenariosId: "two", horizonDays: 1, lossGivenDefaultPpm: 500_000 });
    // 2·Φ(−1) of half of 500; 2·Φ(−4) of half of 250.
    expect(section?.defaults?.largest).toEqual([
      {
        ...{ name: "long", brokerId: "B1", probabilityPpm: 317_311, multiplierPpm: 1_500_000 },
        ...{ exposure: "500", expectedLoss: "79.32762697" },
      },
      {
        ...{ name: "short", brokerId: "B2", probabilityPpm: 64, multiplierPpm: 1_000_000 },
        ...{ exposure: "250", expectedLoss: "0.00791782" },
      },
    ]);
    expect(section?.exposures.map(({ brokerId, potential }) => [brokerId, potential])).toEqual([
      ["B1", "0"],
      ["B2", "0"],
    ]);
  });

  test("M16: net stable funding of a balance sheet, the published case of 119.29 %", async () => {
    const at = written({ "sheet.json": JSON.stringify(SHEET) });
    const funding = readFunding(at("sheet.json"));
    expect(funding).toMatchObject({ available: "41750000", required: "35000000", isMet: true });
    expect(riskLines(await reported({ funding })).at(-1)).toBe("net stable funding: 41750000 available of 35000000 required, 119.28 %");
  });

  test("volatilities and correlations of price files, in words and without NaN", async () => {
    const files = ["BTC", "ETH"].map((unit) => readPrices("prices", join(EXAMPLE, `made-up_${unit}USDT_1d.csv`)));
    const macro = [readPrices("macro", written({ "GOLDUSD_1d.csv": GOLD })("GOLDUSD_1d.csv"))];
    const report = await reported({ files, macro });
    const lines = riskLines(report).join("\n");
    expect(report.prices?.correlations).toHaveLength(1);
    expect(lines).toMatch(/volatility of BTCUSDT: EWMA \d+(\.\d+)? %; 30 days \d/);
    expect(lines).toMatch(/correlation of BTCUSDT and ETHUSDT: whole 0\.\d+/);
    // Three days: too few for a correlation, and said so.
    expect(lines).toMatch(/correlation of BTCUSDT and GOLDUSD: whole unknown: NO_HISTORY/);
    expect(lines).toContain("fall of BTC: long first, at 9.5 %; 1 breached in all, 1 safe");
    expect(lines).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("npm run risk", () => {
  let said: string;
  beforeEach(() => {
    said = "";
    const keep = (text: string | Uint8Array): boolean => {
      said += text;
      return true;
    };
    vi.spyOn(process.stdout, "write").mockImplementation(keep as never);
    vi.spyOn(process.stderr, "write").mockImplementation(keep as never);
    return () => vi.restoreAllMocks();
  });

  test("reads a stage's tables, writes the report, and ends with 1 beyond a limit", async () => {
    const at = written({ "scenarios.json": JSON.stringify(SCENARIOS), "limits.json": '{"brokers": {"B1": {"notional": "9000"}}}' });
    const out = join(dirname(at("limits.json")), "risk.json");
    const given = ["--stage", "sandbox", "--scenarios", at("scenarios.json"), "--out", out];
    expect(await runCommand(RISK, given)).toBe(0);
    expect(await runCommand(RISK, [...given, "--limits", at("limits.json")])).toBe(1);
    expect(said).toContain("EXCEEDED notional: 10000 of 9000");
    const text = readFileSync(out, "utf8");
    expect(text).not.toMatch(/NaN|Infinity/);
    expect(JSON.parse(text)).toMatchObject({ accounts: 3, prices: null, sections: [{ valuationAsset: "USDT" }] });
  });

  test("publishes the whole report for GET /risk", async () => {
    const at = written({ "scenarios.json": JSON.stringify(SCENARIOS), "sheet.json": JSON.stringify(SHEET) });
    const prices = ["BTC", "ETH"].flatMap((unit) => ["--prices", join(EXAMPLE, `made-up_${unit}USDT_1d.csv`)]);
    const out = join(dirname(at("sheet.json")), "risk.json");
    const given = ["--stage", "sandbox", ...prices, "--scenarios", at("scenarios.json"), "--balance-sheet", at("sheet.json"), "--out", out];
    expect(await runCommand(RISK, given)).toBe(0);
    expect(await createRiskReports(stage.world).newest()).toBeNull();
    expect(await runCommand(RISK, [...given, "--publish"])).toBe(0);
    const published = await createRiskReports(stage.world).newest();
    const { files, ...report } = JSON.parse(readFileSync(out, "utf8"));
    expect(published?.report).toMatchObject(report);
    expect(published?.report.files.map(({ sha256 }) => sha256)).toEqual(files.map(({ sha256 }: { sha256: string }) => sha256));
    expect(published).toMatchObject({ marksAt: Date.parse(report.marksAt), release: "0.1.0" });
  });

  test.each([
    ["no stage", [], "--stage is missing"],
    ["limits that are none", ["--stage", "sandbox", "--limits", "LIMITS"], "brokers.B1.notional"],
    ["a share that is none", ["--stage", "sandbox", "--lgd", "60%"], "whole ppm, from 0 to 1000000"],
    ["a balance sheet that is none", ["--stage", "sandbox", "--balance-sheet", "LIMITS"], "available"],
    ["scenarios that are too few", ["--stage", "sandbox", "--scenarios", "FEW"], "NO_HISTORY: 1 scenarios, 250 needed"],
    [
      "a file in another quote asset",
      ["--stage", "sandbox", "--prices", join(EXAMPLE, "made-up_BTCUSDT_1d.csv"), "--quote", "USDC"],
      "BTCUSDT is not quoted in USDC",
    ],
  ])("ends with 2 for %s", async (_, args, words) => {
    const at = written({
      "limits.json": '{"brokers": {"B1": {"notional": -1}}}',
      "few.json": JSON.stringify({ ...SCENARIOS, history: SCENARIOS.history.slice(0, 1) }),
    });
    const files: Record<string, string> = { LIMITS: at("limits.json"), FEW: at("few.json") };
    expect(
      await runCommand(
        RISK,
        args.map((arg) => files[arg] ?? arg),
      ),
    ).toBe(2);
    expect(said).toContain(words);
  });
});
