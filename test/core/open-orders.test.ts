import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount, Standing } from "../../core/account.ts";
import { footprintOf } from "../../core/footprint.ts";
import type { Fact, OpenOrders } from "../../core/ledger.ts";
import { isCloseOut } from "../../core/level.ts";
import { planLiquidation } from "../../core/liquidation-plan.ts";
import { type MarginModel, STANDARD_MODEL } from "../../core/margin-model.ts";
import { decimal, money, price, type Quantity, quantity } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { viewOf } from "../../core/scope.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { standingOf, withStanding } from "../../core/standing.ts";
import { assess } from "../../core/statement.ts";
import { explain } from "../../core/what-if.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import "../seed.ts";
import { accountWith, deskOf, MINUTE, market, POLICY, position, T0, tenTimesLong, typesOf } from "./call-fixtures.ts";
import { accounts, CONTRACTS, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const ordersOf = (instrumentId: string, buys: string, sells: string): OpenOrders => ({
  instrumentId,
  buys: quantity(buys),
  sells: quantity(sells),
});
const tell = (desk: ReturnType<typeof deskOf>, instrumentId: string, buys: string, sells: string): Fact =>
  desk.fact("open_orders", { occurredAt: T0, ...ordersOf(instrumentId, buys, sells) });
const with1 = (account: MarginAccount, instrumentId: string, buys: string, sells: string): MarginAccount =>
  withStanding(account, instrumentId, ordersOf(instrumentId, buys, sells));
const AT_100 = { "BTC-PERP": "100", "ETH-PERP": "100", "BTC-USDT": "100" };
const reserved = { requestId: "W-1", asset: "USDT", amount: money("1") };

describe("M3 what open orders require", () => {
  test("the table of order-margin.md, on the account as it is decided", () => {
    const rows = modelTable("order-margin.md", "position");
    expect(rows).toHaveLength(6);
    for (const [held = "", buys = "", sells = "", initial, maintenance, part] of rows) {
      const positions = held === "0" ? [] : [position("BTC-PERP", held, "100")];
      const account = with1(accountWith({ USDT: "50" }, positions), "BTC-PERP", buys, sells);
      const { low, components } = assess(account, market(T0, AT_100), POLICY, T0);
      expect([decimal(low.initial), decimal(low.maintenance)]).toEqual([initial, maintenance]);
      const orders = components.find(({ name }) => name === "open orders of BTC-PERP");
      expect(orders === undefined ? "none" : decimal(orders.initial)).toBe(part);
    }
  });

  test("an instrument without a mark counts nothing, and no withdrawal is allowed until it has one", () => {
    const account = with1(accountWith({ USDT: "50" }), "BTC-INV", "5", "0");
    expect(assess(account, market(T0, AT_100), POLICY, T0).low.initial).toBe(0n);
    expect(checkWithdrawal(account, market(T0, AT_100), POLICY, reserved, T0)).toMatchObject({
      allowed: false,
      reason: "R3: no price for an instrument with open orders",
    });
  });

  test("where nothing is held a bad mark counts at its adverse edge, and says nothing of the account's quality", () => {
    const stale = market(T0, { ...AT_100, "ETH-PERP": ["100", 6 * MINUTE] });
    const account = with1(tenTimesLong(), "ETH-PERP", "0", "1");
    const statement = assess(account, stale, POLICY, T0);
    // 10 of the position, and 10 % of 105: a sold contract at the upper edge of the band of 5 %.
    expect([decimal(statement.low.initial), decimal(statement.high.initial), statement.quality]).toEqual(["20.5", "20", "GOOD"]);
  });

  test("a withdrawal counts them, also of an account that holds nothing", () => {
    const account = with1(accountWith({ USDT: "50" }), "BTC-PERP", "3", "1");
    expect(decimal(checkWithdrawal(account, market(T0, AT_100), POLICY, reserved, T0).available)).toBe("20");
    expect(assess(account, market(T0, AT_100), POLICY, T0).low.maintenance).toBe(0n);
  });

  test("options: what is sold needs its margin, what is bought its premium, the worst of both sides", () => {
    const EXPIRY = NOW + 30 * 86_400_000;
    const option = {
      underlyingId: "FUT",
      strike: price("60000"),
      right: "call",
      style: "premium",
      settlement: "linear",
      averagingMs: 0,
    } as const;
    const call = contract("C", { kind: "option", tiers: [], expiryAt: EXPIRY, option });
    const snapshot = snapshotOf([call, contract("FUT", { expiryAt: EXPIRY })], { C: "4000", FUT: "60000" });
    const initialOf = (buys: string, sells: string): string =>
      decimal(assess(with1(accountOf({ USDT: "1" }), "C", buys, sells), snapshot, policyWith([bare("USDT")]), NOW).low.initial);
    // Sold at the money: 15 % of 60,000 and the value of 4,000.
    expect([initialOf("0", "1"), initialOf("1", "0"), initialOf("5", "1")]).toEqual(["13000", "4000", "20000"]);
  });
});

describe("what orders do to a call", () => {
  test("they open one that names them; cancelled they pay nothing, and the market meets it", () => {
    const desk = deskOf(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100")]));
    const issued = desk.at(T0, AT_100, [tell(desk, "BTC-PERP", "0", "4")]);
    expect(typesOf(issued)).toContain("margin_call.issued");
    expect(desk.live()).toMatchObject({ amountDue: money("18"), boundBy: "open orders of BTC-PERP", initialRequirement: money("30") });
    const cancelled = desk.at(T0 + MINUTE, AT_100, [tell(desk, "BTC-PERP", "0", "0")]);
    expect(cancelled?.after.standing.size).toBe(0);
    expect(desk.live()).toMatchObject({ status: "OPEN", metAmount: money("0") });
    expect(typesOf(desk.at(T0 + 2 * MINUTE, AT_100))).toContain("margin_call.met");
  });

  test("a snapshot that heals the feed without them pays nothing either", () => {
    const desk = deskOf(with1(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100")]), "BTC-PERP", "0", "4"));
    desk.at(T0, AT_100);
    const { balances, positions } = desk.account();
    desk.at(T0 + 1, AT_100, [desk.fact("snapshot", { occurredAt: T0 + 1, balances, positions })]);
    expect(desk.account().standing.size).toBe(0);
    expect(desk.live()).toMatchObject({ status: "OPEN", metAmount: money("0") });
  });

  test("explain lists their cancellation as the cheapest cure, where that alone is enough", () => {
    const account = with1(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100")]), "BTC-PERP", "0", "4");
    const { cures, boundBy } = explain(account, market(T0, AT_100), POLICY, T0);
    expect(cures[0]).toEqual({ cure: { kind: "cancel_orders" }, cost: 0n });
    expect(boundBy).toBe("open orders of BTC-PERP");
    const poor = { ...account, balances: new Map([["USDT", money("9")]]) };
    expect(explain(poor, market(T0, AT_100), POLICY, T0).cures.map(({ cure }) => cure.kind)).not.toContain("cancel_orders");
  });

  test("a reduction is sized with them, up to where the other side outweighs what is left", () => {
    // Long 4 with buys of 4: closing 3 leaves max(1 + 4, 0) at 10 each.
    const account = with1(accountWith({ USDT: "50" }, [position("BTC-PERP", "4", "100")]), "BTC-PERP", "4", "0");
    const { cures } = explain(account, market(T0, AT_100), POLICY, T0);
    expect(cures.map(({ cure }) => cure)).toContainEqual({
      kind: "reduce",
      instrumentId: "BTC-PERP",
      side: "sell",
      quantity: quantity("3"),
    });
    // With sells of 6 as well, closing 3 would leave max(5, 5): enough. With sells of 7 the least that can be is 5.5.
    const some = (sells: string) => explain(with1(account, "BTC-PERP", "4", sells), market(T0, AT_100), POLICY, T0).cures;
    expect(some("6").map(({ cure }) => cure.kind)).toContain("reduce");
    expect(some("7").map(({ cure }) => cure.kind)).not.toContain("reduce");
  });

  test("M12 unmet at the deadline: orders that alone keep it below are cancelled first, and nothing is closed", () => {
    const desk = deskOf(with1(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100")]), "BTC-PERP", "0", "4"));
    desk.at(T0, AT_100);
    const expired = desk.at(T0 + 20 * MINUTE, AT_100);
    expect(typesOf(expired)).toEqual(["margin_call.expired"]);
    expect(desk.changes.flatMap(({ orders }) => orders)).toEqual([]);
    desk.at(T0 + 21 * MINUTE, AT_100, [tell(desk, "BTC-PERP", "0", "0")]);
    expect(desk.account().live).toBeNull();
  });

  test("M12 a liquidation under its call level closes as much as without them", () => {
    const bare1 = accountWith({ USDT: "4" }, [position("BTC-PERP", "1", "100")]);
    const planned = (account: MarginAccount) => {
      const desk = deskOf(account);
      desk.at(T0, AT_100);
      return desk.at(T0 + 20 * MINUTE, AT_100)?.orders.map(({ quantity: size }) => decimal(size));
    };
    expect(planned(bare1)).toEqual(["0.302"]);
    expect(planned(with1(bare1, "BTC-PERP", "2", "5"))).toEqual(["0.302"]);
  });

  test("M12 it is done when it has closed what it must, though the venue has not told that the orders are gone", () => {
    const desk = deskOf(with1(accountWith({ USDT: "4" }, [position("BTC-PERP", "1", "100")]), "BTC-PERP", "0", "5"));
    desk.at(T0, AT_100);
    const [order] = desk.at(T0 + 20 * MINUTE, AT_100)?.orders ?? [];
    const sold = {
      instrumentId: "BTC-PERP",
      quantity: quantity("-0.302"),
      price: price("100"),
      fee: money("0"),
      orderId: order?.orderId ?? "",
    };
    const filled = desk.at(T0 + 21 * MINUTE, AT_100, [desk.fact("fill", { occurredAt: T0, ...sold })]);
    expect(typesOf(filled)).toEqual(expect.arrayContaining(["liquidation.filled", "liquidation.completed"]));
  });
});

describe("R16 what the feed tells", () => {
  test("figures replace those before, none is let go, and spot pairs and unknown instruments are refused", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, AT_100, [tell(desk, "BTC-PERP", "1", "2"), tell(desk, "ETH-PERP", "0", "1"), tell(desk, "BTC-PERP", "0.5", "0")]);
    expect([...desk.account().standing.values()]).toEqual([
      { buys: quantity("0.5"), sells: quantity("0"), leverage: null, kept: null },
      { buys: quantity("0"), sells: quantity("1"), leverage: null, kept: null },
    ]);
    desk.at(T0, AT_100, [tell(desk, "ETH-PERP", "0", "0")]);
    expect([...desk.account().standing.keys()]).toEqual(["BTC-PERP"]);
    for (const id of ["BTC-USDT", "NOTHING"])
      expect(() => desk.at(T0, AT_100, [tell(desk, id, "1", "0")])).toThrow(`no orders are margined in ${id}`);
  });

  test("a reconciliation names the instrument in which they differ", () => {
    const desk = deskOf(with1(accountWith({ USDT: "50" }), "BTC-PERP", "1", "0"));
    const stated = { occurredAt: T0, balances: desk.account().balances, positions: [] };
    const check = (orders: readonly OpenOrders[]) => ({ ...desk.fact("reconciliation", { ...stated, orders }), sequence: 1 });
    expect(desk.at(T0, AT_100, [check([ordersOf("BTC-PERP", "1", "0")])])).toBeNull();
    expect(desk.at(T0, AT_100, [check([ordersOf("ETH-PERP", "0", "2")])])?.entries[0]?.differences).toEqual([
      { what: "orders BTC-PERP", book: "1 to buy, 0 to sell", venue: "none" },
      { what: "orders ETH-PERP", book: "none", venue: "0 to buy, 2 to sell" },
    ]);
    expect(desk.account().outOfSync).toBe(true);
  });

  test("R9 orders in an instrument with a pool are the pool's, and of cross again once it is closed", () => {
    const desk = deskOf(accountWith({ USDT: "60" }, [position("BTC-PERP", "1", "100")]));
    const moves = (amount: string) => desk.fact("pool_transfer", { occurredAt: T0, instrumentId: "BTC-PERP", amount: money(amount) });
    desk.at(T0, AT_100, [moves("30"), tell(desk, "BTC-PERP", "1", "0"), tell(desk, "ETH-PERP", "1", "0")]);
    const initials = () =>
      (["CROSS", "ISO#BTC-PERP"] as const).map((scope) =>
        decimal(assess(viewOf(desk.account(), scope), market(T0, AT_100), POLICY, T0).low.initial),
      );
    expect(initials()).toEqual(["10", "20"]);
    desk.at(T0, AT_100, [
      desk.fact("fill", {
        occurredAt: T0,
        instrumentId: "BTC-PERP",
        quantity: quantity("-1"),
        price: price("100"),
        fee: money("0"),
        orderId: null,
      }),
      moves("-30"),
    ]);
    expect(desk.account().pools.size).toBe(0);
    expect(initials()).toEqual(["20", "0"]);
  });

  test("I27 their instruments belong to what a decision looked at", () => {
    const desk = deskOf(with1(tenTimesLong(), "ETH-PERP", "20", "0"));
    const change = desk.at(T0, AT_100);
    expect(change).not.toBeNull();
    if (change === null) return;
    const marks = footprintOf(change, market(T0, { ...AT_100, "DEAD-PERP": "1" }), POLICY).marks;
    expect([...marks.keys()].sort()).toEqual(["BTC-PERP", "BTC-USDT", "ETH-PERP"]);
  });
});

const drawnOrders = fc.array(
  fc.record({ id: fc.constantFrom(...CONTRACTS), buys: fc.integer({ min: 0, max: 3_000 }), sells: fc.integer({ min: 0, max: 3_000 }) }),
  { minLength: 1, maxLength: 4 },
);
const sized = (whole: number): Quantity => (BigInt(whole) * 1_000_000n) as Quantity;
const ordered = (account: MarginAccount, drawn: readonly { id: string; buys: number; sells: number }[]): MarginAccount =>
  drawn.reduce((held, { id, buys, sells }) => withStanding(held, id, { buys: sized(buys), sells: sized(sells) }), account);

const MODELS: readonly MarginModel[] = [STANDARD_MODEL, { kind: "portfolio", terms: STANDARD_TERMS, statistical: null }];

describe("properties", () => {
  test("an order never lowers IM, and changes no equity, no MM, no close-out and no liquidation", () => {
    fc.assert(
      fc.property(
        accounts,
        drawnOrders,
        snapshots(["GOOD", "GOOD", "GOOD", "STALE", "SUSPECT", "MISSING"]),
        policies,
        fc.constantFrom(...MODELS),
        (account, drawn, snapshot, terms, model) => {
          const policy = { ...terms, model };
          const after = ordered(account, drawn);
          const [bare1, with2] = [account, after].map((each) => assess(each, snapshot, policy, NOW)) as [
            ReturnType<typeof assess>,
            ReturnType<typeof assess>,
          ];
          for (const side of ["low", "high"] as const) {
            const { initial, ...rest } = with2[side];
            expect(initial >= bare1[side].initial).toBe(true);
            expect({ ...rest, initial: bare1[side].initial }).toEqual(bare1[side]);
          }
          expect([with2.quality, isCloseOut(after, with2, policy.levels)]).toEqual([
            bare1.quality,
            isCloseOut(account, bare1, policy.levels),
          ]);
          const [plan, planWith] = [
            { account, statement: bare1 },
            { account: after, statement: with2 },
          ].map((each) => planLiquidation({ ...each, snapshot, policy, target: "callLevel", now: NOW }));
          expect(planWith).toEqual(plan);
          if (standingOf(after).size > 0) expect(isSurelyQuiet(after, snapshot, policy, NOW)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("more of the same side never lowers IM, and the named parts are the requirement", () => {
    fc.assert(
      fc.property(
        accounts,
        drawnOrders,
        snapshots(["GOOD", "GOOD", "STALE"]),
        policies,
        fc.integer({ min: 1, max: 500 }),
        (account, drawn, snapshot, policy, more) => {
          const some = assess(ordered(account, drawn), snapshot, policy, NOW);
          const larger = assess(
            ordered(
              account,
              drawn.map((each) => ({ ...each, buys: each.buys + more, sells: each.sells + more })),
            ),
            snapshot,
            policy,
            NOW,
          );
          expect(larger.low.initial >= some.low.initial).toBe(true);
          const excess = some.components.reduce((sum, { initial }) => sum + initial, 0n) - some.low.initial;
          expect(excess >= -1n && excess <= 2n * BigInt(some.components.length)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("what stands is never empty, and sorted", () => {
    const none: Partial<Standing> = { buys: sized(0), sells: sized(0) };
    fc.assert(
      fc.property(drawnOrders, (drawn) => {
        const after = ordered(accountOf({}, [leg("BTC-PERP", "1", "100")]), drawn);
        expect([...after.standing.keys()]).toEqual([...after.standing.keys()].sort());
        expect(CONTRACTS.reduce((held, id) => withStanding(held, id, none), after).standing.size).toBe(0);
      }),
    );
  });
});
