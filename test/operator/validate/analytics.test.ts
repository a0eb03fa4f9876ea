import { describe, expect, it } from "vitest";

import type { Price } from "../../../core/money.ts";
import { analyticsOf } from "../../../operator/validate/analytics.ts";
import type { Book } from "../../../operator/validate/book.ts";
import { joinHistory } from "../../../operator/validate/history.ts";
import type { PriceFile } from "../../../operator/validate/lineage.ts";
import { procyclicalityOf } from "../../../operator/validate/procyclicality.ts";
import { sensitivityOf, sensitivityWalks } from "../../../operator/validate/sensitivity.ts";
import { TERMS } from "../../../operator/validate/terms.ts";
import { walkForward } from "../../../operator/validate/walk.ts";

const DAY_MS = 86_400_000;

/** Closes that go up and down by `step` of the price each day: every return is of one size. */
const file = (symbol: string, days: number, step: number, keep: (day: number) => boolean = () => true): PriceFile => ({
  lineage: {
    ...{ file: `${symbol}.csv`, sha256: "", symbol, role: "asset", firstDay: "", lastDay: "", rows: days },
    ...{ gaps: [], disordered: 0, refused: [], refusedCount: 0 },
  },
  closes: Array.from({ length: days }, (_, day) => ({
    openAt: Date.UTC(2020, 0, 1) + day * DAY_MS,
    price: BigInt(Math.round(1e10 * Math.exp(day % 2 === 0 ? 0 : step))) as Price,
  })).filter((_, day) => keep(day)),
});

const asset = { initialRatePpm: 100_000, maintenanceRatePpm: 50_000, rangePpm: 160_000, dailyVolume: null };
const book: Book = {
  ...{ name: "small", quoteAsset: "USDT", insuranceFund: null, accounts: [] },
  assets: new Map([
    ["BTCUSDT", { ...asset, impliedVolatilityPpm: 400_000 }],
    ["ETHUSDT", { ...asset, impliedVolatilityPpm: null }],
  ]),
};
const files = (days: number): PriceFile[] => [file("BTCUSDT", days, 0.02), file("ETHUSDT", days, -0.03)];
const analytics = (days: number, macro: readonly PriceFile[] = []) =>
  analyticsOf(book, joinHistory(book, files(days), 10), { assets: files(days), macro }, TERMS);

describe("risk analytics", () => {
  it("tell realised, EWMA and implied volatility of a year", () => {
    const [btc, eth] = analytics(100).volatilities;
    // Every return is 2 %: 0.02 * sqrt(365).
    expect(btc?.realised[0]?.volatility.value).toBeCloseTo(0.382099, 5);
    expect(btc?.ewma.value).toBeCloseTo(0.382099, 5);
    expect(btc?.implied.value).toBe(0.4);
    expect(btc?.impliedOverEwma.value).toBeCloseTo(0.4 / 0.382099, 5);
    expect(btc?.realised[2]?.volatility).toEqual({ value: null, reason: "99 returns, 365 needed" });
    expect(eth?.impliedOverEwma).toEqual({ value: null, reason: "the book's file gives none" });
  });

  it("tell correlation across assets and to a macro series on its own days", () => {
    const weekdays = file("WTI", 100, 0.05, (day) => day % 7 < 5);
    const { correlations, macro } = analytics(100, [weekdays]);
    expect(correlations[0]?.whole.value).toBeCloseTo(-1, 6);
    // A week of 7 days turns the parity: from Friday to Monday both move as they stand, and together.
    expect(macro.map(({ left, right, whole }) => [left, right, whole.value?.toFixed(4)])).toEqual([
      ["BTCUSDT", "WTI", "1.0000"],
      ["ETHUSDT", "WTI", "-1.0000"],
    ]);
    expect(analytics(20).correlations[0]?.whole.reason).toContain("NO_HISTORY");
  });

  it("joins on days that all files have: a gap loses the returns that touch it", () => {
    const short = { ...TERMS, leastDays: 10 };
    const history = joinHistory(book, [files(100)[0] as PriceFile, file("ETHUSDT", 100, 0.03, (day) => day !== 50)], short.leastDays);
    expect(history.days).toHaveLength(97);
    expect(history.days).not.toContain("2020-02-20");
    expect(history.days).not.toContain("2020-02-21");
    expect(history.days).toContain("2020-02-22");
  });
});

describe("procyclicality and sensitivity of a market that moves alike each day", () => {
  const terms = { ...TERMS, leastDays: 100 };
  const history = joinHistory(book, files(160), terms.leastDays);
  const long = { name: "book", kind: "book", quantities: [100_000_000n as never, 0n as never] } as const;
  const base = walkForward(history, [long], [0.16, 0.16], terms, () => {});

  it("has no rise, and tools that add only their own part", () => {
    const rows = procyclicalityOf(history, base, [0.16, 0.16], terms, () => {});
    const raw = rows[0]?.meanRate.value as number;
    expect(raw).toBeCloseTo(-Math.expm1(-0.02), 6);
    expect(rows.map(({ name }) => name)).toEqual([
      ...["raw", "tool a: buffer", "tool b: stressed weight", "tool c: floor", "together"],
      ...["statistical", "historical", "normal", "grid"],
    ]);
    expect(rows[1]?.meanRate.value).toBeCloseTo(raw * 1.25, 6);
    expect(rows[2]?.meanRate.value).toBeCloseTo(raw * 0.75 + 0.25 * -Math.expm1(-2 * 2.3263478740408408 * 0.02), 6);
    expect(rows[3]?.meanRate.value).toBeCloseTo(raw, 6);
    expect(rows[4]?.meanRate.value).toBeCloseTo((raw * 0.75 + 0.25 * -Math.expm1(-2 * 2.3263478740408408 * 0.02)) * 1.25, 6);
    expect(rows[8]).toMatchObject({ breaches: 0, rise30: { reason: null } });
    const only = { ...terms, procyclicality: { ...terms.procyclicality, on: ["floor"] as const } };
    expect(procyclicalityOf(history, base, [0.16, 0.16], only, () => {})[4]).toMatchObject({ name: "together", rates: rows[3]?.rates });
    for (const row of rows) expect(row.peakToTrough.value).toBeCloseTo(1, 6);
  });

  it("walks again for what is not in use only, and scales the grid exactly", () => {
    let told = 0;
    const rows = sensitivityOf(history, base, [0.16, 0.16], terms, () => {
      told += 1;
    });
    expect(told).toBe(sensitivityWalks(terms) * base.days.length);
    expect(rows.filter(({ isHouse }) => isHouse).map(({ parameter }) => parameter)).toEqual([
      ...["filter decay (lambda)", "shortfall level (alpha)", "price range (rho)"],
    ]);
    const whole = Number(rows.find(({ value }) => value.startsWith("100 %"))?.lastMargin);
    expect(Number(rows.find(({ value }) => value.startsWith("50 %"))?.lastMargin)).toBeCloseTo(whole / 2, 7);
    expect(Number(rows.find(({ value }) => value.startsWith("150 %"))?.lastMargin)).toBeCloseTo(whole * 1.5, 7);
  });
});
