import type { Ppm } from "../money.ts";
import type { ScenarioSet } from "./scenario-set.ts";
import { type Leg, type ScenarioVector, scenarioVector, type UnitMarket } from "./scenario-vector.ts";

/** A risk unit at one snapshot: its scenarios and its market, shared by all its instruments. */
export interface PricedUnit {
  readonly set: ScenarioSet;
  readonly market: UnitMarket;
  /** How sure the feed is of the spot price; 1,000,000 where it does not say. */
  readonly spotConfidencePpm: Ppm;
  /** Price of the settlement asset by its peg: 1 at the peg. */
  readonly peg: number;
}

/** An instrument, priced once a snapshot for every account that holds it. */
export interface PricedInstrument {
  readonly instrumentId: string;
  readonly unit: PricedUnit;
  readonly leg: Leg;
  /** Of a holding: its asset, whose `SpotTerms` hold. Empty otherwise. */
  readonly asset: string;
  /** The least confidence among the feeds that price it. */
  readonly confidencePpm: Ppm;
  readonly priced: ScenarioVector;
  /** Spot notional of one contract in the valuation asset; null where there is no spot price. */
  readonly notional: number | null;
  /** What one contract costs where it cannot be priced: its full notional, of a put the strike if that is more. */
  readonly cover: number | null;
}

const whole = (value: number): number | null => (Number.isFinite(value) && value > 0 ? value : null);

const notionalOf = (leg: Leg, { spot, quoteRate }: UnitMarket): number | null => {
  if (leg.kind === "inverse") return whole(leg.multiplier * quoteRate);
  return whole(leg.multiplier * (leg.kind === "spot" ? leg.mark : spot) * quoteRate);
};

/** A short put may cost its strike, which may be above the spot price. */
const coverOf = (leg: Leg, market: UnitMarket): number | null => {
  const notional = notionalOf(leg, market);
  if (leg.kind !== "option" || leg.isCall || notional === null) return notional;
  return whole(Math.max(notional, leg.strike * leg.multiplier * market.quoteRate));
};

/** Prices an instrument at a snapshot; see {@link scenarioVector}. One that cannot be priced keeps its fault. */
export const priceInstrument = (
  instrumentId: string,
  leg: Leg,
  unit: PricedUnit,
  facts: { readonly asset?: string; readonly confidencePpm?: Ppm } = {},
): PricedInstrument => ({
  instrumentId,
  unit,
  leg,
  asset: facts.asset ?? "",
  confidencePpm: facts.confidencePpm ?? 1_000_000,
  priced: scenarioVector(leg, unit.set, unit.market),
  notional: notionalOf(leg, unit.market),
  cover: coverOf(leg, unit.market),
});
