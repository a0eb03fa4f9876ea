import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

import { nameOf, type Stage } from "../lib/stage.ts";

const FIFO = ".fifo";
/** Queues of the flow, as they are called; those with a suffix are ordered. */
const QUEUES = ["marks", "sweep", "shards", "email", "webhook", "timer", "expiry", "orders", "venue.fifo", "feed.fifo"] as const;
/** Queues that the topic delivers to: each subscription parks on its own. */
const SUBSCRIBED = ["email", "webhook", "timer", "orders"] as const;
/** What the next minute does again by itself: a tick that was given up is not worth another try. */
const TICKS = ["schedules", "sweep-overdue"] as const;

/** What becomes of the messages of a dead-letter queue. */
export type Way =
  | { readonly kind: "queue"; readonly to: string }
  /** A stream's records: their places in the stream, not the records. */
  | { readonly kind: "records" }
  | { readonly kind: "discard" };

/** Every dead-letter queue that messages can be sent back from, by its alarm's name without `-dead`. */
export const WAYS: ReadonlyMap<string, Way> = new Map<string, Way>([
  ...QUEUES.map((to): [string, Way] => [to.replace(FIFO, ""), { kind: "queue", to }]),
  ...SUBSCRIBED.map((to): [string, Way] => [`${to}-subscription`, { kind: "queue", to }]),
  ...TICKS.map((thing): [string, Way] => [thing, { kind: "discard" }]),
  ["publish-events", { kind: "records" }],
]);

/** The physical name of a thing's dead-letter queue. */
const deadNameOf = (stage: Stage, thing: string, way: Way): string =>
  `${nameOf(stage, thing)}-dead${way.kind === "queue" && way.to.endsWith(FIFO) ? FIFO : ""}`;

const urlOf = async (sqs: SQSClient, name: string): Promise<string> => {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  if (QueueUrl === undefined) throw new Error(`the queue ${name} has no address`);
  return QueueUrl;
};

const depthOf = async (sqs: SQSClient, QueueUrl: string): Promise<number> => {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }));
  return Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0);
};

const sendBack = (sqs: SQSClient, QueueUrl: string, { Body, MessageId, Attributes }: Message): Promise<unknown> => {
  const group = Attributes?.MessageGroupId;
  const ordered = group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: `redrive-${MessageId}` };
  return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Body, ...ordered }));
};

/** How to carry out each way. */
export interface Redrive {
  readonly sqs: SQSClient;
  readonly stage: Stage;
  /** Publishes the records that a parked message of the relay names. @throws where the stream does not have them any more. */
  readonly publishAgain: (body: string) => Promise<void>;
}

/**
 * Sends back what was parked when it began, once, and takes each message away only after that: a crash in
 * between sends it twice, which the ids make harmless. What fails again is parked again, and stays.
 *
 * @returns how many messages went back, or were discarded.
 */
export const redrive = async ({ sqs, stage, publishAgain }: Redrive, thing: string, way: Way): Promise<number> => {
  const from = await urlOf(sqs, deadNameOf(stage, thing, way));
  const to = way.kind === "queue" ? await urlOf(sqs, nameOf(stage, way.to)) : "";
  const parked = await depthOf(sqs, from);
  let done = 0;
  while (done < parked) {
    const { Messages: [message] = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: from,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ["MessageGroupId"],
      }),
    );
    if (message === undefined) return done;
    if (way.kind === "queue") await sendBack(sqs, to, message);
    if (way.kind === "records") await publishAgain(message.Body ?? "");
    await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: message.ReceiptHandle }));
    done += 1;
  }
  return done;
};
