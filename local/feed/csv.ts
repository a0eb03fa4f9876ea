import { parse } from "csv-parse/sync";

import { abs, type Price, price } from "../../core/money.ts";
import { type RefusedLine, symbolOf, symbolOfFile } from "./bar.ts";
import { type Layout, layoutOf, readInstant, UnusablePrices } from "./layout.ts";

/** A line that reads well by itself; whether it agrees with its neighbours is judged later. */
export interface Row {
  readonly line: number;
  readonly symbol: string;
  readonly openAt: number;
  /** Unit or date form of the time; one file has one. */
  readonly form: string;
  /** What is wrong with the row by itself; it is not used, but may be compared. */
  readonly faults: readonly string[];
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly close: Price;
  readonly volume: number | null;
  /** Length of the bar by its own account (kline); null where the layout does not tell. */
  readonly lengthMs: number | null;
  /** Hours that a daily bar was built of; null where the layout does not tell. */
  readonly hours: number | null;
}

/** Symbols whose prices may be 0 or below (S20). */
export const NON_POSITIVE_SYMBOLS: ReadonlySet<string> = new Set(["WTI"]);

type Outcome<T> = { readonly ok: T } | { readonly reason: string };

const readPrice = (name: string, text: string, nonPositive: boolean): Outcome<Price> => {
  let value: Price;
  try {
    value = price(text.trim());
  } catch {
    return {
      reason: text.trim() === "" ? `${name} is empty` : `${name} "${text.slice(0, 40)}" is no plain decimal with at most 8 decimals`,
    };
  }
  if (value <= 0n && !nonPositive) return { reason: `${name} ${text} is not above 0` };
  return { ok: value };
};

const readSymbol = (layout: Layout, cells: readonly string[], fileSymbol: string | null): Outcome<string> => {
  if (layout.symbol === null) return fileSymbol === null ? { reason: "no instrument" } : { ok: fileSymbol };
  const text = (cells[layout.symbol] ?? "").trim();
  // An asset column names the base alone ("BTC"): USD-M contracts are quoted in USDT.
  const named = symbolOf(text) ?? (/^[A-Za-z0-9]{2,12}$/.test(text) ? symbolOf(`${text}USDT`) : null);
  return named === null ? { reason: `"${text.slice(0, 40)}" names no instrument` } : { ok: named.symbol };
};

const readPrices = (
  layout: Layout,
  cells: readonly string[],
  nonPositive: boolean,
): Outcome<Record<"open" | "high" | "low" | "close", Price>> => {
  const read = { open: 0n as Price, high: 0n as Price, low: 0n as Price, close: 0n as Price };
  for (const name of ["open", "high", "low", "close"] as const) {
    const outcome = readPrice(name, cells[layout[name]] ?? "", nonPositive);
    if ("reason" in outcome) return outcome;
    read[name] = outcome.ok;
  }
  if (read.high < read.open || read.high < read.close || read.high < read.low) return { reason: "high is below another price of its bar" };
  if (read.low > read.open || read.low > read.close) return { reason: "low is above another price of its bar" };
  return { ok: read };
};

/** Length of the bar that the row itself tells. */
const readLength = (layout: Layout, cells: readonly string[], openAt: number): Outcome<number | null> => {
  if (layout.closeTime === null) return { ok: null };
  const text = (cells[layout.closeTime] ?? "").trim();
  // The last instant of the bar counts in the unit of the open time: one more is the next bar's opening.
  const perMs = text.length > 14 ? 1_000 : text.length > 11 ? 1 : 0.001;
  const lengthMs = /^\d{9,17}$/.test(text) ? (Number(text) + 1) / perMs - openAt : Number.NaN;
  return Number.isInteger(lengthMs) && lengthMs > 0 ? { ok: lengthMs } : { reason: `close time "${text.slice(0, 40)}" does not end a bar` };
};

const numberAt = (cells: readonly string[], column: number | null): number | null => {
  const value = column === null ? Number.NaN : Number(cells[column]?.trim() || Number.NaN);
  return Number.isFinite(value) ? value : null;
};

const readRow = (layout: Layout, cells: readonly string[], line: number, fileSymbol: string | null): Outcome<Row> => {
  if (cells.length !== layout.columns) return { reason: `${cells.length} columns where the layout has ${layout.columns}` };
  const time = readInstant(layout, cells);
  if ("reason" in time) return time;
  const symbol = readSymbol(layout, cells, fileSymbol);
  if ("reason" in symbol) return symbol;
  const prices = readPrices(layout, cells, NON_POSITIVE_SYMBOLS.has(symbol.ok));
  if ("reason" in prices) return prices;
  const length = readLength(layout, cells, time.at);
  if ("reason" in length) return length;
  return {
    ok: {
      line,
      symbol: symbol.ok,
      openAt: time.at,
      form: time.form,
      faults: time.faults,
      ...prices.ok,
      volume: numberAt(cells, layout.volume),
      lengthMs: length.ok,
      hours: numberAt(cells, layout.hours),
    },
  };
};

/**
 * Reads every line of one file strictly by itself.
 *
 * @param file Its name, for messages; the instrument is told by it where no column tells it.
 * @throws UnusablePrices when the layout or the instrument cannot be told.
 */
export const readRows = (file: string, text: string): { rows: Row[]; refused: RefusedLine[] } => {
  const refused: RefusedLine[] = [];
  const parsed = parse(text, {
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      refused.push({ file, line: Number(error?.["lines"] ?? 0), reason: `not CSV: ${error?.code ?? "unreadable"}` });
      return undefined;
    },
    // The typings of csv-parse do not follow the option `info`.
  }) as unknown as { record: string[]; info: { lines: number } }[];
  const first = parsed[0];
  if (first === undefined) throw new UnusablePrices(`${file}: it holds no line; give a file with prices`);
  const layout = layoutOf(file, first.record);
  const fileSymbol = symbolOfFile(file)?.symbol ?? null;
  if (layout.symbol === null && fileSymbol === null) {
    throw new UnusablePrices(`${file}: its name tells no instrument; name it by one, for example BTCUSDT-1h.csv`);
  }
  const rows: Row[] = [];
  for (const { record, info } of layout.header ? parsed.slice(1) : parsed) {
    const outcome = readRow(layout, record, info.lines, fileSymbol);
    if ("ok" in outcome) rows.push(outcome.ok);
    else refused.push({ file, line: info.lines, reason: outcome.reason });
  }
  return { rows, refused };
};

/** True where two rows tell the same prices. */
export const samePrices = (a: Row, b: Row): boolean =>
  [a.open - b.open, a.high - b.high, a.low - b.low, a.close - b.close].every((difference) => abs(difference) === 0n);
