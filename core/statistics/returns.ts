import type { Answer, Refused } from "./answer.ts";
import { given, isCount, refused } from "./answer.ts";

/** One price of a series: UTC epoch milliseconds, and the price in whole units of its quote. */
export interface PricePoint {
  readonly at: number;
  readonly price: number;
}
/** A factor's price file: its name for errors, and its points in order of time. */
export interface PriceSeries {
  readonly name: string;
  readonly points: readonly PricePoint[];
}

export interface ReturnTerms {
  /**
   * `log`: ln(P_t / P_{t−h}); `simple`: P_t / P_{t−h} − 1, both for prices above 0 only;
   * `difference`: P_t − P_{t−h}, for prices that may be 0 or negative.
   */
  readonly kind: "log" | "simple" | "difference";
  /** h: the margin period of risk in steps of the calendar, at least 1. */
  readonly horizon: number;
  /** The step of the calendar, or null: its dates are then those that at least one series has. */
  readonly intervalMs: number | null;
  /** What a date does that a series lacks: refuse the whole, or leave out the returns that begin or end there, and list it. */
  readonly gaps: "refuse" | "leave-out";
  /** `sqrt`: one-step returns times √h, a declared shortcut where overlapping returns would be too few. */
  readonly scaling: "overlapping" | "sqrt";
  /** Fewer joint returns than this are no history. */
  readonly leastReturns: number;
}

/** Returns of several factors over the same periods. The vector of one date is never taken apart (M7). */
export interface JointReturns {
  readonly kind: ReturnTerms["kind"];
  readonly names: readonly string[];
  /** The end of each period, rising. */
  readonly endsAt: readonly number[];
  /** A column for each name, as long as `endsAt`. */
  readonly columns: readonly Float64Array[];
  readonly horizon: number;
  /** True where one-step returns were scaled by √h: to be said wherever a figure made of them is shown. */
  readonly isScaled: boolean;
  /** Dates that a series lacks; returns that begin or end there are left out. */
  readonly gaps: readonly Gap[];
}
export interface Gap {
  readonly name: string;
  readonly at: number;
}

const instant = (at: number): string => `instant ${at}`;

const seriesFault = ({ name, points }: PriceSeries, signed: boolean): Refused | null => {
  for (const [index, { at, price }] of points.entries()) {
    const where = `${name}, row ${index + 1}`;
    const previous = points[index - 1];
    if (!Number.isSafeInteger(at)) return refused("BAD_NUMBER", `${where}: ${at} is no instant. Give UTC epoch milliseconds`);
    if (previous !== undefined && at <= previous.at) {
      return refused("DISORDER", `${where}: ${instant(at)} is not after the row before. Sort the file and drop what repeats`);
    }
    if (!Number.isFinite(price)) return refused("BAD_NUMBER", `${where}: price ${price} is no finite number. Correct it or drop the row`);
    if (!signed && price <= 0) {
      return refused("BAD_NUMBER", `${where}: price ${price} has no relative return. Use differences for prices that reach 0`);
    }
  }
  return null;
};

const termsFault = ({ horizon, intervalMs, leastReturns }: ReturnTerms): Refused | null => {
  if (!isCount(horizon, 1)) return refused("BAD_TERMS", `horizon ${horizon}: give whole steps, at least 1`);
  if (intervalMs !== null && !isCount(intervalMs, 1)) {
    return refused("BAD_TERMS", `interval ${intervalMs} ms: give whole milliseconds above 0, or null for the files' own dates`);
  }
  return isCount(leastReturns, 1) ? null : refused("BAD_TERMS", `least returns ${leastReturns}: give a whole number, at least 1`);
};

/** The dates of the common span: each step of the interval and whatever date a series has besides. */
const calendarOf = (all: readonly PriceSeries[], from: number, to: number, intervalMs: number | null): readonly number[] => {
  const dates = new Set<number>();
  if (intervalMs !== null) for (let at = from; at <= to; at += intervalMs) dates.add(at);
  for (const { points } of all) for (const { at } of points) if (at >= from && at <= to) dates.add(at);
  return [...dates].sort((a, b) => a - b);
};

const returnOf = (kind: ReturnTerms["kind"], from: number, to: number): number => {
  if (kind === "difference") return to - from;
  return kind === "log" ? Math.log(to / from) : to / from - 1;
};

/** The most steps that a calendar may have: eleven years of minutes; more is a wrong interval. */
const MOST_DATES = 6_000_000;

/**
 * Joint returns of several price files: for each period the vector of what all factors did in it, so
 * that their dependence is kept (M7). The calendar is that of the span which all series share; a
 * series that begins later than the others shortens it. Inside it nothing is filled: a date that a
 * series lacks is refused by name, or the returns that touch it are left out and the date is listed.
 *
 * Answers DISORDER for repeated or falling instants, BAD_NUMBER for a price that its kind of return
 * has no value for, GAP with series and instant, NO_HISTORY below `leastReturns`, BAD_TERMS.
 */
export const jointReturns = (all: readonly PriceSeries[], terms: ReturnTerms): Answer<JointReturns> => {
  const fault = termsFault(terms) ?? all.map((series) => seriesFault(series, terms.kind === "difference")).find((each) => each !== null);
  if (fault) return fault;
  const from = Math.max(...all.map(({ points }) => points[0]?.at ?? Number.POSITIVE_INFINITY));
  const to = Math.min(...all.map(({ points }) => points.at(-1)?.at ?? Number.NEGATIVE_INFINITY));
  if (all.length === 0 || !(from < to)) return refused("NO_HISTORY", "the series share no span of time. Give files that overlap");
  if (new Set(all.map(({ name }) => name)).size < all.length) return refused("DISORDER", "two series have one name. Name each factor once");
  if (terms.intervalMs !== null && (to - from) / terms.intervalMs > MOST_DATES) {
    return refused("BAD_TERMS", `interval ${terms.intervalMs} ms makes more than ${MOST_DATES} dates. Give the step of the files`);
  }
  const dates = calendarOf(all, from, to, terms.intervalMs);
  const prices = all.map(({ points }) => new Map(points.map(({ at, price }) => [at, price])));
  const gaps = all.flatMap(({ name }, which) => dates.filter((at) => !prices[which]?.has(at)).map((at): Gap => ({ name, at })));
  const [gap] = gaps;
  if (gap !== undefined && terms.gaps === "refuse") {
    return refused("GAP", `${gap.name} has no price at ${instant(gap.at)} (${gaps.length} in all). Complete the file, or leave gaps out`);
  }
  const step = terms.scaling === "sqrt" ? 1 : terms.horizon;
  const scale = terms.scaling === "sqrt" ? Math.sqrt(terms.horizon) : 1;
  const missing = new Set(gaps.map(({ at }) => at));
  const ends = dates.flatMap((at, index) => (index < step || missing.has(at) || missing.has(dates[index - step] as number) ? [] : [index]));
  if (ends.length < terms.leastReturns) {
    return refused(
      "NO_HISTORY",
      `${ends.length} joint returns of ${step} steps, ${terms.leastReturns} needed. Give longer files or a proxy`,
    );
  }
  const priceAt = (which: number, index: number): number => prices[which]?.get(dates[index] as number) as number;
  return given({
    kind: terms.kind,
    names: all.map(({ name }) => name),
    endsAt: ends.map((index) => dates[index] as number),
    columns: all.map((_, which) =>
      Float64Array.from(ends, (index) => scale * returnOf(terms.kind, priceAt(which, index - step), priceAt(which, index))),
    ),
    horizon: terms.horizon,
    isScaled: terms.scaling === "sqrt" && terms.horizon > 1,
    gaps,
  });
};

/**
 * Joint returns that were measured elsewhere (a factor that is no price: a level of volatility, a
 * skew): a column for each name, all over the same periods. Answers DISORDER for columns that differ
 * in length or instants that do not rise, BAD_NUMBER for an entry that is not finite, NO_HISTORY for none.
 */
export const measuredReturns = (
  kind: ReturnTerms["kind"],
  endsAt: readonly number[],
  columns: Readonly<Record<string, readonly number[]>>,
): Answer<JointReturns> => {
  const names = Object.keys(columns);
  if (names.length === 0 || endsAt.length === 0) return refused("NO_HISTORY", "no joint returns. Give a column and a date at least");
  const late = endsAt.findIndex((at, index) => !Number.isFinite(at) || (index > 0 && at <= (endsAt[index - 1] as number)));
  if (late >= 0)
    return refused("DISORDER", `row ${late + 1}: ${instant(endsAt[late] as number)} is not after the row before. Sort the rows`);
  for (const name of names) {
    const values = columns[name] as readonly number[];
    if (values.length !== endsAt.length) {
      return refused("DISORDER", `${name} has ${values.length} returns for ${endsAt.length} dates. Give one for each date`);
    }
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) return refused("BAD_NUMBER", `${name}, row ${wrong + 1}: ${values[wrong]} is no finite number. Correct it`);
  }
  return given({
    kind,
    names,
    endsAt,
    columns: names.map((name) => Float64Array.from(columns[name] as readonly number[])),
    horizon: 1,
    isScaled: false,
    gaps: [],
  });
};
