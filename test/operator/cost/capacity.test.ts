import { expect, test } from "vitest";

import { itemBytes, readUnits, transactionUnits, writeUnits } from "../../../operator/cost/capacity.ts";

test.each([
  ["names and text in UTF-8", { pk: { S: "ACC#A-1" }, é: { S: "€" } }, 2 + 7 + 2 + 3],
  ["two digits a byte, and one more; zeros at the end are free", { n: { N: "1584007200000" } }, 1 + 4 + 1],
  ["a sign is a byte", { n: { N: "-12.5" } }, 1 + 2 + 1 + 1],
  ["nothing but zeros", { n: { N: "0" } }, 1 + 1],
  ["a truth", { publish: { BOOL: true } }, 8],
  ["a set is the sum of its members", { done: { NS: ["1", "12", "123"] } }, 4 + 2 + 2 + 3],
])("an item of %s", (_, item, bytes) => expect(itemBytes(item)).toBe(bytes));

test("a kind that no row has is refused, not guessed", () => {
  expect(() => itemBytes({ list: { L: [] } })).toThrow("a kind that the stores do not write");
});

test.each([
  [0, 1, 0.5, 1, 2],
  [1_024, 1, 0.5, 1, 2],
  [1_025, 1, 0.5, 2, 4],
  [4_096, 1, 0.5, 4, 8],
  [4_097, 2, 1, 5, 10],
])("%i bytes", (bytes, consistent, eventual, written, inTransaction) => {
  expect([readUnits(bytes, true), readUnits(bytes, false), writeUnits(bytes), transactionUnits(bytes)]).toEqual([
    consistent,
    eventual,
    written,
    inTransaction,
  ]);
});
