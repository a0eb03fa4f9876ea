import { afterEach, expect, test } from "vitest";

import { startEngine } from "../../../local/engines/dynamodb.ts";
import { startTables } from "../../engine.ts";

const platform = process.platform;
afterEach(() => {
  Object.defineProperty(process, "platform", { value: platform });
});

test("a platform without an engine is told the way out, in one line", async () => {
  Object.defineProperty(process, "platform", { value: "plan9" });
  await expect(startEngine({})).rejects.toThrow(
    new Error(`no DynamoDB engine for plan9-${process.arch}: set DYNAMODB_ENDPOINT to any DynamoDB-compatible endpoint`),
  );
});

test("an endpoint that is named is used on any platform, and is not ours to stop", async () => {
  Object.defineProperty(process, "platform", { value: "plan9" });
  const engine = await startEngine({ DYNAMODB_ENDPOINT: "http://127.0.0.1:8000" });
  expect(engine.endpoint).toBe("http://127.0.0.1:8000");
  engine.indexStreams();
  await engine.stop();
});

test("tables are made from their shapes, with the stream of the journal and its index", async () => {
  const tables = await startTables();
  try {
    const row = { pk: { S: "ACC#A-1" }, sk: { S: "SEQ#000000000001" } };
    for (const TableName of Object.values(tables.names)) await tables.db.put({ TableName, Item: row });
    const key = { TableName: tables.names.journalTable, Key: row };
    expect((await tables.db.get(key)).Item).toEqual(row);
  } finally {
    await tables.stop();
  }
});

test("an engine that was stopped answers no more", async () => {
  const engine = await startEngine({});
  expect((await fetch(engine.endpoint)).status).toBeGreaterThan(0);
  await engine.stop();
  await expect(fetch(engine.endpoint)).rejects.toThrow();
});
