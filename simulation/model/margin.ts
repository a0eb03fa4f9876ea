import {
  FEE_PPM,
  guardOf,
  HEDGED_PPM,
  type ListedOption,
  listingOf,
  MARK_AGE_MAX_MS,
  PORTFOLIO_POLICY_ID,
  RANGE_PPM,
  RATE_IM_PPM,
  RATE_MM_PPM,
  SUSPECT_AFTER_MS,
} from "../actors/terms.ts";

/**
 * The reference model's arithmetic, written from the rules and not from the core: floating point, one bracket,
 * one currency, no concurrency. It never says what the figure is to the last unit; it says what may have
 * happened and what must have, with room for rounding.
 */

const IM = RATE_IM_PPM / 1e6;
/** Maintenance with the fee of closing (M3). */
const MM = (RATE_MM_PPM + FEE_PPM) / 1e6;
/** Range of the portfolio's grid: its tails are dampened to as much. */
const RANGE = RANGE_PPM / 1e6;
/** Headroom at which a call is due, and at which it is left (R1). */
export const CALL_X = 0.5;
export const CALL_LEFT_X = 0.55;
/** Buffer of a close-out and costs of a liquidation (R14, R19). */
const BUFFER = 0.1;
const COSTS = 0.001;
/** Half width of the band on a price that is not good (R3). */
export const BAND = 0.05;
/** Room for rounding, relative to the notional. */
const ROOM = 1e-7;

export interface Held {
  readonly cash: number;
  /** "standard", or the portfolio's: positions of a coin margined together. */
  readonly policyId: string;
  readonly positions: readonly HeldPosition[];
}

interface HeldPosition {
  readonly instrumentId: string;
  readonly quantity: number;
  readonly entryPrice: number;
}

/** The lowest and the highest price of each instrument that a decision may have seen. */
export type PriceRange = (instrumentId: string) => { readonly low: number; readonly high: number };

export interface Margin {
  readonly equity: number;
  /** Sum of sizes at their prices: what rounding is measured by. */
  readonly notional: number;
  readonly initial: number;
  readonly maintenance: number;
}

/** How far a price is moved from the range: as a share of it, towards the side that is asked for; negative for away from it. */
export type Bands = (instrumentId: string) => number;
const NO_BANDS: Bands = () => 0;
type Side = "worst" | "best";

/** Requirements of perpetuals alone, at the prices of their own profit: one rate each. */
const alone = (notional: number): Pick<Margin, "initial" | "maintenance"> => ({ initial: notional * IM, maintenance: notional * MM });

/** The share of the underlying that a short option needs (M5), for the initial requirement; its value comes on top. */
const optionShare = ({ strike, right }: ListedOption, underlying: number): number => {
  const out = Math.max(0, right === "put" ? underlying - strike : strike - underlying);
  return Math.max(0.15 * underlying - out, 0.1 * underlying);
};

/** Requirement of short options at the prices of a range that ask most, or least (M5, R6). A bought one is not drawn. */
const ofOption = (option: ListedOption, size: number, value: number, underlying: { low: number; high: number }, side: Side) => {
  const kink = option.strike / 0.95;
  const prices = [underlying.low, underlying.high, ...(kink > underlying.low && kink < underlying.high ? [kink] : [])];
  const most = side === "worst" ? Math.max : Math.min;
  const maintenance = most(...prices.map((price) => 0.075 * price)) + value;
  const initial = Math.max(maintenance, most(...prices.map((price) => optionShare(option, price))) + value);
  return { initial: size * initial, maintenance: size * maintenance };
};

/** Requirement of a portfolio: 16 % of what a coin's contracts come to together, and 1 % (IM 1.3 %) of what hedges (M6). */
const ofPortfolio = (positions: readonly HeldPosition[], prices: PriceRange, side: Side): Pick<Margin, "initial" | "maintenance"> => {
  let maintenance = 0;
  let initial = 0;
  for (const coin of new Set(positions.map(({ instrumentId }) => instrumentId.slice(0, 3)))) {
    const legs = positions.filter(({ instrumentId }) => instrumentId.startsWith(coin));
    const ends = legs.map(({ instrumentId, quantity }) => {
      const { low, high } = prices(instrumentId);
      return [quantity * low, quantity * high] as const;
    });
    const [least, most] = [ends.reduce((sum, [a, b]) => sum + Math.min(a, b), 0), ends.reduce((sum, [a, b]) => sum + Math.max(a, b), 0)];
    const isZeroInside = least < 0 && most > 0;
    const net = side === "worst" ? Math.max(-least, most) : isZeroInside ? 0 : Math.min(Math.abs(least), Math.abs(most));
    const spot = legs.map(({ instrumentId }) => prices(instrumentId));
    const at = side === "worst" ? Math.max(...spot.map(({ high }) => high)) : Math.min(...spot.map(({ low }) => low));
    const [long, short] = [1, -1].map((sign) => legs.reduce((sum, { quantity }) => sum + Math.max(0, sign * quantity), 0)) as [
      number,
      number,
    ];
    const hedged = Math.min(long, short) * at;
    maintenance += RANGE * net + (HEDGED_PPM.mmPpm / 1e6) * hedged;
    initial += 1.3 * RANGE * net + (HEDGED_PPM.imPpm / 1e6) * hedged;
  }
  return { initial, maintenance };
};

/** Equity and requirements at the prices of the range that are worst, or best, for the account. */
export const marginAt = ({ cash, policyId, positions }: Held, prices: PriceRange, side: Side, bands: Bands = NO_BANDS): Margin => {
  let equity = cash;
  let notional = 0;
  let [initial, maintenance] = [0, 0];
  const isPortfolio = policyId === PORTFOLIO_POLICY_ID;
  for (const { instrumentId, quantity, entryPrice } of positions) {
    const { low, high } = prices(instrumentId);
    const band = bands(instrumentId);
    const isLow = quantity > 0 === (side === "worst");
    const price = isLow ? low * (1 - band) : high * (1 + band);
    notional += Math.abs(quantity) * price;
    const { option } = listingOf(instrumentId);
    if (option !== undefined) {
      const need = ofOption(option, Math.max(0, -quantity), price, spotRange(prices), side);
      initial += need.initial;
      maintenance += need.maintenance;
      continue;
    }
    equity += quantity * (price - entryPrice);
    if (isPortfolio) continue;
    const need = alone(Math.abs(quantity) * price);
    initial += need.initial;
    maintenance += need.maintenance;
  }
  return { equity, notional, ...(isPortfolio ? ofPortfolio(positions, prices, side) : { initial, maintenance }) };
};

/** Prices that the coin of the options may have had: its contracts'. */
const spotRange = (prices: PriceRange): { low: number; high: number } => {
  const [one, other] = [prices("BTC-PERP"), prices("BTC-FUT")];
  return { low: Math.min(one.low, other.low), high: Math.max(one.high, other.high) };
};

/** Whether equity lies below MM + x (IM - MM), rounding aside: `mayBe` where rounding could make it so, `surely` where it could not. */
export const isBelow = ({ equity, notional, initial, maintenance }: Margin, x: number, how: "mayBe" | "surely"): boolean => {
  const room = ROOM * (notional + maintenance + 1) * (how === "mayBe" ? 1 : -1);
  return equity < maintenance + x * (initial - maintenance) + room;
};

/** The account after part of its only position was closed at the worst price, costs paid. */
const closedBy = (held: Held, size: number, prices: PriceRange): Held => {
  const [only] = held.positions as [HeldPosition];
  const { low, high } = prices(only.instrumentId);
  const price = only.quantity > 0 ? low : high;
  const closed = Math.sign(only.quantity) * size;
  const basis = listingOf(only.instrumentId).option === undefined ? only.entryPrice : 0;
  return {
    ...held,
    cash: held.cash + closed * (price - basis) - size * price * COSTS,
    positions: [{ ...only, quantity: only.quantity - closed }],
  };
};

/** Least quantity of the only position that brings an account back: to 1.1 MM after a close-out, above the call level after a deadline (I12). */
export const leastReduction = (held: Held, prices: PriceRange, target: "closeOut" | "callLevel"): number => {
  const [only] = held.positions;
  const whole = Math.abs(only?.quantity ?? 0);
  const isBack = (size: number): boolean => {
    const margin = marginAt(closedBy(held, size, prices), prices, "worst");
    if (target === "closeOut") return margin.equity >= margin.maintenance * (1 + BUFFER);
    return !isBelow(margin, CALL_LEFT_X, "mayBe");
  };
  let [less, enough] = [0, whole];
  for (let step = 0; step < 50; step += 1) {
    const middle = (less + enough) / 2;
    if (isBack(middle)) enough = middle;
    else less = middle;
  }
  return enough;
};

/** A mark as it stood: price, its instant, and the jump that waited beside it. */
export interface MarkState {
  readonly price: number;
  readonly asOf: number;
  readonly candidate: { readonly price: number; readonly asOf: number } | null;
}

const AGREE = 0.02;
const SKEW_MS = 5_000;

/**
 * Why a mark may not have become this one at `at` by one tick, or null (R3, S17, S21): a move within the guard,
 * or one that a second tick agrees with; never back in time, never from the future, never without a price.
 */
export const illegalMark = (
  instrumentId: string,
  { before, after }: { readonly before: MarkState | null; readonly after: MarkState },
  at: number,
  skewMs: number,
): string | null => {
  if (!(after.price > 0)) return "no price";
  const newest = Math.max(after.asOf, after.candidate?.asOf ?? 0);
  if (newest > at + SKEW_MS + skewMs) return "from the future";
  if (before === null) return null;
  if (after.asOf < before.asOf) return "older than the mark that it replaced";
  if (after.asOf === before.asOf) return after.price === before.price ? null : "another price for the same instant";
  const minutes = Math.max(1, Math.floor((after.asOf - before.asOf) / 60_000));
  const { perMinutePpm, mostPpm } = guardOf(listingOf(instrumentId));
  const guard = Math.min(mostPpm, perMinutePpm * minutes) / 1e6;
  const move = Math.abs(after.price - before.price) / before.price;
  if (move <= guard + ROOM) return null;
  const jump = before.candidate;
  if (jump !== null && after.asOf > jump.asOf && Math.abs(after.price - jump.price) <= jump.price * AGREE + ROOM) return null;
  return `a move of ${(100 * move).toFixed(1)} % that no second tick agrees with`;
};

/** True where the mark could be used for trading by a clock that shows `now` at the earliest (R3, I07). */
export const isGoodAt = (mark: MarkState, now: number): boolean =>
  now - mark.asOf <= MARK_AGE_MAX_MS && (mark.candidate === null || now - mark.candidate.asOf < SUSPECT_AFTER_MS);
