import type { Ppm } from "../money.ts";
import type { Answer } from "./answer.ts";
import { given, isCount, isPpm, refused } from "./answer.ts";
import type { JointReturns } from "./returns.ts";
import { type Tail, tailOf } from "./tail.ts";

/**
 * Profit of each past date for exposures by factor, to the first order (M7): `Σ δ · (e^r − 1)` for log
 * returns, `Σ δ · r` for simple ones (δ in currency), `Σ q · ΔP` for differences (q in units). One
 * vector of all factors per date: standalone figures are never added.
 *
 * Answers DISORDER for an exposure to a factor without a column, BAD_NUMBER for one that is not finite.
 */
export const deltaProfits = (joint: JointReturns, exposures: Readonly<Record<string, number>>): Answer<Float64Array> => {
  const profits = new Float64Array(joint.endsAt.length);
  for (const [name, exposure] of Object.entries(exposures)) {
    const column = joint.columns[joint.names.indexOf(name)];
    if (column === undefined) return refused("DISORDER", `exposure to ${name}, which has no history here. Give its prices or a proxy`);
    if (!Number.isFinite(exposure)) return refused("BAD_NUMBER", `exposure to ${name}: ${exposure} is no finite number. Correct it`);
    for (let index = 0; index < profits.length; index += 1) {
      const move = column[index] as number;
      profits[index] = (profits[index] as number) + exposure * (joint.kind === "log" ? Math.expm1(move) : move);
    }
  }
  return given(profits);
};

/**
 * Profit of each past date by full revaluation (M7): `revalue` is given the date's vector of returns, in
 * the order of `joint.names`, and answers the profit of the whole portfolio. The vector is one array
 * that is filled again for each date. Answers BAD_NUMBER, with the date, where that is not finite.
 */
export const revaluedProfits = (joint: JointReturns, revalue: (moves: Float64Array) => number): Answer<Float64Array> => {
  const moves = new Float64Array(joint.names.length);
  const profits = new Float64Array(joint.endsAt.length);
  for (let index = 0; index < profits.length; index += 1) {
    for (let which = 0; which < moves.length; which += 1) moves[which] = (joint.columns[which] as Float64Array)[index] as number;
    const profit = revalue(moves);
    if (!Number.isFinite(profit)) {
      return refused("BAD_NUMBER", `the period that ends at ${joint.endsAt[index]} revalues to ${profit}. Mend the model for its moves`);
    }
    profits[index] = profit;
  }
  return given(profits);
};

/** What a portfolio would lose in a named scenario, in its currency; positive is a loss. */
export interface StressLoss {
  readonly name: string;
  readonly loss: number;
}

export interface HistoricalTerms {
  /** 975,000: ES 97.5 % is about VaR 99 % under normality. */
  readonly confidence: Ppm;
  /** What M_hist is. The blend always takes the expected shortfall. */
  readonly measure: "ES" | "VAR";
  /** w: weight of the expected shortfall in the blend; 1 − w goes to the stress (at least 25 %, M9 tool b). */
  readonly weight: Ppm;
  /** Fewer scenarios than this are no history. */
  readonly leastScenarios: number;
}
export const HISTORICAL: HistoricalTerms = { confidence: 975_000, measure: "ES", weight: 750_000, leastScenarios: 250 };

/** A margin with what it is made of: enough to say why, and to compute it again. */
export interface HistoricalMargin {
  /** In the currency of the profits, never below 0; not yet rounded. */
  readonly margin: number;
  /** Which part sets it. */
  readonly binding: "HISTORY" | "STRESS_BLEND" | "GRID" | "NO_RISK";
  /** M_hist. */
  readonly history: number;
  /** w·ES + (1 − w)·Stress. */
  readonly blend: number;
  /** The worst named scenario. */
  readonly stress: StressLoss;
  /** The scan loss of the scenario grid, where one was given. */
  readonly grid: number | null;
  /** The tail of the history: its `worst` are positions in the profits. */
  readonly tail: Tail;
}

/**
 * `M = max(M_hist, w·ES + (1 − w)·Stress)`, and not below the scenario grid's requirement (M7).
 *
 * Answers NO_HISTORY below `leastScenarios` or where the tail is less than one scenario, NO_STRESS for
 * a blend without a scenario, BAD_NUMBER, BAD_TERMS.
 */
export const historicalMargin = (
  profits: ArrayLike<number>,
  stress: readonly StressLoss[],
  terms: HistoricalTerms = HISTORICAL,
  grid: number | null = null,
): Answer<HistoricalMargin> => {
  const { confidence, measure, weight, leastScenarios } = terms;
  if (!isPpm(confidence, 1, 999_999)) {
    return refused("BAD_TERMS", `confidence ${confidence}: give whole parts per million between 0 and 1,000,000 (99 % is 990000, R23)`);
  }
  if (!isPpm(weight)) return refused("BAD_TERMS", `weight ${weight}: give whole ppm from 0 to 1,000,000`);
  if (!isCount(leastScenarios, 1)) return refused("BAD_TERMS", `least scenarios ${leastScenarios}: give a whole number, at least 1`);
  if (profits.length < leastScenarios || profits.length * (1_000_000 - confidence) < 1_000_000) {
    const needed = Math.max(leastScenarios, Math.ceil(1_000_000 / (1_000_000 - confidence)));
    return refused("NO_HISTORY", `${profits.length} scenarios, ${needed} needed at confidence ${confidence}. Give longer files or a proxy`);
  }
  const wrong = stress.find(({ loss }) => !Number.isFinite(loss));
  if (wrong !== undefined) return refused("BAD_NUMBER", `stress ${wrong.name}: loss ${wrong.loss} is no finite number. Correct it`);
  if (grid !== null && !Number.isFinite(grid)) return refused("BAD_NUMBER", `grid requirement ${grid} is no finite number. Correct it`);
  const [first, ...others] = stress;
  if (first === undefined) return refused("NO_STRESS", "no stress scenario. Name one at least: the blend needs it");
  const tail = tailOf(
    Float64Array.from(profits, (profit) => -profit),
    confidence,
  );
  if (!tail.ok) return tail;
  const worst = others.reduce((one, other) => (other.loss > one.loss ? other : one), first);
  const { expectedShortfall, valueAtRisk } = tail.value;
  const history = measure === "ES" ? expectedShortfall : valueAtRisk;
  const blend = (weight / 1_000_000) * expectedShortfall + ((1_000_000 - weight) / 1_000_000) * worst.loss;
  const margin = Math.max(history, blend, grid ?? 0, 0);
  const binding = margin === 0 ? "NO_RISK" : margin === history ? "HISTORY" : margin === blend ? "STRESS_BLEND" : "GRID";
  return given({ margin, binding, history, blend, stress: worst, grid, tail: tail.value });
};
