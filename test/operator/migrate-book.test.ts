import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createBook } from "../../adapters/dynamodb/book.ts";
import type { RowSchema } from "../../adapters/dynamodb/items.ts";
import { queryAll } from "../../adapters/dynamodb/pages.ts";
import type { World } from "../../adapters/world.ts";
import { migrateBook } from "../../operator/migrate-book.ts";
import { account, deposit, deposited } from "../adapters/samples.ts";
import { startTables, type TestTables, testWorld } from "../engine.ts";

const IDS = Array.from({ length: 12 }, (_, index) => `M-${index}`);
const RESTORED_AT = Date.parse("2020-03-12T09:00:00Z");

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

/** A book of twelve accounts in rows of version 1, some of them out of sync. */
const bookInFirstVersion = async () => {
  const mine = await tables.fresh();
  const world = testWorld(mine, { settings: { shards: 4 } });
  const book = createBook(world);
  for (const [index, id] of IDS.entries()) {
    const change = deposited(account(id), [deposit(`${id}-d`, 1)]);
    const after = { ...change.after, outOfSync: index % 3 === 0 };
    await book.commit({ ...change, after }, { causedBy: "test", snapshotId: null, mode: "enforce" });
  }
  return { world, book, at: (rowSchema: RowSchema) => testWorld(mine, { settings: { shards: 4, rowSchema } }) };
};

const rowsOf = async (world: World) => {
  const shards = await Promise.all(
    [0, 1, 2, 3].map((shard) =>
      queryAll(world.db, {
        TableName: world.settings.bookTable,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: `SHARD#00${shard}` } },
      }),
    ),
  );
  return shards.flat();
};

const schemasOf = async (world: World): Promise<string> =>
  (await rowsOf(world))
    .map((row) => row["schema"]?.N)
    .sort()
    .join("");

const WRITE = { dryRun: false };

describe("the rows of accounts are rewritten in the version that the stage writes (I26, S33)", () => {
  it("forward and back: the accounts are the same, and so is each row once it is back", async () => {
    const { world, book } = await bookInFirstVersion();
    const before = await rowsOf(world);
    const accounts = await book.loadAll(IDS);
    expect(before[0]?.["schema"]).toEqual({ N: "1" });
    expect(await migrateBook(world, 2, WRITE)).toEqual({ rewritten: 12 });
    expect(await schemasOf(world)).toBe("222222222222");
    expect((await rowsOf(world)).map((row) => row["gap"]).filter(Boolean)).toEqual([{ N: "0" }, { N: "0" }, { N: "0" }, { N: "0" }]);
    expect(new Set(await book.loadAll(IDS))).toEqual(new Set(accounts));
    expect(await migrateBook(world, 2, WRITE)).toEqual({ already: 12 });
    expect(await migrateBook(world, 1, WRITE)).toEqual({ rewritten: 12 });
    expect(await rowsOf(world)).toEqual(before);
  });

  it("a dry run counts and writes nothing, its own place neither", async () => {
    const { world } = await bookInFirstVersion();
    expect(await migrateBook(world, 2, { dryRun: true })).toEqual({ rewritten: 12 });
    expect(await schemasOf(world)).toBe("111111111111");
    expect((await world.db.get({ TableName: world.settings.bookTable, Key: { pk: { S: "WALK" }, sk: { S: "MIGRATE" } } })).Item).toBe(
      undefined,
    );
  });

  it("stopped half-way it goes on where it was, with its counts", async () => {
    const { world } = await bookInFirstVersion();
    const stop = migrateBook(world, 2, {
      ...WRITE,
      onPage: ({ shard }) => {
        if (shard === 2) throw new Error("stopped");
      },
    });
    await expect(stop).rejects.toThrow("stopped");
    const half = await schemasOf(world);
    expect(half).toMatch(/^1+2+$/);
    const queried: string[] = [];
    const watched: World = {
      ...world,
      db: {
        ...world.db,
        query: (input) => {
          queried.push(input.ExpressionAttributeValues?.[":pk"]?.S ?? "");
          return world.db.query(input);
        },
      },
    };
    expect(await migrateBook(watched, 2, WRITE)).toEqual({ rewritten: 12 });
    expect(queried).toEqual(["SHARD#002", "SHARD#003"]);
    expect(await schemasOf(world)).toBe("222222222222");
  });

  it("stopped half-way, then undone, it begins anew", async () => {
    const { world } = await bookInFirstVersion();
    const stop = (shard: number) => ({
      ...WRITE,
      onPage: (place: { readonly shard: number }) => {
        if (place.shard === shard) throw new Error("stopped");
      },
    });
    await expect(migrateBook(world, 2, stop(3))).rejects.toThrow("stopped");
    await migrateBook(world, 1, WRITE);
    expect(await schemasOf(world)).toBe("111111111111");
    expect(await migrateBook(world, 2, WRITE)).toEqual({ rewritten: 12 });
    expect(await schemasOf(world)).toBe("222222222222");
  });

  it("a row that a function writes meanwhile is read again, and what the function wrote stays", async () => {
    const { world, at } = await bookInFirstVersion();
    const raced = new Set<string>();
    const racing: World = {
      ...world,
      db: {
        ...world.db,
        put: async (input) => {
          const id = input.Item?.["sk"]?.S?.slice(4);
          if (id !== undefined && IDS.includes(id) && !raced.has(id)) {
            raced.add(id);
            // Half of the functions are of the release before, or have not been told yet: they write version 1.
            const writer = createBook(at(raced.size % 2 === 0 ? 1 : 2));
            const loaded = await writer.load(id);
            if (loaded === null) throw new Error(`no account ${id}`);
            const change = deposited(loaded, [deposit(`${id}-while`, 2, "7")]);
            await writer.commit(change, { causedBy: "race", snapshotId: null, mode: "enforce" });
          }
          return world.db.put(input);
        },
      },
    };
    expect(await migrateBook(racing, 2, WRITE)).toEqual({ rewritten: 6, already: 6 });
    expect(await schemasOf(world)).toBe("222222222222");
    const accounts = await createBook(world).loadAll(IDS);
    expect(accounts.map(({ version, balances }) => [version, balances.get("USDT")])).toEqual(IDS.map(() => [2, 10_700_000_000n]));
  });

  it("names what it cannot rewrite, and goes on with the rest", async () => {
    const { world, book } = await bookInFirstVersion();
    const [restored, spoiled] = await Promise.all([
      book.load("M-1"),
      rowsOf(world).then((rows) => rows.find((row) => row["sk"]?.S === "ACC#M-2")),
    ]);
    if (restored === null || spoiled === undefined) throw new Error("no such account");
    const after = { ...restored, version: 2, outOfSync: true, restoredAt: RESTORED_AT };
    const change = { before: restored, after, calls: [], orders: [], entries: [], events: [] };
    await book.commit(change, { causedBy: "test", snapshotId: null, mode: "enforce" });
    await world.db.put({ TableName: world.settings.bookTable, Item: { ...spoiled, schema: { N: "3" } } });
    expect(await migrateBook(world, 1, WRITE)).toEqual({ already: 10, held: 1, unreadable: 1 });
    expect(await book.load("M-1")).toMatchObject({ outOfSync: true, restoredAt: RESTORED_AT });
  });
});
