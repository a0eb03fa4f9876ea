import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { abs, decimal, divide, type Money, max, min, minus, money, plus, price, quantity } from "../../core/money.ts";

describe("decimals", () => {
  test.each([
    ["0", 0n, "0"],
    ["-36.98", -3_698_000_000n, "-36.98"],
    ["0.00000001", 1n, "0.00000001"],
    ["-0.5", -50_000_000n, "-0.5"],
    ["1.500000000000", 150_000_000n, "1.5"],
    ["007", 700_000_000n, "7"],
    ["99999999999999999999.99999999", 9_999_999_999_999_999_999_999_999_999n, "99999999999999999999.99999999"],
  ])("%s is read exactly and written shortest", (text, value, written) => {
    expect(money(text)).toBe(value);
    expect(price(text)).toBe(value);
    expect(quantity(text)).toBe(value);
    expect(decimal(money(text))).toBe(written);
  });

  test.each([
    "",
    " 1",
    "1 ",
    "+1",
    "1.",
    ".5",
    "1e3",
    "1,000",
    "NaN",
    "null",
    "0x10",
    "--1",
    "0.000000001",
    "1e-18",
    "100000000000000000000",
  ])("S21: %j is refused, never rounded", (text) => {
    expect(() => money(text)).toThrow(RangeError);
  });

  test("what is written reads back", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 27n), 10n ** 27n), (value) => {
        expect(money(decimal(value as Money))).toBe(value);
      }),
    );
  });
});

describe("divide (M0)", () => {
  test.each([
    [7n, 2n, 4n, 3n],
    [-7n, 2n, -3n, -4n],
    [7n, -2n, -3n, -4n],
    [-7n, -2n, 4n, 3n],
    [6n, 2n, 3n, 3n],
    [-6n, 2n, -3n, -3n],
    [0n, 5n, 0n, 0n],
  ])("%d / %d", (dividend, divisor, up, down) => {
    expect(divide(dividend, divisor, "up")).toBe(up);
    expect(divide(dividend, divisor, "down")).toBe(down);
  });

  test("by 0 is refused", () => {
    expect(() => divide(1n, 0n, "up")).toThrow(RangeError);
  });

  test("brackets the exact quotient, a unit apart", () => {
    const integer = fc.bigInt(-(10n ** 30n), 10n ** 30n);
    fc.assert(
      fc.property(
        integer,
        integer.filter((n) => n !== 0n),
        (dividend, divisor) => {
          const [up, down] = [divide(dividend, divisor, "up"), divide(dividend, divisor, "down")];
          const sign = divisor > 0n ? 1n : -1n;
          expect(down * divisor * sign <= dividend * sign && dividend * sign <= up * divisor * sign).toBe(true);
          expect(up - down <= 1n).toBe(true);
        },
      ),
    );
  });
});

test("amounts", () => {
  const [a, b] = [money("1"), money("-2")];
  expect([abs(b), min(a, b), max(a, b), min(b, a), max(b, a), plus(a, b), minus(a, b)]).toEqual([
    money("2"),
    b,
    a,
    b,
    a,
    money("-1"),
    money("3"),
  ]);
});
