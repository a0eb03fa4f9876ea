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

describe("a bar is played as four ticks", () => {
  it.each([
    ["the high is nearer", bar(0, "100", "101", "90", "95"), ["100", "101", "90", "95"]],
    ["the low is nearer", bar(0, "100", "120", "99", "110"), ["100", "99", "120", "110"]],
    ["both are as near", bar(0, "100", "110", "90", "100"), ["100", "110", "90", "100"]],
    ["prices below zero (S20)", bar(0, "-10", "-9", "-37", "-36.98"), ["-10", "-9", "-37", "-36.98"]],
  ])("open, nearer extreme, other extreme, close: %s", (_, one, ticks) => {
    expect(ticksOfBar(one).map(decimal)).toEqual(ticks);
  });

  it("places them inside the bar, joins symbols of one instant and leaves a gap empty (S24)", () => {
    const hourly = series("BTCUSDT", 3_600_000, [bar(0, "1", "2", "1", "2"), bar(7_200_000, "3", "4", "3", "4")]);
    const steps = ticksOf([hourly, series("ETHUSDT", 1_800_000, [bar(0, "5", "6", "5", "6")])]);
    expect(steps.map(({ at }) => at)).toEqual([
      0, 450_000, 900_000, 1_350_000, 1_800_000, 2_700_000, 7_200_000, 8_100_000, 9_000_000, 9_900_000,
    ]);
    expect([...(steps[0]?.prices.keys() ?? [])]).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect([...(steps[2]?.prices.keys() ?? [])]).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect([...(steps[5]?.prices.keys() ?? [])]).toEqual(["BTCUSDT"]);
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
