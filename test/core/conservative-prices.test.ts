import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { waysToCure } from "../../core/cure.ts";
import { money, price } from "../../core/money.ts";
import type { SlowPrice } from "../../core/slow-average.ts";
import { assess } from "../../core/statement.ts";
import { accounts, policies, slowly, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const perp = contract("BTC-PERP");
const coin = spot("COIN-USDT", "COIN");
const policy = policyWith([bare("USDT"), bare("COIN", "COIN-USDT", { liabilityWeight: 1_100_000, tiers: slices(["0", 100_000, 50_000]) })]);
const at = (index: string, slow: string | null, asOf = NOW) =>
  snapshotOf([perp, coin], {
    "BTC-PERP": "100",
    "COIN-USDT": { price: price(index), asOf, ...(slow !== null && { slow: (price(slow) * 100_000_000n) as SlowPrice }) },
  });
const worth = (coins: string, index: string, slow: string | null, asOf = NOW) =>
  assess(accountOf({ COIN: coins, USDT: "100" }), at(index, slow, asOf), policy, NOW);

describe("conservative prices of collateral (M2, R2, S07)", () => {
  test.each([
    ["no average", "10", null, "190", "195"],
    ["the average below: a pump lends nothing", "10", "4", "136", "195"],
    ["the average above: a fall counts at once", "10", "12", "190", "195"],
  ])("held, %s", (_, index, slow, initial, maintenance) => {
    expect(worth("10", index, slow).high).toMatchObject({ equityInitial: money(initial), equityMaintenance: money(maintenance) });
  });

  test.each([
    ["no average", "10", null, "45", "45"],
    ["the average above: a debt is no smaller for a dip", "10", "12", "34", "45"],
    ["the average below", "10", "4", "45", "45"],
  ])("owed, %s", (_, index, slow, initial, maintenance) => {
    expect(worth("-5", index, slow).high).toMatchObject({ equityInitial: money(initial), equityMaintenance: money(maintenance) });
  });

  test("on E_low the worse of the band's edge and the average", () => {
    const stale = (coins: string, slow: string) => worth(coins, "10", slow, NOW - 120_000).low.equityInitial;
    expect([stale("10", "9.8"), stale("10", "9")]).toEqual([money("185.5"), money("181")]);
    expect([stale("-5", "10.2"), stale("-5", "11")]).toEqual([money("42.25"), money("39.5")]);
  });

  test("the average rounds against the account: what is held down, what is owed up", () => {
    const between = (coins: string) => {
      const marks = new Map([["COIN-USDT", { ...at("10", null).marks.get("COIN-USDT"), slow: 999_999_999_50000000n as SlowPrice }]]);
      const snapshot = { ...at("10", null), marks } as ReturnType<typeof at>;
      return assess(accountOf({ COIN: coins }), snapshot, policyWith([bare("USDT"), bare("COIN", "COIN-USDT")]), NOW).high.equityInitial;
    };
    expect([between("1"), between("-1")]).toEqual([money("9.99999999"), money("-10")]);
  });

  test("a deposit that cures is asked for at the price at which it counts", () => {
    const account = accountOf({ USDT: "5" }, [leg("BTC-PERP", "1", "100")]);
    const snapshot = at("10", "4");
    const { amountDue, cures } = waysToCure(account, assess(account, snapshot, policy, NOW), snapshot, policy);
    expect(amountDue).toBe(money("5"));
    // 5 over 4 less a tenth.
    expect(cures.find((cure) => cure.kind === "deposit" && cure.asset === "COIN")).toMatchObject({ amount: money("1.38888889") });
    const paid = assess({ ...account, balances: new Map([...account.balances, ["COIN", money("1.38888889")]]) }, snapshot, policy, NOW);
    expect(paid.low.equityInitial >= paid.low.initial).toBe(true);
  });

  test("no average moves E_m or a requirement, nor raises E_i: it delays no liquidation", () => {
    let moved = 0;
    fc.assert(
      fc.property(accounts, slowly(snapshots(["GOOD", "GOOD", "STALE", "SUSPECT", "MISSING"])), policies, (account, snapshot, terms) => {
        const index = { ...snapshot, marks: new Map([...snapshot.marks].map(([id, { slow: _, ...mark }]) => [id, mark])) };
        const [plain, cautious] = [assess(account, index, terms, NOW), assess(account, snapshot, terms, NOW)];
        for (const side of ["low", "high"] as const) {
          const { equityInitial, ...rest } = cautious[side];
          expect(plain[side]).toMatchObject(rest);
          expect(equityInitial <= plain[side].equityInitial && equityInitial <= rest.equityMaintenance).toBe(true);
          if (equityInitial < plain[side].equityInitial) moved += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(moved).toBeGreaterThan(50);
  });
});
