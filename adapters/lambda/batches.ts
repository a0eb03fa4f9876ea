import type { DynamoDBBatchResponse, DynamoDBRecord, SQSBatchResponse, SQSRecord } from "aws-lambda";

import type { Log } from "../world.ts";

/** Name and words of an error for the log: never its whole object, which may hold a request. */
const wordsOf = (error: unknown): { readonly error: string; readonly reason: string } =>
  error instanceof Error ? { error: error.name, reason: error.message.slice(0, 500) } : { error: "unknown", reason: "" };

const report = (log: Log, id: string, error: unknown): void => {
  log.count("message_failed");
  log.error("message failed", { messageId: id, ...wordsOf(error) });
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

/**
 * Messages of a FIFO queue: those of one group one after another; after a failure the rest of its group
 * goes back untried, so that nothing overtakes (S42). Groups do not wait for each other.
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
        await work(record);
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
