import { describe, expect, test } from "vitest";
import { loadTiers } from "../../core/tiers.ts";
import { recorded } from "./fields-read.ts";
import { type Answer, CASES, type Figures, list, moneyOf, num, ppmOf } from "./venue-cases.ts";
import { TOPICS } from "./venue-topics.ts";

interface MarginCase {
  readonly id: string;
  readonly topic: string;
  readonly inputs: Figures;
  readonly expected: Answer;
  readonly computed?: Answer;
  readonly verified: boolean;
  /** Absent: exact. */
  readonly tolerance?: { readonly rel?: number; readonly abs?: number };
}

const cases = CASES.cases as unknown as readonly MarginCase[];

const isClose = (actual: unknown, expected: unknown, { rel = 0, abs = 0 }: MarginCase["tolerance"] = {}): boolean => {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((each, index) => isClose(actual[index], each, { rel, abs }))
    );
  }
  if (typeof expected === "object" && expected !== null) {
    return Object.entries(expected).every(([name, value]) => isClose((actual as Answer | null)?.[name], value, { rel, abs }));
  }
  if (typeof expected !== "number") return actual === expected;
  return typeof actual === "number" && Math.abs(actual - expected) <= Math.max(abs, rel * Math.abs(expected));
};
const agrees = (actual: Answer, expected: Answer, tolerance: MarginCase["tolerance"]): boolean =>
  Object.entries(expected).every(([name, value]) => isClose(actual[name], value, tolerance));

/** A verified case passes by its figures; one that is not, by the correct figures and against the published ones. */
const passes = ({ verified, expected, computed = {}, tolerance }: MarginCase, actual: Answer): boolean =>
  verified ? agrees(actual, expected, tolerance) : agrees(actual, computed, tolerance) && !agrees(actual, expected, tolerance);

interface Answered extends MarginCase {
  readonly actual: Answer;
  /** Paths of the inputs from which the mapping took nothing. */
  readonly unread: readonly string[];
  readonly failure: unknown;
}

/** The figures of a case by core/. A topic that nobody maps and a case that expects nothing fail: neither proves anything. */
const answerOf = (one: MarginCase): Answered => {
  const { figures, unread } = recorded(one.inputs);
  try {
    const topic = TOPICS[one.topic];
    if (topic === undefined) throw new RangeError(`no topic "${one.topic}" is mapped to core/. Correct its spelling, or map it`);
    if (Object.keys(one.expected).length === 0) throw new RangeError("the case expects nothing. Give at least one figure");
    return { ...one, actual: topic(figures), unread: unread(), failure: null };
  } catch (failure) {
    return { ...one, actual: {}, unread: unread(), failure };
  }
};
const answered = cases.map(answerOf);
const passed = answered.filter((one) => one.failure === null && passes(one, one.actual));
const outOfScope = answered.filter(({ topic }) => TOPICS[topic] === undefined);

const answeredCases = (): void => {
  test.each(answered)("$id: $topic", (one) => {
    if (one.failure !== null) throw one.failure;
    if (!passes(one, one.actual)) {
      const hint = one.unread.length === 0 ? "" : `; the mapping takes nothing from ${one.unread.join(", ")}`;
      expect(one.actual, `figures of ${one.id}${hint}`).toEqual(one.verified ? one.expected : one.computed);
    }
    expect(passes(one, one.actual)).toBe(true);
  });

  test("M3: a published table whose amounts jump is refused by name, bracket and mend", () => {
    for (const one of cases.filter(({ topic, verified }) => topic.startsWith("tier table") && !verified)) {
      const amounts = one.expected["amounts"] as readonly number[];
      const raw = list(one.inputs, "tiers").map((tier, index) => ({
        floor: moneyOf(num(tier, "from_")),
        rateMm: ppmOf(num(tier, "rate")),
        rateIm: ppmOf(num(tier, "rate")) + 1,
        amountMm: moneyOf(amounts[index] ?? 0),
      }));
      expect(() => loadTiers(one.id, raw, 0)).toThrow(/bracket \d+: amount .* Continuity needs/);
    }
  });
};
if (cases.length > 0) describe("worked margin cases", answeredCases);

test("the worked cases are counted", ({ task }) => {
  const failed = answered.length - passed.length - outOfScope.length;
  task.meta.cases = `cases: ${passed.length} passed, ${failed} failed, ${outOfScope.length} out of scope`;
  for (const { id, unread } of answered.filter(({ failure, unread: paths }) => failure === null && paths.length > 0)) {
    process.stdout.write(`${id}: nothing was taken from ${unread.join(", ")}\n`);
  }
  if (cases.length === 0) process.stdout.write(`no worked cases at ${CASES.path}\n`);
  expect(cases.length > 0, `cases in ${CASES.path}`).toBe(CASES.isThere);
  expect(passed.length).toBe(cases.length);
});

describe("a case that says something nobody reads", () => {
  test("a field of it, at any depth, is told of by its path; one that was looked at is not", () => {
    const { figures, unread } = recorded({
      a: 1,
      nested: {
        b: [
          { c: 1, d: 2 },
          { c: 3, d: 4 },
        ],
      },
      list: [1, 2],
      dayCount: "365",
    });
    expect([num(figures, "a"), list(figures["nested"] as Figures, "b").map((each) => num(each, "c"))]).toEqual([1, [1, 3]]);
    expect(unread()).toEqual(["nested.b.d", "list"]);
  });

  test("a key that is not answered is not close to anything", () => {
    const one = { verified: true, expected: { a: 1, b: null }, tolerance: { abs: 1 } } as unknown as MarginCase;
    expect([
      passes(one, { a: 1.5, b: null }),
      passes(one, { a: 1 }),
      passes(one, { b: null }),
      passes(one, { a: Number.NaN, b: null }),
    ]).toEqual([true, false, false, false]);
  });

  test("figures that contradict their inputs must not come out", () => {
    const one = { verified: false, expected: { a: 1 }, computed: { a: 2 }, tolerance: { abs: 0.1 } } as unknown as MarginCase;
    expect([passes(one, { a: 2 }), passes(one, { a: 1 }), passes(one, {})]).toEqual([true, false, false]);
  });
});
