import "./environment.ts";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { price } from "../../core/money.ts";
import { acceptMarks } from "../../functions/accept-marks.ts";
import { instrument } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, NONE_FAILED, one, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let opened = 0;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

/** A stage with an instrument of its own, so that tests do not share marks. */
const setup = async (at = T0) => {
  opened += 1;
  const instrumentId = `COIN${opened}-PERP`;
  const stage = stageOn(tables, { at });
  await putTerms(stage);
  await stage.desk.marks.putInstrument({ ...instrument, instrumentId });
  const tick = (price: unknown, secondsOn = 0, id = instrumentId) => ({
    instrumentId: id,
    price,
    asOf: new Date(at + secondsOn * 1_000).toISOString(),
    source: "composite",
  });
  const accept = acceptMarks(stage.world);
  const post = (...marks: unknown[]) => accept(one({ schemaVersion: 1, marks }));
  const stored = async (): Promise<string | null> => (await stage.desk.marks.mark(instrumentId))?.price.toString() ?? null;
  return { stage, tick, accept, post, stored, instrumentId };
};
const sweeps = (stage: Stage) => stage.sent.map(({ queue, body, delayS }) => ({ queue, ...(JSON.parse(body) as object), delayS }));

describe("R18 marks that move start a sweep", () => {
  test("R18 the first mark and a step past the threshold at once, a smaller move within 5 s, the same price not at all", async () => {
    const { stage, tick, post } = await setup();
    const asks: unknown[] = [];
    for (const [price, on] of [
      ["100", 0],
      ["100.4", 1],
      ["101", 2],
      ["101", 2],
    ] as const) {
      stage.clock.set(T0 + on * 1_000);
      await post(tick(price, on));
      asks.push(stage.sent.splice(0).map(({ queue, delayS }) => [queue, delayS]));
    }
    expect(asks).toEqual([[["sweep", 0]], [["sweep", 5]], [["sweep", 0]], []]);
    expect((await stage.desk.marks.sweepState()).wanted).toBe(true);
  });

  test("S35 a message that comes again after a crash still asks for its sweep, though its marks are duplicates", async () => {
    const { stage, tick, accept, post } = await setup();
    await post(tick("100"));
    stage.sent.length = 0;
    await expect(accept(batch(record({ schemaVersion: 1, marks: [tick("100")] }, { receives: 2 })))).resolves.toEqual(NONE_FAILED);
    expect(sweeps(stage)).toEqual([{ queue: "sweep", schemaVersion: 1, reason: "mark", delayS: 5 }]);
  });

  test("S35 where the queue refuses, the message goes back", async () => {
    const { stage, tick, accept } = await setup();
    stage.replies.send = () => Promise.reject(new Error("no queue"));
    const message = record({ schemaVersion: 1, marks: [tick("100")] });
    await expect(accept(batch(message))).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: message.messageId }] });
  });
});

describe("S21 prices that are none", () => {
  test.each([
    ["null", null],
    ["zero", "0"],
    ["zero with decimals", "0.00"],
    ["NaN", "NaN"],
    ["empty", ""],
    ["a number", 101],
    ["missing", undefined],
    ["an exponent", "1e-18"],
    ["too many decimals", "0.000000000000000001"],
    ["negative", "-100"],
    ["a hundred times too large", "10000"],
    ["a hundredth", "1"],
  ])("S21 %s is rejected and counted, its neighbours are taken", async (_, price) => {
    const { stage, tick, post, stored, instrumentId } = await setup();
    await post(tick("100"));
    stage.clock.set(T0 + 2_000);
    await expect(post(tick(price, 1), tick("100.1", 2), tick("5", 2, "NOBODY-PERP"))).resolves.toEqual(NONE_FAILED);
    expect(await stored()).toBe("10010000000");
    const rejected = [...stage.log.counts].filter(([metric]) => /^mark_(rejected|malformed)/.test(metric));
    expect(rejected.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    expect(rejected.map(([metric]) => metric)).toContain("mark_rejected_unknown_instrument");
    expect((await stage.desk.marks.mark(instrumentId))?.candidate).toBeNull();
  });

  test("S21 each reason has its own count", async () => {
    const { stage, tick, post } = await setup();
    await post(tick("100"));
    await post(tick("0", 1), tick("10000", 1), tick("99", -1), tick("101"), tick("101", 60));
    expect(Object.fromEntries([...stage.log.counts].filter(([metric]) => metric.startsWith("mark_rejected")))).toEqual({
      mark_rejected_zero_price: 1,
      mark_rejected_off_by_a_factor_of_50_or_more: 1,
      mark_rejected_older_than_the_last_accepted_price: 1,
      mark_rejected_another_value_for_the_same_instant: 1,
      mark_rejected_from_the_future: 1,
    });
  });
});

describe("marks of one message", () => {
  test("a mark whose row does not read sends its message back, and its neighbours are accepted all the same", async () => {
    const { stage, tick, post, stored, instrumentId } = await setup();
    const torn = `TORN-${instrumentId}`;
    await stage.desk.marks.putInstrument({ ...instrument, instrumentId: torn });
    await post(tick("100"), tick("50", 0, torn));
    await stage.world.db.put({
      TableName: stage.world.settings.marksTable,
      Item: { pk: { S: "MARK" }, sk: { S: torn }, schema: { N: "9" }, asOf: { N: `${T0}` } },
    });
    stage.clock.set(T0 + 1_000);
    expect((await post(tick("50.1", 1, torn), tick("100.1", 1))).batchItemFailures).toHaveLength(1);
    expect(await stored()).toBe("10010000000");
    expect(JSON.stringify(stage.log.lines.at(-1))).toContain("UnreadableRow");
  });

  test("another function that accepts a tick in between is seen: the older tick is refused, not stored over it", async () => {
    const { stage, tick, post, stored, instrumentId } = await setup();
    await post(tick("100"));
    stage.clock.set(T0 + 3_000);
    const { db } = stage.world;
    const racing = acceptMarks({
      ...stage.world,
      db: {
        ...db,
        batchGet: async (input) => {
          const got = await db.batchGet(input);
          await post(tick("100.3", 3));
          return got;
        },
      },
    });
    await expect(racing(one({ schemaVersion: 1, marks: [tick("100.2", 2)] }))).resolves.toEqual(NONE_FAILED);
    expect(await stored()).toBe("10030000000");
    expect(stage.counted("mark_rejected_older_than_the_last_accepted_price")).toBe(1);
    expect((await stage.desk.marks.mark(instrumentId))?.asOf).toBe(T0 + 3_000);
  });
});

describe("S17 jumps", () => {
  test("S17 a wick moves no mark and asks for no sweep; the next good tick is taken without lag", async () => {
    const { stage, tick, post, stored } = await setup();
    await post(tick("100"));
    stage.sent.length = 0;
    stage.clock.set(T0 + 1_000);
    await post(tick("12.5", 1));
    expect(await stored()).toBe("10000000000");
    expect(stage.sent).toEqual([]);
    expect(stage.counted("mark_candidate")).toBe(1);
    stage.clock.set(T0 + 2_000);
    await post(tick("100.2", 2));
    expect(await stored()).toBe("10020000000");
  });

  test("S17 a crash passes with its second tick", async () => {
    const { stage, tick, post, stored } = await setup();
    await post(tick("100"));
    stage.clock.set(T0 + 2_000);
    await post(tick("75", 1), tick("74.5", 2));
    expect(await stored()).toBe("7450000000");
  });
});

describe("S37 S42 S43 messages", () => {
  test.each(POISON)("S43 %s goes back alone", async (_, body) => {
    const { tick, accept, stored } = await setup();
    const bad = record(body);
    const good = record({ schemaVersion: 1, marks: [tick("100")] });
    await expect(accept(batch(bad, good))).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: bad.messageId }] });
    expect(await stored()).toBe("10000000000");
  });

  test("S37 ticks in any order and any message: the newest stays", async () => {
    const { stage, tick, accept, stored } = await setup();
    stage.clock.set(T0 + 9_000);
    const messages = [5, 2, 9, 1, 7].map((on) => record({ schemaVersion: 1, marks: [tick(`100.${on}`, on)] }));
    await expect(accept(batch(...messages))).resolves.toEqual(NONE_FAILED);
    expect(await stored()).toBe("10090000000");
  });
});

test("S05 a tick at the least answer of its source is stored and counted", async () => {
  const { stage, tick, post, stored, instrumentId } = await setup();
  await stage.desk.marks.putInstrument({
    ...instrument,
    instrumentId,
    version: 2,
    markRule: { ...instrument.markRule, minAnswer: price("0.107") },
  });
  stage.clock.set(T0 + 31_000);
  await post(tick("0.11", 31));
  expect(stage.counted("mark_at_bound")).toBe(0);
  await post(tick("0.107", 32));
  expect([await stored(), stage.counted("mark_at_bound")]).toEqual(["10700000", 1]);
});
