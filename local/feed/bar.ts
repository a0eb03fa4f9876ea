import type { Price } from "../../core/money.ts";

/** A bar of one instrument. `openAt` is the instant at which it opens, epoch milliseconds. */
export interface Bar {
  readonly openAt: number;
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly close: Price;
}

/** Prices of one symbol, oldest first, no hour twice. A bar that is not there is a gap and stays one (S24). */
export interface PriceSeries {
  /** As exchanges write it: base asset and quote asset, "BTCUSDT". */
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly barMs: number;
  readonly bars: readonly Bar[];
}

/** A line that is not used, with the reason (S25). */
export interface RefusedLine {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** What a set of price files gives. */
export interface PricePath {
  readonly series: readonly PriceSeries[];
  readonly refused: readonly RefusedLine[];
  /** Where the prices come from, in words for the reader of the replay. */
  readonly source: string;
}

const QUOTES = ["USDT", "USDC", "BUSD", "USD", "EUR"] as const;

/** Commodities whose files name no quote asset. */
const BARE = new Map([["WTI", "USD"]]);

/**
 * Reads a symbol in any of its usual spellings ("BTCUSDT", "BTC/USDT", "btc-usd", "WTI").
 * @returns null when it ends in no known quote asset.
 */
export const symbolOf = (text: string): { symbol: string; baseAsset: string; quoteAsset: string } | null => {
  const name = text.toUpperCase().replace(/[/_-]/g, "");
  const bare = BARE.get(name);
  if (bare !== undefined) return { symbol: name, baseAsset: name, quoteAsset: bare };
  const quoteAsset = QUOTES.find((quote) => name.endsWith(quote));
  if (quoteAsset === undefined) return null;
  const baseAsset = name.slice(0, -quoteAsset.length);
  return /^[A-Z0-9]{2,12}$/.test(baseAsset) ? { symbol: name, baseAsset, quoteAsset } : null;
};

/**
 * The symbol that a file's name tells: the first part between `_`, `-`, `.` or blanks that reads as
 * one ("1h_BTCUSDT_binance-spot_2020-03.csv", "ETHUSDT-1h-2020-03.csv").
 */
export const symbolOfFile = (file: string): ReturnType<typeof symbolOf> => {
  for (const part of (file.split(/[/\\]/).at(-1) ?? "").split(/[_\-. ]/)) {
    if (part !== part.toUpperCase()) continue;
    const found = symbolOf(part);
    if (found !== null) return found;
  }
  return null;
};
