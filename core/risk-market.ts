import type { Asset, Instrument } from "./instrument.ts";
import type { PortfolioModel } from "./margin-model.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type PricedMarket, pricedAsset, pricedInstrument } from "./market.ts";
import { ONE, type Ppm } from "./money.ts";
import type { PricedUnit, PricedInstrument as RiskInstrument } from "./portfolio/priced-instrument.ts";
import { priceInstrument } from "./portfolio/priced-instrument.ts";
import { scenarioSet } from "./portfolio/scenario-set.ts";
import type { Leg } from "./portfolio/scenario-vector.ts";
import { fixedShare } from "./pricing/option-value.ts";
import type { PricedInstrument } from "./valuation.ts";

/** Confidence of a feed that does not say. */
const SURE: Ppm = 1_000_000;
const YEAR_MS = 31_536_000_000;
const whole = (value: bigint): number => Number(value) / Number(ONE);

/** The price of a base asset on a snapshot, with the quote asset that it is told in. */
export interface SpotPrice {
  /** The pair or contract that tells it. */
  readonly instrumentId: string;
  readonly price: number;
  readonly quoteAsset: Asset;
  /** How sure the feed is of it; 1,000,000 where it does not say. */
  readonly confidencePpm: Ppm;
}

/** Price of a base asset: of its index pair, else of a contract of it that has a mark above 0, the first by id; null where there is none. */
export const spotOf = (baseAsset: Asset, { instruments, marks }: MarketSnapshot): SpotPrice | null => {
  let best: Instrument | null = null;
  const rank = ({ kind, instrumentId }: Instrument): string => `${kind === "spot" ? 0 : 1} ${instrumentId}`;
  for (const instrument of instruments.values()) {
    if (instrument.baseAsset !== baseAsset || instrument.kind === "option") continue;
    if ((marks.get(instrument.instrumentId)?.price ?? 0n) <= 0n) continue;
    if (best === null || rank(instrument) < rank(best)) best = instrument;
  }
  const mark = best === null ? undefined : marks.get(best.instrumentId);
  return best === null || mark === undefined
    ? null
    : {
        instrumentId: best.instrumentId,
        price: whole(mark.price),
        quoteAsset: best.quoteAsset,
        confidencePpm: mark.confidencePpm ?? SURE,
      };
};

/**
 * Value of one unit of a quote asset in the valuation asset; 0 where nobody tells it. One that is no collateral, as the
 * dollar of an inverse contract, counts by the coin's own price in both.
 */
const rateOf = (market: PricedMarket, quoteAsset: Asset, baseAsset: Asset, inQuote: number): number => {
  const direct = pricedAsset(market, quoteAsset);
  if (direct !== null && direct.high > 0n) return whole(direct.high);
  const coin = pricedAsset(market, baseAsset);
  return coin === null || inQuote <= 0 ? 0 : whole(coin.high) / inQuote;
};

/** What the quote asset of a unit trades at by its peg; 1 where the policy names none (M2). */
const pegOf = (market: PricedMarket, quoteAsset: Asset): number => {
  const pegged = pricedAsset(market, quoteAsset)?.pegged ?? null;
  return pegged === null ? 1 : whole(pegged);
};

/** The risk unit of a base asset on the snapshot (M6): one object, which all its instruments share. */
const unitOf = (market: PricedMarket, { terms }: PortfolioModel, baseAsset: Asset): PricedUnit => {
  const known = market.units.get(baseAsset);
  if (known !== undefined) return known;
  const spot = spotOf(baseAsset, market.snapshot);
  const quoteRate = spot === null ? 0 : rateOf(market, spot.quoteAsset, baseAsset, spot.price);
  const unit: PricedUnit = {
    set: scenarioSet(terms, baseAsset),
    market: { spot: spot?.price ?? 0, quoteRate },
    spotConfidencePpm: spot?.confidencePpm ?? SURE,
    peg: spot === null ? 1 : pegOf(market, spot.quoteAsset),
  };
  market.units.set(baseAsset, unit);
  return unit;
};

/** What one unit of what a leg pays is worth, by the unit's own quote asset: 1 where they are the same, 0 where nobody tells it. */
const conversion = (market: PricedMarket, { quoteRate }: PricedUnit["market"], { instrument, high }: PricedInstrument): number => {
  const { settleAsset, baseAsset, quoteAsset } = instrument;
  const paid = settleAsset === baseAsset ? quoteAsset : settleAsset;
  return quoteRate === 0 ? 0 : rateOf(market, paid, baseAsset, whole(high?.price ?? 0n)) / quoteRate;
};

const timeOf = ({ expiryAt }: Instrument, takenAt: number): number | null => (expiryAt === null ? null : Math.max(0, expiryAt - takenAt));

/** An instrument as the scenarios value it. What no mark tells is 0, which they name as a fault. */
const legOf = (market: PricedMarket, unit: PricedUnit, priced: PricedInstrument): Leg => {
  const { instrument, option, high } = priced;
  const contracts = whole(instrument.multiplier);
  const timeMs = timeOf(instrument, market.snapshot.takenAt);
  if (option === null) {
    const multiplier = contracts * conversion(market, unit.market, priced);
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
    forwardFixed: (forward ?? 0) * fixedShare(years, window),
    volatility: volatility ?? 0,
    discount: 1,
    rate: 0,
    timeMs: timeMs ?? 0,
    // An inverse option pays coins, which the scenarios turn into the unit's quote asset themselves.
    multiplier: terms.settlement === "inverse" ? contracts : contracts * conversion(market, unit.market, priced),
    settle: terms.settlement,
  };
};

/** An instrument in every scenario of its risk unit, worked out once for all accounts under a policy (M6). The unit is its base asset. */
export const riskInstrument = (market: PricedMarket, model: PortfolioModel, instrumentId: string): RiskInstrument => {
  const known = market.risk.get(instrumentId);
  if (known !== undefined) return known;
  const priced = pricedInstrument(market, instrumentId);
  const unit = unitOf(market, model, priced.instrument.baseAsset);
  const risk = priceInstrument(instrumentId, legOf(market, unit, priced), unit, { confidencePpm: priced.told?.confidencePpm ?? SURE });
  market.risk.set(instrumentId, risk);
  return risk;
};
