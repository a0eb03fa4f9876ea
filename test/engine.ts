import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { createDb } from "../adapters/aws/db.ts";
import { TABLES } from "../adapters/dynamodb/schema.ts";
import type { Db, Kms, Log, Settings, World } from "../adapters/world.ts";
import { startEngine } from "../local/engines/dynamodb.ts";
import { createTables } from "../local/engines/tables.ts";
import { createMemoryDb } from "../simulation/db/memory-db.ts";

/** Tables of a test behind the `db` port. One engine for a test file: start it in beforeAll. */
export interface TestTables {
  readonly db: Db;
  readonly names: Pick<Settings, "bookTable" | "marksTable" | "journalTable" | "outboundTable">;
  /** Further tables on the same engine: what one test writes, no other sees. */
  readonly fresh: () => Promise<TestTables>;
  readonly stop: () => Promise<void>;
}

const named = () => {
  const prefix = `t${randomUUID().slice(0, 8)}`;
  const names = {
    bookTable: `${prefix}-book`,
    marksTable: `${prefix}-marks`,
    journalTable: `${prefix}-journal`,
    outboundTable: `${prefix}-outbound`,
  };
  const shapes = {
    [names.bookTable]: TABLES.book,
    [names.marksTable]: TABLES.marks,
    [names.journalTable]: TABLES.journal,
    [names.outboundTable]: TABLES.outbound,
  };
  return { names, shapes };
};

const memoryTables = async (): Promise<TestTables> => {
  const { names, shapes } = named();
  return { db: createMemoryDb(shapes), names, fresh: memoryTables, stop: () => Promise.resolve() };
};

const engineTables = async (): Promise<TestTables> => {
  const engine = await startEngine();
  process.env["AWS_ENDPOINT_URL_DYNAMODB"] = engine.endpoint;
  process.env["AWS_REGION"] = "us-east-1";
  process.env["AWS_ACCESS_KEY_ID"] = "local";
  process.env["AWS_SECRET_ACCESS_KEY"] = "local";
  const client = new DynamoDBClient({});
  const stop = async (): Promise<void> => {
    client.destroy();
    await engine.stop();
  };
  const open = async (): Promise<TestTables> => {
    const { names, shapes } = named();
    await createTables(client, shapes);
    return { db: createDb(), names, fresh: open, stop };
  };
  const first = await open();
  engine.indexStreams();
  return first;
};

/** A real engine behind the real port; in the project "memory" the simulation's table, which must pass the same tests. */
export const startTables = (): Promise<TestTables> => (process.env["TEST_TABLES"] === "memory" ? memoryTables() : engineTables());

/** A clock that stands until it is set. */
export interface TestClock {
  now: () => number;
  set: (now: number) => void;
}

export const testClock = (start: number): TestClock => {
  let now = start;
  return {
    now: () => now,
    set: (next) => {
      now = next;
    },
  };
};

/** What a use case logged and counted. */
export interface TestLog extends Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: unknown }[];
  readonly counts: Map<string, number>;
}

export const testLog = (): TestLog => {
  const lines: TestLog["lines"] = [];
  const counts = new Map<string, number>();
  const line =
    (level: string): Log["info"] =>
    (message, fields) =>
      void lines.push({ level, message, fields });
  return {
    lines,
    counts,
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    count: (metric, value = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + value),
  };
};

/** A key service that opens what it sealed, under the same context only. */
export const testKms = (): Kms => ({
  encrypt: async (plaintext, context) => Buffer.from(JSON.stringify({ plaintext, context })).toString("base64"),
  decrypt: async (ciphertext, context) => {
    const sealed = JSON.parse(Buffer.from(ciphertext, "base64").toString()) as { plaintext: string; context: unknown };
    if (JSON.stringify(sealed.context) !== JSON.stringify(context)) throw new Error("InvalidCiphertextException");
    return sealed.plaintext;
  },
});

const absent = (port: string) => (): Promise<never> => Promise.reject(new Error(`the test gave no ${port}`));

/** A world with a standing clock, a log that is kept and a real `db`; every other port refuses unless it is given. */
export const testWorld = (
  tables: Pick<TestTables, "db" | "names">,
  given: Partial<Omit<World, "settings">> & { readonly settings?: Partial<Settings> } = {},
): World => ({
  db: tables.db,
  bus: { publish: absent("bus") },
  queues: { send: absent("queues") },
  timers: { arm: absent("timers") },
  mailer: { send: absent("mailer") },
  http: { post: absent("http") },
  kms: testKms(),
  clock: testClock(Date.parse("2020-03-12T00:00:00Z")),
  log: testLog(),
  ...given,
  settings: {
    ...tables.names,
    shards: 16,
    shardsPerGroup: 4,
    rowSchema: 1,
    modes: { default: "enforce", brokers: {}, clientClasses: {} },
    defaultPolicy: "standard",
    sweepIntervalMinMs: 5_000,
    sweepTimeoutMs: 60_000,
    breachShareMaxPpm: 10_000,
    compositeSources: ["composite"],
    ...given.settings,
  } as Settings,
});
