import type { DynamoDBRecord } from "aws-lambda";
import * as z from "zod";

import { parseMessage } from "../adapters/wire/parse.ts";

/** What Lambda parks for a stream: where the records are, not the records (their bodies never lie in a queue). */
const parkedBatch = z.object({
  DDBStreamBatchInfo: z.object({
    streamArn: z.string().min(1),
    shardId: z.string().min(1),
    startSequenceNumber: z.string().regex(/^\d+$/),
    endSequenceNumber: z.string().regex(/^\d+$/),
  }),
});

/** The stream does not have the records any more: it keeps them for a day. */
export class RecordsGone extends Error {
  override readonly name = "RecordsGone";
}

/**
 * Reads the records that a parked message of a stream's mapping names.
 *
 * @throws Malformed for another message; RecordsGone once the stream has forgotten them.
 */
export const recordsOf = async (body: string): Promise<readonly DynamoDBRecord[]> => {
  const { streamArn, shardId, startSequenceNumber, endSequenceNumber } = parseMessage(parkedBatch, body).DDBStreamBatchInfo;
  const { DynamoDBStreams } = await import("@aws-sdk/client-dynamodb-streams");
  const streams = new DynamoDBStreams({});
  const opened = await streams.getShardIterator({
    StreamArn: streamArn,
    ShardId: shardId,
    ShardIteratorType: "AT_SEQUENCE_NUMBER",
    SequenceNumber: startSequenceNumber,
  });
  const records: DynamoDBRecord[] = [];
  for (let iterator = opened.ShardIterator; iterator !== undefined; ) {
    const page = await streams.getRecords({ ShardIterator: iterator });
    for (const record of page.Records ?? []) {
      const sequence = BigInt(record.dynamodb?.SequenceNumber ?? 0);
      if (sequence > BigInt(endSequenceNumber)) return records;
      records.push(record as DynamoDBRecord);
      if (sequence === BigInt(endSequenceNumber)) return records;
    }
    if ((page.Records ?? []).length === 0) break;
    iterator = page.NextShardIterator;
  }
  throw new RecordsGone(`the stream no longer has the records up to ${endSequenceNumber}: tell what they told by hand, from the journal`);
};
