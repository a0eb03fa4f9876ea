import type { Ppm } from "../money.ts";
import { normalQuantile } from "../pricing/normal.ts";
import type { Answer, Refused } from "../statistics/answer.ts";
import { given, isCount, isPpm, notAtLeast, notFinite, refused } from "../statistics/answer.ts";

/** What closing costs in one underlying. Amounts are in its currency, shares are of the amount closed. */
export interface LiquidityMarket {
  /** Half of the bid-ask spread, as a share of the price. */
  readonly halfSpread: number;
  /** σ of one day's return. */
  readonly dailyVolatility: number;
  /** Average daily volume: the median of 20 days, see {@link medianVolume}. */
  readonly averageVolume: number;
}

export interface LiquidityTerms {
  /** Y of the square-root law, about 1. */
  readonly impact: number;
  /** κ: the share of a day's volume that a liquidation may be. */
  readonly participation: Ppm;
  /** Confidence of the price risk while the closing lasts; z is its normal quantile. */
  readonly confidence: Ppm;
  /** τ: up to this share of a day's volume there is no concentration charge. */
  readonly threshold: Ppm;
  /** c: charge on what is above the threshold. */
  readonly charge: Ppm;
}
export const LIQUIDITY: LiquidityTerms = {
  impact: 1,
  participation: 200_000,
  confidence: 990_000,
  threshold: 250_000,
  charge: 50_000,
};

/** The add-on, and what it is made of. */
export interface LiquidityCost {
  /** ½·spread + Y·σ_d·√(|Q|/ADV), as a share of |Q|. */
  readonly costShare: number;
  readonly cost: number;
  /** T = |Q| / (κ·ADV): how long the closing lasts, in days. */
  readonly days: number;
  /** z·σ_d·√(T/3)·|Q|: what the price may do while the position is sold evenly. */
  readonly timeRisk: number;
  /** max(0, |Q| − τ·ADV)·c. */
  readonly concentration: number;
  readonly total: number;
}

const PPM = 1_000_000;

const marketFault = ({ halfSpread, dailyVolatility, averageVolume }: LiquidityMarket): Refused | null => {
  const wrong = notAtLeast(0, { "half spread": halfSpread, "daily volatility": dailyVolatility, "average volume": averageVolume });
  if (wrong !== null) return wrong;
  if (averageVolume === 0) return refused("NO_VOLUME", "average volume 0: what is not traded cannot be closed. Margin it in full");
  return dailyVolatility > 0
    ? null
    : refused("ZERO_VOLATILITY", "daily volatility 0: a market that never moves tells no impact. Give its volatility or a floor");
};

/**
 * Cost of closing a net exposure `quantity` (in currency, either sign), with the risk of the days that it
 * takes and the charge for concentration (M8). Answers NO_VOLUME, ZERO_VOLATILITY, BAD_NUMBER, BAD_TERMS.
 */
export const liquidityCost = (quantity: number, market: LiquidityMarket, terms: LiquidityTerms = LIQUIDITY): Answer<LiquidityCost> => {
  const { impact, participation, confidence, threshold, charge } = terms;
  const fault = notAtLeast(0, { impact }) ?? notAtLeast(0, { exposure: Math.abs(quantity) }) ?? marketFault(market);
  if (fault !== null) return fault;
  if (!isPpm(participation, 1) || !isPpm(confidence, 500_000, PPM - 1) || !isCount(threshold) || !isPpm(charge)) {
    return refused(
      "BAD_TERMS",
      "participation, confidence, threshold and charge: give whole ppm, the confidence from 500,000 below 1,000,000",
    );
  }
  const { halfSpread, dailyVolatility, averageVolume } = market;
  const size = Math.abs(quantity);
  const costShare = halfSpread + impact * dailyVolatility * Math.sqrt(size / averageVolume);
  const days = size / ((participation / PPM) * averageVolume);
  const cost = size * costShare;
  const timeRisk = normalQuantile(confidence / PPM) * dailyVolatility * Math.sqrt(days / 3) * size;
  const concentration = Math.max(0, size - (threshold / PPM) * averageVolume) * (charge / PPM);
  return given({ costShare, cost, days, timeRisk, concentration, total: cost + timeRisk + concentration });
};

/** Half-spread cost of a net vega: `|vega| · half spread`, both by the same unit of volatility (M8). Answers BAD_NUMBER, BAD_TERMS. */
export const vegaCost = (vega: number, halfSpread: number): Answer<number> =>
  notAtLeast(0, { vega: Math.abs(vega), "half spread": halfSpread }) ?? given(Math.abs(vega) * halfSpread);

/**
 * Median of the last `days` daily volumes (M8): one day of frenzy moves it little.
 * Answers NO_HISTORY with fewer days, BAD_NUMBER for a volume that is not finite or negative, BAD_TERMS.
 */
export const medianVolume = (volumes: readonly number[], days = 20): Answer<number> => {
  if (!isCount(days, 1)) return refused("BAD_TERMS", `${days} days: give a whole number, at least 1`);
  const fault = notFinite("volumes", volumes);
  if (fault !== null) return fault;
  if (volumes.length < days) return refused("NO_HISTORY", `${volumes.length} daily volumes, ${days} needed. Give more days`);
  const sorted = volumes.slice(-days).sort((a, b) => a - b);
  if ((sorted[0] as number) < 0) return refused("BAD_NUMBER", `volume ${sorted[0]} is negative. Correct it`);
  const [low, high] = [sorted[Math.floor((days - 1) / 2)] as number, sorted[Math.floor(days / 2)] as number];
  return given((low + high) / 2);
};

/** An order against its market, in shares or coins. */
export interface ImpactOrder {
  /** X, either sign. */
  readonly quantity: number;
  /** V: average daily volume. */
  readonly averageVolume: number;
  /** Θ: all that is outstanding. */
  readonly outstanding: number;
  readonly dailyVolatility: number;
  /** T: days over which it is traded. */
  readonly days: number;
}
/** γ, η and the exponent of the temporary part, as fitted by Almgren and others (2005). */
export const ALMGREN = { gamma: 0.314, eta: 0.142, exponent: 0.6 };

/** Impact as a share of the price, against the order. */
export interface Impact {
  /** I = γσ(X/V)(Θ/V)^¼: stays after the order. */
  readonly permanent: number;
  /** ησ(X/(VT))^⅗: passes. */
  readonly temporary: number;
  /** J = ½I + the temporary part: what the average fill pays. */
  readonly total: number;
}

/**
 * Impact of an order by Almgren, Thum, Hauptmann and Li (M8).
 * Answers NO_VOLUME, ZERO_VOLATILITY, BAD_NUMBER, BAD_TERMS for days of 0 or nothing outstanding.
 */
export const almgrenImpact = (
  { quantity, averageVolume, outstanding, dailyVolatility, days }: ImpactOrder,
  { gamma, eta, exponent }: typeof ALMGREN = ALMGREN,
): Answer<Impact> => {
  const fault =
    notAtLeast(0, { quantity: Math.abs(quantity), outstanding, days, gamma, eta, exponent }) ??
    marketFault({ halfSpread: 0, dailyVolatility, averageVolume });
  if (fault !== null) return fault;
  if (days === 0 || outstanding === 0) return refused("BAD_TERMS", `${days} days, ${outstanding} outstanding: give both above 0`);
  const share = Math.abs(quantity) / averageVolume;
  const permanent = gamma * dailyVolatility * share * (outstanding / averageVolume) ** 0.25;
  const temporary = eta * dailyVolatility * (share / days) ** exponent;
  return given({ permanent, temporary, total: permanent / 2 + temporary });
};
