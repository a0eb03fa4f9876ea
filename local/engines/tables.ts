import { CreateTableCommand, type DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";

import type { TableShape } from "../../adapters/dynamodb/schema.ts";

/**
 * Creates one table on demand capacity with the keys, sparse indexes, stream and time to live of
 * its shape. @returns the ARN of its stream, null for a table without one.
 */
export const createTable = async (client: DynamoDBClient, tableName: string, shape: TableShape): Promise<string | null> => {
  const indexes = Object.entries(shape.indexes);
  const keys = [shape.partitionKey, shape.sortKey, ...indexes.flatMap(([, index]) => [index.partitionKey, index.sortKey])];
  const schemaOf = (partitionKey: string, sortKey: string) => [
    { AttributeName: partitionKey, KeyType: "HASH" as const },
    { AttributeName: sortKey, KeyType: "RANGE" as const },
  ];
  const created = await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((name) => ({ AttributeName: name, AttributeType: "S" as const })),
      KeySchema: schemaOf(shape.partitionKey, shape.sortKey),
      ...(indexes.length > 0 && {
        GlobalSecondaryIndexes: indexes.map(([name, index]) => ({
          IndexName: name,
          KeySchema: schemaOf(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: "KEYS_ONLY" as const },
        })),
      }),
      ...(shape.stream !== null && { StreamSpecification: { StreamEnabled: true, StreamViewType: shape.stream } }),
    }),
  );
  if (shape.timeToLive !== null) {
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: tableName,
        TimeToLiveSpecification: { Enabled: true, AttributeName: shape.timeToLive },
      }),
    );
  }
  return created.TableDescription?.LatestStreamArn ?? null;
};

/** Creates one table for each name, with its shape. @returns the stream ARNs by the same names. */
export const createTables = async (
  client: DynamoDBClient,
  shapes: Readonly<Record<string, TableShape>>,
): Promise<Record<string, string | null>> => {
  const streams: Record<string, string | null> = {};
  for (const [tableName, shape] of Object.entries(shapes)) streams[tableName] = await createTable(client, tableName, shape);
  return streams;
};
