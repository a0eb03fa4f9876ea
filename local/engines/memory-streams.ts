import type { Item } from "../../simulation/db/expressions.ts";
import type { Written } from "../../simulation/db/memory-tables.ts";
import { bytesOf, ValidationException } from "../../simulation/db/table.ts";
import { ServiceError } from "../services/service.ts";
import { firstPage } from "./memory-pages.ts";

const RECORDS_MAX = 1_000;
const SHARD = "shardId-00000000000000000001";

/** Streams of new images, one shard each. Every record is kept: a run is shorter than the day for which the service keeps them. */
export interface MemoryStreams {
  /** @returns the ARN of the new stream. */
  open(table: string): string;
  write(written: readonly Written[]): void;
  describe(streamArn: string): object;
  /** @returns an iterator at the stream's beginning, or after its last record. */
  iterator(streamArn: string, shardId: string, from: "TRIM_HORIZON" | "LATEST"): string;
  /** The records at an iterator, at most 1,000 and 1 MB, and the iterator after them. */
  records(iterator: string, limit: number | undefined): { readonly Records: readonly object[]; readonly NextShardIterator: string };
}

interface Change {
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly item: Item;
}

interface Stream {
  readonly table: string;
  readonly changes: Change[];
}

const changeOf = ({ before, after }: Written): Change | null => {
  if (after === undefined) return before === undefined ? null : { eventName: "REMOVE", item: before };
  return { eventName: before === undefined ? "INSERT" : "MODIFY", item: after };
};

/** Numbers of records count from 1 in each stream. */
const recordOf = ({ eventName, item }: Change, sequence: number): object => ({
  eventID: `${sequence}`,
  eventName,
  eventVersion: "1.1",
  eventSource: "aws:dynamodb",
  awsRegion: "local",
  dynamodb: {
    Keys: { pk: item["pk"], sk: item["sk"] },
    ...(eventName !== "REMOVE" && { NewImage: item }),
    SequenceNumber: `${sequence}`,
    SizeBytes: bytesOf(item),
    StreamViewType: "NEW_IMAGE",
  },
});

export const createMemoryStreams = (): MemoryStreams => {
  const byArn = new Map<string, Stream>();
  const byTable = new Map<string, Stream>();
  const streamOf = (arn: string): Stream => {
    const stream = byArn.get(arn);
    if (stream === undefined) throw new ServiceError("ResourceNotFoundException", `Requested resource not found: Stream: ${arn}`);
    return stream;
  };
  return {
    open: (table) => {
      const arn = `arn:aws:dynamodb:local:000000000000:table/${table}/stream/1`;
      const stream = { table, changes: [] };
      byArn.set(arn, stream);
      byTable.set(table, stream);
      return arn;
    },
    write: (written) => {
      for (const one of written) {
        const change = changeOf(one);
        if (change !== null) byTable.get(one.table)?.changes.push(change);
      }
    },
    describe: (StreamArn) => ({
      StreamArn,
      StreamStatus: "ENABLED",
      StreamViewType: "NEW_IMAGE",
      TableName: streamOf(StreamArn).table,
      Shards: [{ ShardId: SHARD, SequenceNumberRange: { StartingSequenceNumber: "1" } }],
    }),
    iterator: (streamArn, shardId, from) => {
      const { changes } = streamOf(streamArn);
      if (shardId !== SHARD) throw new ServiceError("ResourceNotFoundException", `Requested resource not found: Shard: ${shardId}`);
      return `${streamArn}|${from === "LATEST" ? changes.length : 0}`;
    },
    records: (iterator, limit = RECORDS_MAX) => {
      const [, arn = "", place = ""] = /^(.*)\|(\d{1,15})$/.exec(iterator) ?? [];
      const changes = byArn.get(arn)?.changes;
      if (changes === undefined) throw new ValidationException("Invalid ShardIterator");
      const first = Number(place);
      const page = firstPage(changes.slice(first, first + limit), limit, ({ item }) => bytesOf(item));
      return {
        Records: page.map((change, offset) => recordOf(change, first + offset + 1)),
        NextShardIterator: `${arn}|${first + page.length}`,
      };
    },
  };
};
