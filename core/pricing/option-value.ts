import { black76Greeks } from "./black76.ts";
import { faultOfTerms, type OptionFault, type OptionRight } from "./option-fault.ts";

/** A European option as a venue lists it. */
export interface OptionContract {
  readonly right: OptionRight;
  /** In the quote asset, above 0. */
  readonly strike: number;
  /** Underlying per contract, above 0. */
  readonly multiplier: number;
  /** `linear`: valued and settled in the quote asset. `inverse`: in the coin, at the quote value by the forward. */
  readonly settlement: "linear" | "inverse";
  /** `premium`: paid when bought, so that the value counts in equity. `futures`: margined daily, never discounted, never in equity. */
  readonly style: "premium" | "futures";
  /** Length of the averaging window before expiry in years (30 minutes on Deribit); 0 settles on the last index. */
  readonly averagingYears: number;
}

/** The market of an option at one instant, all from one snapshot. */
export interface OptionMarket {
  /** To expiry; within the averaging window and at expiry the index. */
  readonly forward: number;
  /** For the option's strike, a year: `volatilityAt`. */
  readonly volatility: number;
  /** Time to expiry, 0 and below at and after it. */
  readonly years: number;
  readonly discount: number;
  /** Average of the index over the part of the window that has gone by; at expiry the settlement price. Null before the window. */
  readonly averageFixed: number | null;
}

export type OptionValueFault =
  | OptionFault
  /** A multiplier that is not above 0, or a window below 0. */
  | "CONTRACT_OUT_OF_RANGE"
  /** Inside the averaging window, or settled by an average, without an average above 0 so far. */
  | "AVERAGE_MISSING";

/** Of one contract held long, in its settlement asset. */
export type OptionValue =
  | {
      readonly ok: true;
      /** LIVE before the averaging window, AVERAGING within it, EXPIRED at and after expiry: the value is then the payoff. */
      readonly state: "LIVE" | "AVERAGING" | "EXPIRED";
      readonly value: number;
      /** By the forward, its unit in the settlement asset. */
      readonly delta: number;
      readonly gamma: number;
      readonly vega: number;
      /** What counts in equity: the value, or 0 in futures style, where the daily settlement has paid it. */
      readonly equityValue: number;
    }
  | { readonly ok: false; readonly fault: OptionValueFault };

interface QuoteGreeks {
  readonly value: number;
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
}

/** The share of a settlement average over a window before expiry that has gone by: 0 before it, 1 at and after expiry (M1). */
export const fixedShare = (years: number, window: number): number => (window > 0 ? Math.min(1, Math.max(0, 1 - years / window)) : 0);

/**
 * The share of the settlement average that is fixed, and the time that counts for the variance of what is not:
 * an arithmetic average over a window W has a third of the window's variance (to first order in σ²W), so it
 * is `T − W + W/3` before the window and a third of the time left within it.
 */
const averaging = (years: number, window: number): { readonly fixed: number; readonly effectiveYears: number } => {
  const fixed = fixedShare(years, window);
  if (years <= 0) return { fixed, effectiveYears: 0 };
  return { fixed, effectiveYears: years >= window ? years - (2 * window) / 3 : years / 3 };
};

const payoff = (right: OptionRight, at: number, strike: number): number => Math.max(0, right === "call" ? at - strike : strike - at);

/**
 * Of the payoff `(w·A + (1 − w)·G − K)⁺`, with w of the average fixed at A and G the average to come, the
 * factor 1 − w comes out: `(1 − w)` options on G at the strike `(K − w·A)/(1 − w)`.
 * At a strike of 0 and below the call is certain to pay, and the put is worth nothing.
 */
const inQuote = (contract: OptionContract, market: OptionMarket, discount: number): QuoteGreeks => {
  const { right, averagingYears } = contract;
  const { forward, volatility, years, averageFixed } = market;
  const { fixed: share, effectiveYears } = averaging(years, averagingYears);
  const fixed = share * (averageFixed ?? 0);
  const open = 1 - share;
  if (open === 0) return { value: payoff(right, fixed, contract.strike), delta: 0, gamma: 0, vega: 0 };
  const strike = (contract.strike - fixed) / open;
  if (strike <= 0) {
    const sure = right === "call" ? open * discount : 0;
    return { value: sure * (forward - strike), delta: sure, gamma: 0, vega: 0 };
  }
  // The effective time carries the variance only: the discount is that of expiry.
  const on = black76Greeks({ forward, strike, volatility, years: effectiveYears, discount }, right);
  return { value: open * on.value, delta: open * on.delta, gamma: open * on.gamma, vega: open * on.vega };
};

/** Into the coin, at the forward: `V/F` and its derivatives. */
const inCoin = ({ value, delta, gamma, vega }: QuoteGreeks, forward: number): QuoteGreeks => {
  const coin = value / forward;
  const slope = (delta - coin) / forward;
  return { value: coin, delta: slope, gamma: (gamma - 2 * slope) / forward, vega: vega / forward };
};

const faultOf = (contract: OptionContract, market: OptionMarket): OptionValueFault | null => {
  const { multiplier, averagingYears } = contract;
  const { years, averageFixed } = market;
  const fault = faultOfTerms({ ...market, strike: contract.strike });
  if (fault !== null) return fault;
  if (!(multiplier > 0 && Number.isFinite(multiplier) && averagingYears >= 0 && Number.isFinite(averagingYears)))
    return "CONTRACT_OUT_OF_RANGE";
  const begun = averagingYears > 0 && years < averagingYears;
  return begun && !(averageFixed !== null && averageFixed > 0 && Number.isFinite(averageFixed)) ? "AVERAGE_MISSING" : null;
};

/**
 * The value of one option contract in its settlement asset (M1).
 *
 * At and after expiry it is the payoff at the settlement average, or at the index where nothing is averaged.
 * Within the averaging window what is fixed moves no more: delta shrinks with the time left.
 *
 * @returns value and sensitivities of one contract held long, or the fault by name; never NaN.
 */
export const optionValue = (contract: OptionContract, market: OptionMarket): OptionValue => {
  const fault = faultOf(contract, market);
  if (fault !== null) return { ok: false, fault };
  const expired = market.years <= 0;
  const discount = expired || contract.style === "futures" ? 1 : market.discount;
  const quote = inQuote(contract, market, discount);
  // A settled inverse option pays in the coin at the price that settles it.
  const settledAt = expired && contract.averagingYears > 0 ? (market.averageFixed as number) : market.forward;
  const { value, delta, gamma, vega } = contract.settlement === "inverse" ? inCoin(quote, settledAt) : quote;
  if (!Number.isFinite(value + delta + gamma + vega)) return { ok: false, fault: "NOT_A_NUMBER" };
  const settled = expired ? 0 : contract.multiplier;
  return {
    ok: true,
    state: expired ? "EXPIRED" : market.years < contract.averagingYears ? "AVERAGING" : "LIVE",
    value: value * contract.multiplier,
    delta: delta * settled,
    gamma: gamma * settled,
    vega: vega * settled,
    equityValue: contract.style === "futures" ? 0 : value * contract.multiplier,
  };
};
