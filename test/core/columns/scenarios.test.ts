import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type PositionColumns, type ScenarioVectors, type Worst, worstOf } from "../../../core/columns/scenarios.ts";

type Held = readonly (readonly [instrument: number, quantity: number])[];

const positionsOf = (accounts: readonly Held[]): PositionColumns => {
  const offsets = [0];
  for (const held of accounts) offsets.push((offsets.at(-1) ?? 0) + held.length);
  return {
    offsets: Int32Array.from(offsets),
    instruments: Int32Array.from(accounts.flatMap((held) => held.map(([instrument]) => instrument))),
    quantities: Float64Array.from(accounts.flatMap((held) => held.map(([, quantity]) => quantity))),
  };
};
const told = ({ worst, scenario }: Worst): (readonly [number, number])[] =>
  [...worst].map((least, account) => [least, scenario[account] as number] as const);

/** What a plain float64 loop says. */
const plainly = ({ values, scenarios }: ScenarioVectors, accounts: readonly Held[]): (readonly [number, number])[] =>
  accounts.map((held) => {
    let worst = Number.POSITIVE_INFINITY;
    let binding = -1;
    for (let scenario = 0; scenario < scenarios; scenario += 1) {
      let sum = 0;
      for (const [instrument, quantity] of held) sum += quantity * (values[instrument * scenarios + scenario] as number);
      if (sum < worst) [worst, binding] = [sum, scenario];
    }
    return [worst, binding] as const;
  });

const vectors = (rows: readonly (readonly number[])[]): ScenarioVectors => ({
  values: Float64Array.from(rows.flat()),
  scenarios: rows[0]?.length ?? 0,
});

describe("the worst of many scenarios", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/models/fast-passes.md"), "utf8");
  test.each<[string, Held, number, number]>([
    [
      "2 of 0, -1 of 1",
      [
        [0, 2],
        [1, -1],
      ],
      -16,
      0,
    ],
    [
      "-1 of 0, 1 of 1",
      [
        [0, -1],
        [1, 1],
      ],
      -3,
      2,
    ],
    [
      "1 of 0, -2.5 of 1",
      [
        [0, 1],
        [1, -2.5],
      ],
      -4.5,
      2,
    ],
    ["none", [], 0, 0],
  ])("the page's worked example: %s", (words, held, worst, scenario) => {
    expect(page).toContain(`| ${words} | ${worst} | ${scenario} |`);
    const market = vectors([
      [-10, -1, 8],
      [-4, 0, 5],
    ]);
    expect(told(worstOf(market, positionsOf([held])))).toEqual([[worst, scenario]]);
  });

  test.each([
    ["a tie: the first", [5, -2, -2, 7], -2, 1],
    ["all the same", Array<number>(40).fill(-1), -1, 0],
    ["a tie across blocks of sixteen", [...Array<number>(15).fill(0), -1, -1, ...Array<number>(20).fill(0), -1], -1, 15],
    ["the last of seventeen", [...Array<number>(16).fill(0), -1], -1, 16],
    ["gains only", [3, 2, 4], 2, 1],
  ])("%s", (_words, row, worst, scenario) => {
    expect(told(worstOf(vectors([row]), positionsOf([[[0, 1]]])))).toEqual([[worst, scenario]]);
  });

  test("is a plain loop's answer bit for bit, whatever the shape", () => {
    const value = fc.oneof(fc.constantFrom(0, -0, 1, -1, 0.1, -0.1), fc.double({ min: -1e9, max: 1e9, noNaN: true }));
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 40 })
          .chain((scenarios) => fc.array(fc.array(value, { minLength: scenarios, maxLength: scenarios }), { minLength: 1, maxLength: 5 })),
        fc.array(fc.array(fc.tuple(fc.nat(4), value), { maxLength: 12 }), { maxLength: 6 }),
        (rows, drawn) => {
          const accounts = drawn.map((held) => held.map(([instrument, quantity]) => [instrument % rows.length, quantity] as const));
          expect(told(worstOf(vectors(rows), positionsOf(accounts)))).toStrictEqual(plainly(vectors(rows), accounts));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("books of more positions than are copied at a time, and an account that is larger than that alone", () => {
    const rows = Array.from({ length: 3 }, (_, row) => Array.from({ length: 17 }, (_, scenario) => Math.sin(row * 31 + scenario)));
    const holding = (count: number, from: number): Held =>
      Array.from({ length: count }, (_, n) => [(n + from) % 3, Math.cos(n * from + 1)]);
    const accounts = [...Array.from({ length: 6_000 }, (_, from) => holding(7, from)), holding(40_000, 1), holding(3, 2), []];
    expect(told(worstOf(vectors(rows), positionsOf(accounts)))).toStrictEqual(plainly(vectors(rows), accounts));
    const many = Array.from({ length: 40_000 }, (_, from) => holding(from % 2, from));
    expect(told(worstOf(vectors(rows), positionsOf(many)))).toStrictEqual(plainly(vectors(rows), many));
  });

  const fine = vectors([[1, 2]]);
  const shape = (offsets: number[], instruments: number[], quantities: number[]): PositionColumns => ({
    offsets: Int32Array.from(offsets),
    instruments: Int32Array.from(instruments),
    quantities: Float64Array.from(quantities),
  });
  test.each<[string, ScenarioVectors, PositionColumns, string]>([
    ["NaN in a vector", vectors([[1, Number.NaN]]), shape([0], [], []), "instrument 0, scenario 1: NaN is no value"],
    ["an endless value", vectors([[1], [-1 / 0]]), shape([0], [], []), "instrument 1, scenario 0: -Infinity is no value"],
    ["NaN for a quantity", fine, shape([0, 1], [0], [Number.NaN]), "position 0: NaN is no quantity"],
    ["a quantity that may overflow", fine, shape([0, 1], [0], [1e151]), "position 0: 1e+151 is no quantity"],
    ["an unknown instrument", fine, shape([0, 1], [1], [1]), "position 0: instrument 1 has no vector among 1"],
    ["a negative instrument", fine, shape([0, 1], [-1], [1]), "position 0: instrument -1 has no vector among 1"],
    ["no scenario", { values: Float64Array.of(), scenarios: 0 }, shape([0], [], []), "0 scenarios: give at least one"],
    ["a row that is short", { values: Float64Array.of(1, 2, 3), scenarios: 2 }, shape([0], [], []), "3 values are no whole number of rows"],
    ["no offsets", fine, shape([], [], []), "offsets do not start at 0"],
    ["offsets that fall", fine, shape([0, 1, 0], [0], [1]), "offsets fall at account 1"],
    ["positions without an account", fine, shape([0, 1], [0, 0], [1, 1]), "offsets end at 1, with 2 instruments and 2 quantities"],
  ])("refuses %s by name", (_words, market, positions, words) => {
    expect(() => worstOf(market, positions)).toThrow(words);
  });
});
