import { describe, expect, it } from "vitest";

import { decimal, price } from "../../../core/money.ts";
import type { Bar, PriceSeries } from "../../../local/feed/bar.ts";
import { blackThursday } from "../../../local/feed/black-thursday.ts";
import { ticksOf, ticksOfBar } from "../../../local/feed/ticks.ts";

const bar = (openAt: number, open: string, high: string, low: string, close: string): Bar => ({
  openAt,
  open: price(open),
  high: price(high),
  low: price(low),
  close: price(close),
});

const series = (symbol: string, barMs: number, bars: readonly Bar[]): PriceSeries => ({
  symbol,
  baseAsset: symbol.slice(0, -4),
  quoteAsset: "USDT",
  barMs,
  bars,
});

describe("a bar is played as the shortest path through it", () => {
  it.each([
    ["the high is nearer", bar(0, "100", "101", "90", "95"), ["100", "101", "90", "95"]],
    ["the low is nearer", bar(0, "100", "120", "99", "110"), ["100", "99", "120", "110"]],
    ["both are as near", bar(0, "100", "110", "90", "100"), ["100", "110", "90", "100"]],
    ["prices below zero (S20)", bar(0, "-10", "-9", "-37", "-36.98"), ["-10", "-9", "-37", "-36.98"]],
  ])("open, nearer extreme, other extreme, close: %s", (_, one, ticks) => {
    expect(ticksOfBar(one).map(decimal)).toEqual(ticks);
  });

  const shown = (...all: readonly PriceSeries[]): readonly (readonly [number, string])[] =>
    ticksOf(all).map(({ at, prices }) => [at, [...prices].map(([symbol, value]) => `${symbol} ${decimal(value)}`).join(", ")]);

  it("opens with the bar, closes with it, and leaves a gap empty (S24)", () => {
    expect(shown(series("BTCUSDT", 3_600_000, [bar(0, "2", "3", "1", "2.5"), bar(7_200_000, "3", "4", "2.9", "3.5")]))).toEqual([
      [0, "BTCUSDT 2"],
      [1_200_000, "BTCUSDT 3"],
      [2_400_000, "BTCUSDT 1"],
      [3_600_000, "BTCUSDT 2.5"],
      [7_200_000, "BTCUSDT 3"],
      [8_400_000, "BTCUSDT 2.9"],
      [9_600_000, "BTCUSDT 4"],
      [10_800_000, "BTCUSDT 3.5"],
    ]);
  });

  it("plays the open where one bar closes and the next one opens, and joins symbols of one instant", () => {
    const hourly = series("BTCUSDT", 3_600_000, [bar(0, "2", "3", "1", "2.5"), bar(3_600_000, "2.6", "4", "2", "3.5")]);
    expect(shown(hourly, series("ETHUSDT", 3_600_000, [bar(0, "5", "6", "5", "6")]))).toEqual([
      [0, "BTCUSDT 2, ETHUSDT 5"],
      [1_200_000, "BTCUSDT 3, ETHUSDT 5"],
      [2_400_000, "BTCUSDT 1, ETHUSDT 6"],
      [3_600_000, "BTCUSDT 2.6, ETHUSDT 6"],
      [4_800_000, "BTCUSDT 2"],
      [6_000_000, "BTCUSDT 4"],
      [7_200_000, "BTCUSDT 3.5"],
    ]);
  });
});

describe("the shipped path", () => {
  const path = blackThursday();
  const barAt = (symbol: string, at: number): Bar =>
    path.series.find((one) => one.symbol === symbol)?.bars.find(({ openAt }) => openAt === at) as Bar;
  const fallOf = ({ open, low }: Bar): number => Number(((open - low) * 1_000n) / open) / 10;

  it("goes through the published landmarks (S01)", () => {
    expect(decimal(barAt("BTCUSDT", Date.UTC(2020, 2, 12)).open)).toBe("7935");
    expect(fallOf(barAt("BTCUSDT", Date.UTC(2020, 2, 12, 10)))).toBe(24.5);
    expect(fallOf(barAt("ETHUSDT", Date.UTC(2020, 2, 12, 10)))).toBe(25.6);
    expect(decimal(barAt("BTCUSDT", Date.UTC(2020, 2, 13, 2)).low)).toBe("3782");
  });

  it.each(["BTCUSDT", "ETHUSDT"])("has 48 joined hours of sound bars, the worst at 10:00Z and the low at 02:00Z: %s", (symbol) => {
    const bars = path.series.find((one) => one.symbol === symbol)?.bars ?? [];
    expect(bars).toHaveLength(48);
    const lows = bars.map(({ low }) => low);
    expect(lows.indexOf(lows.reduce((a, b) => (a < b ? a : b)))).toBe(26);
    expect(bars.map(fallOf).indexOf(Math.max(...bars.map(fallOf)))).toBe(10);
    for (const [index, one] of bars.entries()) {
      expect(one.high >= one.open && one.high >= one.close && one.low <= one.open && one.low <= one.close && one.low > 0n).toBe(true);
      expect(bars[index + 1]?.open ?? one.close).toBe(one.close);
    }
  });
});
