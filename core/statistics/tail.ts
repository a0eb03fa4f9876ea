import type { Ppm } from "../money.ts";
import type { Answer, Refused } from "./answer.ts";
import { given, isCount, isPpm, notFinite, refused } from "./answer.ts";

/**
 * Value at risk and expected shortfall of losses (M7, R23). A loss is positive, a gain negative.
 * Confidence levels are whole parts per million: the size of a tail is integer arithmetic.
 */
export interface Tail {
  /** The k-th worst loss, k = ⌈n(1 − α)⌉. */
  readonly valueAtRisk: number;
  /** Mean of the worst n(1 − α) losses, the last one by its fraction (Acerbi and Tasche): includes the value at risk. */
  readonly expectedShortfall: number;
  /** Mean of the losses beyond the value at risk, without it: the convention that ours is compared with. Null where there is none. */
  readonly meanBeyond: number | null;
  /** k. */
  readonly rank: number;
  /** Where the worst k losses stand in the list, the worst first: what explains the figure. */
  readonly worst: readonly number[];
}

const PPM = 1_000_000;
const levelFault = (confidence: Ppm): Refused | null =>
  isPpm(confidence, 1, PPM - 1)
    ? null
    : refused("BAD_TERMS", `confidence ${confidence}: give whole parts per million between 0 and 1,000,000 (99 % is 990000, R23)`);

/**
 * n(1 − α) as its whole part and its fraction, exactly, and k = ⌈n(1 − α)⌉ (R23).
 * n · 1,000,000 stays below 2^53 for every n that {@link tailOf} takes.
 */
const tailSize = (scenarios: number, confidence: Ppm): { readonly whole: number; readonly fraction: number; readonly rank: number } => {
  const size = scenarios * (PPM - confidence);
  const rest = size % PPM;
  const whole = (size - rest) / PPM;
  return { whole, fraction: rest / PPM, rank: whole + (rest > 0 ? 1 : 0) };
};

/** Positions of the losses, the worst first; of equal ones the earlier. */
const ranked = (losses: ArrayLike<number>): number[] =>
  Array.from(losses, (_, index) => index).sort((a, b) => (losses[b] as number) - (losses[a] as number) || a - b);

const MOST_SCENARIOS = 1_000_000_000;

/**
 * Value at risk and expected shortfall of `scenarios` losses, of which the list holds all or at
 * least the worst (a store that keeps only a tail need not keep the rest).
 *
 * Answers NO_HISTORY where the list is empty or shorter than the tail, BAD_NUMBER, BAD_TERMS for a
 * level that is no whole ppm or a count below the list's length. A tail of less than one scenario
 * is the worst loss: whoever sets a margin asks for enough scenarios first ({@link historicalMargin}).
 */
export const tailOf = (losses: ArrayLike<number>, confidence: Ppm, scenarios: number = losses.length): Answer<Tail> => {
  const fault = levelFault(confidence) ?? notFinite("losses", losses);
  if (fault !== null) return fault;
  if (!isCount(scenarios, losses.length) || scenarios > MOST_SCENARIOS) {
    return refused("BAD_TERMS", `${scenarios} scenarios: give a whole number, at least the ${losses.length} losses`);
  }
  const { whole, fraction, rank } = tailSize(scenarios, confidence);
  if (losses.length < Math.max(rank, 1)) {
    return refused("NO_HISTORY", `${losses.length} losses for a tail of ${rank}. Give the worst ${Math.max(rank, 1)} at least`);
  }
  const order = ranked(losses).slice(0, rank);
  const at = (index: number): number => losses[order[index] as number] as number;
  let sum = 0;
  for (let index = 0; index < whole; index += 1) sum += at(index);
  const valueAtRisk = at(rank - 1);
  const beyond = order.filter((index) => (losses[index] as number) > valueAtRisk);
  return given({
    valueAtRisk,
    expectedShortfall: fraction === 0 ? sum / whole : (sum + fraction * valueAtRisk) / (whole + fraction),
    meanBeyond: beyond.length === 0 ? null : beyond.reduce((total, index) => total + (losses[index] as number), 0) / beyond.length,
    rank,
    worst: order,
  });
};

/**
 * Value at risk and expected shortfall of weighted losses: the weights are walked from the worst loss
 * on, until they reach 1 − α; the last loss counts by the part of its weight that is still needed.
 * Weights are shares of the whole sample; the list may leave out losses beyond its tail.
 *
 * Answers NO_HISTORY where the weights do not reach 1 − α, BAD_TERMS for weights that are negative
 * or sum to more than 1, BAD_NUMBER.
 */
export const weightedTail = (losses: ArrayLike<number>, weights: ArrayLike<number>, confidence: Ppm): Answer<Tail> => {
  const fault = levelFault(confidence) ?? notFinite("losses", losses) ?? notFinite("weights", weights);
  if (fault !== null) return fault;
  let total = 0;
  for (let index = 0; index < weights.length; index += 1) {
    if ((weights[index] as number) < 0) return refused("BAD_TERMS", `weight ${index} is negative. Weights are shares of the sample`);
    total += weights[index] as number;
  }
  if (weights.length !== losses.length || total > 1 + 1e-9) {
    return refused(
      "BAD_TERMS",
      `${weights.length} weights that sum to ${total} for ${losses.length} losses. Give each loss its share of 1`,
    );
  }
  const size = (PPM - confidence) / PPM;
  const order = ranked(losses).filter((index) => (weights[index] as number) > 0);
  let [walked, sum, rank] = [0, 0, 0];
  // Rounding of the weights' sum is no missing history: a tail is reached within 1e-12 of it.
  for (; rank < order.length && walked < size - 1e-12; rank += 1) {
    const taken = Math.min(weights[order[rank] as number] as number, size - walked);
    sum += taken * (losses[order[rank] as number] as number);
    walked += taken;
  }
  if (walked < size - 1e-12) return refused("NO_HISTORY", `the weights reach ${walked} of a tail of ${size}. Give more of the tail`);
  const valueAtRisk = losses[order[rank - 1] as number] as number;
  const beyond = order.slice(0, rank).filter((index) => (losses[index] as number) > valueAtRisk);
  const reach = beyond.reduce((share, index) => share + (weights[index] as number), 0);
  return given({
    valueAtRisk,
    expectedShortfall: sum / walked,
    meanBeyond:
      beyond.length === 0 ? null : beyond.reduce((all, index) => all + (weights[index] as number) * (losses[index] as number), 0) / reach,
    rank,
    worst: order.slice(0, rank),
  });
};

/**
 * The percentile that spreadsheets and OpenSIMM call historical value at risk: the i-th smallest of n
 * values stands at (i − ½)/n, linear between two and constant beyond the ends. A named convention for
 * comparisons; margin is set by {@link tailOf}. Answers NO_HISTORY for no value, BAD_NUMBER, BAD_TERMS.
 */
export const interpolatedPercentile = (values: ArrayLike<number>, level: Ppm): Answer<number> => {
  const fault = levelFault(level) ?? notFinite("values", values);
  if (fault !== null) return fault;
  if (values.length === 0) return refused("NO_HISTORY", "no value to take a percentile of. Give one at least");
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length * level) / PPM - 0.5;
  const low = Math.min(Math.max(Math.floor(place), 0), sorted.length - 1);
  const high = Math.min(low + 1, sorted.length - 1);
  const share = Math.min(Math.max(place - low, 0), 1);
  const below = sorted[low] as number;
  return given(below + share * ((sorted[high] as number) - below));
};
