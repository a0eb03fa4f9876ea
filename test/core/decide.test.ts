import { describe, expect, test } from "vitest";
import { decide } from "../../core/decide.ts";
import { LIMITS } from "../../core/limits.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money, price, type Quantity, quantity } from "../../core/money.ts";
import {
  accountWith,
  type Desk,
  deskOf,
  MINUTE,
  market,
  POLICY,
  position,
  SECOND,
  T0,
  tenTimesLong,
  typesOf,
  usdt,
} from "./call-fixtures.ts";

/** `issuedAt` is 10 s after the decision, the notice has 60 s, the grace is 15 minutes (R12). */
const DEADLINE = T0 + 10 * SECOND + MINUTE + 15 * MINUTE;
const policy = (patch: Partial<PolicyInMode>): PolicyInMode => ({ ...POLICY, ...patch });

describe("R1, R4, R12: a call opens", () => {
  test("below the call level: amount to IM, issue and deadline, two events", () => {
    const desk = deskOf(tenTimesLong());
    const change = desk.at(T0, "94");
    // E = 10 − 6 = 4, IM = 9.4, MM = 0.47.
    expect(desk.live()).toMatchObject({
      callId: "MC-ABCDEFGHIJKL-1",
      status: "OPEN",
      version: 1,
      amountDue: usdt("5.4"),
      metAmount: usdt("0"),
      equity: usdt("4"),
      initialRequirement: usdt("9.4"),
      maintenanceRequirement: usdt("0.47"),
      asset: "USDT",
      policyVersion: 1,
      onUnmet: "reduce",
      issuedAt: T0 + LIMITS.writeBudgetMs,
      graceMs: 15 * MINUTE,
      deadlineAt: DEADLINE,
      deadlineVersion: 1,
      previousCallId: null,
      episodeId: "EP-ABCDEFGHIJKL-1",
      onBadMarks: false,
      snapshotId: `S-${T0}`,
    });
    expect(desk.live().cures[0]).toEqual({ kind: "deposit", asset: "USDT", amount: usdt("5.4") });
    expect(typesOf(change)).toEqual(["account.level_changed", "margin_call.issued"]);
    expect(change?.events[0]).toMatchObject({ level: "CALL", previousLevel: "HEALTHY", allowed: "no_increase", call: null });
    expect(change?.events[1]?.call).toMatchObject({ version: 1, status: "OPEN", outstanding: usdt("5.4") });
    expect(change?.events[1]?.figures).toEqual({
      equity: usdt("4"),
      initialRequirement: usdt("9.4"),
      maintenanceRequirement: usdt("0.47"),
    });
    expect(desk.account()).toMatchObject({ version: 2, level: "CALL", openCalls: { CROSS: "MC-ABCDEFGHIJKL-1" }, callsOpened: 1 });
    expect(change?.after.version).toBe((change?.before.version ?? 0) + 1);
  });

  test.each([
    ["mode observe", "observe"],
    ["mode notify", "notify"],
  ] as const)("R28: in %s a call opens too, and never an order, even under MM", (_words, mode) => {
    const desk = deskOf(tenTimesLong(), policy({ mode }));
    const change = desk.at(T0, "90.40");
    expect(typesOf(change)).toEqual(["account.level_changed", "margin_call.issued"]);
    expect(change?.orders).toEqual([]);
    expect(desk.live().status).toBe("OPEN");
    expect(desk.at(DEADLINE + MINUTE, "90.40")?.orders).toEqual([]);
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: DEADLINE + MINUTE });
  });

  test("WARNING changes the level and opens nothing", () => {
    const desk = deskOf(tenTimesLong());
    expect(typesOf(desk.at(T0, "97"))).toEqual(["account.level_changed"]);
    expect(desk.account()).toMatchObject({ level: "WARNING", live: null, episode: null });
  });

  test("N8: a shortfall below the minimum transfer amount opens no call", () => {
    const small = accountWith({ USDT: "0.1" }, [position("BTC-PERP", "0.01", "100")]);
    const desk = deskOf(small);
    // At 94: E = 0.04, IM = 0.094, missing 0.054 against a minimum of 0.1.
    expect(typesOf(desk.at(T0, "94"))).toEqual(["account.level_changed"]);
    expect(desk.account().live).toBeNull();
    expect(desk.at(T0 + MINUTE, "94")).toBeNull();
    // The close-out level applies to it all the same.
    expect(typesOf(desk.at(T0 + 2 * MINUTE, "90.4"))).toEqual(["liquidation.started"]);
  });

  test("a healthy account, and one whose level did not change, write nothing", () => {
    const desk = deskOf(tenTimesLong());
    expect(desk.at(T0, "100")).toBeNull();
    desk.at(T0, "97");
    expect(desk.at(T0 + MINUTE, "96.5")).toBeNull();
  });

  test("a live call that was not loaded is refused: a second one must not open (I01)", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const unloaded = { ...desk.account(), live: null };
    expect(() => decide(unloaded, market(T0, { "BTC-PERP": "94" }), POLICY, T0)).toThrow("MC-ABCDEFGHIJKL-1 was not loaded");
  });

  test("R7, R20: a flat deficit is DEFAULT and gets no call", () => {
    const desk = deskOf(accountWith({ USDT: "-1" }));
    expect(typesOf(desk.at(T0, {}))).toEqual(["account.level_changed"]);
    expect(desk.account()).toMatchObject({ level: "DEFAULT", live: null });
  });

  test("R1: a debt that collateral no longer covers at its initial value is called without any position", () => {
    const desk = deskOf(accountWith({ BTC: "1", USDT: "-85" }));
    desk.at(T0, { "BTC-USDT": "100" });
    expect(desk.live()).toMatchObject({ status: "OPEN", amountDue: usdt("5"), boundBy: "debts that no collateral covers" });
    expect(desk.at(T0, { "BTC-USDT": "100" })).toBeNull();
    // Repaid far enough, nothing is required any more.
    const change = desk.at(T0 + MINUTE, { "BTC-USDT": "110" });
    expect(change?.calls[0]?.status).toBe("CLOSED_FLAT");
  });
});

describe("R10: what meets a call", () => {
  test("(a) payment in full, wherever the price is now", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    expect(desk.live()?.boundBy).toBe("BTC-PERP: bracket 1");
    const deposit = desk.fact("deposit", { occurredAt: T0 + MINUTE, asset: "USDT", amount: money("5.4") });
    const change = desk.at(T0 + MINUTE, "93", [deposit]);
    expect(change?.calls).toHaveLength(1);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment", metAmount: usdt("5.4"), version: 2, endedAt: T0 + MINUTE });
    expect(typesOf(change)).toContain("margin_call.met");
    expect(desk.account()).toMatchObject({ live: null, openCalls: {} });
  });

  test("(a) instalments add up; each is told until the last meets", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const first = desk.at(T0 + MINUTE, "94", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("1") })]);
    expect(typesOf(first)).toEqual(["margin_call.partially_met"]);
    expect(first?.events[0]?.call).toMatchObject({ version: 2, metAmount: usdt("1"), outstanding: usdt("4.4") });
    const second = desk.at(T0 + 2 * MINUTE, "94", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("4.4") })]);
    expect(second?.calls[0]?.status).toBe("MET");
  });

  test("R4: exactly what a cure said is enough, in each asset and by reduction, even at another price", () => {
    for (const kind of ["BTC", "reduce"] as const) {
      const desk = deskOf(tenTimesLong());
      desk.at(T0, { "BTC-PERP": "94", "BTC-USDT": "94" });
      const cure = desk
        .live()
        .cures.find((each) => (kind === "reduce" ? each.kind === "reduce" : each.kind === "deposit" && each.asset === "BTC"));
      const later = { "BTC-PERP": "93.5", "BTC-USDT": "93.5" };
      const occurredAt = T0 + MINUTE;
      const change =
        cure?.kind === "deposit"
          ? desk.at(occurredAt, later, [desk.fact("deposit", { occurredAt, asset: "BTC", amount: cure.amount })])
          : cure?.kind === "reduce"
            ? desk.at(occurredAt, later, [
                desk.fact("fill", {
                  occurredAt,
                  instrumentId: cure.instrumentId,
                  quantity: -cure.quantity as Quantity,
                  price: price("93.5"),
                  fee: money("0"),
                  orderId: null,
                }),
              ])
            : null;
      expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment" });
    }
  });

  test("paid, and still below the call level: the same change opens the next call with its own grace", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const now = T0 + 5 * MINUTE;
    const change = desk.at(now, "89", [desk.fact("deposit", { occurredAt: now, asset: "USDT", amount: money("5.4") })]);
    // E = 15.4 − 11 = 4.4, IM = 8.9, MM = 0.445: x = 0.468.
    expect(change?.calls.map(({ status, callId }) => [status, callId])).toEqual([
      ["MET", "MC-ABCDEFGHIJKL-1"],
      ["OPEN", "MC-ABCDEFGHIJKL-2"],
    ]);
    expect(typesOf(change)).toEqual(["margin_call.met", "margin_call.issued"]);
    expect(desk.live()).toMatchObject({
      graceMs: 15 * MINUTE,
      deadlineAt: now + 10 * SECOND + 16 * MINUTE,
      previousCallId: "MC-ABCDEFGHIJKL-1",
      episodeId: "EP-ABCDEFGHIJKL-1",
      amountDue: usdt("4.5"),
    });
    expect(desk.account().episode).toMatchObject({ calls: 2, lastCallId: "MC-ABCDEFGHIJKL-2", lastEndedAt: null });
  });

  test("(b) the market: E_i ≥ IM for 60 s without a break", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    // E_i = IM at P = 100: P − 90 = 0.1·P.
    expect(desk.at(T0 + MINUTE, "100")?.calls[0]).toMatchObject({ status: "OPEN", curedSince: T0 + MINUTE });
    expect(desk.at(T0 + MINUTE + 59 * SECOND, "100")).toBeNull();
    expect(desk.at(T0 + MINUTE + 59 * SECOND, "99.99")?.calls[0]).toMatchObject({ curedSince: null });
    desk.at(T0 + 3 * MINUTE, "101");
    const change = desk.at(T0 + 4 * MINUTE, "101");
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
    expect(typesOf(change)).toEqual(["margin_call.met"]);
  });

  test("(b) never on a mark that is not GOOD (I08)", () => {
    const desk = deskOf(accountWith({ USDT: "100" }, [position("BTC-PERP", "1", "190"), position("DEAD-PERP", "0.001", "1")]));
    desk.at(T0, { "BTC-PERP": "94", "DEAD-PERP": "1" });
    const stale = { "BTC-PERP": "150", "DEAD-PERP": ["1", 6 * MINUTE] as const };
    desk.at(T0 + MINUTE, stale);
    desk.at(T0 + 3 * MINUTE, stale);
    expect(desk.live()).toMatchObject({ status: "OPEN", curedSince: null });
  });

  test("at the deadline being at the call level is enough", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    expect(desk.at(DEADLINE + 9 * SECOND, "95")).toBeNull();
    const change = desk.at(DEADLINE + 10 * SECOND, "95");
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "market" });
    expect(change?.calls).toHaveLength(1);
  });

  test("a withdrawal takes back what a deposit had paid", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    desk.at(T0 + MINUTE, "94", [desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("5") })]);
    desk.at(T0 + MINUTE, "94", [desk.fact("withdrawal", { occurredAt: T0, asset: "USDT", amount: money("3") })]);
    expect(desk.live().metAmount).toBe(usdt("2"));
    desk.at(T0 + MINUTE, "94", [desk.fact("withdrawal", { occurredAt: T0, asset: "USDT", amount: money("3") })]);
    expect(desk.live().metAmount).toBe(usdt("0"));
  });
});

describe("R11: episodes", () => {
  const metAfter = (minutes: number, price: string) => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const now = T0 + minutes * MINUTE;
    desk.at(now, price, [desk.fact("deposit", { occurredAt: now, asset: "USDT", amount: money("5.4") })]);
    return { desk, endedAt: now };
  };

  test.each([
    ["5 minutes used", 5, 11 * MINUTE + 10 * SECOND],
    ["all but 30 s used", 15.6666, MINUTE],
  ])("within the cool-down the grace is what was left, never under graceMin: %s", (_words, minutes, graceMs) => {
    const { desk, endedAt } = metAfter(minutes, "97");
    desk.at(endedAt + 9 * MINUTE, "88");
    expect(desk.live()).toMatchObject({ callId: "MC-ABCDEFGHIJKL-2", previousCallId: "MC-ABCDEFGHIJKL-1", episodeId: "EP-ABCDEFGHIJKL-1" });
    expect(desk.live().graceMs).toBe(graceMs);
  });

  test("after the cool-down, in the same episode, the grace is the policy's", () => {
    const { desk, endedAt } = metAfter(14, "91.5");
    desk.at(endedAt + 10 * MINUTE + 1, "88");
    expect(desk.live()).toMatchObject({ graceMs: 15 * MINUTE, previousCallId: "MC-ABCDEFGHIJKL-1", episodeId: "EP-ABCDEFGHIJKL-1" });
  });

  test("an episode ends after 10 minutes in HEALTHY, with no write for it", () => {
    const { desk, endedAt } = metAfter(5, "97");
    expect(desk.account()).toMatchObject({ level: "HEALTHY" });
    expect(desk.account().episode).toMatchObject({ healthySince: endedAt, lastEndedAt: endedAt });
    expect(desk.at(endedAt + 10 * MINUTE, "97")).toBeNull();
    desk.at(endedAt + 10 * MINUTE, "88");
    expect(desk.live()).toMatchObject({ graceMs: 15 * MINUTE, previousCallId: null, episodeId: "EP-ABCDEFGHIJKL-2" });
  });

  test("no episode ends under its live call, however long the account is HEALTHY", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    desk.at(T0 + SECOND, "98");
    expect(desk.account()).toMatchObject({ level: "HEALTHY", live: { call: { status: "OPEN" } } });
    desk.at(T0 + 12 * MINUTE, "96");
    expect(desk.account().episode).toMatchObject({ episodeId: "EP-ABCDEFGHIJKL-1", healthySince: null });
  });

  test("9 minutes in HEALTHY end nothing", () => {
    const { desk, endedAt } = metAfter(5, "97");
    desk.at(endedAt + 9 * MINUTE, "91.5");
    expect(desk.account()).toMatchObject({ level: "WARNING", episode: { healthySince: null } });
    desk.at(endedAt + 60 * MINUTE, "88");
    expect(desk.live().episodeId).toBe("EP-ABCDEFGHIJKL-1");
  });
});

describe("R8, S52: an account that went flat", () => {
  const close = (desk: Desk, at: string) =>
    desk.fact("fill", {
      occurredAt: T0,
      instrumentId: "BTC-PERP",
      quantity: quantity("-1"),
      price: price(at),
      fee: money("0"),
      orderId: null,
    });

  test("with E ≥ 0 the call is CLOSED_FLAT", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const change = desk.at(T0 + MINUTE, "94", [close(desk, "94")]);
    expect(change?.calls[0]).toMatchObject({ status: "CLOSED_FLAT", endedAt: T0 + MINUTE });
    expect(desk.account()).toMatchObject({ level: "HEALTHY", live: null, positions: [] });
    expect(desk.account().balances.get("USDT")).toBe(usdt("4"));
  });

  test("with E < 0 it is DEFAULT and the call stays", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "94");
    const change = desk.at(T0 + MINUTE, "89", [close(desk, "89")]);
    expect(desk.account()).toMatchObject({ level: "DEFAULT", positions: [] });
    expect(change?.calls.filter(({ status }) => status !== "OPEN")).toEqual([]);
    expect(desk.live().status).toBe("OPEN");
    // Its deadline makes it overdue; there is nothing to sell.
    desk.at(DEADLINE + MINUTE, "89");
    expect(desk.live()).toMatchObject({ status: "OPEN", overdueAt: DEADLINE + MINUTE });
    expect(desk.account().live?.orders).toEqual([]);
  });
});
