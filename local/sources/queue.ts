import { availableParallelism } from "node:os";

import type { Lambda, Outcome } from "../engines/lambda.ts";
import type { Messages, Received } from "../engines/messages.ts";
import type { Mapping, Queue } from "../template/wiring.ts";
import type { Source } from "./source.ts";

const BATCH_SIZE_DEFAULT = 10;

/** The least that SQS lets a mapping have: a template that says 2 means one after the other. */
const CONCURRENCY_LEAST = 2;

/** How long a poller of real time waits for the first message: the engine wakes it at once when one comes. */
const WAIT_S = 20;

export interface QueueSourceOptions {
  readonly mapping: Mapping;
  readonly queue: Queue;
  /** Subscribed to a topic, whose order stepped time keeps: events of one account are handled one by one. */
  readonly ordered: boolean;
  readonly region: string;
  readonly messages: Messages;
  readonly lambda: Lambda;
  /** The instant that messages were sent, in stepped time; null leaves the engine's. */
  readonly sentAt: (() => number) | null;
}

const recordOf = (message: Received, { queue, region, sentAt }: QueueSourceOptions): object => {
  const instant = sentAt === null ? {} : { SentTimestamp: String(sentAt()), ApproximateFirstReceiveTimestamp: String(sentAt()) };
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => [
    name,
    {
      dataType: DataType,
      ...(StringValue !== undefined && { stringValue: StringValue }),
      ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
      stringListValues: [],
      binaryListValues: [],
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: { ...message.Attributes, ...instant },
    messageAttributes: Object.fromEntries(attributes) as object,
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: queue.arn,
    awsRegion: region,
  };
};

/**
 * Which messages of a batch go back to their queue. As Lambda has it: all of them when the function
 * failed or named one that it was not given; none when the mapping does not listen to the answer.
 */
export const failedIds = (ids: readonly string[], outcome: Outcome, reportsFailures: boolean): ReadonlySet<string> => {
  if (!outcome.ok) return new Set(ids);
  if (!reportsFailures) return new Set();
  const { batchItemFailures } = (outcome.result ?? {}) as { batchItemFailures?: readonly { readonly itemIdentifier?: string }[] | null };
  const failed = (batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier ?? "");
  return failed.every((id) => ids.includes(id)) ? new Set(failed) : new Set(ids);
};

/** An event source mapping from a queue to a function. */
export const createQueueSource = (options: QueueSourceOptions): Source => {
  const { mapping, queue, messages, lambda } = options;
  const batchSize = mapping.BatchSize ?? BATCH_SIZE_DEFAULT;
  const reports = mapping.FunctionResponseTypes.includes("ReportBatchItemFailures");
  const allowed = Math.min(mapping.ScalingConfig?.MaximumConcurrency ?? Number.POSITIVE_INFINITY, Math.max(2, availableParallelism()));

  const gather = async (max: number): Promise<readonly Received[]> => {
    const batch: Received[] = [];
    while (batch.length < max) {
      const more = await messages.receive(queue.name, max - batch.length);
      if (more.length === 0) break;
      batch.push(...more);
    }
    return batch;
  };

  /** @returns the receipts of what failed. */
  const deliver = async (batch: readonly Received[]): Promise<readonly string[]> => {
    const outcome = await lambda.invoke(mapping.functionName, { Records: batch.map((message) => recordOf(message, options)) });
    const failed = failedIds(
      batch.map(({ MessageId }) => MessageId),
      outcome,
      reports,
    );
    const [back, done] = [batch.filter(({ MessageId }) => failed.has(MessageId)), batch.filter(({ MessageId }) => !failed.has(MessageId))];
    await messages.remove(
      queue.name,
      done.map(({ ReceiptHandle }) => ReceiptHandle),
    );
    return back.map(({ ReceiptHandle }) => ReceiptHandle);
  };

  const abreast = options.ordered || mapping.ScalingConfig?.MaximumConcurrency === CONCURRENCY_LEAST ? 1 : allowed;

  return {
    wave: async () => {
      let left = await messages.visible(queue.name);
      if (left === 0) return false;
      const failed: string[] = [];
      while (left > 0) {
        const batches: (readonly Received[])[] = [];
        while (batches.length < abreast && left > 0) {
          const batch = await gather(Math.min(batchSize, left));
          if (batch.length === 0) left = 0;
          else batches.push(batch);
          left -= batch.length;
        }
        for (const receipts of await Promise.all(batches.map(deliver))) failed.push(...receipts);
      }
      await messages.release(queue.name, failed);
      return true;
    },
    follow: async (stopped) => {
      const poll = async (): Promise<void> => {
        while (!stopped()) {
          const first = await messages.receive(queue.name, batchSize, WAIT_S);
          if (first.length === 0) continue;
          const rest = first.length < batchSize ? await gather(batchSize - first.length) : [];
          // What failed comes back when its visibility timeout ends, as in the cloud.
          await deliver([...first, ...rest]);
        }
      };
      await Promise.all(Array.from({ length: allowed }, poll));
    },
  };
};
