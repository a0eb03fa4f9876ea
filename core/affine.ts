import type { Ratio } from "./ratio.ts";
import { addRatio, compareRatio, divideRatio, multiplyRatio, ratio, reduceRatio, subtractRatio } from "./ratio.ts";

/** `constant + slope·s`, exactly. */
export interface Affine {
  readonly constant: Ratio;
  readonly slope: Ratio;
}

export const affine = (constant: Ratio, slope: Ratio): Affine => ({ constant, slope });
export const valueAt = (line: Affine, s: Ratio): Ratio => addRatio(line.constant, multiplyRatio(line.slope, s));

/** Where a line reaches a level; null when it is flat. */
export const reaches = (line: Affine, level: Ratio): Ratio | null =>
  line.slope.numerator === 0n ? null : reduceRatio(divideRatio(subtractRatio(level, line.constant), line.slope));

/** A continuous function that is straight between its breakpoints. */
export interface Piecewise {
  readonly at: (s: Ratio) => Ratio;
  readonly breakpoints: readonly Ratio[];
}

const ONE_RATIO = ratio(1n);

/**
 * The nearest point, going from `start` in one direction, at which a piecewise function changes
 * between "not below 0" and "below 0"; null when it does not up to the end.
 *
 * @param end last point of the domain, itself excluded; null for none.
 */
export const nearestChange = (of: Piecewise, start: Ratio, direction: 1 | -1, end: Ratio | null): Ratio | null => {
  const ahead = (s: Ratio, from: Ratio): boolean => compareRatio(s, from) * direction > 0;
  const stops = of.breakpoints.filter((s) => ahead(s, start) && (end === null || ahead(end, s)));
  stops.sort((a, b) => compareRatio(a, b) * direction);
  let from = start;
  let value = of.at(start);
  const safe = value.numerator >= 0n;
  for (const stop of end === null ? stops : [...stops, end]) {
    const next = of.at(stop);
    if (next.numerator >= 0n !== safe) {
      const share = divideRatio(value, subtractRatio(value, next));
      const root = reduceRatio(addRatio(from, multiplyRatio(share, subtractRatio(stop, from))));
      return end !== null && compareRatio(root, end) === 0 ? null : root;
    }
    from = stop;
    value = next;
  }
  if (end !== null) return null;
  const step = direction === 1 ? ONE_RATIO : ratio(-1n);
  const change = subtractRatio(of.at(addRatio(from, step)), value);
  if (change.numerator === 0n || change.numerator > 0n === safe) return null;
  return reduceRatio(addRatio(from, multiplyRatio(step, divideRatio(value, subtractRatio(ratio(0n), change)))));
};
