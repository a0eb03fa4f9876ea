import type { Ppm } from "../money.ts";
import type { Answer, Refused } from "./answer.ts";
import { given, isCount, isPpm, notFinite, refused } from "./answer.ts";
import { binomialCumulative, chiSquareTail } from "./chi-square.ts";

/** A likelihood ratio and the probability of one at least as large if the model is right (M14). */
export interface CoverageTest {
  readonly statistic: number;
  /** Of chi-square with this many degrees of freedom. */
  readonly degrees: number;
  readonly pValue: number;
}

/** How exceptions follow each other: `n01` counts days with an exception after days without. */
export interface Transitions {
  readonly n00: number;
  readonly n01: number;
  readonly n10: number;
  readonly n11: number;
}

/** Exceptions of a margin: for each period whether the loss was above it. */
export interface Exceptions {
  readonly flags: readonly boolean[];
  readonly observations: number;
  readonly exceptions: number;
  readonly transitions: Transitions;
}

/**
 * Exceptions `I_t = loss > margin`, strictly, with their transitions (M14).
 * Answers NO_HISTORY for none, DISORDER for lists that differ in length, BAD_NUMBER.
 */
export const exceptionsOf = (losses: ArrayLike<number>, margins: ArrayLike<number>): Answer<Exceptions> => {
  if (losses.length !== margins.length) {
    return refused("DISORDER", `${losses.length} losses for ${margins.length} margins. Give the margin that stood before each loss`);
  }
  if (losses.length === 0) return refused("NO_HISTORY", "no period to test. Give one at least");
  const fault = notFinite("losses", losses) ?? notFinite("margins", margins);
  if (fault !== null) return fault;
  const flags = Array.from(losses, (loss, index) => loss > (margins[index] as number));
  const follows = (before: boolean, after: boolean): number =>
    flags.filter((flag, index) => index > 0 && flags[index - 1] === before && flag === after).length;
  return given({
    flags,
    observations: flags.length,
    exceptions: flags.filter(Boolean).length,
    transitions: { n00: follows(false, false), n01: follows(false, true), n10: follows(true, false), n11: follows(true, true) },
  });
};

/** n·ln p, where nothing that never happened counts nothing. */
const logOf = (count: number, probability: number): number => (count === 0 ? 0 : count * Math.log(probability));
const testOf = (statistic: number, degrees: number): Answer<CoverageTest> => {
  // Rounding may leave a perfect fit a hair below 0.
  const clean = Math.max(0, statistic);
  const tail = chiSquareTail(clean, degrees);
  return tail.ok ? given({ statistic: clean, degrees, pValue: tail.value }) : tail;
};
const countsFault = (observations: number, exceptions: number, expected: Ppm): Refused | null => {
  if (!isPpm(expected, 1, 999_999)) return refused("BAD_TERMS", `expected share ${expected}: give whole ppm between 0 and 1,000,000`);
  return isCount(observations, 1) && isCount(exceptions) && exceptions <= observations
    ? null
    : refused("BAD_TERMS", `${exceptions} exceptions of ${observations}: give whole numbers, not more exceptions than observations`);
};

/**
 * Kupiec's proportion of failures: `LR = −2 ln[(1−p)^(N−x) p^x / ((1−x/N)^(N−x) (x/N)^x)]` of
 * chi-square with 1 degree, with 0·ln 0 = 0. `expected` is p in ppm (10,000 for a margin at 99 %).
 * Answers BAD_TERMS for counts that cannot be.
 */
export const kupiec = (observations: number, exceptions: number, expected: Ppm): Answer<CoverageTest> => {
  const fault = countsFault(observations, exceptions, expected);
  if (fault !== null) return fault;
  const [p, share, quiet] = [expected / 1_000_000, exceptions / observations, observations - exceptions];
  const model = quiet * Math.log1p(-p) + logOf(exceptions, p);
  const sample = logOf(quiet, 1 - share) + logOf(exceptions, share);
  return testOf(2 * (sample - model), 1);
};

/**
 * Christoffersen's independence: whether an exception is as likely after an exception as after none.
 * Chi-square with 1 degree. Answers BAD_TERMS for counts that are not whole, NO_HISTORY for no transition.
 */
export const independence = ({ n00, n01, n10, n11 }: Transitions): Answer<CoverageTest> => {
  if (![n00, n01, n10, n11].every((count) => isCount(count))) return refused("BAD_TERMS", "transitions are whole counts of at least 0");
  const all = n00 + n01 + n10 + n11;
  if (all === 0) return refused("NO_HISTORY", "no transition. Give two periods at least");
  const share = (n01 + n11) / all;
  const after = (no: number, yes: number): number => (no + yes === 0 ? 0 : logOf(no, 1 - yes / (no + yes)) + logOf(yes, yes / (no + yes)));
  const model = logOf(n00 + n10, 1 - share) + logOf(n01 + n11, share);
  return testOf(2 * (after(n00, n01) + after(n10, n11) - model), 1);
};

/** Conditional coverage: Kupiec and independence together, chi-square with 2 degrees. Answers what they answer. */
export const conditionalCoverage = (
  observations: number,
  exceptions: number,
  expected: Ppm,
  transitions: Transitions,
): Answer<CoverageTest> => {
  const [proportion, independent] = [kupiec(observations, exceptions, expected), independence(transitions)];
  if (!proportion.ok) return proportion;
  return independent.ok ? testOf(proportion.value.statistic + independent.value.statistic, 2) : independent;
};

export type Light = "GREEN" | "YELLOW" | "RED";
/** The Basel table's additions to the multiplier for 5, 6, 7, 8, 9 and 10 exceptions in 250 days at 99 %. */
const ADD_ONS = [0.4, 0.5, 0.65, 0.75, 0.85, 1] as const;

export interface TrafficLight {
  readonly light: Light;
  /** P(at most this many exceptions), if the model is right. */
  readonly cumulative: number;
  /** What the Basel table adds to its multiplier of 3; null for a sample other than 250 days at 99 %, for which there is no table. */
  readonly addOn: number | null;
}

/**
 * The Basel traffic light: YELLOW from a cumulative probability of 95 %, RED from 99.99 %, of the
 * exceptions seen. For 250 days at 99 % that is 0 to 4, 5 to 9, and from 10 on. Answers BAD_TERMS.
 */
export const trafficLight = (observations: number, exceptions: number, expected: Ppm): Answer<TrafficLight> => {
  const fault = countsFault(observations, exceptions, expected);
  if (fault !== null) return fault;
  const cumulative = binomialCumulative(observations, exceptions, expected);
  if (!cumulative.ok) return cumulative;
  const light = cumulative.value >= 0.9999 ? "RED" : cumulative.value >= 0.95 ? "YELLOW" : "GREEN";
  const step = Math.min(exceptions, 10) - 5;
  const addOn = observations === 250 && expected === 10_000 ? (step < 0 ? 0 : (ADD_ONS[step] as number)) : null;
  return given({ light, cumulative: cumulative.value, addOn });
};

/** What was forecast for one period, and what came: losses positive. */
export interface ShortfallForecast {
  readonly loss: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

export interface ShortfallTest {
  /** About 0 if the model is right; negative where the expected shortfall is too small. */
  readonly z2: number;
  readonly exceptions: number;
  /** For 250 periods at 97.5 %: the values that Acerbi and Székely tabulate, −0.70 and −1.8. Null for other samples. */
  readonly light: Light | null;
}

const z2Of = (days: readonly ShortfallForecast[], losses: ArrayLike<number>, tail: number): number => {
  let sum = 0;
  for (const [index, { valueAtRisk, expectedShortfall }] of days.entries()) {
    const loss = losses[index] as number;
    if (loss > valueAtRisk) sum += loss / expectedShortfall;
  }
  return 1 - sum / (days.length * tail);
};

/**
 * Acerbi and Székely's second test of expected shortfall:
 * `Z2 = 1 − Σ L_t·1(L_t > VaR_t) / (ES_t · T · (1 − α))`.
 * It judges frequency and size of exceptions together. Answers NO_HISTORY for no period, BAD_NUMBER for
 * a forecast that is not finite or an expected shortfall that is not above 0, BAD_TERMS for the level.
 */
export const shortfallTest = (days: readonly ShortfallForecast[], confidence: Ppm): Answer<ShortfallTest> => {
  if (!isPpm(confidence, 1, 999_999)) return refused("BAD_TERMS", `confidence ${confidence}: give whole ppm between 0 and 1,000,000`);
  if (days.length === 0) return refused("NO_HISTORY", "no period to test. Give one at least");
  const wrong = days.findIndex(
    ({ loss, valueAtRisk, expectedShortfall }) =>
      !(Number.isFinite(loss) && Number.isFinite(valueAtRisk) && Number.isFinite(expectedShortfall) && expectedShortfall > 0),
  );
  if (wrong >= 0) return refused("BAD_NUMBER", `period ${wrong}: loss and forecasts must be finite, the expected shortfall above 0`);
  const losses = days.map(({ loss }) => loss);
  const z2 = z2Of(days, losses, (1_000_000 - confidence) / 1_000_000);
  const light = days.length === 250 && confidence === 975_000 ? (z2 <= -1.8 ? "RED" : z2 <= -0.7 ? "YELLOW" : "GREEN") : null;
  return given({ z2, exceptions: days.filter(({ loss, valueAtRisk }) => loss > valueAtRisk).length, light });
};

/**
 * The p-value of {@link shortfallTest} by simulation, as its authors do it: `draws` times each period's
 * loss is drawn from the scenarios that made its forecast; the share of draws with a Z2 at most the
 * one seen, counting that one too, so that it is never 0. `random` answers uniform numbers in [0, 1):
 * a seeded one gives the same value again.
 * Answers what {@link shortfallTest} answers, NO_HISTORY for a period without scenarios, BAD_TERMS for the number of draws.
 */
export const shortfallPValue = (
  days: readonly (ShortfallForecast & { readonly scenarios: ArrayLike<number> })[],
  confidence: Ppm,
  draws: number,
  random: () => number,
): Answer<number> => {
  const seen = shortfallTest(days, confidence);
  if (!seen.ok) return seen;
  if (!isCount(draws, 1)) return refused("BAD_TERMS", `${draws} draws: give a whole number, at least 1`);
  const empty = days.findIndex(({ scenarios }) => scenarios.length === 0);
  if (empty >= 0) return refused("NO_HISTORY", `period ${empty} has no scenarios. Give those that made its forecast`);
  const tail = (1_000_000 - confidence) / 1_000_000;
  let atMost = 0;
  for (let draw = 0; draw < draws; draw += 1) {
    const losses = days.map(({ scenarios }) => scenarios[Math.floor(random() * scenarios.length)] as number);
    if (z2Of(days, losses, tail) <= seen.value.z2) atMost += 1;
  }
  return given((atMost + 1) / (draws + 1));
};
