import { readFileSync } from "node:fs";

import { decimal } from "../../core/money.ts";
import type { Bar } from "../../local/feed/bar.ts";
import { readPriceText } from "../../local/feed/price-files.ts";
import { ticksOfBar } from "../../local/feed/ticks.ts";
import { instantOf } from "../time/instants.ts";

/** The folder of market data beside the project. */
export const DATA = new URL("../../../shared/data/", import.meta.url);

export const readData = (file: string): string => readFileSync(new URL(file, DATA), "utf8");

/** Bars of one file between two instants, and how many of its lines were refused. */
export const barsOf = (file: string, from: string, until: string): { readonly bars: readonly Bar[]; readonly refused: number } => {
  const { series, refused } = readPriceText(file, readData(file), instantOf("2026-01-01T00:00:00.000Z"));
  const rows = series[0]?.rows ?? [];
  return { bars: rows.filter(({ openAt }) => openAt >= instantOf(from) && openAt < instantOf(until)), refused: refused.length };
};

/**
 * The turns of a path through bars, each bar pressed into so many seconds: open, extremes and close a third of it
 * apart. A bar that is not there leaves its stretch empty (S24).
 */
export const turnsOf = (bars: readonly Bar[], barS: number, barMs = 3_600_000): (readonly [second: number, price: number])[] => {
  const [first] = bars;
  return bars.flatMap((bar) => {
    const begins = 1 + ((bar.openAt - (first?.openAt ?? 0)) / barMs) * barS;
    return ticksOfBar(bar)
      .slice(0, 3)
      .map((price, index): readonly [number, number] => [begins + (index * barS) / 3, Number(decimal(price))]);
  });
};
