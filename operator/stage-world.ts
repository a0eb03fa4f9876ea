import type { SQSClient } from "@aws-sdk/client-sqs";

import type { QueueName } from "../lib/flow.ts";
import { nameOf, type Stage } from "../lib/stage.ts";
import { Refusal } from "./command-line.ts";

/** Whether a queue keeps the order of each account: those of the venue and of its feed do. */
export const isOrdered = (queue: QueueName): boolean => queue === "venue" || queue === "feed";

/** Queues as a stage names them. */
export const queueNameOf = (stage: Stage, queue: QueueName): string => nameOf(stage, isOrdered(queue) ? `${queue}.fifo` : queue);

/**
 * The address of a queue, asked of SQS itself. Where `AWS_ENDPOINT_URL_SQS` is set, it is an address there: the service
 * answers with the host that it knows itself by, and the SDK would follow that.
 *
 * @throws Refusal where there is no such queue: the stage of the file is not the one that was deployed.
 */
export const queueUrlOf = async (sqs: SQSClient, QueueName: string): Promise<string> => {
  const { GetQueueUrlCommand, QueueDoesNotExist } = await import("@aws-sdk/client-sqs");
  try {
    const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    const endpoint = process.env["AWS_ENDPOINT_URL_SQS"];
    return endpoint === undefined ? QueueUrl : new URL(new URL(QueueUrl).pathname, endpoint).href;
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
    throw new Refusal(`there is no queue ${QueueName} in this account and Region: give the stage as it was deployed`);
  }
};

const variableOf = (queue: QueueName): string => `${queue.toUpperCase()}_QUEUE_URL`;

/**
 * Puts the settings of a deployed stage where its functions read them, so that one of them can run in this process.
 * Names follow from the stage's configuration: nothing is asked of Lambda or CloudFormation, which may be what is
 * down (S30). Only the addresses of the named queues are asked for, of SQS itself.
 *
 * Region and credentials are the caller's own; `AWS_ENDPOINT_URL_<SERVICE>` is followed.
 */
export const enterStage = async (stage: Stage, queues: readonly QueueName[]): Promise<void> => {
  process.env["AWS_REGION"] = stage.region;
  Object.assign(process.env, {
    BOOK_TABLE: nameOf(stage, "book"),
    MARKS_TABLE: nameOf(stage, "marks"),
    JOURNAL_TABLE: nameOf(stage, "journal"),
    OUTBOUND_TABLE: nameOf(stage, "outbound"),
    SHARDS: `${stage.shards}`,
    SHARDS_PER_GROUP: `${stage.shardsPerGroup}`,
    ROW_SCHEMA: `${stage.rowSchema}`,
    MODES: JSON.stringify(stage.modes),
    DEFAULT_POLICY: stage.defaultPolicy,
    BREACH_SHARE_MAX_PPM: `${stage.breachShareMaxPpm}`,
  });
  if (queues.length === 0) return;
  const { SQSClient } = await import("@aws-sdk/client-sqs");
  const sqs = new SQSClient({});
  for (const queue of queues) process.env[variableOf(queue)] = await queueUrlOf(sqs, queueNameOf(stage, queue));
};
