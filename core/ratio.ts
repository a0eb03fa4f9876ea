import type { Price, Rounding } from "./money.ts";
import { divide } from "./money.ts";

/**
 * An exact fraction. The denominator is always positive, and nothing is rounded before {@link roundRatio}.
 *
 * Prices that are solved for (M4) are fractions: rounding them first would move the trigger.
 */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Makes a fraction. @throws RangeError when the denominator is 0. */
export const ratio = (numerator: bigint, denominator = 1n): Ratio => {
  if (denominator === 0n) throw new RangeError("a fraction needs a denominator other than 0");
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
};

export const addRatio = (a: Ratio, b: Ratio): Ratio =>
  a.denominator === b.denominator
    ? { numerator: a.numerator + b.numerator, denominator: a.denominator }
    : { numerator: a.numerator * b.denominator + b.numerator * a.denominator, denominator: a.denominator * b.denominator };
export const negateRatio = (a: Ratio): Ratio => ({ numerator: -a.numerator, denominator: a.denominator });
export const subtractRatio = (a: Ratio, b: Ratio): Ratio => addRatio(a, negateRatio(b));
export const multiplyRatio = (a: Ratio, b: Ratio): Ratio => ({
  numerator: a.numerator * b.numerator,
  denominator: a.denominator * b.denominator,
});
/** @throws RangeError when the divisor is 0. */
export const divideRatio = (a: Ratio, b: Ratio): Ratio => ratio(a.numerator * b.denominator, a.denominator * b.numerator);
/** Negative, 0 or positive as `a` is below, equal to or above `b`. */
export const compareRatio = (a: Ratio, b: Ratio): number => {
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
};
/** The integer beside the fraction, in the named direction. */
export const roundRatio = (a: Ratio, rounding: Rounding): bigint => divide(a.numerator, a.denominator, rounding);

/** Divides out the common factor: long sums of fractions stay small. */
export const reduceRatio = (a: Ratio): Ratio => {
  let [x, y] = [a.numerator < 0n ? -a.numerator : a.numerator, a.denominator];
  while (y !== 0n) [x, y] = [y, x % y];
  return x <= 1n ? a : { numerator: a.numerator / x, denominator: a.denominator / x };
};

/** A fraction of price units (1e-8) as a price on the grid. */
export const ratioPrice = (a: Ratio, rounding: Rounding): Price => roundRatio(a, rounding) as Price;
