import type { Item } from "../../../adapters/dynamodb/items.ts";
import { TABLES, type TableName } from "../../../adapters/dynamodb/schema.ts";
import type { Db, World } from "../../../adapters/world.ts";
import { itemBytes, readUnits, writeUnits } from "../../../operator/cost/capacity.ts";

/** What a world was asked for, as the bill counts it. */
export interface Metered {
  reads: number;
  writes: number;
  /** Requests to standard and to FIFO queues: a batch of ten messages is one. */
  queue: number;
  fifo: number;
  published: number;
  timers: number;
  emails: number;
}

type Key = { pk: { S: string }; sk: { S: string } };

const bytesOf = (items: readonly (Item | undefined)[]): number =>
  items.reduce((sum, item) => sum + (item === undefined ? 0 : itemBytes(item)), 0);

const shapeOf = (table: string) => TABLES[table.split("-").at(-1) as TableName];

/** Units of the sparse indexes that one write moves: one to put the new entry, one to take the old one away. */
const indexUnits = (table: string, before: Item | undefined, after: Item | undefined): number => {
  let units = 0;
  for (const { partitionKey, sortKey } of Object.values(shapeOf(table).indexes)) {
    const keyIn = (item: Item | undefined): string | null => {
      const [pk, sk] = [item?.[partitionKey]?.S, item?.[sortKey]?.S];
      return pk === undefined || sk === undefined ? null : `${pk}\n${sk}`;
    };
    const [was, is] = [keyIn(before), keyIn(after)];
    if (was === is) continue;
    units += (was === null ? 0 : 1) + (is === null ? 0 : 1);
  }
  return units;
};

/** Counts capacity from the requests and the real rows before and after them. */
const meteredDb = (db: Db, sum: Metered): Db => {
  const at = async (TableName: string, { pk, sk }: Key): Promise<Item | undefined> =>
    (await db.get({ TableName, Key: { pk, sk }, ConsistentRead: true })).Item;
  const wrote = (table: string, before: Item | undefined, after: Item | undefined, times: number): void => {
    sum.writes += times * writeUnits(Math.max(bytesOf([before]), bytesOf([after]))) + indexUnits(table, before, after);
  };
  return {
    get: async (input) => {
      const reply = await db.get(input);
      sum.reads += readUnits(bytesOf([reply.Item]), input.ConsistentRead === true);
      return reply;
    },
    batchGet: async (input) => {
      const keys = Object.entries(input.RequestItems ?? {});
      for (const [table, { Keys, ConsistentRead }] of keys)
        for (const key of Keys ?? []) sum.reads += readUnits(bytesOf([await at(table, key as Key)]), ConsistentRead === true);
      return db.batchGet(input);
    },
    query: async (input) => {
      const reply = await db.query(input);
      sum.reads += readUnits(bytesOf(reply.Items ?? []), input.ConsistentRead === true);
      return reply;
    },
    put: async (input) => {
      const item = input.Item as Item;
      const before = await at(input.TableName as string, item as Key);
      const reply = await db.put(input);
      wrote(input.TableName as string, before, item, 1);
      return reply;
    },
    update: async (input) => {
      const before = await at(input.TableName as string, input.Key as Key);
      const reply = await db.update(input);
      wrote(input.TableName as string, before, await at(input.TableName as string, input.Key as Key), 1);
      return reply;
    },
    transactWrite: async (input) => {
      const touched = (input.TransactItems ?? []).map(({ Put, Update }) => ({
        table: (Put ?? Update)?.TableName as string,
        key: (Put?.Item ?? Update?.Key) as Key,
      }));
      const before = await Promise.all(touched.map(({ table, key }) => at(table, key)));
      const reply = await db.transactWrite(input);
      for (const [index, { table, key }] of touched.entries()) wrote(table, before[index], await at(table, key), 2);
      return reply;
    },
  };
};

const NOTHING: Metered = { reads: 0, writes: 0, queue: 0, fifo: 0, published: 0, timers: 0, emails: 0 };

/** A world that counts, over a real one. `take` tells what was counted since the last time. */
export const metered = (world: World): { readonly world: World; readonly take: () => Metered } => {
  const sum = { ...NOTHING };
  return {
    world: {
      ...world,
      db: meteredDb(world.db, sum),
      queues: {
        send: (queue, messages) => {
          sum[queue === "venue" ? "fifo" : "queue"] += Math.ceil(messages.length / 10);
          return world.queues.send(queue, messages);
        },
      },
      bus: {
        publish: (topic, messages) => {
          sum.published += messages.length;
          return world.bus.publish(topic, messages);
        },
      },
      timers: {
        arm: (timer) => {
          sum.timers += 1;
          return world.timers.arm(timer);
        },
      },
      mailer: {
        send: (email) => {
          sum.emails += 1;
          return world.mailer.send(email);
        },
      },
    },
    take: () => {
      const taken = { ...sum };
      Object.assign(sum, NOTHING);
      return taken;
    },
  };
};
