import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { eachRun, TERMS_WIDTH } from "../../../core/columns/linear-sums.ts";

type Line = readonly [unit: number, first: number, second: number, less: number];
type Held = readonly (readonly [instrument: number, quantity: number])[];
type Sums = readonly (readonly [value: number, need: number])[];

const termsOf = (lines: readonly Line[]): Float64Array => {
  const terms = new Float64Array(lines.length * TERMS_WIDTH).fill(Number.NaN);
  for (const [index, [unit, first, second, less]] of lines.entries()) terms.set([unit, first, unit, second, 0, less], index * TERMS_WIDTH);
  return terms;
};

/** What the kernel says, and how large its memory is. */
const summed = (lines: readonly Line[], accounts: readonly Held[]): { readonly sums: Sums; readonly bytes: number } => {
  const offsets = [0];
  for (const held of accounts) offsets.push((offsets.at(-1) ?? 0) + held.length);
  const found: (readonly [number, number])[] = [];
  let bytes = 0;
  const columns = {
    offsets: Int32Array.from(offsets),
    instrument: Int32Array.from(accounts.flatMap((held) => held.map(([instrument]) => instrument))),
    quantity: Float64Array.from(accounts.flatMap((held) => held.map(([, quantity]) => quantity))),
  };
  eachRun(columns, termsOf(lines), (sums, first, last) => {
    expect(first).toBe(found.length);
    bytes = sums.buffer.byteLength;
    for (let at = 0; at < (last - first) * 2; at += 2) found.push([sums[at] as number, sums[at + 1] as number]);
  });
  return { sums: found, bytes };
};

/** What a plain float64 loop says. */
const plainly = (lines: readonly Line[], accounts: readonly Held[]): Sums =>
  accounts.map((held) => {
    let value = 0;
    let need = 0;
    for (const [instrument, quantity] of held) {
      const [unit, first, second, less] = lines[instrument] as Line;
      const size = Math.abs(quantity);
      value += quantity * unit;
      need += Math.max(size * first, size * second - less);
    }
    return [value, need];
  });

/** Numbers without a pattern. */
const linesOf = (count: number): Line[] =>
  Array.from({ length: count }, (_, n) => [2 + Math.sin(n), 0.1 + (n % 7) / 100, 0.2 + (n % 5) / 10, 3 + Math.cos(n)]);
const holding = (count: number, from: number, instruments: number): Held =>
  Array.from({ length: count }, (_, n) => [(n * 7 + from) % instruments, Math.sin(n * from + 1) * 100]);

describe("sums of value and need in WebAssembly", () => {
  test("two lines: the larger one of each position, by its size whatever its side", () => {
    // Units of 10 and 3; sizes of 4 and 20 at 1 a unit or 3 less 30: 4, 30; size 5 at 2 a unit: 10.
    const lines: Line[] = [
      [10, 1, 3, 30],
      [3, 2, 2, 0],
    ];
    expect(
      summed(lines, [
        [[0, -4]],
        [],
        [[0, 20]],
        [
          [0, -20],
          [1, 5],
        ],
      ]).sums,
    ).toEqual([
      [-40, 4],
      [0, 0],
      [200, 30],
      [-185, 40],
    ]);
  });

  test("an instrument without a price makes its holders' sums NaN, and nobody else's", () => {
    const none: Line = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    expect(
      summed(
        [none, [10, 1, 1, 0]],
        [
          [[1, 2]],
          [
            [0, 0],
            [1, 2],
          ],
          [
            [1, 2],
            [0, 1],
          ],
          [[1, -2]],
        ],
      ).sums,
    ).toEqual([
      [20, 2],
      [Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN],
      [-20, 2],
    ]);
  });

  test("is a plain loop's answer bit for bit, whatever the shape", () => {
    const number = fc.oneof(fc.constantFrom(0, 1, -1, 0.1, 2 ** 53, -(2 ** 70)), fc.double({ min: -1e20, max: 1e20, noNaN: true }));
    const positive = number.map(Math.abs);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(positive, positive, positive, number), { minLength: 1, maxLength: 5 }),
        fc.array(fc.array(fc.tuple(fc.nat(4), number), { maxLength: 12 }), { maxLength: 6 }),
        (lines, drawn) => {
          const accounts = drawn.map((held) => held.map(([index, quantity]) => [index % lines.length, quantity] as const));
          expect(summed(lines, accounts).sums).toStrictEqual(plainly(lines, accounts));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("books of more accounts and positions than are copied at a time, of up to 500 positions each", () => {
    const lines = linesOf(50);
    const accounts = Array.from({ length: 6_000 }, (_, from) => holding(from % 11 === 0 ? 500 : from % 13, from, 50));
    expect(summed(lines, accounts).sums).toStrictEqual(plainly(lines, accounts));
  });

  test("one memory serves all books: it grows with the instruments of the largest, and with nothing else", () => {
    const books = [2, 10_000, 3].map((instruments) => {
      const accounts = Array.from({ length: 3_000 }, (_, from) => holding(1 + (from % 5), from, instruments));
      return { lines: linesOf(instruments), accounts };
    });
    const sizes: number[] = [];
    for (let pass = 0; pass < 30; pass += 1) {
      for (const { lines, accounts } of books) {
        const { sums, bytes } = summed(lines, accounts);
        expect(sums).toStrictEqual(plainly(lines, accounts));
        sizes.push(bytes);
      }
    }
    // Two pages, then twelve: 116 KiB, and 10,000 rows of 64 bytes.
    expect([...new Set(sizes)]).toEqual([131_072, 786_432]);
  });
});
