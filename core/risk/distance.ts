import type { MarginAccount } from "../account.ts";
import type { Asset } from "../instrument.ts";
import type { Money, Ppm } from "../money.ts";
import type { JointMove, StatisticalTerms } from "../statistical-model.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, refused } from "../statistics/answer.ts";
import type { JointReturns } from "../statistics/returns.ts";
import { type Ladder, ladderOf, onLadder } from "./ladder.ts";
import { type LeadTime, leadTime, passageProbability } from "./lead-time.ts";
import { sameDraws } from "./paths.ts";
import { assetsOf, type JudgedOn, movedSnapshot, neededBy, standingOn } from "./shocked-account.ts";

const DAY_MS = 86_400_000;
const PATHS = 1_000;
/** Periods that the time to breach looks ahead. */
const PERIODS = 30;
/** α of the time to breach. */
const QUANTILE: Ppm = 50_000;
/** Beyond this a multiple or a number of deviations says no more than "far". */
const FAR = 1_000_000;
/** Largest multiple of the worst day that is looked at. */
const MULTIPLE_MAX = 64;

/** The worst joint day of the history for an account. */
export interface WorstDay {
  /** Name of the row. */
  readonly name: string;
  /** What the distance would lose in it: equity, and what the requirement grows by. */
  readonly loss: Money;
  /** The move times this, of all assets at once, takes equity below the maintenance requirement; three decimals, rounded down. 0 where it is below already, null where no multiple up to 64 does. */
  readonly multiple: number | null;
}

/** How far an account stands from its maintenance requirement, by the joint scenarios of its policy (M4, M11). */
export interface Distance {
  readonly scenariosId: string;
  readonly scenariosVersion: number;
  /** E_m − MM on the cautious side of R3. */
  readonly distance: Money;
  /** Dollar volatility of the distance over a day: of equity, and of the requirement that moves with it. */
  readonly volatility: Money;
  /** Distance over volatility, three decimals, rounded down, within a million; 0 where it is below already. */
  readonly deviations: number;
  /** Null where no row of the history loses. */
  readonly worstDay: WorstDay | null;
  /** Probability of a breach within the policy's grace, by diffusion; and within a period of the scenarios, the larger of two. */
  readonly breachWithinGrace: Ppm;
  readonly breachWithinPeriod: Ppm;
  readonly periodMs: number;
  /** The time within which a breach has 5 % probability; null beyond 30 periods. */
  readonly breachAfterMs: number | null;
  /** Base assets that the scenarios do not know: their prices are held fixed. */
  readonly heldFixed: readonly Asset[];
}

const whole = (value: bigint): number => Number(value) / 1e8;
const moneyUp = (value: number): Money => BigInt(Math.ceil(value * 1e8)) as Money;
const downTo3 = (value: number): number => Math.floor(Math.min(FAR, Math.max(0, value)) * 1_000) / 1_000;

/** The rows' moves of these assets, all of which the scenarios know. */
export const jointOf = ({ history, units, horizonDays }: StatisticalTerms, assets: readonly Asset[]): JointReturns => ({
  kind: "simple",
  names: assets,
  endsAt: history.map((_, index) => index),
  columns: assets.map((asset) => {
    const unit = units.indexOf(asset);
    return Float64Array.from(history, ({ movesPpm }) => (movesPpm[unit] as Ppm) / 1_000_000);
  }),
  ...{ horizon: horizonDays, isScaled: false, gaps: [] },
});

/** Multiples that are looked at: sixteenths up to 4, then each 5 % further. */
const MULTIPLES: readonly number[] = (() => {
  const all = Array.from({ length: 65 }, (_, index) => index / 16);
  for (let multiple = 4.2; multiple < MULTIPLE_MAX; multiple *= 1.05) all.push(multiple);
  return [...all, MULTIPLE_MAX];
})();

/**
 * Multiple of a row at which the account breaches, by its exact figures. The ladders say where to look, for a revaluation of
 * everything is dear; whole powers of two are looked at whatever they say.
 */
const multipleOf = (
  row: JointMove,
  isBreached: (row: JointMove, multiple: number) => boolean,
  roughly: (row: JointMove, multiple: number) => number,
): number | null => {
  for (const [index, multiple] of MULTIPLES.entries()) {
    if (roughly(row, multiple) >= 0 && !Number.isInteger(Math.log2(multiple))) continue;
    if (!isBreached(row, multiple)) continue;
    let [inside, outside] = [MULTIPLES[index - 1] ?? 0, multiple];
    if (isBreached(row, inside)) inside = 0;
    while (outside - inside > 0.0001) {
      const middle = (inside + outside) / 2;
      if (isBreached(row, middle)) outside = middle;
      else inside = middle;
    }
    return downTo3(inside);
  }
  return null;
};

interface Walked {
  readonly volatility: number;
  readonly worst: { readonly row: JointMove; readonly loss: number } | null;
}

/** What the distance would have done in each row of the history, from its ladders. */
const walkHistory = (joint: JointReturns, ladders: readonly Ladder[], { history, horizonDays }: StatisticalTerms): Walked => {
  let [squares, worst, at] = [0, 0, -1];
  for (let row = 0; row < history.length; row += 1) {
    let profit = 0;
    for (const [which, ladder] of ladders.entries())
      profit += onLadder(ladder.distance, (joint.columns[which] as Float64Array)[row] as number);
    squares += profit * profit;
    if (profit < worst) [worst, at] = [profit, row];
  }
  const row = history[at];
  return {
    volatility: Math.sqrt(squares / history.length / horizonDays),
    worst: row === undefined ? null : { row, loss: -worst },
  };
};

const afterMsOf = ({ steps }: LeadTime, periodMs: number): number | null => (steps === null ? null : Math.floor(steps * periodMs));

/**
 * Distance of an account, or of one scope of it, to its maintenance requirement (M4): in standard deviations of its
 * dollar volatility, in multiples of the worst joint day, and in time (M11).
 *
 * Equity and requirement are revalued by the rules that decide the account at 20 moves of each asset alone, straight between
 * them; moves of several assets are added. The multiple of the worst day is exact: all assets at once.
 *
 * @param scenarios of the account's policy, or others that its venue names; null where there are none.
 *
 * Answers NO_HISTORY without scenarios, ZERO_VOLATILITY for an account that they do not move, and what the lead time
 * answers. @throws what `assess` throws.
 */
export const distanceOf = (account: MarginAccount, judged: JudgedOn, scenarios: StatisticalTerms | null): Answer<Distance> => {
  const { policy } = judged;
  if (scenarios === null) {
    return refused("NO_HISTORY", `policy ${policy.policyId} version ${policy.version} holds no joint scenarios. Give its model some`);
  }
  const assets = [...assetsOf(account, judged)];
  const on = { ...judged, snapshot: neededBy(account, judged) };
  const known = assets.filter((asset) => scenarios.units.includes(asset));
  const ladders = known.map((asset) => ladderOf(account, on, asset));
  const joint = jointOf(scenarios, known);
  const { volatility, worst } = walkHistory(joint, ladders, scenarios);
  if (volatility === 0) return refused("ZERO_VOLATILITY", "no scenario moves the account: what it holds is hedged, or unknown to them");
  const { equity, maintenance } = standingOn(account, on);
  const distance = equity - maintenance;
  const distanceAfter = (moves: Float64Array): number =>
    ladders.reduce((sum, ladder, which) => sum + onLadder(ladder.distance, moves[which] as number), whole(distance));
  const isBreached = (row: JointMove, multiple: number): boolean => {
    const moves = new Map(scenarios.units.map((asset, unit) => [asset, Math.round((row.movesPpm[unit] as Ppm) * multiple)]));
    const after = standingOn(account, { ...on, snapshot: movedSnapshot(on.snapshot, moves, `${row.name} x${multiple}`) });
    return after.equity < after.maintenance;
  };
  const roughly = (row: JointMove, multiple: number): number =>
    distanceAfter(Float64Array.from(known, (asset) => ((row.movesPpm[scenarios.units.indexOf(asset)] as Ppm) * multiple) / 1_000_000));
  const periods = Math.sqrt(scenarios.horizonDays);
  const terms = { paths: PATHS, quantile: QUANTILE };
  const soon = leadTime(joint, distanceAfter, volatility * periods, { ...terms, steps: 1, random: sameDraws() });
  if (!soon.ok) return soon;
  const later = leadTime(joint, distanceAfter, volatility * periods, { ...terms, steps: PERIODS, random: sameDraws() });
  if (!later.ok) return later;
  const grace = passageProbability(whole(distance), volatility, policy.graceMs / DAY_MS);
  if (!grace.ok) return grace;
  const periodMs = scenarios.horizonDays * DAY_MS;
  return given({
    ...{ scenariosId: scenarios.scenariosId, scenariosVersion: scenarios.version },
    distance: distance as Money,
    volatility: moneyUp(volatility),
    deviations: downTo3(whole(distance) / volatility),
    worstDay:
      worst === null ? null : { name: worst.row.name, loss: moneyUp(worst.loss), multiple: multipleOf(worst.row, isBreached, roughly) },
    breachWithinGrace: Math.min(1_000_000, Math.ceil(grace.value * 1_000_000)),
    ...{ breachWithinPeriod: soon.value.probability, periodMs, breachAfterMs: afterMsOf(later.value, periodMs) },
    heldFixed: assets.filter((asset) => !known.includes(asset)),
  });
};
