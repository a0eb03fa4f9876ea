import { divide, type Money, max, min, PPM, type Ppm, squareRoot } from "./money.ts";
import { TermsError } from "./terms-error.ts";
import type { RawTier } from "./tiers.ts";

/** Rates that rise with the square root of the position (M3, Drift): `r(N) = max(r0, r1·√(N/at))` of the whole notional. */
export interface SizeScaledTerms {
  /** r0, the least rates. */
  readonly rateIm: Ppm;
  readonly rateMm: Ppm;
  /** r1: the scaled rates of a notional of `at`. */
  readonly rateImAt: Ppm;
  readonly rateMmAt: Ppm;
  readonly at: Money;
  /** The largest notional that the table is for: the venue's limit of a position. */
  readonly upTo: Money;
}

/** Floors are whole hundredths, where the least rate of a notional is a whole unit of 1e-8. */
const HUNDREDTH = 1_000_000n;
/** The largest rate that brackets can follow: there the requirement rises by all that the notional does. */
const RATE_MAX: Ppm = 666_666;
/** The most brackets of an instrument. */
const TIERS_MAX = 100;

interface Curve {
  readonly least: Ppm;
  readonly scaled: Ppm;
}

/** `N·r1·√(N/at)`, rounded up. */
const scaledAt = ({ scaled }: Curve, at: Money, notional: bigint): bigint => {
  const square = divide(notional ** 3n * BigInt(scaled) ** 2n, at * PPM ** 2n, "up");
  const root = squareRoot(square);
  return root * root < square ? root + 1n : root;
};

/** `N·r(N)` in 1e-8, rounded up. */
const requiredAt = (curve: Curve, at: Money, notional: bigint): bigint =>
  notional === 0n ? 0n : max(divide(notional * BigInt(curve.least), PPM, "up"), scaledAt(curve, at, notional));

/** Where the scaled rate reaches the least one: `at·(r0/r1)²`. */
const startOf = ({ least, scaled }: Curve, at: Money): bigint => {
  const exact = (at * BigInt(least) ** 2n) / BigInt(scaled) ** 2n;
  return max((exact / HUNDREDTH) * HUNDREDTH, HUNDREDTH);
};

const floorsOf = (curves: readonly Curve[], { at, upTo }: SizeScaledTerms): readonly bigint[] => {
  const starts = curves.map((curve) => startOf(curve, at)).filter((start) => start < upTo);
  const floors = new Set(starts);
  for (let floor = starts.reduce<bigint>(min, upTo); floor < upTo; ) {
    floors.add(floor);
    floor = max((squareRoot(2n * floor * floor) / HUNDREDTH) * HUNDREDTH, floor + HUNDREDTH);
  }
  return [0n, ...[...floors].sort((a, b) => (a < b ? -1 : 1))];
};

/**
 * Brackets whose requirement is the chords of `N·r(N)`, which is convex: never below it up to `upTo`, and above by at most
 * 1.13 % of it and a part per million of N, since each floor is at most √2 times the one before. A larger position goes on
 * at the rate of the last chord.
 *
 * @param name the table's name for errors.
 * @throws TermsError for rates out of order, and for a table that ends where the initial rate is above 2/3, beyond which no
 *   rate of a bracket rises as fast.
 */
export const sizeScaledTiers = (name: string, terms: SizeScaledTerms): readonly RawTier[] => {
  const { rateIm, rateMm, rateImAt, rateMmAt, at, upTo } = terms;
  const refuse = (place: string, fault: string, mend: string) => new TermsError(name, place, fault, mend);
  if (![rateIm, rateMm, rateImAt, rateMmAt].every((rate) => Number.isInteger(rate) && rate > 0 && rate <= Number(PPM)))
    throw refuse("rates", "one is not above 0 and at most 1", "0.5 % is 5000 parts per million");
  if (at <= 0n || upTo <= 0n) throw refuse("notionals", "one is not above 0", "Give notionals in the settlement asset");
  const [initial, maintenance] = [
    { least: rateIm, scaled: rateImAt },
    { least: rateMm, scaled: rateMmAt },
  ] as const;
  if (requiredAt(initial, at, upTo) * PPM > upTo * BigInt(RATE_MAX))
    throw refuse("upTo", "the initial rate at upTo is above 2/3", "End the table earlier: brackets cannot rise faster than the notional");
  const floors = floorsOf([initial, maintenance], terms);
  const slope = (curve: Curve, from: bigint, to: bigint): Ppm =>
    Number(divide((requiredAt(curve, at, to) - requiredAt(curve, at, from)) * PPM, to - from, "up"));
  const tiers: RawTier[] = [];
  for (const [index, floor] of floors.entries()) {
    const next = floors[index + 1] ?? upTo;
    const before = tiers.at(-1);
    const rates = {
      rateIm: Math.min(Number(PPM), Math.max(slope(initial, floor, next), before?.rateIm ?? rateIm)),
      rateMm: Math.min(Number(PPM), Math.max(slope(maintenance, floor, next), before?.rateMm ?? rateMm)),
    };
    if (before?.rateIm !== rates.rateIm || before.rateMm !== rates.rateMm) tiers.push({ floor: floor as Money, ...rates });
  }
  if (tiers.length <= TIERS_MAX) return tiers;
  throw refuse("upTo", `${tiers.length} brackets`, `End the table earlier: an instrument has at most ${TIERS_MAX}`);
};
