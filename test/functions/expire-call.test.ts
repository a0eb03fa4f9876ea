import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import type { Mode } from "../../core/mode.ts";
import { money } from "../../core/money.ts";
import { expireCall } from "../../functions/expire-call.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, markAt, NONE_FAILED, openAccount, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

/** The deadline of a call that is opened 10 s after T0, and the first instant that is past it on every clock. */
const DEADLINE_S = 1_880;
const PAST_S = DEADLINE_S + 10;

let tables: TestTables;
let stage: Stage;
let serial = 0;
let accountId = "";
let callId = "";
afterEach(() => tables.stop());

const begin = async (mode: Mode = "enforce"): Promise<void> => {
  serial += 1;
  accountId = `expiring-${serial}`;
  tables = await startTables();
  stage = stageOn(tables, { mode });
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, accountId);
  callId = (await markAt(stage, accountId, "94.5", 10)).live?.call.callId ?? "";
};
beforeEach(() => begin());

const fire = (over: object = {}) =>
  expireCall(stage.world)(batch(record({ schemaVersion: 1, accountId, callId, deadlineVersion: 1, ...over })));
const at = async (secondsOn: number, price: string | null): Promise<void> => {
  stage.clock.set(T0 + secondsOn * 1_000);
  if (price !== null) await stage.price(price);
};
const statuses = async () => (await stage.desk.book.calls(accountId)).map(({ status }) => status);

describe("R10 R14 at the deadline", () => {
  test("R14 unmet: liquidating with its orders in one transaction, marked on the newest price", async () => {
    await at(PAST_S, "94.4");
    await expect(fire()).resolves.toEqual(NONE_FAILED);
    const account = await stage.load(accountId);
    expect(account.live?.call).toMatchObject({ status: "LIQUIDATING", liquidationReason: "deadline" });
    expect(account.live?.orders.map(({ status }) => status)).toEqual(["PENDING"]);
    expect((await stage.eventsOf(accountId)).slice(-2).map(({ type }) => type)).toEqual(["margin_call.expired", "liquidation.started"]);
  });

  test("R10 cured: back at the call level on the newest price is met", async () => {
    await at(PAST_S, "96.5");
    await fire();
    expect(await statuses()).toEqual(["MET"]);
  });

  test("N12 S50 a deposit that was credited first wins", async () => {
    await at(DEADLINE_S - 1, "94.5");
    const fact = {
      kind: "deposit",
      externalId: `${accountId}-pay`,
      sequence: 2,
      occurredAt: T0,
      asset: "USDT",
      amount: money("495"),
    } as const;
    await applyFeed(stage.desk, [{ schemaVersion: 1, accountId, entries: [fact] }], await stage.desk.marks.newest());
    await at(PAST_S, "94.5");
    await fire();
    expect(await statuses()).toEqual(["MET"]);
    expect(stage.counted("timer_without_call")).toBe(1);
  });

  test("R28 notify: overdue and told, but no orders", async () => {
    await tables.stop();
    await begin("notify");
    await at(PAST_S, "94.4");
    await fire();
    const account = await stage.load(accountId);
    expect(account.live?.call.status).toBe("OPEN");
    expect(account.live?.call.overdueAt).not.toBeNull();
    expect(account.live?.orders).toEqual([]);
    expect((await stage.eventsOf(accountId)).at(-1)?.type).toBe("margin_call.expired");
  });

  test("R3 I07 on stale prices it liquidates nothing that a good price would not", async () => {
    await at(PAST_S, null);
    await fire();
    const account = await stage.load(accountId);
    expect(account.live?.orders).toEqual([]);
    expect(await statuses()).toEqual(["OPEN"]);
  });
});

describe("S38 timers", () => {
  test.each([
    ["ten minutes early", PAST_S - 600],
    ["at the deadline", DEADLINE_S],
    ["within the skew", PAST_S - 0.001],
  ])("S38 I04 %s: nothing is decided, and the timer is let go", async (_, secondsOn) => {
    await at(secondsOn, "94.4");
    await expect(fire()).resolves.toEqual(NONE_FAILED);
    expect(await statuses()).toEqual(["OPEN"]);
    expect(stage.counted("timer_early")).toBe(1);
  });

  test("S38 I09 twice, at once or later: one liquidation", async () => {
    await at(PAST_S, "94.4");
    await Promise.all([fire(), fire()]);
    stage.clock.set(T0 + (PAST_S + 59) * 1_000);
    await fire();
    expect(await stage.desk.book.orders(accountId)).toHaveLength(1);
    expect((await stage.eventsOf(accountId)).filter(({ type }) => type === "liquidation.started")).toHaveLength(1);
  });

  test("S38 after the call ended, of another call, of no account", async () => {
    await markAt(stage, accountId, "100.5", 20);
    await markAt(stage, accountId, "100.5", 81);
    const { version } = await stage.load(accountId);
    await at(PAST_S, "90");
    await expect(fire()).resolves.toEqual(NONE_FAILED);
    await expect(fire({ callId: "MC-AAAAAAAAAAAA-9" })).resolves.toEqual(NONE_FAILED);
    await expect(fire({ accountId: "nobody" })).resolves.toEqual(NONE_FAILED);
    expect((await stage.load(accountId)).version).toBe(version);
    expect(stage.counted("timer_without_call")).toBe(3);
  });

  test("R12 the timer of an older version finds the deadline that was moved later", async () => {
    const { acceptNotice } = await import("../../core/commands.ts");
    const { changeAccount } = await import("../../adapters/decide-account.ts");
    stage.clock.set(T0 + 400_000);
    await changeAccount(stage.desk, { accountId, causedBy: "test" }, ({ account, policy, now }) => {
      const change = acceptNotice(account, policy, { callId, acceptedAt: now }, now);
      return change === null ? null : { change, snapshotId: null };
    });
    await at(PAST_S, "94.4");
    await fire();
    expect(await statuses()).toEqual(["OPEN"]);
  });

  test("S42 S43 a poison message goes back alone", async () => {
    await at(PAST_S, "94.4");
    const bad = POISON.map(([, body]) => record(body));
    const good = record({ schemaVersion: 1, accountId, callId, deadlineVersion: 1 });
    await expect(expireCall(stage.world)(batch(...bad, good))).resolves.toEqual({
      batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })),
    });
    expect(await statuses()).toEqual(["LIQUIDATING"]);
  });
});
