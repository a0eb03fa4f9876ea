import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import type { Cure } from "../../core/call.ts";
import { waysToCure } from "../../core/cure.ts";
import { fillPosition } from "../../core/fill.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { abs, divide, type Money, money, PPM, price, type Quantity, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { assess } from "../../core/statement.ts";
import { loadTiers } from "../../core/tiers.ts";
import { notionalOf } from "../../core/valuation.ts";
import { accounts, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const cured = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy) =>
  waysToCure(account, assess(account, snapshot, policy, NOW), snapshot, policy);

const usdt = policyWith([bare("USDT")]);
const perp = contract("BTC-PERP", { lotSize: quantity("0.001") });
const on = (at: string) => snapshotOf([perp], { "BTC-PERP": at });

/** What the account holds after the venue has booked the cure on the same marks: by the fill, not by the margin code. */
const booked = (account: MarginAccount, cure: Cure, snapshot: MarketSnapshot): MarginAccount => {
  const add = (asset: string, amount: bigint) =>
    new Map(account.balances).set(asset, ((account.balances.get(asset) ?? 0n) + amount) as Money);
  if (cure.kind === "deposit") return { ...account, balances: add(cure.asset, cure.amount) };
  const instrument = snapshot.instruments.get(cure.instrumentId);
  const mark = snapshot.marks.get(cure.instrumentId);
  const held = account.positions.find((position) => position.instrumentId === cure.instrumentId) ?? null;
  if (instrument === undefined || mark === undefined) throw new RangeError("no such mark");
  const signed = (cure.side === "sell" ? -cure.quantity : cure.quantity) as Quantity;
  const filled = fillPosition(instrument, held, signed, mark.price);
  const fee = divide(notionalOf(instrument, cure.quantity, mark.price) * BigInt(instrument.feePpm), PPM, "up");
  const others = account.positions.filter((position) => position !== held);
  return {
    ...account,
    balances: add(instrument.settleAsset, filled.realised - fee),
    positions: filled.position === null ? others : [...others, filled.position],
  };
};
const isCured = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy): boolean => {
  const { low } = assess(account, snapshot, policy, NOW);
  return low.equityInitial >= low.initial;
};

describe("waysToCure (R4)", () => {
  test("back to IM: what is missing, as a deposit and as a reduction ΔN = A / r_im", () => {
    // E = 4, IM = 9.4 at 94: 5.4 missing; 5.4 / 10 % = 54 of notional = 0.5744… contracts, in lots of 0.001.
    expect(cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), on("94"), usdt)).toEqual({
      amountDue: money("5.4"),
      cures: [
        { kind: "deposit", asset: "USDT", amount: money("5.4") },
        { kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: quantity("0.575") },
      ],
    });
  });

  test("ΔN = A / (r_im − f): the fee of the reduction is paid out of it; a short buys", () => {
    const fee = contract("BTC-PERP", { feePpm: 10_000, lotSize: quantity("0.001") });
    const { cures } = cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "-1", "100")]), snapshotOf([fee], { "BTC-PERP": "105" }), usdt);
    // E = 5, IM = 10.5: 5.5 / (10 % − 1 %) / 105 = 0.58201…
    expect(cures[1]).toEqual({ kind: "reduce", instrumentId: "BTC-PERP", side: "buy", quantity: quantity("0.583") });
  });

  test("tier by tier: the rate of the bracket that is left, then the one below", () => {
    const tiers = loadTiers(
      "t",
      [
        { floor: money("0"), rateIm: 100_000, rateMm: 5_000 },
        { floor: money("50"), rateIm: 500_000, rateMm: 50_000 },
      ],
      0,
    );
    const tiered = contract("BTC-PERP", { tiers, lotSize: quantity("0.001") });
    const at = snapshotOf([tiered], { "BTC-PERP": "100" });
    // IM of 100 is 5 + 25 = 30. 26 missing: 25 frees 50 of notional at 50 %, the last 1 another 10 at 10 %.
    expect(cured(accountOf({ USDT: "4" }, [leg("BTC-PERP", "1", "100")]), at, usdt).cures[1]).toMatchObject({ quantity: quantity("0.6") });
    // 20 missing: 40 of notional, all in the upper bracket.
    expect(cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), at, usdt).cures[1]).toMatchObject({ quantity: quantity("0.4") });
  });

  test("nothing is due at IM", () => {
    expect(cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), on("100"), usdt)).toEqual({ amountDue: 0n, cures: [] });
  });

  test("no reduction is offered that would not be enough: a negative equity stays negative", () => {
    const { amountDue, cures } = cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), on("80"), usdt);
    expect(amountDue).toBe(money("18"));
    expect(cures).toEqual([{ kind: "deposit", asset: "USDT", amount: money("18") }]);
  });

  test("for each accepted asset: debts first, then the haircut, rounded up; only at a GOOD price", () => {
    const instruments = [perp, spot("BTC-USDT", "BTC"), spot("ETH-USDT", "ETH"), spot("OLD-USDT", "OLD")];
    const snapshot = snapshotOf(instruments, {
      "BTC-PERP": "94",
      "BTC-USDT": "94",
      "ETH-USDT": "3",
      "OLD-USDT": { price: price("1"), asOf: NOW - 60_001 },
    });
    const policy = policyWith([
      bare("USDT"),
      bare("OLD", "OLD-USDT"),
      bare("NEW", "NEW-USDT"),
      bare("ETH", "ETH-USDT", { tiers: slices(["0", 1_000_000, 0]) }),
      bare("BTC", "BTC-USDT", { liabilityWeight: 1_500_000, tiers: slices(["0", 200_000, 100_000]) }),
    ]);
    const account = accountOf({ BTC: "-0.01", USDT: "11.41" }, [leg("BTC-PERP", "1", "100")]);
    // E_i = 11.41 − 1.41 − 6 = 4, IM = 9.4. BTC: 1.41 by the debt (0.01), 3.99 / 0.8 / 94 = 0.05305851…
    expect(cured(account, snapshot, policy)).toEqual({
      amountDue: money("5.4"),
      cures: [
        { kind: "deposit", asset: "USDT", amount: money("5.4") },
        { kind: "deposit", asset: "BTC", amount: money("0.06305852") },
        { kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: quantity("0.575") },
      ],
    });
  });

  test("a coin-only account is called in its coin", () => {
    const inverse = contract("INV", {
      kind: "inverse",
      quoteAsset: "USD",
      settleAsset: "BTC",
      multiplier: quantity("100"),
      lotSize: quantity("1"),
    });
    const account = accountOf({ BTC: "0.1" }, [leg("INV", "400", "50000")]);
    // At 45,000: 0.8 − 0.8889 BTC of loss leaves 0.0111; IM is 10 % of 0.8889.
    const { amountDue, cures } = cured(account, snapshotOf([inverse], { INV: "45000" }), policyWith([bare("BTC")]));
    expect(amountDue).toBe(money("0.07777778"));
    expect(cures).toEqual([
      { kind: "deposit", asset: "BTC", amount: money("0.07777778") },
      { kind: "reduce", instrumentId: "INV", side: "sell", quantity: quantity("351") },
    ]);
  });

  test("R3: the amount is due on E_low, and a leg without a GOOD mark is not offered", () => {
    const stale = snapshotOf([perp], { "BTC-PERP": { price: price("100"), asOf: NOW - 60_001 } });
    const { amountDue, cures } = cured(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), stale, usdt);
    expect(amountDue).toBe(money("4.5"));
    expect(cures).toEqual([{ kind: "deposit", asset: "USDT", amount: money("4.5") }]);
  });

  test("doing exactly the cure on the same marks brings E_i to IM, and a lot or a unit less does not", () => {
    let offered = 0;
    fc.assert(
      fc.property(accounts, snapshots(["GOOD"]), policies, (account, snapshot, policy) => {
        const { amountDue, cures } = cured(account, snapshot, policy);
        expect(amountDue > 0n).toBe(!isCured(account, snapshot, policy));
        for (const cure of cures) {
          offered += 1;
          expect(isCured(booked(account, cure, snapshot), snapshot, policy)).toBe(true);
          if (cure.kind === "deposit") {
            if (cure.amount > 1n) {
              expect(isCured(booked(account, { ...cure, amount: (cure.amount - 1n) as Money }, snapshot), snapshot, policy)).toBe(false);
            }
            continue;
          }
          const held = account.positions.find(({ instrumentId }) => instrumentId === cure.instrumentId);
          expect(cure.quantity <= abs(held?.quantity ?? (0n as Quantity))).toBe(true);
          const lot = snapshot.instruments.get(cure.instrumentId)?.lotSize ?? 0n;
          const less = (divide(cure.quantity - 1n, lot, "down") * lot) as Quantity;
          if (less > 0n) expect(isCured(booked(account, { ...cure, quantity: less }, snapshot), snapshot, policy)).toBe(false);
        }
      }),
      { numRuns: 400 },
    );
    expect(offered).toBeGreaterThan(100);
  });
});
