import { describe, expect, it } from "vitest";

import type { Money, Price, Quantity } from "../../../core/money.ts";
import type { Book } from "../../../operator/validate/book.ts";
import { contagionsOf } from "../../../operator/validate/contagions.ts";
import type { History } from "../../../operator/validate/history.ts";
import { portfoliosOf } from "../../../operator/validate/portfolios.ts";
import { openInterestOf, standingsOf } from "../../../operator/validate/standing.ts";
import { stressesOf } from "../../../operator/validate/stresses.ts";
import { systemOf } from "../../../operator/validate/system.ts";
import { TERMS } from "../../../operator/validate/terms.ts";

const UNIT = 100_000_000n;
const money = (units: number): Money => BigInt(units * 1e8) as Money;

/** 600 days at 100 and 10 that end as they began, with a fall of half of both on 12 March 2020. */
const history = (): History => {
  const openAt = Array.from({ length: 600 }, (_, day) => Date.UTC(2019, 0, 1) + day * 86_400_000);
  const days = openAt.map((at) => new Date(at).toISOString().slice(0, 10));
  const wave = (base: number): number[] => Array.from({ length: 601 }, (_, day) => base * (1 + 0.02 * Math.sin(day)));
  const prices = [wave(100), wave(10)].map((list) => {
    const at = days.indexOf("2020-03-12") + 1;
    list.forEach((price, day) => {
      if (day === at) list[day] = price * 0.5;
    });
    list[600] = (list[600] as number) > 50 ? 100 : 10;
    return list.map((price) => BigInt(Math.round(price * 1e8)));
  });
  return {
    ...{ symbols: ["BTCUSDT", "ETHUSDT"], openAt, days },
    closes: prices.map((list) => list.slice(1) as Price[]),
    opens: prices.map((list) => list.slice(0, -1) as Price[]),
    returns: prices.map((list) => Float64Array.from(list.slice(1), (price, day) => Math.log(Number(price) / Number(list[day])))),
  };
};

const holder = (accountId: string, cash: number, btc: number, eth: number) => ({
  ...{ accountId, cash: money(cash) },
  positions: new Map([
    ["BTCUSDT", BigInt(btc * 1e8) as Quantity],
    ["ETHUSDT", BigInt(eth * 1e8) as Quantity],
  ]),
});

const terms = { rangePpm: 160_000, impliedVolatilityPpm: null, dailyVolume: null };
const bookOf = (accounts: Book["accounts"], insuranceFund: Money | null = money(10)): Book => ({
  ...{ name: "small", quoteAsset: "USDT", insuranceFund, accounts },
  assets: new Map([
    ["BTCUSDT", { ...terms, initialRatePpm: 100_000, maintenanceRatePpm: 50_000 }],
    ["ETHUSDT", { ...terms, initialRatePpm: 200_000, maintenanceRatePpm: 100_000 }],
  ]),
});

const BOOK = bookOf([holder("long", 11, 2, 0), holder("hedged", 30, 1, -10), holder("short", 90, -3, 0), holder("flat", 5, 0, 0)]);

describe("accounts at the last close", () => {
  it("owe what the book's flat rates ask for", () => {
    const standings = standingsOf(BOOK, history());
    expect(standings.map(({ gross, initial, maintenance }) => [gross / UNIT, initial / UNIT, maintenance / UNIT])).toEqual([
      [200n, 20n, 10n],
      [200n, 30n, 15n],
      [300n, 30n, 15n],
      [0n, 0n, 0n],
    ]);
  });

  it("make the open interest of the larger side", () => {
    expect(openInterestOf(BOOK, history()).map(({ quantity, notional }) => [quantity / UNIT, notional / UNIT])).toEqual([
      [3n, 300n],
      [10n, 100n],
    ]);
  });
});

describe("system metrics (M15)", () => {
  const standings = standingsOf(BOOK, history());
  const stresses = stressesOf(BOOK, history(), standings, TERMS);
  const { metrics } = systemOf(BOOK, history(), standings, stresses);
  const of = (name: string): unknown => metrics.find((metric) => metric.name === name)?.figure.value;

  it.each([
    ["initial requirement over open interest", 0.2],
    ["equity over maintenance: least", 1.1],
    ["equity over maintenance: median", 2],
    ["share of positions held at less than 1.2 times maintenance", 200 / 700],
    ["share of positions held by the largest account", 300 / 700],
    ["accounts below the initial requirement", 1],
    ["accounts below the maintenance requirement", 0],
  ])("%s is %d", (name, value) => {
    expect(of(name)).toBe(value);
  });

  it("say why a file cannot tell the others", () => {
    const untold = metrics.filter(({ figure }) => figure.value === null);
    expect(untold.map(({ name }) => name)).toEqual([
      ...["time in RESTRICTED", "calls that were cured", "liquidation slippage against bankruptcy", "losses that were socialised"],
      ...["wrong-way haircuts", "queue lag and age of snapshots"],
    ]);
    expect(untold.every(({ figure }) => (figure.reason ?? "").length > 20)).toBe(true);
  });
});

describe("named stresses", () => {
  const stressed = (book: Book) => stressesOf(book, history(), standingsOf(book, history()), TERMS);

  it("take the worst day of a window that the files have, and name the windows that they have not", () => {
    const { rows } = stressed(BOOK);
    expect(rows.map(({ name, reason }) => [name, reason])).toEqual([
      ["Mar-2020", null],
      ["May-2021", "no day of it is in the price files, which end on 2020-08-22"],
      ["Nov-2022", "no day of it is in the price files, which end on 2020-08-22"],
      ["Oct-2025", "no day of it is in the price files, which end on 2020-08-22"],
      ["volatility x2", null],
      ["correlation 1", null],
    ]);
    // The day after the fall is its mirror: the book is short of ETH, and loses when both double again.
    expect(rows[0]?.binding).toBe("Mar-2020, 2020-03-13");
  });

  it("cover what each account cannot, never netted", () => {
    const { rows, cover1, cover2, fundOverCover2 } = stressed(
      bookOf([holder("a", 11, 2, 0), holder("b", 30, 1, 0), holder("c", 90, -3, 0)]),
    );
    const fall = history().returns[0]?.[history().days.indexOf("2020-03-12")] as number;
    expect(Math.expm1(fall)).toBeCloseTo(-0.49, 1);
    expect(rows[0]?.overEquity?.scenario).toBe("Mar-2020, 2020-03-13");
    expect(Number(cover2)).toBeGreaterThanOrEqual(Number(cover1));
    expect(fundOverCover2.value).toBeCloseTo(10 / Number(cover2), 6);
  });

  it("say that there is no fund, or nothing to cover", () => {
    const rich = [holder("a", 10_000, 1, 0), holder("b", 10_000, -1, 0)];
    expect(stressed(bookOf(rich, null)).fundOverCover2).toEqual({ value: null, reason: "the book's file gives no insurance fund" });
    expect(stressed(bookOf(rich)).fundOverCover2.reason).toContain("there is nothing to cover");
    expect(stressed(bookOf(rich)).cover2).toBe("0");
  });
});

describe("contagion tables", () => {
  it("tell each asset alone and all together, with shares of the open interest", () => {
    const tables = contagionsOf(BOOK, history(), TERMS);
    expect(tables.map(({ shock, direction, breached, safe }) => [shock, direction, breached, safe])).toEqual([
      ["BTCUSDT", "fall", 2, 2],
      ["BTCUSDT", "rise", 1, 3],
      ["ETHUSDT", "fall", 0, 4],
      ["ETHUSDT", "rise", 1, 3],
      ["all assets together", "fall", 1, 3],
      ["all assets together", "rise", 2, 2],
    ]);
    const [first, second] = tables[0]?.rows ?? [];
    // Equity 11 of a long of 200 at 5 %: 1 / 190. The hedged one: 15 / 95.
    expect([first?.accountId, first?.move.toFixed(6)]).toEqual(["long", (1 / 190).toFixed(6)]);
    expect([second?.accountId, second?.move.toFixed(6)]).toEqual(["hedged", (15 / 95).toFixed(6)]);
    expect(second?.liquidated).toEqual([{ symbol: "BTCUSDT", quantity: "3", share: { value: 1, reason: null } }]);
    expect(first?.moveAfterImpact).toEqual({ value: null, reason: "the book's file gives no daily volume" });
  });
});

describe("what is tested", () => {
  it("are net, opposite, each asset both ways and the largest accounts; the rest is named", () => {
    const { portfolios, leftOut } = portfoliosOf(BOOK, history(), 2);
    expect(portfolios.map(({ name, quantities }) => [name, ...quantities.map((quantity) => Number(quantity) / 1e8)])).toEqual([
      ["book, net", 0, -10],
      ["book, opposite", 0, 10],
      ["BTCUSDT, long", 1, 0],
      ["BTCUSDT, short", -1, 0],
      ["ETHUSDT, long", 0, 1],
      ["ETHUSDT, short", 0, -1],
      ["account short", -3, 0],
      ["account hedged", 1, -10],
    ]);
    expect(leftOut).toEqual([
      { name: "1 accounts", reason: "smaller than the 2 that are tested by themselves" },
      { name: "1 accounts", reason: "they hold no position" },
    ]);
  });

  it("leaves a book out that nets to nothing, with the reason", () => {
    const { portfolios, leftOut } = portfoliosOf(bookOf([holder("a", 1, 1, 0), holder("b", 1, -1, 0)]), history(), 0);
    expect(portfolios[0]?.name).toBe("BTCUSDT, long");
    expect(leftOut[0]?.reason).toContain("net to 0 in every asset");
  });
});
