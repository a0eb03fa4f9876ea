import type { QueryCommandInput } from "@aws-sdk/client-dynamodb";

import type { Db } from "../world.ts";
import type { Item } from "./items.ts";

/** Every item of a query, page by page. For what is bounded by an account or an index shard, not for the book. */
export const queryAll = async (db: Db, input: QueryCommandInput): Promise<Item[]> => {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await db.query({ ...input, ...(start !== undefined && { ExclusiveStartKey: start }) });
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return items;
};

/** Keys of one batch read. */
const BATCH_KEYS_MAX = 100;
/** Requests for one batch: a table that leaves keys over this often is throttled, and asking on would only add to it. */
const BATCH_TRIES_MAX = 5;

/**
 * The items under these keys that are there, in no order, consistently read.
 *
 * @param attributes the wanted ones, all by default.
 * @throws Error when the table answers only a part each time; nothing is lost, the message may be tried again.
 */
export const getAll = async (db: Db, table: string, keys: readonly Item[], attributes?: string): Promise<Item[]> => {
  const items: Item[] = [];
  for (let from = 0; from < keys.length; from += BATCH_KEYS_MAX) {
    let Keys = keys.slice(from, from + BATCH_KEYS_MAX);
    for (let tries = 0; Keys.length > 0; tries += 1) {
      if (tries === BATCH_TRIES_MAX) throw new Error(`${Keys.length} of the keys of a batch were left over ${tries} times`);
      const request = { Keys, ConsistentRead: true, ...(attributes !== undefined && { ProjectionExpression: attributes }) };
      const got = await db.batchGet({ RequestItems: { [table]: request } });
      items.push(...(got.Responses?.[table] ?? []));
      Keys = got.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
};

/** The query for the items of one partition whose sort key starts with `prefix`, or for all of them. */
export const partition = (table: string, pk: string, prefix?: string): QueryCommandInput => ({
  TableName: table,
  KeyConditionExpression: prefix === undefined ? "pk = :pk" : "pk = :pk AND begins_with(sk, :prefix)",
  ExpressionAttributeValues: { ":pk": { S: pk }, ...(prefix !== undefined && { ":prefix": { S: prefix } }) },
});

/** True for the error of a single write whose condition did not hold. Not a fault: somebody else was first. */
export const isConditionFailed = (error: unknown): boolean => error instanceof Error && error.name === "ConditionalCheckFailedException";
