import { describe, expect, test } from "vitest";
import type { PolicyInMode } from "../../core/mode.ts";
import { money } from "../../core/money.ts";
import { accountWith, deskOf, MINUTE, POLICY, position, SECOND, T0, tenTimesLong, typesOf, usdt } from "./call-fixtures.ts";

/** `issuedAt` is 10 s after the decision, the notice has 60 s, the grace is 15 minutes (R12). */
const DEADLINE = T0 + 10 * SECOND + MINUTE + 15 * MINUTE;
const policy = (patch: Partial<PolicyInMode>): PolicyInMode => ({ ...POLICY, ...patch });

describe("R11: top-ups", () => {
  test("more is asked where the shortfall grew by a quarter, with a later deadline at most", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    // At 93 E = 3, IM = 9.3: 6.3 against 5.4 is under a quarter more; at 92.3: 2.3, 9.23, 6.93 is over.
    expect(desk.at(T0 + MINUTE, "93")).toBeNull();
    const change = desk.at(T0 + 2 * MINUTE, "92.3");
    expect(typesOf(change)).toEqual(["margin_call.updated"]);
    expect(desk.live()).toMatchObject({ version: 2, amountDue: usdt("6.93"), topUps: 1, deadlineAt: DEADLINE, deadlineVersion: 1 });
    expect(desk.account().episode?.topUps).toBe(1);
    expect(desk.at(T0 + 2 * MINUTE, "92.3")).toBeNull();
  });

  test("near the deadline it moves to now + topUpGrace, never earlier (I05)", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const now = DEADLINE - MINUTE;
    desk.at(now, "92.3");
    expect(desk.live()).toMatchObject({ deadlineAt: now + 5 * MINUTE, deadlineVersion: 2 });
  });

  test("what was paid stays paid: the new amount is on top of it", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    desk.at(T0 + MINUTE, "94", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("2") })]);
    desk.at(T0 + 2 * MINUTE, "91");
    // E = 12 − 9 = 3, IM = 9.1: 6.1 more, on top of 2.
    expect(desk.live()).toMatchObject({ amountDue: usdt("8.1"), metAmount: usdt("2") });
    const change = desk.at(T0 + 3 * MINUTE, "91", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("6.1") })]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metAmount: usdt("8.1") });
  });

  test("at most topUpsMax an episode, over all its calls", () => {
    const desk = deskOf(accountWith({ USDT: "1000" }, [position("BTC-PERP", "10", "190")]), policy({ topUpsMax: 2 }));
    // E = 1000 − 10·(190 − P); IM = P.
    desk.at(T0, "93");
    desk.at(T0 + MINUTE, "91.2");
    expect(desk.live().topUps).toBe(1);
    desk.at(T0 + 2 * MINUTE, "91.2", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("100") })]);
    expect(desk.account()).toMatchObject({ live: null, episode: { topUps: 1 } });
    desk.at(T0 + 3 * MINUTE, "84");
    expect(desk.live().topUps).toBe(0);
    desk.at(T0 + 4 * MINUTE, "82.7");
    expect(desk.account()).toMatchObject({ live: { call: { topUps: 1 } }, episode: { topUps: 2 } });
    expect(desk.at(T0 + 5 * MINUTE, "81.1")?.calls ?? []).toEqual([]);
    expect(desk.account().episode?.topUps).toBe(2);
  });

  test("none once the deadline is there, nor on a shortfall that only a bad mark shows", () => {
    const late = deskOf(tenTimesLong());
    late.at(T0, "94");
    expect(late.at(DEADLINE, "92")?.calls ?? []).toEqual([]);
    const bad = deskOf(tenTimesLong());
    bad.at(T0, "94");
    expect(bad.at(T0 + 6 * MINUTE, { "BTC-PERP": ["94", 6 * MINUTE] })?.calls ?? []).toEqual([]);
  });
});

describe("R3: a call on bad marks", () => {
  const stale = { "BTC-PERP": ["97.5", 6 * MINUTE] as const };

  test("opens on E_low, says so, and its clock waits", () => {
    const desk = deskOf(tenTimesLong());
    const change = desk.at(T0, stale);
    expect(desk.live()).toMatchObject({ status: "OPEN", onBadMarks: true, badMarksSince: T0, deadlineAt: null });
    expect(change?.events.find(({ type }) => type === "margin_call.issued")?.call?.onBadMarks).toBe(true);
    expect(desk.at(T0 + 9 * MINUTE, { "BTC-PERP": ["97.5", 15 * MINUTE] })).toBeNull();
  });

  test("after 10 minutes it is overdue, once, and nothing is liquidated", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, stale);
    const change = desk.at(T0 + 10 * MINUTE, { "BTC-PERP": ["97.5", 16 * MINUTE] });
    expect(typesOf(change)).toEqual(["margin_call.expired"]);
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: T0 + 10 * MINUTE, deadlineAt: null });
    expect(desk.at(T0 + 20 * MINUTE, { "BTC-PERP": ["97.5", 26 * MINUTE] })).toBeNull();
  });

  test("a GOOD mark starts the clock, on its amount", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, stale);
    const now = T0 + 3 * MINUTE;
    const change = desk.at(now, "94.5");
    expect(typesOf(change)).toEqual(["margin_call.updated"]);
    expect(desk.live()).toMatchObject({
      onBadMarks: false,
      badMarksSince: null,
      deadlineAt: now + 10 * SECOND + 16 * MINUTE,
      deadlineVersion: 2,
      amountDue: usdt("4.95"),
      version: 2,
    });
  });

  test("a GOOD mark that shows no breach starts it too, and the market then meets the call", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, stale);
    const due = desk.live().amountDue;
    desk.at(T0 + MINUTE, "101");
    expect(desk.live()).toMatchObject({ onBadMarks: false, amountDue: due });
    expect(desk.at(T0 + 2 * MINUTE, "101")?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
  });

  test("one dust position in a dead token protects nobody, and no order is planned in it", () => {
    const dust = accountWith({ USDT: "10" }, [position("BTC-PERP", "1", "100"), position("DEAD-PERP", "0.001", "1")]);
    const desk = deskOf(dust);
    const dead = { "DEAD-PERP": ["1", 600 * MINUTE] as const };
    desk.at(T0, { "BTC-PERP": "94", ...dead });
    expect(desk.live()).toMatchObject({ onBadMarks: false, deadlineAt: DEADLINE });
    const change = desk.at(DEADLINE + 10 * SECOND, { "BTC-PERP": "94", ...dead });
    expect(change?.orders.map(({ instrumentId }) => instrumentId)).toEqual(["BTC-PERP"]);
  });

  test("a wrong price liquidates nobody: at the deadline a breach on E_low only leaves the call overdue", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const now = DEADLINE + 10 * SECOND;
    const change = desk.at(now, { "BTC-PERP": ["97.5", 6 * MINUTE] });
    expect(typesOf(change)).toContain("margin_call.expired");
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: now });
    // Back on a GOOD mark, above where the call level is left, it is met without the dwell.
    expect(desk.at(now + MINUTE, "95.6")?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
  });

  test("at the call level on E_high, below it on E_low: neither met nor liquidated", () => {
    const two = accountWith({ USDT: "11.66" }, [position("BTC-PERP", "1", "100"), position("DEAD-PERP", "1", "10")]);
    const desk = deskOf(two);
    desk.at(T0, { "BTC-PERP": "91", "DEAD-PERP": "10" });
    // E_high = 5.66 at IM 10.4 and MM 0.52: x = 0.520. E_low is 0.5 lower: x = 0.471.
    const change = desk.at(DEADLINE + 10 * SECOND, { "BTC-PERP": "94", "DEAD-PERP": ["10", 6 * MINUTE] });
    expect(change?.orders).toEqual([]);
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: DEADLINE + 10 * SECOND });
  });

  test("a close-out needs E_high < MM and a GOOD leg to trade", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, { "BTC-PERP": ["90.4", 6 * MINUTE] });
    expect(desk.live()).toMatchObject({ status: "OPEN", onBadMarks: false });
    expect(typesOf(desk.at(T0 + SECOND, "90.4"))).toContain("liquidation.started");
  });
});
