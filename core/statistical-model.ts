import type { Asset } from "./instrument.ts";
import type { PortfolioModel } from "./margin-model.ts";
import { type PricedMarket, pricedInstrument } from "./market.ts";
import type { Ppm } from "./money.ts";
import type { PortfolioLeg } from "./portfolio/portfolio-margin.ts";
import type { Scenario, ScenarioSet } from "./portfolio/scenario-set.ts";
import { scenarioVector } from "./portfolio/scenario-vector.ts";
import { riskInstrument } from "./risk-market.ts";
import type { Answer } from "./statistics/answer.ts";
import { HISTORICAL, type HistoricalMargin, historicalMargin } from "./statistics/historical-margin.ts";
import { TermsError } from "./terms-error.ts";

/** A row of moves of every unit at once: a past period, or a named stress. */
export interface JointMove {
  /** "2022-11-09" or "March 2020". */
  readonly name: string;
  /** Relative change of each unit's price, in the order of `units`, above −1,000,000. */
  readonly movesPpm: readonly Ppm[];
}

/**
 * Joint scenarios of a statistical margin (M7): returns of the margin period of risk, filtered and completed by
 * proxies when they were made, never per unit. Part of a policy's version, so that a decision can be computed again.
 */
export interface StatisticalTerms {
  readonly scenariosId: string;
  readonly version: number;
  /** Days that one row of the history spans: the margin period of risk. */
  readonly horizonDays: number;
  /** Base assets of the risk units. */
  readonly units: readonly Asset[];
  readonly history: readonly JointMove[];
  /** At least one: the blend gives it the share that `weight` leaves (M9 tool b). */
  readonly stress: readonly JointMove[];
  /** Of the expected shortfall: 975,000. */
  readonly confidence: Ppm;
  /** Of the expected shortfall in the blend with the worst stress: 750,000. */
  readonly weight: Ppm;
}

/** Checks joint scenarios when their policy is loaded. @throws TermsError that names the row and the mend. */
export const validateStatisticalTerms = (name: string, terms: StatisticalTerms): void => {
  const { units, history, stress, confidence, weight } = terms;
  const refuse = (place: string, fault: string, mend: string) =>
    new TermsError(`${name}: scenarios ${terms.scenariosId}`, place, fault, mend);
  if (new Set(units).size !== units.length || units.length === 0) throw refuse("units", "none, or one twice", "Name each base asset once");
  for (const { name: row, movesPpm } of [...history, ...stress]) {
    if (movesPpm.length !== units.length) throw refuse(row, `${movesPpm.length} moves for ${units.length} units`, "Give one for each unit");
    if (!movesPpm.every((ppm) => Number.isSafeInteger(ppm) && ppm > -1_000_000)) {
      throw refuse(row, "a move is no whole ppm above -1,000,000", "−5 % is -50000");
    }
  }
  if (!Number.isSafeInteger(terms.horizonDays) || terms.horizonDays < 1) throw refuse("horizonDays", "no whole days", "Give at least 1");
  const zeros = Array.from(history, () => 0);
  const losses = stress.map((row) => ({ name: row.name, loss: 0 }));
  const tried = historicalMargin(zeros, losses, { ...HISTORICAL, confidence, weight });
  if (!tried.ok) throw refuse(tried.fault, tried.detail, "Mend the scenarios (M7)");
};

const scenarioOf = ({ name, movesPpm }: JointMove, unit: number): Scenario => ({
  name,
  priceFactor: 1 + (movesPpm[unit] ?? 0) / 1e6,
  priceMove: (movesPpm[unit] ?? 0) / 1e6,
  volatility: "same",
  weight: 1,
});

/** Profit of one contract in each row, history first; null where it has no price. Worked out once for all accounts under a policy. */
const vectorOf = (market: PricedMarket, model: PortfolioModel, terms: StatisticalTerms, instrumentId: string): Float64Array | null => {
  const known = market.history.get(instrumentId);
  if (known !== undefined) return known;
  const { unit, leg } = riskInstrument(market, model, instrumentId);
  const index = terms.units.indexOf(unit.set.unitId);
  const scenarios = [...terms.history, ...terms.stress].map((row) => scenarioOf(row, index));
  const own = scenarios.length;
  const set: ScenarioSet = { ...unit.set, scenarios, own, rollUp: -1, rollDown: -1, joint: own, jointRows: 0, group: null };
  const priced = scenarioVector(leg, set, unit.market);
  const vector = priced.ok ? priced.pnl : null;
  market.history.set(instrumentId, vector);
  return vector;
};

/** What an instrument has in the figure of a margin; parts add up to minus it. */
export interface HistoryPart {
  readonly instrumentId: string;
  readonly profit: number;
}

/** A statistical margin with everything that makes it. */
export interface StatisticalMargin {
  readonly margin: Answer<HistoricalMargin>;
  /** Profit and loss of the account in each row, history first. */
  readonly profits: Float64Array;
  /** Vectors of the instruments that are in it. */
  readonly legs: readonly { readonly instrumentId: string; readonly quantity: number; readonly vector: Float64Array }[];
}

/**
 * Expected shortfall of positions over joint scenarios, with the stress blend (M7), in the valuation asset: a sum of
 * products of vectors that all accounts share, and one tail. Without the legs that have no price or whose unit the
 * scenarios do not know: their cover and their own grid stand beside it.
 */
export const statisticalMargin = (
  book: readonly PortfolioLeg[],
  market: PricedMarket,
  model: PortfolioModel,
  terms: StatisticalTerms,
): StatisticalMargin => {
  const profits = new Float64Array(terms.history.length + terms.stress.length);
  const legs: { instrumentId: string; quantity: number; vector: Float64Array }[] = [];
  for (const { instrument, quantity } of book) {
    const { instrumentId } = instrument;
    const { baseAsset } = pricedInstrument(market, instrumentId).instrument;
    const vector = terms.units.includes(baseAsset) ? vectorOf(market, model, terms, instrumentId) : null;
    if (vector === null) continue;
    legs.push({ instrumentId, quantity, vector });
    for (let row = 0; row < profits.length; row += 1) profits[row] = (profits[row] as number) + quantity * (vector[row] as number);
  }
  const stress = terms.stress.map(({ name }, index) => ({ name, loss: -(profits[terms.history.length + index] as number) }));
  const { confidence, weight } = terms;
  const margin = historicalMargin(profits.subarray(0, terms.history.length), stress, { ...HISTORICAL, confidence, weight });
  return { margin, profits, legs };
};

/**
 * What each instrument has in a statistical margin: its mean over the tail of the history, the last row by its fraction,
 * and where the blend binds, `w` of that and `1 − w` of what it has in the worst stress (M7).
 */
export const historyParts = (of: StatisticalMargin, margin: HistoricalMargin, terms: StatisticalTerms): readonly HistoryPart[] => {
  const { tail, binding, stress } = margin;
  const size = (terms.history.length * (1_000_000 - terms.confidence)) / 1_000_000;
  const stressRow = terms.history.length + terms.stress.findIndex(({ name }) => name === stress.name);
  const share = binding === "STRESS_BLEND" ? terms.weight / 1_000_000 : 1;
  return of.legs.map(({ instrumentId, quantity, vector }) => {
    let mean = 0;
    for (const [place, row] of tail.worst.entries()) mean += (Math.min(1, size - place) / size) * (vector[row] as number);
    return { instrumentId, profit: quantity * (share * mean + (1 - share) * (vector[stressRow] as number)) };
  });
};
