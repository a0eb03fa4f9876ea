import type { Bucket } from "./expiry-bucket.ts";
import type { ScenarioSet } from "./scenario-set.ts";

const PPM = 1_000_000;
const YEAR_MS = 365 * 86_400_000;

/** An expiry in the roll scenario: the row that is worse for it, and the factor `fixed + perYear·T`. */
export interface RolledExpiry {
  readonly timeMs: number;
  readonly row: number;
  readonly factor: number;
  readonly loss: number;
}

/**
 * The roll scenario (M6): the forwards of different expiries part from each other, so that each expiry
 * stands at the worse of two moves for it and no expiry pays for another. Options and futures of one
 * expiry net; what does not expire is out of it.
 */
export const rolledExpiries = (buckets: readonly Bucket[], set: ScenarioSet): readonly RolledExpiry[] => {
  const { roll } = set.terms;
  if (roll === null) return [];
  const moved = new Map<number, { up: number; down: number }>();
  for (const { timeMs, raw } of buckets) {
    if (timeMs === null) continue;
    const sum = moved.get(timeMs) ?? { up: 0, down: 0 };
    moved.set(timeMs, { up: sum.up + (raw[set.rollUp] as number), down: sum.down + (raw[set.rollDown] as number) });
  }
  return [...moved].map(([timeMs, { up, down }]) => {
    const factor = (roll.fixedPpm + (roll.perYearPpm * timeMs) / YEAR_MS) / PPM;
    return { timeMs, row: up <= down ? set.rollUp : set.rollDown, factor, loss: Math.max(0, -Math.min(up, down)) * factor };
  });
};
