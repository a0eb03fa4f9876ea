import type { Price } from "../core/money.ts";
import { quoteOptions } from "./feed/option-quotes.ts";
import type { TickStep } from "./feed/ticks.ts";
import { dayName, fridayAfter, type Listing, type Market, quarterEnd, roundDown } from "./market.ts";

/** Coins on which options are listed. */
const OPTIONED = ["BTC", "ETH"] as const;
/** The coin whose options are also listed settled in the coin. */
const INVERSE = "BTC";
/** Strikes as shares of the opening price, rounded to two digits; those of inverse options are the middle three. */
const STRIKE_SHARES = [0.8, 0.9, 1, 1.1, 1.2];
const RIGHTS = ["call", "put"] as const;

interface Series {
  readonly underlying: Listing;
  readonly opening: Price;
  readonly expiryAt: number;
  readonly settlement: "linear" | "inverse";
}

/** The strikes around an opening price, ascending, no two alike. */
const strikesOf = ({ opening, settlement }: Series): number[] => {
  const shares = settlement === "inverse" ? STRIKE_SHARES.slice(1, -1) : STRIKE_SHARES;
  return [...new Set(shares.map((share) => Number(((Number(opening) / 1e8) * share).toPrecision(2))))];
};

const seriesOf = (series: Series): Listing[] => {
  const { underlying, opening, expiryAt, settlement } = series;
  const level = Number(opening) / 1e8;
  const inverse = settlement === "inverse";
  const root = inverse ? `${underlying.baseAsset}USD` : underlying.baseAsset;
  return strikesOf(series).flatMap((strike) =>
    RIGHTS.map((right): Listing => {
      const instrumentId = `${root}-${dayName(expiryAt)}-${strike}-${right === "call" ? "C" : "P"}`;
      return {
        ...underlying,
        instrumentId,
        kind: "option",
        // Its quotes are a series of their own.
        symbol: instrumentId,
        settleAsset: inverse ? underlying.baseAsset : underlying.quoteAsset,
        multiplier: "1",
        lotSize: roundDown(1_000 / level),
        tickSize: inverse ? "0.00001" : roundDown(level / 1_000_000),
        expiryAt,
        basisPpm: 0n,
        option: { underlyingId: underlying.instrumentId, strike: String(strike), right, style: "premium", settlement, averagingMs: 0 },
      };
    }),
  );
};

/** European options of one coin: on its index to a near expiry, and on its dated future to that one's, where it has one. */
const optionsOf = (market: Market, asset: string, first: TickStep, endAt: number): Listing[] => {
  const index = market.listings.find(({ kind, baseAsset }) => kind === "spot" && baseAsset === asset);
  const opening = index === undefined ? undefined : first.prices.get(index.symbol);
  if (index === undefined || opening === undefined) return [];
  const future = market.listings.find((one) => one.kind === "linear" && one.baseAsset === asset && one.expiryAt !== null);
  const near = { opening, underlying: index, expiryAt: fridayAfter(endAt) };
  return [
    ...seriesOf({ ...near, settlement: "linear" }),
    ...(future === undefined ? [] : seriesOf({ ...near, underlying: future, expiryAt: quarterEnd(endAt), settlement: "linear" })),
    ...(asset === INVERSE ? seriesOf({ ...near, settlement: "inverse" }) : []),
  ];
};

/**
 * Lists options on bitcoin and ether where their prices are there, a few strikes around the opening price that expire
 * behind the end of the path, and quotes them on every tick.
 */
export const withOptions = (
  market: Market,
  steps: readonly TickStep[],
  seed: number,
): { readonly market: Market; readonly steps: readonly TickStep[] } => {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return { market, steps };
  const options = OPTIONED.flatMap((asset) => optionsOf(market, asset, first, last.at));
  const listed = { ...market, listings: [...market.listings, ...options] };
  return { market: listed, steps: quoteOptions(listed, steps, seed) };
};
