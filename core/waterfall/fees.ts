import type { Money, Ppm, Price } from "../money.ts";
import { abs, max, min, minus, PPM } from "../money.ts";
import { addRatio, compareRatio, divideRatio, multiplyRatio, negateRatio, type Ratio, ratio } from "../ratio.ts";

/**
 * What a liquidation fill gives to the insurance fund (M13): a penalty of a share of the fill, at most what
 * the fill brought above the bankruptcy price; below it the fund pays the difference.
 *
 * @param cashflow of the account at the fill: positive for a sale.
 * @param bankruptcyCashflow the same at the bankruptcy price (`closingProceeds`).
 * @param penaltyPpm share of the fill's notional.
 * @returns positive into the fund, negative out of it; rounded down, for the account.
 */
export const insuranceDelta = (cashflow: Money, bankruptcyCashflow: Money, penaltyPpm: Ppm): Money => {
  const surplus = minus(cashflow, bankruptcyCashflow);
  const notional = abs(cashflow);
  return surplus <= 0n ? surplus : min(surplus, ((notional * BigInt(penaltyPpm)) / PPM) as Money);
};

const share = (ppm: Ppm): Ratio => ratio(BigInt(ppm), PPM);
/** A rate between 0 and a ceiling, exact. */
const feeOf = (rate: Ratio, ceiling: Ppm): Ratio =>
  rate.numerator <= 0n ? ratio(0n) : compareRatio(rate, share(ceiling)) > 0 ? share(ceiling) : rate;

/**
 * Insurance fee of closing a perpetual (M12, Drift): what is left of the margin rate after the liquidator's fee and
 * the shortage's share of the notional, times a safety factor, so that the close still cures. A share of the notional, exact; 0 without a notional.
 */
export const insuranceFee = (terms: {
  readonly shortage: Money;
  readonly notional: Money;
  readonly rateMm: Ppm;
  readonly liquidatorFee: Ppm;
  readonly feeMax: Ppm;
  readonly safety: Ppm;
}): Ratio => {
  if (terms.notional <= 0n) return ratio(0n);
  const relief = ratio(BigInt(terms.rateMm - terms.liquidatorFee), PPM);
  const free = addRatio(relief, negateRatio(ratio(terms.shortage, terms.notional)));
  return feeOf(multiplyRatio(free, share(terms.safety)), terms.feeMax);
};

/**
 * Insurance fee of repaying a spot debt out of collateral (M12, Drift):
 * `min(max, (w_l − w_a·m_a/m_l − shortage/value)/w_l)`, at least 0, exact. 0 without a debt.
 */
export const spotInsuranceFee = (terms: {
  readonly shortage: Money;
  /** The debt at its price. */
  readonly debtValue: Money;
  readonly assetWeight: Ppm;
  readonly assetMultiplier: Ppm;
  readonly liabilityWeight: Ppm;
  readonly liabilityMultiplier: Ppm;
  readonly feeMax: Ppm;
}): Ratio => {
  if (terms.debtValue <= 0n) return ratio(0n);
  const given = divideRatio(multiplyRatio(share(terms.assetWeight), share(terms.assetMultiplier)), share(terms.liabilityMultiplier));
  const free = addRatio(share(terms.liabilityWeight), negateRatio(addRatio(given, ratio(terms.shortage, terms.debtValue))));
  return feeOf(divideRatio(free, share(terms.liabilityWeight)), terms.feeMax);
};

/** A rate that grows while nobody liquidates (Drift): `base` within the grace, then more with all the time elapsed, at most `max`. */
export const liquidatorFee = (terms: {
  readonly base: Ppm;
  readonly max: Ppm;
  readonly graceMs: number;
  readonly ppmPerMinute: Ppm;
  readonly elapsedMs: number;
}): Ppm => {
  if (terms.elapsedMs < terms.graceMs) return terms.base;
  return Math.min(terms.max, terms.base + Math.floor((terms.ppmPerMinute * terms.elapsedMs) / 60_000));
};

/** Share of a position that one liquidation may close (Drift): all of a small shortage, else a share that grows to all of it. */
export const closableShare = (terms: {
  readonly shortage: Money;
  /** Below this the whole is closed at once. */
  readonly smallShortage: Money;
  readonly initial: Ppm;
  readonly elapsedMs: number;
  /** Time after which the whole may be closed; above 0. */
  readonly rampMs: number;
}): Ppm => {
  if (terms.shortage < terms.smallShortage) return Number(PPM);
  const grown = ((Number(PPM) - terms.initial) * Math.max(0, terms.elapsedMs)) / terms.rampMs;
  return Math.min(Number(PPM), terms.initial + Math.floor(grown));
};

/** How a venue trades collateral against debt in a liquidation: prices in one asset, multipliers in ppm (M12). */
export interface Exchange {
  readonly assetPrice: Price;
  readonly liabilityPrice: Price;
  readonly assetMultiplier: Ppm;
  readonly liabilityMultiplier: Ppm;
}

/** Collateral seized for a debt repaid: `L·p_l·m_a/(m_l·p_a)` in 1e-8, exact; booked rounded down, for the account. Prices above 0. */
export const collateralFor = (liability: Money, { assetPrice, liabilityPrice, assetMultiplier, liabilityMultiplier }: Exchange): Ratio =>
  ratio(liability * liabilityPrice * BigInt(assetMultiplier), BigInt(liabilityMultiplier) * assetPrice);

/** Debt repaid for collateral seized: `A·p_a·m_l/(m_a·p_l)` in 1e-8, exact; booked rounded up, for the account. Prices above 0. */
export const liabilityFor = (asset: Money, { assetPrice, liabilityPrice, assetMultiplier, liabilityMultiplier }: Exchange): Ratio =>
  ratio(asset * assetPrice * BigInt(liabilityMultiplier), BigInt(assetMultiplier) * liabilityPrice);

/** What each unit of a pool's deposits loses to a bankrupt debt (Drift), exact, at most all of it; the rest is nobody's yet. */
export const depositorLoss = (loss: Money, deposits: Money): { readonly share: Ratio; readonly unallocated: Money } =>
  deposits <= 0n
    ? { share: ratio(0n), unallocated: loss }
    : { share: ratio(min(loss, deposits), deposits), unallocated: max(minus(loss, deposits), 0n as Money) };
