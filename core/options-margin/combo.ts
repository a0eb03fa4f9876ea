import type { Money, Ppm, Quantity } from "../money.ts";
import { abs, divide, min, PPM } from "../money.ts";
import { compareRatio, type Ratio, ratio } from "../ratio.ts";
import type { OptionLeg } from "./leg.ts";
import { worthOf } from "./leg.ts";

/** What a plan to close part of an expiry needs to know. */
export interface ComboTerms {
  /** Maintenance requirement of the expiry. */
  readonly maintenance: Money;
  /** What the account is short of: `MM·(1+b) − E`, above 0. */
  readonly need: Money;
  /** `b`: the buffer that a liquidation restores, as a share of MM. */
  readonly buffer: Ppm;
  /** Fees and impact of closing the whole expiry, 0 or above. */
  readonly cost: Money;
  readonly lotSize: Quantity;
}

/** One trade of a combo: positive buys back a short option, negative sells a long one. */
export interface ComboTrade {
  readonly instrumentId: string;
  readonly quantity: Quantity;
}

export interface ComboClose {
  /** Share of the expiry that is closed, above 0 and at most 1, exact. */
  readonly share: Ratio;
  /** False where even the whole expiry does not cover the need. */
  readonly covers: boolean;
  /** Short options first: after no trade does the expiry need more than before them all. One order where the venue takes combos. */
  readonly trades: readonly ComboTrade[];
}

const WHOLE: Ratio = { numerator: 1n, denominator: 1n };

/** Least share of an expiry that covers the need: requirement and value scale with it, so the relief does too. */
const shareFor = (legs: readonly OptionLeg[], { maintenance, need, buffer, cost }: ComboTerms): { share: Ratio; covers: boolean } => {
  // What premium style leaves out of equity is paid or received when the options are closed.
  const cash = legs.reduce((sum, leg) => (leg.style === "premium" ? sum + worthOf(leg) : sum), 0n);
  const relief = maintenance * (PPM + BigInt(buffer)) + (cash - cost) * PPM;
  if (relief <= 0n) return { share: WHOLE, covers: false };
  const share = ratio(need * PPM, relief);
  return compareRatio(share, WHOLE) > 0 ? { share: WHOLE, covers: false } : { share, covers: true };
};

/**
 * Plans to close the least part of an expiry that covers a need, as a combo (M5, M12, R19): the same share of every
 * leg, short options rounded up to lots and long ones down, so that no step leaves a short option barer than it was.
 * Legs closed one by one can become unaffordable: a spread without its long leg needs the whole short one's margin.
 *
 * @param legs of one expiry; quantities are whole lots.
 * @returns the trades. Rounding moves the relief by at most a lot of each leg; the next attempt sees what is left.
 */
export const planComboClose = (legs: readonly OptionLeg[], terms: ComboTerms): ComboClose => {
  const { share, covers } = shareFor(legs, terms);
  const tradeOf = (leg: OptionLeg): ComboTrade => {
    const size = abs(leg.quantity);
    const short = leg.quantity < 0n;
    const lots = divide(size * share.numerator, share.denominator * terms.lotSize, short ? "up" : "down");
    const closed = min<bigint>(lots * terms.lotSize, size);
    return { instrumentId: leg.instrumentId, quantity: (short ? closed : -closed) as Quantity };
  };
  const trades = legs.map(tradeOf).filter(({ quantity }) => quantity !== 0n);
  return { share, covers, trades: [...trades.filter(({ quantity }) => quantity > 0n), ...trades.filter(({ quantity }) => quantity < 0n)] };
};
