import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { depositFor, initialValue } from "../../core/collateral.ts";
import { waysToCure } from "../../core/cure.ts";
import { levelOf } from "../../core/level.ts";
import type { Mark } from "../../core/mark.ts";
import { decimal, type Money, money, type Price, price, quantity } from "../../core/money.ts";
import type { DepositTerms } from "../../core/policy.ts";
import { judgeMark } from "../../core/quality.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const HOUR = 3_600_000;
const perp = contract("BTC-PERP");
const coin = spot("COIN-USDT", "COIN");
const deposits: DepositTerms = { scaleStart: money("1000"), ageMaxMs: HOUR };
const terms = bare("COIN", "COIN-USDT", { tiers: slices(["0", 100_000, 50_000]), deposits });
const policy = policyWith([bare("USDT"), terms]);
const told = (total: string, ageMs = 0): Partial<Mark> => ({
  price: price("10"),
  deposits: { total: quantity(total), asOf: NOW - ageMs },
});
const on = (mark: Partial<Mark>) => snapshotOf([perp, coin], { "BTC-PERP": "100", "COIN-USDT": mark });
const holder = accountOf({ COIN: "10", USDT: "0" });
const statement = (mark: Partial<Mark>, now = NOW) => assess(holder, on(mark), policy, now);

describe("initial weight by total deposits (M2)", () => {
  test("the worked example of the page", () => {
    const rows = modelTable("collateral.md", "deposits");
    expect(rows).toHaveLength(3);
    for (const [total = "", initial = "", maintenance = ""] of rows) {
      const { low, high, allGood } = statement(told(total));
      expect([low, allGood]).toEqual([high, true]);
      expect([high.equityInitial, high.equityMaintenance].map(decimal)).toEqual([initial, maintenance]);
    }
  });

  test("a debt is not scaled, and what is left rounds down", () => {
    const owed = assess(accountOf({ COIN: "-1", USDT: "20" }), on(told("3000")), policy, NOW);
    expect([owed.low.equityInitial, owed.low.equityMaintenance]).toEqual([money("10"), money("10")]);
    const third = assess(accountOf({ COIN: "1" }), on(told("2700")), policy, NOW);
    expect(third.low.equityInitial).toBe(money("3.33333333"));
  });

  test("a figure holds for its time, then the asset is STALE and the last figure counts", () => {
    const mark = { ...told("2000"), asOf: NOW + HOUR };
    expect(statement(mark, NOW + HOUR)).toMatchObject({ quality: "GOOD", low: { equityInitial: money("45") } });
    expect(statement(mark, NOW + HOUR + 1)).toMatchObject({
      quality: "STALE",
      low: { equityInitial: money("45") },
      high: { equityInitial: money("45"), equityMaintenance: money("95") },
    });
  });

  test("a figure that was never told leaves nothing on E_low and takes nothing on E_high: nothing is withdrawn on it", () => {
    const never = statement({ price: price("10") });
    expect(never).toMatchObject({
      quality: "STALE",
      low: { equityInitial: money("0"), equityMaintenance: money("95") },
      high: { equityInitial: money("90"), equityMaintenance: money("95") },
    });
    const held = accountOf({ COIN: "10", USDT: "20" }, [leg("BTC-PERP", "1", "100")]);
    const ask = (mark: Partial<Mark>) =>
      checkWithdrawal(held, on(mark), policy, { requestId: "w", asset: "USDT", amount: money("15") }, NOW).allowed;
    expect([ask(told("1000")), ask({ price: price("10") })]).toEqual([true, false]);
  });

  test("the price of the snapshot is asked again once the figure is old", () => {
    const snapshot = on({ ...told("2000"), asOf: NOW + HOUR });
    const qualities = [NOW, NOW + HOUR, NOW + HOUR + 1].map((now) => assess(holder, snapshot, policy, now).quality);
    expect(qualities).toEqual(["GOOD", "GOOD", "STALE"]);
  });

  test("a deposit that cures counts at what is left, and one unit less does not cure", () => {
    const account = accountOf({ USDT: "5" }, [leg("BTC-PERP", "1", "100")]);
    const snapshot = on(told("2000"));
    const { cures } = waysToCure(account, assess(account, snapshot, policy, NOW), snapshot, policy);
    // 5 over 10, less a tenth, halved.
    expect(cures.find((cure) => cure.kind === "deposit" && cure.asset === "COIN")).toMatchObject({ amount: money("1.11111112") });
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 12n),
        fc.bigInt(-(10n ** 9n), 10n ** 9n),
        fc.bigInt(10n ** 4n, 10n ** 13n),
        fc.bigInt(1n, 10n ** 6n),
        (need, balance, at, numerator) => {
          const prices = { asset: at as Price, debt: at as Price, scale: { numerator, denominator: 10n ** 6n } };
          const due = depositFor(need as Money, balance as Money, prices, terms);
          const gain = (amount: bigint) =>
            initialValue((balance + amount) as Money, prices, terms) - initialValue(balance as Money, prices, terms);
          expect(due !== null && gain(due) >= need && gain(due - 1n) < need).toBe(true);
        },
      ),
    );
  });

  test("the float pass scales too", () => {
    const quiet = (coins: string, total: string): boolean =>
      isSurelyQuiet(accountOf({ COIN: coins }, [leg("BTC-PERP", "1", "100")]), on(told(total)), policy, NOW);
    // The warning level is at 0.5 + 0.75·9.5 = 7.625: 0.847… coins of 9, or of 4.5.
    expect([quiet("0.8473", "1000"), quiet("0.8472", "1000")]).toEqual([true, false]);
    expect([quiet("1.6945", "2000"), quiet("1.6944", "2000")]).toEqual([true, false]);
    const account = accountOf({ COIN: "1.6944" }, [leg("BTC-PERP", "1", "100")]);
    expect(levelOf(account, assess(account, on(told("2000")), policy, NOW), policy.levels, "HEALTHY")).toBe("WARNING");
  });

  test.each<[string, Partial<DepositTerms>, RegExp]>([
    ["D0 of 0", { scaleStart: money("0") }, /collateral COIN, deposits: scaleStart 0 is not above 0/],
    ["no time", { ageMaxMs: 0 }, /collateral COIN, deposits: ageMaxMs 0 is no time/],
  ])("%s is refused by name", (_, over, words) => {
    const wrong = () => validatePolicy(policyWith([bare("USDT"), { ...terms, deposits: { ...deposits, ...over } }]));
    expect(wrong).toThrow(words);
  });

  test("the valuation asset has no mark that tells it", () => {
    expect(() => validatePolicy(policyWith([bare("USDT", null, { deposits })]))).toThrow(/collateral USDT, deposits: the valuation asset/);
  });
});

describe("marks carry the figure", () => {
  const tick = (seconds: number, total?: string) => ({
    instrumentId: "COIN-USDT",
    price: price("10"),
    asOf: NOW + seconds * 1_000,
    source: "feed",
    ...(total !== undefined && { totalDeposits: quantity(total) }),
  });
  const play = (...ticks: readonly ReturnType<typeof tick>[]): Mark | null =>
    ticks.reduce<Mark | null>((mark, each) => judgeMark(mark, each, coin, each.asOf).mark, null);

  test("until another is told; a tick without one leaves it, with its instant", () => {
    expect(play(tick(0))).not.toHaveProperty("deposits");
    expect(play(tick(0, "5"), tick(1))?.deposits).toEqual({ total: quantity("5"), asOf: NOW });
    expect(play(tick(0, "5"), tick(1, "6"))?.deposits).toEqual({ total: quantity("6"), asOf: NOW + 1_000 });
    expect(play(tick(0, "5"), { ...tick(1, "6"), price: price("100") })).toMatchObject({
      deposits: { total: quantity("5"), asOf: NOW },
      candidate: { price: price("100") },
    });
  });
});
