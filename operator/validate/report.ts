import { decimal, type Quantity } from "../../core/money.ts";
import { type Analytics, analyticsOf } from "./analytics.ts";
import type { Book } from "./book.ts";
import { type ContagionTable, contagionsOf } from "./contagions.ts";
import { coverageOf, type ModelCoverage, type ShortfallCoverage, shortfallCoverageOf } from "./coverage.ts";
import { moneyOf } from "./figure.ts";
import { type History, joinHistory } from "./history.ts";
import { type LeadTimes, leadTimesOf } from "./lead-times.ts";
import type { Lineage, PriceFile } from "./lineage.ts";
import { portfoliosOf } from "./portfolios.ts";
import { type ProcyclicalityRow, procyclicalityOf } from "./procyclicality.ts";
import { type SensitivityRow, sensitivityOf, sensitivityWalks } from "./sensitivity.ts";
import { standingsOf } from "./standing.ts";
import { type Stresses, stressesOf } from "./stresses.ts";
import { type SystemMetrics, systemOf } from "./system.ts";
import { type Assumption, assumptionsOf, type Tool, type ValidationTerms } from "./terms.ts";
import { MODELS, type Model, type Portfolio, type Walk, walkForward } from "./walk.ts";

/** Coverage of one portfolio: the published series, and each model's tests on it. */
export interface PortfolioCoverage {
  readonly name: string;
  readonly kind: "book" | "asset" | "account";
  readonly quantities: Readonly<Record<string, string>>;
  /** Margins and losses of the report's `days`, decimal strings in the quote asset. */
  readonly margins: Readonly<Record<Model, readonly string[]>>;
  readonly losses: readonly string[];
  /** Gross notional value at the close of the day before, rounded up. */
  readonly notional: readonly string[];
  readonly models: readonly ModelCoverage[];
  readonly shortfall: ShortfallCoverage;
}

/** Something that a risk committee must look at: the house's own model where a test rejects it for asking too little. */
export interface Finding {
  readonly portfolio: string;
  readonly words: string;
}

/** The whole report. It is a function of the files and the terms: the same inputs give the same bytes. */
export interface Report {
  readonly schemaVersion: 1;
  readonly book: string;
  readonly quoteAsset: string;
  readonly accounts: number;
  /** The last day of the joint history: what "today" means. */
  readonly asOf: string;
  readonly findings: readonly Finding[];
  /** What else a reader should know before the tables, in words. */
  readonly notes: readonly string[];
  readonly lineage: readonly Lineage[];
  readonly assumptions: readonly Assumption[];
  readonly days: readonly string[];
  readonly coverage: readonly PortfolioCoverage[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  /** Of the first portfolio of the coverage. */
  readonly procyclicality: readonly ProcyclicalityRow[];
  /** Tools that are on, to be published beside the figures (M9). */
  readonly procyclicalityTools: readonly Tool[];
  readonly sensitivity: readonly SensitivityRow[];
  /** Of the first portfolio of the coverage. */
  readonly leadTimes: LeadTimes;
  readonly stresses: Stresses;
  readonly analytics: Analytics;
  readonly contagion: readonly ContagionTable[];
  readonly system: SystemMetrics;
}

/** What a report is made of. */
export interface Inputs {
  readonly book: Book;
  readonly assets: readonly PriceFile[];
  readonly macro: readonly PriceFile[];
}

const coverage = (walk: Walk, days: readonly string[], history: History, terms: ValidationTerms): PortfolioCoverage => ({
  ...{ name: walk.portfolio.name, kind: walk.portfolio.kind },
  quantities: Object.fromEntries(history.symbols.map((symbol, asset) => [symbol, decimal(walk.portfolio.quantities[asset] as Quantity)])),
  margins: Object.fromEntries(MODELS.map((model) => [model, walk.margins[model].map(decimal)])) as unknown as Record<Model, string[]>,
  losses: walk.losses.map(decimal),
  notional: [...walk.notional].map((value) => moneyOf(value, "up")),
  models: MODELS.map((model) => coverageOf(walk, days, model, terms)),
  shortfall: shortfallCoverageOf(walk, terms),
});

/** What speaks against the house's model, for each portfolio: too few requirements, never too many. */
const findingsOf = (all: readonly PortfolioCoverage[]): readonly Finding[] =>
  all.flatMap(({ name, models, shortfall }) => {
    const house = models.find(({ model }) => model === "statistical") as ModelCoverage;
    const words = [
      ...(house.side === "more" ? [`${house.breaches} breaches where ${house.expected} are expected (Kupiec)`] : []),
      ...(house.independence.isRejected === true ? ["breaches follow breaches (Christoffersen)"] : []),
      ...(house.light === "RED" ? [`${house.lightBreaches} breaches in the last 250 days (red)`] : []),
      ...(shortfall.isRejected === true ? [`losses beyond the value at risk are larger than forecast (Z2 ${shortfall.z2.value})`] : []),
    ];
    return words.map((each) => ({ portfolio: name, words: each }));
  });

/** Where a forecast is worse than always telling the share that happened. */
const leadNotes = ({ portfolio, horizonDays, rows }: LeadTimes): string[] =>
  rows
    .filter(({ skill }) => skill !== null && skill < 0)
    .map(
      ({ distancePpm, told, happened }) =>
        `The lead time of ${portfolio} to a loss of ${distancePpm / 10_000} % within ${horizonDays} days told ${(told * 100).toFixed(1)} % on average, and ${(happened * 100).toFixed(1)} % happened: read it as a bound, not as a forecast.`,
    );

const notesOf = (all: readonly PortfolioCoverage[], { rows, fundOverCover2 }: Stresses, leads: LeadTimes): string[] => {
  const houses = all.map(({ models }) => models.find(({ model }) => model === "statistical") as ModelCoverage);
  const fewer = houses.filter(({ side }) => side === "fewer").length;
  const absent = rows.filter(({ reason }) => reason !== null).map(({ name }) => name);
  return [
    ...(fewer === 0
      ? []
      : [
          `On ${fewer} of ${all.length} portfolios the statistical model is breached on fewer days than its level allows (Kupiec): it asks for more than the level needs.`,
        ]),
    ...leadNotes(leads),
    ...(absent.length === 0 ? [] : [`The price files do not reach ${absent.join(", ")}: the figures know nothing of it.`]),
    ...(fundOverCover2.value !== null && fundOverCover2.value < 1
      ? [`The insurance fund is ${fundOverCover2.value.toFixed(2)} times what the two largest losses beyond equity would take.`]
      : []),
  ];
};

/**
 * Makes the report. @throws Refusal where the files do not tell the book's assets or share too few days.
 * @param begun is called once with the number of times that the function it answers is then called.
 */
export const reportOf = ({ book, assets, macro }: Inputs, terms: ValidationTerms, begun: (steps: number) => () => void): Report => {
  const history = joinHistory(book, assets, terms.leastDays + 1);
  const ranges = history.symbols.map((symbol) => (book.assets.get(symbol)?.rangePpm as number) / 1_000_000);
  const { portfolios, leftOut } = portfoliosOf(book, history, terms.accountsTested);
  const tested = history.days.length - terms.leastDays;
  // Each portfolio's day is one step; sensitivity, procyclicality and lead time walk the first portfolio again.
  const step = begun(tested * (portfolios.length + sensitivityWalks(terms) + 2));
  const walked = walkForward(history, portfolios, ranges, terms, () => {
    for (const _ of portfolios) step();
  });
  const covered = walked.walks.map((walk) => coverage(walk, walked.days, history, terms));
  const standings = standingsOf(book, history);
  const stresses = stressesOf(book, history, standings, terms);
  const leadTimes = leadTimesOf(history, portfolios[0] as Portfolio, terms, step);
  return {
    ...{ schemaVersion: 1, book: book.name, quoteAsset: book.quoteAsset, accounts: book.accounts.length },
    ...{ asOf: history.days.at(-1) as string, findings: findingsOf(covered), notes: notesOf(covered, stresses, leadTimes) },
    lineage: [...assets, ...macro].map(({ lineage }) => lineage),
    assumptions: assumptionsOf(terms),
    ...{ days: walked.days, coverage: covered, leftOut },
    procyclicality: procyclicalityOf(history, walked, ranges, terms, step),
    procyclicalityTools: terms.procyclicality.on,
    sensitivity: sensitivityOf(history, walked, ranges, terms, step),
    leadTimes,
    stresses,
    analytics: analyticsOf(book, history, { assets, macro }, terms),
    contagion: contagionsOf(book, history, terms),
    system: systemOf(book, history, standings, stresses),
  };
};
