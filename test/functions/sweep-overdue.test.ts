import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { applyChange, policyChange } from "../../adapters/change-terms.ts";
import { changeAccount } from "../../adapters/decide-account.ts";
import { shardOf } from "../../adapters/dynamodb/keys.ts";
import { markOrdersSent } from "../../core/commands.ts";
import { money } from "../../core/money.ts";
import { sweepOverdue } from "../../functions/sweep-overdue.ts";
import { policy } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, putTerms, remaining, type Stage, stageOn, T0 } from "./stage.ts";

/** The first instant that is past the deadline of a call opened 10 s after T0, on every clock. */
const PAST_S = 1_890;

let tables: TestTables;
let stage: Stage;
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
});
afterEach(() => tables.stop());

const sweep = (remainingMs?: number) => sweepOverdue(stage.world)({}, remaining(remainingMs));
const at = async (secondsOn: number, price: string): Promise<void> => {
  stage.clock.set(T0 + secondsOn * 1_000);
  await stage.price(price);
};
const statusOf = async (accountId: string) => (await stage.desk.book.calls(accountId)).map(({ status }) => status);

describe("L12 the sweep alone is enough", () => {
  test("L12 L05 a call whose timer never came is liquidated, and its orders leave in the same run", async () => {
    await openAccount(stage, "late");
    await markAt(stage, "late", "94.5", 10);
    await at(PAST_S, "94.4");
    await sweep();
    expect(await statusOf("late")).toEqual(["LIQUIDATING"]);
    expect((await stage.desk.book.orders("late")).map(({ status }) => status)).toEqual(["SENT"]);
    expect(stage.sent.map(({ queue }) => queue)).toEqual(["venue"]);
  });

  test("R10 a call that was cured is met", async () => {
    await openAccount(stage, "cured");
    await markAt(stage, "cured", "94.5", 10);
    await at(PAST_S, "97");
    await sweep();
    expect(await statusOf("cured")).toEqual(["MET"]);
  });

  test("R12 I04 a deadline that is not past on every clock is left alone", async () => {
    await openAccount(stage, "early");
    await markAt(stage, "early", "94.5", 10);
    await at(PAST_S - 1, "94.4");
    await sweep();
    expect(await statusOf("early")).toEqual(["OPEN"]);
    expect(stage.counted("overdue_accounts")).toBe(0);
  });

  test("R14 orders that a stale price held back leave with the next good one", async () => {
    await openAccount(stage, "held");
    await markAt(stage, "held", "90.2", 10);
    stage.clock.set(T0 + 100_000);
    await sweep();
    expect(stage.sent).toEqual([]);
    await at(110, "90.1");
    await sweep();
    expect((await stage.desk.book.orders("held")).map(({ status }) => status)).toEqual(["SENT"]);
    expect(stage.sent).toHaveLength(1);
  });

  test("S35 an order that was marked and never left is sent again, under its own id", async () => {
    await openAccount(stage, "lost");
    await markAt(stage, "lost", "90.2", 10);
    await changeAccount(stage.desk, { accountId: "lost", causedBy: "test" }, ({ account, now }) => {
      const ids = account.live?.orders.map(({ orderId }) => orderId) ?? [];
      const change = markOrdersSent(account, ids, now);
      return change === null ? null : { change, snapshotId: null };
    });
    await at(60, "90.1");
    await sweep();
    const [order] = await stage.desk.book.orders("lost");
    expect(stage.sent).toMatchObject([{ queue: "venue", dedupId: order?.orderId }]);
    expect(stage.counted("orders_unanswered")).toBe(1);
  });

  test("R3 a call that waits for a good mark becomes overdue when its wait is over", async () => {
    await openAccount(stage, "blind");
    stage.clock.set(T0 + 70_000);
    const snapshot = await stage.desk.marks.newest();
    const { decideAccount } = await import("../../adapters/decide-account.ts");
    await decideAccount(stage.desk, { accountId: "blind", causedBy: "test" }, snapshot);
    const opened = (await stage.load("blind")).live?.call;
    expect(opened).toMatchObject({ onBadMarks: true, deadlineAt: null });
    stage.clock.set(T0 + 680_000);
    await sweep();
    expect((await stage.load("blind")).live?.call.overdueAt).not.toBeNull();
    expect(stage.sent).toEqual([]);
  });
});

describe("S18 S19 terms that wait for their instant", () => {
  /** The present policy with a longer grace, from 90 s on. */
  const propose = () =>
    applyChange(
      policyChange(stage.world, "standard", (version) => ({ ...policy, version, graceMs: 3_600_000 })),
      { by: "ada", called: 0, closedOut: 0, effectiveAt: T0 + 90_000 },
    );
  const graceNow = async () => (await stageOn(tables).desk.book.policy("standard")).graceMs;

  test("become a version in the first minute after it", async () => {
    await propose();
    await at(60, "100");
    await sweep();
    expect(await graceNow()).toBe(1_800_000);
    await at(120, "100");
    await sweep();
    expect(await graceNow()).toBe(3_600_000);
  });

  test("wait for the next minute where this one has no time left, and are told of", async () => {
    await propose();
    await at(120, "100");
    await sweep(24_999);
    expect([await graceNow(), stage.counted("pending_change_held")]).toEqual([1_800_000, 1]);
  });

  test("are judged though an account's fault ends the run", async () => {
    await openAccount(stage, "late");
    await markAt(stage, "late", "94.5", 10);
    await propose();
    await at(PAST_S, "94.4");
    stage.replies.send = () => Promise.reject(new Error("the queue is away"));
    await expect(sweep()).rejects.toThrow("the queue is away");
    expect(await graceNow()).toBe(3_600_000);
  });
});

describe("S40 many at once", () => {
  test("S40 the worst first, and what the time does not suffice for is counted and next minute's", async () => {
    for (const [accountId, cash] of [
      ["mild", "1000"],
      ["worst", "990"],
      ["middle", "995"],
    ] as const) {
      await openAccount(stage, accountId, { balances: new Map([["USDT", money(cash)]]) });
      await markAt(stage, accountId, "94.5", 10);
    }
    await at(PAST_S + 1, "94.4");
    let calls = 0;
    await sweepOverdue({ ...stage.world })({}, { getRemainingTimeInMillis: () => (calls++ === 0 ? 60_000 : 1_000) });
    const statuses = await Promise.all(["worst", "middle", "mild"].map(statusOf));
    expect(statuses).toEqual([["LIQUIDATING"], ["OPEN"], ["OPEN"]]);
    expect(stage.counted("overdue_left")).toBe(2);
    await sweep();
    expect(await Promise.all(["worst", "middle", "mild"].map(statusOf))).toEqual([["LIQUIDATING"], ["LIQUIDATING"], ["LIQUIDATING"]]);
  });

  test("S38 nothing overdue: nothing is read beyond the indexes, nothing is written", async () => {
    await openAccount(stage, "calm");
    await sweep();
    expect((await stage.load("calm")).version).toBe(1);
    expect(stage.counted("overdue_accounts")).toBe(0);
  });

  test("an account whose rows do not read stops itself and no other", async () => {
    for (const accountId of ["torn", "fine"]) {
      await openAccount(stage, accountId);
      await markAt(stage, accountId, "94.5", 10);
    }
    const Key = { pk: { S: `SHARD#${shardOf("torn", 16).toString().padStart(3, "0")}` }, sk: { S: "ACC#torn" } };
    const { Item } = await stage.world.db.get({ TableName: tables.names.bookTable, Key });
    await tables.db.put({ TableName: tables.names.bookTable, Item: { ...Item, schema: { N: "9" } } as never });
    await at(PAST_S, "94.4");
    await expect(sweep()).resolves.toBeUndefined();
    expect(await statusOf("fine")).toEqual(["LIQUIDATING"]);
    expect(stage.counted("undecided_account")).toBe(1);
  });

  test("a fault of the world fails the run after every account had its turn", async () => {
    for (const accountId of ["one", "two"]) {
      await openAccount(stage, accountId);
      await markAt(stage, accountId, "94.5", 10);
    }
    await at(PAST_S, "94.4");
    stage.replies.send = () => Promise.reject(new Error("the venue's queue is away"));
    await expect(sweep()).rejects.toThrow("away");
    expect(await Promise.all(["one", "two"].map(statusOf))).toEqual([["LIQUIDATING"], ["LIQUIDATING"]]);
  });
});
