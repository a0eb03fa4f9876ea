import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createDb } from "../../adapters/aws/db.ts";
import { decideAccount } from "../../adapters/decide-account.ts";
import { localStage } from "../../local/stage.ts";
import { policy } from "../adapters/samples.ts";
import { openAccount, putTerms, type Stage, stageOn } from "../functions/stage.ts";
import { type Laptop, OPENS_WITHIN_MS, openLaptop } from "./laptop.ts";

const MINUTE = 60_000;

let laptop: Laptop;
let stage: Stage;
let callId: string;
const before = { ...process.env };
beforeAll(async () => {
  laptop = await openLaptop(Date.now());
  Object.assign(process.env, laptop.env, { AWS_REGION: "eu-west-1" });
  const { cloud } = laptop;
  const names = {
    bookTable: cloud.tableName("book"),
    marksTable: cloud.tableName("marks"),
    journalTable: cloud.tableName("journal"),
    outboundTable: cloud.tableName("outbound"),
  };
  const now = Date.now();
  const settings = { shards: localStage().shards };
  stage = stageOn({ db: createDb(), names } as Parameters<typeof stageOn>[0], { at: now - 40 * MINUTE, settings });
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, "A-1");
  stage.clock.set(now - 39 * MINUTE);
  await stage.price("94.5");
  await decideAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, await stage.desk.marks.newest());
  callId = (await stage.load("A-1")).live?.call.callId ?? "";
}, OPENS_WITHIN_MS);
afterAll(async () => {
  process.env = before;
  await laptop.stop();
});

test("I27 I20 I21 a laptop verifies a call of a stage, its account, and finds what was changed", async () => {
  const whole = await laptop.run("verify", "--call", callId);
  expect(whole).toMatchObject({ code: 0, stderr: "" });
  const [chain, opened, sum] = whole.stdout.split("\n");
  expect(chain).toBe("the chain of hashes is whole");
  expect(opened).toMatch(
    /^#2 \S+ as stored: HEALTHY to CALL; MC-\S+-1 v1 OPEN; equity 450, initial 945, maintenance 51\.975; bound by BTC-PERP: bracket 1; on NEWEST#/,
  );
  expect(sum).toBe("A-1: 1 decisions recomputed, all as stored");

  const all = await laptop.run("verify", "--account", "A-1");
  expect(all).toMatchObject({ code: 0, stderr: "" });
  expect(all.stdout).toContain("1 more changed no call and no level: versions and hashes only");

  stage.clock.set(Date.now());
  await stage.price("94.5");
  const explained = await laptop.run("explain", "--account", "A-1");
  expect(explained).toMatchObject({ code: 0, stderr: "" });
  expect(explained.stdout).toMatch(/initial requirement +945\n/);
  expect(explained.stdout).toMatch(/BTC-PERP: bracket 1 +945 +51\.975 +binds\n/);
  expect(explained.stdout).toMatch(/policy standard v1; snapshot NEWEST#\d+; release 0\.1\.0; BTC-PERP v1\n$/);
  const questionFile = join(dirname(laptop.stageFile), "question.json");
  writeFileSync(questionFile, JSON.stringify({ deposits: [{ asset: "USDT", amount: "495" }] }));
  const asked = await laptop.run("explain", "--account", "A-1", "--what-if", questionFile);
  expect(asked.stdout).toMatch(/amount due +495 +0\n/);
  const json = await laptop.run("explain", "--account", "A-1", "--what-if", questionFile, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ before: { amountDue: "495", level: "CALL" }, after: { amountDue: "0" } });
  writeFileSync(questionFile, '{"deposits":[{"asset":"USDT","amount":495}]}');
  const refused = await laptop.run("explain", "--account", "A-1", "--what-if", questionFile);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("deposits.0.amount: ");

  // Another version of the policy would have given another deadline.
  await stage.desk.book.putPolicy({ ...policy, version: 2, graceMs: 900_000 });
  const under = await laptop.run("verify", "--call", callId, "--account", "A-1", "--under", "standard#v2");
  expect(under.code).toBe(1);
  expect(under.stdout).toMatch(/DIFFERS at calls\[0\]\.deadlineAt: stored "\S+", recomputed "\S+"; not the recorded inputs: policy/);

  // Somebody changes what the journal says.
  const [, row] = await stage.journalOf("A-1");
  const body = (row?.["body"]?.S ?? "").replace('"status":"OPEN"', '"status":"MET"');
  await stage.world.db.put({ TableName: stage.world.settings.journalTable, Item: { ...row, body: { S: body } } });
  const tampered = await laptop.run("verify", "--call", callId);
  expect(tampered.code).toBe(1);
  expect(tampered.stdout).toContain("THE CHAIN IS BROKEN at #2: its body is not what was hashed");
  expect(tampered.stdout).toContain('DIFFERS at calls[0].status: stored "MET", recomputed "OPEN"');
  expect(tampered.stdout).toContain("A-1: 1 decisions recomputed, 2 faults");
});

test.each([
  [["--call", "MC-AAAAAAAAAAAA-1"], "no account of this book has the call MC-AAAAAAAAAAAA-1"],
  [["--call", "MC-1"], "--call MC-1 is no call id"],
  [["--account", "nobody"], "the book has no account nobody"],
  [["--account", "A-1", "--call", "MC-AAAAAAAAAAAA-7"], "the journal of A-1 has no call MC-AAAAAAAAAAAA-7"],
  [["--account", "A-1", "--under", "standard"], "--under standard is no version of a policy: as in standard#v2"],
  [["--account", "A-1", "--under", "standard#v9"], "--under: unknown policy standard version 9"],
  [[], "give --call ID, --account ID or both"],
])("%j cannot be used, and says so", async (args, words) => {
  const { code, stderr } = await laptop.run("verify", ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(words);
});
