import { type BookContagion, bookContagion } from "../../core/risk/book-contagion.ts";
import type { StatisticalTerms } from "../../core/statistical-model.ts";
import type { Analytics } from "../validate/analytics.ts";
import { type Figure, figure } from "../validate/figure.ts";
import type { Lineage, PriceFile } from "../validate/lineage.ts";
import type { RiskBook } from "./book.ts";
import { type BookDefaults, creditOf } from "./credit.ts";
import { type BrokerExposure, type BrokerLimits, exposuresOf } from "./exposures.ts";
import type { NetStableFunding } from "./funding.ts";
import { type ImpliedVolatility, impliedOf, pricesOf } from "./markets.ts";
import { metricsOf, type RiskMetric, toldInterest } from "./metrics.ts";
import { type BookStresses, scenariosIn, stressesOf } from "./stresses.ts";

/** Turns that a report lists of one fall or rise; the counts know all. */
const LISTED = 50;

/** Contagion as it is told. */
export interface ToldContagion {
  readonly asset: string;
  readonly direction: BookContagion["direction"];
  readonly breached: number;
  readonly safe: number;
  readonly turns: readonly { readonly name: string; readonly move: Figure; readonly liquidated: Figure }[];
}

/** Accounts of one valuation asset: sums over two of them would mean nothing. */
export interface RiskSection {
  readonly valuationAsset: string;
  readonly scopes: number;
  readonly metrics: readonly RiskMetric[];
  readonly openInterest: ReturnType<typeof toldInterest>;
  readonly stresses: BookStresses["rows"];
  /** By the scenarios that are given, else by the first that a policy holds; null where there are none. */
  readonly defaults: BookDefaults | null;
  /** Why there are neither stresses nor defaults; null where there are. */
  readonly noStresses: string | null;
  readonly contagion: readonly ToldContagion[];
  readonly exposures: readonly BrokerExposure[];
}

/** The risk of a whole book on one set of marks. Money as decimal strings, a figure that is missing with its reason. */
export interface RiskReport {
  readonly marksAt: string;
  readonly accounts: number;
  readonly leftOut: RiskBook["leftOut"];
  readonly sections: readonly RiskSection[];
  readonly implied: readonly ImpliedVolatility[];
  /** Null without price files. */
  readonly prices: Analytics | null;
  readonly files: readonly Lineage[];
  /** Null without a balance sheet. */
  readonly funding: NetStableFunding | null;
}

/** What is given beside the book. */
export interface RiskInputs {
  readonly files: readonly PriceFile[];
  readonly quoteAsset: string;
  readonly scenarios: StatisticalTerms | null;
  readonly limits: BrokerLimits;
  /** Share of an exposure that is lost in a default (M16), ppm. */
  readonly lossGivenDefaultPpm: number;
  readonly macro: readonly PriceFile[];
  /** Balance sheet of the entity that funds margin; null where none is given. */
  readonly funding: NetStableFunding | null;
}

const told = ({ asset, direction, turns, safe }: BookContagion): ToldContagion => ({
  ...{ asset, direction, breached: turns.length, safe },
  turns: turns.slice(0, LISTED).map(({ name, move, liquidated }) => ({ name, move: figure(move), liquidated: figure(liquidated) })),
});

const sectionOf = (book: RiskBook, valuationAsset: string, { scenarios, limits, lossGivenDefaultPpm }: RiskInputs): RiskSection => {
  const scopes = book.scopes.filter(({ policy }) => policy.valuationAsset === valuationAsset);
  const { instruments } = book.snapshot;
  const assets = new Set(
    scopes.flatMap(({ view }) => view.positions.flatMap(({ instrumentId }) => instruments.get(instrumentId)?.baseAsset ?? [])),
  );
  const sets = scenariosIn({ ...book, scopes }, scenarios);
  const stresses = stressesOf(book, scopes, sets);
  const first = scenarios ?? sets[0] ?? null;
  const credit = first === null ? null : creditOf(book, scopes, first, lossGivenDefaultPpm);
  return {
    ...{ valuationAsset, scopes: scopes.length, metrics: metricsOf(book, scopes), openInterest: toldInterest(scopes) },
    ...{ stresses: stresses.rows, defaults: credit?.defaults ?? null },
    noStresses: sets.length > 0 ? null : "no policy of these accounts holds joint scenarios: give some with --scenarios",
    contagion: [...assets]
      .sort()
      .flatMap((asset) => (["fall", "rise"] as const).map((way) => told(bookContagion(scopes, book, asset, way)))),
    exposures: exposuresOf(scopes, credit === null ? null : { stress: stresses.byBroker, credit: credit.byBroker }, limits),
  };
};

/** The risk of a stage's book, recomputed by the rules that decide its accounts. */
export const riskOf = (book: RiskBook, inputs: RiskInputs): RiskReport => {
  const implied = impliedOf(book.snapshot);
  const assets = [...new Set(book.scopes.map(({ policy }) => policy.valuationAsset))].sort();
  return {
    marksAt: new Date(book.snapshot.takenAt).toISOString(),
    ...{ accounts: book.accounts, leftOut: book.leftOut },
    sections: assets.map((asset) => sectionOf(book, asset, inputs)),
    ...{ implied, prices: pricesOf(inputs, implied), files: [...inputs.files, ...inputs.macro].map(({ lineage }) => lineage) },
    funding: inputs.funding,
  };
};
