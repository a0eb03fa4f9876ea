import type { DynamoDBBatchResponse, DynamoDBRecord, SQSBatchResponse, SQSRecord } from "aws-lambda";

import type { Log } from "../world.ts";
import { toldOf } from "./told.ts";

const report = (log: Log, id: string, error: unknown): void => {
  log.count("message_failed");
  log.error("message failed", { messageId: id, ...toldOf(error) });
};

/**
 * Messages that have nothing to do with each other: all are tried at once, and only those that fail
 * go back to their queue (S42).
 */
export const independent = async (
  records: readonly SQSRecord[],
  log: Log,
  work: (record: SQSRecord) => Promise<void>,
): Promise<SQSBatchResponse> => {
  const failed = new Set<string>();
  const tryOne = async (record: SQSRecord): Promise<void> => {
    try {
      await work(record);
    } catch (error) {
      failed.add(record.messageId);
      report(log, record.messageId, error);
    }
  };
  await Promise.all(records.map(tryOne));
  return { batchItemFailures: records.filter((one) => failed.has(one.messageId)).map((one) => ({ itemIdentifier: one.messageId })) };
};

/** Tries of one message of a FIFO queue within an invocation. */
const TRIES_AT_ONCE = 2;

/** Tries work again at once where the world failed it; what cannot be read never can. */
const withAnotherTry = async (work: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES_AT_ONCE || (error instanceof Error && error.name === "Malformed")) throw error;
    }
  }
};

/**
 * Messages of a FIFO queue: those of one group one after another; after a failure the rest of its group
 * goes back untried, so that nothing overtakes (S42). Groups do not wait for each other.
 *
 * A message that fails is tried once more at once: back in its queue it would hold its whole group for the
 * visibility timeout, three minutes in which a deposit is not booked while a deadline passes. So `work` must be
 * safe to repeat.
 */
export const ordered = async (
  records: readonly SQSRecord[],
  log: Log,
  work: (record: SQSRecord) => Promise<void>,
): Promise<SQSBatchResponse> => {
  const failed = new Set<string>();
  const groups = Map.groupBy(records, (record) => record.attributes.MessageGroupId ?? "");
  const tryGroup = async (group: readonly SQSRecord[]): Promise<void> => {
    for (const [index, record] of group.entries()) {
      try {
        await withAnotherTry(() => work(record));
      } catch (error) {
        for (const rest of group.slice(index)) failed.add(rest.messageId);
        report(log, record.messageId, error);
        return;
      }
    }
  };
  await Promise.all([...groups.values()].map(tryGroup));
  return { batchItemFailures: records.filter((one) => failed.has(one.messageId)).map((one) => ({ itemIdentifier: one.messageId })) };
};

/**
 * Records of a stream, one after another. The first failure ends the batch and is named: the stream
 * goes on from it, and nothing after it was tried.
 */
export const orderedStream = async (
  records: readonly DynamoDBRecord[],
  log: Log,
  work: (record: DynamoDBRecord) => Promise<void>,
): Promise<DynamoDBBatchResponse> => {
  for (const record of records) {
    const sequence = record.dynamodb?.SequenceNumber ?? "";
    try {
      await work(record);
    } catch (error) {
      report(log, record.eventID ?? sequence, error);
      return { batchItemFailures: [{ itemIdentifier: sequence }] };
    }
  }
  return { batchItemFailures: [] };
};
