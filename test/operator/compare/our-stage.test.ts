import "../../functions/environment.ts";

import { afterAll, beforeAll, expect, test } from "vitest";

import { decideAccount } from "../../../adapters/decide-account.ts";
import type { World } from "../../../adapters/world.ts";
import { compare } from "../../../operator/compare/compare.ts";
import { readStageBook } from "../../../operator/compare/our-stage.ts";
import { readOurs, writeOurs } from "../../../operator/compare/ours.ts";
import { readTheirs } from "../../../operator/compare/theirs.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { openAccount, putTerms, stageOn, T0 } from "../../functions/stage.ts";

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

/** A world that only reads: what writes ends the test. */
const readingOnly = (world: World): World => {
  const write = (): Promise<never> => Promise.reject(new Error("compare wrote to the tables"));
  return { ...world, db: { ...world.db, put: write, update: write, transactWrite: write } };
};

test("our side of a stage is read from its tables, without a write, and is what an export of it is", async () => {
  const stage = stageOn(tables, { mode: "observe" });
  await putTerms(stage);
  await stage.price("100");
  const ids = Array.from({ length: 40 }, (_, index) => `staged-${`${index}`.padStart(2, "0")}`);
  for (const id of ids) await openAccount(stage, id);
  // At 94.7 the account of the worked example has 470 left, and a call level of 497.175 (MM 0.5 % and a fee of 0.05 %, IM 10 %).
  stage.clock.set(T0 + 60_000);
  await stage.price("94.7");
  const snapshot = await stage.desk.marks.takeSnapshot(T0 + 60_000);
  for (const accountId of ids.slice(0, 3)) await decideAccount(stage.desk, { accountId, causedBy: "test" }, snapshot);

  const book = await readStageBook(readingOnly(stage.world), { from: T0, to: T0 + 120_000 });
  expect(book.accounts.map(({ accountId }) => accountId)).toEqual(ids);
  expect(book.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([snapshot.snapshotId]);
  expect(book.policies.map(({ policyId, version }) => `${policyId} ${version}`)).toEqual(["standard 1"]);
  expect(writeOurs(readOurs("ours.json", writeOurs(book)))).toBe(writeOurs(book));

  const at = "2020-03-12T10:01:02Z";
  const rows = [
    { account: "staged-00", kind: "call", at, amountDue: "477" },
    { account: "staged-01", kind: "call", at, amountDue: "486", marks: { "BTC-PERP": "94.6" } },
    { account: "staged-02", kind: "statement", at, balances: { USDT: "1100" } },
  ];
  const scope = { from: T0, to: T0 + 120_000, toleranceMs: 60_000 };
  const { differences, equal } = compare(book, readTheirs("theirs.json", JSON.stringify({ rows })), scope);
  expect(differences.map(({ accountId, aspect, cause }) => `${accountId} ${aspect}: ${cause}`)).toEqual([
    "staged-01 figures: mark",
    "staged-02 only ours: book",
  ]);
  expect(equal).toBe(1);
});
