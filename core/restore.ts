import type { MarginAccount, Scope } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { deadlineOf, issuedAtOf, moveDeadline } from "./clock.ts";
import type { Change } from "./decision.ts";
import type { DomainEvent } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { type PolicyInMode, policyIn } from "./mode.ts";
import type { Policy } from "./policy.ts";
import { scopesOf, viewOf, withView } from "./scope.ts";
import { note, tell } from "./situation.ts";

/** What a restore gives an account anew, so that nothing it says or does is taken for something from before. */
export interface Restored {
  /** Instant of the restore: only a snapshot of the venue from then on counts. */
  readonly restoredAt: number;
  /** Stand-in of the account in the ids of calls and orders from now on. */
  readonly key: string;
  /** Version after the restore: above every one that the account may have had. */
  readonly version: number;
}

/**
 * The latest deadline that the pipeline may have promised between the backup and now, and nobody knows of any more: a
 * new call's, a top-up's, or the extension for a deposit that still confirms (R11, R12, R15).
 */
const latestPromise = (call: MarginCall, policy: Policy, now: number): number =>
  deadlineOf(issuedAtOf(now), Math.max(call.graceMs, policy.graceMs, policy.topUpGraceMs, LIMITS.extensionMs), policy);

/** An open call whose clock runs, with that deadline; any other call as it is. */
const withTime = (call: MarginCall, policy: Policy, now: number): MarginCall => {
  if (call.status !== "OPEN" || call.deadlineAt === null || call.overdueAt !== null) return call;
  const moved = moveDeadline(call, latestPromise(call, policy, now));
  return moved.deadlineAt === call.deadlineAt ? call : { ...call, ...moved };
};

interface RestoredScope {
  readonly account: MarginAccount;
  readonly calls: readonly MarginCall[];
  readonly events: readonly DomainEvent[];
}

const restoreScope = (account: MarginAccount, scope: Scope, policy: Policy, now: number): RestoredScope => {
  const { live, episode, level } = account;
  const timely = live === null ? null : withTime(live.call, policy, now);
  const isMoved = live !== null && timely !== null && timely !== live.call;
  const call = isMoved ? { ...timely, version: timely.version + 1 } : (live?.call ?? null);
  const told = { scope, level, previousLevel: level, live: call, calls: call === null ? [] : [call], statement: null };
  return {
    account: {
      ...account,
      episode: episode === null || episode.lastEndedAt === null ? episode : { ...episode, graceLeftMs: policy.graceMs },
      live: live === null || call === null ? null : { call, orders: live.orders },
    },
    calls: isMoved && call !== null ? [call] : [],
    events:
      isMoved && call !== null
        ? [tell(note("margin_call.deadline_changed", call, "S54: the book was restored, the clock begins anew"), told)]
        : [],
  };
};

/**
 * An account whose rows were put back from a backup (S54): what has happened to it since is unknown.
 *
 * It is out of sync until the venue tells of it: it may be called, and nothing of it is liquidated. Its calls keep
 * every deadline that anybody may have been promised (I05), and a call that follows has the whole grace. Its ids
 * begin anew: one that was given between the backup and now is never given again (I09).
 *
 * @param policy the version that the live call was opened under, or the account's present one.
 */
export const restore = (account: MarginAccount, policy: PolicyInMode, restored: Restored, now: number): Change => {
  const { restoredAt, key, version } = restored;
  const calls: MarginCall[] = [];
  const events: DomainEvent[] = [];
  let after: MarginAccount = { ...account, key, version, outOfSync: true, restoredAt };
  for (const scope of scopesOf(account)) {
    const part = restoreScope(viewOf(after, scope), scope, policyIn(policy, scope), now);
    after = withView(after, scope, part.account);
    calls.push(...part.calls);
    events.push(...part.events);
  }
  return { before: account, after, calls, orders: [], entries: [], events };
};
