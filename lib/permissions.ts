import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

import type { TableName } from "../adapters/dynamodb/schema.ts";
import type { DataStack } from "./data-stack.ts";

/** The actions of the port `Db`: no Scan, no delete, no batch write. A transaction needs the actions of its rows. */
type TableAction = "GetItem" | "BatchGetItem" | "Query" | "PutItem" | "UpdateItem";

/** What one function does with one table. */
export interface TableUse {
  readonly actions: readonly TableAction[];
  /** Indexes that it queries: nothing else can be done with one. */
  readonly indexes?: readonly string[];
}

/**
 * Statements for a function's uses of the tables, and of the data key through DynamoDB alone. Of the key DynamoDB asks
 * only Decrypt in the name of who reads or writes: it makes the tables' keys under grants of its own.
 */
export const onTables = (data: DataStack, uses: Partial<Record<TableName, TableUse>>): PolicyStatement[] => {
  const entries = Object.entries(uses) as [TableName, TableUse][];
  const statement = (actions: readonly TableAction[], resources: string[]): PolicyStatement =>
    new PolicyStatement({ actions: actions.map((action) => `dynamodb:${action}`), resources });
  return [
    ...entries.flatMap(([name, { actions, indexes = [] }]) => {
      const { tableArn } = data.tables[name];
      const queried = indexes.map((index) => `${tableArn}/index/${index}`);
      return [statement(actions, [tableArn]), ...(queried.length > 0 ? [statement(["Query"], queried)] : [])];
    }),
    new PolicyStatement({
      actions: ["kms:Decrypt"],
      resources: [data.dataKey.keyArn],
      conditions: { StringEquals: { "kms:ViaService": `dynamodb.${data.region}.amazonaws.com` } },
    }),
  ];
};

/** Statements for sending to queues under the messaging key. */
export const sendsTo = (key: IKey, ...queues: readonly IQueue[]): PolicyStatement[] => [
  new PolicyStatement({ actions: ["sqs:SendMessage"], resources: queues.map((queue) => queue.queueArn) }),
  usesMessagingKey(key),
];

/** A sender to an encrypted queue or topic makes a data key, and reads it back. */
export const usesMessagingKey = (key: IKey): PolicyStatement =>
  new PolicyStatement({ actions: ["kms:GenerateDataKey", "kms:Decrypt"], resources: [key.keyArn] });
