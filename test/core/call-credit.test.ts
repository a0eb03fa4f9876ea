import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { money, price, quantity } from "../../core/money.ts";
import { accountWith, type Desk, deskOf, MINUTE, POLICY, position, T0, tenTimesLong, usdt } from "./call-fixtures.ts";

const BOTH = { "BTC-PERP": "94", "ETH-PERP": "100", "BTC-USDT": "94" };
const called = (account: MarginAccount = tenTimesLong(), prices: Parameters<Desk["at"]>[1] = BOTH): Desk => {
  const desk = deskOf(account);
  desk.at(T0, prices);
  return desk;
};
const deposit = (desk: Desk, asset: string, amount: string) => desk.fact("deposit", { occurredAt: T0, asset, amount: money(amount) });
const trade = (desk: Desk, instrumentId: string, size: string, at: string) =>
  desk.fact("fill", { occurredAt: T0, instrumentId, quantity: quantity(size), price: price(at), fee: money("0"), orderId: null });

describe("R10 a: what counts as payment", () => {
  test("R4: half of a cure pays half, whatever its price is now", () => {
    const desk = called();
    const cure = desk.live().cures.find((each) => each.kind === "deposit" && each.asset === "BTC");
    // 5.4 missing, 80 % of 94 a coin: 0.07180852 of the coin, rounded up.
    expect(cure).toEqual({ kind: "deposit", asset: "BTC", amount: money("0.07180852") });
    desk.at(T0 + MINUTE, { ...BOTH, "BTC-USDT": "80" }, [deposit(desk, "BTC", "0.03590426")]);
    expect(desk.live().metAmount).toBe(usdt("2.7"));
  });

  test("an asset that was not offered, for its price was stale, counts by what it adds to E_i now", () => {
    const desk = called(tenTimesLong(), { ...BOTH, "BTC-USDT": ["94", 6 * MINUTE] });
    expect(desk.live().cures.some((each) => each.kind === "deposit" && each.asset === "BTC")).toBe(false);
    desk.at(T0 + MINUTE, BOTH, [deposit(desk, "BTC", "0.01")]);
    expect(desk.live().metAmount).toBe(usdt("0.752"));
  });

  test("an asset that the policy does not accept pays nothing", () => {
    const desk = called();
    desk.at(T0 + MINUTE, BOTH, [deposit(desk, "DOGE", "1000")]);
    expect(desk.live().metAmount).toBe(usdt("0"));
  });

  test("a debt repaid counts in full: the amount of the cure is enough, though the debt weighs more", () => {
    const policy = {
      ...POLICY,
      collateral: new Map([
        ...POLICY.collateral,
        ["USDT", { asset: "USDT", priceId: null, tiers: [{ floor: money("0"), haircutIm: 0, haircutMm: 0 }], liabilityWeight: 1_250_000 }],
      ] as const),
    };
    const desk = deskOf(accountWith({ BTC: "1", USDT: "-54" }, [position("BTC-PERP", "1", "94")]), policy);
    desk.at(T0, BOTH);
    // E_i = 75.2 − 67.5 = 7.7 before the position's 9.4 is asked: 1.7 missing needs 1.36 of a debt at 1.25.
    expect(desk.account().live).toBeNull();
    desk.at(T0, { ...BOTH, "BTC-USDT": "90" });
    expect(desk.live().amountDue).toBe(usdt("4.9"));
    expect(desk.live().cures[0]).toEqual({ kind: "deposit", asset: "USDT", amount: money("3.92") });
    const change = desk.at(T0 + MINUTE, { ...BOTH, "BTC-USDT": "88" }, [deposit(desk, "USDT", "3.92")]);
    expect(change?.calls[0]).toMatchObject({ status: "MET", metBy: "payment", metAmount: usdt("4.9") });
  });

  test("a withdrawal that was reserved had left equity before: it takes nothing back; one that was not does", () => {
    const held: MarginAccount = { ...accountWith({ USDT: "12" }, tenTimesLong().positions), reserved: new Map([["USDT", money("2")]]) };
    const desk = called(held);
    desk.at(T0, BOTH, [deposit(desk, "USDT", "1")]);
    const taken = (amount: string) => desk.fact("withdrawal", { occurredAt: T0, asset: "USDT", amount: money(amount) });
    desk.at(T0, BOTH, [taken("1.5")]);
    expect(desk.live().metAmount).toBe(usdt("1"));
    desk.at(T0, BOTH, [taken("0.75")]);
    expect(desk.live().metAmount).toBe(usdt("0.75"));
    expect(desk.account().reserved.size).toBe(0);
  });

  test("a withdrawal of an asset that was no cure takes out what it takes from E_i", () => {
    const desk = called(accountWith({ USDT: "2", BTC: "0.1" }, tenTimesLong().positions), { ...BOTH, "BTC-USDT": ["94", 6 * MINUTE] });
    desk.at(T0, BOTH, [deposit(desk, "USDT", "1")]);
    desk.at(T0, BOTH, [desk.fact("withdrawal", { occurredAt: T0, asset: "BTC", amount: money("0.01") })]);
    expect(desk.live().metAmount).toBe(usdt("0.248"));
  });

  test("a reduction beyond the position, or in a position that was no cure, counts by E_i − IM", () => {
    const desk = called(accountWith({ USDT: "12" }, [position("BTC-PERP", "1", "100"), position("ETH-PERP", "0.5", "100")]));
    // IM of half an ETH at 100 is 5; sold at the mark it frees 5, but 4 of it only where it opens 0.1 the other way.
    expect(desk.live().cures.some((each) => each.kind === "reduce" && each.instrumentId === "ETH-PERP")).toBe(false);
    desk.at(T0, BOTH, [trade(desk, "ETH-PERP", "-0.3", "100")]);
    expect(desk.live().metAmount).toBe(usdt("3"));
    desk.at(T0, BOTH, [trade(desk, "ETH-PERP", "-0.3", "100")]);
    expect(desk.live().metAmount).toBe(usdt("4"));
  });

  test("a position that grows takes back; never under 0", () => {
    const desk = called();
    desk.at(T0, BOTH, [deposit(desk, "USDT", "0.8")]);
    desk.at(T0, BOTH, [trade(desk, "BTC-PERP", "0.05", "94")]);
    // 0.47 more is required; the average entry, rounded up, costs the last unit.
    expect(desk.live().metAmount).toBe(usdt("0.32999999"));
    desk.at(T0, BOTH, [trade(desk, "BTC-PERP", "0.05", "94")]);
    expect(desk.live().metAmount).toBe(usdt("0"));
  });

  test("a short is reduced by buying", () => {
    const desk = called(accountWith({ USDT: "10" }, [position("BTC-PERP", "-1", "88")]));
    const cure = desk.live().cures.find((each) => each.kind === "reduce");
    expect(cure).toMatchObject({ side: "buy" });
    const whole = cure?.kind === "reduce" ? cure.quantity : quantity("0");
    const fact = { ...trade(desk, "BTC-PERP", "1", "94.5"), quantity: whole };
    expect(desk.at(T0, { ...BOTH, "BTC-PERP": "94.5" }, [fact])?.calls[0]).toMatchObject({ status: "MET", metBy: "payment" });
  });
});
