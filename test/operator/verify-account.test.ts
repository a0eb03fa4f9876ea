import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import { changeAccount, decideAccount } from "../../adapters/decide-account.ts";
import { canonical } from "../../adapters/dynamodb/canonical.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import { hashOf } from "../../adapters/dynamodb/keys.ts";
import { firstDifference } from "../../adapters/recompute.ts";
import { acknowledge } from "../../core/commands.ts";
import type { Fact } from "../../core/ledger.ts";
import { money, price, quantity } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import type { StatisticalTerms } from "../../core/statistical-model.ts";
import { accountOfCall, type VerifiedAccount, verifyAccount } from "../../operator/verify-account.ts";
import { isFault, linesOf } from "../../operator/verify-lines.ts";
import { instrument, policy } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, putTerms, type Stage, stageOn, T0 } from "../functions/stage.ts";

let tables: TestTables;
let stage: Stage;
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, "A-1");
});
afterEach(() => tables.stop());

const facts = async (...entries: readonly Fact[]): Promise<void> => {
  await applyFeed(stage.desk, [{ schemaVersion: 1, accountId: "A-1", entries: [...entries] }], await stage.desk.marks.newest());
};
const deposit = (sequence: number, amount: string): Fact => ({
  ...{ kind: "deposit", externalId: `dep-${sequence}`, sequence, occurredAt: T0 },
  ...{ asset: "USDT", amount: money(amount) },
});
const verified = async (callId?: string): Promise<VerifiedAccount> => {
  const found = await verifyAccount(stage.world, "A-1", { callId });
  if (found === null) throw new Error("no account");
  return found;
};
const outcomes = ({ envelopes }: VerifiedAccount): string[] =>
  envelopes.map(({ envelope, verdict }) => `${envelope?.seq} ${verdict.outcome}`);

/** Called at 94.5, acknowledged, paid in part, liquidated at the deadline: envelopes 2 to 5, and 6 the fill. */
const liquidated = async (): Promise<string> => {
  const called = await markAt(stage, "A-1", "94.5", 60);
  await changeAccount(stage.desk, { accountId: "A-1", causedBy: "api acknowledgement" }, ({ account, now }) => {
    const change = acknowledge(account, "holder", now);
    return change === null ? null : { change, snapshotId: null };
  });
  await facts(deposit(2, "1"));
  const { live } = await markAt(stage, "A-1", "94.4", 2_400);
  const order = live?.orders[0];
  const fill = { instrumentId: "BTC-PERP", quantity: quantity("-10"), price: 9_440_000_000n as never, fee: money("0.5") };
  await facts({ kind: "fill", externalId: "fill-1", sequence: 3, occurredAt: T0, ...fill, orderId: order?.orderId ?? null });
  return called.live?.call.callId ?? "";
};

/** Rewrites a stored envelope as somebody who knows the format would: with a hash that fits. */
const rewrite = async (seq: number, change: (body: Record<string, unknown>) => Record<string, unknown>): Promise<void> => {
  const row = (await stage.journalOf("A-1"))[seq - 1] as Item;
  const body = canonical(change(JSON.parse(row["body"]?.S ?? "{}") as Record<string, unknown>));
  const Item = { ...row, body: { S: body }, hash: { S: hashOf(body) } };
  await stage.world.db.put({ TableName: stage.world.settings.journalTable, Item });
};

const withKept = (body: Record<string, unknown>, over: object): object => {
  const decision = body["decision"] as { kept: object };
  return { decision: { ...decision, kept: { ...decision.kept, ...over } } };
};

const JOINT: StatisticalTerms = {
  ...{ scenariosId: "joint", version: 1, horizonDays: 1, units: ["BTC"], confidence: 975_000, weight: 750_000 },
  history: Array.from({ length: 400 }, (_, day) => ({ name: `day ${day}`, movesPpm: [day % 2 === 0 ? 50_000 : -50_000] })),
  stress: [{ name: "halved", movesPpm: [-500_000] }],
};
const MODEL = { kind: "portfolio", terms: STANDARD_TERMS, statistical: JOINT } as const;
const underPortfolio = { ...policy, version: 2, model: MODEL };

/** The account's policy with a grid and joint scenarios, and a call that expires an hour after T0. */
const putPortfolio = async (): Promise<void> => {
  await stage.desk.book.putPolicy(underPortfolio);
  const expiryAt = T0 + 3_600_000;
  await stage.desk.marks.putInstrument({ ...instrument, instrumentId: "BTC-FUT", expiryAt });
  const option = {
    underlyingId: "BTC-FUT",
    strike: price("120"),
    right: "call",
    style: "premium",
    settlement: "linear",
    averagingMs: 0,
  } as const;
  await stage.desk.marks.putInstrument({ ...instrument, instrumentId: "BTC-120-C", kind: "option", tiers: [], expiryAt, option });
};

/** Marks the account with good marks of everything that it holds. */
const marksAt = async (perp: string, secondsOn: number): ReturnType<typeof markAt> => {
  const asOf = T0 + secondsOn * 1_000;
  for (const [instrumentId, at] of [
    ["BTC-FUT", perp],
    ["BTC-120-C", "0.0001"],
  ] as const) {
    const before = await stage.desk.marks.mark(instrumentId);
    await stage.desk.marks.acceptMark({ instrumentId, price: price(at), asOf, source: "composite", candidate: null }, before?.asOf ?? null);
  }
  return markAt(stage, "A-1", perp, secondsOn);
};

describe("I27 a decision is decided again on its own record", () => {
  test("every change of a call from its opening to its fills, on newest marks that were never stored", async () => {
    const callId = await liquidated();
    const found = await verified(callId);
    expect(outcomes(found)).toEqual(["2 agrees", "3 act", "4 agrees", "5 agrees"]);
    expect(found.chain.valid).toBe(true);
    // The market moves on, the policy has a new version, the account changes: the record does not care.
    await stage.desk.book.putPolicy({ ...policy, version: 2, graceMs: 900_000 });
    await markAt(stage, "A-1", "99", 2_500);
    expect(outcomes(await verified(callId)).slice(0, 4)).toEqual(["2 agrees", "3 act", "4 agrees", "5 agrees"]);
    expect(await accountOfCall(stage.world, callId)).toBe("A-1");
    expect(await accountOfCall(stage.world, "MC-AAAAAAAAAAAA-1")).toBeNull();
  });

  test("at the instant that it was decided, which is not that of its snapshot", async () => {
    stage.clock.set(T0 + 60_000);
    await stage.price("94.5");
    const snapshot = await stage.desk.marks.newest();
    stage.clock.set(T0 + 63_000);
    await decideAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, snapshot);
    expect(outcomes(await verified())).toEqual(["1 unkept", "2 agrees"]);
  });

  test("all of an account, with those that keep versions and hashes only", async () => {
    await facts(deposit(2, "1"));
    await markAt(stage, "A-1", "94.5", 60);
    const found = await verified();
    expect(outcomes(found)).toEqual(["1 unkept", "2 unkept", "3 agrees"]);
    expect(linesOf(found).at(-1)).toBe("2 more changed no call and no level: versions and hashes only");
    const [quiet] = found.envelopes;
    expect(Object.keys(quiet?.envelope?.decision ?? {}).sort()).toEqual(["inputs", "instruments", "policy", "release"]);
  });

  test("R9 an isolated pool's call, under the policy version that it was opened under", async () => {
    const transfer = { kind: "pool_transfer", externalId: "pool-2", sequence: 2, occurredAt: T0 } as const;
    await facts({ ...transfer, instrumentId: "BTC-PERP", amount: money("1000") });
    const { pools } = await markAt(stage, "A-1", "94.5", 60);
    const callId = pools.get("BTC-PERP")?.live?.call.callId ?? "";
    await stage.desk.book.putPolicy({ ...policy, version: 2, graceMs: 900_000 });
    stage.clock.set(T0 + 100_000);
    await markAt(stage, "A-1", "94", 2_400);
    const found = await verified(callId);
    expect(outcomes(found)).toEqual(["3 agrees", "4 agrees"]);
    expect(found.envelopes[1]?.envelope?.decision).toMatchObject({ policiesOfPools: { "ISO#BTC-PERP": { version: 1 } } });
  });

  test("M6, M7 a call under portfolio margin, its liquidation, and a decision after an option's expiry", async () => {
    await putPortfolio();
    await facts({
      ...{ kind: "snapshot", externalId: "A-1-options", sequence: 2, occurredAt: T0, balances: new Map([["USDT", money("2500")]]) },
      positions: [
        { instrumentId: "BTC-PERP", quantity: quantity("100"), entryPrice: price("100") },
        { instrumentId: "BTC-120-C", quantity: quantity("-10"), entryPrice: price("1") },
      ],
    });
    const called = await marksAt("92", 60);
    expect(called.live?.call.boundBy).toMatch(/^BTC: price −16 %/);
    expect((await marksAt("91.9", 2_400)).live?.orders.map(({ instrumentId }) => instrumentId)).toContain("BTC-PERP");
    await marksAt("80", 3_700);
    const found = await verified();
    expect(outcomes(found).slice(-3)).toEqual(["3 agrees", "4 agrees", "5 agrees"]);
    expect(found.chain.valid).toBe(true);
    // A figure of the joint scenarios is an input: another version of them is named.
    const under = { ...underPortfolio, model: { ...MODEL, statistical: { ...JOINT, stress: [{ name: "all", movesPpm: [-510_000] }] } } };
    const other = await verifyAccount(stage.world, "A-1", { callId: called.live?.call.callId, under });
    expect(other?.envelopes[0]?.verdict).toMatchObject({ outcome: "differs", inputs: ["policy"] });
  });

  test("under another policy: the first difference by its place, and which input is another", async () => {
    const callId = await liquidated();
    const under = { ...policy, version: 2, graceMs: 900_000 };
    const found = await verifyAccount(stage.world, "A-1", { callId, under });
    const [opened] = found?.envelopes ?? [];
    expect(opened?.verdict).toEqual({
      outcome: "differs",
      difference: { path: "calls[0].deadlineAt", stored: '"2020-03-12T10:32:10.000Z"', recomputed: '"2020-03-12T10:17:10.000Z"' },
      inputs: ["policy"],
    });
  });

  const tampered: readonly [
    name: string,
    change: (body: Record<string, unknown>) => Record<string, unknown>,
    path: string,
    inputs: string[],
  ][] = [
    ["its level", (body) => ({ ...body, level: "WARNING" }), "level", []],
    [
      "a deadline",
      (body) => ({ ...body, calls: (body["calls"] as object[]).map((call) => ({ ...call, deadlineAt: "2020-03-12T10:40:00.000Z" })) }),
      "calls[0].deadlineAt",
      [],
    ],
    [
      "a mark of the record",
      (body) => ({ ...body, ...withKept(body, { marks: [["BTC-PERP", "94.6", T0 + 60_000, "composite", null]] }) }),
      "events[0].figures.equity",
      ["marks"],
    ],
    [
      "the cash of the account before",
      (body) => {
        const { kept } = body["decision"] as { kept: { account: object } };
        return { ...body, ...withKept(body, { account: { ...kept.account, cash: { S: "USDT:1001" } } }) };
      },
      "events[0].figures.equity",
      ["account"],
    ],
  ];
  test.each(tampered)(
    "I21 %s was changed, with a hash that fits: the chain and the recomputation both say so",
    async (_, change, path, inputs) => {
      const callId = await liquidated();
      await rewrite(2, change);
      const found = await verified(callId);
      expect(found.chain).toMatchObject({ valid: false, seq: 3 });
      expect(found.envelopes[0]?.verdict).toMatchObject({ outcome: "differs", difference: { path }, inputs });
      expect(linesOf(found)[1]).toContain(`DIFFERS at ${path}: stored `);
      expect(found.envelopes.filter(isFault)).toHaveLength(1);
    },
  );

  test("terms that were changed under their version are named as the input", async () => {
    const callId = await liquidated();
    const key = { pk: { S: "INSTRUMENT#BTC-PERP" }, sk: { S: "v1" } };
    const { Item: row } = await stage.world.db.get({ TableName: stage.world.settings.marksTable, Key: key });
    const body = (row?.["body"]?.S ?? "").replace('"liquidationFeePpm":500', '"liquidationFeePpm":501');
    await stage.world.db.put({ TableName: stage.world.settings.marksTable, Item: { ...row, body: { S: body } } });
    expect((await verified(callId)).envelopes[0]?.verdict).toMatchObject({ outcome: "differs", inputs: ["instruments"] });
    await stage.world.db.put({ TableName: stage.world.settings.marksTable, Item: { ...row, body: { S: "{" } } });
    expect((await verified(callId)).envelopes[0]?.verdict).toMatchObject({ outcome: "failed", fault: "no JSON in body" });
  });

  test("an envelope from before the record is named, not failed; so is one whose marks are kept no longer", async () => {
    const callId = await liquidated();
    await rewrite(2, ({ decision: _, ...body }) => body);
    await rewrite(4, (body) => ({ ...body, ...withKept(body, { marks: undefined }) }));
    const { envelopes } = await verified(callId);
    expect(envelopes.map(({ verdict }) => verdict.outcome)).toEqual(["unrecorded", "act", "unkept", "agrees"]);
    expect(envelopes.filter(isFault)).toEqual([]);
    expect(envelopes[2]?.verdict).toMatchObject({ why: expect.stringMatching(/^the marks of NEWEST#\d+ are kept no longer$/) });
  });
});

test.each([
  [{ a: 1 }, { a: 1 }, null],
  [{ a: [1, { b: "x" }] }, { a: [1, { b: "y" }] }, { path: "a[1].b", stored: '"x"', recomputed: '"y"' }],
  [{ a: 1, z: 1 }, { z: 2 }, { path: "a", stored: "1", recomputed: "nothing" }],
  [{ a: [1] }, { a: [1, 2] }, { path: "a[1]", stored: "nothing", recomputed: "2" }],
  [{ a: [] }, { a: {} }, { path: "a", stored: "[]", recomputed: "{}" }],
  [{ a: null }, { a: {} }, { path: "a", stored: "null", recomputed: "{}" }],
  [1, 2, { path: "(whole)", stored: "1", recomputed: "2" }],
])("the first difference of %j and %j", (stored, recomputed, difference) =>
  expect(firstDifference(stored, recomputed)).toEqual(difference),
);
