import { FEE_PPM, MARK_AGE_MAX_MS, RATE_IM_PPM, RATE_MM_PPM, SUSPECT_AFTER_MS } from "../actors/terms.ts";

/**
 * The reference model's arithmetic, written from the rules and not from the core: floating point, one bracket,
 * one currency, no concurrency. It never says what the figure is to the last unit; it says what may have
 * happened and what must have, with room for rounding.
 */

const IM = RATE_IM_PPM / 1e6;
/** Maintenance with the fee of closing (M3). */
const MM = (RATE_MM_PPM + FEE_PPM) / 1e6;
/** Headroom at which a call is due, and at which it is left (R1). */
export const CALL_X = 0.5;
export const CALL_LEFT_X = 0.55;
/** Buffer of a close-out and costs of a liquidation (R14, R19). */
const BUFFER = 0.1;
const COSTS = 0.001;
/** Half width of the band on a price that is not good (R3). */
export const BAND = 0.05;
/** Room for rounding, relative to the notional. */
const ROOM = 1e-7;

export interface Held {
  readonly cash: number;
  readonly positions: readonly { readonly instrumentId: string; readonly quantity: number; readonly entryPrice: number }[];
}

/** The lowest and the highest price of each instrument that a decision may have seen. */
export type PriceRange = (instrumentId: string) => { readonly low: number; readonly high: number };

export interface Margin {
  readonly equity: number;
  readonly notional: number;
}

/** How far a price is moved from the range: as a share of it, towards the side that is asked for; negative for away from it. */
export type Bands = (instrumentId: string) => number;
const NO_BANDS: Bands = () => 0;

/** Equity and notional at the prices of the range that are worst, or best, for the account. */
export const marginAt = ({ cash, positions }: Held, prices: PriceRange, side: "worst" | "best", bands: Bands = NO_BANDS): Margin => {
  let equity = cash;
  let notional = 0;
  for (const { instrumentId, quantity, entryPrice } of positions) {
    const { low, high } = prices(instrumentId);
    const band = bands(instrumentId);
    const isLow = quantity > 0 === (side === "worst");
    const price = isLow ? low * (1 - band) : high * (1 + band);
    equity += quantity * (price - entryPrice);
    notional += Math.abs(quantity) * price;
  }
  return { equity, notional };
};

/** Whether equity lies below MM + x (IM - MM), rounding aside: `mayBe` where rounding could make it so, `surely` where it could not. */
export const isBelow = ({ equity, notional }: Margin, x: number, how: "mayBe" | "surely"): boolean => {
  const room = ROOM * (notional + 1) * (how === "mayBe" ? 1 : -1);
  return equity < notional * (MM + x * (IM - MM)) + room;
};

/** Least quantity of the only position that brings an account back: to 1.1 MM after a close-out, above the call level after a deadline (I12). */
export const leastReduction = (margin: Margin, price: number, target: "closeOut" | "callLevel"): number => {
  const rate = target === "closeOut" ? MM * (1 + BUFFER) : MM + CALL_LEFT_X * (IM - MM);
  return (rate * margin.notional - margin.equity) / (price * (rate - COSTS));
};

/** A mark as it stood: price, its instant, and the jump that waited beside it. */
export interface MarkState {
  readonly price: number;
  readonly asOf: number;
  readonly candidate: { readonly price: number; readonly asOf: number } | null;
}

const JUMP_PER_MINUTE = 0.1;
const JUMP_MOST = 0.5;
const AGREE = 0.02;
const SKEW_MS = 5_000;

/**
 * Why a mark may not have become this one at `at` by one tick, or null (R3, S17, S21): a move within the guard,
 * or one that a second tick agrees with; never back in time, never from the future, never without a price.
 */
export const illegalMark = (before: MarkState | null, after: MarkState, at: number, skewMs: number): string | null => {
  if (!(after.price > 0)) return "no price";
  const newest = Math.max(after.asOf, after.candidate?.asOf ?? 0);
  if (newest > at + SKEW_MS + skewMs) return "from the future";
  if (before === null) return null;
  if (after.asOf < before.asOf) return "older than the mark that it replaced";
  if (after.asOf === before.asOf) return after.price === before.price ? null : "another price for the same instant";
  const minutes = Math.max(1, Math.floor((after.asOf - before.asOf) / 60_000));
  const guard = Math.min(JUMP_MOST, JUMP_PER_MINUTE * minutes);
  const move = Math.abs(after.price - before.price) / before.price;
  if (move <= guard + ROOM) return null;
  const jump = before.candidate;
  if (jump !== null && after.asOf > jump.asOf && Math.abs(after.price - jump.price) <= jump.price * AGREE + ROOM) return null;
  return `a move of ${(100 * move).toFixed(1)} % that no second tick agrees with`;
};

/** True where the mark could be used for trading by a clock that shows `now` at the earliest (R3, I07). */
export const isGoodAt = (mark: MarkState, now: number): boolean =>
  now - mark.asOf <= MARK_AGE_MAX_MS && (mark.candidate === null || now - mark.candidate.asOf < SUSPECT_AFTER_MS);
