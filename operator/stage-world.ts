import type { QueueName } from "../lib/flow.ts";
import { nameOf, type Stage } from "../lib/stage.ts";

/** Queues as a stage names them: those of the venue and of its feed are ordered. */
const queueNameOf = (stage: Stage, queue: QueueName): string =>
  nameOf(stage, queue === "venue" || queue === "feed" ? `${queue}.fifo` : queue);

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
    MODES: JSON.stringify(stage.modes),
    DEFAULT_POLICY: stage.defaultPolicy,
    BREACH_SHARE_MAX_PPM: `${stage.breachShareMaxPpm}`,
  });
  if (queues.length === 0) return;
  const { GetQueueUrlCommand, SQSClient } = await import("@aws-sdk/client-sqs");
  const sqs = new SQSClient({});
  for (const queue of queues) {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueNameOf(stage, queue) }));
    process.env[variableOf(queue)] = QueueUrl;
  }
};
