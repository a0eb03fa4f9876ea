import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { breachMove, type ContagionAccount, contagion } from "../../../core/risk/contagion.ts";
import "../../seed.ts";

const account = (accountId: string, equity: number, held: Record<string, number>): ContagionAccount => ({
  ...{ accountId, equity },
  holdings: Object.entries(held).map(([symbol, quantity]) => ({
    symbol,
    quantity,
    price: symbol === "BTC" ? 100 : 10,
    maintenanceRate: 0.05,
  })),
});
const btc = { symbols: new Set(["BTC"]), direction: "fall" } as const;
const up = { symbols: new Set(["BTC"]), direction: "rise" } as const;
const both = { symbols: new Set(["BTC", "ETH"]), direction: "fall" } as const;

describe("the move that breaches an account", () => {
  it.each([
    // Equity 14.5 - 100x meets 5 % of 100(1 - x) at x = 9.5 / 95.
    ["a long in a fall", account("a", 14.5, { BTC: 1 }), btc, 0.1],
    ["a long in a rise", account("a", 14.5, { BTC: 1 }), up, null],
    // 15.5 - 100x meets 5(1 + x) at x = 10.5 / 105.
    ["a short in a rise", account("a", 15.5, { BTC: -1 }), up, 0.1],
    ["a short in a fall", account("a", 15.5, { BTC: -1 }), btc, null],
    ["an account at its maintenance requirement", account("a", 5, { BTC: 1 }), btc, 0],
    ["an account below it", account("a", 4, { BTC: 1 }), btc, 0],
    ["an account below it that the fall would help", account("a", 4, { BTC: -1 }), btc, 0],
    ["a long that is paid in full", account("a", 100, { BTC: 1 }), btc, null],
    ["another symbol", account("a", 15, { ETH: 10 }), btc, null],
    // The hedge holds still: 60 - 100x meets 5(1 - x) + 5.
    ["a hedged long, one leg falls", account("a", 57.5, { BTC: 1, ETH: -10 }), btc, 0.5],
    ["a hedged long, both fall", account("a", 57.5, { BTC: 1, ETH: -10 }), both, null],
    ["no position", account("a", 10, {}), btc, null],
    ["a position that is nothing", account("a", 10, { BTC: -5e-324 }), up, null],
  ] as const)("%s", (_, one, shock, move) => {
    if (move === null) expect(breachMove(one, shock)).toBeNull();
    else expect(breachMove(one, shock)).toBeCloseTo(move, 12);
  });

  it("is where equity meets the requirement, whatever the account", () => {
    const price = fc.double({ min: 1, max: 1_000, noNaN: true });
    const quantity = fc.integer({ min: -100_000_000, max: 100_000_000 }).map((units) => units / 1e6);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(price, quantity), { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 50_000, noNaN: true }),
        (held, equity) => {
          const holdings = held.map(([at, units], index) => ({
            symbol: `S${index % 2}`,
            quantity: units,
            price: at,
            maintenanceRate: 0.05,
          }));
          const move = breachMove({ accountId: "a", equity, holdings }, { symbols: new Set(["S0"]), direction: "rise" });
          if (move === null || move === 0) return;
          const headroom = holdings.reduce((left, { symbol, quantity: units, price: at }) => {
            const moved = symbol === "S0" ? at * (1 + move) : at;
            return left + units * (moved - at) - Math.abs(units) * moved * 0.05;
          }, equity);
          expect(Math.abs(headroom)).toBeLessThan(1e-6 * (1 + equity + move * 1e5));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("who breaches next", () => {
  const accounts = [
    account("late", 24, { BTC: 1 }),
    account("early", 9.75, { BTC: 1 }),
    account("also", 19.5, { BTC: 2 }),
    account("short", 50, { BTC: -4 }),
  ];

  it("orders accounts by their move, equal ones by id, and adds up what is liquidated", () => {
    const { steps, safe } = contagion(accounts, btc, null);
    expect(steps.map(({ accountId, move, liquidated }) => [accountId, move.toFixed(4), liquidated.get("BTC")])).toEqual([
      ["also", "0.0500", 2],
      ["early", "0.0500", 3],
      ["late", "0.2000", 4],
    ]);
    expect(safe).toEqual(["short"]);
    expect(steps.every(({ moveAfterImpact }) => moveAfterImpact === null)).toBe(true);
  });

  it.each([
    // 2 and 1 units of 300 a day: 1 * sqrt(3 / 300) = 0.1 more; 0.15 does not reach 0.2.
    [300, "0.1500"],
    // sqrt(3 / 100) = 0.173 more, which reaches the third: sqrt(4 / 100) = 0.2 more.
    [100, "0.2500"],
  ])("takes the impact of liquidations along at a daily volume of %i", (dailyVolume, after) => {
    const { steps } = contagion(accounts, btc, { symbol: "BTC", dailyVolume, dailyVolatility: 1 });
    expect(steps[0]?.moveAfterImpact?.toFixed(4)).toBe(after);
  });

  it("pushes no fall on by buying back, and lets no price fall below 0", () => {
    const fallen = [account("short", 1, { BTC: -1 }), account("long", 9.75, { BTC: 1 })];
    expect(contagion(fallen, btc, { symbol: "BTC", dailyVolume: 1, dailyVolatility: 9 }).steps.map((step) => step.moveAfterImpact)).toEqual(
      [0, 0.05],
    );
    expect(contagion(accounts, btc, { symbol: "BTC", dailyVolume: 1, dailyVolatility: 9 }).steps[0]?.moveAfterImpact).toBe(1);
  });
});
