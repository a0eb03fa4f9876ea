import { createHash } from "node:crypto";
import { basename } from "node:path";

import type { Price } from "../../core/money.ts";
import { UnusablePrices } from "../../local/feed/layout.ts";
import { readPriceText } from "../../local/feed/price-files.ts";
import { Refusal } from "../command-line.ts";
import { contentOf } from "../files.ts";

const DAY_MS = 86_400_000;
/** Of the days of its span, those that a file must have: below, what is left is no sample of the market. */
const DAYS_MIN_PPM = 950_000;
/** Lines or gaps that are named one by one; further ones are counted. */
const NAMED_MAX = 50;

/** The day of an instant in UTC: "2020-03-12". */
export const dayOf = (instant: number): string => new Date(instant).toISOString().slice(0, 10);

/** A close of one day. */
export interface Close {
  /** Instant at which the day opens, epoch milliseconds. */
  readonly openAt: number;
  readonly price: Price;
}

/** Days that a file does not have between two that it has. */
export interface Gap {
  readonly from: string;
  readonly to: string;
  readonly days: number;
}

/** Where a series comes from and what was found in it: enough for another person to check that it is the same file. */
export interface Lineage {
  /** Its name without its folder: the report reads the same on every machine. */
  readonly file: string;
  readonly sha256: string;
  readonly symbol: string;
  readonly role: "asset" | "macro";
  readonly firstDay: string;
  readonly lastDay: string;
  /** Days that are used. */
  readonly rows: number;
  readonly gaps: readonly Gap[];
  /** Lines that stand after a later day: the file was put in order. */
  readonly disordered: number;
  /** Lines that are not used, with the reason; the first 50. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
  readonly refusedCount: number;
}

/** A price file that can be used. */
export interface PriceFile {
  readonly lineage: Lineage;
  /** Oldest first, no day twice, each price above 0. */
  readonly closes: readonly Close[];
}

const gapsOf = (closes: readonly Close[]): Gap[] =>
  closes.slice(1).flatMap(({ openAt }, index) => {
    const before = (closes[index] as Close).openAt;
    const days = (openAt - before) / DAY_MS - 1;
    return days === 0 ? [] : [{ from: dayOf(before + DAY_MS), to: dayOf(openAt - DAY_MS), days }];
  });

const list = (reasons: readonly { readonly line: number; readonly reason: string }[]): string =>
  [
    ...reasons.slice(0, 5).map(({ line, reason }) => `\n  line ${line}: ${reason}`),
    ...(reasons.length > 5 ? [`\n  and ${reasons.length - 5} more`] : []),
  ].join("");

type Series = ReturnType<typeof readPriceText>["series"][number];
type Refused = ReturnType<typeof readPriceText>["refused"];

/** The one series of a file, of whole days. @throws Refusal. */
const seriesOf = (path: string, series: readonly Series[], refused: Refused): Series => {
  const [only, other] = series;
  if (only === undefined || other !== undefined) {
    throw new Refusal(`${path}: holds ${series.map(({ symbol }) => symbol).join(", ")}: give one file for each series`);
  }
  if (only.barMs !== DAY_MS) {
    throw new Refusal(
      `${path}: bars of ${only.barMs / 60_000} minutes where the margin period is a day: give daily bars${refused.length === 0 ? "" : `. It also holds ${refused.length} lines that cannot be used:${list(refused)}`}`,
    );
  }
  return only;
};

/** Closes that have a return; the others are refused by line. */
const positive = (rows: Series["rows"], role: Lineage["role"]): { closes: Close[]; refused: { line: number; reason: string }[] } => {
  const refused = rows
    .filter(({ close }) => close <= 0n)
    .map(({ line, openAt }) => ({
      line,
      reason: `the close of ${dayOf(openAt)} is not above 0: it has no return${role === "macro" ? ", the day is left out" : ""}`,
    }));
  return { closes: rows.filter(({ close }) => close > 0n).map(({ openAt, close }) => ({ openAt, price: close })), refused };
};

const disorderedOf = (rows: Series["rows"]): number => {
  let newest = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const { openAt } of [...rows].sort((a, b) => a.line - b.line)) {
    if (openAt < newest) count += 1;
    newest = Math.max(newest, openAt);
  }
  return count;
};

/**
 * Reads and judges one price file (M14 lineage): lines that cannot be trusted are refused one by one (S25), gaps are named and
 * stay gaps (S24). A macro series trades on its own days: its gaps are named and allowed.
 *
 * @throws Refusal where no line can be used, the bars are no days, an asset's price is not above 0, or fewer than 95 % of the
 *   days of the span are there.
 */
export const readPrices = (option: "prices" | "macro", path: string): PriceFile => {
  const text = contentOf(option, path);
  const role = option === "macro" ? "macro" : "asset";
  let read: ReturnType<typeof readPriceText>;
  try {
    // What is a whole bar, the file's own columns tell: the same file reads the same on every day.
    read = readPriceText(path, text, Number.POSITIVE_INFINITY);
  } catch (error) {
    if (error instanceof UnusablePrices) throw new Refusal(error.message);
    throw error;
  }
  const { symbol, rows } = seriesOf(path, read.series, read.refused);
  const { closes, refused: worthless } = positive(rows, role);
  if (role === "asset" && worthless.length > 0) throw new Refusal(`${path} cannot be used:${list(worthless)}`);
  const [first, last] = [closes[0], closes.at(-1)];
  if (first === undefined || last === undefined || closes.length < 2) throw new Refusal(`${path}: fewer than two days have a price`);
  const span = (last.openAt - first.openAt) / DAY_MS + 1;
  const gaps = gapsOf(closes);
  if (role === "asset" && closes.length * 1_000_000 < span * DAYS_MIN_PPM) {
    const named = gaps.slice(0, 5).map(({ from, to, days }) => `\n  ${from} to ${to}: ${days} days`);
    throw new Refusal(`${path}: ${span - closes.length} of ${span} days are missing: no sample of the market${named.join("")}`);
  }
  const refused = [...read.refused.map(({ line, reason }) => ({ line, reason })), ...worthless].sort((a, b) => a.line - b.line);
  return {
    closes,
    lineage: {
      file: basename(path),
      sha256: createHash("sha256").update(text).digest("hex"),
      ...{
        symbol,
        role,
        firstDay: dayOf(first.openAt),
        lastDay: dayOf(last.openAt),
        rows: closes.length,
        gaps,
        disordered: disorderedOf(rows),
      },
      ...{ refused: refused.slice(0, NAMED_MAX), refusedCount: refused.length },
    },
  };
};
