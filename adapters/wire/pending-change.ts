import * as z from "zod";

import type { PendingChange } from "../../core/pending-change.ts";
import { count, instant, instrumentId, policyId } from "./scalars.ts";

/** Why a change comes without notice (M3). The words stand in the record of the change and in its plan. */
export const emergency = z.strictObject({
  reason: z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{3,200}$/u, "3-200 characters, no control characters"),
});

/** When terms are to hold, beside the terms themselves: absent for at once. */
export const schedule = {
  effectiveAt: instant.optional(),
  emergency: emergency.optional(),
} as const;

/** The name of a pending change's content. */
export const changeId = z.string().regex(/^CH-[A-Za-z0-9_-]{24}$/, "not the id of a change");

const counts = z.object({ undecided: count, closedOut: count, called: count, warned: count, released: count });

/** A change of terms that waits for its instant or for people (S18, S19): in replies, and as it stands in the book. */
export const pendingChange = z.object({
  changeId,
  kind: z.enum(["policy", "instrument"]),
  id: z.union([policyId, instrumentId]),
  effectiveAt: instant,
  proposedBy: z.string(),
  proposedAt: instant,
  /** Why it comes without notice (M3); null for a change that needs none. */
  emergency: z.string().nullable(),
  /** Who took it on, with at most how many newly called and closed out. */
  approvals: z.array(z.object({ by: z.string(), at: instant, accepted: z.object({ called: count, closedOut: count }) })),
  /** Since when it is held, and why; null while nothing holds it. */
  held: z.object({ at: instant, why: z.enum(["undecided", "share"]) }).nullable(),
  /** Whom it would newly affect, when its shadow was last computed. */
  shadow: z.object({ at: instant, marksAt: instant, atRisk: count, counts }).nullable(),
  /** Since when it is being stored as a version: nobody takes it back any more. */
  enactingAt: instant.nullable(),
  /** The terms as a PUT sends them: what an approval is of. */
  terms: z.record(z.string(), z.unknown()),
});

/** A pending change with its terms: the body of the PUT that proposed it, without id and version. */
export interface StoredChange extends PendingChange {
  readonly terms: Readonly<Record<string, unknown>>;
}

/** A change as the schema writes it. */
export const pendingView = (change: StoredChange): z.output<typeof pendingChange> => ({ ...change, approvals: [...change.approvals] });
