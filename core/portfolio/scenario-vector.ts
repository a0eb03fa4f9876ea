import { black76, black76Greeks, stdDevOf } from "../pricing/black76.ts";
import { type Scenario, type ScenarioSet, shockedVolatility } from "./scenario-set.ts";
import { skewFactor } from "./skew.ts";

const YEAR_MS = 365 * 86_400_000;

/** What the market says of a risk unit at one snapshot. */
export interface UnitMarket {
  /** Index price of the underlying in the quote asset, above 0. */
  readonly spot: number;
  /** Value of one unit of the quote asset in the valuation asset: 1 where they are the same. */
  readonly quoteRate: number;
}

/** A future, a perpetual or a holding, valued at its own mark, which moves with the unit's price. */
interface PriceLeg {
  /** linear: `m` base units a contract. inverse: a contract worth `m` of the quote asset, settled in coin. spot: a holding of 1. */
  readonly kind: "linear" | "inverse" | "spot";
  readonly mark: number;
  readonly multiplier: number;
  /** Time to expiry in ms; null for a perpetual and for spot. */
  readonly timeMs: number | null;
}

/** A European option on the forward of its expiry. */
export interface OptionLeg {
  readonly kind: "option";
  readonly isCall: boolean;
  readonly strike: number;
  readonly forward: number;
  /** The part of the forward that a settlement average has fixed already: no scenario moves it. */
  readonly forwardFixed: number;
  /** Volatility a year, above 0; of no account at expiry. */
  readonly volatility: number;
  /** Value today of 1 at expiry. */
  readonly discount: number;
  /** Interest rate a year to expiry, of the close-out value. */
  readonly rate: number;
  readonly timeMs: number;
  readonly multiplier: number;
  /** inverse: paid in coin, worth `V/F` coins. */
  readonly settle: "linear" | "inverse";
}

export type Leg = PriceLeg | OptionLeg;

/** Why an instrument has no price; NOT_FINITE: a scenario takes its value beyond what a number holds. */
export type PricingFault =
  | "NO_SPOT"
  | "NO_MARK"
  | "NO_FORWARD"
  | "NO_STRIKE"
  | "NO_VOLATILITY"
  | "NO_DISCOUNT"
  | "EXPIRED"
  | "NO_MULTIPLIER"
  | "NOT_FINITE";

/** One contract under every scenario of its unit, or why not. Figures are in the valuation asset. */
export type ScenarioVector =
  | {
      readonly ok: true;
      /** Present value of what equity holds of it: of an option or a holding. 0 for a future, whose profit is cash already (R6). */
      readonly value: number;
      /** Base units that one contract moves like. */
      readonly delta: number;
      /** Profit and loss of one contract in each row of the set, not yet weighted. */
      readonly pnl: Float64Array;
    }
  | { readonly ok: false; readonly fault: PricingFault };

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;

const faultOf = (leg: Leg, { spot, quoteRate }: UnitMarket): PricingFault | null => {
  if (!isPositive(spot) || !isPositive(quoteRate)) return "NO_SPOT";
  if (!isPositive(leg.multiplier)) return "NO_MULTIPLIER";
  if (leg.timeMs !== null && !(Number.isFinite(leg.timeMs) && leg.timeMs >= 0)) return "EXPIRED";
  if (leg.kind !== "option") return isPositive(leg.mark) ? null : "NO_MARK";
  const { forward, forwardFixed, strike, volatility, discount, rate } = leg;
  if (!isPositive(forward) || !(forwardFixed >= 0 && forwardFixed <= forward)) return "NO_FORWARD";
  if (!isPositive(strike)) return "NO_STRIKE";
  // At expiry it is worth its payoff, which no volatility moves: no mark implies one any more.
  if (leg.timeMs > 0 && !isPositive(volatility)) return "NO_VOLATILITY";
  return isPositive(discount) && Number.isFinite(rate) ? null : "NO_DISCOUNT";
};

/** Value of an option in the quote asset at a price factor and a volatility. */
const optionValue = (leg: OptionLeg, spot: number, priceFactor: number, volatility: number): number => {
  const forward = leg.forwardFixed + (leg.forward - leg.forwardFixed) * priceFactor;
  const value = leg.multiplier * black76(forward, leg.strike, stdDevOf(volatility, leg.timeMs / YEAR_MS), leg.discount, leg.isCall);
  return leg.settle === "linear" ? value : (value / forward) * spot * priceFactor;
};

const volatilityOf = (leg: OptionLeg, { volatility }: Scenario, { terms }: ScenarioSet): number =>
  volatility === "tilt" || volatility === "smile"
    ? leg.volatility * skewFactor(volatility, Math.log(leg.strike / leg.forward), leg.timeMs / YEAR_MS, terms.skew)
    : shockedVolatility(leg.volatility, leg.timeMs, volatility, terms.volatility);

const optionVector = (leg: OptionLeg, set: ScenarioSet, { spot, quoteRate }: UnitMarket): ScenarioVector => {
  const value = optionValue(leg, spot, 1, leg.volatility);
  const pnl = new Float64Array(set.scenarios.length);
  for (const [row, scenario] of set.scenarios.entries()) {
    pnl[row] = (optionValue(leg, spot, scenario.priceFactor, volatilityOf(leg, scenario, set)) - value) * quoteRate;
  }
  const { forward, strike, volatility, discount } = leg;
  const greeks = black76Greeks({ forward, strike, volatility, discount, years: leg.timeMs / YEAR_MS }, leg.isCall ? "call" : "put");
  const delta = greeks.delta * leg.multiplier * ((forward - leg.forwardFixed) / forward);
  return { ok: true, value: value * quoteRate, delta, pnl };
};

/**
 * Values one contract in every scenario of its unit: once a snapshot, for all accounts (M6, full revaluation).
 *
 * An inverse contract is revalued from its mark: `V·(P_s/P − 1)`, its past profit being coin already.
 * A market volatility of 0 before expiry, a time below 0 and a price of 0 and below are faults, never NaN; time of
 * exactly 0 is worth its payoff.
 */
export const scenarioVector = (leg: Leg, set: ScenarioSet, market: UnitMarket): ScenarioVector => {
  const fault = faultOf(leg, market);
  if (fault !== null) return { ok: false, fault };
  const priced = leg.kind === "option" ? optionVector(leg, set, market) : priceVector(leg, set, market);
  return priced.ok && priced.pnl.every(Number.isFinite) ? priced : { ok: false, fault: "NOT_FINITE" };
};

/** Value of one contract, in the valuation asset, after its price and its volatility moved by factors above 0. */
export const legValue = (
  leg: Leg,
  market: UnitMarket,
  priceFactor: number,
  volatilityFactor: number,
): { readonly ok: true; readonly value: number } | { readonly ok: false; readonly fault: PricingFault } => {
  const fault = faultOf(leg, market);
  if (fault !== null) return { ok: false, fault };
  if (leg.kind === "option") {
    return { ok: true, value: optionValue(leg, market.spot, priceFactor, leg.volatility * volatilityFactor) * market.quoteRate };
  }
  const notional = leg.kind === "inverse" ? leg.multiplier : leg.multiplier * leg.mark;
  return { ok: true, value: notional * priceFactor * market.quoteRate };
};

const priceVector = (leg: PriceLeg, set: ScenarioSet, { spot, quoteRate }: UnitMarket): ScenarioVector => {
  const notional = (leg.kind === "inverse" ? leg.multiplier : leg.multiplier * leg.mark) * quoteRate;
  const pnl = new Float64Array(set.scenarios.length);
  for (const [row, { priceMove }] of set.scenarios.entries()) pnl[row] = notional * priceMove;
  return { ok: true, value: leg.kind === "spot" ? notional : 0, delta: notional / (spot * quoteRate), pnl };
};
