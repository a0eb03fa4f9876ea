import { afterAll, beforeAll, expect, test } from "vitest";
import { createDb } from "../../adapters/aws/db.ts";
import { decideAccount } from "../../adapters/decide-account.ts";
import { localStage } from "../../local/stage.ts";
import { openAccount, putTerms, stageOn } from "../functions/stage.ts";
import { type Laptop, OPENS_WITHIN_MS, openLaptop } from "./laptop.ts";

/**
 * S30: no poller, no timer, no Lambda. The local cloud's clock stands from the first instant on, so that no queue is
 * read, no schedule fires and no function runs; its tables and queues answer. What is left is a laptop.
 */
const MINUTE = 60_000;

let laptop: Laptop;
const before = { ...process.env };
beforeAll(async () => {
  laptop = await openLaptop(Date.now());
  Object.assign(process.env, laptop.env, { AWS_REGION: "eu-west-1" });
}, OPENS_WITHIN_MS);
afterAll(async () => {
  process.env = before;
  await laptop.stop();
});

test("S30 L12 an overdue call is decided and its order sent by the laptop's command alone", async () => {
  const { cloud } = laptop;
  const names = {
    bookTable: cloud.tableName("book"),
    marksTable: cloud.tableName("marks"),
    journalTable: cloud.tableName("journal"),
    outboundTable: cloud.tableName("outbound"),
  };
  const now = Date.now();
  const stage = stageOn({ db: createDb(), names } as Parameters<typeof stageOn>[0], {
    at: now - 40 * MINUTE,
    settings: { shards: localStage().shards },
  });
  const decided = async (accountId: string): Promise<void> =>
    void (await decideAccount(stage.desk, { accountId, causedBy: "test" }, await stage.desk.marks.newest()));
  const statusOf = async (accountId: string) => (await stage.desk.book.calls(accountId)).map(({ status }) => status);

  // 40 minutes ago the price fell and a call was opened, with 31 minutes until its deadline. Then everything stopped.
  await putTerms(stage);
  await stage.price("100");
  for (const accountId of ["late", "paid"]) await openAccount(stage, accountId);
  stage.clock.set(now - 39 * MINUTE);
  await stage.price("94.5");
  for (const accountId of ["late", "paid"]) await decided(accountId);
  expect([await statusOf("late"), await statusOf("paid")]).toEqual([["OPEN"], ["OPEN"]]);
  // Nobody takes a stage away under its holders: the calls are counted in the index.
  const refused = await laptop.run("teardown", "--confirm", "local");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("2 calls are open: cancel them through the API or let them end");
  // One holder pays in time; a price of now is there.
  stage.clock.set(now - 20 * MINUTE);
  await openAccount(stage, "paid", { externalId: "paid-2", sequence: 2, balances: new Map([["USDT", 200_000_000_000n as never]]) });
  stage.clock.set(Date.now());
  await stage.price("94.4");

  const swept = await laptop.run("sweep");
  expect(swept).toMatchObject({ code: 0, stderr: "" });
  expect(await statusOf("late")).toEqual(["LIQUIDATING"]);
  expect((await stage.desk.book.orders("late")).map(({ status }) => status)).toEqual(["SENT"]);
  const [order, ...others] = await cloud.receive("venue.fifo");
  expect(others).toEqual([]);
  expect(JSON.parse(order?.body ?? "{}")).toMatchObject({ accountId: "late", side: "sell" });
  expect(order?.groupId).toBe("late");
  expect((await statusOf("paid")).every((status) => status === "MET")).toBe(true);
  expect(Object.values(cloud.invocations).every(({ invocations }) => invocations === 0)).toBe(true);

  // One call is live still; its number is consent, and without --carry-out nothing happens.
  const dry = await laptop.run("teardown", "--confirm", "local", "--open-calls", "1");
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout.match(/would run: npx cdk destroy \w+/g)).toEqual([
    "would run: npx cdk destroy Watch",
    "would run: npx cdk destroy Pipeline",
    "would run: npx cdk destroy Data",
  ]);

  // A second run beside it does no harm.
  expect(await laptop.run("sweep")).toMatchObject({ code: 0, stderr: "" });
  expect(await cloud.receive("venue.fifo")).toEqual([]);
});
