import type { Ppm } from "../money.ts";
import { TermsError } from "../terms-error.ts";
import { type Leg, legValue, type PricingFault, type UnitMarket } from "./scenario-vector.ts";

const PPM = 1_000_000;

/** How far SPAN looks. Ranges are shares: 0.1 of the price, 0.2 of the volatility. */
export interface SpanTerms {
  /** Price scan range, by the price. */
  readonly priceScan: number;
  /** Volatility scan range, by the volatility. */
  readonly volScan: number;
  /** Extreme moves: this multiple of the price scan range, of which this share of the loss counts. */
  readonly extremeMultiple: number;
  readonly extremeCover: number;
}

/** The 16 scenarios as columns: moves of price and volatility in their scan ranges, and the share that counts. */
export interface SpanScenarios {
  readonly prices: readonly number[];
  readonly vols: readonly number[];
  readonly weights: readonly number[];
}

const THIRDS = [0, 1, -1, 2, -2, 3, -3] as const;

/**
 * The 16 scenarios of SPAN in their published order: seven prices, each with volatility up and down, and two
 * extreme prices at an unmoved volatility, covered in part.
 *
 * @throws TermsError where a range is no number above 0 or the cover is no share.
 */
export const spanScenarios = ({ priceScan, volScan, extremeMultiple, extremeCover }: SpanTerms): SpanScenarios => {
  for (const [name, range] of Object.entries({ priceScan, volScan, extremeMultiple })) {
    if (!(Number.isFinite(range) && range > 0)) throw new TermsError("SPAN terms", name, `${range} is no range`, "Give a number above 0");
  }
  if (!(extremeCover > 0 && extremeCover <= 1)) {
    throw new TermsError("SPAN terms", "extremeCover", `${extremeCover} is no share`, "Give a share above 0 and at most 1: 0.35");
  }
  const extreme = priceScan * extremeMultiple;
  return {
    prices: [...THIRDS.flatMap((third) => [(third * priceScan) / 3, (third * priceScan) / 3]), extreme, -extreme],
    vols: [...THIRDS.flatMap(() => [volScan, -volScan]), 0, 0],
    weights: [...THIRDS.flatMap(() => [1, 1]), extremeCover, extremeCover],
  };
};

/** The risk array of one contract: its profit (above 0) and loss in each of the 16 scenarios. */
export type SpanArray = { readonly ok: true; readonly array: Float64Array } | { readonly ok: false; readonly fault: PricingFault };

/**
 * Computes a risk array by revaluation. A price or volatility that a move would take to 0 or below stays at a
 * millionth of itself, so that an option is always worth something definite.
 */
export const spanArray = (leg: Leg, market: UnitMarket, scenarios: SpanScenarios): SpanArray => {
  const array = new Float64Array(scenarios.prices.length);
  const present = legValue(leg, market, 1, 1);
  if (!present.ok) return present;
  for (let row = 0; row < array.length; row++) {
    const [price, vol] = [1 + (scenarios.prices[row] as number), 1 + (scenarios.vols[row] as number)];
    const shocked = legValue(leg, market, Math.max(price, 1e-6), Math.max(vol, 1e-6));
    if (!shocked.ok) return shocked;
    array[row] = (shocked.value - present.value) * (scenarios.weights[row] as number);
  }
  return { ok: true, array };
};

/** Contracts of one combined commodity with their risk arrays. */
export interface SpanPosition {
  readonly quantity: number;
  readonly array: ArrayLike<number>;
}

/** The scan risk and the scenario that has it, from 1 as SPAN counts; 0 where no scenario loses. */
export interface ScanRisk {
  readonly scan: number;
  readonly scenario: number;
  /** Profit and loss of all positions in each scenario. */
  readonly pnl: Float64Array;
}

/**
 * Adds risk arrays scenario by scenario; the largest loss is the scan risk, the first scenario that has it
 * is the active one.
 *
 * @throws TermsError where an array is not as long as the others or holds no number: a price file with a gap.
 */
export const scanRisk = (positions: readonly SpanPosition[]): ScanRisk => {
  const pnl = new Float64Array(positions[0]?.array.length ?? 0);
  for (const [index, { quantity, array }] of positions.entries()) {
    const gap = Array.from(array).findIndex((each) => !Number.isFinite(each * quantity));
    if (array.length !== pnl.length || gap >= 0) {
      const fault = gap >= 0 ? `scenario ${gap + 1} has no figure` : `it has ${array.length} scenarios, not ${pnl.length}`;
      throw new TermsError("SPAN arrays", `position ${index + 1}`, fault, "Load the whole risk array of one file");
    }
    for (let row = 0; row < pnl.length; row++) pnl[row] = (pnl[row] as number) + (array[row] as number) * quantity;
  }
  const worst = pnl.reduce((low, each) => Math.min(low, each), 0);
  return { scan: worst === 0 ? 0 : -worst, scenario: worst === 0 ? 0 : pnl.indexOf(worst) + 1, pnl };
};

/** One side of a spread between commodities. */
export interface SpreadLeg {
  /** Net delta of the account, in contracts: above 0 for long. */
  readonly delta: number;
  /** Scan risk of one delta. */
  readonly marginPerDelta: number;
  /** Deltas of this side in one spread. */
  readonly ratio: number;
}

/** What a spread is given: the scan risk of the deltas that it uses, and the credit on it. */
export interface SpreadCredit {
  readonly spreads: number;
  readonly gross: number;
  readonly credit: number;
  /** `gross − credit`. */
  readonly margin: number;
}

/**
 * The credit between commodities: as many spreads as the scarcer side has deltas for, each credited with a
 * share of the scan risk of its two sides. Two sides in the same direction make no spread.
 */
export const spreadCredit = (a: SpreadLeg, b: SpreadLeg, creditPpm: Ppm): SpreadCredit => {
  const opposite = a.delta * b.delta < 0;
  const spreads = opposite ? Math.min(Math.abs(a.delta) / a.ratio, Math.abs(b.delta) / b.ratio) : 0;
  const gross = spreads * (a.ratio * a.marginPerDelta + b.ratio * b.marginPerDelta);
  const credit = (gross * creditPpm) / PPM;
  return { spreads, gross, credit, margin: gross - credit };
};

/** The requirement of a combined commodity: scan risk less credits, and at least the short option minimum of its net short options. */
export const spanRequirement = (scan: number, credit: number, shortOptions: number, minimumPerOption: number): number =>
  Math.max(0, scan - credit, Math.max(0, shortOptions) * minimumPerOption);
