import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { divide, max, ONE, PPM } from "./money.ts";
import { multiplyRatio, type Ratio, ratio, roundRatio } from "./ratio.ts";

/**
 * Levels of venues that differ from ours (M2, M3, M10), for reading their published figures and for explaining a
 * level that a holder saw elsewhere. Accounts are decided by `levelOf`.
 */

/** An initial weight of collateral that falls as the deposits of all pass a size (M2, Drift): `w·min(1, D₀/D)`, exact. */
export const scaledWeight = (weight: Ppm, scaleStart: Money, deposits: Money): Ratio =>
  deposits <= scaleStart ? ratio(BigInt(weight), PPM) : ratio(BigInt(weight) * scaleStart, PPM * deposits);

/** The greatest notional that an equity carries at a requirement rate, rounded down; 0 without equity. The rate is above 0. */
export const exposureMax = (equity: Money, rate: Ppm): Money => ((max<bigint>(equity, 0n) * PPM) / BigInt(rate)) as Money;

/** A requirement at an exact rate, rounded up, and what a venue's other levels scale it to, in the order given (M10, Vega). */
export const scaledLevels = (
  notional: Money,
  rate: Ratio,
  scales: readonly Ppm[],
): { readonly maintenance: Money; readonly scaled: readonly Money[] } => {
  const maintenance = roundRatio(multiplyRatio(ratio(notional), rate), "up") as Money;
  return { maintenance, scaled: scales.map((scale) => divide(maintenance * BigInt(scale), PPM, "up") as Money) };
};

/** The weight that judges a fill: halfway between the initial and the maintenance one (Drift), rounded down. */
export const fillWeight = (initial: Ppm, maintenance: Ppm): Ppm => Math.floor((initial + maintenance) / 2);

/** A close-out price inside the liquidation price by a buffer (10101): above it for a long, below it for a short. Reached earlier, never later. */
export const earlyTrigger = (liquidation: Price, buffer: Ppm, long: boolean): Price =>
  divide(liquidation * (long ? PPM + BigInt(buffer) : PPM - BigInt(buffer)), PPM, long ? "up" : "down") as Price;

/**
 * Warning and liquidation of a ladder that looks at what is left (LEAN): a warning while no more than a share of the
 * value is left, a liquidation when more is used than the value and a buffer. Between the two nothing is said: an
 * account over its limit by less than the buffer is silent. Ours has no such band (R1).
 */
export const remainingTriggers = (
  value: Money,
  used: Money,
  terms: { readonly warning: Ppm; readonly buffer: Ppm },
): { readonly warning: boolean; readonly liquidate: boolean } => {
  const left = value - used;
  return {
    warning: left > 0n && left * PPM <= value * BigInt(terms.warning),
    liquidate: used * PPM > value * (PPM + BigInt(terms.buffer)),
  };
};

/** A step of a ladder over a holding bought on credit, as shares of its value. */
export interface LadderStep {
  /** Equity over value at which it fires. */
  readonly equityShare: Ppm;
  /** A fall of the price that is assumed first; 0 for none. */
  readonly shock: Ppm;
  /** Whether the requirement is taken of the value after the fall, or of the value before it. */
  readonly requirementAfterShock: boolean;
}

/**
 * Price at which a step fires for units held against a debt (M4), in 1e-8, exact:
 * `D / (q·(1 − shock − r))`, with r of what is left after the fall where the step says so. Null where no price does.
 */
export const ladderPrice = (held: { readonly quantity: Quantity; readonly debt: Money }, step: LadderStep): Ratio | null => {
  const kept = PPM - BigInt(step.shock);
  const requirement = BigInt(step.equityShare) * (step.requirementAfterShock ? kept : PPM);
  const share = kept * PPM - requirement;
  return share <= 0n || held.quantity <= 0n ? null : ratio(held.debt * ONE * PPM * PPM, held.quantity * share);
};
