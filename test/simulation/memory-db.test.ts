import type { AttributeValue, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { TABLES } from "../../adapters/dynamodb/schema.ts";
import type { Db } from "../../adapters/world.ts";
import { type Draw, draws, pick } from "../../local/random.ts";
import { createMemoryDb } from "../../simulation/db/memory-db.ts";
import { startTables, type TestTables } from "../engine.ts";

/** Random requests of one comparison; the whole proof takes `DIFFERENTIAL_REQUESTS=100000`. */
const REQUESTS = Number(process.env["DIFFERENTIAL_REQUESTS"] ?? 3_000);
const SEED = Number(process.env["DIFFERENTIAL_SEED"] ?? 1);

let tables: TestTables;
let memory: Db;
beforeAll(async () => {
  tables = await startTables();
  const { bookTable, marksTable, journalTable, outboundTable } = tables.names;
  memory = createMemoryDb({
    [bookTable]: TABLES.book,
    [marksTable]: TABLES.marks,
    [journalTable]: TABLES.journal,
    [outboundTable]: TABLES.outbound,
  });
});
afterAll(() => tables.stop());

type Request = {
  readonly [Operation in keyof Db]: { readonly operation: Operation; readonly input: Parameters<Db[Operation]>[0] };
}[keyof Db];
type Item = Record<string, AttributeValue>;

const whole = (draw: Draw, below: number): number => Math.floor(draw() * below);

/** Few keys, so that requests meet. */
const keyOf = (draw: Draw): Item => ({ pk: { S: `ACC#${whole(draw, 3)}` }, sk: { S: `ROW#${whole(draw, 6)}` } });

const itemOf = (draw: Draw): Item => ({
  ...keyOf(draw),
  version: { N: `${whole(draw, 4)}` },
  ...(draw() < 0.5 && { open: { S: `CROSS:MC-${whole(draw, 3)}` } }),
  ...(draw() < 0.3 && { done: { NS: [`${whole(draw, 3)}`] } }),
  ...(draw() < 0.5 && { duePk: { S: `DUE#${whole(draw, 2)}` }, dueSk: { S: `${1_000 + whole(draw, 20)}#A#MC` } }),
  ...(draw() < 0.2 && { duePk: { S: "DUE#0" } }),
  wanted: { BOOL: draw() < 0.5 },
});

/** Conditions of the forms that the stores write. */
const conditionOf = (draw: Draw): object => {
  const number = { N: `${whole(draw, 4)}` };
  return pick<object>(draw, [
    [{}, 2],
    [{ ConditionExpression: "attribute_not_exists(pk)" }, 3],
    [{ ConditionExpression: "attribute_exists(pk)" }, 1],
    [
      {
        ConditionExpression: "#version = :version AND attribute_not_exists(#open)",
        ExpressionAttributeNames: { "#version": "version", "#open": "open" },
        ExpressionAttributeValues: { ":version": number },
      },
      3,
    ],
    [
      {
        ConditionExpression: "attribute_not_exists(pk) OR #version < :version",
        ExpressionAttributeNames: { "#version": "version" },
        ExpressionAttributeValues: { ":version": number },
      },
      3,
    ],
    [
      {
        ConditionExpression: "version = :a AND version <= :b AND (attribute_not_exists(dueSk) OR dueSk < :c)",
        ExpressionAttributeValues: { ":a": number, ":b": { N: "2" }, ":c": { S: "1010" } },
      },
      2,
    ],
  ]);
};

const updateOf = (draw: Draw): object => {
  const ReturnValues = draw() < 0.5 ? "ALL_NEW" : "NONE";
  return pick<object>(draw, [
    [
      {
        UpdateExpression: "SET version = :one, firstAt = if_not_exists(firstAt, :at) ADD attempts :one",
        ExpressionAttributeValues: { ":one": { N: "1" }, ":at": { N: `${whole(draw, 100)}` } },
        ReturnValues,
      },
      2,
    ],
    [
      {
        UpdateExpression: "SET #wanted = :no, startedAt = :at REMOVE done, dueSk",
        ExpressionAttributeNames: { "#wanted": "wanted" },
        ExpressionAttributeValues: { ":no": { BOOL: false }, ":at": { N: "7" } },
        ReturnValues,
      },
      1,
    ],
    [{ UpdateExpression: "ADD done :group", ExpressionAttributeValues: { ":group": { NS: [`${whole(draw, 5)}`] } }, ReturnValues }, 2],
    [
      {
        UpdateExpression: "SET version = :two",
        ConditionExpression: "version = :one",
        ExpressionAttributeValues: { ":one": { N: "1" }, ":two": { N: "2" } },
        ReturnValues,
      },
      2,
    ],
  ]);
};

const writeOf = (draw: Draw, TableName: string): TransactWriteItem =>
  draw() < 0.7
    ? { Put: { TableName, Item: itemOf(draw), ...conditionOf(draw) } }
    : {
        Update: {
          TableName,
          Key: keyOf(draw),
          UpdateExpression: "SET version = :v",
          ConditionExpression: "attribute_not_exists(attempts)",
          ExpressionAttributeValues: { ":v": { N: "3" } },
        },
      };

const queryOf = (draw: Draw, TableName: string, start: Item | undefined): Request => {
  const pk = { S: `ACC#${whole(draw, 4)}` };
  const input = pick<object>(draw, [
    [{ KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": pk }, ConsistentRead: true }, 2],
    [
      {
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: {
          ":pk": pk,
          ":prefix": {
            S: pick(draw, [
              ["ROW#", 1],
              ["ROW#1", 1],
              ["NONE#", 1],
            ]),
          },
        },
      },
      2,
    ],
    [{ KeyConditionExpression: "pk = :pk AND sk > :after", ExpressionAttributeValues: { ":pk": pk, ":after": { S: "ROW#2" } } }, 2],
    [
      {
        IndexName: "deadlines",
        KeyConditionExpression: "duePk = :pk AND dueSk < :upTo",
        ExpressionAttributeValues: { ":pk": { S: `DUE#${whole(draw, 2)}` }, ":upTo": { S: `${1_000 + whole(draw, 25)}` } },
      },
      4,
    ],
  ]);
  const limit = draw() < 0.4 ? { Limit: 1 + whole(draw, 4) } : {};
  return { operation: "query", input: { TableName, ...input, ...limit, ...(start !== undefined && { ExclusiveStartKey: start }) } };
};

const requestOf = (draw: Draw, TableName: string): Request =>
  pick<() => Request>(draw, [
    [() => ({ operation: "put", input: { TableName, Item: itemOf(draw), ...conditionOf(draw) } }), 4],
    [() => ({ operation: "update", input: { TableName, Key: keyOf(draw), ...updateOf(draw) } as never }), 3],
    [() => ({ operation: "get", input: { TableName, Key: keyOf(draw), ConsistentRead: true } }), 2],
    [
      () => {
        const Keys = [...new Map(Array.from({ length: 4 }, () => keyOf(draw)).map((key) => [JSON.stringify(key), key])).values()];
        const ProjectionExpression = draw() < 0.5 ? { ProjectionExpression: "sk" } : {};
        return { operation: "batchGet", input: { RequestItems: { [TableName]: { Keys, ConsistentRead: true, ...ProjectionExpression } } } };
      },
      1,
    ],
    [
      () => ({
        operation: "transactWrite",
        input: { TransactItems: Array.from({ length: 1 + whole(draw, 4) }, () => writeOf(draw, TableName)) },
      }),
      4,
    ],
    [() => queryOf(draw, TableName, undefined), 4],
  ])();

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, name === "NS" ? [...(member as string[])].sort() : sorted(member)]);
  return Object.fromEntries(members.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
};

/** What a caller can tell of an answer. Rows of a batch come in no order; figures of capacity are not ours. */
const answerOf = async (db: Db, { operation, input }: Request): Promise<unknown> => {
  try {
    const { $metadata: _, ConsumedCapacity: __, ...reply } = (await db[operation](input as never)) as unknown as Record<string, unknown>;
    if (operation !== "batchGet") return sorted(reply);
    const [rows] = Object.values(reply["Responses"] as Record<string, object[]>);
    return (rows ?? []).map((row) => JSON.stringify(sorted(row))).sort();
  } catch (error) {
    const { name, CancellationReasons } = error as Error & { CancellationReasons?: { Code?: string }[] };
    return { error: name, reasons: CancellationReasons?.map(({ Code }) => Code) };
  }
};

describe("the simulated table answers like the real engine", () => {
  test(`on ${REQUESTS} random requests of seed ${SEED}`, async () => {
    const draw = draws(SEED, "memory-db");
    const { bookTable } = tables.names;
    const seen = new Map<string, number>();
    for (let sent = 0; sent < REQUESTS; sent += 1) {
      const request = requestOf(draw, bookTable);
      const [real, simulated] = [await answerOf(tables.db, request), await answerOf(memory, request)];
      expect(simulated, `request ${sent}: ${JSON.stringify(request)}`).toEqual(real);
      const kind = `${request.operation} ${(real as { error?: string }).error ?? "answered"}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      // A page that was cut is followed to its end, on both.
      const start = (real as { LastEvaluatedKey?: Item }).LastEvaluatedKey;
      if (request.operation !== "query" || start === undefined) continue;
      const rest = { operation: "query" as const, input: { ...request.input, ExclusiveStartKey: start } };
      expect(await answerOf(memory, rest), `after request ${sent}: ${JSON.stringify(rest)}`).toEqual(await answerOf(tables.db, rest));
    }
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining([
        "put answered",
        "put ConditionalCheckFailedException",
        "update answered",
        "update ConditionalCheckFailedException",
        "transactWrite answered",
        "transactWrite TransactionCanceledException",
        "get answered",
        "batchGet answered",
        "query answered",
      ]),
    );
  }, 600_000);
});

describe("what the simulated table does not understand it refuses", () => {
  test.each([
    ["an operator", "size(pk) > :n"],
    ["a function", "contains(pk, :n)"],
    ["an end that is missing", "pk = :n AND"],
    ["a rest", "pk = :n :n"],
    ["a value that is not given", "pk = :other"],
  ])("%s", async (_, ConditionExpression) => {
    const { bookTable: TableName } = tables.names;
    const input = { TableName, Item: itemOf(draws(1, "refused")), ConditionExpression, ExpressionAttributeValues: { ":n": { S: "x" } } };
    await expect(memory.put(input)).rejects.toThrow();
  });

  test.each([
    ["a table that is not there", { TableName: "nowhere", Key: { pk: { S: "a" }, sk: { S: "b" } } }, "ResourceNotFoundException"],
    ["a key that is no text", { TableName: "book", Key: { pk: { N: "1" }, sk: { S: "b" } } }, "ValidationException"],
  ])("%s", async (_, input, name) => {
    const db = createMemoryDb({ book: TABLES.book });
    await expect(db.get(input as never)).rejects.toMatchObject({ name });
  });
});
