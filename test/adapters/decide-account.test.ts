import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Contended, changeAccount, decideAccount, newestMarks, openDesk } from "../../adapters/decide-account.ts";
import { acknowledge } from "../../core/commands.ts";
import { money } from "../../core/money.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, putTerms, type Stage, stageOn, T0 } from "../functions/stage.ts";
import { policy } from "./samples.ts";

let tables: TestTables;
let stage: Stage;
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, "A-1");
});
afterEach(() => tables.stop());

/** The same world, in which somebody else writes the account before each commit, so many times. */
const contended = (times: number) => {
  let left = times;
  const { db } = stage.world;
  return {
    ...stage.world,
    db: {
      ...db,
      transactWrite: async (input: Parameters<typeof db.transactWrite>[0]) => {
        if (left > 0) {
          left -= 1;
          const fact = {
            kind: "deposit",
            externalId: `race-${left}`,
            sequence: 2 + times - left - 1,
            occurredAt: T0,
            asset: "USDT",
            amount: money("1"),
          } as const;
          await decideAccount(stage.desk, { accountId: "A-1", causedBy: "race", facts: [fact] }, await stage.desk.marks.newest());
        }
        return db.transactWrite(input);
      },
    },
  };
};

describe("I03 a change is written on the version that it was decided on", () => {
  const facts = [{ kind: "deposit", externalId: "mine", sequence: 99, occurredAt: T0, asset: "USDT", amount: money("50") }] as const;

  test("I03 S50 a conflict decides again on the account as it is now", async () => {
    const desk = openDesk(contended(3));
    const changed = await decideAccount(desk, { accountId: "A-1", causedBy: "test", facts }, await desk.marks.newest());
    expect(changed?.account.balances.get("USDT")).toBe(money("1053"));
    expect((await stage.load("A-1")).version).toBe(5);
    expect(stage.counted("commit_conflict")).toBe(3);
  });

  test("I03 an account that others never stop writing is given back, and nothing of ours is written", async () => {
    const desk = openDesk(contended(5));
    await expect(decideAccount(desk, { accountId: "A-1", causedBy: "test", facts }, await desk.marks.newest())).rejects.toThrow(Contended);
    expect(await stage.desk.book.appliedEntries("A-1", ["mine"])).toEqual(new Set());
  });

  test("an account that the book does not have is null, and one with nothing to write is not written", async () => {
    const snapshot = await stage.desk.marks.newest();
    expect(await decideAccount(stage.desk, { accountId: "nobody", causedBy: "test" }, snapshot)).toBeNull();
    expect(await decideAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, snapshot)).toMatchObject({ change: null });
    expect(await changeAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, () => null)).toMatchObject({ change: null });
    expect((await stage.load("A-1")).version).toBe(1);
  });

  test("R12 the clock is read just before each try's write", async () => {
    await markAt(stage, "A-1", "94.5", 10);
    const moments: number[] = [];
    await changeAccount(stage.desk, { accountId: "A-1", causedBy: "test" }, ({ account, now }) => {
      moments.push(now);
      const change = acknowledge(account, "operator", now);
      return change === null ? null : { change, snapshotId: null };
    });
    expect(moments).toEqual([T0 + 10_000]);
  });
});

describe("R11 S56 the policy of a decision", () => {
  const seen = async (): Promise<{ policyId: string; version: number; mode: string }> => {
    let read = { policyId: "", version: 0, mode: "" };
    await changeAccount(openDesk(stage.world), { accountId: "A-1", causedBy: "test" }, ({ policy: { policyId, version, mode } }) => {
      read = { policyId, version, mode };
      return null;
    });
    return read;
  };

  test("R11 S56 a live call keeps the version it was opened under; an account without one takes the newest", async () => {
    expect(await seen()).toEqual({ policyId: "standard", version: 1, mode: "enforce" });
    await markAt(stage, "A-1", "94.5", 10);
    await stage.desk.book.putPolicy({ ...policy, version: 2 });
    expect((await seen()).version).toBe(1);
    await markAt(stage, "A-1", "100.5", 20);
    await markAt(stage, "A-1", "100.5", 81);
    expect((await seen()).version).toBe(2);
  });

  test("an account on default terms takes the stage's policy", async () => {
    const account = { ...(await stage.load("A-1")), policyId: "default" };
    let named = "";
    await changeAccount(stage.desk, { accountId: "A-1", causedBy: "test", loaded: account }, ({ policy: { policyId } }) => {
      named = policyId;
      return null;
    });
    expect(named).toBe("standard");
  });

  test("a policy that does not exist is refused by its name", async () => {
    const loaded = { ...(await stage.load("A-1")), policyId: "nowhere" };
    await expect(changeAccount(stage.desk, { accountId: "A-1", causedBy: "test", loaded }, () => null)).rejects.toThrow("nowhere");
  });

  test.each([
    [{ default: "enforce", brokers: { B1: "observe" }, clientClasses: {} }, "observe"],
    [{ default: "observe", brokers: { B1: "enforce" }, clientClasses: { retail: "notify" } }, "notify"],
  ] as const)("R28 the mode is the lowest that names the account: %j", async (modes, mode) => {
    stage = { ...stage, world: { ...stage.world, settings: { ...stage.world.settings, modes } } };
    expect((await seen()).mode).toBe(mode);
  });
});

test("the newest marks serve one invocation for a second, whichever way the clock goes", async () => {
  const newest = newestMarks(stage.desk);
  const first = await newest();
  stage.clock.set(T0 + 1_000);
  expect(await newest()).toBe(first);
  stage.clock.set(T0 + 1_001);
  const second = await newest();
  expect(second).not.toBe(first);
  stage.clock.set(T0 - 5_000);
  expect(await newest()).not.toBe(second);
});

test("a reading of the newest marks that failed is not kept: the next try reads anew", async () => {
  let failures = 1;
  const { db } = stage.world;
  const query: typeof db.query = (input) => (failures-- > 0 ? Promise.reject(new Error("throttled")) : db.query(input));
  const newest = newestMarks(openDesk({ ...stage.world, db: { ...db, query } }));
  await expect(newest()).rejects.toThrow("throttled");
  expect((await newest()).marks.size).toBe(1);
});
