import { describe, expect, test } from "vitest";

import type { MarginAccount, Pool } from "../../core/account.ts";
import { acceptNotice, acknowledge, cancelCall, markOrdersSent, onCall } from "../../core/commands.ts";
import { decide } from "../../core/decide.ts";
import type { Fact } from "../../core/ledger.ts";
import { LIMITS } from "../../core/limits.ts";
import { money, price, quantity } from "../../core/money.ts";
import { restore } from "../../core/restore.ts";
import { assess } from "../../core/statement.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountWith, type Desk, deskOf, MINUTE, market, POLICY, perpetual, position, T0, typesOf, usdt } from "./call-fixtures.ts";

const AT_100 = { "BTC-PERP": "100", "ETH-PERP": "100", "BTC-USDT": "100" };
const BTC_94 = { ...AT_100, "BTC-PERP": "94" };

/** CROSS: 20 USDT and one ETH-PERP long at 100. The pool: 10 USDT and one BTC-PERP long at 100. The example of isolated-pools.md. */
const example = (): Desk => {
  const desk = deskOf(accountWith({ USDT: "30" }, [position("BTC-PERP", "1", "100"), position("ETH-PERP", "1", "100")]));
  desk.at(T0, AT_100, [desk.fact("pool_transfer", { occurredAt: T0, instrumentId: "BTC-PERP", amount: money("10") })]);
  return desk;
};
const poolIn = (desk: Desk, instrumentId = "BTC-PERP"): Pool => {
  const pool = desk.account().pools.get(instrumentId);
  if (pool === undefined) throw new Error(`no pool ${instrumentId}`);
  return pool;
};
const moves = (desk: Desk, amount: string, instrumentId = "BTC-PERP") =>
  desk.fact("pool_transfer", { occurredAt: T0, instrumentId, amount: money(amount) });
const deposits = (desk: Desk, amount: string) => desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money(amount) });
const trades = (desk: Desk, instrumentId: string, size: string, at: string, fee = "0") =>
  desk.fact("fill", { occurredAt: T0, instrumentId, quantity: quantity(size), price: price(at), fee: money(fee), orderId: null });
const balanceOf = ({ balances }: MarginAccount): string => `${balances.get("USDT") ?? 0n}`;

describe("R9 what moves in and out of a pool", () => {
  test("the first transfer opens it and takes the position along; cross keeps the rest", () => {
    const desk = example();
    expect(desk.account()).toMatchObject({ positions: [position("ETH-PERP", "1", "100")], outOfSync: false, level: "HEALTHY" });
    expect(balanceOf(desk.account())).toBe(`${usdt("20")}`);
    expect(poolIn(desk)).toEqual({
      instrumentId: "BTC-PERP",
      asset: "USDT",
      cash: money("10"),
      position: position("BTC-PERP", "1", "100"),
      level: "HEALTHY",
      episode: null,
      live: null,
    });
    expect(desk.changes[0]?.entries[0]?.postings).toEqual([
      { asset: "USDT", amount: money("-10") },
      { asset: "USDT", amount: money("10"), scope: "ISO#BTC-PERP" },
    ]);
  });

  test("a fill in its instrument trades its position, and pays profit and fee into its cash", () => {
    const desk = example();
    desk.at(T0, AT_100, [trades(desk, "BTC-PERP", "-0.5", "110", "0.2")]);
    expect(poolIn(desk)).toMatchObject({ cash: money("14.8"), position: position("BTC-PERP", "0.5", "100") });
    expect(balanceOf(desk.account())).toBe(`${usdt("20")}`);
    desk.at(T0, AT_100, [trades(desk, "ETH-PERP", "-1", "101")]);
    expect([balanceOf(desk.account()), poolIn(desk).cash]).toEqual([`${usdt("21")}`, money("14.8")]);
  });

  test("it is closed when it is flat and empty, and the next fill is of cross", () => {
    const desk = example();
    desk.at(T0, AT_100, [trades(desk, "BTC-PERP", "-1", "100"), moves(desk, "-10"), trades(desk, "BTC-PERP", "0.2", "100")]);
    expect(desk.account().pools.size).toBe(0);
    expect(desk.account().positions).toEqual([position("BTC-PERP", "0.2", "100"), position("ETH-PERP", "1", "100")]);
    expect(balanceOf(desk.account())).toBe(`${usdt("30")}`);
  });

  test("what it loses beyond its cash is its own deficit: cross pays none of it (R22)", () => {
    const desk = example();
    desk.at(T0, AT_100, [trades(desk, "BTC-PERP", "-1", "85")]);
    expect(poolIn(desk)).toMatchObject({ cash: money("-5"), position: null, level: "DEFAULT", live: null });
    expect(desk.account()).toMatchObject({ level: "HEALTHY", live: null });
    expect(balanceOf(desk.account())).toBe(`${usdt("20")}`);
  });

  test("cash out of a pool that is not there contradicts the feed, and no unit is lost", () => {
    const desk = deskOf(accountWith({ USDT: "30" }, [position("BTC-PERP", "1", "100")]));
    desk.at(T0, AT_100, [moves(desk, "-4")]);
    expect(desk.account()).toMatchObject({ outOfSync: true, positions: [position("BTC-PERP", "1", "100")] });
    expect([balanceOf(desk.account()), poolIn(desk).cash]).toEqual([`${usdt("34")}`, money("-4")]);
  });

  test.each(["BTC-USDT", "NOTHING"])("none is held in %s", (instrumentId) => {
    const desk = deskOf(accountWith({ USDT: "30" }));
    expect(() => desk.at(T0, AT_100, [moves(desk, "1", instrumentId)])).toThrow(`no pool is held in ${instrumentId}`);
  });

  test("as many as a transaction can hold, and no more", () => {
    const ids = Array.from({ length: LIMITS.poolsMax + 1 }, (_, index) => `P${index}-PERP`);
    const snapshot = { ...market(T0, {}), instruments: new Map(ids.map((id) => [id, perpetual(id)])) };
    const facts = ids.map(
      (instrumentId, index): Fact => ({
        ...{ kind: "pool_transfer", externalId: instrumentId, sequence: index + 2, occurredAt: T0 },
        ...{ instrumentId, amount: money("1") },
      }),
    );
    const account = accountWith({ USDT: "100" });
    expect(decide(account, snapshot, POLICY, T0, facts.slice(0, -1))?.after.pools.size).toBe(LIMITS.poolsMax);
    expect(() => decide(account, snapshot, POLICY, T0, facts)).toThrow("more than 20 pools in one account");
    // Each pool may end a call and open one, beside the account, its envelope, cross's two calls and the facts.
    expect(2 + 2 * (1 + LIMITS.poolsMax) + LIMITS.factsPerChangeMax).toBeLessThan(LIMITS.transactionRowsMax);
  });
});

describe("R9 each scope is judged by itself", () => {
  test("the worked example of isolated-pools.md: called at 94, where cross would carry it", () => {
    const desk = example();
    const change = desk.at(T0 + MINUTE, BTC_94);
    const { live, level } = poolIn(desk);
    expect([level, desk.account().level, desk.account().live]).toEqual(["CALL", "HEALTHY", null]);
    expect(live?.call).toMatchObject({
      ...{ callId: "MC-ABCDEFGHIJKL-1", scope: "ISO#BTC-PERP", status: "OPEN", equity: usdt("4"), amountDue: usdt("5.4") },
      ...{ initialRequirement: usdt("9.4"), maintenanceRequirement: usdt("0.47") },
    });
    expect(live?.call.cures).toEqual([
      { kind: "deposit", asset: "USDT", amount: money("5.4") },
      { kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: quantity("0.575") },
    ]);
    expect(desk.account().openCalls).toEqual({ "ISO#BTC-PERP": "MC-ABCDEFGHIJKL-1" });
    expect(change?.events.map(({ type, scope }) => [type, scope])).toEqual([
      ["account.level_changed", "ISO#BTC-PERP"],
      ["margin_call.issued", "ISO#BTC-PERP"],
    ]);
    // Margined together: E = 30 - 6 = 24 over IM = 19.4.
    const together = accountWith({ USDT: "30" }, [position("BTC-PERP", "1", "100"), position("ETH-PERP", "1", "100")]);
    expect(decide(together, market(T0, BTC_94), POLICY, T0)).toBeNull();
    expect(assess(desk.account(), market(T0, BTC_94), POLICY, T0).low).toMatchObject({ equityInitial: usdt("20"), initial: usdt("10") });
  });

  test("a profit of the pool does not help cross", () => {
    const desk = example();
    desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "150", "ETH-PERP": "84" });
    expect([desk.account().level, poolIn(desk).level]).toEqual(["CALL", "HEALTHY"]);
    expect(desk.live()).toMatchObject({ scope: "CROSS", amountDue: usdt("4.4") });
  });

  test("both called in one transaction: two calls, two ids, one version", () => {
    const desk = example();
    const { version } = desk.account();
    const change = desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "94", "ETH-PERP": "84" });
    expect(change?.calls.map(({ callId, scope }) => [callId, scope])).toEqual([
      ["MC-ABCDEFGHIJKL-1", "CROSS"],
      ["MC-ABCDEFGHIJKL-2", "ISO#BTC-PERP"],
    ]);
    expect(desk.account()).toMatchObject({ version: version + 1, callsOpened: 2 });
    expect(desk.account().openCalls).toEqual({ CROSS: "MC-ABCDEFGHIJKL-1", "ISO#BTC-PERP": "MC-ABCDEFGHIJKL-2" });
    expect(desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "94", "ETH-PERP": "84" })).toBeNull();
  });
});

describe("R9 what meets a pool's call", () => {
  const called = (): Desk => {
    const desk = example();
    desk.at(T0 + MINUTE, BTC_94);
    return desk;
  };

  test("a deposit in cross pays nothing of it", () => {
    const desk = called();
    const before = poolIn(desk).live?.call;
    expect(desk.at(T0 + 2 * MINUTE, BTC_94, [deposits(desk, "100")])?.calls).toEqual([]);
    expect(poolIn(desk).live?.call).toEqual(before);
  });

  test("cash moved into it does: in part, then whole", () => {
    const desk = called();
    const part = desk.at(T0 + 2 * MINUTE, BTC_94, [moves(desk, "2.7")]);
    expect(poolIn(desk).live?.call.metAmount).toBe(usdt("2.7"));
    expect(typesOf(part)).toEqual(["account.level_changed", "margin_call.partially_met"]);
    const change = desk.at(T0 + 3 * MINUTE, BTC_94, [moves(desk, "2.7")]);
    expect(change?.calls).toMatchObject([{ scope: "ISO#BTC-PERP", status: "MET", metBy: "payment", metAmount: usdt("5.4") }]);
    expect(desk.account().openCalls).toEqual({});
    expect(poolIn(desk)).toMatchObject({ live: null, level: "HEALTHY", cash: money("15.4") });
  });

  test("what is moved out again is taken off", () => {
    const desk = called();
    desk.at(T0 + 2 * MINUTE, BTC_94, [moves(desk, "3")]);
    desk.at(T0 + 2 * MINUTE, BTC_94, [moves(desk, "-1")]);
    expect(poolIn(desk).live?.call.metAmount).toBe(usdt("2"));
  });

  test("a transfer out of a pool pays cross's call, and one into it takes from that", () => {
    const desk = example();
    desk.at(T0 + MINUTE, { ...AT_100, "ETH-PERP": "84" });
    desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "120", "ETH-PERP": "84" }, [moves(desk, "-3")]);
    expect(desk.live().metAmount).toBe(usdt("3"));
    desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "120", "ETH-PERP": "84" }, [moves(desk, "1")]);
    expect(desk.live().metAmount).toBe(usdt("2"));
  });

  test("closing its position ends it flat; the same trade pays cross's call nothing", () => {
    const desk = example();
    desk.at(T0 + MINUTE, { ...BTC_94, "ETH-PERP": "84" });
    const change = desk.at(T0 + 2 * MINUTE, { ...BTC_94, "ETH-PERP": "84" }, [trades(desk, "BTC-PERP", "-1", "94")]);
    expect(change?.calls).toMatchObject([{ scope: "ISO#BTC-PERP", status: "CLOSED_FLAT" }]);
    expect(desk.live()).toMatchObject({ scope: "CROSS", status: "OPEN", metAmount: usdt("0") });
  });

  test("a position that moves from cross into a pool pays by what it frees", () => {
    const desk = deskOf(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100")]));
    desk.at(T0, { ...AT_100, "BTC-PERP": "92" });
    expect(desk.live()).toMatchObject({ scope: "CROSS", amountDue: usdt("5.2") });
    const change = desk.at(T0, { ...AT_100, "BTC-PERP": "92" }, [moves(desk, "12")]);
    expect(change?.calls.map(({ scope, status }) => [scope, status])).toEqual([
      ["CROSS", "CLOSED_FLAT"],
      ["ISO#BTC-PERP", "OPEN"],
    ]);
  });
});

describe("R9 R14 what liquidates a pool, and only it", () => {
  test("unmet at its deadline: its position only, while cross's call goes on", () => {
    const desk = example();
    desk.at(T0 + MINUTE, BTC_94);
    desk.at(T0 + 3 * MINUTE, { ...BTC_94, "ETH-PERP": "84" });
    const cross = desk.live();
    const change = desk.at(T0 + 18 * MINUTE, { ...BTC_94, "ETH-PERP": "84" });
    expect(change?.calls.map(({ callId, status }) => [callId, status])).toEqual([["MC-ABCDEFGHIJKL-1", "LIQUIDATING"]]);
    expect(change?.orders.map(({ orderId }) => orderId)).toEqual(["MC-ABCDEFGHIJKL-1-1-BTC-PERP"]);
    expect(desk.live()).toEqual(cross);
  });

  test("below its maintenance margin it is born LIQUIDATING; its fills bring it back and cross pays nothing", () => {
    const desk = example();
    const born = desk.at(T0 + MINUTE, { ...AT_100, "BTC-PERP": "90.2" });
    expect(born?.calls).toMatchObject([{ scope: "ISO#BTC-PERP", status: "LIQUIDATING", liquidationReason: "closeOut" }]);
    const [order] = born?.orders ?? [];
    if (order === undefined) throw new Error("no order");
    desk.commit(markOrdersSent(desk.account(), [order.orderId], T0 + MINUTE));
    expect(poolIn(desk).live?.orders[0]?.status).toBe("SENT");
    const fill = desk.fact("fill", {
      ...{ occurredAt: T0 + MINUTE, instrumentId: "BTC-PERP", quantity: -order.quantity as typeof order.quantity },
      ...{ price: price("90.2"), fee: money("0"), orderId: order.orderId },
    });
    const change = desk.at(T0 + 2 * MINUTE, { ...AT_100, "BTC-PERP": "90.2" }, [fill]);
    expect(change?.orders).toMatchObject([{ orderId: order.orderId, status: "FILLED" }]);
    expect(change?.events.map(({ type, scope }) => [type, scope])).toContainEqual(["liquidation.filled", "ISO#BTC-PERP"]);
    expect(change?.calls[0]).toMatchObject({ status: "LIQUIDATED" });
    expect(balanceOf(desk.account())).toBe(`${usdt("20")}`);
  });

  test("each call keeps the policy that it was opened under (R11)", () => {
    const desk = example();
    desk.at(T0 + MINUTE, BTC_94);
    const lenient = { ...POLICY, version: 2, onUnmet: "restrict" as const, graceMs: 30 * MINUTE };
    const policy = { ...lenient, ofPools: new Map([["ISO#BTC-PERP" as const, POLICY]]) };
    const change = decide(desk.account(), market(T0 + 2 * MINUTE, { ...BTC_94, "ETH-PERP": "84" }), policy, T0 + 2 * MINUTE);
    expect(change?.calls).toMatchObject([{ scope: "CROSS", policyVersion: 2, graceMs: 30 * MINUTE }]);
    expect(poolIn(desk).live?.call).toMatchObject({ policyVersion: 1, graceMs: 15 * MINUTE });
  });
});

describe("R16 what the venue states", () => {
  const state = (kind: "snapshot" | "reconciliation", over: object = {}): Fact =>
    ({
      ...{
        kind,
        externalId: `${kind}-1`,
        sequence: kind === "snapshot" ? 9 : 2,
        occurredAt: T0,
        balances: new Map([["USDT", money("20")]]),
      },
      positions: [position("BTC-PERP", "1", "100"), position("ETH-PERP", "1", "100")],
      pools: [{ instrumentId: "BTC-PERP", cash: money("10") }],
      ...over,
    }) as Fact;

  test("a statement that agrees leaves no trace", () => {
    expect(decide(example().account(), market(T0, AT_100), POLICY, T0, [state("reconciliation")])).toBeNull();
  });

  test.each([
    ["other cash", { pools: [{ instrumentId: "BTC-PERP", cash: money("11") }] }, { what: "pool BTC-PERP", book: "10", venue: "11" }],
    ["no pool", { pools: undefined }, { what: "pool BTC-PERP", book: "10", venue: "none" }],
    [
      "another position",
      { positions: [position("BTC-PERP", "2", "100"), position("ETH-PERP", "1", "100")] },
      { what: "position BTC-PERP", book: "1 at 100", venue: "2 at 100" },
    ],
  ])("%s is a difference", (_, over, difference) => {
    const change = decide(example().account(), market(T0, AT_100), POLICY, T0, [state("reconciliation", over)]);
    expect(change?.entries[0]?.differences).toEqual([difference]);
    expect(change?.after.outOfSync).toBe(true);
  });

  test("a snapshot opens pools, and closes those that it does not name", () => {
    const desk = deskOf(accountWith({ USDT: "30" }));
    desk.at(T0, AT_100, [state("snapshot")]);
    expect(poolIn(desk)).toMatchObject({ cash: money("10"), position: position("BTC-PERP", "1", "100") });
    expect(desk.account().positions).toEqual([position("ETH-PERP", "1", "100")]);
    const change = decide(desk.account(), market(T0, AT_100), POLICY, T0, [
      state("snapshot", { externalId: "s2", sequence: 10, pools: undefined, balances: new Map([["USDT", money("30")]]) }),
    ]);
    expect(change?.after.pools.size).toBe(0);
    expect(change?.after.positions).toHaveLength(2);
    expect(change?.entries[0]?.postings).toEqual([
      { asset: "USDT", amount: money("10") },
      { asset: "USDT", amount: money("-10"), scope: "ISO#BTC-PERP" },
    ]);
  });

  test("a pool that the venue has closed keeps its call until that has ended, and takes no more trades", () => {
    const desk = example();
    desk.at(T0 + MINUTE, BTC_94);
    const change = desk.at(T0 + MINUTE, BTC_94, [state("snapshot", { pools: undefined, balances: new Map([["USDT", money("30")]]) })]);
    expect(change?.calls).toMatchObject([{ scope: "ISO#BTC-PERP", status: "CLOSED_FLAT" }]);
    expect(desk.account()).toMatchObject({ openCalls: {}, outOfSync: false });
    expect(desk.account().pools.size).toBe(0);
  });
});

describe("R9 commands and checks on an account with pools", () => {
  const both = (): Desk => {
    const desk = example();
    desk.at(T0 + MINUTE, { ...BTC_94, "ETH-PERP": "84" });
    return desk;
  };
  const OF_POOL = "MC-ABCDEFGHIJKL-2";

  test("a command reaches the call that it names, and no other", () => {
    const desk = both();
    desk.commit(onCall(desk.account(), OF_POOL, (view) => acknowledge(view, "op-1", T0 + 2 * MINUTE)));
    expect([poolIn(desk).live?.call.acknowledgedBy, desk.live().acknowledgedBy]).toEqual(["op-1", null]);
    desk.commit(acceptNotice(desk.account(), POLICY, { callId: OF_POOL, acceptedAt: T0 + 2 * MINUTE }, T0 + 2 * MINUTE));
    expect([poolIn(desk).live?.call.noticeAcceptedAt, desk.live().noticeAcceptedAt]).toEqual([T0 + 2 * MINUTE, null]);
    const cancelled = desk.commit(onCall(desk.account(), OF_POOL, (view) => cancelCall(view, "a mistake", T0 + 2 * MINUTE)));
    expect(cancelled?.events).toMatchObject([{ type: "margin_call.cancelled", scope: "ISO#BTC-PERP" }]);
    expect(desk.account().openCalls).toEqual({ CROSS: "MC-ABCDEFGHIJKL-1" });
    expect(onCall(desk.account(), OF_POOL, (view) => acknowledge(view, "op-1", T0))).toBeNull();
  });

  test("R16 a withdrawal is checked against cross: a pool's call does not bar it, its profit does not help", () => {
    const desk = example();
    desk.at(T0 + MINUTE, BTC_94);
    const check = (amount: string) =>
      checkWithdrawal(desk.account(), market(T0, BTC_94), POLICY, { requestId: "r", asset: "USDT", amount: money(amount) }, T0);
    expect(check("10")).toMatchObject({ allowed: true, available: money("10") });
    expect(check("10.00000001").allowed).toBe(false);
  });

  test("S54 a restore gives a pool's call its time again", () => {
    const desk = both();
    const before = [desk.live().deadlineAt, poolIn(desk).live?.call.deadlineAt];
    const change = restore(desk.account(), POLICY, { restoredAt: T0 + 5 * MINUTE, key: "RESTOREDKEYS", version: 99 }, T0 + 5 * MINUTE);
    expect(change.calls.map(({ callId }) => callId)).toEqual(["MC-ABCDEFGHIJKL-1", OF_POOL]);
    for (const [index, call] of change.calls.entries()) expect(call.deadlineAt).toBeGreaterThan(before[index] ?? 0);
    expect(change.after).toMatchObject({ key: "RESTOREDKEYS", version: 99, outOfSync: true });
    expect(change.after.pools.get("BTC-PERP")?.live?.call.version).toBe(2);
  });
});
