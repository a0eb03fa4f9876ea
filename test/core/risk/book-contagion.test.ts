import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../../core/account.ts";
import { price, type Quantity } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { STANDARD_TERMS } from "../../../core/portfolio/portfolio-terms.ts";
import { bookContagion } from "../../../core/risk/book-contagion.ts";
import { breachMove } from "../../../core/risk/contagion.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "../margin-fixtures.ts";
import "../../seed.ts";

const option = {
  underlyingId: "BTC-PERP",
  strike: price("60000"),
  right: "call",
  style: "premium",
  settlement: "linear",
  averagingMs: 0,
} as const;
const CALL = contract("BTC-60000-C", { kind: "option", tiers: [], expiryAt: NOW + 30 * 86_400_000, option });
const INVERSE = contract("BTC-USD", { kind: "inverse", settleAsset: "BTC", quoteAsset: "USD", multiplier: 100_000_000n as Quantity });
const MARKET = snapshotOf([contract("BTC-PERP"), contract("ETH-PERP", { baseAsset: "ETH" }), CALL, INVERSE, spot("BTC-USDT", "BTC")], {
  ...{ "BTC-PERP": "60000", "ETH-PERP": "3000", "BTC-60000-C": "3500", "BTC-USD": "60000", "BTC-USDT": "60000" },
});
const STANDARD = policyWith([bare("USDT"), bare("BTC", "BTC-USDT")]);
const PORTFOLIO = policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: null } });

const scope = (name: string, view: MarginAccount, policy: Policy = STANDARD) => ({ name, view, policy });
const LONG = accountOf({ USDT: "10000" }, [leg("BTC-PERP", "1", "60000")]);
const SHORT = accountOf({ USDT: "10000" }, [leg("BTC-PERP", "-2", "60000")]);
const BELOW = accountOf({ USDT: "100" }, [leg("BTC-PERP", "1", "60000")]);
const WRITER = accountOf({ USDT: "15000" }, [leg("BTC-60000-C", "-1", "3500")]);
const COIN = accountOf({ BTC: "1" }, [leg("BTC-USD", "60000", "60000")]);
const ETHER = accountOf({ USDT: "100" }, [leg("ETH-PERP", "1", "3000")]);
const on = { snapshot: MARKET, now: NOW };

describe("who breaches next (M15)", () => {
  test("in a fall: those below first, then by the move at which E < MM, with what they hold until then", () => {
    const book = [
      scope("long", LONG),
      scope("below", BELOW),
      scope("short", SHORT),
      scope("ether", ETHER),
      scope("portfolio", LONG, PORTFOLIO),
    ];
    const { turns, safe } = bookContagion(book, on, "BTC", "fall");
    // 10,000 − 60,000x = 300(1 − x); by the grid 10,000 − 60,000x = 9,600(1 − x).
    expect(turns.map(({ name, move, liquidated }) => [name, Number(move.toFixed(5)), liquidated])).toEqual([
      ["below", 0, 1],
      ["portfolio", 0.00794, 2],
      ["long", 0.16248, 3],
    ]);
    expect(safe).toBe(1);
  });

  test("in a rise: a short future, and the writer of a call, whose delta is told", () => {
    const { turns } = bookContagion([scope("short", SHORT), scope("writer", WRITER), scope("long", LONG)], on, "BTC", "rise");
    expect(turns.map(({ name }) => name)).toEqual(["short", "writer"]);
    // 10,000 − 120,000x = 600(1 + x).
    expect(turns[0]?.move).toBeCloseTo(9_400 / 120_600, 6);
    expect(turns[0]?.liquidated).toBe(-2);
    const delta = -2 - (turns[1]?.liquidated ?? 0);
    expect(delta).toBeGreaterThan(0.45);
    expect(delta).toBeLessThan(0.65);
  });

  test("collateral in the coin and an inverse contract fall together", () => {
    const [turn] = bookContagion([scope("coin", COIN)], on, "BTC", "fall").turns;
    // In coin: 1 + 60,000/60,000 − 60,000/P = 0.005 · 60,000/P, so that P = 30,150.
    expect(turn?.move).toBeCloseTo(1 - 30_150 / 60_000, 3);
    expect(turn?.liquidated).toBeCloseTo(1, 9);
  });

  test("is where the closed form of linear accounts says (another way to the same figure)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 25_000 }), fc.constantFrom("fall", "rise"), (cash, direction) => {
        const size = direction === "fall" ? 1 : -1;
        const [turn] = bookContagion(
          [scope("a", accountOf({ USDT: `${cash}` }, [leg("BTC-PERP", `${size}`, "60000")]))],
          on,
          "BTC",
          direction,
        ).turns;
        const holdings = [{ symbol: "BTC", quantity: size, price: 60_000, maintenanceRate: 0.005 }];
        const closed = breachMove({ accountId: "a", equity: cash, holdings }, { symbols: new Set(["BTC"]), direction });
        expect(turn?.move).toBeCloseTo(closed as number, 6);
      }),
      { numRuns: 20 },
    );
  });
});
