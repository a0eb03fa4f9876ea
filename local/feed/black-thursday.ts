import { divide, type Price, price } from "../../core/money.ts";
import type { Bar, PricePath, PriceSeries } from "./bar.ts";

/**
 * The path that `npm start` plays without `--prices`: 12-13 March 2020 as a path through published
 * landmarks, not market data. The landmarks are BTC 7,935 at 00:00Z on the 12th, the hour from 10:00Z
 * with -24.5 % from its open to its low (ETH -25.6 %), and the low of 3,782 in the hour from 02:00Z on
 * the 13th. Every other figure is a straight line or a round number of our own between them.
 */

const HOUR_MS = 3_600_000;
const START_AT = Date.UTC(2020, 2, 12);
const HOURS = 48;
const CRASH_HOUR = 10;
const LOW_HOUR = 26;

/** Opening prices at whole hours; hours between two are on the straight line. */
type Anchors = readonly (readonly [hour: number, open: string])[];

interface Landmarks {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly opens: Anchors;
  /** Fall from the open to the low of the crash hour, in parts per million. */
  readonly crashPpm: bigint;
  /** Low of the whole path, in the hour LOW_HOUR. */
  readonly low: string;
  /** Half of an ordinary bar's range beyond its open and close, in parts per million of the open. */
  readonly rangePpm: bigint;
}

const BTC: Landmarks = {
  symbol: "BTCUSDT",
  baseAsset: "BTC",
  opens: [
    [0, "7935"],
    [CRASH_HOUR, "7400"],
    [CRASH_HOUR + 1, "6000"],
    [22, "5800"],
    [LOW_HOUR, "4300"],
    [LOW_HOUR + 1, "4700"],
    [HOURS, "5400"],
  ],
  crashPpm: 245_000n,
  low: "3782",
  rangePpm: 6_000n,
};

const ETH: Landmarks = {
  symbol: "ETHUSDT",
  baseAsset: "ETH",
  opens: [
    [0, "195"],
    [CRASH_HOUR, "175"],
    [CRASH_HOUR + 1, "140"],
    [22, "135"],
    [LOW_HOUR, "100"],
    [LOW_HOUR + 1, "110"],
    [HOURS, "125"],
  ],
  crashPpm: 256_000n,
  low: "88",
  rangePpm: 8_000n,
};

const PPM = 1_000_000n;
/** Prices of the path are whole cents. */
const CENT = 1_000_000n;

const cents = (value: bigint): Price => (divide(value, CENT, "down") * CENT) as Price;
const least = (...values: readonly bigint[]): Price => values.reduce((a, b) => (a < b ? a : b)) as Price;
const most = (...values: readonly bigint[]): Price => values.reduce((a, b) => (a > b ? a : b)) as Price;

/** The open of an hour on the straight line between the anchors around it. */
const openAt = (anchors: Anchors, hour: number): Price => {
  const index = anchors.findLastIndex(([at]) => at <= hour);
  const [fromHour, from] = anchors[index] as readonly [number, string];
  const next = anchors[index + 1];
  if (next === undefined || fromHour === hour) return price(from);
  const [toHour, to] = next;
  const rise = price(to) - price(from);
  return cents(price(from) + divide(rise * BigInt(hour - fromHour), BigInt(toHour - fromHour), "down"));
};

const barAt = (marks: Landmarks, hour: number): Bar => {
  const open = openAt(marks.opens, hour);
  const close = openAt(marks.opens, hour + 1);
  const range = cents(divide(open * marks.rangePpm, PPM, "down"));
  // Hours without news swing a little, by turns more upwards and more downwards.
  const [up, down] = hour % 2 === 0 ? [range, range / 2n] : [range / 2n, range];
  const ordinary = {
    openAt: START_AT + hour * HOUR_MS,
    open,
    high: cents(most(open, close, open + up)),
    low: cents(least(open, close) - down),
    close,
  };
  if (hour === CRASH_HOUR) return { ...ordinary, low: cents(divide(open * (PPM - marks.crashPpm), PPM, "down")) };
  if (hour === LOW_HOUR) return { ...ordinary, low: price(marks.low) };
  return { ...ordinary, low: most(ordinary.low, price(marks.low) + CENT) };
};

const seriesOf = (marks: Landmarks): PriceSeries => ({
  symbol: marks.symbol,
  baseAsset: marks.baseAsset,
  quoteAsset: "USDT",
  barMs: HOUR_MS,
  bars: Array.from({ length: HOURS }, (_, hour) => barAt(marks, hour)),
});

/** Hourly bars of BTC and ETH over the two days. */
export const blackThursday = (): PricePath => ({
  series: [seriesOf(BTC), seriesOf(ETH)],
  refused: [],
  source: "12-13 March 2020: a path through published landmarks, not market data",
});
