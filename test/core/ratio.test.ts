import fc from "fast-check";
import { expect, test } from "vitest";
import { affine, nearestChange, reaches } from "../../core/affine.ts";
import { addRatio, compareRatio, divideRatio, multiplyRatio, ratio, ratioPrice, reduceRatio, subtractRatio } from "../../core/ratio.ts";

const integer = fc.bigInt(-(10n ** 20n), 10n ** 20n);
const fractions = fc
  .tuple(
    integer,
    integer.filter((n) => n !== 0n),
  )
  .map(([n, d]) => ratio(n, d));

test("fractions: a sum taken apart, a product undone, one order", () => {
  fc.assert(
    fc.property(fractions, fractions, (a, b) => {
      expect(compareRatio(subtractRatio(addRatio(a, b), b), a)).toBe(0);
      if (b.numerator !== 0n) expect(compareRatio(multiplyRatio(divideRatio(a, b), b), a)).toBe(0);
      expect(Math.sign(compareRatio(a, b))).toBe(-Math.sign(compareRatio(b, a)) + 0);
      const reduced = reduceRatio(a);
      expect(compareRatio(reduced, a)).toBe(0);
      expect(reduced.denominator > 0n && reduced.denominator <= a.denominator).toBe(true);
    }),
  );
});

test("a fraction with the denominator 0 is refused; rounding goes where it is told", () => {
  expect(() => ratio(1n, 0n)).toThrow(RangeError);
  expect(() => divideRatio(ratio(1n), ratio(0n))).toThrow(RangeError);
  expect([ratioPrice(ratio(-7n, 2n), "up"), ratioPrice(ratio(-7n, 2n), "down"), ratioPrice(ratio(7n, -2n), "up")]).toEqual([-3n, -4n, -3n]);
  expect(reduceRatio(ratio(0n, 6n))).toEqual({ numerator: 0n, denominator: 1n });
});

test("a line reaches a level once, a flat one never", () => {
  expect(reaches(affine(ratio(3n), ratio(2n)), ratio(7n))).toEqual({ numerator: 2n, denominator: 1n });
  expect(reaches(affine(ratio(3n), ratio(0n)), ratio(3n))).toBeNull();
});

test("the nearest change of a piecewise function, in either direction, up to an end that is excluded", () => {
  // |s − 10| − 4, bent at 10: changes at 6 and 14.
  const valley = {
    at: (s: ReturnType<typeof ratio>) => {
      const away = subtractRatio(s, ratio(10n));
      return subtractRatio(away.numerator < 0n ? multiplyRatio(away, ratio(-1n)) : away, ratio(4n));
    },
    breakpoints: [ratio(10n)],
  };
  const from = (start: bigint, direction: 1 | -1, end: bigint | null) =>
    nearestChange(valley, ratio(start), direction, end === null ? null : ratio(end));
  expect(from(20n, -1, 0n)).toEqual(ratio(14n));
  expect(from(0n, 1, null)).toEqual(ratio(6n));
  expect(from(12n, 1, null)).toEqual(ratio(14n));
  expect(from(12n, -1, null)).toEqual(ratio(6n));
  expect(from(12n, -1, 6n)).toBeNull();
  expect(from(12n, -1, 7n)).toBeNull();
  expect(from(20n, 1, null)).toBeNull();
  // It only touches 0 and goes on: no change.
  const touching = { ...valley, at: (s: ReturnType<typeof ratio>) => addRatio(valley.at(s), ratio(4n)) };
  expect(nearestChange(touching, ratio(20n), -1, ratio(0n))).toBeNull();
  expect(nearestChange({ at: () => ratio(1n), breakpoints: [] }, ratio(0n), 1, null)).toBeNull();
});
