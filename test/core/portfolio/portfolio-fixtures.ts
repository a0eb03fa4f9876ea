import type { Ppm } from "../../../core/money.ts";
import { type PortfolioLeg, type PortfolioRequirement, portfolioMargin } from "../../../core/portfolio/portfolio-margin.ts";
import {
  type Charge,
  type PortfolioTerms,
  STANDARD_TERMS,
  STANDARD_UNIT,
  type UnitTerms,
} from "../../../core/portfolio/portfolio-terms.ts";
import { type PricedInstrument, type PricedUnit, priceInstrument } from "../../../core/portfolio/priced-instrument.ts";
import { scenarioSet } from "../../../core/portfolio/scenario-set.ts";
import type { Leg, OptionLeg } from "../../../core/portfolio/scenario-vector.ts";

export const DAY_MS = 86_400_000;

export const unitAt = (terms: PortfolioTerms, unitId: string, spot: number, patch: Partial<PricedUnit> = {}): PricedUnit => ({
  set: scenarioSet(terms, unitId),
  market: { spot, quoteRate: 1 },
  spotConfidencePpm: 1_000_000,
  peg: 1,
  ...patch,
});

export const future = (mark: number, timeMs: number | null = null): Leg => ({ kind: "linear", mark, multiplier: 1, timeMs });
export const option = (isCall: boolean, strike: number, days: number, patch: Partial<OptionLeg> = {}): OptionLeg => ({
  kind: "option",
  isCall,
  strike,
  forward: 50_000,
  forwardFixed: 0,
  volatility: 0.6,
  discount: 1,
  rate: 0,
  timeMs: days * DAY_MS,
  multiplier: 1,
  settle: "linear",
  ...patch,
});

/** A requirement that must be there. */
export const required = (legs: readonly PortfolioLeg[], terms: PortfolioTerms): PortfolioRequirement => {
  const answer = portfolioMargin(legs, terms);
  if (!answer.ok) throw new TypeError(JSON.stringify(answer.faults));
  return answer;
};

export const held = (quantity: number, instrument: PricedInstrument): PortfolioLeg => ({ quantity, instrument });
export const priced = (id: string, leg: Leg, unit: PricedUnit): PricedInstrument => priceInstrument(id, leg, unit);

const NONE: Charge = { imPpm: 0, mmPpm: 0 };

/** The grid alone: no tails, no smile, no add-ons, no floors. */
export const BARE: UnitTerms = {
  ...STANDARD_UNIT,
  tails: { movesPpm: [], dampingPpm: 0 },
  skew: null,
  roll: null,
  termMismatchPpm: 0,
  shortOption: NONE,
  hedged: NONE,
  confidence: null,
  depeg: null,
  minimumChargePpm: 0,
  deltaFloor: { netPpm: 0, hedgedPpm: 0 },
};
export const termsOf = (unit: UnitTerms, patch: Partial<PortfolioTerms> = {}): PortfolioTerms => ({
  ...STANDARD_TERMS,
  defaultUnit: unit,
  ...patch,
});

/** Bitcoin and ether as one group. */
export const majors = (lambdaPpm: Ppm, unit: UnitTerms = STANDARD_UNIT): PortfolioTerms =>
  termsOf(unit, {
    groups: [
      {
        groupId: "majors",
        reason: "ether follows bitcoin in every fall",
        stressCorrelationPpm: 800_000,
        lambdaPpm,
        priceRangePpm: 160_000,
        priceSteps: 4,
        members: [
          { unitId: "BTC", betaPpm: 1_000_000 },
          { unitId: "ETH", betaPpm: 1_000_000 },
        ],
      },
    ],
  });
