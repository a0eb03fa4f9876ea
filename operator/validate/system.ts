import { decimal, type Money, plus, ZERO } from "../../core/money.ts";
import type { Book } from "./book.ts";
import { type Figure, figure, missing } from "./figure.ts";
import type { History } from "./history.ts";
import { openInterestOf, type Standing } from "./standing.ts";
import type { Stresses } from "./stresses.ts";

/** A metric of the system (M15): a share or a count, or why a book's file cannot tell it. */
export interface Metric {
  readonly name: string;
  readonly unit: "share" | "times" | "count";
  readonly figure: Figure;
}

export interface SystemMetrics {
  readonly metrics: readonly Metric[];
  readonly openInterest: readonly { readonly symbol: string; readonly quantity: string; readonly notional: string }[];
  /** The accounts whose losses in the worst stress go furthest beyond margin. */
  readonly largestFive: readonly { readonly accountId: string; readonly uncovered: string }[];
}

/** Equity over maintenance above 0, smallest first. */
const ratiosOf = (standings: readonly Standing[]): number[] =>
  standings
    .filter(({ maintenance }) => maintenance > 0n)
    .map(({ equity, maintenance }) => Number(equity) / Number(maintenance))
    .sort((a, b) => a - b);

/** The smallest value that at least this share of the list does not exceed. */
const quantile = (sorted: readonly number[], ppm: number): Figure =>
  sorted.length === 0
    ? missing("no account has a maintenance requirement")
    : figure(sorted[Math.max(0, Math.ceil((sorted.length * ppm) / 1_000_000) - 1)] as number);

const sum = (amounts: readonly Money[]): Money => amounts.reduce(plus, ZERO);
const over = (part: Money, whole: Money, none: string): Figure => (whole === 0n ? missing(none) : figure(Number(part) / Number(whole)));

const UNTOLD = "a book's file holds no history of calls and liquidations: read it from the journal";

const UNTOLD_METRICS = [
  ["time in RESTRICTED", UNTOLD],
  ["calls that were cured", UNTOLD],
  ["liquidation slippage against bankruptcy", UNTOLD],
  ["losses that were socialised", UNTOLD],
  ["wrong-way haircuts", "the book's file holds no collateral but its quote asset"],
  ["queue lag and age of snapshots", "these are measured where it runs: the alarms and the dashboard tell them"],
] as const;

/** The metrics of M15 that a book and its prices allow; the others stand with the reason. */
export const systemOf = (book: Book, history: History, standings: readonly Standing[], stresses: Stresses): SystemMetrics => {
  const interest = openInterestOf(book, history);
  const total = sum(interest.map(({ notional }) => notional));
  const gross = sum(standings.map((one) => one.gross));
  const weak = sum(standings.filter(({ equity, maintenance }) => equity * 10n < maintenance * 12n).map((one) => one.gross));
  const largest = standings.reduce((most, one) => (one.gross > most ? one.gross : most), ZERO);
  const ratios = ratiosOf(standings);
  const metric = (name: string, unit: Metric["unit"], value: Figure): Metric => ({ name, unit, figure: value });
  const noOpen = "the book has no open interest";
  return {
    metrics: [
      metric("initial requirement over open interest", "share", over(sum(standings.map((one) => one.initial)), total, noOpen)),
      metric("insurance fund over cover-2 beyond equity", "times", stresses.fundOverCover2),
      metric("equity over maintenance: least", "times", quantile(ratios, 0)),
      metric("equity over maintenance: lowest tenth", "times", quantile(ratios, 100_000)),
      metric("equity over maintenance: median", "times", quantile(ratios, 500_000)),
      metric("share of positions held at less than 1.2 times maintenance", "share", over(weak, gross, noOpen)),
      metric("share of positions held by the largest account", "share", over(largest, gross, noOpen)),
      metric("accounts below the initial requirement", "count", figure(standings.filter(({ equity, initial }) => equity < initial).length)),
      metric(
        "accounts below the maintenance requirement",
        "count",
        figure(standings.filter(({ equity, maintenance }) => equity < maintenance).length),
      ),
      ...UNTOLD_METRICS.map(([name, reason]) => metric(name, "share", missing(reason))),
    ],
    openInterest: interest.map(({ symbol, quantity, notional }) => ({ symbol, quantity: decimal(quantity), notional: decimal(notional) })),
    largestFive: stresses.worstOverMargin.largest,
  };
};
