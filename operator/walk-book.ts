import type { AttributeValue } from "@aws-sdk/client-dynamodb";

import { type Item, json, SCHEMA, text, whole } from "../adapters/dynamodb/items.ts";
import { shardPk } from "../adapters/dynamodb/keys.ts";
import { partition } from "../adapters/dynamodb/pages.ts";
import type { World } from "../adapters/world.ts";

/** What a walk did, by what it did: counts of accounts. */
export type Tally = Readonly<Record<string, number>>;

/** Where a walk stands: the next shard, and the last key that was done in it. */
interface Place {
  readonly shard: number;
  readonly key: string | null;
  readonly tally: Tally;
}

export interface Walk {
  /** Names the walk: one that was stopped goes on under the same name. */
  readonly name: string;
  /** Does one account's row, and says what it did. Throws nothing that lies in the row itself. */
  readonly visit: (row: Item) => Promise<string>;
  /** False for a walk that writes nothing, its own place included. */
  readonly remembers: boolean;
  /** Told after each page, when its place is stored. */
  readonly onPage?: (place: Place) => void;
}

const BEGINNING: Place = { shard: 0, key: null, tally: {} };

const keyOf = (name: string): Record<"pk" | "sk", AttributeValue> => ({ pk: { S: "WALK" }, sk: { S: name } });

/** Where a walk of this name was stopped; its beginning where none was, or where it came to its end. */
const placeOf = async (world: World, name: string): Promise<Place> => {
  const { bookTable, shards } = world.settings;
  const { Item } = await world.db.get({ TableName: bookTable, Key: keyOf(name), ConsistentRead: true });
  if (Item === undefined || whole(Item, "shard") >= shards) return BEGINNING;
  return { shard: whole(Item, "shard"), key: text(Item, "key") === "" ? null : text(Item, "key"), tally: json(Item, "tally") as Tally };
};

const store = async (world: World, name: string, { shard, key, tally }: Place): Promise<void> => {
  await world.db.put({
    TableName: world.settings.bookTable,
    Item: { ...keyOf(name), schema: SCHEMA, shard: { N: `${shard}` }, key: { S: key ?? "" }, tally: { S: JSON.stringify(tally) } },
  });
};

/**
 * Visits the row of every account, shard by shard. After each page the place is stored in the book under
 * `WALK` / name, so that a walk that was stopped goes on behind the last whole page, with its counts: a visit must be
 * harmless when it comes again.
 *
 * @returns what was done in all, over every run of this walk.
 */
export const walkBook = async (world: World, { name, visit, remembers, onPage }: Walk): Promise<Tally> => {
  const { bookTable, shards } = world.settings;
  let place = remembers ? await placeOf(world, name) : BEGINNING;
  while (place.shard < shards) {
    const pk = shardPk(place.shard);
    const page = await world.db.query({
      ...partition(bookTable, pk),
      ConsistentRead: true,
      ...(place.key !== null && { ExclusiveStartKey: { pk: { S: pk }, sk: { S: place.key } } }),
    });
    const tally: Record<string, number> = { ...place.tally };
    for (const row of page.Items ?? []) {
      const done = await visit(row);
      tally[done] = (tally[done] ?? 0) + 1;
    }
    const key = page.LastEvaluatedKey?.["sk"]?.S ?? null;
    place = { shard: key === null ? place.shard + 1 : place.shard, key, tally };
    if (remembers) await store(world, name, place);
    onPage?.(place);
  }
  return place.tally;
};
