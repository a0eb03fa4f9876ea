/** Which way an option pays: a call max(S − K, 0), a put max(K − S, 0). */
export type OptionRight = "call" | "put";

/** Why a strike has no place on a market. A fault is answered by this name, never by NaN. */
export type PlaceFault =
  /** A figure is NaN or infinite, or so large or small that what follows from it is. */
  | "NOT_A_NUMBER"
  /** The log-normal model has no forward of 0 and below (S20, S21). */
  | "FORWARD_NOT_POSITIVE"
  | "STRIKE_NOT_POSITIVE"
  | "DISCOUNT_NOT_POSITIVE";

/** Why option terms can be given no value. */
export type OptionFault = PlaceFault | "VOLATILITY_NEGATIVE";

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

/** The first fault of a strike on a market, or null; `years` are only asked to be a number. */
export const faultOfPlace = ({ forward, strike, years, discount }: Omit<Black76Terms, "volatility">): PlaceFault | null => {
  if (!Number.isFinite(forward + strike + discount + years)) return "NOT_A_NUMBER";
  if (forward <= 0) return "FORWARD_NOT_POSITIVE";
  if (strike <= 0) return "STRIKE_NOT_POSITIVE";
  return discount <= 0 ? "DISCOUNT_NOT_POSITIVE" : null;
};

/** The first fault of the terms, or null when they have a value. Time of 0 and below is no fault: the option is then worth its payoff. */
export const faultOfTerms = (terms: Black76Terms): OptionFault | null => {
  if (!Number.isFinite(terms.volatility * terms.volatility * terms.years)) return "NOT_A_NUMBER";
  return faultOfPlace(terms) ?? (terms.volatility < 0 ? "VOLATILITY_NEGATIVE" : null);
};
