import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type ShardIteratorType,
} from "@aws-sdk/client-dynamodb-streams";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { TABLES } from "../../../adapters/dynamodb/schema.ts";
import { startMemoryEngine } from "../../../local/engines/memory-engine.ts";
import { createTable, createTables } from "../../../local/engines/tables.ts";

let engine: Awaited<ReturnType<typeof startMemoryEngine>>;
let db: DynamoDBClient;
let streams: DynamoDBStreamsClient;
let journalStream: string;

beforeEach(async () => {
  engine = await startMemoryEngine();
  const config = {
    region: "eu-west-1",
    endpoint: engine.endpoint,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
  };
  db = new DynamoDBClient(config);
  streams = new DynamoDBStreamsClient(config);
  journalStream = (await createTables(db, { book: TABLES.book, journal: TABLES.journal, marks: TABLES.marks }))["journal"] ?? "none";
});

afterEach(async () => {
  db.destroy();
  streams.destroy();
  await engine.stop();
});

const key = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });

const put = (TableName: string, pk: string, sk: string, more: object = {}) =>
  db.send(new PutItemCommand({ TableName, Item: { ...key(pk, sk), ...more } }));

const post = async (target: string, body: string) => {
  const reply = await fetch(engine.endpoint, { method: "POST", headers: { "x-amz-target": target }, body });
  return { status: reply.status, type: reply.headers.get("content-type"), body: await reply.json() };
};

describe("tables", () => {
  it("are made by requests and described as they were made", async () => {
    const { Table: book } = await db.send(new DescribeTableCommand({ TableName: "book" }));
    expect(book?.TableStatus).toBe("ACTIVE");
    expect(book?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(["deadlines", "orders"]);
    expect(book?.LatestStreamArn).toBeUndefined();
    const { Table: journal } = await db.send(new DescribeTableCommand({ TableName: "journal" }));
    expect(journal?.LatestStreamArn).toBe(journalStream);
    expect((await db.send(new ListTablesCommand({}))).TableNames).toEqual(["book", "journal", "marks"]);
  });

  it("are made once, and of the one form that memory holds", async () => {
    await expect(createTable(db, "book", TABLES.book)).rejects.toMatchObject({ name: "ResourceInUseException" });
    const other = { ...TABLES.marks, partitionKey: "id" as "pk" };
    await expect(createTable(db, "other", other)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("KeySchema.0.AttributeName"),
    });
  });

  it("that are not there are named", async () => {
    await expect(put("nowhere", "A", "1")).rejects.toMatchObject({ name: "ResourceNotFoundException", message: "no table nowhere" });
    await expect(db.send(new ScanCommand({ TableName: "nowhere" }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("items", () => {
  const item = {
    ...key("ACC#A-1", "ROW#1"),
    text: { S: "Größe 💶" },
    exact: { N: "12345678901234567890.000000000000000001" },
    yes: { BOOL: false },
    nothing: { NULL: true },
    list: { L: [{ S: "" }, { M: { deep: { N: "-1e3" } } }] },
    numbers: { NS: ["1", "2"] },
    texts: { SS: ["a"] },
  };

  it("come back as they were written, one by one and in batches", async () => {
    await db.send(new PutItemCommand({ TableName: "book", Item: item }));
    const asked = { TableName: "book", Key: key("ACC#A-1", "ROW#1"), ConsistentRead: true };
    expect((await db.send(new GetItemCommand(asked))).Item).toEqual(item);
    expect((await db.send(new GetItemCommand({ ...asked, Key: key("ACC#A-1", "ROW#2") }))).Item).toBeUndefined();
    const Keys = [key("ACC#A-1", "ROW#1"), key("ACC#A-1", "ROW#2")];
    const { Responses } = await db.send(new BatchGetItemCommand({ RequestItems: { book: { Keys, ProjectionExpression: "sk, yes" } } }));
    expect(Responses).toEqual({ book: [{ sk: { S: "ROW#1" }, yes: { BOOL: false } }] });
  });

  it("are written in batches of at most 25, and deleted", async () => {
    const puts = (count: number) => ({
      RequestItems: { marks: Array.from({ length: count }, (_, n) => ({ PutRequest: { Item: key("M", `${n}`) } })) },
    });
    expect((await db.send(new BatchWriteItemCommand(puts(25)))).UnprocessedItems).toEqual({});
    await expect(db.send(new BatchWriteItemCommand(puts(26)))).rejects.toMatchObject({ name: "ValidationException" });
    await db.send(new DeleteItemCommand({ TableName: "marks", Key: key("M", "7") }));
    expect((await db.send(new ScanCommand({ TableName: "marks" }))).Count).toBe(24);
  });

  it("are updated, and shown when asked for", async () => {
    const update = new UpdateItemCommand({
      TableName: "book",
      Key: key("A", "1"),
      UpdateExpression: "SET #at = :at ADD tries :one",
      ExpressionAttributeNames: { "#at": "at" },
      ExpressionAttributeValues: { ":at": { S: "noon" }, ":one": { N: "1" } },
      ReturnValues: "ALL_NEW",
    });
    await db.send(update);
    expect((await db.send(update)).Attributes).toEqual({ ...key("A", "1"), at: { S: "noon" }, tries: { N: "2" } });
  });
});

describe("pages", () => {
  const rows = async (count: number, size: number) => {
    for (let row = 0; row < count; row += 1) await put("book", row < 3 ? "A" : "B", `ROW#${row}`, { text: { S: "x".repeat(size) } });
  };

  it("of a query follow each other to the end, and an index holds keys only", async () => {
    await put("book", "A", "1", { duePk: { S: "DUE#0" }, dueSk: { S: "200" }, more: { S: "x" } });
    await put("book", "B", "1", { duePk: { S: "DUE#0" }, dueSk: { S: "100" } });
    await put("book", "C", "1", { duePk: { S: "DUE#0" } });
    const input = {
      TableName: "book",
      IndexName: "deadlines",
      KeyConditionExpression: "duePk = :pk AND dueSk < :upTo",
      ExpressionAttributeValues: { ":pk": { S: "DUE#0" }, ":upTo": { S: "300" } },
      Limit: 1,
    };
    const first = await db.send(new QueryCommand(input));
    expect(first.Items).toEqual([{ ...key("B", "1"), duePk: { S: "DUE#0" }, dueSk: { S: "100" } }]);
    const second = await db.send(new QueryCommand({ ...input, ExclusiveStartKey: first.LastEvaluatedKey }));
    expect(second.Items).toEqual([{ ...key("A", "1"), duePk: { S: "DUE#0" }, dueSk: { S: "200" } }]);
    const third = await db.send(new QueryCommand({ ...input, ExclusiveStartKey: second.LastEvaluatedKey }));
    expect([third.Items, third.LastEvaluatedKey]).toEqual([[], undefined]);
  });

  it("of a scan go over partitions, by count", async () => {
    await rows(4, 1);
    const pages: (string | undefined)[][] = [];
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
    do {
      const page = await db.send(new ScanCommand({ TableName: "book", Limit: 2, ExclusiveStartKey }));
      pages.push((page.Items ?? []).map(({ sk }) => sk?.S));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    // The second page ends at its limit: whether more follows, only a third one tells.
    expect(pages).toEqual([["ROW#0", "ROW#1"], ["ROW#2", "ROW#3"], []]);
  });

  it("of a scan end after 1 MB", async () => {
    await rows(4, 400_000);
    const first = await db.send(new ScanCommand({ TableName: "book", ConsistentRead: true }));
    expect([first.Count, first.LastEvaluatedKey]).toEqual([3, key("A", "ROW#2")]);
    const second = await db.send(new ScanCommand({ TableName: "book", ExclusiveStartKey: first.LastEvaluatedKey }));
    expect([second.Count, second.LastEvaluatedKey]).toEqual([1, undefined]);
  });
});

describe("conditions", () => {
  it("that fail leave the item and are told by their error", async () => {
    await put("book", "A", "1", { version: { N: "1" } });
    const again = new PutItemCommand({ TableName: "book", Item: key("A", "1"), ConditionExpression: "attribute_not_exists(pk)" });
    await expect(db.send(again)).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      message: "The conditional request failed",
      $metadata: { httpStatusCode: 400 },
    });
    expect((await db.send(new GetItemCommand({ TableName: "book", Key: key("A", "1") }))).Item?.["version"]).toEqual({ N: "1" });
  });

  it("of a transaction over two tables hold together or cancel it with a reason for each item", async () => {
    const transaction = new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName: "journal", Item: key("A", "SEQ#1") } },
        { Put: { TableName: "book", Item: key("A", "1"), ConditionExpression: "attribute_not_exists(pk)" } },
        {
          Update: {
            TableName: "book",
            Key: key("A", "2"),
            UpdateExpression: "SET version = :one",
            ExpressionAttributeValues: { ":one": { N: "1" } },
          },
        },
      ],
    });
    await db.send(transaction);
    await expect(db.send(new TransactWriteItemsCommand(transaction.input))).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [
        { Code: "None" },
        { Code: "ConditionalCheckFailed", Message: "The conditional request failed" },
        { Code: "None" },
      ],
    });
    expect((await db.send(new ScanCommand({ TableName: "book" }))).Count).toBe(2);
  });
});

describe("streams", () => {
  const shard = async () => {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: journalStream }));
    expect(StreamDescription).toMatchObject({ StreamViewType: "NEW_IMAGE", TableName: "journal" });
    return StreamDescription?.Shards?.[0]?.ShardId;
  };
  const open = async (type: ShardIteratorType) => {
    const input = { StreamArn: journalStream, ShardId: await shard(), ShardIteratorType: type };
    return (await streams.send(new GetShardIteratorCommand(input))).ShardIterator;
  };
  const read = async (ShardIterator: string | undefined, Limit?: number) => {
    const { Records, NextShardIterator } = await streams.send(
      new GetRecordsCommand({ ShardIterator, ...(Limit !== undefined && { Limit }) }),
    );
    const told = (Records ?? []).map(({ eventName, dynamodb }) => [
      eventName,
      dynamodb?.SequenceNumber,
      dynamodb?.Keys,
      dynamodb?.NewImage,
    ]);
    return { told, next: NextShardIterator };
  };

  it("tell every write of their table in order, with the new image", async () => {
    await put("journal", "A", "SEQ#1", { body: { S: "one" } });
    await put("book", "A", "1");
    await put("journal", "A", "SEQ#1", { body: { S: "two" } });
    await db.send(new DeleteItemCommand({ TableName: "journal", Key: key("A", "SEQ#1") }));
    await db.send(new DeleteItemCommand({ TableName: "journal", Key: key("A", "SEQ#1") }));
    const first = await read(await open("TRIM_HORIZON"), 2);
    expect(first.told).toEqual([
      ["INSERT", "1", key("A", "SEQ#1"), { ...key("A", "SEQ#1"), body: { S: "one" } }],
      ["MODIFY", "2", key("A", "SEQ#1"), { ...key("A", "SEQ#1"), body: { S: "two" } }],
    ]);
    const second = await read(first.next);
    expect(second.told).toEqual([["REMOVE", "3", key("A", "SEQ#1"), undefined]]);
    expect((await read(second.next)).told).toEqual([]);
  });

  it("open at their end, too, and say nothing of a cancelled transaction", async () => {
    await put("journal", "A", "SEQ#1");
    const latest = await open("LATEST");
    const Put = { TableName: "journal", Item: key("A", "SEQ#2") };
    const failing = { ...Put, Item: key("A", "SEQ#1"), ConditionExpression: "attribute_not_exists(pk)" };
    const cancelled = new TransactWriteItemsCommand({ TransactItems: [{ Put }, { Put: failing }] });
    await expect(db.send(cancelled)).rejects.toMatchObject({ name: "TransactionCanceledException" });
    await put("journal", "A", "SEQ#3");
    expect((await read(latest)).told).toEqual([["INSERT", "2", key("A", "SEQ#3"), key("A", "SEQ#3")]]);
  });

  it("that are not there, and iterators that are none, are refused", async () => {
    await expect(
      streams.send(new DescribeStreamCommand({ StreamArn: `${journalStream}0-no-such-stream-of-a-table` })),
    ).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(streams.send(new GetRecordsCommand({ ShardIterator: "x" }))).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("what is not understood is refused, never passed over", () => {
  it.each([
    ["a filter", new ScanCommand({ TableName: "book", FilterExpression: "a = b" }), "FilterExpression"],
    ["an order", new QueryCommand({ TableName: "book", KeyConditionExpression: "pk = :pk", ScanIndexForward: false }), "ScanIndexForward"],
    ["an old image", new PutItemCommand({ TableName: "book", Item: key("A", "1"), ReturnValues: "ALL_OLD" }), "ReturnValues"],
    [
      "a condition that it cannot read",
      new PutItemCommand({ TableName: "book", Item: key("A", "1"), ConditionExpression: "size(pk) > :n" }),
      "size",
    ],
    ["binary", new PutItemCommand({ TableName: "book", Item: { ...key("A", "1"), b: { B: new Uint8Array(2) } } }), "no binary"],
    ["a number that is none", new PutItemCommand({ TableName: "book", Item: { ...key("A", "1"), n: { N: "one" } } }), "Item"],
    ["an item without its key", new PutItemCommand({ TableName: "book", Item: { pk: { S: "A" } } }), "the key sk"],
  ])("%s", async (_, command, named) => {
    await expect(db.send(command as PutItemCommand)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(named),
    });
    expect((await db.send(new ScanCommand({ TableName: "book" }))).Count).toBe(0);
  });

  it.each(["{", "", "[]", "null"])("a body of %j", async (body) => {
    expect(await post("DynamoDB_20120810.GetItem", body)).toEqual({
      status: 400,
      type: "application/x-amz-json-1.0",
      body: { __type: "com.amazon.coral.service#SerializationException", message: "the body is no JSON object" },
    });
  });

  it.each(["DynamoDB_20120810.ExecuteStatement", "DynamoDB_20111205.GetItem", ""])("the target %j", async (target) => {
    expect(await post(target, "{}")).toMatchObject({
      status: 400,
      body: { __type: "com.amazon.coral.service#UnknownOperationException" },
    });
  });

  it("on the wire, errors have the service's names", async () => {
    const request = { TableName: "book", Item: key("A", "1"), ConditionExpression: "attribute_exists(pk)" };
    expect(await post("DynamoDB_20120810.PutItem", JSON.stringify(request))).toMatchObject({
      status: 400,
      body: {
        __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        message: "The conditional request failed",
      },
    });
  });
});
