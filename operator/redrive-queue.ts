import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

import { inBatches } from "../adapters/aws/clients.ts";
import { bodyFor, type Parking, sampleOf, whyPoison } from "./redrive-homes.ts";
import { queueUrlOf } from "./stage-world.ts";

/** While a run works, what it left is out of sight for this long; it gives it back at its end. */
const HIDDEN_S = 120;
/** A long poll asks every server of a queue, so that an empty answer means an empty queue. */
const WAIT_S = 1;
/** Quota of a batch in bytes, with room for what is not the body. */
const BATCH_BYTES_MAX = 250_000;
const SAMPLES = 3;

/** What became of one dead-letter queue. */
export interface Redriven {
  readonly parked: number;
  /** Messages that were looked at: a dry run stops at a sample. */
  readonly seen: number;
  readonly moved: number;
  /** Messages that stay, by the reason. */
  readonly stays: ReadonlyMap<string, number>;
  readonly samples: readonly string[];
}

export interface Wish {
  /** Look, and leave everything where it is. */
  readonly dryRun: boolean;
  /** Move even what no version reads. */
  readonly all: boolean;
  /** Does what a message without a home asks for. @returns null when it is done, or why it stays. */
  readonly act?: (body: string) => Promise<string | null>;
}

/** Messages in a queue, in flight ones too: another run may have hidden them. */
const depthOf = async (sqs: SQSClient, QueueUrl: string): Promise<number> => {
  const asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...asked] }));
  return asked.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
};

const receive = async (sqs: SQSClient, QueueUrl: string): Promise<readonly Message[]> => {
  const request = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: WAIT_S, VisibilityTimeout: HIDDEN_S };
  const reply = await sqs.send(
    new ReceiveMessageCommand({ ...request, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["MessageGroupId"] }),
  );
  return reply.Messages ?? [];
};

const handlesOf = (messages: readonly Message[]): { Id: string; ReceiptHandle: string }[] =>
  messages.map(({ ReceiptHandle = "" }, index) => ({ Id: `${index}`, ReceiptHandle }));

const release = async (sqs: SQSClient, QueueUrl: string, messages: readonly Message[]): Promise<void> => {
  for (let from = 0; from < messages.length; from += 10) {
    const Entries = handlesOf(messages.slice(from, from + 10)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }
};

/**
 * Sends messages home, then deletes those that the home queue has taken. A crash between the two sends them once more
 * at the next run, which is harmless: ids make each effect happen once (S43). @returns those that it did not take.
 */
const moveHome = async (
  sqs: SQSClient,
  { deadUrl, homeUrl }: { readonly deadUrl: string; readonly homeUrl: string },
  parking: Parking,
  messages: readonly Message[],
): Promise<readonly Message[]> => {
  const refused: Message[] = [];
  for (const batch of inBatches(messages, ({ Body = "" }) => Buffer.byteLength(Body) + 500, BATCH_BYTES_MAX)) {
    const Entries = batch.map(({ Body = "", Attributes, MessageAttributes, MessageId = "" }, index) => ({
      Id: `${index}`,
      MessageBody: bodyFor(parking.thing, Body),
      ...(MessageAttributes !== undefined && { MessageAttributes }),
      ...(parking.home?.ordered === true && {
        MessageGroupId: Attributes?.MessageGroupId ?? "",
        MessageDeduplicationId: `redrive-${MessageId}`,
      }),
    }));
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: homeUrl, Entries }));
    const failed = new Set(Failed.map(({ Id }) => Number(Id)));
    const taken = batch.filter((_, index) => !failed.has(index));
    refused.push(...batch.filter((_, index) => failed.has(index)));
    if (taken.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: deadUrl, Entries: handlesOf(taken) }));
  }
  return refused;
};

/** Does what messages without a home ask for, one after another, and deletes those that are done. */
const carryOut = async (
  sqs: SQSClient,
  QueueUrl: string,
  act: NonNullable<Wish["act"]>,
  messages: readonly Message[],
): Promise<readonly Stay[]> => {
  const stays: Stay[] = [];
  for (const message of messages) {
    const why = await act(message.Body ?? "");
    if (why !== null) stays.push([message, why]);
    else await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handlesOf([message]) }));
  }
  return stays;
};

type Stay = readonly [message: Message, reason: string];

/** Poison stays, and in an ordered queue what follows it in its group does too: nothing overtakes (S42). */
const sort = (parking: Parking, messages: readonly Message[], { all, act }: Wish, blocked: Set<string>) => {
  const { home } = parking;
  const goes: Message[] = [];
  const stays: Stay[] = [];
  for (const message of messages) {
    if (home === null) {
      if (act === undefined) stays.push([message, parking.instead]);
      else goes.push(message);
      continue;
    }
    const group = home.ordered ? (message.Attributes?.MessageGroupId ?? "") : null;
    const poison = all ? null : whyPoison(home.queue, bodyFor(parking.thing, message.Body ?? ""));
    if (poison !== null) {
      stays.push([message, `no version reads it: ${poison}`]);
      if (group !== null) blocked.add(group);
    } else if (group !== null && blocked.has(group)) stays.push([message, "it follows one that no version reads"]);
    else goes.push(message);
  }
  return { goes, stays };
};

/** Moves what may go. @returns what stays nevertheless. */
const moveOn = async (sqs: SQSClient, parking: Parking, deadUrl: string, goes: readonly Message[], { dryRun, act }: Wish) => {
  if (dryRun || goes.length === 0) return [];
  if (parking.home === null) return act === undefined ? [] : carryOut(sqs, deadUrl, act, goes);
  const homeUrl = await queueUrlOf(sqs, parking.home.name);
  const refused = await moveHome(sqs, { deadUrl, homeUrl }, parking, goes);
  return refused.map((message): Stay => [message, "its queue did not take it"]);
};

/**
 * Looks at one dead-letter queue and moves home what its consumer can read. It handles as many messages as were parked
 * when it began: what fails again and comes back is the next run's.
 */
export const redriveQueue = async (sqs: SQSClient, parking: Parking, wish: Wish): Promise<Redriven> => {
  const deadUrl = await queueUrlOf(sqs, parking.deadName);
  const parked = await depthOf(sqs, deadUrl);
  const [held, blocked, samples, stays] = [[] as Message[], new Set<string>(), [] as string[], new Map<string, number>()];
  let [seen, moved] = [0, 0];
  try {
    while (seen < parked) {
      const received = await receive(sqs, deadUrl);
      if (received.length === 0) break;
      seen += received.length;
      for (const { Body = "" } of received.slice(0, SAMPLES - samples.length)) samples.push(sampleOf(bodyFor(parking.thing, Body)));
      const { goes, stays: kept } = sort(parking, received, wish, blocked);
      // Held before anything is tried: a run that fails gives back what it did not move.
      held.push(...received);
      const refused = await moveOn(sqs, parking, deadUrl, goes, wish);
      const left = new Set([...kept, ...refused].map(([message]) => message));
      if (!wish.dryRun) {
        held.splice(held.length - received.length, received.length, ...left);
        moved += received.length - left.size;
      }
      for (const [, reason] of [...kept, ...refused]) stays.set(reason, (stays.get(reason) ?? 0) + 1);
      if (wish.dryRun && samples.length === SAMPLES) break;
    }
  } finally {
    await release(sqs, deadUrl, held);
  }
  return { parked, seen, moved, stays, samples };
};
