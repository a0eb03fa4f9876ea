import { beforeEach, describe, expect, test } from "vitest";

import { decodeMark, markItem, packMarks } from "../../../adapters/dynamodb/mark-codec.ts";
import { createMarks } from "../../../adapters/dynamodb/marks.ts";
import type { World } from "../../../adapters/world.ts";
import type { Mark } from "../../../core/mark.ts";
import { price, quantity } from "../../../core/money.ts";
import type { SlowPrice } from "../../../core/slow-average.ts";
import { startTables, type TestTables, testClock, testWorld } from "../../engine.ts";
import { instrument, mark, T0 } from "../samples.ts";

let tables: TestTables;
beforeEach(async () => {
  tables = await startTables();
  return () => tables.stop();
});

const setup = (given: Parameters<typeof testWorld>[1] = {}) => {
  const clock = testClock(T0);
  const world = testWorld(tables, { clock, ...given });
  return { clock, world, marks: createMarks(world) };
};

/** A world whose writes are done and whose replies are then lost, `times` times. */
const losing = (world: World, write: "put" | "update", times = 1): World => {
  let left = times;
  return {
    ...world,
    db: {
      ...world.db,
      [write]: async (input: never) => {
        const reply = await world.db[write](input);
        if (left-- > 0) throw new Error("the reply was lost");
        return reply;
      },
    },
  };
};

describe("the newest mark of an instrument", () => {
  test("is replaced only by whoever judged against it", async () => {
    const { marks } = setup();
    expect(await marks.acceptMark(mark("BTC-PERP", "7935", T0), null)).toBe("accepted");
    expect(await marks.acceptMark(mark("BTC-PERP", "7900", T0 + 1_000), null)).toBe("superseded");
    expect(await marks.acceptMark(mark("BTC-PERP", "7900", T0 + 1_000), T0)).toBe("accepted");
    expect(await marks.acceptMark(mark("BTC-PERP", "7950", T0 + 500), T0)).toBe("superseded");
    expect(await marks.mark("BTC-PERP")).toEqual(mark("BTC-PERP", "7900", T0 + 1_000));
    expect(await marks.mark("ETH-PERP")).toBeNull();
  });

  test("two ticks at once: one is accepted, the other judged again", async () => {
    const { marks } = setup();
    await marks.acceptMark(mark("BTC-PERP", "7935", T0), null);
    const outcomes = await Promise.all([7_900, 7_901].map((at) => marks.acceptMark(mark("BTC-PERP", `${at}`, T0 + at), T0)));
    expect([...outcomes].sort()).toEqual(["accepted", "superseded"]);
  });

  test("a candidate waits beside the last accepted price, and an older candidate does not replace it", async () => {
    const { marks } = setup();
    await marks.acceptMark(mark("BTC-PERP", "7935", T0), null);
    const waits = mark("BTC-PERP", "7935", T0, { price: price("3782"), asOf: T0 + 2_000 });
    expect(await marks.acceptMark(waits, T0)).toBe("accepted");
    expect(await marks.acceptMark(mark("BTC-PERP", "7935", T0, { price: price("5000"), asOf: T0 + 1_000 }), T0)).toBe("superseded");
    expect(await marks.mark("BTC-PERP")).toEqual(waits);
    expect(await marks.acceptMark(mark("BTC-PERP", "3790", T0 + 3_000), T0)).toBe("accepted");
    expect((await marks.mark("BTC-PERP"))?.candidate).toBeNull();
  });

  test("S20: a negative price is stored exactly", async () => {
    const { marks } = setup();
    await marks.acceptMark(mark("WTI", "-36.98", T0), null);
    expect((await marks.newest()).marks.get("WTI")?.price).toBe(price("-36.98"));
  });

  test("S35: after a lost reply the same mark is still accepted", async () => {
    const { world } = setup();
    const first = createMarks(losing(world, "put"));
    await expect(first.acceptMark(mark("BTC-PERP", "7935", T0), null)).rejects.toThrow("lost");
    expect(await first.acceptMark(mark("BTC-PERP", "7935", T0), null)).toBe("accepted");
  });
});

describe("instruments", () => {
  test("a version is stored once; a lower or a changed one is refused", async () => {
    const { marks } = setup();
    expect(await marks.putInstrument({ ...instrument, version: 2 })).toBe("stored");
    expect(await marks.putInstrument({ ...instrument, version: 2 })).toBe("stored");
    expect(await marks.putInstrument({ ...instrument, version: 2, feePpm: 600 })).toBe("conflict");
    expect(await marks.putInstrument({ ...instrument, version: 1 })).toBe("conflict");
    expect(await marks.putInstrument({ ...instrument, version: 3 })).toBe("stored");
    expect((await marks.instruments()).get("BTC-PERP")?.version).toBe(3);
  });

  test("another worker's new version is seen after 30 s at the latest", async () => {
    const { marks, clock } = setup();
    await marks.putInstrument(instrument);
    expect((await marks.instruments()).get("BTC-PERP")).toEqual(instrument);
    await createMarks(setup().world).putInstrument({ ...instrument, version: 2 });
    expect((await marks.instruments()).get("BTC-PERP")?.version).toBe(1);
    clock.set(T0 + 30_000);
    expect((await marks.instruments()).get("BTC-PERP")?.version).toBe(2);
  });
});

describe("snapshots", () => {
  test("what only some marks have stands on the row and in the packed mark, where the release before looks at nothing of it", async () => {
    const { marks, world } = setup();
    await marks.putInstrument(instrument);
    const slow = 79_351_234_567_890_123_456n as SlowPrice;
    const slowly: Mark = {
      ...mark("BTC-PERP", "7935", T0),
      slow,
      deposits: { total: quantity("1500.5"), asOf: T0 - 1 },
      interest: { total: quantity("0"), asOf: T0 - 2 },
      confidencePpm: 950_000,
      funding: { rate: price("-0.0001"), intervalMs: 28_800_000, nextAt: T0 + 60_000 },
    };
    expect(await marks.acceptMark(slowly, null)).toBe("accepted");
    expect(await marks.mark("BTC-PERP")).toEqual(slowly);
    const taken = await marks.takeSnapshot(T0 + 10);
    expect((await createMarks(world).snapshot(taken.snapshotId))?.marks.get("BTC-PERP")).toEqual(slowly);
    // The reader of the release before, as it was: five values, and whatever else is there is passed over.
    const before = (packed: string) =>
      (JSON.parse(packed) as [string, string, number, string, null][]).map(([instrumentId, at, asOf, source, candidate]) => ({
        instrumentId,
        price: price(at),
        asOf,
        source,
        candidate,
      }));
    expect(before(packMarks([slowly]))).toEqual([mark("BTC-PERP", "7935", T0)]);
    expect(packMarks([mark("BTC-PERP", "7935", T0)])).toBe(`[["BTC-PERP","7935",${T0},"composite",null]]`);
    expect(() => decodeMark({ ...markItem(slowly), extras: { S: '{"slow":"1.5"}' } })).toThrow("slow");
  });

  test("are immutable, with the instruments' versions of their instant", async () => {
    const { marks, world } = setup();
    await marks.putInstrument(instrument);
    await marks.acceptMark(mark("BTC-PERP", "7935", T0, { price: price("3782"), asOf: T0 + 1 }), null);
    const taken = await marks.takeSnapshot(T0 + 10);
    await marks.acceptMark(mark("BTC-PERP", "7000", T0 + 20), T0);
    await marks.putInstrument({ ...instrument, version: 2 });
    const read = await createMarks(world).snapshot(taken.snapshotId);
    expect(read).toEqual(taken);
    expect(read?.instruments.get("BTC-PERP")?.version).toBe(1);
    expect((await marks.takeSnapshot(T0 + 10)).marks.get("BTC-PERP")?.price).toBe(price("7935"));
    expect(await marks.snapshot("S0000000000001")).toBeNull();
  });

  test("of more marks than one row holds are whole", async () => {
    const { marks, world } = setup();
    const ids = Array.from({ length: 1_100 }, (_, index) => `COIN${index}-PERP`);
    for (let from = 0; from < ids.length; from += 100) {
      await Promise.all(ids.slice(from, from + 100).map((id) => marks.acceptMark(mark(id, "1.5", T0), null)));
    }
    const taken = await marks.takeSnapshot(T0);
    const read = await createMarks(world).snapshot(taken.snapshotId);
    expect(read?.marks.size).toBe(1_100);
    expect(read?.marks).toEqual(taken.marks);
  });

  test("the longest marks that there are stay below an item's 400 kB, a thousand to a row", () => {
    const longest = Array.from(
      { length: 1_000 },
      (_, index): Mark => ({
        ...mark(`${"X".repeat(36)}${1_000 + index}`, "12345678901.12345678", T0, { price: price("12345678901.12345678"), asOf: T0 }),
        source: "S".repeat(32),
        slow: 123_456_789_011_234_567_812_345_678n as SlowPrice,
        deposits: { total: quantity("123456789012.12345678"), asOf: T0 },
        interest: { total: quantity("123456789012.12345678"), asOf: T0 },
        confidencePpm: 950_000,
      }),
    );
    expect(packMarks(longest).length).toBeLessThan(380_000);
  });

  test("newest is read anew each time and is not stored", async () => {
    const { marks } = setup();
    await marks.acceptMark(mark("BTC-PERP", "7935", T0), null);
    const newest = await marks.newest();
    expect(newest.snapshotId).toBe(`NEWEST#${T0}`);
    await marks.acceptMark(mark("BTC-PERP", "7000", T0 + 20), T0);
    expect((await marks.newest()).marks.get("BTC-PERP")?.price).toBe(price("7000"));
    expect(await marks.snapshot(newest.snapshotId)).toBeNull();
  });
});

describe("at most one sweep is in flight", () => {
  const started = async (marks: ReturnType<typeof createMarks>, now: number, groups = 3, token?: string): Promise<string> => {
    const start = await marks.startSweep(now, groups, token);
    if (start.outcome !== "started") throw new Error(`not started: ${start.outcome}`);
    return start.snapshot.snapshotId;
  };

  test("the next one waits until every group is done, a redelivered one counts once", async () => {
    const { marks } = setup();
    const id = await started(marks, T0);
    expect(await marks.groupDone(id, 0)).toEqual({ current: false, wanted: false });
    expect(await marks.groupDone(id, 0)).toEqual({ current: false, wanted: false });
    expect(await marks.groupDone(id, 2)).toEqual({ current: false, wanted: false });
    expect(await marks.startSweep(T0 + 20_000, 3)).toEqual({ outcome: "inFlight" });
    expect((await marks.sweepState()).current).toBeNull();
    expect(await marks.groupDone(id, 1)).toEqual({ current: true, wanted: false });
    expect(await marks.groupDone(id, 1)).toEqual({ current: true, wanted: false });
    expect((await marks.sweepState()).current).toEqual({ snapshotId: id, at: T0 });
    const next = await started(marks, T0 + 21_000);
    expect(await marks.sweepState()).toMatchObject({ snapshotId: next, wanted: false, done: new Set(), current: { snapshotId: id } });
    expect(await marks.groupDone(id, 1)).toEqual({ current: false, wanted: false });
  });

  test("a mark that moves while a sweep runs asks for another one (R18)", async () => {
    const { marks } = setup();
    await marks.wantSweep();
    expect(await marks.sweepState()).toMatchObject({ snapshotId: null, wanted: true });
    const id = await started(marks, T0, 1);
    expect((await marks.sweepState()).wanted).toBe(false);
    await marks.wantSweep();
    expect(await marks.groupDone(id, 0)).toEqual({ current: true, wanted: true });
  });

  test("not more often than the interval: the answer says how long to wait", async () => {
    const { marks } = setup();
    await marks.groupDone(await started(marks, T0, 1), 0);
    expect(await marks.startSweep(T0 + 1_200, 1)).toEqual({ outcome: "tooSoon", waitMs: 3_800 });
    await started(marks, T0 + 5_000, 1);
  });

  test("a sweep that timed out gives way, a second one at the same instant does not share its snapshot", async () => {
    const { marks } = setup({ settings: { sweepIntervalMinMs: 0, sweepTimeoutMs: 60_000 } });
    const first = await started(marks, T0);
    expect((await marks.startSweep(T0 + 59_999, 3)).outcome).toBe("inFlight");
    const second = await started(marks, T0 + 60_000, 1);
    expect(second).not.toBe(first);
    await marks.groupDone(second, 0);
    expect(await marks.startSweep(T0 + 60_000, 1)).toEqual({ outcome: "tooSoon", waitMs: 1 });
  });

  test("two workers that start at once: one does", async () => {
    const { marks } = setup();
    const starts = await Promise.all([marks.startSweep(T0, 3), marks.startSweep(T0 + 1, 3)]);
    expect(starts.map((start) => start.outcome).sort()).toEqual(["inFlight", "started"]);
  });

  test("S31: the message that started a sweep resumes it when it comes again, on the same marks", async () => {
    const { marks, world } = setup();
    await marks.acceptMark(mark("BTC-PERP", "7935", T0 - 1), null);
    const id = await started(marks, T0, 3, "message-1");
    await marks.acceptMark(mark("BTC-PERP", "7000", T0 + 1), T0 - 1);
    const again = await createMarks(world).startSweep(T0 + 30_000, 3, "message-1");
    expect(again).toMatchObject({ outcome: "started", snapshot: { snapshotId: id } });
    expect(again.outcome === "started" && again.snapshot.marks.get("BTC-PERP")?.price).toBe(price("7935"));
    expect((await marks.startSweep(T0 + 30_000, 3, "message-2")).outcome).toBe("inFlight");
  });

  test("S31: a crash between the claim and the snapshot is resumed too", async () => {
    const { world } = setup();
    await expect(createMarks(losing(world, "update")).startSweep(T0, 3, "message-1")).rejects.toThrow("lost");
    const again = await createMarks(world).startSweep(T0 + 30_000, 3, "message-1");
    expect(again).toMatchObject({ outcome: "started", snapshot: { takenAt: T0 } });
  });

  test("S39: a start stamped by a clock five minutes ahead does not hold sweeps back", async () => {
    const { marks } = setup();
    await marks.groupDone(await started(marks, T0 + 300_000, 1), 0);
    await started(marks, T0, 1);
  });
});
