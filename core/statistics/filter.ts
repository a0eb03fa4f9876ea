import type { Ppm } from "../money.ts";
import type { Answer, Refused } from "./answer.ts";
import { given, isCount, isPpm, notFinite, refused } from "./answer.ts";
import type { JointReturns } from "./returns.ts";

/** Exponentially weighted volatility, and how far a past return may be scaled to today's (M7). */
export interface FilterTerms {
  /** λ: the share of yesterday's variance that stays. 970,000 has a half-life of 23 days. */
  readonly decay: Ppm;
  /** The first returns, whose mean square is the first variance. */
  readonly seedReturns: number;
  /** Least and greatest σ_T/σ_t. */
  readonly leastScale: Ppm;
  readonly greatestScale: Ppm;
  /** σ_T is at least this share of the root mean square of the last `floorReturns` returns; 0 for no floor. */
  readonly floorShare: Ppm;
  /** Ten years of days are 3,652. */
  readonly floorReturns: number;
}

/** λ = 0.97, scales within [0.5, 2], volatility at least 90 % of ten years'. */
export const FILTER: FilterTerms = {
  decay: 970_000,
  seedReturns: 30,
  leastScale: 500_000,
  greatestScale: 2_000_000,
  floorShare: 900_000,
  floorReturns: 3_652,
};

const PPM = 1_000_000;
const meanSquare = (values: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let index = from; index < to; index += 1) sum += (values[index] as number) ** 2;
  return sum / (to - from);
};

/** σ for each return, as it was forecast before it, and for the next one. In the unit of the returns. */
export interface Volatility {
  /** σ_t: made of the seed and of returns before t only, so that a backtest sees nothing of the future after the seed. */
  readonly forecast: Float64Array;
  /** σ_T: what is forecast for the return after the last. */
  readonly next: number;
}

const filterFault = ({ decay, seedReturns, leastScale, greatestScale, floorShare, floorReturns }: FilterTerms): Refused | null => {
  if (!isPpm(decay, 1, PPM - 1)) return refused("BAD_TERMS", `decay ${decay}: give whole ppm between 0 and 1,000,000 (0.97 is 970000)`);
  if (!isCount(seedReturns, 1)) return refused("BAD_TERMS", `seed of ${seedReturns} returns: give a whole number, at least 1`);
  if (!isPpm(leastScale, 1, PPM) || !isCount(greatestScale, PPM)) {
    return refused("BAD_TERMS", `scales ${leastScale} to ${greatestScale}: give whole ppm around 1,000,000`);
  }
  return isPpm(floorShare) && isCount(floorReturns, 1)
    ? null
    : refused("BAD_TERMS", `floor of ${floorShare} ppm of ${floorReturns} returns: give whole ppm up to 1,000,000 and a count`);
};

/**
 * `σ_t² = λσ_{t−1}² + (1 − λ)r²_{t−1}` from the mean square of the seed (M7).
 * Answers NO_HISTORY with fewer returns than the seed, BAD_NUMBER, BAD_TERMS. A series that never
 * moves has volatility 0: whoever divides by it refuses it.
 */
export const ewmaVolatility = (returns: ArrayLike<number>, terms: FilterTerms = FILTER): Answer<Volatility> => {
  const fault = filterFault(terms) ?? notFinite("returns", returns);
  if (fault !== null) return fault;
  if (returns.length < terms.seedReturns) {
    return refused("NO_HISTORY", `${returns.length} returns, ${terms.seedReturns} needed for the first variance. Give more history`);
  }
  const [decay, rest] = [terms.decay / PPM, (PPM - terms.decay) / PPM];
  const forecast = new Float64Array(returns.length);
  let variance = meanSquare(returns, 0, terms.seedReturns);
  for (let index = 0; index < returns.length; index += 1) {
    forecast[index] = Math.sqrt(variance);
    variance = decay * variance + rest * (returns[index] as number) ** 2;
  }
  return given({ forecast, next: Math.sqrt(variance) });
};

export interface Filtered {
  readonly returns: Float64Array;
  /** σ_T after the floor. */
  readonly volatility: number;
  /** True where the floor holds the volatility up. */
  readonly isFloored: boolean;
}

/**
 * Past returns at today's volatility: `r*_t = r_t · clamp(σ_T/σ_t, 0.5, 2)` with σ_T not below its floor (M7).
 * A σ_t of 0 takes the greatest scale. Answers ZERO_VOLATILITY for a series that never moves, and
 * what {@link ewmaVolatility} answers.
 */
export const filteredReturns = (returns: ArrayLike<number>, terms: FilterTerms = FILTER): Answer<Filtered> => {
  const volatility = ewmaVolatility(returns, terms);
  if (!volatility.ok) return volatility;
  const { forecast, next } = volatility.value;
  const from = Math.max(0, returns.length - terms.floorReturns);
  const floor = (terms.floorShare / PPM) * Math.sqrt(meanSquare(returns, from, returns.length));
  const now = Math.max(next, floor);
  if (now === 0) return refused("ZERO_VOLATILITY", "the series never moves. Take it out of the filter, or give it a floor of its own");
  const [least, greatest] = [terms.leastScale / PPM, terms.greatestScale / PPM];
  return given({
    returns: Float64Array.from(returns, (value, index) => value * Math.min(Math.max(now / (forecast[index] as number), least), greatest)),
    volatility: now,
    isFloored: floor > next,
  });
};

/**
 * Joint returns, each factor filtered by its own volatility: dates stay together, so that dependence is
 * kept. The answer of the first factor that is refused is given, with its name.
 */
export const filterJoint = (joint: JointReturns, terms: FilterTerms = FILTER): Answer<JointReturns> => {
  const columns: Float64Array[] = [];
  for (const [which, name] of joint.names.entries()) {
    const filtered = filteredReturns(joint.columns[which] as Float64Array, terms);
    if (!filtered.ok) return refused(filtered.fault, `${name}: ${filtered.detail}`);
    columns.push(filtered.value.returns);
  }
  return given({ ...joint, columns });
};
