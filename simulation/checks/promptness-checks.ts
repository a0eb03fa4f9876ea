import { instantOf } from "../time/instants.ts";
import type { Check } from "./book-checks.ts";
import type { Commit } from "./witness.ts";

/** R14: two minutes, and the twice five seconds by which clocks may differ. */
const ESCALATED_MS = 130_000;
/** L06 says a minute; a message that failed at the last fault comes again when its queue shows it again. */
const MET_MS = 60_000 + 90_000;

/** L05, L06: what is due happens in time, counted from the last fault where that is later. */
export const createPromptnessChecks = (check: Check, { calmSince, endsAt }: { readonly calmSince: number; readonly endsAt: number }) => {
  const since = (due: number): number => Math.max(due, calmSince);
  return ({ at, calls, entries }: Commit): void => {
    // On the day after no schedule runs: nothing is due by the clock.
    if (at > endsAt) return;
    for (const { before, after } of calls) {
      if (before?.status !== "OPEN") continue;
      const deadline = before.deadlineAt === null ? null : instantOf(before.deadlineAt);
      const isActed =
        after.status !== "OPEN" || (after.overdueAt !== null && before.overdueAt === null) || after.deadlineAt !== before.deadlineAt;
      const isDue = deadline !== null && before.overdueAt === null && at > deadline;
      if (isDue && isActed)
        check("L05", at - since(deadline) <= ESCALATED_MS, () => `${after.callId}: acted on ${at - since(deadline)} ms after its deadline`);
      const paid = /^deposit-.*-(\d{13})-/.exec(entries.find(({ externalId }) => externalId.startsWith("deposit-"))?.externalId ?? "")?.[1];
      if (after.status === "MET" && after.scope === "CROSS" && after.metBy === "payment" && paid !== undefined) {
        check("L06", at - since(Number(paid)) <= MET_MS, () => `${after.callId}: met ${at - since(Number(paid))} ms after its payment`);
      }
    }
  };
};
