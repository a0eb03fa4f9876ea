import "../../functions/environment.ts";

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { createDb } from "../../../adapters/aws/db.ts";
import { decideAccount } from "../../../adapters/decide-account.ts";
import { TABLES } from "../../../adapters/dynamodb/schema.ts";
import { createTables } from "../../../local/engines/tables.ts";
import { runCommand } from "../../../operator/command-line.ts";
import { COMPARE } from "../../../operator/compare.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { openAccount, putTerms, stageOn, T0 } from "../../functions/stage.ts";

const NAMES = {
  bookTable: "plimsoll-sandbox-book",
  marksTable: "plimsoll-sandbox-marks",
  journalTable: "plimsoll-sandbox-journal",
  outboundTable: "plimsoll-sandbox-outbound",
};

let engine: TestTables;
beforeAll(async () => {
  engine = await startTables();
  const client = new DynamoDBClient({});
  const { book, marks, journal, outbound } = TABLES;
  const shapes = { [NAMES.bookTable]: book, [NAMES.marksTable]: marks, [NAMES.journalTable]: journal, [NAMES.outboundTable]: outbound };
  await createTables(client, shapes);
  client.destroy();
});
afterAll(() => engine.stop());

test("compare --stage reads the tables that a deployment of the stage has", async () => {
  const stage = stageOn({ ...engine, db: createDb(), names: NAMES }, { mode: "observe" });
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, "A-1");
  stage.clock.set(T0 + 60_000);
  await stage.price("94.7");
  await decideAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, await stage.desk.marks.takeSnapshot(T0 + 60_000));

  const theirs = join(mkdtempSync(join(tmpdir(), "theirs-")), "theirs.csv");
  writeFileSync(theirs, "account,kind,at,amountDue\nA-1,call,2020-03-12T10:01:05Z,477\n");
  const said: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => said.push(`${text}`) > 0);
  const code = await runCommand(COMPARE, ["--theirs", theirs, "--stage", "sandbox"]);
  spy.mockRestore();
  expect(said.join("")).toBe("1 accounts, 1 acts of ours, 1 of theirs: 1 equal, 0 different\n");
  expect(code).toBe(0);
});
