import { stripTypeScriptTypes } from "node:module";

import { describe, expect, test } from "vitest";

import { MUTANTS, type Mutant } from "../../simulation/mutants/mutants.ts";
import { sourcesOf } from "../../simulation/mutants/plant.ts";

/** The mistakes that the simulator must find: the rows of the table that it was built for, in their own words. */
const ROWS = [
  "publish before write",
  "publish inline after write (no outbox)",
  "audit entry in its own write",
  "no condition on the open-call pointer",
  "unconditional OPEN -> LIQUIDATING",
  "expiry does not re-check state",
  "no deadline check on timer",
  "stale price accepted by evaluator",
  "stale price accepted at expiry",
  "suspect price accepted",
  "random order id per attempt",
  "order not reduce-only",
  "settlement without version check",
  "deposit not idempotent",
  "read-modify-write of balance",
  "no sweeper",
  "deadline at handler start",
  "quantity from old snapshot (reduce-only still on)",
  "no account version in condition (flat handling still on)",
  "flat account left open (version check still on)",
] as const;

const one = (edits: Mutant["edits"]): Mutant => ({ name: "planted", mistake: "none", edits, seedsMax: 1 });

describe("mutants of the sources", () => {
  test.each(ROWS)("there is one for: %s", (row) => {
    expect(MUTANTS.filter(({ mistake }) => mistake.startsWith(row))).toHaveLength(1);
  });

  test("there are at least twenty, each under a name of its own", () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test.each(MUTANTS)("$name: every text stands in its file once, and what comes of it still reads as TypeScript", (mutant) => {
    const sources = sourcesOf(mutant);
    expect(sources.size).toBe(new Set(mutant.edits.map(({ file }) => file)).size);
    for (const source of sources.values()) expect(() => stripTypeScriptTypes(source)).not.toThrow();
  });

  test.each(MUTANTS)("$name: is looked for in a stated number of seeds, and only in the product's sources", ({ seedsMax, edits }) => {
    expect(Number.isSafeInteger(seedsMax) && seedsMax >= 1).toBe(true);
    for (const { file } of edits) expect(file).toMatch(/^(core|adapters|functions)\/[a-z/-]+\.ts$/);
  });

  test("a text that is not there is named with its file", () => {
    expect(() => sourcesOf(one([{ file: "core/clock.ts", find: "no such text", replace: "" }]))).toThrow(
      'the mutant "planted" looks for a text that core/clock.ts has 0 times, not once: no such text',
    );
  });

  test("a text that stands there twice is refused: nobody knows which one was meant", () => {
    expect(() => sourcesOf(one([{ file: "core/clock.ts", find: "export const", replace: "const" }]))).toThrow(
      /core\/clock\.ts has \d+ times, not once/,
    );
  });
});
