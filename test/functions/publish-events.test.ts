import "./environment.ts";

import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createBook } from "../../adapters/dynamodb/book.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import { eventMessage } from "../../adapters/wire/events.ts";
import type { Mode } from "../../core/mode.ts";
import { publishEvents } from "../../functions/publish-events.ts";
import { account, deposit, deposited, liquidating, opened } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { type Stage, stageOn } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(() => {
  stage = stageOn(tables);
});

let serial = 0;
const streamed = (row: Item): DynamoDBRecord => {
  serial += 1;
  return { eventID: `event-${serial}`, eventName: "INSERT", dynamodb: { SequenceNumber: `${serial}`, NewImage: row as never } };
};
const stream = (rows: readonly Item[]): DynamoDBStreamEvent => ({ Records: rows.map(streamed) });
const publish = (event: DynamoDBStreamEvent) => publishEvents(stage.world)(event);

/** Journal rows of an account that opened a call and went on to liquidate. */
const journal = async (accountId: string, mode: Mode = "enforce"): Promise<Item[]> => {
  const book = createBook(stage.world);
  const meta = { causedBy: "test", snapshotId: "S1", mode };
  const fresh = deposited(account(accountId), [deposit(`${accountId}-1`, 1)]);
  for (const next of [() => fresh, opened, liquidating]) {
    const before = (await book.load(accountId)) ?? fresh.before;
    expect(await book.commit(next(before), meta)).toBe("committed");
  }
  return stage.journalOf(accountId);
};

describe("R27 what was committed is told", () => {
  test("L07 R27 I22 each event of each envelope, in order, once, with the attributes that subscriptions filter on", async () => {
    await expect(publish(stream(await journal("told")))).resolves.toEqual({ batchItemFailures: [] });
    expect(stage.published.map(({ attributes }) => attributes)).toEqual([
      { type: "margin_call.issued", severity: "urgent", broker: "B1" },
      { type: "liquidation.started", severity: "urgent", broker: "B1" },
    ]);
    const messages = stage.published.map(({ body }) => eventMessage.parse(JSON.parse(body)));
    expect(messages.map(({ id }) => id)).toEqual(stage.published.map(({ id }) => id));
    expect(messages.map(({ accountSequence, call }) => [accountSequence, call?.status])).toEqual([
      [2, "OPEN"],
      [3, "LIQUIDATING"],
    ]);
  });

  test("R28 observe tells nothing", async () => {
    await publish(stream(await journal("observed", "observe")));
    expect(stage.published).toEqual([]);
  });

  test("S36 a batch that comes again carries the same ids", async () => {
    const rows = await journal("again");
    await publish(stream(rows));
    await publish(stream(rows));
    const ids = stage.published.map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual(ids.slice(2));
  });
});

describe("S42 failures", () => {
  test("S42 the first record that fails is named, what comes before it is told, nothing after it is", async () => {
    const event = stream([...(await journal("f1")), ...(await journal("f2"))]);
    stage.replies.publish = (messages) =>
      messages.some(({ body }) => body.includes('"accountId":"f2"')) ? Promise.reject(new Error("throttled")) : Promise.resolve();
    const failed = event.Records[4]?.dynamodb?.SequenceNumber;
    await expect(publish(event)).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: failed }] });
    expect(stage.published.map(({ body }) => eventMessage.parse(JSON.parse(body)).accountId)).toEqual(["f1", "f1"]);
  });

  test.each([
    ["another schema version", { schema: { N: "2" } }],
    ["no JSON", { body: { S: "{" } }],
    ["no body", { body: { NULL: true } }],
    ["an unknown event", { body: { S: '{"schemaVersion":1}' } }],
  ] as const)("S43 I26 a row with %s is named, and its neighbours before it are told", async (name, over) => {
    const rows = await journal(`p-${name.replaceAll(" ", "-")}`);
    const event = stream([...rows.slice(0, 2), { ...(rows[2] as Item), ...(over as Item) }]);
    const failed = event.Records[2]?.dynamodb?.SequenceNumber;
    await expect(publish(event)).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: failed }] });
    expect(stage.published).toHaveLength(1);
  });
});
