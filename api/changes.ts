import type * as z from "zod";

import { applyChange, BookTooLarge, type Change, ChangeHeld, type ChangeOutcome } from "../adapters/change-terms.ts";
import type { changeQuery } from "../adapters/wire/api.ts";
import { encodeChangePlan } from "../adapters/wire/change-plan.ts";
import { LIMITS } from "../core/limits.ts";
import { Problem } from "./problem.ts";

const held = ({ why, message, plan }: ChangeHeld): Problem => {
  const { called, closedOut, undecided } = plan.counts;
  const mend =
    why === "undecided"
      ? `Mend the terms: ${undecided} accounts hold or owe what they have no terms for.`
      : `Read the plan. To go on, send it again with ?acceptNewlyCalled=${called}&acceptNewlyClosedOut=${closedOut}.`;
  return new Problem("held", { detail: message, mend, plan: encodeChangePlan(plan) });
};

const tooLarge = ({ message }: BookTooLarge): Problem =>
  new Problem("book-too-large", {
    detail: `${message}: a change of terms cannot be judged within one request`,
    mend: "Use the command npm run policy, which reads the book from the operator's own machine.",
  });

/** Stores a change of terms through the breaker (R17). @returns the version that holds the terms. @throws Problem. */
export const throughBreaker = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  { acceptNewlyCalled, acceptNewlyClosedOut }: z.output<typeof changeQuery>,
): Promise<ChangeOutcome["version"]> => {
  try {
    const accepted = { called: acceptNewlyCalled, closedOut: acceptNewlyClosedOut };
    return (await applyChange(change, accepted, LIMITS.accountsPerRequestMax)).version;
  } catch (error) {
    if (error instanceof ChangeHeld) throw held(error);
    if (error instanceof BookTooLarge) throw tooLarge(error);
    throw error;
  }
};
