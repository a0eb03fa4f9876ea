import type { MarginAccount, Scope } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { decide } from "./decide.ts";
import type { Asset } from "./instrument.ts";
import { isAtLeast, type Level } from "./level.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type PolicyInMode, policyIn } from "./mode.ts";
import { divide, type Money, PPM, type Ppm, plus, ZERO } from "./money.ts";
import { isAtRisk, livesOf, scopesOf, viewOf } from "./scope.ts";
import { assess, boundOf } from "./statement.ts";
import { TermsError } from "./terms-error.ts";

/** What decides an account: its policy, and the marks with the terms of the instruments. */
export interface DecidingTerms {
  readonly policy: PolicyInMode;
  readonly snapshot: MarketSnapshot;
}

/** The terms of an account now, and as they would be; null where there are none. The same object where nothing changes for it. */
export interface TermsOfAccount {
  readonly present: DecidingTerms | null;
  readonly proposed: DecidingTerms | null;
}

/** What a change of terms does to an account, from the worst. `undecided`: nobody could decide it any more. */
export const EFFECTS = ["undecided", "closedOut", "called", "warned", "released"] as const;
export type Effect = (typeof EFFECTS)[number];

/** One account that a change affects, as its worst scope shows it (R9); `due` is of all its scopes. Headroom is x of R1 on `E_low`, in parts per million; null without a requirement. */
export interface Affected {
  readonly accountId: string;
  readonly effect: Effect;
  readonly levelBefore: Level | null;
  readonly levelAfter: Level | null;
  readonly headroomBefore: Ppm | null;
  readonly headroomAfter: Ppm | null;
  /** What its new call would ask for; null where it would get none. */
  readonly due: { readonly asset: Asset; readonly amount: Money } | null;
  /** The part of the requirement that requires most, by its name in the statement; null without a requirement. */
  readonly boundBefore: string | null;
  readonly boundAfter: string | null;
}

/** Who would newly be warned, called, closed out, released or left undecided by a change of terms (R17, S19). */
export interface ChangePlan {
  /** Instant of the newest mark that it was made on; 0 without any. */
  readonly marksAt: number;
  /** Instruments without a GOOD mark then: accounts that need one are judged on its adverse edge (R3). */
  readonly notGood: number;
  /** Accounts that were read. */
  readonly accounts: number;
  /** Those with a position or a debt: only these can breach, and the share is of them. */
  readonly atRisk: number;
  /** Those whose live call keeps the policy that it was opened under (R11). */
  readonly withCall: number;
  readonly counts: Readonly<Record<Effect, number>>;
  /** Sum of what the new calls would ask for, by asset. */
  readonly due: ReadonlyMap<Asset, Money>;
  /** The most affected, the worst first; at most {@link WORST_SHOWN}. */
  readonly worst: readonly Affected[];
}

/** Accounts that a plan names. The counts are of all. */
export const WORST_SHOWN = 20;

const NONE: Readonly<Record<Effect, number>> = { undecided: 0, closedOut: 0, called: 0, warned: 0, released: 0 };

/** The plan before any account was read. */
export const emptyPlan = ({ marksAt, notGood }: Pick<ChangePlan, "marksAt" | "notGood">): ChangePlan => ({
  marksAt,
  notGood,
  accounts: 0,
  atRisk: 0,
  withCall: 0,
  counts: NONE,
  due: new Map(),
  worst: [],
});

/** What terms make of a scope of an account: its level and its live call, after a decision that nobody writes. */
interface Standing {
  readonly level: Level;
  readonly call: MarginCall | null;
}

type Standings = ReadonlyMap<Scope, Standing>;

/** Null for an account that these terms cannot decide: a fault of its own, as `decide` and `assess` throw it. */
const standingOf = (account: MarginAccount, terms: DecidingTerms | null, now: number): Standings | null => {
  if (terms === null) return null;
  try {
    const after = decide(account, terms.snapshot, terms.policy, now)?.after ?? account;
    return new Map(
      scopesOf(account).map((scope) => {
        const { level, live } = viewOf(after, scope);
        return [scope, { level, call: live?.call ?? null }];
      }),
    );
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError || error instanceof TermsError) return null;
    throw error;
  }
};

/** How much is done to the account: nothing, a warning, a call, a close-out. In modes without orders the level alone tells of the last. */
const gravityOf = ({ level, call }: Standing): 0 | 1 | 2 | 3 => {
  if (isAtLeast(level, "CLOSE_OUT") || call?.status === "LIQUIDATING") return 3;
  if (call !== null) return 2;
  return isAtLeast(level, "WARNING") ? 1 : 0;
};

const EFFECT_OF = [null, "warned", "called", "closedOut"] as const;

const effectOf = (before: Standing | null, after: Standing | null): Effect | null => {
  if (after === null) return before === null ? null : "undecided";
  const gravity = gravityOf(after);
  if (gravity > (before === null ? 0 : gravityOf(before))) return EFFECT_OF[gravity];
  return before !== null && !isAtLeast(after.level, before.level) ? "released" : null;
};

const headroomOf = (account: MarginAccount, scope: Scope, terms: DecidingTerms, now: number): Ppm | null => {
  const { low } = assess(viewOf(account, scope), terms.snapshot, policyIn(terms.policy, scope), now);
  const room = low.initial - low.maintenance;
  return room <= 0n ? null : Number(divide((low.equityInitial - low.maintenance) * PPM, room, "down"));
};

/** One that is affected, before anybody asks what bound it: that is told of the worst alone. */
type Counted = Omit<Affected, "boundBefore" | "boundAfter"> & { readonly scope: Scope };

const affectedBy = (
  account: MarginAccount,
  { present, proposed }: TermsOfAccount,
  standings: { readonly before: Standings | null; readonly after: Standings | null },
  now: number,
): Counted | null => {
  const each = scopesOf(account).map((scope) => {
    const [before, after] = [standings.before?.get(scope) ?? null, standings.after?.get(scope) ?? null];
    return { scope, before, after, effect: effectOf(before, after) };
  });
  const worst = EFFECTS.map((effect) => each.find((one) => one.effect === effect)).find((one) => one !== undefined);
  if (worst === undefined || worst.effect === null) return null;
  const { scope, before, after, effect } = worst;
  const calls = each.flatMap((one) => (one.effect === "called" || one.effect === "closedOut" ? (one.after?.call ?? []) : []));
  return {
    accountId: account.accountId,
    scope,
    effect,
    levelBefore: before?.level ?? null,
    levelAfter: after?.level ?? null,
    headroomBefore: present === null || before === null ? null : headroomOf(account, scope, present, now),
    headroomAfter: proposed === null || after === null ? null : headroomOf(account, scope, proposed, now),
    due: calls[0] === undefined ? null : { asset: calls[0].asset, amount: calls.reduce((sum, call) => plus(sum, call.amountDue), ZERO) },
  };
};

const boundUnder = (account: MarginAccount, scope: Scope, terms: DecidingTerms, now: number): string | null =>
  boundOf(assess(viewOf(account, scope), terms.snapshot, policyIn(terms.policy, scope), now));

type Gravity = Pick<Affected, "effect" | "headroomAfter" | "accountId">;

/** Who is told of first: the graver effect, then the less headroom, then the id. */
const byGravity = (a: Gravity, b: Gravity): number => {
  if (a.effect !== b.effect) return EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect);
  const headroom = (a.headroomAfter ?? 0) - (b.headroomAfter ?? 0);
  if (headroom !== 0) return headroom;
  return a.accountId < b.accountId ? -1 : 1;
};

/**
 * Decides accounts under the present and under the proposed terms, writes nothing, and tells who fares
 * worse or better by the change alone: an account that the market calls anyway is not counted.
 *
 * Every account is decided from where the book has it, so a level that is only left above its entry (R1) stays
 * in both. Pure: the same inputs give the same plan.
 */
export const planOf = (
  accounts: readonly MarginAccount[],
  termsOf: (account: MarginAccount) => TermsOfAccount,
  now: number,
): ChangePlan => {
  const touched = accounts.map((account) => ({ account, terms: termsOf(account) })).filter(({ terms }) => terms.present !== terms.proposed);
  // All under one market before all under the other: prices are remembered for one snapshot at a time.
  const before = touched.map(({ account, terms }) => standingOf(account, terms.present, now));
  const after = touched.map(({ account, terms }) => standingOf(account, terms.proposed, now));
  const affected = touched.flatMap(({ account, terms }, index) => {
    const standings = { before: before[index] ?? null, after: after[index] ?? null };
    const counted = affectedBy(account, terms, standings, now);
    return counted === null ? [] : { counted, account, terms, standings };
  });
  const counts = { ...NONE };
  const due = new Map<Asset, Money>();
  for (const { counted: one } of affected) {
    counts[one.effect] += 1;
    if (one.due !== null) due.set(one.due.asset, plus(due.get(one.due.asset) ?? ZERO, one.due.amount));
  }
  return {
    marksAt: 0,
    notGood: 0,
    accounts: accounts.length,
    atRisk: accounts.filter(isAtRisk).length,
    withCall: accounts.filter((account) => livesOf(account).length > 0).length,
    counts,
    due,
    worst: affected
      .sort((a, b) => byGravity(a.counted, b.counted))
      .slice(0, WORST_SHOWN)
      .map(({ counted: { scope, ...counted }, account, terms: { present, proposed }, standings }) => ({
        ...counted,
        boundBefore: present === null || standings.before === null ? null : boundUnder(account, scope, present, now),
        boundAfter: proposed === null || standings.after === null ? null : boundUnder(account, scope, proposed, now),
      })),
  };
};

/** The plan of two parts of a book. In whichever order parts are joined, the plan is the same. */
export const joinPlans = (a: ChangePlan, b: ChangePlan): ChangePlan => {
  const due = new Map(a.due);
  for (const [asset, amount] of b.due) due.set(asset, plus(due.get(asset) ?? ZERO, amount));
  const counts = { ...NONE };
  for (const effect of EFFECTS) counts[effect] = a.counts[effect] + b.counts[effect];
  return {
    marksAt: Math.max(a.marksAt, b.marksAt),
    notGood: Math.max(a.notGood, b.notGood),
    accounts: a.accounts + b.accounts,
    atRisk: a.atRisk + b.atRisk,
    withCall: a.withCall + b.withCall,
    counts,
    due,
    worst: [...a.worst, ...b.worst].sort(byGravity).slice(0, WORST_SHOWN),
  };
};

/** Accounts that the change would breach: those that it calls, and those that it closes out. */
export const breachesOf = ({ counts }: ChangePlan): number => counts.called + counts.closedOut;

/** The share of the accounts at risk that the change would breach, in parts per million, rounded up. */
export const breachShareOf = (plan: ChangePlan): Ppm =>
  plan.atRisk === 0 ? 0 : Number(divide(BigInt(breachesOf(plan)) * PPM, BigInt(plan.atRisk), "up"));

/** Figures of a plan that an operator has read and takes on: at most so many, so that a market that went on meanwhile is held again. */
export interface AcceptedBreaches {
  readonly called: number;
  readonly closedOut: number;
}

/**
 * Why the breaker holds a change of terms (R17); null where it lets it through.
 *
 * - `undecided`: accounts could not be decided any more, so nobody would watch them. No figure takes that on.
 * - `share`: more than `shareMaxPpm` of the accounts at risk would breach at once, and the operator has not
 *   named at least as many of each kind.
 */
export const holdOf = (plan: ChangePlan, shareMaxPpm: Ppm, accepted: AcceptedBreaches): "undecided" | "share" | null => {
  if (plan.counts.undecided > 0) return "undecided";
  if (BigInt(breachesOf(plan)) * PPM <= BigInt(plan.atRisk) * BigInt(shareMaxPpm)) return null;
  return plan.counts.called <= accepted.called && plan.counts.closedOut <= accepted.closedOut ? null : "share";
};
