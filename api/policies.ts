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
    "Makes the next version, which never changes; the same terms again make none. An open call keeps the version it was opened under (R11). Held with 409 and the plan where more than the stage's share of the accounts at risk would newly be called or closed out, unless the query names at least as many of each (R17).",
  path: policyPath,
  query: changeQuery,
  body: policyTerms,
  reply: versionReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, path, query, body }) => {
    const { policyId } = path;
    const terms = z.encode(policyTerms, body);
    const change = policyChange(desk.world, policyId, (version) => {
      const made = policyBody.safeParse({ ...terms, policyId, version });
      if (!made.success) throw refuse(made.error, "body");
      return made.data;
    });
    return { id: policyId, version: await throughBreaker(change, query) };
  },
});
