import type { AcceptedBreaches, ChangePlan } from "./change-plan.ts";

/** That somebody takes a change on, with at most these figures of its plan (S19). */
export interface Approval {
  /** The principal: what the stage's configuration names, never a session's name. */
  readonly by: string;
  readonly at: number;
  readonly accepted: AcceptedBreaches;
}

/** Why the breaker does not let a change through: accounts could not be decided, or too many would breach (R17). */
export type HoldReason = "undecided" | "share";

/** What the shadow found when it was last computed (S18). */
export interface ShadowRun {
  readonly at: number;
  readonly marksAt: number;
  readonly atRisk: number;
  readonly counts: ChangePlan["counts"];
}

/** A change of terms that waits for its instant, or that the breaker holds at it. No function decides on it. */
export interface PendingChange {
  /** Names the content: the same terms for the same instant have the same id, others have another. */
  readonly changeId: string;
  readonly kind: "policy" | "instrument";
  /** Of the policy or the instrument. */
  readonly id: string;
  /** Not before this; at the instant the breaker judges it once more. */
  readonly effectiveAt: number;
  readonly proposedBy: string;
  readonly proposedAt: number;
  /** Why it comes without the notice that its rise of a rate would need (M3); null for one that needs none. */
  readonly emergency: string | null;
  /** At most one of each principal. */
  readonly approvals: readonly Approval[];
  readonly held: { readonly at: number; readonly why: HoldReason } | null;
  readonly shadow: ShadowRun | null;
  /** Since when it is being stored as a version, which nobody takes back any more; null before. */
  readonly enactingAt: number | null;
}

/** People that must take on what the breaker holds (S19, R28). */
const APPROVERS = 2;
const NOBODY: AcceptedBreaches = { called: 0, closedOut: 0 };

/** Whether as many different principals as it takes have taken the change on. */
export const isApproved = ({ approvals }: PendingChange): boolean => new Set(approvals.map(({ by }) => by)).size >= APPROVERS;

/** What both of them took on: of each figure the smaller one. Nothing before there are two. */
export const acceptedBy = (change: PendingChange): AcceptedBreaches =>
  isApproved(change)
    ? {
        called: Math.min(...change.approvals.map(({ accepted }) => accepted.called)),
        closedOut: Math.min(...change.approvals.map(({ accepted }) => accepted.closedOut)),
      }
    : NOBODY;

/** The change with somebody's approval. One principal has one: another of the same takes its place, and is no second. */
export const approved = <Pending extends PendingChange>(change: Pending, approval: Approval): Pending => ({
  ...change,
  approvals: [...change.approvals.filter(({ by }) => by !== approval.by), approval],
});

/** The change with what its shadow found. */
export const shadowed = <Pending extends PendingChange>(change: Pending, plan: ChangePlan, at: number): Pending => ({
  ...change,
  shadow: { at, marksAt: plan.marksAt, atRisk: plan.atRisk, counts: plan.counts },
});

/** The change as the breaker holds it: since it was first held. */
export const heldFor = <Pending extends PendingChange>(change: Pending, why: HoldReason, now: number): Pending => ({
  ...change,
  held: { at: change.held?.at ?? now, why },
  enactingAt: null,
});

/** What a held change needs: nothing, or the approvals of two. A price that went back does not release what was held (S18). */
export const isReleased = (change: PendingChange): boolean => change.held === null || isApproved(change);

/** Whether its instant has come. */
export const isDue = ({ effectiveAt }: PendingChange, now: number): boolean => effectiveAt <= now;
