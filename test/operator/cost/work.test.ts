import "../../functions/environment.ts";

import type { DynamoDBStreamEvent, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createOutbound } from "../../../adapters/dynamodb/outbound.ts";
import type { EventMessage } from "../../../adapters/wire/events.ts";
import { encodeFeed } from "../../../adapters/wire/feed.ts";
import { encodeMarks } from "../../../adapters/wire/marks.ts";
import type { Fact } from "../../../core/ledger.ts";
import { decimal, money, price, quantity } from "../../../core/money.ts";
import { acceptMarks } from "../../../functions/accept-marks.ts";
import { applyBookFeed } from "../../../functions/apply-book-feed.ts";
import { armDeadline } from "../../../functions/arm-deadline.ts";
import { deliverWebhook } from "../../../functions/deliver-webhook.ts";
import { dispatchOrders } from "../../../functions/dispatch-orders.ts";
import { expireCall } from "../../../functions/expire-call.ts";
import { markAccounts } from "../../../functions/mark-accounts.ts";
import { publishEvents } from "../../../functions/publish-events.ts";
import { sendEmail } from "../../../functions/send-email.ts";
import { startSweep } from "../../../functions/start-sweep.ts";
import { sweepOverdue } from "../../../functions/sweep-overdue.ts";
import { EMAIL_TYPES, ORDER_TYPES, TIMER_TYPES } from "../../../lib/flow.ts";
import { rowBytes, typicalInstrument } from "../../../operator/cost/rows.ts";
import {
  CALLED,
  factWork,
  LIQUIDATED,
  minuteWork,
  PAID,
  pagesOfShard,
  pricesWork,
  sweepWork,
  total,
  type Work,
} from "../../../operator/cost/work.ts";
import { policy } from "../../adapters/samples.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { record, remaining, stageOn, T0 } from "../../functions/stage.ts";
import { type Metered, metered } from "./meter.ts";

/** Forty instruments, as the command assumes by default; one account of ten of them. */
const INSTRUMENTS = 40;
const POSITIONS = 10;

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const ids = Array.from({ length: INSTRUMENTS }, (_, index) => typicalInstrument(index).instrumentId);

/** A venue's functions over counted services, and what passes between them. */
const opened = async () => {
  const stage = stageOn(await tables.fresh());
  for (let index = 0; index < INSTRUMENTS; index += 1) await stage.desk.marks.putInstrument(typicalInstrument(index));
  await stage.desk.book.putPolicy(policy);
  const outbound = createOutbound(stage.world);
  await outbound.putEndpoint("meridian", "ep_first", { url: "https://one.example/hooks", types: null, enabled: true });
  await outbound.putContact({
    accountId: "A-1",
    email: "holder@one.example",
    name: "A Holder",
    locale: "en",
    timeZone: "Europe/London",
    antiPhishingCode: "harbour",
  });
  const { world, take } = metered(stage.world);
  const invocations: Record<string, number> = {};
  const invoke = async (
    name: string,
    use: (event: SQSEvent, context: ReturnType<typeof remaining>) => Promise<unknown>,
    body: unknown,
    group?: string,
  ) => {
    invocations[name] = (invocations[name] ?? 0) + 1;
    const said = await use({ Records: [record(body, group === undefined ? {} : { group })] }, remaining());
    if (said !== undefined) expect(said).toEqual({ batchItemFailures: [] });
  };
  const use = {
    accept: acceptMarks(world),
    feed: applyBookFeed(world),
    arm: armDeadline(world),
    webhook: deliverWebhook(world),
    orders: dispatchOrders(world),
    expire: expireCall(world),
    mark: markAccounts(world),
    email: sendEmail(world),
    start: startSweep(world),
    overdue: sweepOverdue(world),
  };
  const publish = publishEvents(world);
  let told = 0;
  /** Carries events and the timer queue's messages on, until nothing is left. */
  const settle = async (): Promise<void> => {
    const rows = (await stage.journalOf("A-1")).slice(told);
    told += rows.length;
    for (const NewImage of rows.filter((row) => row["publish"]?.BOOL === true)) {
      invocations["publish-events"] = (invocations["publish-events"] ?? 0) + 1;
      await publish({ Records: [{ eventName: "INSERT", dynamodb: { NewImage, SequenceNumber: "1" } }] } as DynamoDBStreamEvent);
    }
    for (const { body } of stage.published.splice(0)) {
      const { type } = JSON.parse(body) as EventMessage;
      const wanted = (types: readonly string[]): boolean => types.includes(type);
      await invoke("deliver-webhook", use.webhook, body);
      if (wanted(EMAIL_TYPES)) await invoke("send-email", use.email, body);
      if (wanted(TIMER_TYPES)) await invoke("arm-deadline", use.arm, body);
      if (wanted(ORDER_TYPES)) await invoke("dispatch-orders", use.orders, body);
    }
    const notices = stage.sent.filter(({ queue }) => queue === "timer");
    stage.sent.splice(0);
    for (const { body } of notices) await invoke("arm-deadline", use.arm, body);
    if ((await stage.journalOf("A-1")).length > told) await settle();
  };
  const prices = async (secondsOn: number, at: string): Promise<void> => {
    stage.clock.set(T0 + secondsOn * 1_000);
    const asOf = stage.clock.now();
    await invoke(
      "accept-marks",
      use.accept,
      encodeMarks(ids.map((instrumentId) => ({ instrumentId, price: price(at), asOf, source: "composite" }))),
    );
  };
  const sweep = async (): Promise<void> => {
    await invoke("start-sweep", use.start, { schemaVersion: 1, reason: "schedule" });
    const groups = stage.sent.splice(0).filter(({ queue }) => queue === "shards");
    for (const { body } of groups) await invoke("mark-accounts", use.mark, body);
  };
  const facts = (...entries: Fact[]) =>
    invoke(
      "apply-book-feed",
      use.feed,
      encodeFeed({
        schemaVersion: 1,
        accountId: "A-1",
        account: { brokerId: "meridian", clientClass: "retail", policyId: "standard" },
        entries,
      }),
      "A-1",
    );
  return { stage, take, invocations, use, invoke, settle, prices, sweep, facts };
};

const POSITION = { quantity: quantity("100"), entryPrice: price("100") };
const snapshot: Fact = {
  kind: "snapshot",
  externalId: "snap-1",
  sequence: 1,
  occurredAt: T0,
  balances: new Map([["USDT", money("5000")]]),
  positions: ids.slice(0, POSITIONS).map((instrumentId) => ({ instrumentId, ...POSITION })),
};
const deposit = (sequence: number, amount: string): Fact => ({
  kind: "deposit",
  externalId: `dep-2026-01-15-${sequence}`,
  sequence,
  occurredAt: T0,
  asset: "USDT",
  amount: money(amount),
});

/** The rows that this book has: its prices are shorter than typical ones, and so is its snapshot. */
const ROWS = { ...rowBytes(POSITIONS, INSTRUMENTS), snapshot: 3_000 };

/** Asked for, in the terms of the bill. Sends to the feed's queue are the venue's, receives are counted by invocation. */
const asked = ({ readUnits, writeUnits, queueRequests, published, emails }: Work) => ({
  readUnits,
  writeUnits,
  queueRequests,
  published,
  emails,
});
const measured = ({ reads, writes, queue, published, emails }: Metered) => ({
  readUnits: reads,
  writeUnits: writes,
  queueRequests: queue,
  published,
  emails,
});

describe("what the functions ask for", () => {
  test("prices of forty instruments: each mark read and put, and a sweep asked for", async () => {
    const { take, prices, invocations } = await opened();
    await prices(0, "100");
    take();
    await prices(1, "100.1");
    // The second request of the bill is the feed's own, which sends the message.
    expect(measured(take())).toEqual({ ...asked(pricesWork(INSTRUMENTS)), queueRequests: 1 });
    expect(invocations).toEqual({ "accept-marks": 2 });
    expect(asked(pricesWork(INSTRUMENTS))).toMatchObject({ readUnits: 40, writeUnits: 41 });
  });

  test("a sweep in which nothing changes", async () => {
    const { take, prices, facts, sweep } = await opened();
    await prices(0, "100");
    await facts(snapshot);
    await sweep();
    await prices(6, "100");
    take();
    await sweep();
    const work = sweepWork({ accounts: 1, shards: 16, shardsPerGroup: 4 }, ROWS, 1);
    expect(measured(take())).toEqual(asked(work));
    expect(asked(work)).toEqual({ readUnits: 15, writeUnits: 9, queueRequests: 1, published: 0, emails: 0 });
  });

  test("a fact that changes no level", async () => {
    const { take, prices, facts } = await opened();
    await prices(0, "100");
    await facts(snapshot);
    take();
    await facts(deposit(2, "10"));
    expect(measured(take())).toEqual(asked(factWork(ROWS)));
    expect(asked(factWork(ROWS))).toMatchObject({ readUnits: 2, writeUnits: 6 });
  });

  test("a minute in which nothing is overdue", async () => {
    const { take, prices, invoke, use } = await opened();
    await prices(0, "100");
    take();
    await invoke("sweep-overdue", use.overdue as never, {});
    expect(measured(take())).toEqual(asked(minuteWork(16, ROWS)));
    expect(asked(minuteWork(16, ROWS))).toMatchObject({ readUnits: 33, writeUnits: 0 });
  });

  test("an account is warned, called and told; then it pays", async () => {
    const { take, prices, facts, sweep, settle, invocations } = await opened();
    await prices(0, "100");
    await facts(snapshot);
    await sweep();
    await prices(6, "100");
    take();
    await sweep();
    const calm = take();
    await prices(12, "99");
    const tick = take();
    await sweep();
    await settle();
    await prices(18, "98.4");
    await sweep();
    await settle();
    const called = take();
    expect(
      measured({
        ...called,
        reads: called.reads - 2 * calm.reads - tick.reads,
        writes: called.writes - 2 * calm.writes - tick.writes,
        queue: called.queue - 2 * calm.queue - tick.queue,
      }),
    ).toEqual(asked(CALLED));
    expect(called.timers).toBe(CALLED.scheduled);
    expect(invocations).toMatchObject(CALLED.invocations);

    for (const name of Object.keys(invocations)) delete invocations[name];
    await facts(deposit(2, "3000"));
    await settle();
    expect(measured(take())).toEqual(asked(PAID));
    expect(invocations).toEqual(PAID.invocations);
  });

  test("a deadline passes: an order goes out, is filled and ends the call", async () => {
    const { stage, take, prices, facts, sweep, settle, invocations, invoke, use } = await opened();
    await prices(0, "100");
    await facts(snapshot);
    await prices(6, "98.4");
    await sweep();
    await settle();
    const callId = (await stage.load("A-1")).live?.call.callId;
    await prices(1_900, "98.3");
    take();
    for (const name of Object.keys(invocations)) delete invocations[name];
    await invoke("expire-call", use.expire, { schemaVersion: 1, accountId: "A-1", callId, deadlineVersion: 1 });
    await settle();
    const [order, ...others] = (await stage.load("A-1")).live?.orders ?? [];
    expect(others).toEqual([]);
    const fill = { quantity: `-${decimal(order?.quantity ?? quantity("0"))}`, price: "98.3", fee: "1" };
    await facts({
      kind: "fill",
      externalId: "fill-1",
      sequence: 2,
      occurredAt: T0,
      instrumentId: order?.instrumentId ?? "",
      quantity: quantity(fill.quantity),
      price: price(fill.price),
      fee: money(fill.fee),
      orderId: order?.orderId ?? null,
    });
    await settle();
    expect((await stage.load("A-1")).live).toBeNull();
    const taken = take();
    expect(measured(taken)).toEqual(asked(LIQUIDATED));
    // The order to the venue; the other request is the venue's own, which sends the fill.
    expect(taken.fifo).toBe(LIQUIDATED.fifoRequests - 1);
    expect(invocations).toEqual(LIQUIDATED.invocations);
  });
});

test("a book is read in pages of a megabyte, at half price, rounded up by the page", () => {
  const rows = { ...ROWS, account: 500 };
  const book = { accounts: 1_000_000, shards: 256, shardsPerGroup: 4 };
  // 1,953,125 bytes a shard: two pages of 976,562 bytes, 239 blocks of 4 KB each.
  expect(pagesOfShard(book, rows)).toBe(2);
  expect(sweepWork(book, rows, 64).readUnits).toBe(1 + 1 + 64 + 64 + 256 * 2 * 239 * 0.5);
  expect(pricesWork(600)).toMatchObject({ readUnits: 600, writeUnits: 603, queueRequests: 6 });
});

test("work of several kinds adds up", () => {
  expect(
    total([
      [2, CALLED],
      [1, PAID],
    ]),
  ).toMatchObject({ readUnits: 44, writeUnits: 138, emails: 3, invocations: { "deliver-webhook": 8, "apply-book-feed": 1 } });
});
