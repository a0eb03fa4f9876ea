import { describe, expect, test } from "vitest";

import { decide } from "../../core/decide.ts";
import { deskOf, MINUTE, market, POLICY, SECOND, T0, tenTimesLong, typesOf } from "./call-fixtures.ts";

/** Issued 10 s after the decision, a minute for the notice, 15 minutes of grace (R12). */
const DEADLINE = T0 + 10 * SECOND + MINUTE + 15 * MINUTE;

describe("S39: a host whose clock is far off", () => {
  test("five minutes behind: the deadline counts from the newest price, not from the clock (I05)", () => {
    const change = decide(tenTimesLong(), market(T0, { "BTC-PERP": "94" }), POLICY, T0 - 5 * MINUTE);
    expect(change?.calls[0]).toMatchObject({ status: "OPEN", deadlineAt: DEADLINE });
  });

  test("a minute ahead: the deadline has not passed while the newest price is from before it (I04)", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const real = DEADLINE - 30 * SECOND;
    // The clock shows 30 s after the deadline; the price is two seconds old in truth.
    expect(decide(desk.account(), market(real - 2 * SECOND, { "BTC-PERP": "94" }), POLICY, real + MINUTE)).toBeNull();
  });

  test("the first price from after the deadline decides it", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    expect(desk.at(DEADLINE + 10 * SECOND, { "BTC-PERP": ["94", 11 * SECOND] })).toBeNull();
    expect(typesOf(desk.at(DEADLINE + 12 * SECOND, { "BTC-PERP": ["94", SECOND] }))).toEqual([
      "margin_call.expired",
      "liquidation.started",
    ]);
  });

  test("a price that stays away makes the marks stale, and the call overdue as before (R14)", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    expect(typesOf(desk.at(DEADLINE + 10 * SECOND, { "BTC-PERP": ["94", 6 * MINUTE] }))).toContain("margin_call.expired");
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: DEADLINE + 10 * SECOND });
  });
});

describe("R14: overdue because nothing could be traded at the deadline", () => {
  test("ends as at the deadline once the price is back at the call level: no dead band below where it is left", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    desk.at(DEADLINE + 10 * SECOND, { "BTC-PERP": ["94", 6 * MINUTE] });
    // At 95.1 E = 5.1, IM = 9.51, MM = 0.4755: x = 0.512, at the call level (0.5) and under where it is left (0.55).
    const change = desk.at(DEADLINE + 5 * MINUTE, "95.1");
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
  });

  test("under `restrict` it stays until the call level is left", () => {
    const desk = deskOf(tenTimesLong(), { ...POLICY, onUnmet: "restrict" });
    desk.at(T0, "94");
    desk.at(DEADLINE + 10 * SECOND, "94");
    expect(desk.live().overdueAt).toBe(DEADLINE + 10 * SECOND);
    desk.at(DEADLINE + 5 * MINUTE, "95.1");
    expect(desk.live().status).toBe("OPEN");
    desk.at(DEADLINE + 6 * MINUTE, "95.6");
    expect(desk.account().live).toBeNull();
  });
});

describe("R16: a snapshot that heals a gap", () => {
  const liquidating = () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "90.2");
    const order = desk.account().live?.orders[0];
    if (order === undefined) throw new Error("no order");
    return { desk, order };
  };

  test("closes the orders that it names: what they filled stands in its positions already, the rest is returned", () => {
    const { desk, order } = liquidating();
    const snapshot = desk.fact("snapshot", {
      occurredAt: T0 + MINUTE,
      balances: new Map([["USDT", 1_000_000_000n as never]]),
      positions: [],
      closedOrders: [{ orderId: order.orderId, filled: order.quantity }],
    });
    const change = desk.at(T0 + MINUTE, "90.2", [snapshot]);
    expect(change?.orders[0]).toMatchObject({ orderId: order.orderId, status: "FILLED", filled: order.quantity, cancelled: 0n });
    expect(change?.calls[0]?.status).toBe("LIQUIDATED");
  });

  test("an order that it does not name goes on waiting for its own word", () => {
    const { desk, order } = liquidating();
    const held = desk.account().positions;
    const snapshot = desk.fact("snapshot", { occurredAt: T0 + SECOND, balances: desk.account().balances, positions: held });
    desk.at(T0 + SECOND, "90.2", [snapshot]);
    expect(desk.account().live?.orders[0]).toMatchObject({ orderId: order.orderId, status: "PENDING" });
  });
});

describe("R10: money that a snapshot brings", () => {
  test("pays the call by what it does to the margin that is missing", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    // E = 4, IM = 9.4: 5.4 is due. The gap swallowed a deposit of 6, the snapshot has it.
    const snapshot = desk.fact("snapshot", {
      occurredAt: T0 + MINUTE,
      balances: new Map([["USDT", 1_600_000_000n as never]]),
      positions: desk.account().positions,
    });
    const change = desk.at(T0 + MINUTE, "94", [snapshot]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment", metAmount: 600_000_000n });
  });
});
