import type { Context } from "aws-lambda";

import { nameOf, type Stage } from "../lib/stage.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { redrive, WAYS } from "./parked.ts";
import { enterStage } from "./stage-world.ts";
import { recordsOf } from "./stream-records.ts";

/** The address of the events topic, from that of a queue beside it. */
const topicArnOf = (stage: Stage, queueUrl: string): string => {
  const account = new URL(queueUrl).pathname.split("/")[1] ?? "";
  return `arn:aws:sns:${stage.region}:${account}:${nameOf(stage, "events")}`;
};

/** Publishes again, in this process, what a parked message of publish-events stands for. */
const publishAgain = async (body: string): Promise<void> => {
  const { handler } = await import("../functions/publish-events.ts");
  const { batchItemFailures } = await handler({ Records: [...(await recordsOf(body))] }, { awsRequestId: "laptop" } as Context);
  if (batchItemFailures.length > 0) throw new Refusal("a record could not be published; the lines above say why. It stays parked.");
};

const known = [...WAYS.keys()].join(", ");

/** `npm run redrive`: what was parked goes back to where it was bound for, also where SQS itself has no way back. */
process.exitCode = await runCommand({
  usage: `npm run redrive -- --stage NAME|FILE.json --from THING

  Sends the messages of the dead-letter queue THING-dead back, once: to its queue; to the queue of its
  subscription; or, for publish-events, by publishing the journal's records again. Ticks of schedules and
  sweep-overdue are discarded: the next minute did them again. THING is one of
  ${known}.
  Uses this shell's AWS credentials: sqs:GetQueueUrl, GetQueueAttributes, ReceiveMessage, DeleteMessage and
  SendMessage on both queues; for publish-events dynamodb:GetRecords and GetShardIterator, and sns:Publish.`,
  options: { stage: { type: "string" }, from: { type: "string" } },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const way = WAYS.get(given.from ?? "");
    if (given.from === undefined || way === undefined) throw new Refusal(`--from: name one of ${known}`);
    await enterStage(stage, ["email"]);
    process.env["EVENTS_TOPIC_ARN"] = topicArnOf(stage, process.env["EMAIL_QUEUE_URL"] ?? "");
    const { SQSClient } = await import("@aws-sdk/client-sqs");
    // The endpoint that the environment names, or the region's own: a queue's address is not where it is asked for.
    const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    const done = await redrive({ sqs, stage, publishAgain }, given.from, way);
    say(`${done} ${way.kind === "discard" ? "discarded" : "sent back"}; what fails again is parked again`);
    return 0;
  },
});
