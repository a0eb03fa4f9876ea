import type { Position } from "./account.ts";
import type { Instrument } from "./instrument.ts";
import { abs, divide, type Money, min, type Price, type Quantity } from "./money.ts";
import { isPremium, profitOf } from "./valuation.ts";

/** What a fill makes of a position, and what it pays into the settlement asset: the realised profit, or the premium. */
export interface Filled {
  /** Null where the fill closed the position. */
  readonly position: Position | null;
  readonly realised: Money;
}

/**
 * Average entry of a position that grows: by quantity (linear), or by coin value (inverse, where the
 * average is harmonic). The remainder goes against the account: up for a long, down for a short.
 */
const averageEntry = (instrument: Instrument, held: Position, quantity: Quantity, price: Price): Price => {
  const [q0, q1] = [abs(held.quantity), abs(quantity)];
  const against = held.quantity > 0n ? "up" : "down";
  if (instrument.kind !== "inverse") return divide(q0 * held.entryPrice + q1 * price, q0 + q1, against) as Price;
  return divide((q0 + q1) * held.entryPrice * price, q0 * price + q1 * held.entryPrice, against) as Price;
};

const fillMargined = (instrument: Instrument, held: Position | null, quantity: Quantity, price: Price): Filled => {
  const { instrumentId } = instrument;
  if (held === null) return { position: { instrumentId, quantity, entryPrice: price }, realised: 0n as Money };
  if (held.quantity > 0n === quantity > 0n) {
    const grown = (held.quantity + quantity) as Quantity;
    return {
      position: { instrumentId, quantity: grown, entryPrice: averageEntry(instrument, held, quantity, price) },
      realised: 0n as Money,
    };
  }
  const closed = min(abs(held.quantity), abs(quantity));
  const signed = (held.quantity > 0n ? closed : -closed) as Quantity;
  const left = (held.quantity + quantity) as Quantity;
  const realised = profitOf(instrument, signed, held.entryPrice, price);
  if (left === 0n) return { position: null, realised };
  const flipped = left > 0n !== held.quantity > 0n;
  return { position: { instrumentId, quantity: left, entryPrice: flipped ? price : held.entryPrice }, realised };
};

/** A premium is paid or received in cash with each fill, whatever was held before (M1); the entry price is kept to be shown. */
const fillPremium = (instrument: Instrument, held: Position | null, quantity: Quantity, price: Price): Filled => ({
  ...fillMargined(instrument, held, quantity, price),
  realised: profitOf(instrument, -quantity as Quantity, 0n as Price, price),
});

/**
 * Applies a fill to the position held in its instrument.
 *
 * @param quantity signed: positive buys. It opens, adds, reduces, closes, or closes and opens the other way.
 * @throws RangeError for a spot pair, in which no position is held.
 */
export const fillPosition = (instrument: Instrument, held: Position | null, quantity: Quantity, price: Price): Filled => {
  if (instrument.kind === "spot") throw new RangeError(`no position is held in the spot pair ${instrument.instrumentId}`);
  if (quantity === 0n) return { position: held, realised: 0n as Money };
  if (isPremium(instrument)) return fillPremium(instrument, held, quantity, price);
  return fillMargined(instrument, held, quantity, price);
};
