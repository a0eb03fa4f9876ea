import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { startSweep } from "../../functions/start-sweep.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, NONE_FAILED, one, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
let sweep: ReturnType<typeof startSweep>;
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
  sweep = startSweep(stage.world);
});
afterEach(() => tables.stop());

const asking = (reason: string) => ({ schemaVersion: 1, reason });
const groups = () => stage.queued("shards") as { snapshotId: string; group: number; shards: number[]; cursor: null; hops: number }[];

describe("a sweep", () => {
  test("prices every shard once, off one stored snapshot", async () => {
    await expect(sweep(one(asking("schedule")))).resolves.toEqual(NONE_FAILED);
    expect(groups().map(({ group }) => group)).toEqual([0, 1, 2, 3]);
    expect(groups().flatMap(({ shards }) => shards)).toEqual(Array.from({ length: 16 }, (_, shard) => shard));
    expect(new Set(groups().map(({ snapshotId }) => snapshotId)).size).toBe(1);
    const snapshot = await stage.desk.marks.snapshot(groups()[0]?.snapshotId ?? "");
    expect(snapshot?.marks.get("BTC-PERP")?.price).toBe(10_000_000_000n);
  });

  test("the last group is what is left of the shards", async () => {
    sweep = startSweep({ ...stage.world, settings: { ...stage.world.settings, shards: 10, shardsPerGroup: 4 } });
    await sweep(one(asking("schedule")));
    expect(groups().map(({ shards }) => shards)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  test("at most one is in flight: a schedule asks for no more, a mark for one more after it", async () => {
    await sweep(one(asking("schedule")));
    stage.clock.set(T0 + 20_000);
    await sweep(one(asking("schedule")));
    expect((await stage.desk.marks.sweepState()).wanted).toBe(false);
    await stage.desk.marks.wantSweep();
    await sweep(one(asking("mark")));
    expect((await stage.desk.marks.sweepState()).wanted).toBe(true);
    expect(groups()).toHaveLength(4);
  });

  test("one that timed out stands in nobody's way", async () => {
    await sweep(one(asking("schedule")));
    stage.clock.set(T0 + 60_000);
    await sweep(one(asking("schedule")));
    expect(groups()).toHaveLength(8);
  });
});

describe("R18 a mark that moved", () => {
  const finish = async (): Promise<void> => {
    const { snapshotId } = await stage.desk.marks.sweepState();
    for (const group of [0, 1, 2, 3]) await stage.desk.marks.groupDone(snapshotId ?? "", group);
  };

  test("R18 sweeps when it is wanted; a message whose mark was swept since asks for nothing", async () => {
    await stage.desk.marks.wantSweep();
    await expect(sweep(batch(record(asking("mark")), record(asking("mark")), record(asking("done"))))).resolves.toEqual(NONE_FAILED);
    expect(groups()).toHaveLength(4);
    expect((await stage.desk.marks.sweepState()).wanted).toBe(false);
  });

  test("R18 not more often than the interval: asked again after what is left of it", async () => {
    await sweep(one(asking("schedule")));
    await finish();
    await stage.desk.marks.wantSweep();
    stage.clock.set(T0 + 1_500);
    await sweep(one(asking("mark")));
    expect(groups()).toHaveLength(4);
    expect(stage.sent.filter(({ queue }) => queue === "sweep")).toEqual([
      { queue: "sweep", body: JSON.stringify(asking("mark")), delayS: 4 },
    ]);
    stage.clock.set(T0 + 5_500);
    await sweep(one(asking("mark")));
    expect(groups()).toHaveLength(8);
  });
});

describe("S35 S36 S43 messages", () => {
  test("S35 a message whose groups were not sent sends them when it comes again, of the same snapshot", async () => {
    const message = record(asking("schedule"), { id: "sweep-1" });
    stage.replies.send = () => Promise.reject(new Error("no queue"));
    await expect(sweep(batch(message))).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: "sweep-1" }] });
    const { snapshotId } = await stage.desk.marks.sweepState();
    stage.replies.send = () => Promise.resolve();
    stage.clock.set(T0 + 30_000);
    await expect(sweep(batch(message))).resolves.toEqual(NONE_FAILED);
    expect(new Set(groups().map((group) => group.snapshotId))).toEqual(new Set([snapshotId]));
    expect(groups()).toHaveLength(4);
  });

  test.each(POISON)("S43 %s goes back alone", async (_, body) => {
    const bad = record(body);
    await expect(sweep(batch(bad, record(asking("schedule"))))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: bad.messageId }],
    });
    expect(groups()).toHaveLength(4);
  });
});
