import * as z from "zod";

import { instrumentChange } from "../adapters/change-terms.ts";
import { changeQuery, instrumentPath, instrumentTerms, versionReply } from "../adapters/wire/api.ts";
import { instrumentBody } from "../adapters/wire/instrument.ts";
import { throughBreaker } from "./changes.ts";
import { refuse } from "./problem.ts";
import { defineRoute, deployment } from "./route.ts";

export const putInstrument = defineRoute({
  action: "putInstrument",
  summary: "Set the terms of an instrument",
  description:
    "Makes the next version; the same terms again make none. A tier table whose requirement would jump, fall, or leave no room between initial and maintenance margin is refused, naming table and bracket (M3, R24). Held with 409 and the plan where more than the stage's share of the accounts at risk would newly be called or closed out, unless the query names at least as many of each (R17): then it waits for a second person's approval (S19). With effectiveAt it waits for that instant, in shadow (S18). A rate that rises by more than 25 % needs 24 h of notice, or an emergency with its reason (M3).",
  path: instrumentPath,
  query: changeQuery,
  body: instrumentTerms,
  reply: versionReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, principal, path, query, body }) => {
    const { instrumentId } = path;
    const { effectiveAt, emergency, ...given } = body;
    const terms = z.encode(instrumentTerms, given);
    const change = instrumentChange(desk.world, instrumentId, (version) => {
      const made = instrumentBody.safeParse({ ...terms, instrumentId, version });
      if (!made.success) throw refuse(made.error, "body");
      return made.data;
    });
    const by = principal?.principalId ?? null;
    return { id: instrumentId, ...(await throughBreaker(change, query, { by, effectiveAt, emergency: emergency?.reason })) };
  },
});
