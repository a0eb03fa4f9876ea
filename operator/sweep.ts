import type { Context } from "aws-lambda";

import { runCommand, say, stageOf } from "./command-line.ts";
import { enterStage } from "./stage-world.ts";

/** As long as the function itself has (lib/flow.ts); a laptop is slower, so the command may be given again. */
const BUDGET_MS = 55_000;

/**
 * `npm run sweep`: what sweep-overdue does each minute, from a laptop, when Lambda, its pollers or Scheduler are down
 * (S30, L12). It needs DynamoDB, and SQS for orders; a second one beside a deployment that still runs does no harm.
 */
process.exitCode = await runCommand({
  usage: `npm run sweep -- --stage NAME|FILE.json

  Decides every overdue call and sends the orders that are due, once, in this process.
  Uses this shell's AWS credentials: the rights of the function sweep-overdue and sqs:GetQueueUrl.`,
  options: { stage: { type: "string" } },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    await enterStage(stage, ["venue"]);
    say(`sweeping ${stage.name} in ${stage.region}; modes ${JSON.stringify(stage.modes)}`);
    const { handler } = await import("../functions/sweep-overdue.ts");
    const endsAt = Date.now() + BUDGET_MS;
    const context = { awsRequestId: `laptop-${endsAt}`, getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()) };
    await handler({}, context as Context);
    say("done: what was decided is in the journal; counts stand in the lines above");
    return 0;
  },
});
