import { UnreadableRow } from "../adapters/dynamodb/items.ts";
import { createRiskReports } from "../adapters/dynamodb/risk-report.ts";
import { riskReply } from "../adapters/wire/risk.ts";
import { Problem } from "./problem.ts";
import { defineRoute, deployment, noBody, none } from "./route.ts";

const unpublished = (detail: string): Problem =>
  new Problem("not-found", {
    detail,
    mend: "Have an operator run npm run risk with --publish; docs/reference/models/risk.md says how, and how often.",
  });

/** A report that another release wrote in another form is as good as none. */
const refuseUnread = (error: unknown): never => {
  if (error instanceof UnreadableRow) throw unpublished("the published report of the whole book's risk is not of this release's form");
  throw error;
};

export const readRisk = defineRoute({
  action: "readRisk",
  summary: "The risk of the whole book, as it was last published",
  description:
    "Volatilities, correlations, stresses, contagion, default risk and exposures of the whole book (M15, M16). It is worked out by `npm run risk -- --publish`, not by the request, since it reads every account: `ageMs` says how old the marks are that it was worked out on.",
  path: none,
  query: none,
  body: noBody,
  reply: riskReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk: { world } }) => {
    const newest = await createRiskReports(world).newest().catch(refuseUnread);
    if (newest === null) throw unpublished("no report of the whole book's risk was published");
    const { report, marksAt, publishedAt, release } = newest;
    return { publishedAt, release, ageMs: Math.max(0, world.clock.now() - marksAt), report };
  },
});
