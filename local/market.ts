import type { InstrumentBody } from "../adapters/wire/instrument.ts";
import { divide, type Price, price } from "../core/money.ts";
import type { PriceSeries } from "./feed/bar.ts";
import { NON_POSITIVE_SYMBOLS } from "./feed/csv.ts";
import { type TickStep, tickSpacingMs } from "./feed/ticks.ts";

/** A contract or index of the replayed venue, and the price series that its marks follow. */
export interface Listing {
  readonly instrumentId: string;
  readonly kind: "linear" | "inverse" | "option" | "spot";
  /** Symbol of the series. */
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly settleAsset: string;
  /** Linear and option: base units per contract. Inverse: quote value per contract. */
  readonly multiplier: string;
  readonly lotSize: string;
  readonly tickSize: string;
  readonly expiryAt: number | null;
  /** What the mark is above its series, in parts per million: the basis of a dated future. */
  readonly basisPpm: bigint;
  readonly allowNonPositive: boolean;
  /** Time between two ticks of the path. */
  readonly tickMs: number;
  /** Likewise as it is played: marks are good for twice as long. */
  readonly spacingMs: number;
  /** Null for everything but an option. */
  readonly option: ListedOption | null;
}

/** What makes a listing an option, as the API takes it. */
export type ListedOption = NonNullable<InstrumentBody["option"]>;

/** The venue that a replay trades on. */
export interface Market {
  readonly valuationAsset: string;
  readonly listings: readonly Listing[];
  /** Assets other than the valuation asset that count as collateral, with the listing that prices them. */
  readonly collateral: readonly { readonly asset: string; readonly priceId: string }[];
}

const DAY_MS = 86_400_000;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/** Coins whose inverse contracts are listed, with the value of one contract in the quote asset. */
const INVERSE_VALUE = new Map([
  ["BTC", "100"],
  ["ETH", "10"],
]);
/** Coins that accounts may post as collateral. */
const COLLATERAL = new Set(["BTC", "ETH"]);

/** The power of ten at or below `value`, as a plain decimal of at most eight places. */
export const roundDown = (value: number): string => {
  const exponent = Math.min(0, Math.max(-8, Math.floor(Math.log10(value))));
  return exponent === 0 ? "1" : `0.${"1".padStart(-exponent, "0")}`;
};

/** Ticks of about one in 100,000 of the price, and lots worth about 10 of the quote asset. */
const granularity = (first: Price): { tickSize: string; lotSize: string } => {
  const level = Math.max(Math.abs(Number(first)) / 1e8, 1e-6);
  return { tickSize: roundDown(level / 100_000), lotSize: roundDown(10 / level) };
};

/** 08:00Z on the last Friday of the first quarter's end that lies 30 days behind the end of the path. */
export const quarterEnd = (endAt: number): number => {
  const from = new Date(endAt + 30 * DAY_MS);
  const quarterMonth = Math.floor(from.getUTCMonth() / 3) * 3 + 3;
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), quarterMonth, 0));
  const backToFriday = (lastDay.getUTCDay() + 2) % 7;
  return lastDay.getTime() - backToFriday * DAY_MS + 8 * 3_600_000;
};

/** 08:00Z on the first Friday at least a week behind the end of the path. */
export const fridayAfter = (endAt: number): number => {
  const from = new Date(endAt + 7 * DAY_MS);
  const forward = (12 - from.getUTCDay()) % 7;
  const at = Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate() + forward) + 8 * 3_600_000;
  return at < from.getTime() ? at + 7 * DAY_MS : at;
};

/** An expiry as contracts are named after it: 26JUN20. */
export const dayName = (expiryAt: number): string => {
  const expiry = new Date(expiryAt);
  return `${expiry.getUTCDate()}${MONTHS[expiry.getUTCMonth()]}${expiry.getUTCFullYear() % 100}`;
};

const listingsOf = (series: PriceSeries, valuationAsset: string): Listing[] => {
  const first = series.bars[0];
  const last = series.bars.at(-1);
  if (first === undefined || last === undefined) return [];
  const common = {
    symbol: series.symbol,
    baseAsset: series.baseAsset,
    basisPpm: 0n,
    expiryAt: null,
    allowNonPositive: NON_POSITIVE_SYMBOLS.has(series.symbol),
    tickMs: tickSpacingMs(series.barMs),
    spacingMs: tickSpacingMs(series.barMs),
    option: null,
    ...granularity(first.open),
  };
  const { baseAsset } = series;
  const linear = { ...common, kind: "linear" as const, quoteAsset: valuationAsset, settleAsset: valuationAsset, multiplier: "1" };
  const listings: Listing[] = [{ ...linear, instrumentId: `${baseAsset}-PERP` }];
  const value = INVERSE_VALUE.get(baseAsset);
  if (value !== undefined) {
    const inverse = { ...common, kind: "inverse" as const, quoteAsset: "USD", settleAsset: baseAsset, multiplier: value, lotSize: "1" };
    listings.push({ ...inverse, instrumentId: `${baseAsset}USD-PERP` });
  }
  if (baseAsset === "BTC") {
    const expiryAt = quarterEnd(last.openAt);
    listings.push({ ...linear, instrumentId: `BTC-${dayName(expiryAt)}`, expiryAt, basisPpm: 2_000n });
  }
  if (COLLATERAL.has(baseAsset)) {
    listings.push({ ...linear, instrumentId: `${baseAsset}-INDEX`, kind: "spot" });
  }
  return listings;
};

/**
 * Lists what the given prices allow: a linear perpetual for each asset; for BTC and ETH also an inverse
 * perpetual and the index that prices them as collateral; for BTC also a dated future.
 * Of two series of one asset (another venue, another quote) the first one given is followed.
 */
export const marketOf = (series: readonly PriceSeries[]): Market => {
  const valuationAsset = series.some(({ quoteAsset }) => quoteAsset === "USDT") ? "USDT" : (series[0]?.quoteAsset ?? "USDT");
  const followed = series.filter((one, index) => series.findIndex(({ baseAsset }) => baseAsset === one.baseAsset) === index);
  const listings = followed.flatMap((one) => listingsOf(one, valuationAsset));
  const collateral = listings
    .filter(({ kind }) => kind === "spot")
    .map(({ baseAsset, instrumentId }) => ({ asset: baseAsset, priceId: instrumentId }));
  return { valuationAsset, listings, collateral };
};

/** The mark of a listing when its series shows `value`, rounded down to the tick. */
export const markOf = (listing: Listing, value: Price): Price => {
  const tick = price(listing.tickSize);
  const above = value + divide(value * listing.basisPpm, 1_000_000n, "down");
  // A basis makes odd figures; a price of the source itself stays exactly as it was read.
  return (listing.basisPpm === 0n ? value : divide(above, tick, "down") * tick) as Price;
};

/** The marks of one step. */
export const marksOf = (market: Market, step: TickStep): { instrumentId: string; price: Price; asOf: number }[] =>
  market.listings.flatMap((listing) => {
    const value = step.prices.get(listing.symbol);
    return value === undefined ? [] : [{ instrumentId: listing.instrumentId, price: markOf(listing, value), asOf: step.at }];
  });
