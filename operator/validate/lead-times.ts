import type { Ppm, Price, Quantity } from "../../core/money.ts";
import { type Calibration, calibrationOf, type LeadTime, leadTime } from "../../core/risk/lead-time.ts";
import { sameDraws } from "../../core/risk/paths.ts";
import { profitVolatility } from "../../core/statistics/covariance.ts";
import { Refusal } from "../command-line.ts";
import { DAY_MS, type History, wholeOf } from "./history.ts";
import type { ValidationTerms } from "./terms.ts";
import { lossOf, type Market, marketAt, type Portfolio } from "./walk.ts";

/** Bins of the reliability curve. */
const BINS = 10;
const PATHS = 1_000;

/** How well the lead time forecast one distance (M11). */
export interface LeadTimeRow extends Calibration {
  /** Distance to the breach as a share of gross notional value, ppm. */
  readonly distancePpm: Ppm;
  readonly forecasts: number;
  /** Mean of the probabilities that were told. */
  readonly told: number;
  /** Share of them after which the distance was lost at a close within the horizon. */
  readonly happened: number;
  /** 1 − brier / climatology: above 0 it beats always telling the share that happened; null where that never errs. */
  readonly skill: number | null;
  /** Brier scores of the two estimates of which the larger is told. */
  readonly brierOfDiffusion: number;
  readonly brierOfPaths: number;
}

/** The forecasts of one portfolio. */
export interface LeadTimes {
  readonly portfolio: string;
  readonly horizonDays: number;
  readonly rows: readonly LeadTimeRow[];
}

/** A day's forecast, and what came. */
interface Forecast {
  readonly lead: LeadTime;
  readonly happened: boolean;
}

/** The lead time to the loss of a distance within the horizon, as it was told when the day began. */
const leadAt = (exposures: readonly number[], distance: number, market: Market, steps: number): LeadTime => {
  const named = Object.fromEntries(market.plain.names.map((name, asset) => [name, exposures[asset] as number]));
  const volatility = profitVolatility(market.covariance, named);
  if (!volatility.ok) throw new Refusal(`the volatility of the book cannot be told (${volatility.fault}): ${volatility.detail}`);
  const after = (moves: Float64Array): number =>
    exposures.reduce((sum, exposure, asset) => sum + exposure * Math.expm1(moves[asset] as number), distance);
  const terms = { paths: PATHS, steps, quantile: 50_000, random: sameDraws() };
  const answer = leadTime(market.filtered, after, volatility.value, terms);
  if (!answer.ok) throw new Refusal(`the lead time of the book cannot be told (${answer.fault}): ${answer.detail}`);
  return answer.value;
};

/** The largest loss since the day began, at the closes of the horizon; null where the history has a gap in it or ends before. */
const worstWithin = (quantities: readonly Quantity[], history: History, day: number, horizon: number): number | null => {
  const last = day + horizon - 1;
  if ((history.openAt[last] ?? 0) - (history.openAt[day] as number) !== (horizon - 1) * DAY_MS) return null;
  let [loss, worst] = [0n, 0n];
  for (let each = day; each <= last; each += 1) {
    loss += lossOf(quantities, history, each);
    if (loss > worst) worst = loss;
  }
  return Number(worst) / 1e8;
};

const judged = (forecasts: readonly Forecast[], probabilityOf: (lead: LeadTime) => Ppm): Calibration => {
  const answer = calibrationOf(
    forecasts.map(({ lead, happened }) => ({ probability: probabilityOf(lead), happened })),
    BINS,
  );
  if (!answer.ok) throw new Refusal(`the lead time cannot be judged (${answer.fault}): ${answer.detail}`);
  return answer.value;
};

const rowOf = (distancePpm: Ppm, forecasts: readonly Forecast[]): LeadTimeRow => {
  const calibration = judged(forecasts, ({ probability }) => probability);
  const { brier, climatology } = calibration;
  return {
    ...calibration,
    ...{ distancePpm, forecasts: forecasts.length },
    told: forecasts.reduce((sum, { lead }) => sum + lead.probability / 1_000_000, 0) / forecasts.length,
    happened: forecasts.filter(({ happened }) => happened).length / forecasts.length,
    skill: climatology === 0 ? null : 1 - brier / climatology,
    brierOfDiffusion: judged(forecasts, ({ byDiffusion }) => byDiffusion).brier,
    brierOfPaths: judged(forecasts, ({ byPaths }) => byPaths).brier,
  };
};

/**
 * Brier score and reliability of the lead time on each tested day (M11, M14): for an account that holds the portfolio and
 * stands a share of its gross notional value from a breach, the probability that was told when the day began, and whether
 * the distance was lost at a close within the horizon. Days overlap.
 *
 * @param told is called once for each tested day.
 */
export const leadTimesOf = (history: History, portfolio: Portfolio, terms: ValidationTerms, told: () => void): LeadTimes => {
  const { horizonDays, distancesPpm } = terms.leadTime;
  const forecasts = new Map(distancesPpm.map((distance): [Ppm, Forecast[]] => [distance, []]));
  for (let day = terms.leastDays; day < history.days.length; day += 1) {
    told();
    const worst = worstWithin(portfolio.quantities, history, day, horizonDays);
    if (worst === null) continue;
    const market = marketAt(history, day, terms);
    const exposures = portfolio.quantities.map(
      (quantity, asset) => (Number(quantity) / 1e8) * wholeOf(history.opens[asset]?.[day] as Price),
    );
    const notional = exposures.reduce((sum, exposure) => sum + Math.abs(exposure), 0);
    for (const [distancePpm, all] of forecasts) {
      const distance = (notional * distancePpm) / 1_000_000;
      all.push({ lead: leadAt(exposures, distance, market, horizonDays), happened: worst > distance });
    }
  }
  return {
    ...{ portfolio: portfolio.name, horizonDays },
    rows: [...forecasts].flatMap(([distance, all]) => (all.length === 0 ? [] : [rowOf(distance, all)])),
  };
};
