import { describe, expect, test } from "vitest";

import { PRESETS } from "../../lib/stages.ts";
import { askOf, judge, needsOf, type Size } from "../../operator/quotas-needs.ts";

const SIZE: Size = { accounts: 10_000, positions: 10, instruments: 40, ticks: 12, breachPercent: 10 };
const needs = (stage: keyof typeof PRESETS, size: Partial<Size> = {}): Record<string, number> =>
  Object.fromEntries(needsOf(PRESETS[stage], { ...SIZE, ...size }).map(({ name, need }) => [name, need]));

test("what a production of 10,000 accounts needs in the minute in which 1,000 of them are called", () => {
  expect(needs("production")).toEqual({
    // 10 + 2 + 100 + 50 + 2 + 50 + 50 + 100 reserved, and the 100 that Lambda keeps free.
    "lambda-concurrency": 464,
    "ses-production": 1,
    // 1,000 within 60 seconds.
    "ses-rate": 17,
    "ses-daily": 4_000,
    "sns-publish": 51,
    "scheduler-create": 17,
    "scheduler-invocations": 17,
    "scheduler-schedules": 1_002,
    "sqs-in-flight": 1_000,
    // State 1, marks 1, 64 groups, 64 snapshots, 256 shards of 39 accounts (five blocks at half price): 770 units in 10 s.
    "table-reads": 77,
    // 43 units for each call, 1,000 within 60 seconds.
    "table-writes": 884,
    "book-warm-reads": 77,
    "book-warm-writes": 884,
    // Forty marks read, 41 units written, twelve times a minute.
    "marks-warm-reads": 8,
    "marks-warm-writes": 9,
    "kms-requests": 928,
    "api-rate": 200,
  });
});

test("a sandbox reserves nothing: eight groups at a time and two executions for each other function", () => {
  expect(needs("sandbox")["lambda-concurrency"]).toBe(30);
});

test("S45 100,000 accounts in one minute: more than the account comes with", () => {
  const size = { accounts: 1_000_000, breachPercent: 10 };
  expect(needs("production", size)).toMatchObject({
    "ses-rate": 1_667,
    "ses-daily": 400_000,
    "scheduler-invocations": 1_667,
    "table-writes": 88_334,
  });
});

describe("the judging", () => {
  const all = needsOf(PRESETS.production, SIZE);
  const verdicts = (has: readonly (readonly [string, number])[]) =>
    Object.fromEntries(judge(all, new Map(has)).map(({ name, verdict }) => [name, verdict]));

  test.each([
    ["lambda-concurrency", 463, "too low"],
    ["lambda-concurrency", 464, "enough"],
    ["ses-production", 0, "too low"],
    ["ses-production", 1, "enough"],
    ["ses-rate", 14, "too low"],
    ["ses-daily", Number.POSITIVE_INFINITY, "enough"],
    ["book-warm-writes", 4_000, "enough"],
  ] as const)("%s of %d is %s", (name, value, verdict) => expect(verdicts([[name, value]])[name]).toBe(verdict));

  test("what nobody could say is unknown, not enough", () => {
    expect(Object.values(verdicts([]))).toEqual(all.map(() => "unknown"));
  });

  test("each says how it is raised, and what cannot be asked says how a person asks", () => {
    for (const need of all) {
      expect(need.raise).not.toBe("");
      expect(askOf(need) === null).toBe(need.source.api !== "serviceQuotas");
    }
    expect(all.find(({ name }) => name === "book-warm-writes")?.raise).toBe(
      "aws dynamodb update-table --table-name plimsoll-production-book --warm-throughput WriteUnitsPerSecond=884",
    );
  });
});
