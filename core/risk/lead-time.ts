import type { Ppm } from "../money.ts";
import { normalCdf, normalQuantile } from "../pricing/normal.ts";
import type { Answer, Refused } from "../statistics/answer.ts";
import { given, isCount, isPpm, notAtLeast, refused } from "../statistics/answer.ts";
import type { JointReturns } from "../statistics/returns.ts";
import { type PathTerms, walkPaths } from "./paths.ts";

const PPM = 1_000_000;
/** A probability as whole ppm, rounded up: a chance that is there is never 0. */
const ppmUp = (probability: number): Ppm => Math.min(PPM, Math.ceil(probability * PPM));

const diffusionFault = (distance: number, volatility: number, time: number): Refused | null => {
  const fault = notAtLeast(0, { "size of the distance": Math.abs(distance), volatility, time });
  if (fault !== null) return fault;
  return volatility > 0
    ? null
    : refused("ZERO_VOLATILITY", "volatility 0 tells no lead time. Ask for an account with exposures, and mend a feed that stands");
};

/**
 * Probability that a diffusion falls by `distance` at some time within `time` (M11): without drift
 * `2·Φ(−d/(σ√τ))`; with drift μ by the reflection of Brownian motion,
 * `Φ((−d − μτ)/(σ√τ)) + e^{−2μd/σ²}·Φ((−d + μτ)/(σ√τ))`.
 *
 * @param distance d, E − MM or E − 0 in currency; 0 or less has breached: 1.
 * @param volatility σ of the account's profit per √time, above 0.
 * @param time τ, at least 0, in the unit of `volatility`.
 * @param drift μ per unit of time: carry and what the requirement is known to grow by.
 *
 * Answers ZERO_VOLATILITY, BAD_NUMBER, BAD_TERMS.
 */
export const passageProbability = (distance: number, volatility: number, time: number, drift = 0): Answer<number> => {
  const fault = diffusionFault(distance, volatility, time);
  if (fault !== null) return fault;
  if (!Number.isFinite(drift)) return refused("BAD_NUMBER", `drift ${drift} is no finite number. Correct it`);
  if (distance <= 0) return given(1);
  if (time === 0) return given(0);
  const scale = volatility * Math.sqrt(time);
  const ends = normalCdf((-distance - drift * time) / scale);
  const returned = normalCdf((-distance + drift * time) / scale);
  // With a steep fall the factor overflows where its partner underflows: the first term is then all but 1.
  const exponent = (-2 * drift * distance) / (volatility * volatility);
  return given(Math.min(1, exponent > 700 ? 1 : ends + (returned === 0 ? 0 : Math.exp(exponent) * returned)));
};

/**
 * The time within which a diffusion without drift falls by `distance` with probability α:
 * `τ_α = (d / (σ·Φ⁻¹(1 − α/2)))²` (M11), in the unit of `volatility`. 0 for an account that has breached.
 * Answers ZERO_VOLATILITY, BAD_NUMBER, and BAD_TERMS unless α is whole ppm between 0 and 1,000,000.
 */
export const passageTime = (distance: number, volatility: number, probability: Ppm): Answer<number> => {
  const fault = diffusionFault(distance, volatility, 0);
  if (fault !== null) return fault;
  if (!isPpm(probability, 1, PPM - 1)) return refused("BAD_TERMS", `probability ${probability}: give whole ppm between 0 and 1,000,000`);
  return given(distance <= 0 ? 0 : (distance / (volatility * normalQuantile(1 - probability / (2 * PPM)))) ** 2);
};

/** What of an account the paths ask: its distance to the breach after the moves of all factors since now, E − MM in currency. */
export type DistanceAfter = (moves: Float64Array) => number;

/**
 * Share of filtered-historical paths that breach within each step: entry n − 1 is the frequency within n
 * steps (M11). `distanceAfter` revalues equity and requirement, so that the drift of MM with price is in it.
 * Answers BAD_NUMBER where it answers no finite number, BAD_TERMS, NO_HISTORY.
 */
export const pathFrequency = (joint: JointReturns, distanceAfter: DistanceAfter, terms: PathTerms): Answer<Float64Array> => {
  const breachedAfter: number[] = [];
  let wrong: Refused | null = null;
  const walked = walkPaths(joint, terms, (moves, step, path) => {
    if (wrong !== null) return false;
    const distance = distanceAfter(moves);
    if (!Number.isFinite(distance)) {
      wrong = refused("BAD_NUMBER", `path ${path}, step ${step}: the distance is ${distance}. Mend the model for its moves`);
    } else if (distance < 0) {
      breachedAfter.push(step);
    }
    return distance >= 0;
  });
  if (!walked.ok) return walked;
  if (wrong !== null) return wrong;
  const frequency = new Float64Array(terms.steps);
  for (const step of breachedAfter) frequency[step - 1] = (frequency[step - 1] as number) + 1;
  let breached = 0;
  return given(
    frequency.map((count) => {
      breached += count;
      return breached / terms.paths;
    }),
  );
};

/** What a warning says of the time that is left. */
export interface LeadTime {
  /** Probability of a breach within the horizon: the larger of the two, rounded up. */
  readonly probability: Ppm;
  readonly byDiffusion: Ppm;
  readonly byPaths: Ppm;
  /** Within this many steps a breach has at least probability α: the earlier of the two; null where it is not within the horizon. */
  readonly steps: number | null;
}

export interface LeadTimeTerms extends PathTerms {
  /** α of the time to breach. */
  readonly quantile: Ppm;
}

/**
 * Lead time of an account (M11): tails are fat, so that the larger probability and the earlier time of
 * diffusion and filtered-historical paths are told. The horizon is `steps` periods of the returns.
 *
 * @param volatility of the account's profit over one period, from {@link profitVolatility}.
 *
 * Answers what {@link passageProbability} and {@link pathFrequency} answer.
 */
export const leadTime = (joint: JointReturns, distanceAfter: DistanceAfter, volatility: number, terms: LeadTimeTerms): Answer<LeadTime> => {
  const distance = distanceAfter(new Float64Array(joint.names.length));
  const diffusion = passageProbability(distance, volatility, terms.steps);
  if (!diffusion.ok) return diffusion;
  const time = passageTime(distance, volatility, terms.quantile);
  if (!time.ok) return time;
  const frequency = pathFrequency(joint, distanceAfter, terms);
  if (!frequency.ok) return frequency;
  const byDiffusion = ppmUp(diffusion.value);
  const byPaths = distance <= 0 ? PPM : ppmUp(frequency.value.at(-1) as number);
  const first = frequency.value.findIndex((share) => share * PPM >= terms.quantile);
  const earliest = Math.min(time.value, first < 0 ? Number.POSITIVE_INFINITY : first + 1);
  return given({ probability: Math.max(byDiffusion, byPaths), byDiffusion, byPaths, steps: earliest <= terms.steps ? earliest : null });
};

/** A probability that was told, and whether the breach came. */
export interface ToldProbability {
  readonly probability: Ppm;
  readonly happened: boolean;
}
/** Forecasts of about one probability, and how often they came true. */
export interface ReliabilityBin {
  readonly from: Ppm;
  readonly to: Ppm;
  readonly count: number;
  /** Mean of the probabilities told, and the share that happened; both null in an empty bin. */
  readonly told: number | null;
  readonly happened: number | null;
}
export interface Calibration {
  /** Mean of (p − outcome)²: 0 is perfect, 0.25 is a coin. */
  readonly brier: number;
  /** The Brier score of always telling the share that happened: what a forecast has to beat. */
  readonly climatology: number;
  readonly bins: readonly ReliabilityBin[];
}

/**
 * Brier score and reliability curve of probabilities that were told (M11): without them a lead time is an opinion.
 * Answers NO_HISTORY for none, BAD_TERMS for probabilities that are no whole ppm and for bins that are not 1 to 1,000.
 */
export const calibrationOf = (told: readonly ToldProbability[], bins = 10): Answer<Calibration> => {
  if (told.length === 0) return refused("NO_HISTORY", "no forecast to judge. Give some that are over");
  if (!isCount(bins, 1) || bins > 1_000) return refused("BAD_TERMS", `${bins} bins: give a whole number from 1 to 1,000`);
  const wrong = told.findIndex(({ probability }) => !isPpm(probability));
  if (wrong >= 0) return refused("BAD_TERMS", `forecast ${wrong}: probability ${told[wrong]?.probability} is no whole ppm. Correct it`);
  const share = (of: readonly ToldProbability[]): number => of.filter(({ happened }) => happened).length / of.length;
  const scoreOf = (probabilityOf: (one: ToldProbability) => number): number =>
    told.reduce((sum, one) => sum + (probabilityOf(one) - (one.happened ? 1 : 0)) ** 2, 0) / told.length;
  const rate = share(told);
  const binOf = (probability: Ppm): number => Math.min(bins - 1, Math.floor((probability * bins) / PPM));
  return given({
    brier: scoreOf(({ probability }) => probability / PPM),
    climatology: scoreOf(() => rate),
    bins: Array.from({ length: bins }, (_, bin) => {
      const within = told.filter(({ probability }) => binOf(probability) === bin);
      const sum = within.reduce((total, { probability }) => total + probability / PPM, 0);
      const [from, to] = [Math.ceil((bin * PPM) / bins), Math.ceil(((bin + 1) * PPM) / bins)];
      return within.length === 0
        ? { from, to, count: 0, told: null, happened: null }
        : { from, to, count: within.length, told: sum / within.length, happened: share(within) };
    }),
  });
};
