import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import { type VenueOrder, venueOrder } from "../../adapters/wire/venue.ts";
import type { Fact } from "../../core/ledger.ts";
import type { Mode } from "../../core/mode.ts";
import { money, price, quantity } from "../../core/money.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import { dispatchOrders } from "../../functions/dispatch-orders.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, markAt, NONE_FAILED, one, openAccount, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
let serial = 0;
let accountId = "";
afterEach(() => tables.stop());

/** An account that liquidates: its close-out was decided 10 s after T0, and its orders are PENDING. */
beforeEach(async () => {
  serial += 1;
  accountId = `selling-${serial}`;
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, accountId);
  await markAt(stage, accountId, "90.2", 10);
  stage.clock.set(T0 + 12_000);
});

const started = async () => {
  const event = (await stage.eventsOf(accountId)).find(({ type }) => type === "liquidation.started");
  if (event === undefined) throw new Error("no liquidation.started");
  return event;
};
const dispatch = async (world = stage.world) => dispatchOrders(world)(one(await started()));
const venue = (): VenueOrder[] => stage.queued("venue").map((body) => venueOrder.parse(body));
const orders = (): Promise<LiquidationOrder[]> => stage.desk.book.orders(accountId);
const feed = async (...entries: Fact[]): Promise<void> =>
  applyFeed(stage.desk, [{ schemaVersion: 1, accountId, entries }], await stage.desk.marks.newest());

describe("orders leave", () => {
  test("I09 I10 each once, reduce-only, FIFO by account under its own id, and marked SENT", async () => {
    await expect(dispatch()).resolves.toEqual(NONE_FAILED);
    const [order] = await orders();
    expect(order).toMatchObject({ status: "SENT", sentAt: T0 + 12_000 });
    expect(stage.sent).toMatchObject([{ queue: "venue", groupId: accountId, dedupId: order?.orderId }]);
    expect(venue()).toMatchObject([
      { orderId: order?.orderId, side: "sell", reduceOnly: true, timeInForce: "IOC", instrumentId: "BTC-PERP" },
    ]);
    expect((await stage.eventsOf(accountId)).at(-1)?.type).toBe("liquidation.order_sent");
  });

  test("S36 the event a second time sends nothing", async () => {
    await dispatch();
    await dispatch();
    expect(venue()).toHaveLength(1);
  });

  test("I09 the event at two workers at once: one id, which the queue and the venue take once", async () => {
    await Promise.all([dispatch(), dispatch()]);
    expect(new Set(stage.sent.map(({ dedupId }) => dedupId)).size).toBe(1);
    expect(new Set(venue().map(({ orderId }) => orderId)).size).toBe(1);
    expect((await stage.eventsOf(accountId)).filter(({ type }) => type === "liquidation.order_sent")).toHaveLength(1);
  });

  test("S35 marked but not sent, by a crash in between: sent by the next try, under the same id", async () => {
    stage.replies.send = () => Promise.reject(new Error("lost reply"));
    const reply = await dispatch();
    expect(reply.batchItemFailures).toHaveLength(1);
    const [order] = await orders();
    expect(order?.status).toBe("SENT");
    stage.replies.send = () => Promise.resolve();
    stage.clock.set(T0 + 45_000);
    await dispatch();
    expect(venue().map(({ orderId }) => orderId)).toEqual([order?.orderId]);
  });

  test("an order that the venue has begun to fill has arrived, and is not sent again", async () => {
    await dispatch();
    const [order] = await orders();
    const fill = {
      kind: "fill",
      externalId: `${accountId}-f`,
      sequence: 2,
      occurredAt: T0,
      instrumentId: "BTC-PERP",
      fee: money("0"),
    } as const;
    await feed({ ...fill, quantity: quantity("-1"), price: price("90.2"), orderId: order?.orderId ?? "" });
    stage.clock.set(T0 + 50_000);
    await dispatch();
    expect(venue()).toHaveLength(1);
  });
});

describe("orders stay", () => {
  test("I07 R14 on a price that went stale meanwhile, for the sweep", async () => {
    stage.clock.set(T0 + 71_000);
    await expect(dispatch()).resolves.toEqual(NONE_FAILED);
    expect(venue()).toEqual([]);
    expect((await orders()).map(({ status }) => status)).toEqual(["PENDING"]);
    expect(stage.counted("orders_held")).toBe(1);
  });

  test("I07 on a price that has become suspect", async () => {
    const mark = await stage.desk.marks.mark("BTC-PERP");
    if (mark === null) throw new Error("no mark");
    await stage.desk.marks.acceptMark({ ...mark, candidate: { price: price("60"), asOf: T0 + 11_000 } }, mark.asOf);
    stage.clock.set(T0 + 71_000);
    await dispatch();
    expect(venue()).toEqual([]);
  });

  test.each(["observe", "notify"] satisfies Mode[])("R28 in %s", async (mode) => {
    const settings = { ...stage.world.settings, modes: { default: mode, brokers: {}, clientClasses: {} } };
    await dispatch({ ...stage.world, settings });
    expect(venue()).toEqual([]);
    expect((await orders()).map(({ status }) => status)).toEqual(["PENDING"]);
  });

  test("while the feed has a gap: may be called, never liquidated", async () => {
    await feed({ kind: "deposit", externalId: `${accountId}-gap`, sequence: 9, occurredAt: T0, asset: "USDT", amount: money("0.01") });
    expect((await stage.load(accountId)).outOfSync).toBe(true);
    await dispatch();
    expect(venue()).toEqual([]);
  });

  test("I06 S50 when a deposit met the call first", async () => {
    const event = await started();
    await feed({ kind: "deposit", externalId: `${accountId}-pay`, sequence: 2, occurredAt: T0, asset: "USDT", amount: money("5000") });
    expect((await stage.desk.book.calls(accountId)).map(({ status }) => status)).toEqual(["MET"]);
    await expect(dispatchOrders(stage.world)(one(event))).resolves.toEqual(NONE_FAILED);
    expect(venue()).toEqual([]);
    expect((await orders()).map(({ status }) => status)).toEqual(["CANCELLED"]);
  });

  test("I06 S50 when the deposit comes between the look and the mark: the mark loses, and nothing leaves", async () => {
    const { db } = stage.world;
    let raced = false;
    const world = {
      ...stage.world,
      db: {
        ...db,
        transactWrite: async (input: Parameters<typeof db.transactWrite>[0]) => {
          if (!raced) {
            raced = true;
            await feed({
              kind: "deposit",
              externalId: `${accountId}-pay`,
              sequence: 2,
              occurredAt: T0,
              asset: "USDT",
              amount: money("5000"),
            });
          }
          return db.transactWrite(input);
        },
      },
    };
    await expect(dispatch(world)).resolves.toEqual(NONE_FAILED);
    expect((await stage.desk.book.calls(accountId)).map(({ status }) => status)).toEqual(["MET"]);
    expect(venue()).toEqual([]);
  });
});

test("S42 S43 a poison message goes back alone, and one of no account does nothing", async () => {
  const bad = POISON.map(([, body]) => record(body));
  const good = record(await started());
  const foreign = record({ ...(await started()), accountId: "nobody" });
  await expect(dispatchOrders(stage.world)(batch(...bad, foreign, good))).resolves.toEqual({
    batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })),
  });
  expect(venue()).toHaveLength(1);
});
