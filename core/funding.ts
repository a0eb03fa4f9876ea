import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { divide, max, min, ONE, PPM } from "./money.ts";

/** A year of funding rates, in milliseconds: 365 days. */
const YEAR_MS = 365n * 86_400_000n;

/** Averages over one funding interval and the terms that bound the payment (M1). */
export interface FundingTerms {
  /** Time-weighted average price of the perpetual, above 0. */
  readonly perpetual: Price;
  /** The same of the index, above 0. */
  readonly index: Price;
  /** Interest a year. */
  readonly interest: Ppm;
  /** Length of the interval, 0 or above. */
  readonly intervalMs: number;
  /** Least and greatest of the interest term, as shares of the index; null without bounds. */
  readonly clamp: { readonly lower: Ppm; readonly upper: Ppm } | null;
}

/**
 * Funding of one interval for one unit (Vega): `f − s + clamp((1 + r·Δt)·s − f, lower·s, upper·s)`. Positive is paid
 * by the long side. One figure for both sides, rounded down, so that what is paid is what is received.
 */
export const fundingPayment = ({ perpetual, index, interest, intervalMs, clamp }: FundingTerms): Price => {
  const scale = PPM * YEAR_MS;
  const carried = index * BigInt(interest) * BigInt(intervalMs) + (index - perpetual) * scale;
  const bound = (rate: Ppm): bigint => index * BigInt(rate) * YEAR_MS;
  const kept = clamp === null ? carried : min(bound(clamp.upper), max(bound(clamp.lower), carried));
  return divide((perpetual - index) * scale + kept, scale, "down") as Price;
};

/** A perpetual position and what its side pays for one unit over an interval; positive is paid by the long side. */
export interface FundedPosition {
  /** Positive is long. */
  readonly quantity: Quantity;
  /** Units per contract. */
  readonly multiplier: Quantity;
  readonly paymentPerUnit: Price;
}

/**
 * Funding since the last settlement that equity already counts (M1): the interval's expected payment for the time
 * that went by. Negative is owed; rounded down.
 *
 * @param elapsedMs since the last settlement, taken between 0 and `intervalMs`, which is above 0.
 */
export const accruedFunding = (position: FundedPosition, elapsedMs: number, intervalMs: number): Money => {
  const elapsed = BigInt(Math.max(0, Math.min(elapsedMs, intervalMs)));
  const owed = position.quantity * position.multiplier * position.paymentPerUnit * elapsed;
  return divide(-owed, ONE * ONE * BigInt(intervalMs), "down") as Money;
};

/** What a position is expected to pay at the next settlement; negative is received. Rounded up. */
export const expectedFunding = ({ quantity, multiplier, paymentPerUnit }: FundedPosition): Money =>
  divide(quantity * multiplier * paymentPerUnit, ONE * ONE, "up") as Money;

/** Add-on to the requirement for the next payment (M1): `φ·(expected payment)⁺`, rounded up. What is received lowers nothing. */
export const fundingAddOn = (position: FundedPosition, factor: Ppm): Money =>
  divide(max<bigint>(expectedFunding(position), 0n) * BigInt(factor), PPM, "up") as Money;
