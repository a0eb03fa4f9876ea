import { accruedFunding, type FundedPosition, fundingAddOn } from "./funding.ts";
import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { abs, divide, ONE } from "./money.ts";
import { confidenceAddOn, depegAddOn } from "./options-margin/add-ons.ts";
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
/** φ of a policy that names none: the default of M1. */
export const FUNDING_FACTOR: Ppm = 500_000;

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

/** `(1 − c)·k·|N|` of a position whose price is in doubt (M2), IM only; a portfolio's model has its own. */
const confidenceCharge = (position: ChargedPosition, { told, instrument }: PricedInstrument, { model, confidence }: Policy): Charge[] => {
  if (told === null || confidence === undefined || model.kind === "portfolio") return [];
  const initial = confidenceAddOn(exposureOf(position), told.confidencePpm, confidence);
  return initial === 0n ? [] : [{ name: `${instrument.instrumentId}: price confidence`, initial, maintenance: NOTHING }];
};

/** A perpetual as its funding sees it: the signed notional, and the rate as what a unit of it pays. */
const fundedOf = ({ priced: { instrument }, quantity, price }: ChargedPosition, rate: Price): FundedPosition => {
  const notional = notionalOf(instrument, quantity, price);
  return { quantity: (quantity < 0n ? -notional : notional) as bigint as Quantity, multiplier: ONE as Quantity, paymentPerUnit: rate };
};

/** `φ·(expected next payment)⁺` of a perpetual (M1), IM and MM. */
const fundingCharge = (position: ChargedPosition, { told, instrument }: PricedInstrument, { fundingFactor }: Policy): Charge[] => {
  if (told === null || told.funding === null) return [];
  const addOn = fundingAddOn(fundedOf(position, told.funding.rate), fundingFactor ?? FUNDING_FACTOR);
  return addOn === 0n ? [] : [{ name: `${instrument.instrumentId}: next funding payment`, initial: addOn, maintenance: addOn }];
};

/** Funding since the last settlement that equity counts already (M1), in the settlement asset, rounded down; negative is owed. */
export const accruedOf = (position: ChargedPosition): Money => {
  const funding = position.priced.told?.funding ?? null;
  return funding === null ? NOTHING : accruedFunding(fundedOf(position, funding.rate), funding.elapsedMs, funding.intervalMs);
};

/** True where a position may have a charge or funding: asked for each position of every valuation, so that the rest costs nothing. */
export const isCharged = (priced: PricedInstrument, settled: PricedAsset | null): boolean =>
  priced.told !== null || (settled !== null && settled.depeg !== null);

/** The charges of a position that settles in an asset, by name. */
export const chargesOf = (position: ChargedPosition, settled: PricedAsset | null, side: "low" | "high", policy: Policy): Charge[] => [
  ...fundingCharge(position, position.priced, policy),
  ...confidenceCharge(position, position.priced, policy),
  ...(settled === null ? [] : depegCharge(position, settled, side, policy)),
];
