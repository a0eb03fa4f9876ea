import type { Price } from "./money.ts";
import { divide, ONE, squareRoot } from "./money.ts";

declare const kind: unique symbol;
/** A slow average of prices in 1e-16 of the quote asset: fine enough to move at every tick of a coin that costs 1e-5. */
export type SlowPrice = bigint & { readonly [kind]: "slow" };

/** Fractions of the powers below, as a shift. */
const FRACTION = 64n;
/** Bits of a half-life that are told apart: what is cut off is less than 1.7e-10 of the distance to the price that stood. */
const BITS = 32;

/** 2^(−1/2), 2^(−1/4), ... in 2^−64, rounded down. Integers, so that every engine has the same ones. */
const ROOTS: readonly bigint[] = (() => {
  const roots: bigint[] = [];
  let power = 1n << (FRACTION - 1n);
  for (let bit = 0; bit < BITS; bit += 1) {
    power = squareRoot(power << FRACTION);
    roots.push(power);
  }
  return roots;
})();

/**
 * What is left of a distance after a time, `2^(−elapsed/halfLife)` in 2^−64: exact but for the 32nd bit of a
 * half-life, so at most 1.7e-10 of itself too much, and 32 roundings of 2^−64 too little.
 */
const leftAfter = (elapsedMs: number, halfLifeMs: number): bigint => {
  const halves = Math.floor(elapsedMs / halfLifeMs);
  if (halves >= Number(FRACTION)) return 0n;
  const bits = (BigInt(elapsedMs % halfLifeMs) << BigInt(BITS)) / BigInt(halfLifeMs);
  let left = 1n << FRACTION;
  for (const [index, root] of ROOTS.entries()) {
    if ((bits >> BigInt(BITS - 1 - index)) & 1n) left = (left * root) >> FRACTION;
  }
  return left >> BigInt(halves);
};

/** What an average is made of: the mark that stood. */
interface Stood {
  readonly price: Price;
  readonly asOf: number;
  /** Absent where there was no average: it begins at the price that stood. */
  readonly slow?: SlowPrice;
}

/**
 * The average after a price stood from `stood.asOf` to `until` (M2): `P + (slow − P) · 2^(−elapsed/halfLife)`, rounded down.
 *
 * The price that stood moves it, not the one that comes: a price has to last to count, and one tick after a long
 * silence moves nothing by itself.
 *
 * @param halfLifeMs above 0; whole milliseconds, as are the instants. No time, or time that goes back, moves nothing.
 */
export const slowAfter = (stood: Stood, until: number, halfLifeMs: number): SlowPrice => {
  const target = stood.price * ONE;
  const from = stood.slow ?? target;
  if (until <= stood.asOf) return from as SlowPrice;
  return (target + (((from - target) * leftAfter(until - stood.asOf, halfLifeMs)) >> FRACTION)) as SlowPrice;
};

/** The average that a first price begins. */
export const slowFrom = (price: Price): SlowPrice => (price * ONE) as SlowPrice;

/** The average as a price, in the named direction. */
export const slowPrice = (slow: SlowPrice, rounding: "up" | "down"): Price => divide(slow, ONE, rounding) as Price;
