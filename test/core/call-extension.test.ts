import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money } from "../../core/money.ts";
import { accountWith, type Desk, deskOf, MINUTE, POLICY, SECOND, T0, tenTimesLong, typesOf, usdt } from "./call-fixtures.ts";

/** `issuedAt` is 10 s after the decision, the notice has 60 s, the grace is 15 minutes (R12). */
const DEADLINE = T0 + 10 * SECOND + MINUTE + 15 * MINUTE;
/** The first instant at which every clock within the skew is past the deadline. */
const DUE = DEADLINE + 10 * SECOND;
const EXTENDED = DEADLINE + 10 * MINUTE;

/** Called at 94: E = 4, IM = 9.4, MM = 0.47, so 5.4 are due. */
const called = (patch: Partial<PolicyInMode> = {}, account: MarginAccount = tenTimesLong()): Desk => {
  const desk = deskOf(account, { ...POLICY, ...patch });
  desk.at(T0, "94");
  return desk;
};
const pending = (desk: Desk, amount: string, asset = "USDT") =>
  desk.fact("deposit_pending", { occurredAt: T0, asset, amount: money(amount) });
const deposit = (desk: Desk, amount: string) => desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money(amount) });

describe("R15: a deposit still confirming is no equity", () => {
  test("it posts nothing, pays nothing and says nothing; the call remembers it", () => {
    const desk = called();
    const change = desk.at(T0 + MINUTE, "94", [pending(desk, "5.4")]);
    expect(change?.entries.map(({ postings }) => postings)).toEqual([[]]);
    expect(change?.events).toEqual([]);
    expect(desk.account().balances).toEqual(new Map([["USDT", money("10")]]));
    expect(desk.live()).toMatchObject({
      status: "OPEN",
      version: 2,
      metAmount: usdt("0"),
      confirmingAmount: usdt("5.4"),
      deadlineAt: DEADLINE,
    });
  });

  test("its value is what it would be credited: its share of a cure, else what it would add to E_i", () => {
    const desk = called();
    // 5.4 missing, 80 % of 94 a coin: 0.07180852 of the coin, rounded up.
    desk.at(T0 + MINUTE, "94", [pending(desk, "0.07180852", "BTC")]);
    expect(desk.live().confirmingAmount).toBe(usdt("5.4"));
    desk.at(T0 + MINUTE, "94", [pending(desk, "1000", "DOGE")]);
    expect(desk.live().confirmingAmount).toBe(usdt("5.4"));
    const stale = deskOf(tenTimesLong());
    stale.at(T0, { "BTC-PERP": "94", "BTC-USDT": ["94", 6 * MINUTE] });
    stale.at(T0 + MINUTE, "94", [pending(stale, "0.01", "BTC")]);
    expect(stale.live().confirmingAmount).toBe(usdt("0.752"));
  });

  test("what is credited confirms no more, never under 0, and only deposits take from it", () => {
    const desk = called();
    desk.at(T0 + MINUTE, "94", [pending(desk, "2"), pending(desk, "1")]);
    expect(desk.live()).toMatchObject({ metAmount: usdt("0"), confirmingAmount: usdt("3") });
    desk.at(T0 + 2 * MINUTE, "94", [deposit(desk, "2")]);
    expect(desk.live()).toMatchObject({ metAmount: usdt("2"), confirmingAmount: usdt("1") });
    desk.at(T0 + 2 * MINUTE, "94", [desk.fact("withdrawal", { occurredAt: T0, asset: "USDT", amount: money("0.5") })]);
    expect(desk.live()).toMatchObject({ metAmount: usdt("1.5"), confirmingAmount: usdt("1") });
    desk.at(T0 + 3 * MINUTE, "94", [deposit(desk, "1.5")]);
    expect(desk.live()).toMatchObject({ metAmount: usdt("3"), confirmingAmount: usdt("0") });
  });

  test("announced without a call, or after a later fact, it is recorded and counts for nothing", () => {
    const quiet = deskOf(accountWith({ USDT: "1000" }, tenTimesLong().positions));
    expect(quiet.at(T0, "94", [pending(quiet, "5")])).toMatchObject({ calls: [], events: [], entries: [{ postings: [] }] });
    const desk = called();
    const late = { ...pending(desk, "5.4"), sequence: 1 };
    expect(desk.at(T0 + MINUTE, "94", [late])).toMatchObject({ calls: [], entries: [{ postings: [] }] });
    expect(desk.live().confirmingAmount).toBe(usdt("0"));
  });
});

describe("R15: at the deadline it extends once", () => {
  test("I05 by 10 minutes from the deadline, with an event; then the call is unmet", () => {
    const desk = called();
    desk.at(T0 + MINUTE, "94", [pending(desk, "5.4")]);
    expect(desk.at(DUE - 1, "94")).toBeNull();
    const change = desk.at(DUE, "94");
    expect(typesOf(change)).toEqual(["margin_call.extended"]);
    expect(change?.events[0]?.call).toMatchObject({ status: "OPEN", deadlineAt: EXTENDED, version: 3 });
    expect(desk.live()).toMatchObject({ status: "OPEN", deadlineAt: EXTENDED, deadlineVersion: 2, extendedAt: DUE, overdueAt: null });
    expect(desk.at(DUE, "94")).toBeNull();
    desk.at(DUE + MINUTE, "94", [pending(desk, "100")]);
    expect(desk.at(EXTENDED + 10 * SECOND - 1, "94")).toBeNull();
    expect(typesOf(desk.at(EXTENDED + 10 * SECOND, "94"))).toEqual(["margin_call.expired", "liquidation.started"]);
  });

  test("R10 the deposit that then confirms meets the call", () => {
    const desk = called();
    desk.at(T0 + MINUTE, "94", [pending(desk, "5.4")]);
    desk.at(DUE, "94");
    const change = desk.at(DUE + 5 * MINUTE, "94", [deposit(desk, "5.4")]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment", confirmingAmount: usdt("0") });
  });

  test.each([
    ["0", "5.4", true],
    ["0", "5.39999999", false],
    ["3", "2.4", true],
    ["3", "2.39999999", false],
  ])("%s paid and %s confirming: extended: %s, for a part would leave it unmet all the same", (paid, confirming, is) => {
    const desk = called();
    const facts = paid === "0" ? [] : [deposit(desk, paid)];
    desk.at(T0 + MINUTE, "93", [...facts, pending(desk, confirming)]);
    // At 91.5 an account with 3 more is still below its call level: E = 4.5, and 4.8 would be at it.
    const change = desk.at(DUE, "91.5");
    expect(typesOf(change).includes("margin_call.extended")).toBe(is);
    expect(typesOf(change).includes("liquidation.started")).toBe(!is);
  });

  test("not where nothing confirms", () => {
    const desk = called();
    expect(typesOf(desk.at(DUE, "94"))).toEqual(["margin_call.expired", "liquidation.started"]);
  });

  test("only while E_m ≥ MM: the close-out level ends the grace, and the extension", () => {
    const below = called();
    below.at(T0 + MINUTE, "94", [pending(below, "5.4")]);
    expect(below.at(DUE, "90.4")?.calls[0]).toMatchObject({ status: "LIQUIDATING", liquidationReason: "closeOut", extendedAt: null });
    const during = called();
    during.at(T0 + MINUTE, "94", [pending(during, "5.4")]);
    during.at(DUE, "94");
    expect(during.at(DUE + MINUTE, "90.4")?.calls[0]).toMatchObject({ status: "LIQUIDATING", liquidationReason: "closeOut" });
    // Where no order may leave, a call below the maintenance requirement is overdue and not extended (R28).
    const told = called({ mode: "notify", topUpsMax: 0 });
    told.at(T0 + MINUTE, "94", [pending(told, "9")]);
    expect(typesOf(told.at(DUE, "90.4"))).toContain("margin_call.expired");
    expect(told.live()).toMatchObject({ status: "OPEN", overdueAt: DUE, extendedAt: null, deadlineAt: DEADLINE });
  });

  test("a market that is back at the call level meets the call and extends nothing (R10)", () => {
    const desk = called();
    desk.at(T0 + MINUTE, "94", [pending(desk, "5.4")]);
    expect(desk.at(DUE, "95.1")?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
  });

  test.each([
    ["restrict", "enforce"],
    ["reduce", "notify"],
  ] as const)("under %s in %s the call is not overdue before the extension is over", (onUnmet, mode) => {
    const desk = called({ onUnmet, mode });
    desk.at(T0 + MINUTE, "94", [pending(desk, "5.4")]);
    desk.at(DUE, "94");
    expect(desk.live()).toMatchObject({ overdueAt: null, deadlineAt: EXTENDED });
    expect(typesOf(desk.at(EXTENDED + 10 * SECOND, "94"))).toEqual(["margin_call.expired"]);
  });

  test("once overdue, or looked at when the extension would be over too, nothing moves", () => {
    const late = called();
    late.at(T0 + MINUTE, "94", [pending(late, "5.4")]);
    expect(typesOf(late.at(EXTENDED + 10 * SECOND, "94"))).toEqual(["margin_call.expired", "liquidation.started"]);
    const overdue = called({ onUnmet: "restrict" });
    overdue.at(DUE, "94");
    overdue.at(DUE + SECOND, "94", [pending(overdue, "5.4")]);
    expect(overdue.live()).toMatchObject({ overdueAt: DUE, extendedAt: null, deadlineAt: DEADLINE });
  });
});
