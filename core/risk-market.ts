import type { Instrument } from "./instrument.ts";
import type { PortfolioModel } from "./margin-model.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type PricedMarket, pricedAsset, pricedInstrument } from "./market.ts";
import { ONE } from "./money.ts";
import type { PricedUnit, PricedInstrument as RiskInstrument } from "./portfolio/priced-instrument.ts";
import { priceInstrument } from "./portfolio/priced-instrument.ts";
import { scenarioSet } from "./portfolio/scenario-set.ts";
import type { Leg } from "./portfolio/scenario-vector.ts";
import type { PricedInstrument } from "./valuation.ts";

const YEAR_MS = 31_536_000_000;
const whole = (value: bigint): number => Number(value) / Number(ONE);

/**
 * Price of a unit's underlying in a quote asset: the spot pair of both, else the instrument's own underlying or mark.
 * 0 where there is none; the leg is then named as unpriced.
 */
export const spotPriceOf = ({ instrument, option, high }: PricedInstrument, { instruments, marks }: MarketSnapshot): number => {
  for (const { kind, baseAsset, quoteAsset, instrumentId } of instruments.values()) {
    const mark = marks.get(instrumentId);
    if (kind === "spot" && baseAsset === instrument.baseAsset && quoteAsset === instrument.quoteAsset && mark !== undefined)
      return whole(mark.price);
  }
  return option === null ? whole(high?.price ?? 0n) : (option.forward ?? 0);
};

/** Value of one unit of the asset that the profit of a leg is counted in, in the valuation asset; 0 where nobody tells it. */
const rateOf = (market: PricedMarket, { settleAsset, baseAsset, quoteAsset }: Instrument, spot: number): number => {
  const counted = settleAsset === baseAsset ? quoteAsset : settleAsset;
  const direct = pricedAsset(market, counted);
  if (direct !== null && direct.high > 0n) return whole(direct.high);
  // A quote asset that is no collateral, as the dollar of an inverse contract: by the coin's own price in it.
  const coin = pricedAsset(market, baseAsset);
  return coin === null || spot <= 0 ? 0 : whole(coin.high) / spot;
};

/** An instrument as the scenarios value it. What no mark tells is 0, which they name as a fault. */
const legOf = ({ instrument, option, high }: PricedInstrument, { takenAt }: MarketSnapshot): Leg => {
  const multiplier = whole(instrument.multiplier);
  const timeMs = instrument.expiryAt === null ? null : Math.max(0, instrument.expiryAt - takenAt);
  if (option === null) {
    return { kind: instrument.kind === "inverse" ? "inverse" : "linear", mark: whole(high?.price ?? 0n), multiplier, timeMs };
  }
  const { terms, forward, volatility, years } = option;
  const window = terms.averagingMs / YEAR_MS;
  return {
    kind: "option",
    isCall: terms.right === "call",
    strike: whole(terms.strike),
    forward: forward ?? 0,
    // What the average has fixed so far is taken at the present price: no feed tells it, and no scenario moves it.
    forwardFixed: window > years ? (forward ?? 0) * (1 - years / window) : 0,
    volatility: volatility ?? 0,
    discount: 1,
    rate: 0,
    timeMs: timeMs ?? 0,
    multiplier,
    settle: terms.settlement,
  };
};

/** An instrument in every scenario of its risk unit, worked out once for all accounts under a policy (M6). The unit is its base asset. */
export const riskInstrument = (market: PricedMarket, { terms }: PortfolioModel, instrumentId: string): RiskInstrument => {
  const known = market.risk.get(instrumentId);
  if (known !== undefined) return known;
  const priced = pricedInstrument(market, instrumentId);
  const { instrument } = priced;
  const spot = spotPriceOf(priced, market.snapshot);
  const unit: PricedUnit = {
    set: scenarioSet(terms, instrument.baseAsset),
    market: { spot, quoteRate: rateOf(market, instrument, spot) },
    spotConfidencePpm: 1_000_000,
    peg: 1,
  };
  const risk = priceInstrument(instrumentId, legOf(priced, market.snapshot), unit);
  market.risk.set(instrumentId, risk);
  return risk;
};
