import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { abs, min, ONE, PPM } from "./money.ts";
import type { Ratio } from "./ratio.ts";
import { addRatio, compareRatio, divideRatio, multiplyRatio, ratio, subtractRatio } from "./ratio.ts";

/**
 * Rules of venues that differ from ours (M3, M4, M12), for reading their published figures and for
 * explaining a price that a holder saw elsewhere. Accounts are decided by `assess`.
 */

/** One position with a margin of its own, on a venue's terms. */
export interface ProfiledPosition {
  readonly kind: "linear" | "inverse";
  /** Whether the maintenance requirement follows the mark's notional or stays at the entry's. */
  readonly basis: "mark" | "entry";
  /** Positive is long. */
  readonly quantity: Quantity;
  readonly multiplier: Quantity;
  readonly entryPrice: Price;
  readonly rateMm: Ppm;
  /** Closing fee inside the trigger; 0 where the venue leaves it out. */
  readonly feePpm: Ppm;
  /** What the bracket takes off the requirement (A_k of M3), in the settlement asset. */
  readonly amount: Money;
}

/** Profit at a price is `slope·(x − x0)` in x = P (linear) or in x = 1/P (inverse): both are straight. */
const straight = ({ kind, quantity, multiplier, entryPrice }: ProfiledPosition): { slope: Ratio; entry: Ratio } =>
  kind === "linear"
    ? { slope: ratio(quantity * multiplier, ONE * ONE), entry: ratio(entryPrice) }
    : { slope: ratio(-quantity * multiplier), entry: ratio(1n, entryPrice) };

const magnitudeOf = (value: Ratio): Ratio => ratio(abs(value.numerator), value.denominator);

/** Share of the notional at entry that a position is margined with: 1/L for leverage L. In the settlement asset, 1e-8, exact. */
export const entryMargin = (position: ProfiledPosition, share: Ratio): Ratio => {
  const { slope, entry } = straight(position);
  return multiplyRatio(multiplyRatio(magnitudeOf(slope), entry), share);
};

/**
 * Closed form of the liquidation price of one isolated position (M4), in 1e-8, exact: where margin
 * plus profit equals the maintenance requirement. With rate, fee and amount 0 it is the bankruptcy
 * price. Null when no positive price does.
 */
export const isolatedLiquidationPrice = (position: ProfiledPosition, margin: Ratio): Ratio | null => {
  const { slope, entry } = straight(position);
  const required = multiplyRatio(magnitudeOf(slope), ratio(BigInt(position.rateMm + position.feePpm), PPM));
  const onMark = position.basis === "mark";
  // margin + slope·(x − entry) = required·(x or entry) − amount
  const left = subtractRatio(multiplyRatio(slope, entry), addRatio(margin, ratio(position.amount)));
  const constant = onMark ? left : addRatio(left, multiplyRatio(required, entry));
  const divisor = onMark ? subtractRatio(slope, required) : slope;
  if (divisor.numerator === 0n) return null;
  const x = divideRatio(constant, divisor);
  if (x.numerator <= 0n) return null;
  return position.kind === "linear" ? x : divideRatio(ratio(1n), x);
};

/** Weight of a debt that carries a maintenance rate and the fee of buying it back: `(1 + r)·(1 + f)`, rounded up (OKX). */
export const debtWeight = (rateMm: Ppm, feePpm: Ppm): Ppm => Number(((PPM + BigInt(rateMm)) * (PPM + BigInt(feePpm)) + PPM - 1n) / PPM);

/** A maintenance rate given as a fraction of the initial one, rounded down to whole ppm (dYdX). */
export const maintenanceRate = (initialPpm: Ppm, fractionPpm: Ppm): Ppm => Number((BigInt(initialPpm) * BigInt(fractionPpm)) / PPM);

/** A rate that rises with the size of the position (Deribit): base plus a step for each unit, at most 100 %, exact. */
export const sizeRate = (basePpm: Ppm, perUnitPpm: Ppm, size: Quantity): Ratio =>
  ratio(min(PPM * ONE, BigInt(basePpm) * ONE + BigInt(perUnitPpm) * abs(size)), PPM * ONE);

/**
 * Limit price that widens from the mark as an account sinks under its maintenance requirement (M12, dYdX):
 * `P·(1 ∓ spread·rate·clamp(adjustment·(1 − E/MM), 0, 1))`, in 1e-8, exact.
 */
export const fillablePrice = (terms: {
  readonly price: Price;
  readonly sells: boolean;
  readonly rateMm: Ppm;
  readonly spreadPpm: Ppm;
  readonly adjustmentPpm: Ppm;
  readonly equity: Money;
  readonly maintenance: Money;
}): Ratio => {
  const one = ratio(1n);
  const raw = multiplyRatio(ratio(BigInt(terms.adjustmentPpm), PPM), subtractRatio(one, ratio(terms.equity, terms.maintenance)));
  const depth = raw.numerator < 0n ? ratio(0n) : compareRatio(raw, one) > 0 ? one : raw;
  const spread = multiplyRatio(ratio(BigInt(terms.spreadPpm) * BigInt(terms.rateMm), PPM * PPM), depth);
  return multiplyRatio(ratio(terms.price), terms.sells ? subtractRatio(one, spread) : addRatio(one, spread));
};

/**
 * Debt to repay out of seized collateral so that a spot account's shortage is cured (M12, Drift):
 * `need / (p·(w_l − w_a·m_a/m_l − g·w_l))`, in units of the debt's asset at scale 1e-8, exact.
 * Null when repaying frees nothing.
 */
export const debtToRepay = (terms: {
  readonly need: Money;
  readonly price: Price;
  readonly assetWeightPpm: Ppm;
  readonly assetMultiplierPpm: Ppm;
  readonly liabilityWeightPpm: Ppm;
  readonly liabilityMultiplierPpm: Ppm;
  readonly feePpm: Ppm;
}): Ratio | null => {
  const liability = ratio(BigInt(terms.liabilityWeightPpm), PPM);
  const asset = ratio(BigInt(terms.assetWeightPpm) * BigInt(terms.assetMultiplierPpm), PPM * BigInt(terms.liabilityMultiplierPpm));
  const fee = multiplyRatio(liability, ratio(BigInt(terms.feePpm), PPM));
  const relief = subtractRatio(subtractRatio(liability, asset), fee);
  return relief.numerator <= 0n ? null : divideRatio(ratio(terms.need * ONE, terms.price), relief);
};
