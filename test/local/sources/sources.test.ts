import { describe, expect, it } from "vitest";

import type { Outcome } from "../../../local/engines/lambda.ts";
import type { StreamRecord } from "../../../local/engines/stream-reader.ts";
import { matchesPattern } from "../../../local/sources/filter.ts";
import { failedIds } from "../../../local/sources/queue.ts";
import { firstFailure } from "../../../local/sources/stream.ts";

const failed = (...ids: string[]): Outcome => ({
  ok: true,
  result: { batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) },
});
const broken: Outcome = { ok: false, error: { name: "Error", message: "as told" } };

describe("which messages of a batch a, b, c go back to their queue", () => {
  it.each<[string, Outcome, boolean, string[]]>([
    ["none of an empty answer", { ok: true, result: null }, true, []],
    ["none of an empty list", failed(), true, []],
    ["the failed one", failed("b"), true, ["b"]],
    ["all, when one is named that was not given", failed("b", "z"), true, ["a", "b", "c"]],
    ["all, when one is not named", failed(""), true, ["a", "b", "c"]],
    ["all, when the function failed", broken, true, ["a", "b", "c"]],
    ["none, when the mapping does not listen", failed("b"), false, []],
    ["all, when the function failed and the mapping does not listen", broken, false, ["a", "b", "c"]],
  ])("%s", (_, outcome, reports, expected) => {
    expect([...failedIds(["a", "b", "c"], outcome, reports)]).toEqual(expected);
  });
});

describe("where a stream's batch 1, 2, 3 stops", () => {
  const records = ["1", "2", "3"].map((SequenceNumber): StreamRecord => ({ eventName: "INSERT", dynamodb: { Keys: {}, SequenceNumber } }));
  it.each<[string, Outcome, boolean, number | null]>([
    ["nowhere", failed(), true, null],
    ["at the first that failed", failed("3", "2"), true, 1],
    ["at the start, when one is named that was not given", failed("9"), true, 0],
    ["at the start, when the function failed", broken, true, 0],
    ["nowhere, when the mapping does not listen", failed("2"), false, null],
  ])("%s", (_, outcome, reports, expected) => {
    expect(firstFailure(records, outcome, reports)).toBe(expected);
  });
});

describe("a filter pattern", () => {
  const event = { eventName: "INSERT", dynamodb: { NewImage: { publish: { BOOL: true }, pk: { S: "ACC#1" }, n: { N: "5" } } } };
  it.each<[string, object, boolean]>([
    ["an equal text", { eventName: ["INSERT", "MODIFY"] }, true],
    ["another text", { eventName: ["REMOVE"] }, false],
    ["a nested truth", { dynamodb: { NewImage: { publish: { BOOL: [true] } } } }, true],
    ["a nested untruth", { dynamodb: { NewImage: { publish: { BOOL: [false] } } } }, false],
    ["every leaf must hold", { eventName: ["INSERT"], dynamodb: { NewImage: { publish: { BOOL: [false] } } } }, false],
    ["a missing branch", { dynamodb: { OldImage: { a: { S: ["x"] } } } }, false],
    ["exists", { dynamodb: { NewImage: { gone: { S: [{ exists: false }] } } } }, true],
    ["prefix", { dynamodb: { NewImage: { pk: { S: [{ prefix: "ACC#" }] } } } }, true],
    ["suffix", { dynamodb: { NewImage: { pk: { S: [{ suffix: "#2" }] } } } }, false],
    ["anything but", { eventName: [{ "anything-but": ["INSERT"] }] }, false],
    ["anything but, of what is not there", { missing: [{ "anything-but": "x" }] }, false],
    ["equal whatever the case", { eventName: [{ "equals-ignore-case": "insert" }] }, true],
  ])("%s", (_, pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected);
  });

  it("refuses an operator that it does not know", () => {
    expect(() => matchesPattern({ eventName: [{ numeric: [">", 1] }] }, event)).toThrow("does not know the filter operator numeric");
  });
});
