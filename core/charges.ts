import type { Money, Price, Quantity } from "./money.ts";
import { abs, divide, ONE } from "./money.ts";
import { depegAddOn } from "./options-margin/add-ons.ts";
import type { Policy } from "./policy.ts";
import { notionalOf, type PricedAsset, type PricedInstrument } from "./valuation.ts";

/** What one position needs beside its brackets or its model, in its settlement asset; each part is rounded up. */
export interface Charge {
  readonly name: string;
  readonly initial: Money;
  readonly maintenance: Money;
}

/** A position as charges see it, on one side of R3. */
export interface ChargedPosition {
  readonly priced: PricedInstrument;
  readonly quantity: Quantity;
  /** Price of the position on that side. */
  readonly price: Price;
}

const NOTHING = 0n as Money;

/**
 * Notional that a doubt about a price weighs on, in the settlement asset, rounded up: a contract's own (R5), and of an
 * option that was sold its underlying's, or one coin a unit. An option that was bought cannot cost more than it is worth.
 */
const exposureOf = ({ priced: { instrument, option }, quantity, price }: ChargedPosition): Money => {
  if (option === null) return notionalOf(instrument, quantity, price);
  if (quantity > 0n) return NOTHING;
  const inCoin = option.terms.settlement === "inverse" || option.forward === null;
  const unit = inCoin ? ONE : BigInt(Math.ceil(option.forward * Number(ONE)));
  return divide(abs(quantity) * instrument.multiplier * unit, ONE * ONE, "up") as Money;
};

/** `(s* − s)·f·exposure` of a position that settles in a stable asset below its peg (M2), IM only; a portfolio's model has its own. */
const depegCharge = (position: ChargedPosition, { depeg, terms }: PricedAsset, side: "low" | "high", policy: Policy): Charge[] => {
  if (depeg === null || policy.model.kind === "portfolio") return [];
  const initial = depegAddOn(exposureOf(position), depeg[side], depeg.threshold, depeg.factor);
  if (initial === 0n) return [];
  return [{ name: `${position.priced.instrument.instrumentId}: ${terms.asset} below its peg`, initial, maintenance: NOTHING }];
};

/** True where a position may have a charge: asked for each position of every valuation, so that the rest costs nothing. */
export const isCharged = (settled: PricedAsset | null): boolean => settled !== null && settled.depeg !== null;

/** The charges of a position that settles in an asset, by name. */
export const chargesOf = (position: ChargedPosition, settled: PricedAsset | null, side: "low" | "high", policy: Policy): Charge[] =>
  settled === null ? [] : depegCharge(position, settled, side, policy);
