import { describe, expect, test } from "vitest";

import { createTurns, eachOf } from "../../adapters/parallel.ts";

const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

describe("eachOf", () => {
  test("runs every item, in order, so many at a time", async () => {
    const started: number[] = [];
    let running = 0;
    let most = 0;
    await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      started.push(item);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    expect(started).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  test("one slow item holds one lane, not the others", async () => {
    const { open, opened } = gate();
    const done: number[] = [];
    const all = eachOf([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) await opened;
      done.push(item);
      if (item === 4) open();
    });
    await all;
    expect(done).toEqual([2, 3, 4, 1]);
  });

  test("S42 failures cost the others nothing; the first in the order of the items is thrown", async () => {
    const done: number[] = [];
    const work = async (item: number): Promise<void> => {
      if (item % 2 === 0) throw new Error(`item ${item}`);
      done.push(item);
    };
    await expect(eachOf([1, 2, 3, 4, 5], 2, work)).rejects.toThrow("item 2");
    expect(done).toEqual([1, 3, 5]);
  });

  test("nothing to do is done at once", async () => {
    await expect(eachOf([], 4, () => Promise.reject(new Error("never")))).resolves.toBeUndefined();
  });
});

describe("createTurns", () => {
  test("work of one key runs in the order of the calls, other keys do not wait", async () => {
    const { open, opened } = gate();
    const done: string[] = [];
    const inTurn = createTurns();
    const slow = inTurn("a", async () => {
      await opened;
      done.push("a1");
    });
    const next = inTurn("a", async () => void done.push("a2"));
    await inTurn("b", async () => void done.push("b1"));
    open();
    await Promise.all([slow, next]);
    expect(done).toEqual(["b1", "a1", "a2"]);
  });

  test("each call gets its own result, and a failure is its own caller's alone", async () => {
    const inTurn = createTurns();
    const outcomes = await Promise.allSettled([
      inTurn("a", () => Promise.resolve(1)),
      inTurn("a", () => Promise.reject(new Error("two"))),
      inTurn("a", () => Promise.resolve(3)),
    ]);
    expect(outcomes).toEqual([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: new Error("two") },
      { status: "fulfilled", value: 3 },
    ]);
    expect(await inTurn("a", () => Promise.resolve(4))).toBe(4);
  });
});
