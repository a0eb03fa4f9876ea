import { describe, expect, test } from "vitest";

import { getAll } from "../../../adapters/dynamodb/pages.ts";
import type { Db } from "../../../adapters/world.ts";

/** A table that holds every key, and answers at most `most` keys a request. */
const tableOf = (most: number) => {
  const asked: number[] = [];
  const batchGet = async ({ RequestItems }: Parameters<Db["batchGet"]>[0]): ReturnType<Db["batchGet"]> => {
    const keys = RequestItems?.["book"]?.Keys ?? [];
    asked.push(keys.length);
    const left = keys.slice(most);
    return {
      $metadata: {},
      Responses: { book: keys.slice(0, most) },
      UnprocessedKeys: left.length === 0 ? {} : { book: { Keys: left } },
    };
  };
  return { asked, db: { batchGet } as Pick<Db, "batchGet"> as Db };
};

const keys = (count: number) => Array.from({ length: count }, (_, index) => ({ pk: { S: `k${index}` } }));

describe("getAll", () => {
  test.each([
    ["nothing", 0, 100, []],
    ["a full batch and the rest", 101, 100, [100, 1]],
    ["what was left over is asked for again", 90, 40, [90, 50, 10]],
  ])("%s", async (_, count, most, requests) => {
    const { db, asked } = tableOf(most);
    expect(await getAll(db, "book", keys(count))).toEqual(keys(count));
    expect(asked).toEqual(requests);
  });

  test("S30 a throttled table is not asked for ever: the caller's message goes back", async () => {
    const { db, asked } = tableOf(0);
    await expect(getAll(db, "book", keys(7))).rejects.toThrow("7 of the keys of a batch were left over 5 times");
    expect(asked).toEqual([7, 7, 7, 7, 7]);
  });
});
