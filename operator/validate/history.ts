import { decimal, type Price } from "../../core/money.ts";
import { jointReturns } from "../../core/statistics/returns.ts";
import { Refusal } from "../command-line.ts";
import type { Book } from "./book.ts";
import { dayOf, type PriceFile } from "./lineage.ts";

export const DAY_MS = 86_400_000;

/** A price for estimates, in whole units. */
export const wholeOf = (price: Price): number => Number(decimal(price));

/**
 * Joint history of the book's assets: entry t of every list is one day, at whose end and at whose beginning every asset has
 * a close. A return never spans a gap.
 */
export interface History {
  /** As the book lists them. */
  readonly symbols: readonly string[];
  readonly days: readonly string[];
  /** Instants at which the days open, epoch milliseconds. */
  readonly openAt: readonly number[];
  /** Closes by asset and day, exact. */
  readonly closes: readonly (readonly Price[])[];
  /** Closes of the day before: what the day's loss is measured from. */
  readonly opens: readonly (readonly Price[])[];
  /** Logarithmic returns of the day, by asset. */
  readonly returns: readonly Float64Array[];
}

const fileOf = (files: readonly PriceFile[], symbol: string): PriceFile => {
  const [file, other] = files.filter(({ lineage }) => lineage.symbol === symbol);
  if (file === undefined) throw new Refusal(`${symbol} is in the book and no --prices file tells it`);
  if (other !== undefined) throw new Refusal(`${file.lineage.file} and ${other.lineage.file} both tell ${symbol}: give one`);
  return file;
};

/**
 * Joins the files by day (M7: joint returns of the same date). @throws Refusal where an asset of the book has no file, two
 * files tell one symbol, a file tells none of the book's, or fewer than `leastDays` joint returns are there.
 */
export const joinHistory = (book: Book, files: readonly PriceFile[], leastDays: number): History => {
  const stranger = files.find(({ lineage }) => !book.assets.has(lineage.symbol));
  if (stranger !== undefined) throw new Refusal(`--prices ${stranger.lineage.file}: the book has no terms for ${stranger.lineage.symbol}`);
  const symbols = [...book.assets.keys()];
  const inOrder = symbols.map((symbol) => fileOf(files, symbol));
  const joint = jointReturns(
    inOrder.map(({ lineage, closes }) => ({
      name: lineage.symbol,
      points: closes.map(({ openAt, price }) => ({ at: openAt, price: wholeOf(price) })),
    })),
    { kind: "log", horizon: 1, intervalMs: DAY_MS, gaps: "leave-out", scaling: "overlapping", leastReturns: leastDays },
  );
  if (!joint.ok) throw new Refusal(`the price files cannot be joined (${joint.fault}): ${joint.detail}`);
  const openAt = joint.value.endsAt;
  const exact = inOrder.map(({ closes }) => new Map(closes.map(({ openAt: at, price }) => [at, price])));
  return {
    ...{ symbols, openAt, days: openAt.map(dayOf), returns: joint.value.columns },
    closes: exact.map((prices) => openAt.map((at) => prices.get(at) as Price)),
    opens: exact.map((prices) => openAt.map((at) => prices.get(at - DAY_MS) as Price)),
  };
};
