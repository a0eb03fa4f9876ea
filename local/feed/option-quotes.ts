import { type Price, price } from "../../core/money.ts";
import { black76 } from "../../core/pricing/black76.ts";
import { type Listing, type Market, markOf } from "../market.ts";
import { draws } from "../random.ts";
import type { TickStep } from "./ticks.ts";

/** A year by 365 days (M0). */
const YEAR_MS = 31_536_000_000;
const DAY_MS = 86_400_000;

/** Volatility of a market that has not fallen, and what each per cent below the highest price of a day adds. */
const CALM = 0.6;
const PER_FALL = 2;

/** Quotes are lost for this many ticks at a time, longer than a mark is good for (S15), in this share of such stretches. */
const STRETCH = 18;
const LOST_SHARE = 0.03;

/** Volatility at each step, a year: calm plus twice the fall from the highest price of the last day. */
const volatilitiesOf = (symbol: string, steps: readonly TickStep[], dayTicks: number): number[] => {
  const shown: number[] = [];
  return steps.map(({ prices }) => {
    const now = Number(prices.get(symbol) ?? 0n);
    if (now > 0) shown.push(now);
    const highest = Math.max(now, ...shown.slice(-dayTicks));
    return now > 0 ? CALM + PER_FALL * Math.log(highest / now) : CALM;
  });
};

/** True where a stretch of an option's quotes is missing. Never the first: an account holds nothing that has no price yet. */
const isLost = (seed: number, instrumentId: string, stretch: number): boolean =>
  stretch > 0 && draws(seed, `quotes of ${instrumentId}, stretch ${stretch}`)() < LOST_SHARE;

/** An option by Black-76 on its underlying's mark, to the nearest tick and at least one; inverse in the coin. */
const quoteOf = (listing: Listing, forward: number, at: number, volatility: number): Price => {
  const { option, expiryAt, tickSize } = listing;
  const years = Math.max(0, (expiryAt ?? at) - at) / YEAR_MS;
  const value = black76(forward, Number(option?.strike ?? 0), volatility * Math.sqrt(years), 1, option?.right === "call");
  const tick = Number(tickSize);
  const ticks = Math.max(1, Math.round((option?.settlement === "inverse" ? value / forward : value) / tick));
  return (BigInt(ticks) * price(tickSize)) as Price;
};

/**
 * Adds a quote of each option of the market to the steps at which its underlying ticked, under its own id. Now and then,
 * by the seed, an option goes unquoted for a stretch of ticks: its value then comes from its neighbours (S15).
 */
export const quoteOptions = (market: Market, steps: readonly TickStep[], seed: number): TickStep[] => {
  const quoted = steps.map((step) => ({ at: step.at, prices: new Map(step.prices) }));
  const volatilities = new Map<string, number[]>();
  for (const listing of market.listings) {
    const underlying = market.listings.find(({ instrumentId }) => instrumentId === listing.option?.underlyingId);
    if (underlying === undefined) continue;
    const { symbol } = underlying;
    const dayTicks = Math.max(1, Math.round(DAY_MS / underlying.tickMs));
    const sigmas = volatilities.get(symbol) ?? volatilitiesOf(symbol, steps, dayTicks);
    volatilities.set(symbol, sigmas);
    const lost = Array.from({ length: Math.ceil(steps.length / STRETCH) }, (_, stretch) => isLost(seed, listing.instrumentId, stretch));
    for (const [index, { at, prices }] of quoted.entries()) {
      const value = prices.get(symbol);
      if (value === undefined || value <= 0n || lost[Math.floor(index / STRETCH)] === true) continue;
      const forward = Number(markOf(underlying, value)) / 1e8;
      prices.set(listing.symbol, quoteOf(listing, forward, at, sigmas[index] ?? CALM));
    }
  }
  return quoted;
};
