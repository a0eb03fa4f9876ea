import { createChanges } from "../adapters/dynamodb/changes.ts";
import { approveChange, UnknownChange, withdrawChange } from "../adapters/pending-changes.ts";
import { approvalBody, changePath, changeReply, changesReply } from "../adapters/wire/api.ts";
import { pendingView } from "../adapters/wire/pending-change.ts";
import { LIMITS } from "../core/limits.ts";
import { Problem } from "./problem.ts";
import { defineRoute, deployment, noBody, none } from "./route.ts";

export const listChanges = defineRoute({
  action: "listChanges",
  summary: "List pending changes of terms",
  description:
    "Policies and instruments whose next terms wait for their instant, in shadow (S18), or for people to release them (S19): who proposed and approved them, and whom they would newly affect.",
  path: none,
  query: none,
  body: noBody,
  reply: changesReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk: { world } }) => ({ changes: (await createChanges(world).list()).map(({ change }) => pendingView(change)) }),
});

const refuseUnknown = (error: unknown): never => {
  if (!(error instanceof UnknownChange)) throw error;
  throw new Problem("not-found", { detail: error.message, mend: "GET /changes lists what is pending." });
};

export const approveChangeRoute = defineRoute({
  action: "approveChange",
  summary: "Approve a pending change of terms",
  description:
    "Takes on at most so many newly called and closed out, in the name of the caller. What the breaker holds goes through once two different principals approved it, if no more breach than both of them named (S19). A second approval of one principal takes the place of its first.",
  path: changePath,
  query: none,
  body: approvalBody,
  reply: changeReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk: { world }, principal, path: { changeId }, body }) => {
    const accepted = { called: body.newlyCalled, closedOut: body.newlyClosedOut };
    const approval = { by: principal?.principalId ?? "", accepted };
    const { outcome, change } = await approveChange(world, changeId, approval, LIMITS.accountsPerRequestMax).catch(refuseUnknown);
    return { outcome, change: pendingView(change) };
  },
});

export const withdrawChangeRoute = defineRoute({
  action: "withdrawChange",
  summary: "Withdraw a pending change of terms",
  description: "Takes the change back. The terms in force go on; the record of it is kept.",
  path: changePath,
  query: none,
  body: noBody,
  reply: changeReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk: { world }, principal, path: { changeId } }) => {
    const change = await withdrawChange(world, changeId, principal?.principalId ?? "").catch(refuseUnknown);
    return { outcome: "withdrawn" as const, change: pendingView(change) };
  },
});
