import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import { decideAccount } from "../../adapters/decide-account.ts";
import { dispatchOrders } from "../../adapters/dispatch-orders.ts";
import { verifyChain } from "../../adapters/dynamodb/envelope.ts";
import { createJournal } from "../../adapters/dynamodb/journal.ts";
import type { Fact } from "../../core/ledger.ts";
import { money, price, quantity } from "../../core/money.ts";
import { armDeadline } from "../../functions/arm-deadline.ts";
import { expireCall } from "../../functions/expire-call.ts";
import { sweepOverdue } from "../../functions/sweep-overdue.ts";
import { instrument } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, NONE_FAILED, putTerms, record, remaining, type Stage, stageOn, T0 } from "./stage.ts";

const ACCOUNT = "pooled";
/** Calls that are opened at T0 + 10 s: deadline, and the first instant that is past it on every clock. */
const PAST_S = 1_890;

let tables: TestTables;
let stage: Stage;
afterEach(() => tables.stop());

const ethAt = async (text: string): Promise<void> => {
  const before = await stage.desk.marks.mark("ETH-PERP");
  const asOf = Math.max(stage.clock.now(), (before?.asOf ?? 0) + 1);
  const next = { instrumentId: "ETH-PERP", price: price(text), asOf, source: "composite", candidate: null };
  await stage.desk.marks.acceptMark(next, before?.asOf ?? null);
};
const at = async (secondsOn: number, btc: string, eth: string): Promise<void> => {
  stage.clock.set(T0 + secondsOn * 1_000);
  await stage.price(btc);
  await ethAt(eth);
};
const tell = async (...entries: readonly Fact[]): Promise<void> => {
  const account = { brokerId: "B1", clientClass: "retail", policyId: "standard" };
  await applyFeed(stage.desk, [{ schemaVersion: 1, accountId: ACCOUNT, account, entries: [...entries] }], await stage.desk.marks.newest());
};
const decide = async (): Promise<void> => {
  await decideAccount(stage.desk, { accountId: ACCOUNT, causedBy: "test" }, await stage.desk.marks.newest());
};
const held = (instrumentId: string) => ({ instrumentId, quantity: quantity("100"), entryPrice: price("100") });
const callIn = async (scope: "CROSS" | "ISO#BTC-PERP"): Promise<string> => (await stage.load(ACCOUNT)).openCalls[scope] ?? "none";
const statuses = async () => (await stage.desk.book.calls(ACCOUNT)).map(({ scope, status }) => `${scope} ${status}`);

/** CROSS: 2,000 and 100 ETH-PERP long at 100. The pool: 1,000 and 100 BTC-PERP long at 100. */
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.desk.marks.putInstrument({ ...instrument, instrumentId: "ETH-PERP" });
  await at(0, "100", "100");
  await tell(
    {
      ...{ kind: "snapshot", externalId: "open", sequence: 1, occurredAt: T0, balances: new Map([["USDT", money("3000")]]) },
      positions: [held("BTC-PERP"), held("ETH-PERP")],
    },
    { kind: "pool_transfer", externalId: "isolate", sequence: 2, occurredAt: T0, instrumentId: "BTC-PERP", amount: money("1000") },
  );
});

const bothCalled = async (): Promise<void> => {
  await at(10, "94.5", "84.4");
  await decide();
};

describe("R9 pools through the pipeline", () => {
  test("R9 I20 stored and read again: pool, call, order and journal in one transaction each", async () => {
    await bothCalled();
    const account = await stage.load(ACCOUNT);
    expect(account.openCalls).toEqual({ CROSS: `MC-${account.key}-1`, "ISO#BTC-PERP": `MC-${account.key}-2` });
    expect(account.pools.get("BTC-PERP")).toMatchObject({ cash: money("1000"), position: held("BTC-PERP"), level: "CALL" });
    expect(account.pools.get("BTC-PERP")?.live?.call).toEqual((await stage.desk.book.calls(ACCOUNT))[1]);
    const issued = (await stage.eventsOf(ACCOUNT)).filter(({ type }) => type === "margin_call.issued");
    expect(issued.map(({ scope, call }) => [scope, call?.scope])).toEqual([
      [undefined, "CROSS"],
      ["ISO#BTC-PERP", "ISO#BTC-PERP"],
    ]);
    expect(verifyChain(await createJournal(stage.world).rows(ACCOUNT), account.headHash)).toEqual({ valid: true, head: account.headHash });
  });

  test("R9 R14 a pool's deadline liquidates it, while cross's call stays as it is", async () => {
    await at(10, "94.5", "100");
    await decide();
    await at(600, "94.5", "84.4");
    await decide();
    const pool = await callIn("ISO#BTC-PERP");
    const cross = (await stage.load(ACCOUNT)).live;
    expect(cross?.call).toMatchObject({ scope: "CROSS", status: "OPEN" });
    await at(PAST_S, "94.4", "84.4");
    const body = { schemaVersion: 1, accountId: ACCOUNT, callId: pool, deadlineVersion: 1 };
    await expect(expireCall(stage.world)(batch(record(body)))).resolves.toEqual(NONE_FAILED);
    expect(stage.counted("timer_without_call")).toBe(0);
    const account = await stage.load(ACCOUNT);
    expect(account.pools.get("BTC-PERP")?.live?.call).toMatchObject({ status: "LIQUIDATING", liquidationReason: "deadline" });
    expect((await stage.desk.book.orders(ACCOUNT)).map(({ callId, instrumentId }) => [callId, instrumentId])).toEqual([[pool, "BTC-PERP"]]);
    expect(account.live).toEqual(cross);
    await dispatchOrders(stage.desk, ACCOUNT, await stage.desk.marks.newest());
    expect(stage.queued("venue")).toMatchObject([{ callId: pool, instrumentId: "BTC-PERP", reduceOnly: true }]);
    expect((await stage.load(ACCOUNT)).pools.get("BTC-PERP")?.live?.orders[0]?.status).toBe("SENT");
  });

  test("R9 R10 a deposit meets nothing of a pool's call; the transfer into it does", async () => {
    await at(10, "94.5", "100");
    await decide();
    await tell({ kind: "deposit", externalId: "paid", sequence: 3, occurredAt: T0, asset: "USDT", amount: money("5000") });
    expect(await statuses()).toEqual(["ISO#BTC-PERP OPEN"]);
    const amount = (await stage.load(ACCOUNT)).pools.get("BTC-PERP")?.live?.call.amountDue ?? money("0");
    await tell({ kind: "pool_transfer", externalId: "moved", sequence: 4, occurredAt: T0, instrumentId: "BTC-PERP", amount });
    expect(await statuses()).toEqual(["ISO#BTC-PERP MET"]);
  });

  test("L12 the sweep of overdue calls finds a pool's call without any timer", async () => {
    await at(10, "94.5", "100");
    await decide();
    await at(PAST_S, "94.4", "100");
    await sweepOverdue(stage.world)({}, remaining());
    expect(await statuses()).toEqual(["ISO#BTC-PERP LIQUIDATING"]);
    expect(stage.queued("venue")).toHaveLength(1);
  });

  test("R12 a pool's deadline is armed, and its notice counts for its own clock", async () => {
    await bothCalled();
    const pool = await callIn("ISO#BTC-PERP");
    const [event] = (await stage.eventsOf(ACCOUNT)).filter(({ call }) => call?.callId === pool);
    await armDeadline(stage.world)(batch(record(event)));
    expect(stage.timers.map(({ name }) => name)).toEqual([`${pool}-1`]);
    const acceptedAt = new Date(T0 + 12_000).toISOString();
    await armDeadline(stage.world)(
      batch(record({ schemaVersion: 1, kind: "notice_accepted", accountId: ACCOUNT, callId: pool, acceptedAt })),
    );
    const account = await stage.load(ACCOUNT);
    expect(account.pools.get("BTC-PERP")?.live?.call.noticeAcceptedAt).toBe(T0 + 12_000);
    expect(account.live?.call.noticeAcceptedAt).toBeNull();
  });
});
