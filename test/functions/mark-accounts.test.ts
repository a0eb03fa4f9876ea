import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { changeAccount } from "../../adapters/decide-account.ts";
import { encodeAccount } from "../../adapters/dynamodb/account-codec.ts";
import type { ShardGroup } from "../../adapters/wire/sweep.ts";
import type { MarginAccount } from "../../core/account.ts";
import { acceptNotice } from "../../core/commands.ts";
import type { Mode } from "../../core/mode.ts";
import { money } from "../../core/money.ts";
import { markAccounts } from "../../functions/mark-accounts.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, NONE_FAILED, one, openAccount, POISON, putTerms, record, remaining, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;

const begin = async (mode: Mode = "enforce"): Promise<void> => {
  tables = await startTables();
  stage = stageOn(tables, { mode, settings: { shards: 1, shardsPerGroup: 1 } });
  await putTerms(stage);
  await stage.price("100");
};
beforeEach(() => begin());
afterEach(() => tables.stop());

/** Starts a sweep on a new price. @returns the message of its one group. */
const sweepAt = async (price: string, secondsOn: number): Promise<ShardGroup> => {
  stage.clock.set(T0 + secondsOn * 1_000);
  await stage.price(price);
  const start = await stage.desk.marks.startSweep(stage.clock.now(), 1);
  if (start.outcome !== "started") throw new Error(start.outcome);
  return { schemaVersion: 1, snapshotId: start.snapshot.snapshotId, group: 0, shards: [0], cursor: null, hops: 0 };
};
const mark = (group: unknown, remainingMs?: number) => markAccounts(stage.world)(one(group), remaining(remainingMs));

describe("R1 R8 marking accounts", () => {
  test("R1 an account under its call level gets its call, priced off the sweep's snapshot; one that is quiet is not written", async () => {
    await openAccount(stage, "deep");
    await openAccount(stage, "quiet", { balances: new Map([["USDT", money("9000")]]) });
    const group = await sweepAt("94.5", 10);
    await expect(mark(group)).resolves.toEqual(NONE_FAILED);
    const deep = await stage.load("deep");
    expect(deep.live?.call).toMatchObject({ status: "OPEN", snapshotId: group.snapshotId });
    // IM 945, equity 1,000 − 550 = 450: 495 to return to x = 1.
    expect(deep.live?.call.amountDue).toBe(money("495"));
    expect((await stage.eventsOf("deep")).map(({ type }) => type)).toEqual(["account.level_changed", "margin_call.issued"]);
    expect((await stage.load("quiet")).version).toBe(1);
    expect(await stage.desk.marks.sweepState()).toMatchObject({ current: { snapshotId: group.snapshotId } });
    expect(stage.sent).toEqual([]);
  });

  test("R12 the call is issued at the clock before the write plus the write's budget, not at the start of the sweep", async () => {
    await openAccount(stage, "late");
    const group = await sweepAt("94.5", 10);
    stage.clock.set(T0 + 25_000);
    await mark(group);
    expect((await stage.load("late")).live?.call.issuedAt).toBe(T0 + 35_000);
  });

  test("R1 R8 below the maintenance requirement the call is born liquidating, with its orders, in one transaction", async () => {
    await openAccount(stage, "lost");
    await mark(await sweepAt("90.2", 10));
    const lost = await stage.load("lost");
    expect(lost.live?.call).toMatchObject({ status: "LIQUIDATING", liquidationReason: "closeOut" });
    expect(lost.live?.orders.length).toBeGreaterThan(0);
    expect(lost.version).toBe(2);
    expect((await stage.eventsOf("lost")).map(({ type }) => type)).toEqual(["liquidation.started"]);
  });

  test("R10 a live call is read with its rows and met when the market holds for 60 s", async () => {
    await openAccount(stage, "back");
    await mark(await sweepAt("94.5", 10));
    await mark(await sweepAt("100.5", 20));
    expect((await stage.load("back")).live?.call.status).toBe("OPEN");
    await mark(await sweepAt("100.5", 81));
    expect((await stage.load("back")).live).toBeNull();
    expect((await stage.desk.book.calls("back")).map(({ status, metBy }) => [status, metBy])).toEqual([["MET", "market"]]);
  });

  test("I01 S36 a group that is delivered twice, or to two workers at once, opens one call", async () => {
    await openAccount(stage, "twice");
    const group = await sweepAt("94.5", 10);
    await Promise.all([mark(group), mark(group)]);
    await mark(group);
    expect(await stage.desk.book.calls("twice")).toHaveLength(1);
    expect(await stage.journalOf("twice")).toHaveLength(2);
  });

  test.each([
    ["observe", false],
    ["notify", true],
    ["enforce", true],
  ] as const)("R28 %s: decided and journalled, told: %s", async (mode, told) => {
    await tables.stop();
    await begin(mode);
    await openAccount(stage, "mode");
    await mark(await sweepAt("94.5", 10));
    expect((await stage.load("mode")).live?.call.status).toBe("OPEN");
    const rows = await stage.journalOf("mode");
    expect(rows.at(-1)?.["publish"]).toEqual({ BOOL: told });
  });
});

describe("R12 a notice that no channel accepts", () => {
  const untold = () => stage.log.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields);

  test("R12 is counted and named with each sweep past the policy's wait, until one accepts", async () => {
    await openAccount(stage, "untold");
    await mark(await sweepAt("94.5", 10));
    // Issued at 20 s, the write's budget after the decision; the wait is 120 s.
    await mark(await sweepAt("94.5", 140));
    expect(stage.counted("notice_unaccepted")).toBe(0);
    await mark(await sweepAt("94.5", 146));
    expect(stage.counted("notice_unaccepted")).toBe(1);
    const callId = (await stage.load("untold")).live?.call.callId ?? "";
    expect(untold()).toEqual([{ callId, accountId: "untold" }]);
    await changeAccount(stage.desk, { accountId: "untold", causedBy: "test" }, ({ account, policy, now }) => {
      const change = acceptNotice(account, policy, { callId, acceptedAt: now }, now);
      return change === null ? null : { change, snapshotId: null };
    });
    await mark(await sweepAt("94.5", 200));
    expect(stage.counted("notice_unaccepted")).toBe(1);
  });

  test("R12 R28 in observe no notice was sent, and none is missed", async () => {
    await tables.stop();
    await begin("observe");
    await openAccount(stage, "silent");
    await mark(await sweepAt("94.5", 10));
    await mark(await sweepAt("94.5", 600));
    expect((await stage.load("silent")).live?.call.status).toBe("OPEN");
    expect(stage.counted("notice_unaccepted")).toBe(0);
  });
});

describe("one bad account", () => {
  test("a row that does not read, and a policy that does not exist, stop their accounts and no other", async () => {
    await openAccount(stage, "good");
    await openAccount(stage, "lawless");
    const lawless = await stage.load("lawless");
    await overwrite({ ...lawless, policyId: "nowhere" });
    const broken = { pk: { S: "SHARD#000" }, sk: { S: "ACC#broken" }, schema: { N: "7" } };
    await tables.db.put({ TableName: tables.names.bookTable, Item: broken });
    await expect(mark(await sweepAt("94.5", 10))).resolves.toEqual(NONE_FAILED);
    expect((await stage.load("good")).live?.call.status).toBe("OPEN");
    expect((await stage.load("lawless")).version).toBe(lawless.version);
    const named = stage.log.lines.filter(({ level }) => level === "error").map(({ fields }) => (fields as { accountId: string }).accountId);
    expect(new Set(named)).toEqual(new Set(["broken", "lawless"]));
    expect(stage.counted("undecided_account")).toBeGreaterThanOrEqual(2);
    expect((await stage.desk.marks.sweepState()).current).not.toBeNull();
  });

  test("an open call that its row does not hold stops its account and no other", async () => {
    await openAccount(stage, "good");
    await openAccount(stage, "torn");
    await overwrite({ ...(await stage.load("torn")), openCalls: { CROSS: "MC-AAAAAAAAAAAA-1" } });
    await expect(mark(await sweepAt("94.5", 10))).resolves.toEqual(NONE_FAILED);
    expect((await stage.load("good")).live?.call.status).toBe("OPEN");
    expect(stage.counted("undecided_account")).toBe(1);
  });

  test("a debt that the policy has no terms for stops its account and no other", async () => {
    await openAccount(stage, "good");
    await openAccount(stage, "owing");
    const owing = await stage.load("owing");
    await overwrite({ ...owing, balances: new Map([["DOGE", money("-1")], ...owing.balances]) });
    await expect(mark(await sweepAt("94.5", 10))).resolves.toEqual(NONE_FAILED);
    expect((await stage.load("good")).live?.call.status).toBe("OPEN");
    expect(stage.counted("undecided_account")).toBe(1);
  });

  test("S30 a fault of the table is no fault of an account: the group goes back, and is not reported done", async () => {
    await openAccount(stage, "later");
    const group = await sweepAt("94.5", 10);
    const { db } = stage.world;
    const down = {
      ...stage.world,
      db: { ...db, transactWrite: () => Promise.reject(Object.assign(new Error("down"), { name: "InternalServerError" })) },
    };
    const message = record(group);
    const reply = await markAccounts(down)(batch(message), remaining());
    expect(reply).toEqual({ batchItemFailures: [{ itemIdentifier: message.messageId }] });
    expect((await stage.desk.marks.sweepState()).current).toBeNull();
    await mark(group);
    expect((await stage.load("later")).live?.call.status).toBe("OPEN");
  });

  const overwrite = async (account: MarginAccount): Promise<void> => {
    const Item = encodeAccount(account, account.headHash, 1);
    await tables.db.put({ TableName: tables.names.bookTable, Item });
  };
});

describe("the sweep goes on", () => {
  test("with little time left the rest goes into a new message, which ends the group", async () => {
    await openAccount(stage, "next");
    const group = await sweepAt("94.5", 10);
    await mark(group, 5_000);
    expect((await stage.load("next")).live).toBeNull();
    expect((await stage.desk.marks.sweepState()).current).toBeNull();
    const [rest] = stage.queued("shards");
    expect(rest).toEqual({ ...group, cursor: { shard: 0, key: "" }, hops: 1 });
    await mark(rest);
    expect((await stage.load("next")).live?.call.status).toBe("OPEN");
    expect((await stage.desk.marks.sweepState()).current).not.toBeNull();
  });

  test("a cursor goes on behind the account that it names, and the shards before it are not marked again", async () => {
    for (const accountId of ["aa", "bb", "cc"]) await openAccount(stage, accountId);
    const group = await sweepAt("94.5", 10);
    await mark({ ...group, shards: [3, 0], cursor: { shard: 0, key: "ACC#aa" }, hops: 4 });
    const called = await Promise.all(["aa", "bb", "cc"].map(async (accountId) => (await stage.load(accountId)).live !== null));
    expect(called).toEqual([false, true, true]);
  });

  test("a message that went round too often is parked", async () => {
    const group = await sweepAt("94.5", 10);
    const reply = await mark({ ...group, hops: 1_001 });
    expect(reply.batchItemFailures).toHaveLength(1);
  });

  test("R18 a mark that moved meanwhile starts the next sweep when this one is CURRENT", async () => {
    const group = await sweepAt("94.5", 10);
    await stage.desk.marks.wantSweep();
    await mark(group);
    expect(stage.queued("sweep")).toEqual([{ schemaVersion: 1, reason: "done" }]);
  });

  test("a message of a timed-out sweep is priced off the newest marks, never dropped", async () => {
    await openAccount(stage, "slow");
    const group = await sweepAt("94.5", 10);
    stage.clock.set(T0 + 100_000);
    await stage.price("99");
    await mark(group);
    expect((await stage.load("slow")).live).toBeNull();
    expect((await stage.load("slow")).version).toBe(1);
  });

  test.each(POISON)("S43 %s goes back", async (_, body) => {
    const reply = await markAccounts(stage.world)(batch(record(body)), remaining());
    expect(reply.batchItemFailures).toHaveLength(1);
  });
});
