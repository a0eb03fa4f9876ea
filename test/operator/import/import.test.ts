import "../../functions/environment.ts";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { NoticeTooShort } from "../../../adapters/change-terms.ts";
import { encodeInstrument } from "../../../adapters/wire/instrument.ts";
import { encodePolicy } from "../../../adapters/wire/policy.ts";
import { decimal, money } from "../../../core/money.ts";
import { loadTiers } from "../../../core/tiers.ts";
import { applyBookFeed } from "../../../functions/apply-book-feed.ts";
import { type ImportFiles, importFiles } from "../../../operator/import/import.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { batch, record, type Stage, stageOn } from "../../functions/stage.ts";
import { example, source, textOf } from "./files.ts";
import { BROKERS, CSV, JSON_FILES, runOn } from "./on-stage.ts";

let tables: TestTables;
let stage: Stage;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  stage = stageOn(await tables.fresh(), { settings: { feedQueueUrl: "feed" } });
});

const run = (files: ImportFiles, apply: boolean) => runOn(stage, files, apply);

const heldNow = async (accountId: string) => {
  const { brokerId, clientClass, policyId, balances, positions, sourceSequence, version } = await stage.load(accountId);
  return {
    ...{ brokerId, clientClass, policyId, sourceSequence, version },
    balances: Object.fromEntries([...balances].map(([asset, amount]) => [asset, decimal(amount)])),
    positions: positions.map(({ instrumentId, quantity, entryPrice }) => [instrumentId, decimal(quantity), decimal(entryPrice)]),
  };
};

const LONG = {
  brokerId: "meridian",
  clientClass: "retail",
  policyId: "standard",
  sourceSequence: 1041,
  version: 1,
  balances: { USDT: "25000" },
  positions: [["BTC-PERP", "20", "7935"]],
};
const COIN = {
  brokerId: "harbour",
  clientClass: "retail",
  policyId: "standard",
  sourceSequence: 87,
  version: 1,
  balances: { BTC: "4.5" },
  positions: [["BTCUSD-PERP", "-1200", "7935.5"]],
};
const FLAT = {
  brokerId: "meridian",
  clientClass: "professional",
  policyId: "standard",
  sourceSequence: 3,
  version: 1,
  balances: { BTC: "0.1", USDT: "40000.25" },
  positions: [],
};
const ALL_NEW = {
  policies: ["standard new"],
  instruments: ["BTC-PERP new", "BTCUSD-PERP new", "BTC-SPOT new"],
  accounts: ["desk-long new", "desk-coin new", "desk-flat new"],
};

describe("the examples", () => {
  test.each([
    ["CSV", CSV, ["desk-long new", "desk-coin new"]],
    ["JSON", JSON_FILES, []],
  ])("R16 %s is applied: terms, contacts, and accounts through the feed", async (_, files, contacts) => {
    const { faults, states, applied } = await run(files, true);
    expect({ faults, states, applied }).toEqual({ faults: [], states: { ...ALL_NEW, contacts }, applied: true });
    expect(await Promise.all(["desk-long", "desk-coin", "desk-flat"].map(heldNow))).toEqual([LONG, COIN, FLAT]);
  });

  test("CSV and JSON say the same terms", async () => {
    const [csv, json] = [await importFiles(CSV, null, false), await importFiles(JSON_FILES, null, false)];
    const terms = ({ plan }: typeof csv) => ({
      policies: plan.policies.map(({ thing }) => encodePolicy(thing)),
      instruments: plan.instruments.map(({ thing }) => encodeInstrument(thing)),
      accounts: plan.accounts.map(({ thing }) => ({ ...thing, place: null })),
    });
    expect(terms(csv)).toEqual(terms(json));
    expect([...csv.findings, ...json.findings]).toEqual([]);
  });

  test("a dry run writes and sends nothing", async () => {
    const { states, applied, messages } = await run(CSV, false);
    expect({ applied, messages, accounts: states["accounts"] }).toEqual({ applied: false, messages: 0, accounts: ALL_NEW.accounts });
    expect(await stage.desk.book.load("desk-long")).toBeNull();
    expect((await stage.desk.marks.instruments()).size).toBe(0);
    await expect(stage.desk.book.policy("standard")).rejects.toThrow("unknown policy standard");
  });

  test("twice the same changes nothing the second time", async () => {
    await run(CSV, true);
    const { states, messages } = await run(CSV, true);
    expect(states).toEqual({
      policies: ["standard unchanged"],
      instruments: ["BTC-PERP unchanged", "BTCUSD-PERP unchanged", "BTC-SPOT unchanged"],
      contacts: ["desk-long unchanged", "desk-coin unchanged"],
      accounts: ["desk-long unchanged", "desk-coin unchanged", "desk-flat unchanged"],
    });
    expect(messages).toBe(0);
    expect((await stage.desk.book.policy("standard")).version).toBe(1);
    expect(await heldNow("desk-long")).toEqual(LONG);
  });

  test("an import that stopped half-way is completed by another run, also where what it sent arrives late", async () => {
    let left = 2;
    const { send } = stage.world.queues;
    const dying = {
      ...stage.world,
      queues: {
        send: (url: string, messages: Parameters<typeof send>[1]) =>
          send(url, messages.slice(0, left)).then(() => Promise.reject(new Error("the laptop slept"))),
      },
    };
    await expect(importFiles(CSV, dying, true)).rejects.toThrow("the laptop slept");
    left = 0;
    const late = stage.sent.splice(0).map(({ body, groupId }) => record(body, { group: groupId ?? "" }));
    expect(late).toHaveLength(2);
    expect((await run(CSV, true)).states["accounts"]).toEqual(ALL_NEW.accounts);
    expect(await applyBookFeed(stage.world)(batch(...late))).toEqual({ batchItemFailures: [] });
    expect(await Promise.all(["desk-long", "desk-coin", "desk-flat"].map(heldNow))).toEqual([LONG, COIN, FLAT]);
  });
});

const HEADER = "accountId,brokerId,clientClass,policyId,sequence,asOf,balances.USDT\n";
const accountsOf = (
  sequence: number,
  usdt: string,
  of = "desk-long,meridian,retail,standard",
): Pick<ImportFiles, "accounts" | "positions" | "brokers"> => ({
  accounts: source("a.csv", `${HEADER}${of},${sequence},2020-03-12T00:00:00.000Z,${usdt}\n`),
  positions: source("p.csv", "accountId,instrumentId,quantity,entryPrice\n"),
  brokers: BROKERS,
});

describe("R16 against what the book has applied", () => {
  test.each([
    ["an older snapshot is ignored", 1040, "1", "older", LONG],
    [
      "a newer one replaces the account",
      1042,
      "1",
      "changed",
      { ...LONG, version: 2, sourceSequence: 1042, balances: { USDT: "1" }, positions: [] },
    ],
  ])("%s", async (_, sequence, usdt, state, expected) => {
    await run(CSV, true);
    expect((await run(accountsOf(sequence, usdt), true)).states["accounts"]).toEqual([`desk-long ${state}`]);
    expect(await heldNow("desk-long")).toEqual(expected);
  });

  test("a snapshot that was overtaken between the dry run and its arrival changes nothing", async () => {
    await run(CSV, true);
    await importFiles(accountsOf(1042, "2"), stage.world, true);
    const late = stage.sent
      .splice(0)
      .map(({ body, groupId }) => record(body, { group: groupId ?? "" }))
      .at(-1);
    await run(accountsOf(1050, "3"), true);
    expect(await applyBookFeed(stage.world)(batch(late as NonNullable<typeof late>))).toEqual({ batchItemFailures: [] });
    expect(await heldNow("desk-long")).toMatchObject({ sourceSequence: 1050, balances: { USDT: "3" }, positions: [] });
  });

  test.each([
    [
      "other holdings at the same sequence",
      accountsOf(1041, "1"),
      [
        "a.csv:2: differs from what the book holds at the same sequence 1041. Let the venue say which is right, and give a snapshot with a later sequence",
      ],
    ],
    [
      "another owner",
      accountsOf(1042, "1", "desk-long,harbour,retail,standard"),
      [
        "a.csv:2 brokerId: the stage has the account under meridian, the file under harbour. Write what the stage has: an import opens accounts and does not move them",
      ],
    ],
    [
      "a broker that nobody knows",
      accountsOf(1, "1", "desk-new,meridiam,retail,standard"),
      [
        "a.csv:2 brokerId: unknown broker meridiam. Correct the id; for a broker without a webhook endpoint and a mode of its own, give --broker meridiam",
      ],
    ],
    [
      "a policy that nobody knows",
      accountsOf(1, "1", "desk-new,meridian,retail,standart"),
      ["a.csv:2 policyId: unknown policy standart. Correct the id, or give the policy with --policies"],
    ],
  ])("%s is a finding, and nothing is applied", async (_, files, expected) => {
    await run(CSV, true);
    expect(await run(files, true)).toMatchObject({ faults: expected, applied: false, messages: 0 });
    expect(await heldNow("desk-long")).toEqual(LONG);
  });

  test.each([
    ["less of a balance", "24999.99999999,", "BTC-PERP,20,7935"],
    ["a balance more", "25000,0.00000001", "BTC-PERP,20,7935"],
    ["no balance", ",", "BTC-PERP,20,7935"],
    ["another quantity", "25000,", "BTC-PERP,-20,7935"],
    ["another entry", "25000,", "BTC-PERP,20,7935.1"],
    ["another instrument", "25000,", "BTCUSD-PERP,20,7935"],
    ["no position", "25000,", null],
    ["the same", "25000,0", "BTC-PERP,20.000,7935.0"],
  ])("at the same sequence, %s", async (what, balances, leg) => {
    await run(CSV, true);
    const accounts = source(
      "a.csv",
      `${HEADER.trim()},balances.BTC\ndesk-long,meridian,retail,standard,1041,2020-03-12T00:00:00.000Z,${balances}\n`,
    );
    const positions = source("p.csv", `accountId,instrumentId,quantity,entryPrice\n${leg === null ? "" : `desk-long,${leg}\n`}`);
    const { faults } = await run({ accounts, positions, brokers: BROKERS }, false);
    const told = ["a.csv:2: differs from what the book holds at the same sequence 1041"];
    expect(faults.map((line) => line.split(". ")[0])).toEqual(what === "the same" ? [] : told);
  });

  test("an account that is out of sync is told: the same sequence does not heal it", async () => {
    await run(CSV, true);
    const gap = { kind: "deposit", externalId: "gap", sequence: 1043, occurredAt: "2020-03-12T00:00:01.000Z", asset: "USDT", amount: "1" };
    await applyBookFeed(stage.world)(batch(record({ schemaVersion: 1, accountId: "desk-long", entries: [gap] }, { group: "desk-long" })));
    const positions = source("p.csv", "accountId,instrumentId,quantity,entryPrice\ndesk-long,BTC-PERP,20,7935\n");
    const { faults, states } = await run({ ...accountsOf(1043, "25001"), positions }, true);
    expect({ faults, accounts: states["accounts"] }).toEqual({
      faults: ["note a.csv:2 sequence: the account is OUT_OF_SYNC since sequence 1043. Only a snapshot with a later sequence heals it"],
      accounts: ["desk-long unchanged"],
    });
    await run({ ...accountsOf(1044, "25001"), positions }, true);
    expect((await stage.load("desk-long")).outOfSync).toBe(false);
  });
});

describe("terms that the stage holds", () => {
  const VENUE_BRACKETS = {
    ...example("binance-leverage-bracket.json"),
    format: "binance" as const,
    symbols: new Map([["BTCUSDT", "BTC-PERP"]]),
  };

  test("a venue's brackets make the next version of the stage's instrument", async () => {
    await run(CSV, true);
    const listed = (await stage.desk.marks.instruments()).get("BTC-PERP");
    if (listed === undefined) throw new Error("the import listed no BTC-PERP");
    const dear = loadTiers("test", [{ floor: money("0"), rateIm: 100_000, rateMm: 50_000 }], listed.feePpm);
    await stage.desk.marks.putInstrument({ ...listed, version: 2, tiers: dear });
    stage.clock.set(stage.clock.now() + 86_400_000);
    const { faults, states, leftOut } = await run({ tiers: VENUE_BRACKETS, brokers: [] }, true);
    expect({ faults, instruments: states["instruments"], leftOut }).toEqual({
      faults: [],
      instruments: ["BTC-PERP changed"],
      leftOut: ["ETHUSDT"],
    });
    const stored = (await stageOn({ ...tables, db: stage.world.db, names: stage.world.settings }).desk.marks.instruments()).get("BTC-PERP");
    expect(stored?.version).toBe(3);
    expect(stored?.tiers.map(({ floor, rateIm, rateMm }) => [decimal(floor), rateIm, rateMm])).toEqual([
      ["0", 8_000, 4_000],
      ["50000", 10_000, 5_000],
      ["250000", 20_000, 10_000],
      ["1000000", 50_000, 25_000],
      ["10000000", 100_000, 50_000],
    ]);
  });

  test("M3 brackets that raise a rate by more than 25 % need notice: they are refused, and nothing is stored", async () => {
    await run(CSV, true);
    await expect(run({ tiers: VENUE_BRACKETS, brokers: [] }, true)).rejects.toThrow(NoticeTooShort);
    expect((await stage.desk.marks.instruments()).get("BTC-PERP")?.version).toBe(1);
  });

  test("haircuts alone make the next version of the stage's policy", async () => {
    await run(CSV, true);
    const text = textOf("haircuts.csv").replace("1.05,100000,0.1,", "1.05,100000,0.2,");
    const { faults, states } = await run({ haircuts: source("h.csv", text), brokers: [] }, true);
    expect({ faults, policies: states["policies"] }).toEqual({ faults: [], policies: ["standard changed"] });
    const tiers = (await stage.desk.book.policy("standard", 2)).collateral.get("BTC")?.tiers;
    expect(tiers?.map(({ haircutIm }) => haircutIm)).toEqual([50_000, 200_000]);
  });

  test("default names the stage's policy, also one that the same import brings", async () => {
    const accounts = accountsOf(1, "5", "desk-new,meridian,retail,default");
    expect((await run(accounts, true)).faults).toEqual([
      "a.csv:2 policyId: unknown policy default. Correct the id, or give the policy with --policies",
    ]);
    expect((await importFiles({ ...CSV, contacts: undefined, ...accounts }, null, false)).findings).toEqual([]);
    expect((await run({ ...CSV, contacts: undefined, ...accounts }, true)).faults).toEqual([]);
    expect(await heldNow("desk-new")).toMatchObject({ policyId: "default", balances: { USDT: "5" } });
    expect((await run(accounts, true)).states["accounts"]).toEqual(["desk-new unchanged"]);
  });

  test("a position is checked against the stage's instruments", async () => {
    await run(CSV, true);
    const positions = source("p.csv", "accountId,instrumentId,quantity,entryPrice\ndesk-long,BTC-PREP,1,100\ndesk-long,BTC-SPOT,1,100\n");
    expect((await run({ ...accountsOf(1042, "1"), positions }, true)).faults).toEqual([
      "p.csv:2 instrumentId: unknown instrument BTC-PREP. Correct the id, or give the instrument with --instruments",
      "p.csv:3 instrumentId: BTC-SPOT is a spot pair: no position is held in it. Write the holding as a balance of its account",
    ]);
  });
});
