import type { ModelLeg, ValueSide } from "./equity.ts";
import type { Asset, Instrument } from "./instrument.ts";
import { type PricedMarket, pricedAsset } from "./market.ts";
import type { Component } from "./model-requirement.ts";
import { estimated, type Money, ONE, type Ppm } from "./money.ts";
import type { Policy } from "./policy.ts";
import { black76Greeks } from "./pricing/black76.ts";
import { faultOfTerms } from "./pricing/option-fault.ts";
import { type LiquidityCost, liquidityCost, vegaCost } from "./risk/liquidity.ts";
import type { Answer } from "./statistics/answer.ts";
import { TermsError } from "./terms-error.ts";
import { isPremium, notionalOf, type PricedOption, pointOf } from "./valuation.ts";

/** What closing costs in the market of one base asset, as a policy states it (M8). Shares are in ppm. */
export interface UnitLiquidity {
  /** ADV: value of what is traded in a day, in the valuation asset; the median of 20 days. */
  readonly averageVolume: Money;
  /** Bid-ask spread as a share of the price; half of it is paid. */
  readonly spread: Ppm;
  /** Bid-ask spread of options in volatility a year: 20,000 is two points of it. Absent: their vega costs nothing. */
  readonly volatilitySpread?: Ppm;
  /** σ of one day's return. */
  readonly dailyVolatility: Ppm;
  /** Y of the square-root law; 1,000,000 is 1. */
  readonly impact: Ppm;
  /** κ: the share of a day's volume that a liquidation may be. */
  readonly participation: Ppm;
  /** Confidence of the price risk while the closing lasts; 500,000 asks for none. */
  readonly confidence: Ppm;
  /** τ: up to this share of a day's volume nothing is charged for concentration. */
  readonly threshold: Ppm;
  /** c: charge on what is above it. */
  readonly charge: Ppm;
}

const WHOLE = 1_000_000;
const YEAR_MS = 31_536_000_000;
const whole = (value: bigint): number => Number(value) / Number(ONE);

/** The add-on of a net exposure in the valuation asset, either sign, on these terms (M8). */
export const unitLiquidityCost = (exposure: number, unit: UnitLiquidity): Answer<LiquidityCost> => {
  const { averageVolume, spread, dailyVolatility, impact, participation, confidence, threshold, charge } = unit;
  return liquidityCost(
    exposure,
    { halfSpread: spread / WHOLE / 2, dailyVolatility: dailyVolatility / WHOLE, averageVolume: whole(averageVolume) },
    { impact: impact / WHOLE, participation, confidence, threshold, charge },
  );
};

/** The add-on of a net vega, a year's volatility of 1.00, on these terms (M8). */
const vegaCostOf = (vega: number, { volatilitySpread = 0 }: UnitLiquidity): Answer<number> => vegaCost(vega, volatilitySpread / WHOLE / 2);

/** Checks the liquidity terms of a policy when it is loaded. @throws TermsError that names the asset and the mend. */
export const validateLiquidity = (name: string, liquidity: NonNullable<Policy["liquidity"]>): void => {
  for (const [asset, unit] of Object.entries(liquidity)) {
    for (const answer of [unitLiquidityCost(1, unit), vegaCostOf(1, unit)])
      if (!answer.ok) throw new TermsError(name, `liquidity ${asset}`, answer.detail, "See the liquidity page for each term (M8)");
  }
};

/** True where the policy charges for the liquidity of an instrument's base asset. */
export const isLiquidityCharged = ({ baseAsset }: Instrument, { liquidity }: Policy): boolean => liquidity?.[baseAsset] !== undefined;

/** Value of one unit of a settlement asset; 1 where nobody prices it, and E_low says so (R3). */
const settledAt = (market: PricedMarket, asset: Asset, side: ValueSide): number => {
  const priced = pricedAsset(market, asset);
  const price = side === "high" ? priced?.high : priced?.upper;
  return price === undefined || price === 0n ? 1 : whole(price);
};

/** The least and the most that a figure can be, the same twice where it is told. */
type Span = readonly [least: number, most: number];
const added = (a: Span, b: Span): Span => [a[0] + b[0], a[1] + b[1]];
/** `of` times a sensitivity that is anything between two figures. */
const scaled = (of: number, [least, most]: Span): Span => (of < 0 ? [of * most, of * least] : [of * least, of * most]);

/** What moves a position: with the price of its base asset, and with the volatility of its options by 1.00; in the valuation asset. */
interface Exposure {
  readonly delta: Span;
  readonly vega: Span;
}

/** An exposure of nothing. */
const NONE: Exposure = { delta: [0, 0], vega: [0, 0] };
const addedTo = (a: Exposure, b: Exposure): Exposure => ({ delta: added(a.delta, b.delta), vega: added(a.vega, b.vega) });

/** The greatest density of the normal distribution: no option has more vega than the forward, times it, times √T. */
const DENSITY_MAX = 1 / Math.sqrt(2 * Math.PI);

/**
 * Delta and vega of one unit of an option by its forward, the vega as a share of the forward; at expiry those of its
 * payoff. What an average has fixed moves no more (M1). Without a volatility a delta is anything from nothing to the whole,
 * and the vega from nothing to the greatest that there is.
 */
const greeksOf = ({ terms, forward, volatility, years }: PricedOption): Exposure => {
  const window = terms.averagingMs / YEAR_MS;
  const open = window > years ? years / window : 1;
  const told = forward !== null && (volatility !== null || years === 0);
  const priced = { forward: forward ?? 0, strike: whole(terms.strike), volatility: volatility ?? 0, years, discount: 1 };
  if (!told || faultOfTerms(priced) !== null) {
    return { delta: terms.right === "call" ? [0, 1] : [-1, 0], vega: [0, DENSITY_MAX * Math.sqrt(years)] };
  }
  const greeks = black76Greeks(priced, terms.right);
  const [delta, vega] = [greeks.delta * open, (greeks.vega * open) / priced.forward];
  return { delta: [delta, delta], vega: [vega, vega] };
};

const exposureOf = ({ priced, quantity, entryPrice }: ModelLeg, market: PricedMarket, side: ValueSide): Exposure => {
  const { instrument, option } = priced;
  const rate = settledAt(market, instrument.settleAsset, side);
  if (option === null) {
    const notional = whole(notionalOf(instrument, quantity, pointOf(priced, quantity, entryPrice, side).price)) * rate;
    const signed = quantity < 0n ? -notional : notional;
    return { delta: [signed, signed], vega: NONE.vega };
  }
  const { terms, forward } = option;
  const unit = terms.settlement === "inverse" ? 1 : (forward ?? whole(terms.strike));
  const full = whole(quantity) * whole(instrument.multiplier) * unit * rate;
  const { delta, vega } = greeksOf(option);
  return { delta: scaled(full, delta), vega: scaled(full, vega) };
};

/** Exposures to one base asset: what must be closed, and what is set against it as far as it helps. */
interface Net {
  readonly must: Exposure;
  readonly may: Exposure;
}

/**
 * True for an option that was bought and paid for where its value is no equity, in standard option margin (R6): whoever
 * holds it loses nothing that counts, and nobody has to close it.
 */
const isOptional = ({ priced: { instrument }, quantity }: ModelLeg, { model }: Policy): boolean =>
  model.kind === "standard" && isPremium(instrument) && quantity > 0n;

/** What of an optional exposure may be left out: all of it; of one in doubt E_low counts on what is sure to help, E_high on what may. */
const optional = ({ delta, vega }: Exposure, side: ValueSide): Exposure => {
  const part = ([least, most]: Span): Span =>
    side === "high" ? [Math.min(0, least), Math.max(0, most)] : [Math.min(0, most), Math.max(0, least)];
  return { delta: part(delta), vega: part(vega) };
};

/** The size of what is left. E_low takes the largest that there can be, E_high the smallest: a doubt liquidates nobody (R3). */
const sizeOf = (must: Span, may: Span, side: ValueSide): number => {
  const left = (of: number): number => Math.max(0, of + may[0], -(of + may[1]));
  if (side === "low") return Math.max(left(must[0]), left(must[1]));
  const [least, most] = added(must, may);
  return Math.max(0, least, -most);
};

/**
 * The net exposures to each base asset with liquidity terms: contracts by their notional, options by their delta and vega,
 * all of one asset against each other.
 */
const netExposures = (legs: readonly ModelLeg[], market: PricedMarket, side: ValueSide): ReadonlyMap<Asset, Net> => {
  const nets = new Map<Asset, Net>();
  for (const leg of legs) {
    const { instrument } = leg.priced;
    if (!isLiquidityCharged(instrument, market.policy)) continue;
    const { must, may } = nets.get(instrument.baseAsset) ?? { must: NONE, may: NONE };
    const own = exposureOf(leg, market, side);
    const net = isOptional(leg, market.policy) ? { must, may: addedTo(may, optional(own, side)) } : { must: addedTo(must, own), may };
    nets.set(instrument.baseAsset, net);
  }
  return nets;
};

/** The terms were validated when the policy was loaded and every exposure is finite: a fault is a bug, and the account is set aside. */
const sound = <Value>(asset: Asset, answer: Answer<Value>): Value => {
  if (!answer.ok) throw new RangeError(`liquidity of ${asset} ${answer.fault}: ${answer.detail}`);
  return answer.value;
};

/**
 * What closing the net exposure to each base asset would cost, and what is charged where it is too large for its market
 * (M8), by name: estimates rounded up once. The same in IM and MM: the cost of closing is the same whoever closes, and a
 * liquidation is what the maintenance requirement has to pay for. Never netted between base assets.
 */
export const liquidityComponents = (legs: readonly ModelLeg[], market: PricedMarket, side: ValueSide): readonly Component[] => {
  const { liquidity } = market.policy;
  if (liquidity === undefined) return [];
  return [...netExposures(legs, market, side)].flatMap(([asset, { must, may }]): Component[] => {
    const unit = liquidity[asset] as UnitLiquidity;
    const exposure = sizeOf(must.delta, may.delta, side);
    const { cost, timeRisk, concentration } = sound(asset, unitLiquidityCost(exposure, unit));
    const parts: readonly (readonly [string, number])[] = [
      ["liquidity", cost + timeRisk],
      ["concentration", concentration],
      ["volatility spread", sound(asset, vegaCostOf(sizeOf(must.vega, may.vega, side), unit))],
    ];
    return parts.flatMap(([name, value]): Component[] => {
      const required = estimated(value);
      return required === 0n ? [] : [{ name: `${asset}: ${name}`, initial: required, maintenance: required }];
    });
  });
};
