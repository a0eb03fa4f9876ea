import type { Money, Price, Quantity, Rounding } from "../money.ts";
import { divide, ONE } from "../money.ts";
import { multiplyRatio, type Ratio, ratio, roundRatio } from "../ratio.ts";

/** One option of an account, with its mark. */
export interface OptionLeg {
  readonly instrumentId: string;
  readonly right: "call" | "put";
  /** `linear` settles in the quote asset, `inverse` in the underlying coin. */
  readonly kind: "linear" | "inverse";
  /** `premium`: paid for when it is bought, so its value is no part of equity (R6). `futures`: settled to its mark every day. */
  readonly style: "premium" | "futures";
  /** Instant of expiry, UTC epoch milliseconds. */
  readonly expiryAt: number;
  /** In the quote asset, above 0. */
  readonly strike: Price;
  /** Contracts; positive is long. */
  readonly quantity: Quantity;
  /** Units of the underlying per contract, above 0. */
  readonly multiplier: Quantity;
  /** Mark of the option for one unit of the underlying, in the asset that it settles in; 0 or above. */
  readonly value: Price;
}

/** The marks that an expiry is judged on. All in the quote asset. */
export interface OptionMarket {
  /** Index price of the underlying, above 0. */
  readonly spot: Price;
  /** Forward price by instant of expiry, above 0. */
  readonly forwards: ReadonlyMap<number, Price>;
}

/** Why legs cannot be judged. Nothing is guessed: the account is then judged as one with a missing mark (R3). */
export type OptionMarginFault =
  | { readonly ok: false; readonly fault: "NO_SPOT" }
  | { readonly ok: false; readonly fault: "NO_FORWARD"; readonly expiryAt: number }
  | {
      readonly ok: false;
      readonly fault: "BAD_STRIKE" | "BAD_MULTIPLIER" | "BAD_VALUE" | "MIXED_SETTLEMENT";
      readonly instrumentId: string;
    };

/** Units of the underlying at scale 1e-16; positive is long. */
export const unitsOf = (leg: OptionLeg): bigint => leg.quantity * leg.multiplier;

/** An amount for one unit of the underlying, times a number of units at scale 1e-16, as money. */
export const forUnits = (perUnit: Ratio, units: bigint, rounding: Rounding): Money =>
  roundRatio(multiplyRatio(perUnit, ratio(units, ONE * ONE)), rounding) as Money;

/** What a leg is worth at its mark; negative for a short one. Rounded down. */
export const worthOf = (leg: OptionLeg): Money => divide(unitsOf(leg) * leg.value, ONE * ONE, "down") as Money;

/** The first fault of the legs, or null. */
export const faultOf = (legs: readonly OptionLeg[], { spot, forwards }: OptionMarket): OptionMarginFault | null => {
  if (spot <= 0n) return { ok: false, fault: "NO_SPOT" };
  const first = legs[0];
  for (const leg of legs) {
    const { instrumentId } = leg;
    if (leg.strike <= 0n) return { ok: false, fault: "BAD_STRIKE", instrumentId };
    if (leg.multiplier <= 0n) return { ok: false, fault: "BAD_MULTIPLIER", instrumentId };
    if (leg.value < 0n) return { ok: false, fault: "BAD_VALUE", instrumentId };
    if (leg.kind !== first?.kind || leg.style !== first.style) return { ok: false, fault: "MIXED_SETTLEMENT", instrumentId };
    if ((forwards.get(leg.expiryAt) ?? 0n) <= 0n) return { ok: false, fault: "NO_FORWARD", expiryAt: leg.expiryAt };
  }
  return null;
};
