import { type CorrelationTerms, correlationOf } from "../../core/statistics/covariance.ts";
import { ewmaVolatility } from "../../core/statistics/filter.ts";
import { type JointReturns, jointReturns } from "../../core/statistics/returns.ts";
import type { Book } from "./book.ts";
import { answered, type Figure, figure, missing } from "./figure.ts";
import { type History, wholeOf } from "./history.ts";
import type { PriceFile } from "./lineage.ts";
import type { ValidationTerms } from "./terms.ts";

/** Crypto trades every day of the year. */
const DAYS_PER_YEAR = 365;
const WINDOWS = [30, 90, 365] as const;
const CORRELATION: CorrelationTerms = { leastReturns: 30, window: 365, run: 30 };

/** Volatilities of a year of one asset: 0.6 is 60 %. */
export interface VolatilityRow {
  readonly symbol: string;
  readonly realised: readonly { readonly name: string; readonly volatility: Figure }[];
  readonly ewma: Figure;
  readonly implied: Figure;
  /** Implied over EWMA volatility: above 1 the options' market fears more than the recent past shows. */
  readonly impliedOverEwma: Figure;
}

/** How two series move together. */
export interface CorrelationRow {
  readonly left: string;
  readonly right: string;
  /** Of the whole history, of the last 365 returns, and the least of any 30 returns in a row among those. */
  readonly whole: Figure;
  readonly recent: Figure;
  readonly stressed: Figure;
}

export interface Analytics {
  readonly volatilities: readonly VolatilityRow[];
  readonly correlations: readonly CorrelationRow[];
  readonly macro: readonly CorrelationRow[];
}

const realised = (returns: Float64Array, days: number): Figure => {
  if (returns.length < days) return missing(`${returns.length} returns, ${days} needed`);
  const mean = returns.subarray(-days).reduce((sum, value) => sum + value ** 2, 0) / days;
  return figure(Math.sqrt(mean * DAYS_PER_YEAR));
};

const volatilityOf = (book: Book, history: History, asset: number, terms: ValidationTerms): VolatilityRow => {
  const symbol = history.symbols[asset] as string;
  const returns = history.returns[asset] as Float64Array;
  const ewma = answered(ewmaVolatility(returns, terms.filter), ({ next }) => next * Math.sqrt(DAYS_PER_YEAR));
  const given = book.assets.get(symbol)?.impliedVolatilityPpm ?? null;
  const implied = given === null ? missing("the book's file gives none") : figure(given / 1_000_000);
  const both = ewma.value === null || implied.value === null ? null : implied.value / ewma.value;
  return {
    ...{ symbol, ewma, implied },
    realised: [
      ...WINDOWS.map((days) => ({ name: `${days} days`, volatility: realised(returns, days) })),
      { name: "whole history", volatility: realised(returns, returns.length) },
    ],
    impliedOverEwma: both === null ? missing(implied.reason ?? ewma.reason ?? "no volatility") : figure(both, "the volatility is 0"),
  };
};

const correlationRow = (joint: JointReturns, left: string, right: string): CorrelationRow => {
  const recent = correlationOf(joint, left, right, CORRELATION);
  const whole = correlationOf(joint, left, right, { ...CORRELATION, window: Math.max(CORRELATION.run, joint.endsAt.length) });
  return {
    ...{ left, right },
    whole: answered(whole, (value) => value.recent),
    recent: answered(recent, (value) => value.recent),
    stressed: answered(recent, (value) => value.stressed),
  };
};

/** An asset and a macro series on the days that both have: a return spans the days on which the other market was shut. */
const macroRow = (asset: PriceFile, macro: PriceFile): CorrelationRow => {
  const [left, right] = [asset.lineage.symbol, macro.lineage.symbol];
  const shared = new Set(macro.closes.map(({ openAt }) => openAt));
  const own = asset.closes.filter(({ openAt }) => shared.has(openAt));
  const seen = new Set(own.map(({ openAt }) => openAt));
  const joint = jointReturns(
    [
      { name: left, closes: own },
      { name: right, closes: macro.closes.filter(({ openAt }) => seen.has(openAt)) },
    ].map(({ name, closes }) => ({ name, points: closes.map(({ openAt, price }) => ({ at: openAt, price: wholeOf(price) })) })),
    { kind: "log", horizon: 1, intervalMs: null, gaps: "leave-out", scaling: "overlapping", leastReturns: CORRELATION.leastReturns },
  );
  if (joint.ok) return correlationRow(joint.value, left, right);
  const none = missing(`${joint.fault}: ${joint.detail}`);
  return { left, right, whole: none, recent: none, stressed: none };
};

/** Volatilities and correlations of the book's assets, and correlations to macro series that were given. */
export const analyticsOf = (
  book: Book,
  history: History,
  files: { readonly assets: readonly PriceFile[]; readonly macro: readonly PriceFile[] },
  terms: ValidationTerms,
): Analytics => {
  const joint: JointReturns = {
    ...{ kind: "log", names: history.symbols, endsAt: history.openAt, columns: history.returns },
    ...{ horizon: 1, isScaled: false, gaps: [] },
  };
  return {
    volatilities: history.symbols.map((_, asset) => volatilityOf(book, history, asset, terms)),
    correlations: history.symbols.flatMap((left, index) =>
      history.symbols.slice(index + 1).map((right) => correlationRow(joint, left, right)),
    ),
    macro: files.macro.flatMap((macro) => files.assets.map((asset) => macroRow(asset, macro))),
  };
};
