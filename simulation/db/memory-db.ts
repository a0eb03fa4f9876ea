import type { TableShape } from "../../adapters/dynamodb/schema.ts";
import type { Db } from "../../adapters/world.ts";
import { createMemoryTables, type MemoryTables } from "./memory-tables.ts";

const later =
  <Input, Answer>(answer: (input: Input) => Answer): ((input: Input) => Promise<Answer>) =>
  async (input) =>
    answer(input);

/** Tables in memory as the port: every answer is a promise, and what a request throws is its rejection. */
export const dbOf = (tables: MemoryTables): Db => ({
  get: later(tables.get),
  batchGet: later(tables.batchGet),
  query: later(tables.query),
  put: later(tables.put),
  update: later(tables.update),
  transactWrite: later(tables.transactWrite),
});

/** New tables behind the port. */
export const createMemoryDb = (shapes: Readonly<Record<string, TableShape>>): Db => dbOf(createMemoryTables(shapes));
