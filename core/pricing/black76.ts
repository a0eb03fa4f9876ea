import { normalCdf, normalDensity, upperTail } from "./normal.ts";
import type { Black76Terms, OptionRight } from "./option-fault.ts";

/**
 * Value of an option that is out of the money, before discounting, from the smaller and the larger of
 * forward and strike: `low · Φ(a) − high · Φ(−b)`, with `a = ln(low/high)/s + s/2` and `b = s − a`.
 *
 * By symmetry it is the call for a forward below its strike and the put for one above. The two
 * densities are in the ratio low : high, so that one exponential serves both tails.
 */
export const timeValue = (low: number, high: number, stdDev: number): number => {
  const a = Math.log(low / high) / stdDev + 0.5 * stdDev;
  const e = Math.exp(-0.5 * a * a);
  const above = upperTail(stdDev - a, (e * low) / high);
  return a > 0 ? low * (1 - upperTail(a, e)) - high * above : low * upperTail(-a, e) - high * above;
};

/**
 * Black-76 (M1): `C = D[F Φ(d1) − K Φ(d2)]`, the put by parity, as the discounted intrinsic value plus
 * the value of the option on the other side of the money: what is left of a deep one is not lost in a difference.
 *
 * The inner kernel: five numbers in, one out, nothing allocated and nothing judged. Judge terms from
 * outside with `faultOfTerms` first: NaN goes through.
 *
 * @param forward,strike above 0; a strike or forward of 0 and below gives the discounted intrinsic value.
 * @param stdDev `σ√T`; 0 and below gives the discounted intrinsic value.
 */
export const black76 = (forward: number, strike: number, stdDev: number, discount: number, isCall: boolean): number => {
  const inside = isCall ? forward - strike : strike - forward;
  const intrinsic = inside > 0 ? inside : 0;
  if (stdDev <= 0 || forward <= 0 || strike <= 0) return discount * intrinsic;
  const time = forward < strike ? timeValue(forward, strike, stdDev) : timeValue(strike, forward, stdDev);
  // Rounding may leave a hair below 0 where two equal tails cancel.
  return discount * (intrinsic + Math.max(0, time));
};

/** `σ√T` of terms, 0 at and after expiry. */
export const stdDevOf = (volatility: number, years: number): number => (years > 0 ? volatility * Math.sqrt(years) : 0);

/** Value and sensitivities in the unit of the forward. Units of time are years, of volatility and rate 1.00. */
export interface Black76Greeks {
  readonly value: number;
  /** By the forward. */
  readonly delta: number;
  /** Twice by the forward. */
  readonly gamma: number;
  /** By the volatility. */
  readonly vega: number;
  /** By the passing of a year, forward and volatility unchanged, the rate being `−ln(D)/T`. */
  readonly theta: number;
  /** By the rate that discounts, forward unchanged: `−T · value`. */
  readonly rho: number;
}

/**
 * Value and greeks of a European option on a forward (M1). At and after expiry, and with a volatility of
 * 0, gamma and vega are 0 and delta is that of the payoff: at the money half.
 *
 * The terms are judged by the caller: `faultOfTerms`.
 */
export const black76Greeks = ({ forward, strike, volatility, years, discount }: Black76Terms, right: OptionRight): Black76Greeks => {
  const isCall = right === "call";
  const stdDev = stdDevOf(volatility, years);
  const value = black76(forward, strike, stdDev, discount, isCall);
  const rate = years > 0 ? -Math.log(discount) / years : 0;
  const rho = years > 0 ? -years * value : 0;
  if (stdDev <= 0) {
    const share = forward === strike ? 0.5 : forward > strike === isCall ? 1 : 0;
    return { value, delta: (isCall ? discount : -discount) * share, gamma: 0, vega: 0, theta: rate * value, rho };
  }
  const d1 = Math.log(forward / strike) / stdDev + 0.5 * stdDev;
  const density = discount * normalDensity(d1);
  const decay = (density * forward * volatility) / (2 * Math.sqrt(years));
  return {
    value,
    delta: discount * (isCall ? normalCdf(d1) : -normalCdf(-d1)),
    gamma: density / (forward * stdDev),
    vega: density * forward * Math.sqrt(years),
    theta: rate * value - decay,
    rho,
  };
};
