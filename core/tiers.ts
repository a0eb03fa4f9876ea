import type { RiskTier } from "./instrument.ts";
import type { Money, Ppm } from "./money.ts";
import { decimal, divide, PPM } from "./money.ts";
import { TermsError } from "./terms-error.ts";

/** A bracket as a venue publishes it; the amounts are optional and checked when given. */
export interface RawTier {
  readonly floor: Money;
  readonly rateIm: Ppm;
  readonly rateMm: Ppm;
  readonly amountIm?: Money | undefined;
  readonly amountMm?: Money | undefined;
}

const isRate = (rate: Ppm): boolean => Number.isInteger(rate) && rate > 0 && rate <= Number(PPM);

/** `A_k = A_{k−1} + n_k·(r_k − r_{k−1})`, rounded down: a requirement rounds up (M3). */
const nextAmount = (amount: Money, floor: Money, rate: Ppm, previousRate: Ppm): Money =>
  (amount + divide(floor * BigInt(rate - previousRate), PPM, "down")) as Money;

const checkAmount = (given: Money | undefined, derived: Money, refuse: (fault: string, mend: string) => TermsError): void => {
  if (given === undefined || given === derived) return;
  throw refuse(
    `amount ${decimal(given)} makes the requirement jump at the floor`,
    `Continuity needs ${decimal(derived)}: correct it, or leave the amount out and it is derived`,
  );
};

/**
 * Loads a table of brackets (M3, R24): derives the amounts that make the requirement continuous.
 *
 * @param name the table's name for errors, for example "tiers of BTC-PERP".
 * @param feePpm the closing fee that is inside the maintenance requirement.
 * @throws TermsError naming the table, the bracket and the mend: no bracket, a first floor other than
 *   0, floors or rates that do not rise, given amounts that are discontinuous, or an initial rate
 *   below maintenance rate plus fee (R24; in the first bracket it must be above, so that IM > MM, R1).
 */
export const loadTiers = (name: string, raw: readonly RawTier[], feePpm: Ppm): readonly RiskTier[] => {
  const tiers: RiskTier[] = [];
  for (const [index, { floor, rateIm, rateMm, amountIm, amountMm }] of raw.entries()) {
    const refuse = (fault: string, mend: string) => new TermsError(name, `bracket ${index + 1}`, fault, mend);
    const previous = tiers[index - 1];
    if (!isRate(rateIm) || !isRate(rateMm)) {
      throw refuse(`rates ${rateIm} and ${rateMm} are not whole parts per million up to 1,000,000`, "0.5 % is 5000");
    }
    if (previous === undefined) {
      if (floor !== 0n) throw refuse(`the first floor is ${decimal(floor)}`, "Start the table at notional 0");
      if (rateIm <= rateMm + feePpm) {
        throw refuse(
          `initial rate ${rateIm} is not above maintenance rate ${rateMm} plus fee ${feePpm}`,
          "Raise the initial rate (R1: IM > MM)",
        );
      }
    } else {
      if (floor <= previous.floor) throw refuse(`floor ${decimal(floor)} is not above the floor before it`, "Sort the brackets by floor");
      if (rateIm < previous.rateIm || rateMm < previous.rateMm || rateIm + rateMm === previous.rateIm + previous.rateMm) {
        throw refuse(
          "a rate falls, or none rises, against the bracket before it",
          "Rates rise with the notional: merge or correct the brackets",
        );
      }
      if (rateIm < rateMm + feePpm) {
        throw refuse(
          `initial rate ${rateIm} is below maintenance rate ${rateMm} plus fee ${feePpm}`,
          "Raise the initial rate of the bracket (R24)",
        );
      }
    }
    const derived = {
      amountIm: previous === undefined ? (0n as Money) : nextAmount(previous.amountIm, floor, rateIm, previous.rateIm),
      amountMm: previous === undefined ? (0n as Money) : nextAmount(previous.amountMm, floor, rateMm, previous.rateMm),
    };
    checkAmount(amountIm, derived.amountIm, refuse);
    checkAmount(amountMm, derived.amountMm, refuse);
    tiers.push({ floor, rateIm, rateMm, ...derived });
  }
  if (tiers.length === 0) throw new TermsError(name, "the whole table", "no bracket", "Give at least one, from notional 0");
  return tiers;
};

/**
 * The table with higher initial rates: amounts are derived anew, so that the requirement stays continuous and is never
 * below the one before (M3).
 *
 * @param raise gives a rate of at least its own, of at most 1,000,000, and keeps the order of two.
 */
export const withInitialRates = (tiers: readonly RiskTier[], raise: (rateIm: Ppm) => Ppm): readonly RiskTier[] => {
  const raised: RiskTier[] = [];
  for (const tier of tiers) {
    const previous = raised.at(-1);
    const rateIm = raise(tier.rateIm);
    const amountIm = previous === undefined ? (0n as Money) : nextAmount(previous.amountIm, tier.floor, rateIm, previous.rateIm);
    raised.push({ ...tier, rateIm, amountIm });
  }
  return raised;
};

/** The bracket that holds at a notional of 0 or more (M3). */
export const tierAt = (tiers: readonly RiskTier[], notional: Money): RiskTier => {
  let index = tiers.length - 1;
  while (index > 0 && notional < (tiers[index] as RiskTier).floor) index -= 1;
  return tiers[index] as RiskTier;
};

/** Initial and maintenance requirement of one notional (M3), rounded up; the closing fee is inside maintenance. */
export const requirementOf = (
  tiers: readonly RiskTier[],
  notional: Money,
  feePpm: Ppm,
): { readonly initial: Money; readonly maintenance: Money } => {
  const { rateIm, rateMm, amountIm, amountMm } = tierAt(tiers, notional);
  return {
    initial: (divide(notional * BigInt(rateIm), PPM, "up") - amountIm) as Money,
    maintenance: (divide(notional * BigInt(rateMm + feePpm), PPM, "up") - amountMm) as Money,
  };
};
