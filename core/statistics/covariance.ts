import type { Ppm } from "../money.ts";
import type { Answer } from "./answer.ts";
import { given, isCount, isPpm, refused } from "./answer.ts";
import type { JointReturns } from "./returns.ts";

/** Covariance of one period's returns, by the order of `names`. */
export interface Covariance {
  readonly names: readonly string[];
  readonly matrix: readonly Float64Array[];
}

const PPM = 1_000_000;

/**
 * Exponentially weighted covariance Σ of joint returns about 0 (M11): the weight of a date is
 * proportional to λ^age, and the weights sum to 1, so that no seed is needed.
 * Answers NO_HISTORY below `leastReturns` (at least 2), BAD_TERMS for a decay outside (0, 1,000,000).
 */
export const ewmaCovariance = (joint: JointReturns, decay: Ppm, leastReturns: number): Answer<Covariance> => {
  if (!isPpm(decay, 1, PPM - 1)) return refused("BAD_TERMS", `decay ${decay}: give whole ppm between 0 and 1,000,000 (0.97 is 970000)`);
  if (!isCount(leastReturns, 2)) return refused("BAD_TERMS", `least history ${leastReturns}: give a whole number, at least 2`);
  const days = joint.endsAt.length;
  if (days < leastReturns) return refused("NO_HISTORY", `${days} joint returns, ${leastReturns} needed. Give longer files or a proxy`);
  const lambda = decay / PPM;
  const weights = new Float64Array(days);
  let total = 0;
  for (let index = days - 1, weight = 1; index >= 0; index -= 1, weight *= lambda) {
    weights[index] = weight;
    total += weight;
  }
  const matrix = joint.names.map(() => new Float64Array(joint.names.length));
  for (const [row, left] of joint.columns.entries()) {
    for (let column = row; column < joint.columns.length; column += 1) {
      const right = joint.columns[column] as Float64Array;
      let sum = 0;
      for (let index = 0; index < days; index += 1) sum += (weights[index] as number) * (left[index] as number) * (right[index] as number);
      (matrix[row] as Float64Array)[column] = sum / total;
      (matrix[column] as Float64Array)[row] = sum / total;
    }
  }
  return given({ names: joint.names, matrix });
};

/**
 * `√(δᵀΣδ)`: the volatility of one period's profit for exposures by factor, in their currency (M11).
 * Answers DISORDER for an exposure to a factor that Σ does not have, BAD_NUMBER for one that is not finite.
 */
export const profitVolatility = ({ names, matrix }: Covariance, exposures: Readonly<Record<string, number>>): Answer<number> => {
  for (const [name, exposure] of Object.entries(exposures)) {
    if (!names.includes(name)) return refused("DISORDER", `exposure to ${name}, which has no history here. Give its prices or a proxy`);
    if (!Number.isFinite(exposure)) return refused("BAD_NUMBER", `exposure to ${name}: ${exposure} is no finite number. Correct it`);
  }
  let variance = 0;
  for (const [row, left] of names.entries()) {
    for (const [column, right] of names.entries()) {
      variance += (exposures[left] ?? 0) * (exposures[right] ?? 0) * ((matrix[row] as Float64Array)[column] as number);
    }
  }
  // A hedge that is perfect may come out a hair below 0.
  return given(Math.sqrt(Math.max(0, variance)));
};

const pearson = (left: Float64Array, right: Float64Array): number | null => {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  let [cross, leftSquare, rightSquare] = [0, 0, 0];
  for (let index = 0; index < left.length; index += 1) {
    const [a, b] = [(left[index] as number) - leftMean, (right[index] as number) - rightMean];
    cross += a * b;
    leftSquare += a * a;
    rightSquare += b * b;
  }
  const scale = Math.sqrt(leftSquare) * Math.sqrt(rightSquare);
  return scale > 0 ? Math.min(1, Math.max(-1, cross / scale)) : null;
};

export interface CorrelationTerms {
  /** Fewer joint returns than this are no correlation: below about 30 its error is larger than 0.3. */
  readonly leastReturns: number;
  /** The last returns of the long window: a year. */
  readonly window: number;
  /** Each run of this many returns inside the window is looked at for its own correlation: 30 days. */
  readonly run: number;
}

export interface Correlation {
  /** Over the last `window` returns. */
  readonly recent: number;
  /** The least of any run inside the window: what a stressed month did to the pair. */
  readonly stressed: number;
  /** The smaller of the two: what an offset between the pair may rest on. */
  readonly floor: number;
}

/**
 * Correlation of two factors, with its floor under stress. Answers NO_HISTORY below
 * `leastReturns` or below one run, ZERO_VOLATILITY by name, DISORDER for a name without a column, BAD_TERMS.
 */
export const correlationOf = (joint: JointReturns, left: string, right: string, terms: CorrelationTerms): Answer<Correlation> => {
  const { leastReturns, window, run } = terms;
  if (!isCount(leastReturns, 2) || !isCount(run, 2) || !isCount(window, run)) {
    return refused(
      "BAD_TERMS",
      `least ${leastReturns}, window ${window}, run ${run}: give whole numbers from 2, the window at least a run`,
    );
  }
  const columns = [left, right].map((name) => joint.columns[joint.names.indexOf(name)]);
  const [one, other] = columns;
  if (one === undefined || other === undefined) {
    return refused("DISORDER", `${one === undefined ? left : right} has no history here. Give its prices or a proxy`);
  }
  const days = one.length;
  if (days < Math.max(leastReturns, run)) {
    return refused(
      "NO_HISTORY",
      `${days} joint returns of ${left} and ${right}, ${Math.max(leastReturns, run)} needed. No offset without them`,
    );
  }
  const from = Math.max(0, days - window);
  const recent = pearson(one.subarray(from), other.subarray(from));
  if (recent === null) return refused("ZERO_VOLATILITY", `${left} or ${right} never moves in the window. No offset can rest on it`);
  let stressed = recent;
  for (let end = from + run; end <= days; end += 1) {
    const each = pearson(one.subarray(end - run, end), other.subarray(end - run, end));
    // A run in which one of the two stands still says that they do not move together.
    stressed = Math.min(stressed, each ?? 0);
  }
  return given({ recent, stressed, floor: Math.min(recent, stressed) });
};
