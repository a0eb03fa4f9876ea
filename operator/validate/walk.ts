import { type Money, ONE, type Price, type Quantity } from "../../core/money.ts";
import { normalQuantile } from "../../core/pricing/normal.ts";
import { correlationOneStress, type StressScenario, stressLoss, volatilityStress } from "../../core/risk/stress.ts";
import type { Answer } from "../../core/statistics/answer.ts";
import { type Covariance, ewmaCovariance, profitVolatility } from "../../core/statistics/covariance.ts";
import { filteredReturns } from "../../core/statistics/filter.ts";
import { deltaProfits, historicalMargin, type StressLoss } from "../../core/statistics/historical-margin.ts";
import type { JointReturns } from "../../core/statistics/returns.ts";
import { tailOf } from "../../core/statistics/tail.ts";
import { Refusal } from "../command-line.ts";
import { type History, wholeOf } from "./history.ts";
import type { ValidationTerms } from "./terms.ts";

/** The models, the house's own first. */
export const MODELS = ["statistical", "historical", "normal", "grid"] as const;
export type Model = (typeof MODELS)[number];

/** Constant holdings, by asset of the history. */
export interface Portfolio {
  readonly name: string;
  readonly kind: "book" | "asset" | "account";
  readonly quantities: readonly Quantity[];
}

/** What one portfolio would have been asked for on each tested day, and what it lost. */
export interface Walk {
  readonly portfolio: Portfolio;
  /** Requirement at the close of the day before, rounded up (M0). */
  readonly margins: Readonly<Record<Model, readonly Money[]>>;
  /** Loss of the day, exact, rounded up; below 0 is a gain. */
  readonly losses: readonly Money[];
  /** Filtered value at risk and expected shortfall at the shortfall level, before the blend: what Acerbi and Szekely's test asks for. */
  readonly valueAtRisk: Float64Array;
  readonly shortfall: Float64Array;
  /** Shortfall of the same days as they happened, at the shortfall level: the margin at the volatility of up to ten years. */
  readonly longRun: Float64Array;
  /** Loss in the worst stress that was known. */
  readonly stress: Float64Array;
  /** Gross notional value at the close of the day before. */
  readonly notional: Float64Array;
}

/** The tested days and each portfolio on them. */
export interface WalkForward {
  readonly days: readonly string[];
  readonly walks: readonly Walk[];
}

/** The value of an answer. @throws Refusal with the fault: on judged files it can only be the files. */
const sound = <Value>(answer: Answer<Value>, symbol = "a margin"): Value => {
  if (!answer.ok) throw new Refusal(`${symbol} cannot be computed (${answer.fault}): ${answer.detail}`);
  return answer.value;
};

/** An estimate in whole units as a requirement: rounded up, once (M0). */
const requirement = (estimate: number): Money => BigInt(Math.ceil(Math.max(0, estimate) * 1e8)) as Money;

/** What is known at a close before any position is looked at. */
export interface Market {
  /** Joint scenarios: filtered, and as they happened. */
  readonly filtered: JointReturns;
  readonly plain: JointReturns;
  /** Of a day, by asset, after the floor. */
  readonly volatilities: readonly number[];
  readonly covariance: Covariance;
  readonly stresses: readonly StressScenario[];
}

const worstAndBest = (returns: Float64Array, from: number, to: number): readonly [number, number] => {
  let [worst, best] = [0, 0];
  for (let index = from; index < to; index += 1) {
    worst = Math.min(worst, returns[index] as number);
    best = Math.max(best, returns[index] as number);
  }
  return [worst, best];
};

/** Named and hypothetical stresses that are known when `day` begins: windows by those of their days that have ended. */
export const stressesAt = (history: History, day: number, terms: ValidationTerms, volatilities: readonly number[]): StressScenario[] => {
  const named = terms.windows.flatMap(({ name, from, to }) =>
    history.days
      .slice(0, day)
      .flatMap((each, index) =>
        each < from || each > to
          ? []
          : [{ name: `${name}, ${each}`, moves: history.returns.map((returns) => Math.expm1(returns[index] as number)) }],
      ),
  );
  const extremes = history.returns.map((returns) => worstAndBest(returns, 0, day));
  return [
    ...named,
    ...volatilityStress(volatilities, terms.volatilityMultiple, normalQuantile(terms.coveragePpm / 1_000_000)),
    ...correlationOneStress(
      extremes.map(([worst]) => worst),
      extremes.map(([, best]) => best),
    ),
  ];
};

/** The market as it stood when the day of an index began; the index after the last is today. */
export const marketAt = (history: History, day: number, terms: ValidationTerms): Market => {
  const from = Math.max(0, day - terms.mostDays);
  const plain: JointReturns = {
    ...{ kind: "log", names: history.symbols, endsAt: history.openAt.slice(from, day) },
    columns: history.returns.map((returns) => returns.subarray(from, day)),
    ...{ horizon: 1, isScaled: false, gaps: [] },
  };
  const filtered = plain.columns.map((returns, asset) => sound(filteredReturns(returns, terms.filter), history.symbols[asset]));
  const volatilities = filtered.map(({ volatility }) => volatility);
  return {
    plain,
    filtered: { ...plain, columns: filtered.map(({ returns }) => returns) },
    volatilities,
    covariance: sound(ewmaCovariance(plain, terms.filter.decay, 2)),
    stresses: stressesAt(history, day, terms, volatilities),
  };
};

/** Estimates of one portfolio at one close, in whole units of the quote asset. */
export interface Estimates {
  readonly margins: Readonly<Record<Model, number>>;
  /** Of the filtered scenarios, before the blend. */
  readonly valueAtRisk: number;
  readonly shortfall: number;
  /** Shortfall of the scenarios as they happened. */
  readonly longRun: number;
  /** What sets the statistical model's margin, and its worst stress. */
  readonly binding: string;
  readonly stress: StressLoss;
}

/**
 * The four models side by side (M14 benchmark models), each by the function that sets margins. `exposures` are signed
 * notional values, `ranges` the grid's, by asset of the history.
 */
export const estimate = (exposures: readonly number[], ranges: readonly number[], market: Market, terms: ValidationTerms): Estimates => {
  const named = Object.fromEntries(market.plain.names.map((name, asset) => [name, exposures[asset] as number]));
  const losses = market.stresses.map((scenario) => ({ name: scenario.name, loss: stressLoss(exposures, scenario) }));
  const house = sound(
    historicalMargin(sound(deltaProfits(market.filtered, named)), losses, {
      ...{ confidence: terms.shortfallPpm, measure: "ES", weight: terms.blendPpm, leastScenarios: terms.leastDays },
    }),
  );
  const plain = sound(deltaProfits(market.plain, named)).sort();
  // The tail is all that is ranked: a native sort of numbers is ten times quicker than one by a comparison.
  const least = Math.min(terms.coveragePpm, terms.shortfallPpm);
  const tail = plain.subarray(0, Math.ceil((plain.length * (1_000_000 - least)) / 1_000_000)).map((profit) => -profit);
  return {
    margins: {
      statistical: house.margin,
      historical: sound(tailOf(tail, terms.coveragePpm, plain.length)).valueAtRisk,
      normal: normalQuantile(terms.coveragePpm / 1_000_000) * sound(profitVolatility(market.covariance, named)),
      grid: exposures.reduce((sum, exposure, asset) => sum + Math.abs(exposure) * (ranges[asset] as number), 0),
    },
    ...{ valueAtRisk: house.tail.valueAtRisk, shortfall: house.tail.expectedShortfall, binding: house.binding, stress: house.stress },
    longRun: sound(tailOf(tail, terms.shortfallPpm, plain.length)).expectedShortfall,
  };
};

/** Exact loss of constant holdings from one close to the next, rounded up to 1e-8. */
export const lossOf = (quantities: readonly Quantity[], history: History, day: number): Money => {
  let gain = 0n;
  for (const [asset, quantity] of quantities.entries()) {
    gain += quantity * ((history.closes[asset]?.[day] as bigint) - (history.opens[asset]?.[day] as bigint));
  }
  // Division truncates towards 0: a loss with a remainder takes one unit more.
  const loss = -gain;
  return (loss > 0n && loss % ONE !== 0n ? loss / ONE + 1n : loss / ONE) as Money;
};

const blank = (portfolio: Portfolio, days: number): Walk & { margins: Record<Model, Money[]>; losses: Money[] } => ({
  ...{ portfolio, margins: { statistical: [], historical: [], normal: [], grid: [] }, losses: [] },
  ...{ valueAtRisk: new Float64Array(days), shortfall: new Float64Array(days), longRun: new Float64Array(days) },
  ...{ stress: new Float64Array(days), notional: new Float64Array(days) },
});

/**
 * Margins each portfolio on each day with what was known when the day began, and sets the day's loss beside it (M14).
 * @param told is called once for each tested day.
 */
export const walkForward = (
  history: History,
  portfolios: readonly Portfolio[],
  ranges: readonly number[],
  terms: ValidationTerms,
  told: () => void,
): WalkForward => {
  const days = history.days.slice(terms.leastDays);
  const walks = portfolios.map((portfolio) => blank(portfolio, days.length));
  for (let tested = 0; tested < days.length; tested += 1) {
    const day = terms.leastDays + tested;
    const market = marketAt(history, day, terms);
    const prices = history.opens.map((list) => wholeOf(list[day] as Price));
    for (const walk of walks) {
      const { quantities } = walk.portfolio;
      const exposures = quantities.map((quantity, asset) => (Number(quantity) / 1e8) * (prices[asset] as number));
      const { margins, valueAtRisk, shortfall, longRun, stress } = estimate(exposures, ranges, market, terms);
      for (const model of MODELS) walk.margins[model].push(requirement(margins[model]));
      walk.losses.push(lossOf(quantities, history, day));
      walk.valueAtRisk[tested] = valueAtRisk;
      walk.shortfall[tested] = shortfall;
      walk.longRun[tested] = longRun;
      walk.stress[tested] = Math.max(0, stress.loss);
      walk.notional[tested] = exposures.reduce((sum, exposure) => sum + Math.abs(exposure), 0);
    }
    told();
  }
  return { days, walks };
};
