import type * as z from "zod";

import {
  applyChange,
  BookTooLarge,
  type Change,
  ChangeHeld,
  ChangePending,
  NoticeTooShort,
  type Proposal,
} from "../adapters/change-terms.ts";
import type { changeQuery } from "../adapters/wire/api.ts";
import { encodeChangePlan } from "../adapters/wire/change-plan.ts";
import { type pendingChange, pendingView } from "../adapters/wire/pending-change.ts";
import { iso } from "../adapters/wire/scalars.ts";
import { LIMITS } from "../core/limits.ts";
import { Problem } from "./problem.ts";

const held = ({ why, message, plan }: ChangeHeld): Problem => {
  const { called, closedOut, undecided } = plan.counts;
  const mend =
    why === "undecided"
      ? `Mend the terms: ${undecided} accounts hold or owe what they have no terms for.`
      : `Read the plan. To have a second person decide, send it again with ?acceptNewlyCalled=${called}&acceptNewlyClosedOut=${closedOut}.`;
  return new Problem("held", { detail: message, mend, plan: encodeChangePlan(plan) });
};

const tooLarge = ({ message }: BookTooLarge): Problem =>
  new Problem("book-too-large", {
    detail: `${message}: a change of terms cannot be judged within one request`,
    mend: "Use the command npm run policy, which reads the book from the operator's own machine.",
  });

const tooSoon = ({ message, rises, earliest }: NoticeTooShort): Problem =>
  new Problem("notice-too-short", {
    detail: message,
    mend: `Send it with effectiveAt ${iso(earliest)} or later, or with emergency and its reason.`,
    faults: rises.map(({ place, from, to }) => ({ where: `body/${place}`, what: `rises from ${from} to ${to} ppm` })),
  });

const alreadyPending = ({ message, changeId }: ChangePending): Problem =>
  new Problem("conflict", { detail: message, mend: `Withdraw it first: POST /changes/${changeId}/withdrawal.` });

/** A refusal of a change of terms, as the caller is told of it. @throws whatever is none. */
const refusalOf = (error: unknown): Problem => {
  if (error instanceof ChangeHeld) return held(error);
  if (error instanceof BookTooLarge) return tooLarge(error);
  if (error instanceof NoticeTooShort) return tooSoon(error);
  if (error instanceof ChangePending) return alreadyPending(error);
  throw error;
};

/** Stores a change of terms through the breaker (R17), or puts it where it waits. @throws Problem. */
export const throughBreaker = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  { acceptNewlyCalled, acceptNewlyClosedOut }: z.output<typeof changeQuery>,
  given: Pick<Proposal, "by" | "effectiveAt" | "emergency">,
): Promise<{ readonly version: number; readonly pending?: z.output<typeof pendingChange> }> => {
  try {
    const proposal = { ...given, called: acceptNewlyCalled, closedOut: acceptNewlyClosedOut };
    const { version, pending } = await applyChange(change, proposal, LIMITS.accountsPerRequestMax);
    return { version, ...(pending !== null && { pending: pendingView(pending) }) };
  } catch (error) {
    throw refusalOf(error);
  }
};
