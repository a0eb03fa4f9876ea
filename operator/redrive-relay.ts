import {
  type _Record,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from "@aws-sdk/client-dynamodb-streams";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import * as z from "zod";

import { nameOf, type Stage } from "../lib/stage.ts";

/** What Lambda parks for a stream: no envelope, but where in the journal's stream the envelopes stand. */
const place = z.object({
  DDBStreamBatchInfo: z.object({
    streamArn: z.string().regex(/^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table\//),
    shardId: z.string().min(1),
    startSequenceNumber: z.string().regex(/^\d{1,60}$/),
    endSequenceNumber: z.string().regex(/^\d{1,60}$/),
  }),
});
export type Place = z.output<typeof place>["DDBStreamBatchInfo"];

/** publish-events, in this process. */
export type Publish = (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse>;

const placeIn = (body: string): Place | null => {
  try {
    return place.parse(JSON.parse(body)).DDBStreamBatchInfo;
  } catch {
    return null;
  }
};

/** The topic that the journal's events belong to: of the same account and Region as its stream. */
export const topicOf = (stage: Stage, { streamArn }: Place): string => {
  const [arn, partition, , region, account] = streamArn.split(":");
  return [arn, partition, "sns", region, account, nameOf(stage, "events")].join(":");
};

/** Pages without a record that are read on: a stream may answer with some before its end. */
const EMPTY_PAGES_MAX = 20;

/** Records of a place, first to last; null where the stream does not show the last one. */
const recordsAt = async (streams: DynamoDBStreamsClient, { streamArn, shardId, ...place }: Place): Promise<readonly _Record[] | null> => {
  const [first, last] = [BigInt(place.startSequenceNumber), BigInt(place.endSequenceNumber)];
  const opened = await streams.send(
    new GetShardIteratorCommand({
      StreamArn: streamArn,
      ShardId: shardId,
      ShardIteratorType: "AT_SEQUENCE_NUMBER",
      SequenceNumber: place.startSequenceNumber,
    }),
  );
  const found: _Record[] = [];
  let ShardIterator = opened.ShardIterator;
  for (let empty = 0; ShardIterator !== undefined && empty < EMPTY_PAGES_MAX; ) {
    const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
    const records = page.Records ?? [];
    const at = (record: _Record): bigint => BigInt(record.dynamodb?.SequenceNumber ?? "0");
    found.push(...records.filter((record) => at(record) >= first && at(record) <= last));
    const newest = records.at(-1);
    if (newest !== undefined && at(newest) >= last) return found;
    empty = newest === undefined ? empty + 1 : 0;
    ShardIterator = page.NextShardIterator;
  }
  return null;
};

/** As the mapping's filter has it: inserts that are to be published. */
const isTold = ({ eventName, dynamodb }: _Record): boolean => eventName === "INSERT" && dynamodb?.NewImage?.["publish"]?.BOOL === true;

/**
 * Tells what the relay could not tell, from the journal's stream, which keeps a day. Event ids are those of the first
 * try, so that what was told already has no second effect (S36).
 *
 * @returns null when it is told, or why it stays parked.
 */
export const retell = async (
  streams: DynamoDBStreamsClient,
  publishTo: (at: Place) => Promise<Publish>,
  body: string,
): Promise<string | null> => {
  const at = placeIn(body);
  if (at === null) return "it names no place in the journal's stream";
  try {
    const records = await recordsAt(streams, at);
    if (records === null) return "the stream does not show all of it now: give the command again";
    const { batchItemFailures } = await (await publishTo(at))({ Records: records.filter(isTold) } as DynamoDBStreamEvent);
    return batchItemFailures.length === 0 ? null : "an envelope in it was not published: the lines above say why";
  } catch (error) {
    if (!(error instanceof TrimmedDataAccessException)) throw error;
    return "the stream keeps a day and this is older: the envelopes are in the journal, tell their holders by other means";
  }
};
