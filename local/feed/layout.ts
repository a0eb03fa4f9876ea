import { type Reading, readDate, readEpoch } from "./instant.ts";

/** A file of prices that cannot be used at all. The message is one line that names the file and the way out. */
export class UnusablePrices extends Error {
  override name = "UnusablePrices";
}

/** Where a layout keeps what. `null` is a column that the layout has not. */
export interface Layout {
  readonly name: string;
  readonly columns: number;
  readonly time: number;
  readonly timeIs: "epoch" | "date";
  /** A second column that tells the same instant as a date. */
  readonly date: number | null;
  readonly symbol: number | null;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number | null;
  /** Last instant of the bar (kline). */
  readonly closeTime: number | null;
  /** Hours that a daily bar was built of. */
  readonly hours: number | null;
  readonly header: boolean;
}

const KLINE: Layout = {
  name: "kline",
  columns: 12,
  time: 0,
  timeIs: "epoch",
  date: null,
  symbol: null,
  open: 1,
  high: 2,
  low: 3,
  close: 4,
  volume: 5,
  closeTime: 6,
  hours: null,
  header: false,
};

const KNOWN =
  "timestamp,[asset,]open,high,low,close; date,open,high,low,close[,hours]; date,price; unix,date,symbol,open,…; Binance klines";

const orNull = (index: number): number | null => (index < 0 ? null : index);

const fromHeader = (names: readonly string[]): Layout | null => {
  const at = (...candidates: string[]): number => names.findIndex((name) => candidates.includes(name));
  const epoch = at("unix", "open_time", "opentime");
  const date = at("date", "timestamp", "datetime");
  const close = at("close", "price");
  const of = (name: string): number => (at(name) < 0 && at("price") >= 0 ? close : at(name));
  const [open, high, low] = [of("open"), of("high"), of("low")];
  if (close < 0 || open < 0 || high < 0 || low < 0 || (epoch < 0 && date < 0)) return null;
  return {
    name: epoch >= 0 && at("close_time") >= 0 ? "kline" : names.slice(0, 6).join(","),
    columns: names.length,
    time: epoch >= 0 ? epoch : date,
    timeIs: epoch >= 0 ? "epoch" : "date",
    date: epoch >= 0 && date >= 0 ? date : null,
    symbol: orNull(at("asset", "symbol")),
    open,
    high,
    low,
    close,
    volume: orNull(names.findIndex((name) => name.startsWith("volume"))),
    closeTime: orNull(at("close_time")),
    hours: orNull(at("hours")),
    header: true,
  };
};

/** Tells the layout by the first line. @throws UnusablePrices when it is none of the known ones. */
export const layoutOf = (file: string, first: readonly string[]): Layout => {
  const names = first.map((cell) => cell.trim().toLowerCase().replace(/ /g, "_"));
  const headerless = first.length === KLINE.columns && "at" in readEpoch(first[0] ?? "");
  const layout = headerless ? KLINE : fromHeader(names);
  if (layout === null) throw new UnusablePrices(`${file}: its first line is no known layout; known are: ${KNOWN}`);
  return layout;
};

/** The instant of a row with the form it is written in, and what is wrong with how it is written. */
export interface RowTime {
  readonly at: number;
  readonly form: string;
  readonly faults: readonly string[];
}

/**
 * Reads the instant of a row. Where the row tells it twice, both must be readable and agree; a row
 * whose second time is at fault keeps the first, so that it can still be compared with its neighbours.
 */
export const readInstant = (layout: Layout, cells: readonly string[]): RowTime | { readonly reason: string } => {
  const text = (cells[layout.time] ?? "").trim();
  // A timestamp column may hold epoch numbers; the form tells.
  const time: Reading = layout.timeIs === "epoch" || /^\d{9,}/.test(text) ? readEpoch(text) : readDate(text);
  if ("reason" in time) return time;
  if (layout.date === null) return { ...time, faults: [] };
  const date = readDate((cells[layout.date] ?? "").trim());
  if ("reason" in date) return { ...time, faults: [date.reason] };
  return { ...time, faults: date.at === time.at ? [] : [`its two times differ: ${text} is not ${cells[layout.date]}`] };
};
