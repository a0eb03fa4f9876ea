import { black76Greeks } from "./black76.ts";
import type { OptionRight } from "./option-fault.ts";

/** A European option on a spot price that carries: `carry` is the rate less the yield of the underlying. */
export interface CarryTerms {
  readonly spot: number;
  readonly strike: number;
  readonly volatility: number;
  readonly years: number;
  /** Continuous rate that discounts. */
  readonly rate: number;
  /** Continuous cost of carry b: the rate for a share, rate − yield with a dividend, 0 for a future. */
  readonly carry: number;
}

/** Sensitivities to the spot; theta by the passing of a year. */
export interface CarryGreeks {
  readonly value: number;
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
  readonly theta: number;
  /** By the rate, the yield unchanged. */
  readonly rho: number;
  /** By the yield, the rate unchanged. */
  readonly dividendRho: number;
  /** Percent of value for a percent of spot; 0 for an option worth 0. */
  readonly elasticity: number;
}

/**
 * Generalised Black-Scholes-Merton (M1): Black-76 on the forward `S·exp(bT)`, its greeks by the chain rule.
 * Inputs are judged by the caller: spot and strike above 0.
 */
export const blackScholesGreeks = (terms: CarryTerms, right: OptionRight): CarryGreeks => {
  const { spot, strike, volatility, rate, carry } = terms;
  const years = Math.max(0, terms.years);
  const growth = Math.exp(carry * years);
  const forward = spot * growth;
  const on = black76Greeks({ forward, strike, volatility, years, discount: Math.exp(-rate * years) }, right);
  const byCarry = on.delta * forward;
  const delta = on.delta * growth;
  return {
    value: on.value,
    delta,
    gamma: on.gamma * growth * growth,
    vega: on.vega,
    theta: on.theta - carry * byCarry,
    rho: on.rho + byCarry * years,
    dividendRho: -byCarry * years,
    elasticity: on.value === 0 ? 0 : (delta * spot) / on.value,
  };
};
