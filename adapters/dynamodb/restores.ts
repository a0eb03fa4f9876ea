import type { AttributeValue } from "@aws-sdk/client-dynamodb";

import type { MarginAccount } from "../../core/account.ts";
import type { World } from "../world.ts";
import { checkSchema, SCHEMA, text, whole } from "./items.ts";
import { keyAfterRestore, sequenceAfterRestore } from "./keys.ts";

/** A restore of the book from a backup, as the book itself remembers it: it outlives the restore only (S54). */
export interface Restore {
  /** Instant that the tables were put back to, as the operator named it. */
  readonly backup: string;
  /** Instant at which the restore was declared, epoch milliseconds. */
  readonly restoredAt: number;
}

const KEY: Record<"pk" | "sk", AttributeValue> = { pk: { S: "RESTORE" }, sk: { S: "NEWEST" } };

/** The newest restore of the book; null for a book that never was. */
export const newestRestore = async (world: World): Promise<Restore | null> => {
  const { Item } = await world.db.get({ TableName: world.settings.bookTable, Key: KEY, ConsistentRead: true });
  if (Item === undefined) return null;
  checkSchema(Item);
  return { backup: text(Item, "backup"), restoredAt: whole(Item, "at") };
};

export const putRestore = async (world: World, { backup, restoredAt }: Restore): Promise<void> => {
  const Item = { ...KEY, schema: SCHEMA, backup: { S: backup }, at: { N: `${restoredAt}` } };
  await world.db.put({ TableName: world.settings.bookTable, Item });
};

/**
 * An account that the book does not have, as it is opened: in a restored book it may be one that was opened and called
 * after the backup was made. Its ids and its sequence begin where none of those can be, and only a snapshot from
 * after the restore brings it in sync.
 */
export const openedAfter = (unopened: MarginAccount, restore: Restore | null): MarginAccount => {
  if (restore === null) return unopened;
  const { restoredAt } = restore;
  const key = keyAfterRestore(unopened.accountId, restoredAt);
  return { ...unopened, key, version: sequenceAfterRestore(restoredAt), outOfSync: true, restoredAt };
};
