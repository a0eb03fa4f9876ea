import { timeValue } from "./black76.ts";
import { normalDensity } from "./normal.ts";
import { faultOfPlace, type OptionRight, type PlaceFault } from "./option-fault.ts";

/** A price of which the volatility is asked. */
export interface PricedOption {
  readonly price: number;
  readonly forward: number;
  readonly strike: number;
  readonly years: number;
  readonly discount: number;
  readonly right: OptionRight;
}

/** Why a price has no volatility. */
export type VolatilityFault =
  | PlaceFault
  /** At and after expiry a price tells nothing of volatility. */
  | "TIME_NOT_POSITIVE"
  /** Below the discounted intrinsic value: an arbitrage. */
  | "BELOW_INTRINSIC"
  /** The discounted intrinsic value itself, as far as float64 can tell: any small volatility gives it. */
  | "NO_TIME_VALUE"
  /** At or above what the option can be worth at most: the discounted forward (call) or strike (put). */
  | "ABOVE_BOUND";

export type ImpliedVolatility =
  | { readonly ok: true; readonly volatility: number }
  | { readonly ok: false; readonly fault: VolatilityFault };

/** Time value within this share of the larger of forward and strike is rounding of the price. */
const ROUNDING = 4e-16;
/** `σ√T` at which an option is worth its bound in float64. */
const STD_DEV_MAX = 20;
const STEPS_MAX = 120;

/**
 * The `s = σ√T` at which an option out of the money is worth `target` of `low`, by Newton steps on the
 * logarithm of the value inside a bracket that every step narrows; a step out of it bisects.
 */
const solve = (low: number, high: number, target: number): number => {
  const goal = Math.log(target);
  const distance = Math.log(low / high);
  let [from, to] = [0, STD_DEV_MAX];
  // The inflection of the value in s; at the money the value is low · s / √(2π) for small s.
  let s = Math.min(STD_DEV_MAX / 2, Math.max(Math.sqrt(-2 * distance), (2.5 * target) / low));
  for (let step = 0; step < STEPS_MAX; step++) {
    const value = timeValue(low, high, s);
    const miss = value > 0 ? Math.log(value) - goal : Number.NEGATIVE_INFINITY;
    if (miss > 0) to = s;
    else from = s;
    const slope = value > 0 ? (low * normalDensity(distance / s + 0.5 * s)) / value : 0;
    const newton = slope > 0 ? s - miss / slope : Number.NaN;
    const inside = newton > from && newton < to;
    // The last bit may wander between two neighbours: a Newton step that small is the end, wherever it points.
    if (Math.abs(newton - s) <= (inside ? 2e-16 : 1e-13) * s) return inside ? newton : s;
    s = inside ? newton : 0.5 * (from + to);
  }
  return s;
};

/**
 * The volatility at which Black-76 gives a price (M1).
 *
 * Works on what the option is worth beyond its intrinsic value, so that both sides of the money and
 * deep strikes are as exact as their prices are.
 *
 * @returns the volatility a year, or the fault by name: never NaN and never a volatility for a price that no volatility explains.
 */
export const impliedVolatility = ({ price, forward, strike, years, discount, right }: PricedOption): ImpliedVolatility => {
  const fault = faultOfPlace({ forward, strike, years, discount });
  if (fault !== null) return { ok: false, fault };
  if (!Number.isFinite(price)) return { ok: false, fault: "NOT_A_NUMBER" };
  if (years <= 0) return { ok: false, fault: "TIME_NOT_POSITIVE" };
  const isCall = right === "call";
  const intrinsic = Math.max(0, isCall ? forward - strike : strike - forward);
  const time = price / discount - intrinsic;
  const [low, high] = forward < strike ? [forward, strike] : [strike, forward];
  const rounding = intrinsic === 0 ? 0 : ROUNDING * high;
  if (time < -rounding) return { ok: false, fault: "BELOW_INTRINSIC" };
  if (time <= rounding) return { ok: false, fault: "NO_TIME_VALUE" };
  if (time >= timeValue(low, high, STD_DEV_MAX)) return { ok: false, fault: "ABOVE_BOUND" };
  return { ok: true, volatility: solve(low, high, time) / Math.sqrt(years) };
};
