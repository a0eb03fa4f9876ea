import type { Money, Ppm, Price } from "../money.ts";
import { abs, divide, ONE, PPM } from "../money.ts";

/** When a price source is in doubt, and what that costs (M2). */
export interface ConfidenceTerms {
  /** Below this confidence the add-on counts. */
  readonly threshold: Ppm;
  /** Share of the notional that no confidence at all would cost. */
  readonly factor: Ppm;
}

/**
 * Add-on to the initial requirement for a price in doubt (M2): `(1 − c)·k·|N|` below the threshold, else 0.
 * Rounded up. Never part of the maintenance requirement: doubt liquidates nobody.
 *
 * @param confidence of the least certain of the marks that price the position, 0 to 1,000,000 ppm.
 */
export const confidenceAddOn = (notional: Money, confidence: Ppm, terms: ConfidenceTerms): Money =>
  (confidence >= terms.threshold
    ? 0n
    : divide(abs(notional) * (PPM - BigInt(confidence)) * BigInt(terms.factor), PPM * PPM, "up")) as Money;

/**
 * Add-on to the initial requirement while a stable asset trades below its peg (M2): `(s* − s)·f·exposure`,
 * on short options and perpetuals. Rounded up; 0 at or above the threshold.
 *
 * @param stable price of the stable asset, and `threshold` the price from which it counts as held.
 */
export const depegAddOn = (exposure: Money, stable: Price, threshold: Price, factor: Ppm): Money =>
  (stable >= threshold ? 0n : divide(abs(exposure) * (threshold - stable) * BigInt(factor), ONE * PPM, "up")) as Money;
