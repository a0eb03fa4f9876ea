import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Position } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import { planLiquidation, targetReached } from "../../core/liquidation-plan.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import { STANDARD_MODEL } from "../../core/margin-model.ts";
import { money, price, type Quantity } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { assess } from "../../core/statement.ts";
import "../seed.ts";
import { accountOf, bare, contract, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";

const EXPIRY = NOW + 30 * 86_400_000;
const option = (strike: string, right: "call" | "put", style: "premium" | "futures"): Instrument =>
  contract(`BTC-${strike}-${right}`, {
    kind: "option",
    tiers: [],
    expiryAt: EXPIRY,
    option: { underlyingId: "BTC-FUT", strike: price(strike), right, style, settlement: "linear", averagingMs: 0 },
  });
const INSTRUMENTS = [
  option("54000", "put", "premium"),
  option("60000", "call", "premium"),
  option("60000", "put", "futures"),
  option("66000", "call", "premium"),
  contract("BTC-FUT", { expiryAt: EXPIRY }),
  contract("BTC-PERP"),
];
const PRICES: Readonly<Record<string, string>> = {
  "BTC-54000-put": "1200",
  "BTC-60000-call": "4100",
  "BTC-60000-put": "4100",
  "BTC-66000-call": "1500",
  "BTC-FUT": "60000",
  "BTC-PERP": "60010",
};
const MARKET = snapshotOf(INSTRUMENTS, PRICES);

/** A market in which 100,000 is a tenth of a day (M8). */
const THIN = {
  averageVolume: money("1000000"),
  spread: 1_000,
  volatilitySpread: 20_000,
  dailyVolatility: 40_000,
  impact: 1_000_000,
  participation: 200_000,
  confidence: 990_000,
  threshold: 100_000,
  charge: 50_000,
};
const PORTFOLIO: MarginModel = { kind: "portfolio", terms: STANDARD_TERMS, statistical: null };
const POLICIES = [STANDARD_MODEL, PORTFOLIO].flatMap((model) => [
  policyWith([bare("USDT")], { model }),
  policyWith([bare("USDT")], { model, liquidity: { BTC: THIN } }),
]);
const held = fc
  .array(fc.record({ index: fc.integer({ min: 0, max: 5 }), lots: fc.integer({ min: -300, max: 300 }) }), { minLength: 1, maxLength: 6 })
  .map((drawn): Position[] =>
    [...new Map(drawn.filter(({ lots }) => lots !== 0).map((one) => [one.index, one.lots]))]
      .map(([index, lots]) => {
        const instrumentId = INSTRUMENTS[index]?.instrumentId ?? "BTC-PERP";
        return { instrumentId, quantity: (BigInt(lots) * 1_000_000n) as Quantity, entryPrice: price(PRICES[instrumentId] ?? "1") };
      })
      .sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)),
  );

describe("accounts under the margin models", () => {
  test("R1, M0: IM is never below MM, the named parts are the requirement, and no figure is below 0", () => {
    fc.assert(
      fc.property(held, fc.constantFrom(...POLICIES), (positions, policy) => {
        const { low, components } = assess(accountOf({ USDT: "1000" }, positions), MARKET, policy, NOW);
        expect(low.initial >= low.maintenance && low.maintenance >= 0n).toBe(true);
        for (const of of ["initial", "maintenance"] as const) {
          const excess = components.reduce((sum, part) => sum + part[of], 0n) - low[of];
          expect(excess >= 0n && excess <= BigInt(components.length)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("I10, I12: a liquidation closes no more than is held, once each, and reaches its target or closes everything", () => {
    fc.assert(
      fc.property(held, fc.constantFrom(...POLICIES), fc.integer({ min: -20_000, max: 20_000 }), (positions, policy, cash) => {
        const account = accountOf({ USDT: String(cash) }, positions);
        const statement = assess(account, MARKET, policy, NOW);
        const orders = planLiquidation({ account, statement, snapshot: MARKET, policy, target: "closeOut", now: NOW });
        if (targetReached(statement.high, "closeOut", policy)) expect(orders).toEqual([]);
        else expect(orders.length).toBeGreaterThan(0);
        expect(new Set(orders.map(({ instrumentId }) => instrumentId)).size).toBe(orders.length);
        for (const { instrumentId, side, quantity } of orders) {
          const position = positions.find((one) => one.instrumentId === instrumentId);
          const room = side === "sell" ? (position?.quantity ?? 0n) : -(position?.quantity ?? 0n);
          expect(quantity > 0n && quantity <= room).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
