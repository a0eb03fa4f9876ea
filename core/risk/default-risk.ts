import type { MarginAccount } from "../account.ts";
import type { Asset } from "../instrument.ts";
import type { Ppm } from "../money.ts";
import type { JointMove, StatisticalTerms } from "../statistical-model.ts";
import type { Answer } from "../statistics/answer.ts";
import { given } from "../statistics/answer.ts";
import { type DefaultBand, defaultMultiplier, expectedLoss, exposureAtDefault } from "./default-probability.ts";
import { jointOf } from "./distance.ts";
import { type ExposureProfile, exposureProfile } from "./exposure.ts";
import { type Ladder, ladderOf, onLadder } from "./ladder.ts";
import { passageProbability } from "./lead-time.ts";
import { sameDraws } from "./paths.ts";
import { assetsOf, type JudgedOn, neededBy, standingOn } from "./shocked-account.ts";

/** Paths that the exposure of a counterparty is drawn from. */
const PATHS = 1_000;

/** Margin multipliers by default probability (M16): a figure for the risk desk, no rule of the pipeline. */
export const DEFAULT_BANDS: readonly DefaultBand[] = [
  { from: 0, multiplier: 1_000_000 },
  { from: 1_000, multiplier: 1_100_000 },
  { from: 10_000, multiplier: 1_250_000 },
  { from: 50_000, multiplier: 1_500_000 },
];

/** An account's equity now and over the moves of each asset that its scenarios know; in whole units of the valuation asset. */
export interface EquityCurve {
  readonly equity: number;
  readonly ladders: readonly Ladder[];
}

/** Revalues an account's equity by the rules that decide it; assets that the scenarios do not know are held fixed. @throws what `assess` throws. */
export const equityCurve = (account: MarginAccount, judged: JudgedOn, { units }: StatisticalTerms): EquityCurve => {
  const on = { ...judged, snapshot: neededBy(account, judged) };
  const known = [...assetsOf(account, judged)].filter((asset) => units.includes(asset));
  return { equity: Number(standingOn(account, on).equity) / 1e8, ladders: known.map((asset) => ladderOf(account, on, asset)) };
};

/** Equity after relative moves by asset; moves of several assets are added. */
const equityAfter = ({ equity, ladders }: EquityCurve, moveOf: (asset: Asset) => number): number =>
  ladders.reduce((sum, { asset, equity: change }) => sum + onLadder(change, moveOf(asset)), equity);

const moveIn = (row: JointMove, units: readonly Asset[]): ((asset: Asset) => number) => {
  const moves = new Map(units.map((asset, index) => [asset, (row.movesPpm[index] as Ppm) / 1_000_000]));
  return (asset) => moves.get(asset) ?? 0;
};

/** What an account may come to owe beyond its equity (M16). */
export interface DefaultRisk {
  /** That its equity falls below 0 within a period of the scenarios: first passage of M11, ppm, rounded up. */
  readonly probability: Ppm;
  /** Mean of max(0, −E) over the named stresses. */
  readonly exposure: number;
  readonly expectedLoss: number;
  /** By {@link DEFAULT_BANDS}. */
  readonly multiplier: Ppm;
}

/**
 * Default probability and expected loss of an account by joint scenarios (M11, M16).
 *
 * @param lossGivenDefault share of the exposure that is lost.
 * Answers BAD_TERMS for a share beyond 1, and what the parts answer; an account that nothing moves defaults now or never.
 */
export const defaultRisk = (curve: EquityCurve, scenarios: StatisticalTerms, lossGivenDefault: number): Answer<DefaultRisk> => {
  const { history, stress, units, horizonDays } = scenarios;
  const changes = history.map((row) => equityAfter(curve, moveIn(row, units)) - curve.equity);
  const volatility = Math.sqrt(changes.reduce((sum, change) => sum + change * change, 0) / history.length / horizonDays);
  const passage = volatility === 0 ? given(curve.equity < 0 ? 1 : 0) : passageProbability(curve.equity, volatility, horizonDays);
  if (!passage.ok) return passage;
  const probability = Math.min(1_000_000, Math.ceil(passage.value * 1_000_000));
  const exposure = exposureAtDefault(stress.map((row) => equityAfter(curve, moveIn(row, units))));
  if (!exposure.ok) return exposure;
  const loss = expectedLoss(passage.value, lossGivenDefault, exposure.value);
  if (!loss.ok) return loss;
  const multiplier = defaultMultiplier(DEFAULT_BANDS, probability);
  if (!multiplier.ok) return multiplier;
  return given({ probability, exposure: exposure.value, expectedLoss: loss.value, multiplier: multiplier.value });
};

/**
 * Potential future exposure to a counterparty over one period of the scenarios: what its accounts owe beyond their
 * equity, each by itself, along joint paths. One account's surplus does not pay for another.
 *
 * Answers what {@link exposureProfile} answers.
 */
export const counterpartyExposure = (
  curves: readonly EquityCurve[],
  scenarios: StatisticalTerms,
  confidence: Ppm,
): Answer<ExposureProfile> => {
  const assets = [...new Set(curves.flatMap(({ ladders }) => ladders.map(({ asset }) => asset)))].sort();
  const owed = (moves: Float64Array): number => {
    const moveOf = (asset: Asset): number => moves[assets.indexOf(asset)] as number;
    return curves.reduce((sum, curve) => sum + Math.max(0, -equityAfter(curve, moveOf)), 0);
  };
  return exposureProfile(jointOf(scenarios, assets), owed, 0, confidence, { steps: 1, paths: PATHS, random: sameDraws() });
};
