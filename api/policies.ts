import * as z from "zod";

import { policyChange } from "../adapters/change-terms.ts";
import { changeQuery, policyPath, policyTerms, versionReply } from "../adapters/wire/api.ts";
import { policyBody } from "../adapters/wire/policy.ts";
import { throughBreaker } from "./changes.ts";
import { refuse } from "./problem.ts";
import { defineRoute, deployment } from "./route.ts";

export const putPolicy = defineRoute({
  action: "putPolicy",
  summary: "Set a margin policy",
  description:
    "Makes the next version, which never changes; the same terms again make none. An open call keeps the version it was opened under (R11). Held with 409 and the plan where more than the stage's share of the accounts at risk would newly be called or closed out, unless the query names at least as many of each (R17): then it waits for a second person's approval (S19). With effectiveAt it waits for that instant, in shadow (S18). A rate that rises by more than 25 % needs 24 h of notice, or an emergency with its reason (M3).",
  path: policyPath,
  query: changeQuery,
  body: policyTerms,
  reply: versionReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, principal, path, query, body }) => {
    const { policyId } = path;
    const { effectiveAt, emergency, ...given } = body;
    const terms = z.encode(policyTerms, given);
    const change = policyChange(desk.world, policyId, (version) => {
      const made = policyBody.safeParse({ ...terms, policyId, version });
      if (!made.success) throw refuse(made.error, "body");
      return made.data;
    });
    const by = principal?.principalId ?? null;
    return { id: policyId, ...(await throughBreaker(change, query, { by, effectiveAt, emergency: emergency?.reason })) };
  },
});
