import type { Ppm } from "../../core/money.ts";
import { dynamicRate } from "../../core/risk/dynamic-rates.ts";
import {
  asymmetricVariance,
  type MarginState,
  type ProcyclicalityTools,
  type SmoothedMargin,
  smoothedMargin,
} from "../../core/risk/procyclicality.ts";
import type { Answer } from "../../core/statistics/answer.ts";
import { FILTER } from "../../core/statistics/filter.ts";
import { HISTORICAL } from "../../core/statistics/historical-margin.ts";
import { jointReturns } from "../../core/statistics/returns.ts";
import { Refusal } from "../command-line.ts";
import { DAY_MS, wholeOf } from "../validate/history.ts";
import type { PriceFile } from "../validate/lineage.ts";
import type { RatedInstrument, RatesTerms } from "./terms.ts";

const WHOLE = 1_000_000;

/** The rate of one instrument through its history, and for the day after the last. */
export interface RateSeries {
  /** σ of a day, for the day after the last. */
  readonly volatility: number;
  /** Rates in ppm, a day each, the last one for the day after the file's last: as the model gives them, and through the tools. */
  readonly raw: readonly number[];
  readonly charged: readonly number[];
  /** The last step once more, from the rate that holds now: what is published. */
  readonly next: SmoothedMargin;
}

const sound = <Value>(answer: Answer<Value>, file: string): Value => {
  if (!answer.ok) throw new Refusal(`no rate can be made of ${file} (${answer.fault}): ${answer.detail}`);
  return answer.value;
};

/** Returns of single days, oldest first. None spans a gap. */
const returnsOf = ({ lineage, closes }: PriceFile): Float64Array => {
  const points = closes.map(({ openAt, price }) => ({ at: openAt, price: wholeOf(price) }));
  const joint = jointReturns([{ name: lineage.symbol, points }], {
    ...{ kind: "log", horizon: 1, intervalMs: DAY_MS, gaps: "leave-out", scaling: "overlapping" },
    leastReturns: HISTORICAL.leastScenarios,
  });
  return sound(joint, lineage.file).columns[0] as Float64Array;
};

const rootMeanSquare = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** σ for each return and for the one after the last, of the returns before it only. */
const volatilitiesOf = (returns: Float64Array, { decayUp, decayDown }: RatesTerms["volatility"], file: string): number[] => {
  let variance = rootMeanSquare(returns.subarray(0, FILTER.seedReturns)) ** 2;
  const volatilities = [Math.sqrt(variance)];
  for (const move of returns) {
    variance = sound(asymmetricVariance(variance, move, decayUp, decayDown), file);
    volatilities.push(Math.sqrt(variance));
  }
  return volatilities;
};

/**
 * The dynamic rate of an instrument through its price file (M3): each day with what was known when it began, raw and through
 * the tools that are on (M9). @throws Refusal for a file with too little history or one that never moves.
 */
export const rateSeries = (
  file: PriceFile,
  rated: RatedInstrument,
  { volatility, tools }: RatesTerms,
  emergency: string | null,
): RateSeries => {
  const name = file.lineage.file;
  const returns = returnsOf(file);
  const volatilities = volatilitiesOf(returns, volatility, name);
  const { floor, confidence, horizonDays, impact, instrument } = rated;
  const rateAt = (sigma: number): Ppm => sound(dynamicRate(sigma, { floor, confidence, horizonDays, impact: impact / WHOLE }), name);
  const toolsAt = (day: number): ProcyclicalityTools => ({
    buffer: tools.buffer,
    stepCap: tools.stepCap,
    floor: tools.floor === null ? null : rateAt(rootMeanSquare(returns.subarray(Math.max(0, day - tools.floor.days), day))),
    stressed:
      tools.stressed === null
        ? null
        : { weight: tools.stressed.weight, stressed: rateAt(volatilities.slice(0, day + 1).reduce((most, each) => Math.max(most, each))) },
  });
  const raw: number[] = [];
  const steps: SmoothedMargin[] = [];
  for (let day = HISTORICAL.leastScenarios; day <= returns.length; day += 1) {
    const rate = rateAt(volatilities[day] as number);
    raw.push(rate);
    steps.push(sound(smoothedMargin(rate, steps.at(-1) ?? null, toolsAt(day)), name));
  }
  const today = raw.at(-1) as number;
  const present = instrument.tiers[0]?.rateIm as Ppm;
  const before: MarginState = { calculated: steps.at(-2)?.calculated ?? today, charged: present };
  return {
    volatility: volatilities.at(-1) as number,
    raw,
    charged: steps.map(({ charged }) => charged),
    next: sound(smoothedMargin(today, before, toolsAt(returns.length), emergency), name),
  };
};
