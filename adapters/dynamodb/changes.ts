import * as z from "zod";

import type { PendingChange } from "../../core/pending-change.ts";
import { placesOf } from "../wire/parse.ts";
import { pendingChange, pendingView, type StoredChange } from "../wire/pending-change.ts";
import type { World } from "../world.ts";
import { checkSchema, type Item, json, SCHEMA, UnreadableRow, whole } from "./items.ts";
import { changePk, changeSk, pastChangePk, pastChangeSk } from "./keys.ts";
import { isConditionFailed, partition, queryAll } from "./pages.ts";

/** A change as it was read. `revision` counts its writes: whoever writes it names the one that it read. */
export interface ReadChange {
  readonly change: StoredChange;
  readonly revision: number;
}

/** What became of a change: it is a version now, or nobody's any more. */
export type ChangeEnd =
  | { readonly outcome: "enacted"; readonly version: number; readonly at: number }
  | { readonly outcome: "withdrawn"; readonly by: string; readonly at: number };

const decode = (item: Item): ReadChange => {
  checkSchema(item);
  const read = pendingChange.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`pending change: ${placesOf(read.error)}`);
  return { change: read.data, revision: whole(item, "revision") };
};

const bodyOf = (change: StoredChange): string => JSON.stringify(z.encode(pendingChange, pendingView(change)));

/** What became of a change, for ever. */
const pastItem = (change: StoredChange, end: ChangeEnd): Item => ({
  pk: { S: pastChangePk },
  sk: { S: pastChangeSk(end.at, change.kind, change.id) },
  schema: SCHEMA,
  body: { S: bodyOf(change) },
  end: { S: JSON.stringify(end) },
});

/**
 * Pending changes of terms: `CHANGE` / `<kind>#<id>` in the book, one at a time for each policy and instrument, and
 * what became of each: `CHANGE#PAST` / `<instant>#<kind>#<id>`, for ever. No row is ever deleted: one that
 * ended keeps its key and its count of writes, and nothing else.
 */
export const createChanges = (world: World) => {
  const table = (): string => world.settings.bookTable;
  const keyOf = ({ kind, id }: Pick<PendingChange, "kind" | "id">) => ({ pk: { S: changePk }, sk: { S: changeSk(kind, id) } });

  const read = async (of: Pick<PendingChange, "kind" | "id">): Promise<Item | null> =>
    (await world.db.get({ TableName: table(), Key: keyOf(of), ConsistentRead: true })).Item ?? null;

  /** Those that wait, by their keys. A row that does not read stops the reader: nobody may take it for no change. */
  const list = async (): Promise<readonly ReadChange[]> => {
    const items = await queryAll(world.db, { ...partition(table(), changePk), ConsistentRead: true });
    return items.filter((item) => item["body"] !== undefined).map(decode);
  };

  return {
    list,

    /** The one of this id; null for one that ended or never was. */
    find: async (changeId: string): Promise<ReadChange | null> => (await list()).find(({ change }) => change.changeId === changeId) ?? null,

    /** The pending one of a policy or an instrument, and how often its row was written: 0 for never. */
    of: async (of: Pick<PendingChange, "kind" | "id">): Promise<{ readonly change: StoredChange | null; readonly revision: number }> => {
      const item = await read(of);
      if (item === null) return { change: null, revision: 0 };
      return item["body"] === undefined ? { change: null, revision: whole(item, "revision") } : decode(item);
    },

    /** Writes a change over the revision that was read. `superseded` where somebody else wrote in between. */
    put: async (change: StoredChange, revision: number): Promise<"stored" | "superseded"> => {
      const body = bodyOf(change);
      try {
        await world.db.put({
          TableName: table(),
          Item: { ...keyOf(change), schema: SCHEMA, revision: { N: `${revision + 1}` }, body: { S: body } },
          ConditionExpression: revision === 0 ? "attribute_not_exists(pk)" : "revision = :revision",
          ...(revision > 0 && { ExpressionAttributeValues: { ":revision": { N: `${revision}` } } }),
        });
        return "stored";
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        // After a lost reply the retry fails on its own write: the row says whose it is.
        return (await read(change))?.["body"]?.S === body ? "stored" : "superseded";
      }
    },

    /** Keeps what became of a change that never waited. */
    record: async (change: StoredChange, end: ChangeEnd): Promise<void> => {
      await world.db.put({ TableName: table(), Item: pastItem(change, end) });
    },

    /** Takes a change off the list and keeps what became of it. `superseded` where somebody else wrote in between. */
    end: async ({ change, revision }: ReadChange, end: ChangeEnd): Promise<"stored" | "superseded"> => {
      try {
        await world.db.transactWrite({
          TransactItems: [
            {
              Put: {
                TableName: table(),
                Item: { ...keyOf(change), schema: SCHEMA, revision: { N: `${revision + 1}` } },
                ConditionExpression: revision === 0 ? "attribute_not_exists(pk)" : "revision = :revision",
                ...(revision > 0 && { ExpressionAttributeValues: { ":revision": { N: `${revision}` } } }),
              },
            },
            { Put: { TableName: table(), Item: pastItem(change, end) } },
          ],
        });
        return "stored";
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "TransactionCanceledException") throw error;
        const row = await read(change);
        return row !== null && row["body"] === undefined && whole(row, "revision") === revision + 1 ? "stored" : "superseded";
      }
    },
  };
};
