import { CreateTableCommand, type DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";

import type { Table } from "../template/wiring.ts";

/**
 * Creates the template's tables: keys, indexes, stream and time to live as declared there.
 *
 * @returns the ARNs of their streams by the name of the table.
 */
export const createTemplateTables = async (client: DynamoDBClient, tables: readonly Table[]): Promise<ReadonlyMap<string, string>> => {
  const streams = new Map<string, string>();
  for (const { name, shape } of tables) {
    const { TableDescription } = await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: shape.KeySchema,
        AttributeDefinitions: shape.AttributeDefinitions,
        ...(shape.GlobalSecondaryIndexes.length > 0 && { GlobalSecondaryIndexes: shape.GlobalSecondaryIndexes }),
        ...(shape.StreamSpecification !== undefined && { StreamSpecification: { StreamEnabled: true, ...shape.StreamSpecification } }),
      }),
    );
    if (TableDescription?.LatestStreamArn !== undefined) streams.set(name, TableDescription.LatestStreamArn);
    const { AttributeName, Enabled } = shape.TimeToLiveSpecification ?? {};
    if (Enabled !== true || AttributeName === undefined) continue;
    await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification: { Enabled, AttributeName } }));
  }
  return streams;
};
