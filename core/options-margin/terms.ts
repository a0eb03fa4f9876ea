import type { Ppm } from "../money.ts";
import { PPM } from "../money.ts";
import { TermsError } from "../terms-error.ts";

/** A rate for each of the two requirements. */
export interface Rates {
  readonly initial: Ppm;
  readonly maintenance: Ppm;
}

/**
 * Terms of standard option margin for the options on one underlying (M5). Rates are ppm of the
 * underlying's price, for one unit of it.
 */
export interface OptionMarginTerms {
  /** `a`: what a short option needs beside its value, before the out-of-the-money amount is taken off. */
  readonly rate: Rates;
  /** `b`: what is left at least. Equal to `rate` where the out-of-the-money amount takes nothing off. */
  readonly least: Rates;
  /** What the put's `least` is a share of: the underlying's price, or the strike (Reg T). */
  readonly putLeastOn: "spot" | "strike";
  /** Least maintenance of a short put beside its value, as a share of that value; 0 for none. */
  readonly putValueMaintenance: Ppm;
  /** `κ`: a short put's initial requirement is at least this times its maintenance requirement. At least 1,000,000. */
  readonly putInitialOverMaintenance: Ppm;
  /**
   * `u`: charge on each call that is sold and not bought back by another, as a share of the forward, on top of
   * the worst payoff. Null: an expiry with such calls gets no bound by its payoff.
   */
  readonly unpairedCall: Rates | null;
  /** Whether a short call and a short put of one expiry need the greater of both and the other's value (Reg T). */
  readonly straddle: boolean;
}

const isRate = (rate: Ppm): boolean => Number.isInteger(rate) && rate >= 0 && rate <= 10 * Number(PPM);

/**
 * Checks the terms of standard option margin when they are loaded (M5) and gives them back.
 *
 * @param name the table's name for errors, for example "option margin of BTC".
 * @throws TermsError naming the table, the field and the mend: a rate that is no whole number of ppm from 0 to
 *   10,000,000, an initial rate below the maintenance rate, a least above its rate, κ below 1.
 */
export const loadOptionMarginTerms = (name: string, terms: OptionMarginTerms): OptionMarginTerms => {
  const refuse = (place: string, fault: string, mend: string) => new TermsError(name, place, fault, mend);
  const pairs = { rate: terms.rate, least: terms.least, ...(terms.unpairedCall === null ? {} : { unpairedCall: terms.unpairedCall }) };
  for (const [place, { initial, maintenance }] of Object.entries(pairs)) {
    if (!isRate(initial) || !isRate(maintenance)) {
      throw refuse(place, `${initial} and ${maintenance} are not whole parts per million up to 10,000,000`, "15 % is 150000");
    }
    if (initial < maintenance) {
      throw refuse(place, `the initial rate ${initial} is below the maintenance rate ${maintenance}`, "Raise the initial rate (R1)");
    }
  }
  if (terms.rate.maintenance === 0) throw refuse("rate", "the maintenance rate is 0", "A short option needs more than its value (M5)");
  for (const schedule of ["initial", "maintenance"] as const) {
    if (terms.least[schedule] > terms.rate[schedule]) {
      throw refuse("least", `${terms.least[schedule]} is above the rate ${terms.rate[schedule]}`, "Lower the least, or raise the rate");
    }
  }
  if (!isRate(terms.putValueMaintenance)) {
    throw refuse("putValueMaintenance", `${terms.putValueMaintenance} is not a whole number of ppm`, "7.5 % is 75000");
  }
  if (!isRate(terms.putInitialOverMaintenance) || terms.putInitialOverMaintenance < Number(PPM)) {
    throw refuse(
      "putInitialOverMaintenance",
      `${terms.putInitialOverMaintenance} is below 1,000,000`,
      "1 is 1000000 (IM is never below MM)",
    );
  }
  return terms;
};
