import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type * as z from "zod";

import { createMemoryTables, type MemoryTables } from "../../simulation/db/memory-tables.ts";
import { ValidationException } from "../../simulation/db/table.ts";
import { ServiceError } from "../services/service.ts";
import { scanPage } from "./memory-pages.ts";
import * as requests from "./memory-requests.ts";
import { createMemoryStreams } from "./memory-streams.ts";

/** Puts of one batch: the service's quota. */
const BATCH_PUTS_MAX = 25;

/** Answers the parsed body of a request. @throws an error whose name is the service's. */
export type Operation = (body: unknown) => object;

interface Declared {
  readonly request: requests.CreateTable;
  readonly streamArn: string | null;
}

const operation =
  <Schema extends z.ZodType>(schema: Schema, answer: (request: z.infer<Schema>) => object): Operation =>
  (body) =>
    answer(requests.parse(schema, body));

const describe = ({ request, streamArn }: Declared): object => ({
  TableName: request.TableName,
  TableArn: `arn:aws:dynamodb:local:000000000000:table/${request.TableName}`,
  TableStatus: "ACTIVE",
  KeySchema: request.KeySchema,
  AttributeDefinitions: request.AttributeDefinitions,
  ...(request.GlobalSecondaryIndexes.length > 0 && {
    GlobalSecondaryIndexes: request.GlobalSecondaryIndexes.map((index) => ({ ...index, IndexStatus: "ACTIVE" })),
  }),
  ...(streamArn !== null && { StreamSpecification: request.StreamSpecification, LatestStreamArn: streamArn }),
});

const declare = (tables: MemoryTables, { TableName, GlobalSecondaryIndexes, StreamSpecification }: requests.CreateTable): void => {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema: [hash, range] }) => {
    return [IndexName, { partitionKey: hash.AttributeName, sortKey: range.AttributeName }] as const;
  });
  tables.create(TableName, {
    partitionKey: "pk",
    sortKey: "sk",
    indexes: Object.fromEntries(indexes),
    stream: StreamSpecification?.StreamViewType ?? null,
    timeToLive: null,
  });
};

const batchWrite = (tables: MemoryTables, { RequestItems }: z.infer<typeof requests.batchWriteItem>): object => {
  const puts = Object.entries(RequestItems).flatMap(([TableName, writes]) =>
    writes.map(({ PutRequest }) => ({ TableName, Item: PutRequest.Item })),
  );
  if (puts.length === 0 || puts.length > BATCH_PUTS_MAX) throw new ValidationException(`a batch of ${puts.length} puts`);
  for (const put of puts) tables.put(put);
  return { UnprocessedItems: {} };
};

const tableOperations = (tables: MemoryTables, openStream: (table: string) => string): Record<string, Operation> => {
  const declared = new Map<string, Declared>();
  const declaredAs = (name: string): Declared => {
    const table = declared.get(name);
    if (table === undefined) throw new ServiceError("ResourceNotFoundException", `Requested resource not found: Table: ${name} not found`);
    return table;
  };
  return {
    CreateTable: operation(requests.createTable, (request) => {
      declare(tables, request);
      const streamArn = request.StreamSpecification === undefined ? null : openStream(request.TableName);
      const table = { request, streamArn };
      declared.set(request.TableName, table);
      return { TableDescription: describe(table) };
    }),
    DescribeTable: operation(requests.describeTable, ({ TableName }) => ({ Table: describe(declaredAs(TableName)) })),
    ListTables: operation(requests.listTables, () => ({ TableNames: [...declared.keys()].sort() })),
    // Nothing expires here: a row that is past its time may stay for days in the service, too.
    UpdateTimeToLive: operation(requests.updateTimeToLive, ({ TableName, TimeToLiveSpecification }) => {
      declaredAs(TableName);
      return { TimeToLiveSpecification };
    }),
  };
};

const itemOperations = (tables: MemoryTables): Record<string, Operation> => ({
  GetItem: operation(requests.getItem, tables.get),
  BatchGetItem: operation(requests.batchGetItem, tables.batchGet),
  Query: operation(requests.query, tables.query),
  Scan: operation(requests.scan, (request) => scanPage(tables, request)),
  PutItem: operation(requests.putItem, tables.put),
  UpdateItem: operation(requests.updateItem, tables.update),
  DeleteItem: operation(requests.deleteItem, ({ TableName, Key }) => {
    tables.remove(TableName, Key);
    return {};
  }),
  BatchWriteItem: operation(requests.batchWriteItem, (request) => batchWrite(tables, request)),
  TransactWriteItems: operation(requests.transactWriteItems, ({ TransactItems }) =>
    tables.transactWrite({ TransactItems: TransactItems as TransactWriteItem[] }),
  ),
});

/** The operations of an engine without tables, by their `x-amz-target`. */
export const createMemoryOperations = (): ReadonlyMap<string, Operation> => {
  const tables = createMemoryTables({});
  const streams = createMemoryStreams();
  tables.onWrite(streams.write);
  const streamOperations: Record<string, Operation> = {
    DescribeStream: operation(requests.describeStream, ({ StreamArn }) => ({ StreamDescription: streams.describe(StreamArn) })),
    GetShardIterator: operation(requests.getShardIterator, ({ StreamArn, ShardId, ShardIteratorType }) => ({
      ShardIterator: streams.iterator(StreamArn, ShardId, ShardIteratorType),
    })),
    GetRecords: operation(requests.getRecords, ({ ShardIterator, Limit }) => streams.records(ShardIterator, Limit)),
  };
  const named = (service: string, operations: Record<string, Operation>) =>
    Object.entries(operations).map(([name, answer]) => [`${service}.${name}`, answer] as const);
  return new Map([
    ...named("DynamoDB_20120810", { ...tableOperations(tables, streams.open), ...itemOperations(tables) }),
    ...named("DynamoDBStreams_20120810", streamOperations),
  ]);
};
