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
  /** Names the walk in the book. */
  readonly name: string;
  /** What it is for: one that was stopped goes on, unless a walk of the same name had another goal since. */
  readonly goal: string;
  /** Does one account's row, and says what it did. Throws nothing that lies in the row itself. */
  readonly visit: (row: Item) => Promise<string>;
  /** False for a walk that writes nothing, its own place included. */
  readonly remembers: boolean;
  /** Told after each page, when its place is stored. */
  readonly onPage?: (place: Place) => void;
}

const BEGINNING: Place = { shard: 0, key: null, tally: {} };

const keyOf = (name: string): Record<"pk" | "sk", AttributeValue> => ({ pk: { S: "WALK" }, sk: { S: name } });

/** Where this walk was stopped; its beginning where it was not, where it came to its end, or where another has undone it. */
const placeOf = async (world: World, { name, goal }: Walk): Promise<Place> => {
  const { bookTable, shards } = world.settings;
  const { Item } = await world.db.get({ TableName: bookTable, Key: keyOf(name), ConsistentRead: true });
  if (Item === undefined || text(Item, "goal") !== goal || whole(Item, "shard") >= shards) return BEGINNING;
  return { shard: whole(Item, "shard"), key: text(Item, "key") === "" ? null : text(Item, "key"), tally: json(Item, "tally") as Tally };
};

const store = async (world: World, { name, goal }: Walk, { shard, key, tally }: Place): Promise<void> => {
  const place = { shard: { N: `${shard}` }, key: { S: key ?? "" }, tally: { S: JSON.stringify(tally) } };
  await world.db.put({ TableName: world.settings.bookTable, Item: { ...keyOf(name), schema: SCHEMA, goal: { S: goal }, ...place } });
};

/**
 * Visits the row of every account, shard by shard. After each page the place is stored in the book under
 * `WALK` / its name, so that a walk that was stopped goes on behind the last whole page, with its counts: a visit must be
 * harmless when it comes again.
 *
 * @returns what was done in all, over every run of this walk.
 */
export const walkBook = async (world: World, walk: Walk): Promise<Tally> => {
  const { visit, remembers, onPage } = walk;
  const { bookTable, shards } = world.settings;
  let place = remembers ? await placeOf(world, walk) : BEGINNING;
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
    if (remembers) await store(world, walk, place);
    onPage?.(place);
  }
  return place.tally;
};
