import { describe, expect, test } from "vitest";
import { markOrdersSent } from "../../core/commands.ts";
import type { Fact } from "../../core/ledger.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money, price, quantity } from "../../core/money.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import { accountWith, type Desk, deskOf, MINUTE, POLICY, position, SECOND, T0, tenTimesLong, typesOf, usdt } from "./call-fixtures.ts";

const DEADLINE = T0 + 10 * SECOND + MINUTE + 15 * MINUTE;
const policy = (patch: Partial<PolicyInMode>): PolicyInMode => ({ ...POLICY, ...patch });

const orderOf = (desk: Desk, index = 0): LiquidationOrder => {
  const order = desk.account().live?.orders[index];
  if (order === undefined) throw new Error("no such order");
  return order;
};
const send = (desk: Desk, now: number) =>
  desk.commit(markOrdersSent(desk.account(), desk.account().live?.orders.map(({ orderId }) => orderId) ?? [], now));
/** The venue's fill of part of an order. */
const fill = (
  desk: Desk,
  order: LiquidationOrder,
  [size, at, fee = "0"]: readonly [size: string, at: string, fee?: string],
  now: number,
): Fact =>
  desk.fact("fill", {
    occurredAt: now,
    instrumentId: order.instrumentId,
    quantity: quantity(order.side === "sell" ? `-${size}` : size),
    price: price(at),
    fee: money(fee),
    orderId: order.orderId,
  });
const closed = (desk: Desk, order: LiquidationOrder, filled: string, now: number): Fact =>
  desk.fact("order_closed", { occurredAt: now, orderId: order.orderId, filled: quantity(filled) });
const holderCloses = (desk: Desk, size: string, at: string, now: number): Fact =>
  desk.fact("fill", {
    occurredAt: now,
    instrumentId: "BTC-PERP",
    quantity: quantity(`-${size}`),
    price: price(at),
    fee: money("0"),
    orderId: null,
  });
const deposit = (desk: Desk, amount: string, occurredAt: number): Fact =>
  desk.fact("deposit", { occurredAt, asset: "USDT", amount: money(amount) });

/** A desk whose call ran out at 94 and is in LIQUIDATING for the deadline. */
const expired = (patch: Partial<PolicyInMode> = {}) => {
  const desk = deskOf(tenTimesLong(), policy(patch));
  desk.at(T0, "94");
  const now = DEADLINE + 10 * SECOND;
  const change = desk.at(now, "94");
  return { desk, now, change };
};

describe("R14, R12: unmet at the deadline", () => {
  test("not a moment before every clock within the skew is past it (S39)", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    expect(desk.at(DEADLINE + 10 * SECOND - 1, "94")).toBeNull();
    expect(typesOf(desk.at(DEADLINE + 10 * SECOND, "94"))).toEqual(["margin_call.expired", "liquidation.started"]);
  });

  test("reduce: orders that bring the account back to where its call level is left", () => {
    const { desk, now, change } = expired();
    expect(desk.live()).toMatchObject({
      status: "LIQUIDATING",
      liquidationReason: "deadline",
      attempt: 1,
      ordersPlanned: 1,
      liquidatingAt: now,
      overdueAt: null,
      version: 2,
    });
    // E = 4; x = (4 − 0.47·q) / (8.93·q) ≥ 0.55 at q = 0.743: 0.257 sold.
    expect(change?.orders).toEqual([
      expect.objectContaining({
        orderId: "MC-ABCDEFGHIJKL-1-1-BTC-PERP",
        callId: "MC-ABCDEFGHIJKL-1",
        attempt: 1,
        index: 0,
        side: "sell",
        quantity: quantity("0.257"),
        status: "PENDING",
        createdAt: now,
        sentAt: null,
      }),
    ]);
    expect(change?.events.at(-1)?.reason).toBe("R14: unmet at the deadline, attempt 1 of 3");
    expect(change?.events.at(-1)?.call).toMatchObject({ status: "LIQUIDATING", liquidationReason: "deadline", version: 2 });
    expect(desk.at(now, "94")).toBeNull();
  });

  test("restrict: it stays open and overdue, once, reduce-only; orders only under the close-out level", () => {
    const { desk, now, change } = expired({ onUnmet: "restrict" });
    expect(typesOf(change)).toEqual(["margin_call.expired"]);
    expect(change?.events[0]).toMatchObject({ allowed: "reduce_only", call: { onUnmet: "restrict", status: "OPEN" } });
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: now });
    expect(desk.at(now + MINUTE, "94")).toBeNull();
    expect(desk.at(now + MINUTE, "95.4")).toBeNull();
    expect(typesOf(desk.at(now + 2 * MINUTE, "90.4"))).toEqual(["account.level_changed", "liquidation.started"]);
    expect(desk.live().liquidationReason).toBe("closeOut");
  });

  test("an account out of sync may be called, never liquidated; a snapshot heals it", () => {
    const desk = deskOf({ ...tenTimesLong(), outOfSync: true });
    desk.at(T0, "94");
    expect(desk.live().status).toBe("OPEN");
    expect(desk.at(T0 + SECOND, "90")?.orders).toEqual([]);
    desk.at(DEADLINE + MINUTE, "94");
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: DEADLINE + MINUTE });
    const healed = desk.fact("snapshot", {
      occurredAt: T0,
      balances: new Map([["USDT", money("10")]]),
      positions: tenTimesLong().positions,
    });
    const change = desk.at(DEADLINE + 2 * MINUTE, "94", [healed]);
    expect(typesOf(change)).toEqual(["liquidation.started"]);
  });
});

describe("R8, R10: the close-out level always applies", () => {
  test("without a call: the call and its LIQUIDATING in one change, one event", () => {
    const desk = deskOf(tenTimesLong());
    const change = desk.at(T0, "90.4");
    expect(change?.events).toHaveLength(1);
    expect(change?.events[0]).toMatchObject({
      type: "liquidation.started",
      level: "CLOSE_OUT",
      previousLevel: "HEALTHY",
      allowed: "none",
      reason: "R1: below the close-out level, attempt 1 of 3",
      figures: { equity: usdt("0.4"), maintenanceRequirement: usdt("0.452") },
    });
    expect(change?.calls).toHaveLength(1);
    expect(desk.live()).toMatchObject({
      status: "LIQUIDATING",
      version: 1,
      liquidationReason: "closeOut",
      graceMs: 0,
      deadlineAt: null,
      onBadMarks: false,
    });
    // Back to MM·1.1: 0.4 ≥ 1.1·0.452·q at q = 0.804: 0.196 sold.
    expect(change?.orders).toEqual([expect.objectContaining({ quantity: quantity("0.196"), side: "sell" })]);
    expect(desk.at(T0, "90.4")).toBeNull();
  });

  test("during grace it ends the grace", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const change = desk.at(T0 + MINUTE, "90.4");
    expect(typesOf(change)).toEqual(["account.level_changed", "liquidation.started"]);
    expect(desk.live()).toMatchObject({ status: "LIQUIDATING", liquidationReason: "closeOut", version: 2, deadlineAt: DEADLINE });
  });

  test("paid in full and still below MM: met, and the next call is born LIQUIDATING", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const change = desk.at(T0 + MINUTE, "84.9", [deposit(desk, "5.4", T0 + MINUTE)]);
    expect(change?.calls.map(({ status }) => status)).toEqual(["MET", "LIQUIDATING"]);
    expect(typesOf(change)).toEqual(["margin_call.met", "liquidation.started"]);
  });
});

describe("R8, N12: back from LIQUIDATING while no order has left", () => {
  test("a deposit credited in time wins, though it is processed later", () => {
    const { desk, now } = expired();
    const change = desk.at(now + SECOND, "93", [deposit(desk, "5.4", DEADLINE)]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment" });
    expect(change?.orders).toEqual([expect.objectContaining({ status: "CANCELLED", cancelled: quantity("0.257"), sentAt: null })]);
    expect(desk.account().live).toBeNull();
  });

  test("a deposit after the deadline does not, where it leaves the account below its call level's exit", () => {
    const { desk, now } = expired();
    const change = desk.at(now + SECOND, "90.9", [deposit(desk, "3.9", DEADLINE + 1)]);
    // E = 10 + 3.9 − 9.1 = 4.8, IM = 9.09: x = 0.503.
    expect(change?.calls ?? []).toEqual([]);
    expect(desk.live()).toMatchObject({ status: "LIQUIDATING", metAmount: usdt("0") });
  });

  test("one that left the call level cures all the same", () => {
    const { desk, now } = expired();
    expect(desk.at(now + SECOND, "94", [deposit(desk, "5.4", DEADLINE + 1)])?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
  });

  test("a deposit after an order has left changes nothing of it", () => {
    const { desk, now } = expired();
    send(desk, now);
    const change = desk.at(now + SECOND, "94", [deposit(desk, "5.4", DEADLINE)]);
    expect(change?.calls).toEqual([]);
    expect(desk.live()).toMatchObject({ status: "LIQUIDATING", metAmount: usdt("0") });
  });

  test("S52: the holder closes everything between decision and order: met, the order is withdrawn", () => {
    const { desk, now } = expired();
    const change = desk.at(now + SECOND, "94", [holderCloses(desk, "1", "94", now)]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment" });
    expect(change?.orders[0]?.status).toBe("CANCELLED");
  });

  test("S52: closed at a loss beyond the equity: LIQUIDATED and DEFAULT, no next call (R20)", () => {
    const { desk, now } = expired();
    const change = desk.at(now + SECOND, "89", [holderCloses(desk, "1", "89", now)]);
    expect(change?.calls).toEqual([expect.objectContaining({ status: "LIQUIDATED" })]);
    expect(change?.orders[0]?.status).toBe("CANCELLED");
    expect(desk.account()).toMatchObject({ level: "DEFAULT", live: null, openCalls: {} });
  });

  test("I10, S52: an order above what is left of the position is withdrawn, and the next attempt fits", () => {
    const { desk, now } = expired();
    const change = desk.at(now + SECOND, "91", [holderCloses(desk, "0.8", "91", DEADLINE + 1)]);
    expect(change?.orders).toEqual([expect.objectContaining({ status: "CANCELLED" })]);
    expect(desk.live().status).toBe("LIQUIDATING");
    const next = desk.at(now + 6 * SECOND, "90.1");
    expect(next?.orders.every(({ quantity: ordered }) => ordered <= quantity("0.2"))).toBe(true);
    expect(desk.live().attempt).toBe(2);
  });

  test("I10: withdrawn and planned anew in one change, once the gap is over", () => {
    const { desk, now } = expired();
    const change = desk.at(now + 6 * SECOND, "91", [holderCloses(desk, "0.8", "91", DEADLINE + 1)]);
    expect(change?.orders.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, "CANCELLED"],
      [2, "PENDING"],
    ]);
    expect(desk.account().live?.orders).toHaveLength(1);
  });
});

describe("I11: fills accumulate exactly", () => {
  test("partial fills, then the last one: LIQUIDATED at the call level, with the fees posted", () => {
    const { desk, now } = expired();
    const order = orderOf(desk);
    expect(typesOf(send(desk, now))).toEqual(["liquidation.order_sent"]);
    const first = desk.at(now + SECOND, "94", [fill(desk, order, ["0.1", "94", "0.01"], now)]);
    expect(first?.events.map(({ type, order: view }) => [type, view?.filled, view?.fillPrice])).toEqual([
      ["liquidation.filled", quantity("0.1"), price("94")],
    ]);
    expect(first?.entries[0]?.postings).toEqual([{ asset: "USDT", amount: money("-0.61") }]);
    expect(orderOf(desk)).toMatchObject({ filled: quantity("0.1"), status: "SENT" });
    const last = desk.at(now + 2 * SECOND, "94", [fill(desk, order, ["0.157", "94"], now)]);
    expect(last?.orders[0]).toMatchObject({ filled: quantity("0.257"), cancelled: 0n, status: "FILLED" });
    expect(typesOf(last)).toEqual(["liquidation.filled", "liquidation.completed"]);
    expect(last?.calls).toEqual([expect.objectContaining({ status: "LIQUIDATED", version: 3 })]);
    expect(desk.account()).toMatchObject({ live: null, openCalls: {} });
  });

  test("a fill before the acknowledgement shows that the order had left", () => {
    const { desk, now } = expired();
    desk.at(now + SECOND, "94", [fill(desk, orderOf(desk), ["0.1", "94"], now)]);
    expect(orderOf(desk)).toMatchObject({ status: "SENT", sentAt: now, filled: quantity("0.1") });
    // From here no deposit meets the call.
    desk.at(now + SECOND, "94", [deposit(desk, "20", DEADLINE)]);
    expect(desk.live().status).toBe("LIQUIDATING");
  });

  test("a remainder returned is cancelled; filled + cancelled = ordered", () => {
    const { desk, now } = expired();
    const order = orderOf(desk);
    send(desk, now);
    desk.at(now + SECOND, "93.5", [fill(desk, order, ["0.1", "93.5"], now), closed(desk, order, "0.1", now)]);
    expect(desk.changes.at(-1)?.orders[0]).toMatchObject({ filled: quantity("0.1"), cancelled: quantity("0.157"), status: "CANCELLED" });
    expect(desk.live().status).toBe("LIQUIDATING");
  });

  test("the venue's last word before its fills: the order is live until they are here", () => {
    const { desk, now } = expired();
    const order = orderOf(desk);
    send(desk, now);
    desk.at(now + SECOND, "94", [closed(desk, order, "0.2", now)]);
    expect(orderOf(desk)).toMatchObject({ filled: 0n, cancelled: quantity("0.057"), status: "SENT" });
    desk.at(now + SECOND, "94", [fill(desk, order, ["0.2", "94"], now)]);
    expect(desk.changes.at(-1)?.orders[0]).toMatchObject({ filled: quantity("0.2"), cancelled: quantity("0.057"), status: "CANCELLED" });
  });

  test.each([
    ["more than was ordered", "fill", "0.3"],
    ["a last word below our fills", "closed", "0.05"],
  ])("a contradiction takes the account out of sync: %s", (_words, kind, size) => {
    const { desk, now } = expired();
    const order = orderOf(desk);
    send(desk, now);
    const facts =
      kind === "fill" ? [fill(desk, order, [size, "94"], now)] : [fill(desk, order, ["0.1", "94"], now), closed(desk, order, size, now)];
    const change = desk.at(now + SECOND, "94", facts);
    expect(desk.account().outOfSync).toBe(true);
    const total = change?.orders[0];
    expect((total?.filled ?? 0n) + (total?.cancelled ?? 0n)).toBe(order.quantity);
  });

  test("a last word on an order that is unknown or ended changes nothing but the journal", () => {
    const { desk, now } = expired();
    const order = orderOf(desk);
    const unknown = desk.at(now, "94", [desk.fact("order_closed", { occurredAt: now, orderId: "none", filled: quantity("0") })]);
    expect(unknown).toMatchObject({ calls: [], orders: [], events: [] });
    expect(unknown?.entries).toHaveLength(1);
    desk.at(now, "94", [closed(desk, order, "0", now)]);
    expect(desk.at(now, "94", [closed(desk, order, "0", now)])?.orders).toEqual([]);
  });
});

describe("R14: attempts", () => {
  const unfilled = (desk: Desk, now: number, at: string) => {
    send(desk, now);
    return desk.at(now, at, [closed(desk, orderOf(desk), "0", now)]);
  };

  test("the next attempt follows after the gap, with its own ids, and is named in the event", () => {
    const { desk, now } = expired();
    expect(typesOf(unfilled(desk, now, "94"))).toEqual([]);
    expect(desk.at(now + 4_999, "94")).toBeNull();
    const change = desk.at(now + 5_000, "94");
    expect(typesOf(change)).toEqual(["liquidation.started"]);
    expect(change?.events[0]?.reason).toBe("R14: unmet at the deadline, attempt 2 of 3");
    expect(change?.orders.map(({ orderId, index, attempt }) => [orderId, index, attempt])).toEqual([
      ["MC-ABCDEFGHIJKL-1-2-BTC-PERP", 1, 2],
    ]);
    expect(desk.account().live?.orders).toHaveLength(1);
    expect(desk.live()).toMatchObject({ attempt: 2, ordersPlanned: 2 });
  });

  test("no attempt on marks that are not GOOD, nor out of enforce: it waits", () => {
    const { desk, now } = expired();
    unfilled(desk, now, "94");
    expect(desk.at(now + MINUTE, { "BTC-PERP": ["94", 6 * MINUTE] })?.calls ?? []).toEqual([]);
    expect(desk.live().status).toBe("LIQUIDATING");
    const lowered = deskOf(desk.account(), policy({ mode: "notify" }));
    expect(lowered.at(now + 2 * MINUTE, "94")?.calls ?? []).toEqual([]);
    expect(lowered.live().status).toBe("LIQUIDATING");
  });

  test("S33: after attemptsMax it is handed over, the next call opens, and no order leaves within the cool-down", () => {
    const { desk, now } = expired({ attemptsMax: 2 });
    unfilled(desk, now, "94");
    desk.at(now + 5_000, "94");
    unfilled(desk, now + 5_000, "94");
    const change = desk.at(now + 10_000, "94");
    expect(change?.calls.map(({ status, graceMs }) => [status, graceMs])).toEqual([
      ["LIQUIDATION_FAILED", 15 * MINUTE],
      ["OPEN", MINUTE],
    ]);
    expect(typesOf(change)).toEqual(["liquidation.failed", "margin_call.issued"]);
    expect(change?.events[0]?.reason).toBe("R14: handed over after attempt 2 of 2");
    expect(desk.account().episode?.handedOverAt).toBe(now + 10_000);
    expect(desk.at(now + 20_000, "90.4")?.orders).toEqual([]);
    expect(typesOf(desk.at(now + 10_000 + 10 * MINUTE, "90.4"))).toContain("liquidation.started");
  });

  test("R14: ended below the call level, the same change opens the next call", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "90.4");
    const order = orderOf(desk);
    send(desk, T0);
    const change = desk.at(T0 + SECOND, "90.4", [fill(desk, order, ["0.196", "90.4"], T0)]);
    expect(change?.calls.map(({ status, previousCallId }) => [status, previousCallId])).toEqual([
      ["LIQUIDATED", null],
      ["OPEN", "MC-ABCDEFGHIJKL-1"],
    ]);
    expect(typesOf(change).slice(-3)).toEqual(["liquidation.filled", "liquidation.completed", "margin_call.issued"]);
    expect(desk.live().graceMs).toBe(MINUTE);
  });

  test("I12: a target that the market reached withdraws what has not left; nothing more is sold", () => {
    const desk = deskOf(accountWith({ USDT: "20" }, [position("BTC-PERP", "1", "100"), position("ETH-PERP", "1", "100")]));
    const at = (btc: string) => ({ "BTC-PERP": btc, "ETH-PERP": btc });
    desk.at(T0, at("90.4"));
    send(desk, T0);
    const [first] = desk.account().live?.orders ?? [];
    const change = desk.at(T0 + SECOND, at("94"), first === undefined ? [] : [closed(desk, first, "0", T0)]);
    expect(change?.calls[0]?.status).toBe("LIQUIDATED");
    expect(desk.live().status).toBe("OPEN");
  });

  test("S01: a jump past bankruptcy is one liquidation, a named deficit and no second call", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    desk.at(T0 + MINUTE, "88");
    const order = orderOf(desk);
    expect(order.quantity).toBe(quantity("1"));
    send(desk, T0 + MINUTE);
    const change = desk.at(T0 + 2 * MINUTE, "88", [fill(desk, order, ["1", "88"], T0)]);
    expect(change?.calls).toEqual([expect.objectContaining({ status: "LIQUIDATED" })]);
    expect(desk.account()).toMatchObject({ level: "DEFAULT", live: null, callsOpened: 1 });
    expect(desk.account().balances.get("USDT")).toBe(usdt("-2"));
    expect(desk.at(T0 + 3 * MINUTE, "80")).toBeNull();
  });
});
