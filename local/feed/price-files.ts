import { readFileSync } from "node:fs";

import type { PricePath, PriceSeries, RefusedLine } from "./bar.ts";
import { symbolOf } from "./bar.ts";
import { type Row, readRows, samePrices } from "./csv.ts";
import { UnusablePrices } from "./layout.ts";

/** The most frequent of `values`; the first seen of several. @returns undefined for none. */
const mostFrequent = <T>(values: Iterable<T>): T | undefined => {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: T | undefined;
  for (const [value, count] of counts) if (best === undefined || count > (counts.get(best) as number)) best = value;
  return best;
};

const groups = <K, T>(items: Iterable<T>, key: (item: T) => K): Map<K, T[]> => {
  const found = new Map<K, T[]>();
  for (const item of items) {
    const group = found.get(key(item));
    if (group === undefined) found.set(key(item), [item]);
    else group.push(item);
  }
  return found;
};

/** Share of the full volume below which a candle inside the same range was not finished; rounding alone stays above it. */
const PARTIAL_VOLUME = 0.99;

type Verdict = { readonly used: Row | null; readonly refused: readonly { readonly row: Row; readonly reason: string }[] };

/**
 * Several rows of one instant. Equal ones are one. Less volume inside the same range is a candle
 * that was written before it ended. Anything else cannot be told apart: none is used.
 */
const settle = (rows: readonly Row[]): Verdict => {
  const first = rows[0] as Row;
  if (rows.every((row) => samePrices(row, first))) {
    return { used: first, refused: rows.slice(1).map((row) => ({ row, reason: `repeats line ${first.line}` })) };
  }
  const full = rows.reduce((a, b) => ((b.volume ?? 0) > (a.volume ?? 0) ? b : a));
  const others = rows.filter((row) => row !== full);
  const partial = others.every(
    (row) => row.high <= full.high && row.low >= full.low && (row.volume ?? Number.NaN) < PARTIAL_VOLUME * (full.volume ?? Number.NaN),
  );
  if (partial) {
    return {
      used: full,
      refused: others.map((row) => ({ row, reason: `partial candle of the hour that line ${full.line} tells in full` })),
    };
  }
  const lines = rows.map((row) => row.line).join(", ");
  return {
    used: null,
    refused: rows.map((row) => ({ row, reason: `the same instant with conflicting prices on lines ${lines}: none is used` })),
  };
};

const lengthOf = (rows: readonly Row[]): number => {
  const told = mostFrequent(rows.map((row) => row.lengthMs).filter((length) => length !== null));
  if (told !== undefined) return told;
  const instants = [...new Set(rows.map((row) => row.openAt))].sort((a, b) => a - b);
  const steps = instants.slice(1).map((at, index) => at - (instants[index] as number));
  const whole = instants.every((at) => at % 86_400_000 === 0) ? 86_400_000 : 3_600_000;
  // Of two steps as frequent the shorter one: the longer is a gap.
  return mostFrequent(steps.sort((a, b) => a - b)) ?? whole;
};

/** Why a row that reads well cannot be a whole bar of its file; null when it can. */
const misfit = (
  row: Row,
  file: { readonly barMs: number; readonly offset: number; readonly newestAt: number; readonly now: number },
): string | null => {
  if (row.lengthMs !== null && row.lengthMs !== file.barMs)
    return `partial candle: ${row.lengthMs / 60_000} of ${file.barMs / 60_000} minutes`;
  // A short day in the middle is a trading halt; a short last day was not over when the file was written.
  if (row.hours !== null && row.hours < 24 && row.openAt === file.newestAt) return `partial last candle: built of ${row.hours} of 24 hours`;
  if (row.openAt + file.barMs > file.now) return "partial candle: its end has not come yet";
  if (row.openAt % file.barMs !== file.offset) return `does not open on the grid of ${file.barMs / 60_000} minutes that the file keeps`;
  return null;
};

/** Bars of one symbol of one file: partial and misplaced ones refused, newest-first turned round. */
const settleSymbol = (rows: readonly Row[], now: number): { rows: Row[]; barMs: number; refused: { row: Row; reason: string }[] } => {
  const barMs = lengthOf(rows);
  const offset = mostFrequent(rows.map((row) => row.openAt % barMs)) ?? 0;
  const newestAt = rows.reduce((newest, row) => Math.max(newest, row.openAt), 0);
  const refused: { row: Row; reason: string }[] = [];
  const sound = rows.filter((row) => {
    const reason = misfit(row, { barMs, offset, newestAt, now });
    if (reason !== null) refused.push({ row, reason });
    return reason === null;
  });
  const verdicts = [...groups(sound, (row) => row.openAt).values()].map(settle);
  refused.push(...verdicts.flatMap((verdict) => verdict.refused));
  const used = verdicts.map((verdict) => verdict.used).filter((row) => row !== null);
  return { rows: used.sort((a, b) => a.openAt - b.openAt), barMs, refused };
};

/** All that is wrong with a row in another form than its file's, and what the file itself tells of that hour. */
const strangerReason = (row: Row, form: string, used: ReadonlyMap<string, Row>): string => {
  const same = used.get(`${row.symbol} ${row.openAt}`);
  const reasons = [...row.faults, ...(row.form === form ? [] : [`its time counts ${row.form}, the file's ${form}`])];
  if (same !== undefined) {
    const { refused } = settle([same, row]);
    const against = refused.find((refusal) => refusal.row === row)?.reason;
    reasons.push(
      against?.startsWith("partial") || against?.startsWith("repeats") ? against : `conflicts with line ${same.line} of the same instant`,
    );
  }
  return reasons.join("; ");
};

interface FileSeries {
  readonly symbol: string;
  readonly barMs: number;
  readonly rows: readonly Row[];
}

/**
 * Reads the text of one price file: every line that cannot be trusted is refused by name, the rest is used.
 *
 * @param now Instant after which no bar can have ended, epoch milliseconds.
 * @throws UnusablePrices when nothing of it can be used.
 */
export const readPriceText = (file: string, text: string, now: number): { series: FileSeries[]; refused: RefusedLine[] } => {
  const { rows, refused } = readRows(file, text);
  const form = mostFrequent(rows.filter((row) => row.faults.length === 0).map((row) => row.form)) ?? "";
  const natives = rows.filter((row) => row.form === form && row.faults.length === 0);
  const series: FileSeries[] = [];
  const used = new Map<string, Row>();
  for (const [symbol, ofSymbol] of groups(natives, (row) => row.symbol)) {
    const settled = settleSymbol(ofSymbol, now);
    for (const { row, reason } of settled.refused) refused.push({ file, line: row.line, reason });
    for (const row of settled.rows) used.set(`${symbol} ${row.openAt}`, row);
    if (settled.rows.length > 0) series.push({ symbol, barMs: settled.barMs, rows: settled.rows });
  }
  const strangers = rows.filter((row) => row.form !== form || row.faults.length > 0);
  for (const row of strangers) refused.push({ file, line: row.line, reason: strangerReason(row, form, used) });
  refused.sort((a, b) => a.line - b.line);
  if (series.length === 0) {
    const why = refused[0] === undefined ? "it holds no price" : `line ${refused[0].line}: ${refused[0].reason}`;
    throw new UnusablePrices(`${file}: no line of it can be used (${why}); give a file of a known layout`);
  }
  return { series, refused };
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    const why = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder" : code;
    throw new UnusablePrices(`${file}: cannot be read (${why}); give --prices the path of a CSV file`);
  }
};

/** Adds one file's rows to what is there: an instant that another file gave with other prices is refused. */
const addRows = (into: Map<number, { file: string; row: Row }>, file: string, rows: readonly Row[]): RefusedLine[] => {
  const refused: RefusedLine[] = [];
  for (const row of rows) {
    const there = into.get(row.openAt);
    if (there === undefined) into.set(row.openAt, { file, row });
    else if (!samePrices(there.row, row)) {
      refused.push({ file, line: row.line, reason: `${there.file}:${there.row.line} gave this instant first, with other prices` });
    }
  }
  return refused;
};

/**
 * Reads price files and joins them by symbol.
 *
 * @throws UnusablePrices naming the file, when one cannot be read or used, or two of one symbol have bars of unlike length.
 */
export const readPriceFiles = (files: readonly string[], now: number): PricePath => {
  const refused: RefusedLine[] = [];
  const joined = new Map<string, { barMs: number; rows: Map<number, { file: string; row: Row }> }>();
  for (const file of files) {
    const read = readPriceText(file, readText(file), now);
    refused.push(...read.refused);
    for (const { symbol, barMs, rows } of read.series) {
      const target = joined.get(symbol) ?? { barMs, rows: new Map() };
      if (target.barMs !== barMs) {
        throw new UnusablePrices(
          `${file}: bars of ${barMs / 60_000} minutes, but ${symbol} has bars of ${target.barMs / 60_000}; give one length`,
        );
      }
      joined.set(symbol, target);
      refused.push(...addRows(target.rows, file, rows));
    }
  }
  const series: PriceSeries[] = [...joined].map(([symbol, { barMs, rows }]) => {
    const named = symbolOf(symbol) as NonNullable<ReturnType<typeof symbolOf>>;
    const bars = [...rows.values()].map(({ row: { openAt, open, high, low, close } }) => ({ openAt, open, high, low, close }));
    return { ...named, barMs, bars: bars.sort((a, b) => a.openAt - b.openAt) };
  });
  return { series, refused, source: files.join(", ") };
};
