import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Book, createBook } from "../../../adapters/dynamodb/book.ts";
import { UnknownPolicy } from "../../../adapters/dynamodb/policies.ts";
import type { Clock } from "../../../adapters/world.ts";
import { startTables, type TestTables, testClock, testWorld } from "../../engine.ts";
import { policy, T0 } from "../samples.ts";

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const bookAt = (clock: Clock): Book => createBook(testWorld(tables, { clock }));

describe("policies", () => {
  test("a version is immutable, the newest is found by number, an unknown one is named", async () => {
    const clock = testClock(T0);
    const book = bookAt(clock);
    for (const version of [1, 2, 10]) expect(await book.putPolicy({ ...policy, version })).toBe("stored");
    expect(await book.putPolicy({ ...policy, version: 2 })).toBe("stored");
    expect(await book.putPolicy({ ...policy, version: 2, graceMs: 1_900_000 })).toBe("conflict");
    expect((await book.policy("standard")).version).toBe(10);
    expect(await book.policy("standard", 2)).toEqual({ ...policy, version: 2 });
    await expect(book.policy("reckless")).rejects.toThrow(new UnknownPolicy("unknown policy reckless"));
    await expect(book.policy("standard", 3)).rejects.toThrow("unknown policy standard version 3");
  });

  test("a new version is seen after 30 s at the latest", async () => {
    const clock = testClock(T0);
    const book = bookAt(clock);
    const other = bookAt(clock);
    await book.putPolicy({ ...policy, policyId: "cached" });
    expect((await book.policy("cached")).version).toBe(1);
    await other.putPolicy({ ...policy, policyId: "cached", version: 2 });
    expect((await book.policy("cached")).version).toBe(1);
    clock.set(T0 + 30_000);
    expect((await book.policy("cached")).version).toBe(2);
  });
});
