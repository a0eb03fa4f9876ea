import type { Ppm } from "../money.ts";

const PPM = 1_000_000;

/** A holding of a margin account. */
export interface BetaHolding {
  readonly value: number;
  /** How far it moves by the market: one for one is 1,000,000. */
  readonly betaPpm: Ppm;
  /** Maintenance requirement by its value. */
  readonly maintenancePpm: Ppm;
}

/** Excess of a margin account after a move of the whole market. */
export interface BetaStress {
  readonly stressedValue: number;
  /** At present prices: a broker asks for it before the move, not after. */
  readonly requirement: number;
  /** Stressed value − debit − requirement; below 0 is what the account would lack. */
  readonly excess: number;
}

/** Moves every holding by its beta times the market's move; a long holding keeps at least a value of 0. */
export const betaStress = (holdings: readonly BetaHolding[], debit: number, shockPpm: Ppm): BetaStress => {
  let [stressedValue, requirement] = [0, 0];
  for (const { value, betaPpm, maintenancePpm } of holdings) {
    stressedValue += value * Math.max(0, 1 + (betaPpm / PPM) * (shockPpm / PPM));
    requirement += (Math.abs(value) * maintenancePpm) / PPM;
  }
  return { stressedValue, requirement, excess: stressedValue - debit - requirement };
};
