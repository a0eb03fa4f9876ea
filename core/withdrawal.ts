import type { MarginAccount } from "./account.ts";
import type { Change } from "./decision.ts";
import { withCautiousOpenInterest } from "./initial-rates.ts";
import type { Asset } from "./instrument.ts";
import { isAtLeast, isBare, levelOf } from "./level.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type Money, max, minus, plus, ZERO } from "./money.ts";
import type { Policy } from "./policy.ts";
import { ACTIONS } from "./quality.ts";
import { hasOrders, standingOf } from "./standing.ts";
import { assess } from "./statement.ts";

export interface Withdrawal {
  /** The caller's id of the request; a second request with it is answered by the store, not here. */
  readonly requestId: string;
  readonly asset: Asset;
  /** Positive. */
  readonly amount: Money;
}

/** The answer to a withdrawal check (R16). */
export interface WithdrawalDecision {
  readonly allowed: boolean;
  /** A rule id and words. */
  readonly reason: string;
  /** The most that would be allowed in that asset now. */
  readonly available: Money;
  /** Reserves the amount, to be committed before the answer is given; null where it is refused. */
  readonly change: Change | null;
}

const withReserved = (account: MarginAccount, asset: Asset, amount: Money): MarginAccount => {
  const reserved = new Map(account.reserved).set(asset, plus(account.reserved.get(asset) ?? ZERO, amount));
  return { ...account, reserved: new Map([...reserved].sort(([a], [b]) => (a < b ? -1 : 1))) };
};

/** The largest amount up to `most` that passes; 0 where none does. Passing is monotone: less is always allowed too. */
const largest = (most: Money, passes: (amount: Money) => boolean): Money => {
  if (most <= 0n || !passes(ZERO)) return ZERO;
  if (passes(most)) return most;
  let [good, bad] = [0n, most as bigint];
  while (bad - good > 1n) {
    const middle = (good + bad) / 2n;
    if (passes(middle as Money)) good = middle;
    else bad = middle;
  }
  return good as Money;
};

/** Why nothing may be withdrawn at all, or null. */
const barred = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, now: number): string | null => {
  if (account.outOfSync) return "R16: the account's feed has a gap";
  if (account.live !== null || account.openCalls.CROSS !== undefined) return "R16: a margin call is live";
  const ordered = [...standingOf(account)].filter(([, each]) => hasOrders(each));
  if (ordered.some(([instrumentId]) => !snapshot.marks.has(instrumentId))) return "R3: no price for an instrument with open orders";
  if (isBare(account)) return null;
  const statement = assess(account, snapshot, policy, now);
  if (isAtLeast(levelOf(account, statement, policy.levels, account.level), "CALL")) return "M10: at the call level or deeper";
  return ACTIONS.withdraw[statement.quality] === "refused" ? "R3: a price is missing" : null;
};

/**
 * Decides a withdrawal beforehand and reserves it in the same change (R16).
 *
 * What is left must cover IM on conservative values (I18), counting unrealised profit only by the share
 * that the policy lets be withdrawn (M2), and no debt may come of it. IM counts open orders (M3), also of an account without a
 * position, and an open interest that is old or was never told at its upper cap. Refused in CALL or deeper, under a
 * live call of CROSS, and while the feed has a gap. The reservation is released by the withdrawal's own fact.
 */
export const checkWithdrawal = (
  account: MarginAccount,
  told: MarketSnapshot,
  policy: Policy,
  { asset, amount }: Withdrawal,
  now: number,
): WithdrawalDecision => {
  const snapshot = withCautiousOpenInterest(told, now);
  const refuse = (reason: string, available: Money): WithdrawalDecision => ({ allowed: false, reason, available, change: null });
  const bar = barred(account, told, policy, now);
  if (bar !== null) return refuse(bar, ZERO);
  const share = Math.min(policy.unrealisedProfitIm, policy.unrealisedProfitWithdrawal);
  const cautious: Policy = { ...policy, unrealisedProfitIm: share };
  const covers = (taken: Money): boolean => {
    if (isBare(account) && account.standing.size === 0) return true;
    const { low } = assess(withReserved(account, asset, taken), snapshot, cautious, now);
    return low.equityInitial >= low.initial;
  };
  const free = max(minus(account.balances.get(asset) ?? ZERO, account.reserved.get(asset) ?? ZERO), ZERO);
  const available = largest(free, covers);
  if (amount <= 0n) return refuse("R16: an amount above 0 is needed", available);
  if (amount > free) return refuse("R16: more than the balance that is not reserved", available);
  if (amount > available) return refuse("R16: equity would fall below the initial requirement", available);
  const after = { ...withReserved(account, asset, amount), version: account.version + 1 };
  return {
    allowed: true,
    reason: "R16: equity stays at the initial requirement or above",
    available,
    change: { before: account, after, calls: [], orders: [], entries: [], events: [] },
  };
};
