import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { loadTiers } from "../../core/tiers.ts";
import { type Answer, type Figures, list, moneyOf, num, ppmOf } from "./venue-cases.ts";
import { TOPICS } from "./venue-topics.ts";

interface MarginCase {
  readonly id: string;
  readonly topic: string;
  readonly inputs: Figures;
  readonly expected: Answer;
  readonly computed?: Answer;
  readonly verified: boolean;
  readonly tolerance: { readonly rel?: number; readonly abs?: number };
}

/** The worked cases are not part of the project: they are read where they are, if they are there. */
const path = resolve(import.meta.dirname, "../..", process.env["MARGIN_CASES"] ?? "../shared/cases/margin-cases.json");
const cases: readonly MarginCase[] = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { cases: MarginCase[] }).cases : [];

const isClose = (actual: unknown, expected: unknown, { rel = 0, abs = 0 }: MarginCase["tolerance"]): boolean => {
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

const answered = cases.map((one) => {
  const topic = TOPICS[one.topic];
  if (topic === undefined) return { ...one, actual: null, failure: null };
  try {
    return { ...one, actual: topic(one.inputs, one.id), failure: null };
  } catch (error) {
    return { ...one, actual: {}, failure: error };
  }
});
const inScope = answered.filter(({ actual }) => actual !== null);
const outOfScope = answered.filter(({ actual }) => actual === null);
const passed = inScope.filter((one) => one.failure === null && passes(one, one.actual ?? {}));

const answeredCases = (): void => {
  test.each(inScope)("$id: $topic", (one) => {
    if (one.failure !== null) throw one.failure;
    if (!passes(one, one.actual ?? {})) expect(one.actual).toEqual(one.verified ? one.expected : one.computed);
    expect(passes(one, one.actual ?? {})).toBe(true);
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

  test("topics that are out of scope are listed", () => {
    const topics = [...new Set(outOfScope.map(({ topic }) => topic))].sort();
    process.stdout.write(`out of scope:\n${topics.map((topic) => `  ${topic}\n`).join("")}`);
    expect(topics.every((topic) => TOPICS[topic] === undefined)).toBe(true);
  });
};
if (cases.length > 0) describe("worked margin cases of M1-M4, M10, M12", answeredCases);

test("the worked cases are counted", ({ task }) => {
  task.meta.cases = `cases: ${passed.length} passed, ${inScope.length - passed.length} failed, ${outOfScope.length} out of scope`;
  if (cases.length === 0) process.stdout.write(`no worked cases at ${path}\n`);
  expect(existsSync(path)).toBe(cases.length > 0);
  expect(passed.length).toBe(inScope.length);
});
