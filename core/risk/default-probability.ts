import type { Ppm } from "../money.ts";
import { normalCdf } from "../pricing/normal.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, isPpm, notAtLeast, notFinite, refused } from "../statistics/answer.ts";

/** A firm as Merton sees it: equity is a call on its assets at its debt. */
export interface MertonFirm {
  readonly equity: number;
  /** σ_E, a year. */
  readonly equityVolatility: number;
  /** D, due after `years`. */
  readonly debt: number;
  /** r, continuously compounded; may be negative. */
  readonly rate: number;
  readonly years: number;
}
export interface MertonDefault {
  readonly assetValue: number;
  readonly assetVolatility: number;
  /** d2: how many deviations the assets stand above the debt. */
  readonly distance: number;
  /** N(−d2), risk-neutral. */
  readonly probability: number;
}

/** The root of a function that rises through 0 between the two ends, to the last bit that matters. */
const bisect = (low: number, high: number, rises: (x: number) => number): number => {
  let [from, to] = [low, high];
  for (let step = 0; step < 200; step += 1) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to) break;
    if (rises(middle) < 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
};

/**
 * Default probability of a firm by Merton (M16): V and σ_V that solve `E = V·N(d1) − D·e^{−rT}·N(d2)` and
 * `σ_E·E = N(d1)·σ_V·V`. Both are bracketed: V lies between E and E + D·e^{−rT}, σ_V between 0 and σ_E.
 *
 * Answers ZERO_VOLATILITY for σ_E = 0, BAD_NUMBER, BAD_TERMS for equity, debt or years that are not
 * above 0, NO_SOLUTION where the figures are so far apart that float64 holds no V.
 */
export const mertonDefault = ({ equity, equityVolatility, debt, rate, years }: MertonFirm): Answer<MertonDefault> => {
  const fault = notAtLeast(0, { equity, "equity volatility": equityVolatility, debt, years, "size of the rate": Math.abs(rate) });
  if (fault !== null) return fault;
  if (equityVolatility === 0)
    return refused("ZERO_VOLATILITY", "equity volatility 0: a firm whose equity never moves tells nothing. Give it");
  if (equity === 0 || debt === 0 || years === 0) {
    return refused("BAD_TERMS", `equity ${equity}, debt ${debt}, ${years} years: give all three above 0`);
  }
  const due = debt * Math.exp(-rate * years);
  const root = Math.sqrt(years);
  const d1Of = (value: number, volatility: number): number => Math.log(value / due) / (volatility * root) + (volatility * root) / 2;
  const valueFor = (volatility: number): number =>
    bisect(equity, equity + due, (value) => {
      const d1 = d1Of(value, volatility);
      return value * normalCdf(d1) - due * normalCdf(d1 - volatility * root) - equity;
    });
  const assetVolatility = bisect(0, equityVolatility, (volatility) => {
    const value = valueFor(volatility);
    return normalCdf(d1Of(value, volatility)) * volatility * value - equityVolatility * equity;
  });
  const assetValue = valueFor(assetVolatility);
  const distance = d1Of(assetValue, assetVolatility) - assetVolatility * root;
  return Number.isFinite(distance)
    ? given({ assetValue, assetVolatility, distance, probability: normalCdf(-distance) })
    : refused("NO_SOLUTION", `equity ${equity} against debt ${debt}: no asset value fits. Give both in one unit`);
};

/**
 * `PD = 1 − e^{−sT/LGD}` from a credit spread (M16). `lossGivenDefault` is a share in (0, 1].
 * Answers BAD_NUMBER, BAD_TERMS.
 */
export const spreadDefault = (spread: number, lossGivenDefault: number, years: number): Answer<number> => {
  const fault = notAtLeast(0, { spread, "loss given default": lossGivenDefault, years });
  if (fault !== null) return fault;
  if (lossGivenDefault === 0 || lossGivenDefault > 1) {
    return refused("BAD_TERMS", `loss given default ${lossGivenDefault}: give a share above 0 and up to 1`);
  }
  return given(-Math.expm1((-spread * years) / lossGivenDefault));
};

/**
 * Exposure at default (M16): the mean of max(0, −E) over the equities after close-out, a scenario each.
 * Answers NO_HISTORY for no scenario, BAD_NUMBER.
 */
export const exposureAtDefault = (equities: readonly number[]): Answer<number> => {
  if (equities.length === 0) return refused("NO_HISTORY", "no scenario of a close-out. Give one at least");
  return notFinite("equities", equities) ?? given(equities.reduce((sum, equity) => sum + Math.max(0, -equity), 0) / equities.length);
};

/** `EL = PD · LGD · EAD`, both shares within [0, 1] (M16). Answers BAD_NUMBER, BAD_TERMS. */
export const expectedLoss = (probability: number, lossGivenDefault: number, exposure: number): Answer<number> => {
  const fault = notAtLeast(0, { probability, "loss given default": lossGivenDefault, exposure });
  if (fault !== null) return fault;
  if (probability > 1 || lossGivenDefault > 1)
    return refused("BAD_TERMS", "probability and loss given default are shares up to 1. Correct them");
  return given(probability * lossGivenDefault * exposure);
};

/** From this default probability on, margin is multiplied by this. */
export interface DefaultBand {
  readonly from: Ppm;
  readonly multiplier: Ppm;
}
/**
 * The margin multiplier of a default probability (M16), in ppm. The bands start at 0, and neither bounds
 * nor multipliers fall. Answers DISORDER for bands that do not, BAD_TERMS for figures that are no whole ppm.
 */
export const defaultMultiplier = (bands: readonly DefaultBand[], probability: Ppm): Answer<Ppm> => {
  if (!isPpm(probability)) return refused("BAD_TERMS", `probability ${probability}: give whole ppm up to 1,000,000 (R23)`);
  for (const [index, { from, multiplier }] of bands.entries()) {
    const before = bands[index - 1];
    if (!isPpm(from) || !isPpm(multiplier, 1_000_000, 100_000_000)) {
      return refused("BAD_TERMS", `band ${index + 1}: give whole ppm, the multiplier from 1,000,000 up`);
    }
    if (before === undefined ? from !== 0 : from <= before.from || multiplier < before.multiplier) {
      return refused("DISORDER", `band ${index + 1}: bands start at 0 and rise with their multipliers. Sort them`);
    }
  }
  const band = bands.findLast(({ from }) => probability >= from);
  return band === undefined ? refused("DISORDER", "no band. Give one at least, from 0") : given(band.multiplier);
};
