import { type Bucket, type PricedLeg, worstOf } from "./expiry-bucket.ts";
import type { Charge, PortfolioTerms } from "./portfolio-terms.ts";
import type { PricedUnit } from "./priced-instrument.ts";
import type { ScenarioSet } from "./scenario-set.ts";

const PPM = 1_000_000;

/** A charge beside the scan loss, by name, in the valuation asset. Never netted between units. */
export interface AddOn {
  readonly name: string;
  readonly initial: number;
  readonly maintenance: number;
}

const charge = (name: string, base: number, { imPpm, mmPpm }: Charge): AddOn => ({
  name,
  initial: (base * imPpm) / PPM,
  maintenance: (base * mmPpm) / PPM,
});

const isFuture = ({ instrument: { leg } }: PricedLeg): boolean => leg.kind === "linear" || leg.kind === "inverse";
const notionalOf = ({ quantity, instrument }: PricedLeg): number => quantity * (instrument.notional ?? 0);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const smallerSide = (signed: readonly number[]): number =>
  Math.min(sum(signed.filter((each) => each > 0)), -sum(signed.filter((each) => each < 0)));

/** Spot notional of the options that are net short at a strike of an expiry, calls and puts of it together (M6). */
export const nakedShorts = (legs: readonly PricedLeg[]): number => {
  const strikes = new Map<string, number>();
  for (const leg of legs) {
    const { leg: terms } = leg.instrument;
    if (terms.kind !== "option") continue;
    const key = `${terms.timeMs} ${terms.strike}`;
    strikes.set(key, (strikes.get(key) ?? 0) + notionalOf(leg));
  }
  return sum([...strikes.values()].map((net) => Math.max(0, -net)));
};

/**
 * What is taken back of the vega that expiries net against each other: a share of what they save at an
 * unmoved price, and no more than of what they save in all. So it never makes a hedge dearer than its sides.
 */
const termMismatch = (buckets: readonly Bucket[], scanLoss: number, set: ScenarioSet): number => {
  const still = set.scenarios.flatMap(({ priceMove }, row) => (row < set.own && priceMove === 0 ? [row] : []));
  const options = buckets.filter(({ kind }) => kind === "option").map(({ settled }) => settled);
  if (options.length < 2) return 0;
  const lossOf = (at: (row: number) => number): number => Math.max(0, ...still.map((row) => -at(row)));
  const apart = sum(options.map((pnl) => lossOf((row) => pnl[row] as number)));
  const together = lossOf((row) => sum(options.map((pnl) => pnl[row] as number)));
  const losses = sum(buckets.map(({ settled }) => worstOf(settled, 0, set.own).loss));
  return Math.max(0, Math.min(apart - together, losses - scanLoss));
};

/** `(1 − confidence)·factor` of the notionals whose price is below the threshold, each leg at the least confidence of what prices it. */
const uncertain = (legs: readonly PricedLeg[], unit: PricedUnit): number => {
  const { confidence } = unit.set.terms;
  if (confidence === null) return 0;
  const least = (of: readonly PricedLeg[], start: number): number =>
    of.reduce((low, { instrument }) => Math.min(low, instrument.confidencePpm), start);
  const spot = unit.spotConfidencePpm;
  if (least(legs, spot) >= confidence.thresholdPpm) return 0;
  const futures = least(legs.filter(isFuture), spot);
  return sum(
    legs.map((leg) => {
      const { leg: terms, confidencePpm } = leg.instrument;
      const siblings = legs.filter(({ instrument }) => instrument.leg.kind === "option" && instrument.leg.timeMs === terms.timeMs);
      const ppm = terms.kind === "option" ? least(siblings, futures) : isFuture(leg) ? futures : Math.min(spot, confidencePpm);
      return ppm < confidence.thresholdPpm ? (((PPM - ppm) * confidence.factorPpm) / PPM / PPM) * Math.abs(notionalOf(leg)) : 0;
    }),
  );
};

/** What an add-on of a unit is computed from. */
export interface UnitBook {
  readonly unit: PricedUnit;
  /** Every priced leg, and those of them that are in the grid. */
  readonly legs: readonly PricedLeg[];
  readonly buckets: readonly Bucket[];
  readonly scanLoss: number;
}

/** The add-ons of a unit (M6), those of 0 left out. */
export const addOnsOf = ({ unit, legs, buckets, scanLoss }: UnitBook, terms: PortfolioTerms): readonly AddOn[] => {
  const { terms: rules } = unit.set;
  const futures = legs.filter(isFuture).map(notionalOf);
  const factors = { imPpm: terms.fImPpm, mmPpm: terms.fMmPpm };
  const mismatch = rules.termMismatchPpm === 0 ? 0 : (termMismatch(buckets, scanLoss, unit.set) * rules.termMismatchPpm) / PPM;
  const { depeg } = rules;
  const pegLoss = depeg === null ? 0 : Math.max(0, depeg.thresholdPpm / PPM - unit.peg) * (depeg.factorPpm / PPM);
  const haircuts = legs.flatMap((leg) => {
    const spot = leg.instrument.leg.kind === "spot" ? terms.spot[leg.instrument.asset] : undefined;
    return spot === undefined ? [] : [charge(`haircut of ${leg.instrument.instrumentId}`, Math.abs(notionalOf(leg)), spot.haircut)];
  });
  return [
    charge("short option minimum", nakedShorts(legs), rules.shortOption),
    charge("hedged futures", smallerSide(futures), rules.hedged),
    charge("futures notional", sum(futures.map(Math.abs)), rules.futures),
    charge("vega between expiries", mismatch, factors),
    { name: "price confidence", initial: uncertain(legs, unit), maintenance: 0 },
    { name: "settlement asset below its peg", initial: scanLoss * pegLoss, maintenance: 0 },
    ...haircuts,
  ].filter(({ initial, maintenance }) => initial !== 0 || maintenance !== 0);
};

/** A least requirement by name, for MM. */
export interface Floor {
  readonly name: string;
  readonly maintenance: number;
}

/** The highest floor of a unit: the minimum charge, or the floor on delta (M6). */
export const floorOf = (legs: readonly PricedLeg[], { set, market }: PricedUnit): Floor => {
  const { minimumChargePpm, deltaFloor } = set.terms;
  const contracts = legs.filter(({ instrument }) => instrument.leg.kind !== "spot");
  // A long option cannot cost more than its value, which the scenarios take: it has no least charge.
  const liable = contracts.filter(({ quantity, instrument }) => instrument.leg.kind !== "option" || quantity < 0);
  const gross = sum(liable.map((leg) => Math.abs(notionalOf(leg))));
  const deltas = contracts.map(({ quantity, delta }) => quantity * delta);
  const shares = deltaFloor.netPpm * Math.abs(sum(deltas)) + deltaFloor.hedgedPpm * smallerSide(deltas);
  const floors: readonly Floor[] = [
    { name: "minimum charge", maintenance: (gross * minimumChargePpm) / PPM },
    { name: "delta floor", maintenance: (shares * market.spot * market.quoteRate) / PPM },
  ];
  return floors.reduce((high, each) => (each.maintenance > high.maintenance ? each : high));
};
