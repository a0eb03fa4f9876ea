import type { ModelLeg, ValueSide } from "./equity.ts";
import type { Asset, Instrument } from "./instrument.ts";
import { type PricedMarket, pricedAsset } from "./market.ts";
import type { Component } from "./model-requirement.ts";
import { estimated, type Money, ONE, type Ppm } from "./money.ts";
import type { Policy } from "./policy.ts";
import { black76Greeks } from "./pricing/black76.ts";
import { faultOfTerms } from "./pricing/option-fault.ts";
import { type LiquidityCost, liquidityCost } from "./risk/liquidity.ts";
import type { Answer } from "./statistics/answer.ts";
import { TermsError } from "./terms-error.ts";
import { notionalOf, type PricedOption, pointOf } from "./valuation.ts";

/** What closing costs in the market of one base asset, as a policy states it (M8). Shares are in ppm. */
export interface UnitLiquidity {
  /** ADV: value of what is traded in a day, in the valuation asset; the median of 20 days. */
  readonly averageVolume: Money;
  /** Bid-ask spread as a share of the price; half of it is paid. */
  readonly spread: Ppm;
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

/** Checks the liquidity terms of a policy when it is loaded. @throws TermsError that names the asset and the mend. */
export const validateLiquidity = (name: string, liquidity: NonNullable<Policy["liquidity"]>): void => {
  for (const [asset, unit] of Object.entries(liquidity)) {
    const answer = unitLiquidityCost(1, unit);
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

/** The delta of one unit of an option by its forward, at expiry that of its payoff; null where no volatility tells it. What an average has fixed moves no more (M1). */
const deltaOf = ({ terms, forward, volatility, years }: PricedOption): number | null => {
  if (forward === null || (volatility === null && years > 0)) return null;
  const priced = { forward, strike: whole(terms.strike), volatility: volatility ?? 0, years, discount: 1 };
  if (faultOfTerms(priced) !== null) return null;
  const window = terms.averagingMs / YEAR_MS;
  return black76Greeks(priced, terms.right).delta * (window > years ? years / window : 1);
};

/** The least and the most that a position's exposure can be, in the valuation asset; one figure twice where its price and its delta are told. */
const exposureOf = (leg: ModelLeg, market: PricedMarket, side: ValueSide): readonly [least: number, most: number] => {
  const { priced, quantity, entryPrice } = leg;
  const { instrument, option } = priced;
  const rate = settledAt(market, instrument.settleAsset, side);
  if (option === null) {
    const notional = whole(notionalOf(instrument, quantity, pointOf(priced, quantity, entryPrice, side).price)) * rate;
    const signed = quantity < 0n ? -notional : notional;
    return [signed, signed];
  }
  const { terms, forward } = option;
  const unit = terms.settlement === "inverse" ? 1 : (forward ?? whole(terms.strike));
  const full = whole(quantity) * whole(instrument.multiplier) * unit * rate;
  const delta = deltaOf(option);
  if (delta !== null) return [full * delta, full * delta];
  const end = terms.right === "call" ? full : -full;
  return [Math.min(0, end), Math.max(0, end)];
};

/**
 * The net exposure to each base asset with liquidity terms, either sign, in the valuation asset: contracts by their
 * notional, options by their delta, all of one asset against each other. A delta that nobody knows is anything between
 * nothing and the whole: E_low takes the largest net exposure that follows, E_high the smallest (R3).
 */
export const netExposures = (legs: readonly ModelLeg[], market: PricedMarket, side: ValueSide): ReadonlyMap<Asset, number> => {
  const ends = new Map<Asset, readonly [least: number, most: number]>();
  for (const leg of legs) {
    const { instrument } = leg.priced;
    if (!isLiquidityCharged(instrument, market.policy)) continue;
    const [least, most] = ends.get(instrument.baseAsset) ?? [0, 0];
    const own = exposureOf(leg, market, side);
    ends.set(instrument.baseAsset, [least + own[0], most + own[1]]);
  }
  return new Map(
    [...ends].map(([asset, [least, most]]) => {
      const nearest = least > 0 ? least : most < 0 ? most : 0;
      return [asset, side === "high" ? nearest : Math.abs(least) > Math.abs(most) ? least : most];
    }),
  );
};

/**
 * What closing the net exposure to each base asset would cost, and what is charged where it is too large for its market
 * (M8), by name: estimates rounded up once. The same in IM and MM: the cost of closing is the same whoever closes, and a
 * liquidation is what the maintenance requirement has to pay for. Never netted between base assets.
 */
export const liquidityComponents = (legs: readonly ModelLeg[], market: PricedMarket, side: ValueSide): readonly Component[] => {
  const { liquidity } = market.policy;
  if (liquidity === undefined) return [];
  return [...netExposures(legs, market, side)].flatMap(([asset, exposure]): Component[] => {
    const cost = unitLiquidityCost(exposure, liquidity[asset] as UnitLiquidity);
    // The terms were validated when the policy was loaded and every exposure is finite: a fault is a bug, and the account is set aside.
    if (!cost.ok) throw new RangeError(`liquidity of ${asset} ${cost.fault}: ${cost.detail}`);
    const parts: readonly (readonly [string, number])[] = [
      ["liquidity", cost.value.cost + cost.value.timeRisk],
      ["concentration", cost.value.concentration],
    ];
    return parts.flatMap(([name, value]): Component[] => {
      const required = estimated(value);
      return required === 0n ? [] : [{ name: `${asset}: ${name}`, initial: required, maintenance: required }];
    });
  });
};
