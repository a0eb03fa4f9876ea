import fc from "fast-check";
import { expect, test } from "vitest";
import { black76 } from "../../../core/pricing/black76.ts";
import { impliedVolatility, type PricedOption } from "../../../core/pricing/implied-volatility.ts";

const priced = (patch: Partial<PricedOption>): PricedOption => ({
  price: 5,
  forward: 100,
  strike: 100,
  years: 0.25,
  discount: 0.98,
  right: "call",
  ...patch,
});

test.each<[string, Partial<PricedOption>, string]>([
  ["NaN", { price: Number.NaN }, "NOT_A_NUMBER"],
  ["an infinite strike", { strike: Number.POSITIVE_INFINITY }, "NOT_A_NUMBER"],
  ["no time", { years: 0 }, "TIME_NOT_POSITIVE"],
  ["negative time", { years: -0.1 }, "TIME_NOT_POSITIVE"],
  ["a forward of 0", { forward: 0 }, "FORWARD_NOT_POSITIVE"],
  ["a strike below 0", { strike: -1 }, "STRIKE_NOT_POSITIVE"],
  ["a discount of 0", { discount: 0 }, "DISCOUNT_NOT_POSITIVE"],
  ["a price below 0", { price: -0.01 }, "BELOW_INTRINSIC"],
  ["a price below the discounted intrinsic value", { forward: 120, price: 19.59 }, "BELOW_INTRINSIC"],
  ["a put below it", { forward: 80, price: 19.59, right: "put" }, "BELOW_INTRINSIC"],
  ["a price of 0", { price: 0 }, "NO_TIME_VALUE"],
  ["the intrinsic value", { forward: 120, price: 20, discount: 1 }, "NO_TIME_VALUE"],
  ["the discounted forward", { price: 98 }, "ABOVE_BOUND"],
  ["more than it", { price: 99 }, "ABOVE_BOUND"],
  ["a put at the discounted strike", { price: 98, right: "put" }, "ABOVE_BOUND"],
])("%s is answered by name", (_, patch, fault) => {
  expect(impliedVolatility(priced(patch))).toEqual({ ok: false, fault });
});

test.each<[Partial<PricedOption>, number]>([
  // The published Black-76 values of QuantLib's test suite, to their four decimals.
  [{ price: 3.1217, years: 0.1, discount: Math.exp(-0.01) }, 0.25],
  [{ price: 15.3086, forward: 110, years: 0.5, discount: Math.exp(-0.05) }, 0.35],
  [{ price: 9.921, forward: 90, years: 0.1, discount: Math.exp(-0.01), right: "put" }, 0.15],
])("%j has the volatility %d", (patch, volatility) => {
  const answer = impliedVolatility(priced(patch));
  expect(answer.ok && Math.abs(answer.volatility - volatility)).toBeLessThan(3e-4);
});

test("the price of the volatility found is the price asked, to its last digits", () => {
  const drawn = fc.record({
    moneyness: fc.double({ min: -3, max: 3, noNaN: true }),
    stdDev: fc.double({ min: 0.001, max: 6, noNaN: true }),
    years: fc.double({ min: 0.001, max: 3, noNaN: true }),
    call: fc.boolean(),
  });
  fc.assert(
    fc.property(drawn, ({ moneyness, stdDev, years, call }) => {
      const strike = 100 * Math.exp(moneyness);
      const price = black76(100, strike, stdDev, 0.97, call);
      const answer = impliedVolatility(priced({ price, strike, years, discount: 0.97, right: call ? "call" : "put" }));
      if (!answer.ok) {
        expect(answer.fault).toBe("NO_TIME_VALUE");
        const time = price - 0.97 * Math.max(0, call ? 100 - strike : strike - 100);
        expect(time).toBeLessThan(1e-15 * Math.max(100, strike));
        return;
      }
      const again = black76(100, strike, answer.volatility * Math.sqrt(years), 0.97, call);
      expect(Math.abs(again - price)).toBeLessThanOrEqual(2e-15 * Math.max(100, strike));
    }),
    { numRuns: 2_000 },
  );
});
