import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { acceptNotice, acknowledge, cancelCall, markOrdersSent } from "../../core/commands.ts";
import { decide } from "../../core/decide.ts";
import { type Money, money } from "../../core/money.ts";
import { assess } from "../../core/statement.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountWith, deskOf, MINUTE, market, POLICY, position, SECOND, T0, tenTimesLong, typesOf, usdt } from "./call-fixtures.ts";

const ISSUED = T0 + 10 * SECOND;
const DEADLINE = ISSUED + MINUTE + 15 * MINUTE;
const called = () => {
  const desk = deskOf(tenTimesLong());
  desk.at(T0, "94");
  return desk;
};

describe("R8: acknowledging is a fact, not a state", () => {
  test("once, with who and when; the clock goes on", () => {
    const desk = called();
    const change = desk.commit(acknowledge(desk.account(), "op-1", T0 + MINUTE));
    expect(typesOf(change)).toEqual(["margin_call.acknowledged"]);
    expect(change?.events[0]).toMatchObject({
      figures: null,
      level: "CALL",
      previousLevel: null,
      allowed: "no_increase",
      call: { version: 2 },
    });
    expect(desk.live()).toMatchObject({
      acknowledgedAt: T0 + MINUTE,
      acknowledgedBy: "op-1",
      status: "OPEN",
      deadlineAt: DEADLINE,
      version: 2,
    });
    expect(desk.account().version).toBe(3);
    expect(acknowledge(desk.account(), "op-2", T0 + 2 * MINUTE)).toBeNull();
    expect(acknowledge(tenTimesLong(), "op-1", T0)).toBeNull();
  });
});

describe("R12: the first accepted notice", () => {
  const accept = (desk: ReturnType<typeof called>, acceptedAt: number, now = acceptedAt, callId = "MC-ABCDEFGHIJKL-1") =>
    desk.commit(acceptNotice(desk.account(), POLICY, { callId, acceptedAt }, now));

  test("within the allowance it is recorded and moves nothing", () => {
    const desk = called();
    const change = accept(desk, ISSUED + MINUTE);
    expect(change?.events).toEqual([]);
    expect(desk.live()).toMatchObject({
      noticeAcceptedAt: ISSUED + MINUTE,
      deadlineAt: DEADLINE,
      deadlineVersion: 1,
      deadlineMovedForNotice: false,
    });
  });

  test("later than the allowance it moves the deadline later, once, with an event (I05)", () => {
    const desk = called();
    const acceptedAt = ISSUED + 3 * MINUTE;
    const change = accept(desk, acceptedAt);
    expect(typesOf(change)).toEqual(["margin_call.deadline_changed"]);
    expect(desk.live()).toMatchObject({ deadlineAt: acceptedAt + 15 * MINUTE, deadlineVersion: 2, deadlineMovedForNotice: true });
    expect(accept(desk, acceptedAt + MINUTE)).toBeNull();
  });

  test("never earlier: a deadline that a top-up moved further stays", () => {
    const desk = deskOf(tenTimesLong(), { ...POLICY, topUpGraceMs: 60 * MINUTE });
    desk.at(T0, "94");
    desk.at(T0 + MINUTE, "92.3");
    const deadlineAt = desk.live().deadlineAt;
    expect(accept(desk, ISSUED + 5 * MINUTE)?.events).toEqual([]);
    expect(desk.live()).toMatchObject({ deadlineAt, deadlineMovedForNotice: false, noticeAcceptedAt: ISSUED + 5 * MINUTE });
  });

  test("a channel's clock ahead of ours counts by the tolerated skew at most", () => {
    const desk = called();
    accept(desk, ISSUED + 60 * MINUTE, ISSUED + 2 * MINUTE);
    expect(desk.live()).toMatchObject({ noticeAcceptedAt: ISSUED + 2 * MINUTE + 5 * SECOND });
  });

  test("of another call, without a call, on an overdue or waiting call: no deadline moves", () => {
    expect(accept(called(), ISSUED, ISSUED, "MC-OTHER-1")).toBeNull();
    expect(acceptNotice(tenTimesLong(), POLICY, { callId: "MC-ABCDEFGHIJKL-1", acceptedAt: T0 }, T0)).toBeNull();
    const overdue = deskOf(tenTimesLong(), { ...POLICY, onUnmet: "restrict" });
    overdue.at(T0, "94");
    overdue.at(DEADLINE + MINUTE, "94");
    expect(accept(overdue, DEADLINE + 2 * MINUTE)?.events).toEqual([]);
    expect(overdue.live().deadlineAt).toBe(DEADLINE);
    const waiting = deskOf(tenTimesLong());
    waiting.at(T0, { "BTC-PERP": ["97.5", 6 * MINUTE] });
    expect(accept(waiting, ISSUED + 5 * MINUTE)?.events).toEqual([]);
    expect(waiting.live()).toMatchObject({ deadlineAt: null, noticeAcceptedAt: ISSUED + 5 * MINUTE });
  });
});

describe("I06, I09: orders are handed over once, and only out of LIQUIDATING", () => {
  test("PENDING to SENT, one event an order", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "90.4");
    const [order] = desk.account().live?.orders ?? [];
    const change = desk.commit(markOrdersSent(desk.account(), [order?.orderId ?? "", "unknown"], T0 + SECOND));
    expect(change?.orders).toEqual([{ ...order, status: "SENT", sentAt: T0 + SECOND }]);
    expect(change?.calls).toEqual([]);
    expect(change?.events).toEqual([
      expect.objectContaining({
        type: "liquidation.order_sent",
        order: expect.objectContaining({ orderId: order?.orderId, fillPrice: null }),
      }),
    ]);
    expect(change?.events[0]?.call).toMatchObject({ status: "LIQUIDATING", version: 1 });
    expect(markOrdersSent(desk.account(), [order?.orderId ?? ""], T0 + 2 * SECOND)).toBeNull();
  });

  test("nothing to hand over without a call in LIQUIDATING", () => {
    expect(markOrdersSent(tenTimesLong(), ["x"], T0)).toBeNull();
    expect(markOrdersSent(called().account(), ["x"], T0)).toBeNull();
  });
});

describe("R8, S22: cancelling", () => {
  test("an OPEN call ends; the next sweep opens another where the breach is real", () => {
    const desk = called();
    const change = desk.commit(cancelCall(desk.account(), "the venue cancelled the trades", T0 + MINUTE));
    expect(change?.calls).toEqual([expect.objectContaining({ status: "CANCELLED", endedAt: T0 + MINUTE, version: 2 })]);
    expect(change?.events).toEqual([
      expect.objectContaining({ type: "margin_call.cancelled", reason: "R8: the venue cancelled the trades" }),
    ]);
    expect(desk.account()).toMatchObject({ live: null, openCalls: {}, episode: { lastEndedAt: T0 + MINUTE } });
    expect(desk.at(T0 + 2 * MINUTE, "94")?.calls[0]).toMatchObject({ status: "OPEN", previousCallId: "MC-ABCDEFGHIJKL-1" });
  });

  test("a call in LIQUIDATING, or none, is not cancelled", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "90.4");
    expect(cancelCall(desk.account(), "x", T0)).toBeNull();
    expect(cancelCall(tenTimesLong(), "x", T0)).toBeNull();
    const orphan: MarginAccount = { ...called().account(), episode: null };
    expect(cancelCall(orphan, "x", T0)?.after.episode).toBeNull();
  });
});

describe("R16, I18: a withdrawal is decided beforehand and reserves", () => {
  const check = (
    account: MarginAccount,
    amount: string,
    prices: Parameters<typeof market>[1] = { "BTC-PERP": "100", "BTC-USDT": "100" },
    asset = "USDT",
  ) => checkWithdrawal(account, market(T0, prices), POLICY, { requestId: "w-1", asset, amount: money(amount) }, T0);

  test.each<[words: string, account: MarginAccount, amount: string, allowed: boolean, available: string]>([
    ["all of the cash without a position", accountWith({ USDT: "50" }), "50", true, "50"],
    ["more than there is", accountWith({ USDT: "50" }), "50.00000001", false, "50"],
    ["nothing", accountWith({ USDT: "50" }), "0", false, "50"],
    ["down to IM", accountWith({ USDT: "50" }, [position("BTC-PERP", "1", "100")]), "40", true, "40"],
    ["below IM", accountWith({ USDT: "50" }, [position("BTC-PERP", "1", "100")]), "40.00000001", false, "40"],
    ["unrealised profit is not withdrawn", accountWith({ USDT: "50" }, [position("BTC-PERP", "1", "60")]), "41", false, "40"],
    ["unrealised loss is covered first", accountWith({ USDT: "50" }, [position("BTC-PERP", "1", "120")]), "20", true, "20"],
    ["at IM exactly nothing is free", accountWith({ USDT: "10" }, [position("BTC-PERP", "1", "100")]), "1", false, "0"],
    ["WARNING has nothing above IM", accountWith({ USDT: "7" }, [position("BTC-PERP", "1", "100")]), "1", false, "0"],
  ])("%s", (_words, account, amount, allowed, available) => {
    const decision = check(account, amount);
    expect(decision).toMatchObject({ allowed, available: usdt(available) });
    expect(decision.change === null).toBe(!allowed);
  });

  test("what is reserved is gone for the next check, and released by the fact", () => {
    const account = accountWith({ USDT: "50", BTC: "1" }, [position("BTC-PERP", "1", "100")]);
    const first = check(account, "20").change?.after as MarginAccount;
    expect(first).toMatchObject({ version: 2, reserved: new Map([["USDT", money("20")]]) });
    const second = check(first, "0.5", undefined, "BTC").change?.after as MarginAccount;
    expect([...second.reserved.keys()]).toEqual(["BTC", "USDT"]);
    expect(check(second, "40").allowed).toBe(false);
    const fact = { kind: "withdrawal" as const, externalId: "x", sequence: 2, occurredAt: T0, asset: "USDT", amount: money("20") };
    const booked = decide(second, market(T0, { "BTC-PERP": "100", "BTC-USDT": "100" }), POLICY, T0, [fact]);
    expect(booked?.after.reserved).toEqual(new Map([["BTC", money("0.5")]]));
    expect(booked?.after.balances.get("USDT")).toBe(usdt("30"));
  });

  test.each<[words: string, account: MarginAccount, reason: string]>([
    ["under a live call", called().account(), "R16: a margin call is live"],
    ["under a live call that was not loaded", { ...called().account(), live: null }, "R16: a margin call is live"],
    ["out of sync", { ...tenTimesLong(), outOfSync: true }, "R16: the account's feed has a gap"],
    ["at the call level", accountWith({ USDT: "5" }, [position("BTC-PERP", "1", "100")]), "M10: at the call level or deeper"],
    ["a price is missing", accountWith({ USDT: "50" }, [position("ETH-PERP", "0.001", "100")]), "R3: a price is missing"],
  ])("refused: %s", (_words, account, reason) => {
    expect(check(account, "1")).toEqual({ allowed: false, reason, available: usdt("0"), change: null });
  });

  test("a stale mark is valued on its adverse edge (R3)", () => {
    const account = accountWith({ USDT: "50" }, [position("BTC-PERP", "1", "100")]);
    // At the band's lower edge, 95: E = 45, IM = 9.5.
    expect(check(account, "1", { "BTC-PERP": ["100", 6 * MINUTE] }).available).toBe(usdt("35.5"));
  });

  test("I18: whatever is allowed leaves equity at IM or above, and a unit more would not", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 11n }),
        fc.bigInt({ min: 0n, max: 10n ** 10n }),
        fc.integer({ min: 50, max: 150 }),
        fc.bigInt({ min: 1n, max: 10n ** 11n }),
        (cash, coin, at, amount) => {
          const account: MarginAccount = {
            ...accountWith({}, [position("BTC-PERP", "1", "100")]),
            balances: new Map([
              ["BTC", coin as Money],
              ["USDT", cash as Money],
            ]),
          };
          const snapshot = market(T0, { "BTC-PERP": String(at), "BTC-USDT": String(at) });
          const decision = checkWithdrawal(account, snapshot, POLICY, { requestId: "w", asset: "USDT", amount: amount as Money }, T0);
          expect(decision.allowed).toBe(amount <= decision.available);
          const cautious = { ...POLICY, unrealisedProfitIm: 0 };
          if (decision.change !== null) {
            const { low } = assess(decision.change.after, snapshot, cautious, T0);
            expect(low.equityInitial >= low.initial).toBe(true);
          }
          if (decision.available > 0n && decision.available < cash) {
            const more = new Map([["USDT", (decision.available + 1n) as Money]]);
            const { low } = assess({ ...account, reserved: more }, snapshot, cautious, T0);
            expect(low.equityInitial < low.initial).toBe(true);
          }
        },
      ),
    );
  });
});
