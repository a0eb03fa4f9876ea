import "../functions/environment.ts";

import {
  type DynamoDBStreamsClient,
  type GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from "@aws-sdk/client-dynamodb-streams";
import { expect, test } from "vitest";

import { sealEnvelope } from "../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import type { BusMessage } from "../../adapters/world.ts";
import { publishEvents } from "../../functions/publish-events.ts";
import { PRESETS } from "../../lib/stages.ts";
import { type Publish, retell, topicOf } from "../../operator/redrive-relay.ts";
import { account, opened, T0 } from "../adapters/samples.ts";
import { testWorld } from "../engine.ts";

const ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/plimsoll-sandbox-journal/stream/2026-01-15T10:00:00.000";
const place = (startSequenceNumber: string, endSequenceNumber: string) => ({
  streamArn: ARN,
  shardId: "shardId-1",
  startSequenceNumber,
  endSequenceNumber,
});
const parked = (first: string, last: string) =>
  JSON.stringify({ version: "1.0", DDBStreamBatchInfo: { ...place(first, last), batchSize: 9 } });

interface Row {
  readonly eventName: string;
  readonly dynamodb: { readonly SequenceNumber: string; readonly NewImage: Item };
}
const row = (sequence: string, accountId: string, mode: "enforce" | "observe" = "enforce"): Row => ({
  eventName: "INSERT",
  dynamodb: {
    SequenceNumber: sequence,
    NewImage: sealEnvelope(opened(account(accountId)), { causedBy: "test", snapshotId: null, mode }, T0).row,
  },
});

/** A shard in pages; `trimmed` is a shard that is older than a day. */
const streamOf = (pages: readonly (readonly Row[])[], trimmed = false) => {
  const asked: unknown[] = [];
  const send = (command: unknown): Promise<object> => {
    asked.push((command as { input: unknown }).input);
    if (command instanceof GetShardIteratorCommand) {
      if (trimmed) return Promise.reject(new TrimmedDataAccessException({ message: "trimmed", $metadata: {} }));
      return Promise.resolve({ ShardIterator: "0" });
    }
    const page = Number((command as GetRecordsCommand).input.ShardIterator);
    return Promise.resolve({ Records: pages[page] ?? [], NextShardIterator: `${page + 1}` });
  };
  return { streams: { send } as unknown as DynamoDBStreamsClient, asked };
};

const relay = () => {
  const told: BusMessage[] = [];
  const world = testWorld({} as never, {
    bus: { publish: async (_, messages) => void told.push(...messages) },
    settings: { eventsTopicArn: "topic" },
  });
  const publishTo = (): Promise<Publish> => Promise.resolve(publishEvents(world));
  return { told, publishTo, accounts: () => told.map(({ body }) => (JSON.parse(body) as { accountId: string }).accountId) };
};

test("L07 what the relay could not tell is told from the stream: the place, the whole place and nothing else", async () => {
  const { streams, asked } = streamOf([[row("100", "A-1"), row("101", "A-2", "observe")], [], [row("102", "A-3")]]);
  const { publishTo, accounts } = relay();
  expect(await retell(streams, publishTo, parked("100", "101"))).toBeNull();
  expect(accounts()).toEqual(["A-1"]);
  expect(asked[0]).toEqual({ StreamArn: ARN, ShardId: "shardId-1", ShardIteratorType: "AT_SEQUENCE_NUMBER", SequenceNumber: "100" });
});

test("a place that is not whole in the stream is not taken for told", async () => {
  const { publishTo, told } = relay();
  expect(await retell(streamOf([[row("9", "A-1")]]).streams, publishTo, parked("9", "11"))).toMatch(/^the stream does not show all of it/);
  expect(told).toEqual([]);
});

test("a place that reaches over pages, an empty one too, is read to its end", async () => {
  const { streams } = streamOf([[row("9", "A-1")], [], [row("10", "A-2"), row("11", "A-3"), row("12", "A-4")]]);
  const { publishTo, accounts } = relay();
  expect(await retell(streams, publishTo, parked("9", "11"))).toBeNull();
  expect(accounts()).toEqual(["A-1", "A-2", "A-3"]);
});

test("S36 told twice, an event has the id of the first time", async () => {
  const { publishTo, told } = relay();
  for (let time = 0; time < 2; time += 1) await retell(streamOf([[row("1", "A-1")]]).streams, publishTo, parked("1", "1"));
  expect(told).toHaveLength(2);
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
});

test("an envelope that does not read stays parked", async () => {
  const bad = row("1", "A-1");
  const { streams } = streamOf([[{ ...bad, dynamodb: { ...bad.dynamodb, NewImage: { ...bad.dynamodb.NewImage, schema: { N: "2" } } } }]]);
  expect(await retell(streams, relay().publishTo, parked("1", "1"))).toMatch(/^an envelope in it was not published/);
});

test("after a day the stream has forgotten it", async () => {
  expect(await retell(streamOf([], true).streams, relay().publishTo, parked("1", "1"))).toMatch(/^the stream keeps a day/);
});

test.each(["{", "{}", parked("x", "1"), parked("1", "1").replace("arn:aws:dynamodb", "arn:aws:kinesis")])(
  "%s names no place",
  async (body) => {
    expect(await retell(streamOf([]).streams, relay().publishTo, body)).toBe("it names no place in the journal's stream");
  },
);

test("the topic is that of the stage, in the stream's own account", () => {
  expect(topicOf(PRESETS.sandbox, place("1", "1"))).toBe("arn:aws:sns:eu-west-1:111122223333:plimsoll-sandbox-events");
});
