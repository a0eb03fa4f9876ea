import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import { decideAccount, openDesk } from "../../adapters/decide-account.ts";
import { readCallTimeline } from "../../adapters/dynamodb/call-timeline.ts";
import { decodeEnvelope, envelopeToMessages, verifyChain } from "../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import { queryAll } from "../../adapters/dynamodb/pages.ts";
import type { World } from "../../adapters/world.ts";
import type { Fact } from "../../core/ledger.ts";
import { money } from "../../core/money.ts";
import { declareRestored, unreconciled } from "../../operator/restored-book.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, opening, putTerms, type Stage, stageOn, T0 } from "../functions/stage.ts";

const BACKUP = "2020-03-12T10:00:10.000Z";
/** The restore is declared ten minutes on: hundredths of a second since 1970, and one more. */
const RESTORED_AT = T0 + 600_000;
const FIRST = 158_400_780_001;

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const rowsOf = async ({ world }: Stage, accountId: string): Promise<Item[]> => {
  const { bookTable } = world.settings;
  const pks = [...Array.from({ length: 4 }, (_, shard) => `SHARD#00${shard}`), `ACC#${accountId}`];
  const rows = await Promise.all(
    pks.map((pk) =>
      queryAll(world.db, {
        TableName: bookTable,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: pk } },
      }),
    ),
  );
  return rows.flat().filter((row) => row["pk"]?.S === `ACC#${accountId}` || row["sk"]?.S === `ACC#${accountId}`);
};

/**
 * A stage of four shards with accounts, the first of them with an open call, as the backup has it; `putBack` makes the
 * stage of the restore: tables with the backup's rows, and the journal's where no other ones are given.
 */
const stageWithCall = async (...accountIds: readonly [string, ...string[]]) => {
  const settings = { shards: 4 };
  const stage = stageOn(await tables.fresh(), { settings });
  await putTerms(stage);
  await stage.price("100");
  for (const accountId of accountIds) await openAccount(stage, accountId);
  await markAt(stage, accountIds[0], "94.5", 10);
  const book = (await Promise.all(accountIds.map((accountId) => rowsOf(stage, accountId)))).flat();
  const journal = (await Promise.all(accountIds.map((accountId) => stage.journalOf(accountId)))).flat();
  const putBack = async (envelopes: readonly Item[] = journal): Promise<Stage> => {
    const restored = stageOn(await tables.fresh(), { at: RESTORED_AT, settings });
    await putTerms(restored);
    await restored.price("94.5");
    const { bookTable, journalTable } = restored.world.settings;
    for (const Item of book) await restored.world.db.put({ TableName: bookTable, Item });
    for (const Item of envelopes) await restored.world.db.put({ TableName: journalTable, Item });
    return restored;
  };
  return { stage, book, putBack };
};

const snapshot = (
  accountId: string,
  sequence: number,
  occurredAt: number,
  over: Partial<Extract<Fact, { kind: "snapshot" }>> = {},
): Fact => ({
  ...(opening(accountId) as Extract<Fact, { kind: "snapshot" }>),
  externalId: `${accountId}-s${sequence}`,
  sequence,
  occurredAt,
  ...over,
});

const tell = async (stage: Stage, accountId: string, ...entries: Fact[]): Promise<void> =>
  applyFeed(stage.desk, [{ schemaVersion: 1, accountId, entries }], await stage.desk.marks.newest());

describe("a book that was put back from a backup (S54)", () => {
  it("is blocked account by account, once, under the same instant however often it is declared", async () => {
    const { putBack } = await stageWithCall("R-1", "R-2");
    const stage = await putBack();
    expect(await declareRestored(stage.world, BACKUP)).toEqual({ blocked: 2 });
    stage.clock.set(RESTORED_AT + 60_000);
    expect(await declareRestored(stage.world, BACKUP)).toEqual({ already: 2 });
    expect(await stage.load("R-1")).toMatchObject({ version: FIRST, outOfSync: true, restoredAt: RESTORED_AT });
    expect(await unreconciled(stage.world, 1)).toMatchObject({ waiting: 2, reconciled: 0, shown: [expect.stringMatching(/^R-[12]$/)] });
  });

  it("stopped half-way, the declaration goes on with the instant of the first time", async () => {
    const { putBack } = await stageWithCall("R-1", "R-2", "R-3", "R-4", "R-5", "R-6");
    const stage = await putBack();
    const stop = declareRestored(stage.world, BACKUP, ({ shard }) => {
      if (shard === 2) throw new Error("stopped");
    });
    await expect(stop).rejects.toThrow("stopped");
    stage.clock.set(RESTORED_AT + 60_000);
    expect(await declareRestored(stage.world, BACKUP)).toEqual({ blocked: 6 });
    const restored = await stage.desk.book.loadAll(["R-1", "R-2", "R-3", "R-4", "R-5", "R-6"]);
    expect(restored.map(({ restoredAt }) => restoredAt)).toEqual(restored.map(() => RESTORED_AT));
  });

  it("says nothing under an id of before: calls, orders and events", async () => {
    const { stage: before, putBack } = await stageWithCall("R-1");
    const lost = await markAt(before, "R-1", "89", 60);
    const told = new Set((await before.eventsOf("R-1")).map(({ id }) => id));
    expect(lost.live?.orders.map(({ orderId }) => orderId)).toEqual([expect.stringMatching(/-1-1-BTC-PERP$/)]);
    const stage = await putBack();
    await stage.price("89");
    await declareRestored(stage.world, BACKUP);
    await tell(stage, "R-1", snapshot("R-1", 7, RESTORED_AT + 1_000));
    const now = await stage.load("R-1");
    expect(now).toMatchObject({ outOfSync: false, restoredAt: null });
    expect(now.live?.call).toMatchObject({ callId: lost.live?.call.callId, status: "LIQUIDATING", attempt: 1 });
    expect(now.live?.orders.map(({ orderId }) => orderId)).not.toEqual(lost.live?.orders.map(({ orderId }) => orderId));
    const after = (await stage.journalOf("R-1")).filter((row) => decodeEnvelope(row).seq >= FIRST).flatMap(envelopeToMessages);
    expect(after.map(({ type }) => type)).toEqual(["margin_call.deadline_changed", "account.level_changed", "liquidation.started"]);
    expect(after.filter(({ id }) => told.has(id))).toEqual([]);
  });

  it("liquidates nothing before a snapshot from after the restore, and calls all the same", async () => {
    const { putBack } = await stageWithCall("R-1", "R-2");
    const stage = await putBack();
    await declareRestored(stage.world, BACKUP);
    await stage.price("80");
    for (const accountId of ["R-1", "R-2"])
      await decideAccount(stage.desk, { accountId, causedBy: "test" }, await stage.desk.marks.newest());
    expect((await stage.load("R-2")).live?.call.status).toBe("OPEN");
    await tell(stage, "R-1", snapshot("R-1", 7, RESTORED_AT - 1));
    expect(await stage.load("R-1")).toMatchObject({ outOfSync: true, live: { call: { status: "OPEN" }, orders: [] } });
    await tell(stage, "R-1", snapshot("R-1", 8, RESTORED_AT + 1));
    expect((await stage.load("R-1")).live?.call.status).toBe("LIQUIDATING");
    expect((await stage.load("R-2")).live).toMatchObject({ call: { status: "OPEN" }, orders: [] });
  });

  it("goes on behind the newest envelope where the journal was put back to a later second, and its chain verifies (I20)", async () => {
    const { stage: before, putBack } = await stageWithCall("R-1");
    const call = (await before.load("R-1")).live?.call;
    if (call === undefined) throw new Error("no call");
    await markAt(before, "R-1", "93", 30);
    await tell(before, "R-1", { kind: "deposit", externalId: "d", sequence: 2, occurredAt: T0, asset: "USDT", amount: money("1") });
    const newest = (await before.journalOf("R-1")).length;
    const stage = await putBack(await before.journalOf("R-1"));
    await declareRestored(stage.world, BACKUP);
    const rows = await stage.journalOf("R-1");
    expect(rows.map((row) => decodeEnvelope(row).follows)).toEqual([...Array.from({ length: newest }, () => undefined), newest]);
    const { headHash, version } = await stage.load("R-1");
    expect(verifyChain(rows, headHash)).toEqual({ valid: true, head: headHash });
    expect(verifyChain(rows.toSpliced(newest - 1, 1), headHash)).toMatchObject({ valid: false });
    const timeline = await readCallTimeline(stage.world, call, version);
    expect([timeline[0]?.events.at(-1)?.type, timeline.at(-1)?.events[0]?.type]).toEqual([
      "margin_call.issued",
      "margin_call.deadline_changed",
    ]);
  });

  it("opens an account that it does not know under new ids, out of sync until it is told of", async () => {
    const { putBack } = await stageWithCall("R-1");
    const stage = await putBack();
    await declareRestored(stage.world, BACKUP);
    const terms = { brokerId: "B1", clientClass: "retail", policyId: "standard" };
    const open = async (fact: Fact): Promise<void> =>
      applyFeed(stage.desk, [{ schemaVersion: 1, accountId: "R-9", account: terms, entries: [fact] }], await stage.desk.marks.newest());
    await open(snapshot("R-9", 3, RESTORED_AT - 1));
    expect(await stage.load("R-9")).toMatchObject({ version: FIRST, outOfSync: true, restoredAt: RESTORED_AT });
    await open(snapshot("R-9", 4, RESTORED_AT + 1));
    const account = await stage.load("R-9");
    expect(account).toMatchObject({ version: FIRST + 1, outOfSync: false, restoredAt: null });
    expect(account.key).not.toBe((await stage.desk.book.load("R-1"))?.key);
    const rows = await stage.journalOf("R-9");
    expect(decodeEnvelope(rows[0] as Item)).toMatchObject({ seq: FIRST, follows: 0, prevHash: "" });
    expect(verifyChain(rows, account.headHash)).toMatchObject({ valid: true });
  });

  it("names an account that cannot be blocked, blocks the rest, and is not done", async () => {
    const { book, putBack } = await stageWithCall("R-1", "R-2");
    const stage = await putBack();
    const row = book.find(({ sk }) => sk?.S === "ACC#R-1");
    await stage.world.db.put({ TableName: stage.world.settings.bookTable, Item: { ...row, schema: { N: "9" } } });
    expect(await declareRestored(stage.world, BACKUP)).toEqual({ blocked: 1, failed: 1 });
    await stage.world.db.put({ TableName: stage.world.settings.bookTable, Item: row as Item });
    expect(await declareRestored(stage.world, BACKUP)).toEqual({ blocked: 1, already: 1 });
  });

  it("gives up an account that functions write all the time", async () => {
    const { putBack } = await stageWithCall("R-1");
    const stage = await putBack();
    let deposits = 1;
    const beside = openDesk(stage.world);
    const busy: World = {
      ...stage.world,
      db: {
        ...stage.world.db,
        transactWrite: async (input) => {
          deposits += 1;
          const fact = {
            kind: "deposit",
            externalId: `d-${deposits}`,
            sequence: deposits,
            occurredAt: T0,
            asset: "USDT",
            amount: money("1"),
          } as const;
          await decideAccount(beside, { accountId: "R-1", causedBy: "beside", facts: [fact] }, await beside.marks.newest());
          return stage.world.db.transactWrite(input);
        },
      },
    };
    expect(await declareRestored(busy, BACKUP)).toEqual({ contended: 1 });
    expect(await stage.load("R-1")).toMatchObject({ outOfSync: false, restoredAt: null });
  });
});
