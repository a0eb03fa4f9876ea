import type { Ppm } from "../money.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, isPpm, notAtLeast, refused } from "../statistics/answer.ts";

/** An amount of the balance sheet, and the share of it that counts. */
export interface WeightedAmount {
  readonly name: string;
  readonly amount: number;
  readonly weight: Ppm;
}
/** Available stable funding: shares by kind (M16). */
export const AVAILABLE_FUNDING = {
  capital: 1_000_000,
  stableDeposits: 950_000,
  lessStableDeposits: 900_000,
  corporateUnderOneYear: 500_000,
};
/** Required stable funding of what margin needs: initial margin posted, and gross derivative liabilities from 5 % to 20 % (M16). */
export const REQUIRED_FUNDING = { initialMarginPosted: 850_000, derivativeLiabilitiesLeast: 50_000, derivativeLiabilitiesMost: 200_000 };

export interface StableFunding {
  readonly available: number;
  readonly required: number;
  /** Available over required: at least 1 is asked for. */
  readonly ratio: number;
  readonly isMet: boolean;
}

const sumOf = (amounts: readonly WeightedAmount[]): Answer<number> => {
  let sum = 0;
  for (const { name, amount, weight } of amounts) {
    const fault = notAtLeast(0, { [name]: amount });
    if (fault !== null) return fault;
    if (!isPpm(weight)) return refused("BAD_TERMS", `${name}: weight ${weight} is no whole ppm up to 1,000,000. Correct it`);
    sum += (amount * weight) / 1_000_000;
  }
  return given(sum);
};

/**
 * Net stable funding ratio `ASF / RSF` (M16), for entities that fund clients' margin or hold their cash.
 * Answers BAD_TERMS where nothing is required, or a weight is no whole ppm; BAD_NUMBER with the amount's name.
 */
export const stableFunding = (available: readonly WeightedAmount[], required: readonly WeightedAmount[]): Answer<StableFunding> => {
  const [have, need] = [sumOf(available), sumOf(required)];
  if (!have.ok) return have;
  if (!need.ok) return need;
  if (need.value === 0) return refused("BAD_TERMS", "nothing requires funding: there is no ratio. Give the assets");
  return given({ available: have.value, required: need.value, ratio: have.value / need.value, isMet: have.value >= need.value });
};
