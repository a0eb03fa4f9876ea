/** Which way an option pays: a call max(S − K, 0), a put max(K − S, 0). */
export type OptionRight = "call" | "put";

/** Why option terms can be given no value. A fault is answered by this name, never by NaN. */
export type OptionFault =
  /** A figure is NaN or infinite, or so large that its square is. */
  | "NOT_A_NUMBER"
  /** The log-normal model has no forward of 0 and below (S20, S21). */
  | "FORWARD_NOT_POSITIVE"
  | "STRIKE_NOT_POSITIVE"
  | "DISCOUNT_NOT_POSITIVE"
  | "VOLATILITY_NEGATIVE";

/** What a European option on a forward is priced from; see `black76`. */
export interface Black76Terms {
  /** The forward to expiry, above 0. */
  readonly forward: number;
  /** Above 0, in the unit of the forward. */
  readonly strike: number;
  /** A year, as a share: 0.6 is 60 %. */
  readonly volatility: number;
  /** Seconds to expiry by 365 days (M0). */
  readonly years: number;
  /** Value today of 1 at expiry, above 0. */
  readonly discount: number;
}

/** The first fault of the terms, or null when they have a value. Time of 0 and below is no fault: the option is then worth its payoff. */
export const faultOfTerms = ({ forward, strike, volatility, years, discount }: Black76Terms): OptionFault | null => {
  if (!Number.isFinite(forward + strike + discount + years + volatility * volatility * years)) return "NOT_A_NUMBER";
  if (forward <= 0) return "FORWARD_NOT_POSITIVE";
  if (strike <= 0) return "STRIKE_NOT_POSITIVE";
  if (discount <= 0) return "DISCOUNT_NOT_POSITIVE";
  return volatility < 0 ? "VOLATILITY_NEGATIVE" : null;
};
