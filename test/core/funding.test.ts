import fc from "fast-check";
import { expect, test } from "vitest";
import { accruedFunding, expectedFunding, fundingAddOn, fundingPayment } from "../../core/funding.ts";
import { decimal, price, quantity } from "../../core/money.ts";
import { modelTable } from "./models-page.ts";
import "../seed.ts";

const HOURS_8 = 28_800_000;
const BOUNDS = { lower: -50_000, upper: 50_000 };
const terms = { index: price("1600"), interest: 0, intervalMs: HOURS_8, clamp: BOUNDS };

test("the worked example of the page (M1)", () => {
  const rows = modelTable("funding.md", "perpetual");
  expect(rows).toHaveLength(4);
  for (const [perpetual = "", size = "", ...expected] of rows) {
    const paymentPerUnit = fundingPayment({ ...terms, perpetual: price(perpetual) });
    const position = { quantity: quantity(size), multiplier: quantity("1"), paymentPerUnit };
    const figures = [paymentPerUnit, accruedFunding(position, HOURS_8 / 4, HOURS_8), fundingAddOn(position, 500_000)];
    expect(figures.map(decimal)).toEqual(expected);
  }
});

test("interest: 5 % a year over a five hundredth of it, and without bounds nothing else", () => {
  const year = { ...terms, interest: 50_000, intervalMs: 63_072_000 };
  expect(decimal(fundingPayment({ ...year, perpetual: price("1590"), clamp: null }))).toBe("0.16");
  expect(decimal(fundingPayment({ ...year, perpetual: price("1590") }))).toBe("0.16");
  expect(decimal(fundingPayment({ ...year, perpetual: price("1700") }))).toBe("20");
});

test("accrual ends with the interval and does not begin before it", () => {
  const position = { quantity: quantity("3"), multiplier: quantity("0.1"), paymentPerUnit: price("20") };
  expect([-5, 0, HOURS_8, 9 * HOURS_8].map((elapsed) => decimal(accruedFunding(position, elapsed, HOURS_8)))).toEqual([
    "0",
    "0",
    "-6",
    "-6",
  ]);
  expect(decimal(expectedFunding(position))).toBe("6");
  expect(decimal(fundingAddOn(position, 0))).toBe("0");
});

test("what one side owes is at least what the other is owed, and at most one unit more", () => {
  const whole = fc.bigInt(-(10n ** 14n), 10n ** 14n);
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: 0, max: HOURS_8 }), (size, paid, elapsed) => {
      const paymentPerUnit = paid as ReturnType<typeof price>;
      const of = (held: bigint) =>
        accruedFunding({ quantity: held as ReturnType<typeof quantity>, multiplier: quantity("1"), paymentPerUnit }, elapsed, HOURS_8);
      const both = of(size) + of(-size);
      expect(both === 0n || both === -1n).toBe(true);
    }),
  );
});
