import { afterEach, expect, test } from "vitest";

import { startEngine, UnusableEngine } from "../../../local/engines/dynamodb.ts";
import { startTables } from "../../engine.ts";

const platform = process.platform;
afterEach(() => {
  Object.defineProperty(process, "platform", { value: platform });
});

/** Only the engine in memory says what it does not know. */
const isInMemory = async (endpoint: string): Promise<boolean> => {
  const reply = await fetch(endpoint, { method: "POST", headers: { "x-amz-target": "DynamoDB_20120810.Nothing" }, body: "{}" });
  return (await reply.text()).includes("the engine in memory does not know DynamoDB_20120810.Nothing");
};

test.each([
  ["a platform without a native engine has the one in memory", "plan9", {}],
  ["the engine in memory can be asked for on any platform", platform, { DYNAMODB_ENGINE: "memory" }],
])("%s", async (_, value, env) => {
  Object.defineProperty(process, "platform", { value });
  const engine = await startEngine(env);
  engine.indexStreams();
  expect(await isInMemory(engine.endpoint)).toBe(true);
  await engine.stop();
  await expect(fetch(engine.endpoint)).rejects.toThrow();
});

test("a platform without a native engine that is asked for it is told the way out, in one line", async () => {
  Object.defineProperty(process, "platform", { value: "plan9" });
  await expect(startEngine({ DYNAMODB_ENGINE: "native" })).rejects.toThrow(
    new UnusableEngine(`no native DynamoDB engine for plan9-${process.arch}: leave DYNAMODB_ENGINE out for the one in memory`),
  );
});

test.each([{}, { DYNAMODB_ENDPOINT: "http://127.0.0.1:8000" }])("an engine of another name is refused, with %j as well", async (env) => {
  await expect(startEngine({ ...env, DYNAMODB_ENGINE: "sqlite" })).rejects.toThrow(
    new UnusableEngine("DYNAMODB_ENGINE=sqlite: set it to native or memory, or leave it out"),
  );
});

test("an endpoint that is named is used on any platform, and is not ours to stop", async () => {
  Object.defineProperty(process, "platform", { value: "plan9" });
  const engine = await startEngine({ DYNAMODB_ENDPOINT: "http://127.0.0.1:8000", DYNAMODB_ENGINE: "memory" });
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
