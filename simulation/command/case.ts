import { type AccountPlan, drawPlan, type Plan } from "../actors/plan.ts";
import { drawRates, seededFaults } from "../faults/chance.ts";
import { PROFILES, type ProfileName } from "../profiles.ts";
import { type Deployment, type RunResult, runPlan } from "../run.ts";

/** A seed, whole or made smaller: what a run is a function of. */
export interface Case {
  readonly seed: number;
  readonly profile: ProfileName;
  /** Only faults at these sites; null for all that the seed draws. */
  readonly faults: readonly string[] | null;
  /** Only these accounts; null for all. */
  readonly accounts: readonly string[] | null;
}

export const wholeCase = (seed: number, profile: ProfileName): Case => ({ seed, profile, faults: null, accounts: null });

const planOf = ({ seed, accounts }: Case): Plan => {
  const plan = drawPlan(seed);
  if (accounts === null) return plan;
  const isKept = ({ accountId }: Pick<AccountPlan, "accountId">): boolean => accounts.includes(accountId);
  return {
    ...plan,
    accounts: plan.accounts.filter(isKept),
    withdrawals: plan.withdrawals.filter(isKept),
    transfers: plan.transfers.filter(isKept),
  };
};

/** Plays a case. The same case gives the same steps, and with `trace` the same lines, byte for byte. */
export const playCase = (deployment: Deployment, one: Case, trace?: (line: string) => void): Promise<RunResult> => {
  const profile = PROFILES[one.profile];
  return runPlan({
    deployment,
    plan: planOf(one),
    seed: one.seed,
    faults: seededFaults(one.seed, drawRates(one.seed, profile.intensity), one.faults === null ? null : new Set(one.faults)),
    clocks: profile.clocks,
    ...("isBlocked" in profile && { isBlocked: profile.isBlocked }),
    ...(trace !== undefined && { trace }),
  });
};

/** Runs that a shrink may take. */
const RUNS_MAX = 120;

/**
 * Makes a failing case smaller while it breaks the same property: without this account, without that half of its
 * faults, then without each of them.
 */
export const shrink = async (deployment: Deployment, failing: Case, id: string): Promise<Case> => {
  let runs = 0;
  const fails = async (one: Case): Promise<boolean> => {
    runs += 1;
    if (runs > RUNS_MAX) return false;
    return (await playCase(deployment, one)).violation?.id === id;
  };
  let small = failing;
  const names = drawPlan(failing.seed).accounts.map(({ accountId }) => accountId);
  for (const name of names) {
    const accounts = (small.accounts ?? names).filter((one) => one !== name);
    if (accounts.length > 0 && (await fails({ ...small, accounts }))) small = { ...small, accounts };
  }
  let sites = (await playCase(deployment, small)).struck.map(({ site }) => site);
  for (let size = Math.ceil(sites.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < sites.length; ) {
      const fewer = [...sites.slice(0, from), ...sites.slice(from + size)];
      if (await fails({ ...small, faults: fewer })) sites = fewer;
      else from += size;
    }
  }
  const last = { ...small, faults: sites };
  return (await fails(last)) ? last : small;
};
