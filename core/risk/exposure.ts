import type { Ppm } from "../money.ts";
import type { Answer, Refused } from "../statistics/answer.ts";
import { given, notAtLeast, refused } from "../statistics/answer.ts";
import type { JointReturns } from "../statistics/returns.ts";
import { tailOf } from "../statistics/tail.ts";
import { type PathTerms, walkPaths } from "./paths.ts";

/** Exposure to a counterparty after each step, in currency: max(0, value of what it owes − collateral held). */
export interface ExposureProfile {
  /** Exposure now. */
  readonly current: number;
  /** Mean over the paths, by step. */
  readonly expected: readonly number[];
  /** Quantile over the paths, by step: the k-th largest, k = ⌈n(1 − α)⌉ (R23). */
  readonly potential: readonly number[];
  /** Largest of `potential` and `current`: what a limit is compared with. */
  readonly peak: number;
}

/**
 * Potential future exposure by simulation: `valueAfter` answers what the counterparty owes after the
 * moves of all factors since now (negative: what is owed to it); `collateral` is what is held against it.
 * Answers BAD_NUMBER where the value is not finite, BAD_TERMS, NO_HISTORY.
 */
export const exposureProfile = (
  joint: JointReturns,
  valueAfter: (moves: Float64Array) => number,
  collateral: number,
  confidence: Ppm,
  terms: PathTerms,
): Answer<ExposureProfile> => {
  const today = valueAfter(new Float64Array(joint.names.length));
  const fault = notAtLeast(0, { collateral, "size of the value": Math.abs(today) });
  if (fault !== null) return fault;
  const exposures = new Map<number, Float64Array>();
  let wrong: Refused | null = null;
  const walked = walkPaths(joint, terms, (moves, step, path) => {
    const value = valueAfter(moves);
    if (!Number.isFinite(value))
      wrong ??= refused("BAD_NUMBER", `path ${path}, step ${step}: the value is ${value}. Mend the model for its moves`);
    const ofStep = exposures.get(step) ?? new Float64Array(terms.paths);
    ofStep[path] = Math.max(0, value - collateral);
    exposures.set(step, ofStep);
    return wrong === null;
  });
  if (!walked.ok) return walked;
  if (wrong !== null) return wrong;
  const [expected, potential]: [number[], number[]] = [[], []];
  for (const ofStep of exposures.values()) {
    const tail = tailOf(ofStep, confidence);
    if (!tail.ok) return tail;
    expected.push(ofStep.reduce((sum, value) => sum + value, 0) / terms.paths);
    potential.push(tail.value.valueAtRisk);
  }
  const current = Math.max(0, today - collateral);
  return given({ current, expected, potential, peak: potential.reduce((most, value) => Math.max(most, value), current) });
};

/** A limit on the exposure to a counterparty, by name: "current", "potential", "one underlying". */
export interface ExposureLimit {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
}
export interface LimitHeadroom extends ExposureLimit {
  /** limit − used; negative where the limit is exceeded. */
  readonly headroom: number;
  readonly isExceeded: boolean;
}
/** What may still be added under all limits, and which one says so. */
export interface Headroom {
  /** The least headroom, not below 0. */
  readonly room: number;
  readonly binding: string;
  readonly limits: readonly LimitHeadroom[];
}

/**
 * Headroom under counterparty limits, by name; a limit that is used up exactly is not exceeded.
 * Answers BAD_TERMS for no limit or for two of one name, BAD_NUMBER.
 */
export const headroomUnder = (all: readonly ExposureLimit[]): Answer<Headroom> => {
  if (new Set(all.map(({ name }) => name)).size < all.length) return refused("BAD_TERMS", "two limits have one name. Name each once");
  for (const { name, limit, used } of all) {
    const fault = notAtLeast(0, { [`limit ${name}`]: limit, [`use of ${name}`]: used });
    if (fault !== null) return fault;
  }
  const limits = all.map(({ name, limit, used }) => ({ name, limit, used, headroom: limit - used, isExceeded: used > limit }));
  const [first, ...others] = limits;
  if (first === undefined) return refused("BAD_TERMS", "no limit. Give one at least");
  const least = others.reduce((one, other) => (other.headroom < one.headroom ? other : one), first);
  return given({ room: Math.max(0, least.headroom), binding: least.name, limits });
};

/**
 * Collateral held over exposure: 1 covers it. Null where there is no exposure, which needs no cover.
 * Answers BAD_NUMBER, BAD_TERMS for amounts below 0.
 */
export const collateralisation = (collateral: number, exposure: number): Answer<number | null> =>
  notAtLeast(0, { collateral, exposure }) ?? given(exposure === 0 ? null : collateral / exposure);
