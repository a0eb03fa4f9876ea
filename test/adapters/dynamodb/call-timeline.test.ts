import { afterAll, beforeAll, expect, test } from "vitest";

import { createBook } from "../../../adapters/dynamodb/book.ts";
import { readCallTimeline } from "../../../adapters/dynamodb/call-timeline.ts";
import type { World } from "../../../adapters/world.ts";
import type { MarginAccount } from "../../../core/account.ts";
import type { Change } from "../../../core/decision.ts";
import { startTables, type TestTables, testClock, testWorld } from "../../engine.ts";
import { account, deposit, deposited, ended, opened, T0 } from "../samples.ts";

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

test("API4: a call costs reads by its own length, not by its account's age, and tells of itself alone", async () => {
  const clock = testClock(T0 - 500 * 60_000);
  const world = testWorld(tables, { clock });
  const book = createBook(world);
  let now: MarginAccount = account("old-account");
  const commit = async (change: Change): Promise<void> => {
    clock.set(clock.now() + 60_000);
    expect(await book.commit(change, { causedBy: "test", snapshotId: null, mode: "enforce" })).toBe("committed");
    const loaded = await book.load("old-account");
    if (loaded === null) throw new Error("gone");
    now = loaded;
  };
  const depositMany = async (from: number, to: number): Promise<void> => {
    for (let number = from; number < to; number += 1) await commit(deposited(now, [deposit(`d-${number}`, number + 1, "1")]));
  };

  await depositMany(0, 440);
  clock.set(T0 - 70_000);
  // Issued ten seconds after the write, as R12 has it.
  const opening = opened(now);
  const call = opening.calls[0];
  if (call === undefined) throw new Error("no call");
  await commit(opening);
  await depositMany(440, 442);
  await commit(ended(now, "MET"));
  await depositMany(442, 450);

  let [gets, queries] = [0, 0];
  const counting: World = {
    ...world,
    db: {
      ...world.db,
      get: (input) => {
        gets += 1;
        return world.db.get(input);
      },
      query: (input) => {
        queries += 1;
        return world.db.query(input);
      },
    },
  };
  const timeline = await readCallTimeline(counting, call, now.version);
  expect(timeline.map(({ seq, events }) => [seq, events[0]?.type])).toEqual([
    [441, "margin_call.issued"],
    [444, "margin_call.met"],
  ]);
  // 452 envelopes: nine steps of bisection, one page.
  expect(gets).toBeLessThanOrEqual(9);
  expect(queries).toBe(1);
});
