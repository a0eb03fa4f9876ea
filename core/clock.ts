import type { MarginCall } from "./call.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PolicyInMode } from "./mode.ts";
import type { Policy } from "./policy.ts";

/**
 * The instant from which a call counts as issued: the clock just before the write plus the whole
 * time that the write may take (R12), so that a slow write steals no grace (S39).
 */
export const issuedAtOf = (now: number): number => now + LIMITS.writeBudgetMs;

const newestPrices = new WeakMap<MarketSnapshot, number>();

/** The instant of the newest price of a snapshot; 0 without any. */
export const newestPriceAt = (snapshot: MarketSnapshot): number => {
  const known = newestPrices.get(snapshot);
  if (known !== undefined) return known;
  let newest = 0;
  for (const { asOf } of snapshot.marks.values()) newest = Math.max(newest, asOf);
  newestPrices.set(snapshot, newest);
  return newest;
};

/**
 * The instant of a decision: the host's clock, but never before the newest price that it decides on. A price
 * of the future is refused when it comes (R3), so a clock that is behind one is behind the world; it would
 * promise a deadline that is over for everybody else (S39, I05).
 */
export const decisionInstant = (now: number, snapshot: MarketSnapshot): number => Math.max(now, newestPriceAt(snapshot));

/** Deadline of a call issued, or whose clock starts, at `issuedAt`: allowance for the notice, then the grace (R12). */
export const deadlineOf = (issuedAt: number, graceMs: number, policy: Pick<Policy, "noticeAllowanceMs">): number =>
  issuedAt + policy.noticeAllowanceMs + graceMs;

/** True once no host within the tolerated skew can still see the deadline ahead of it (R12, S39). */
export const isPast = (deadlineAt: number, now: number): boolean => now - 2 * LIMITS.skewMs >= deadlineAt;

/**
 * True for a call whose holder nobody has told within the wait (R12): its clock runs, and no channel has
 * accepted a notice of it. An operator is to know. A deployment that only observes tells nobody (R28).
 */
export const isUntold = (
  call: Pick<MarginCall, "status" | "issuedAt" | "noticeAcceptedAt">,
  policy: Pick<PolicyInMode, "noticeWaitMaxMs" | "mode">,
  now: number,
): boolean =>
  policy.mode !== "observe" && call.status === "OPEN" && call.noticeAcceptedAt === null && now - call.issuedAt > policy.noticeWaitMaxMs;

/** Grace between the policy's least and its own (R13). */
export const clampGrace = (graceMs: number, policy: Pick<Policy, "graceMs" | "graceMinMs">): number =>
  Math.max(Math.min(graceMs, policy.graceMs), Math.min(policy.graceMinMs, policy.graceMs));

/** Grace that a call has left at `now`, for the next call of its episode (R11). All of it where the clock never ran. */
export const graceLeftOf = (call: Pick<MarginCall, "deadlineAt" | "graceMs">, now: number): number =>
  call.deadlineAt === null ? call.graceMs : Math.max(0, Math.min(call.graceMs, call.deadlineAt - now));

/** The deadline moved to `to` where that is later; never earlier (I05). */
export const moveDeadline = (call: MarginCall, to: number): Pick<MarginCall, "deadlineAt" | "deadlineVersion"> =>
  call.deadlineAt !== null && call.deadlineAt >= to
    ? { deadlineAt: call.deadlineAt, deadlineVersion: call.deadlineVersion }
    : { deadlineAt: to, deadlineVersion: call.deadlineVersion + 1 };
