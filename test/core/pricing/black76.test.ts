import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blackScholesGreeks } from "../../../core/pricing/black-scholes.ts";
import { black76, black76Greeks, stdDevOf } from "../../../core/pricing/black76.ts";
import { type Black76Terms, faultOfTerms, type OptionRight } from "../../../core/pricing/option-fault.ts";

const terms = (patch: Partial<Black76Terms> = {}): Black76Terms => ({
  forward: 100,
  strike: 100,
  volatility: 0.25,
  years: 0.5,
  discount: 0.95,
  ...patch,
});
const within = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const drawn = fc.record({
  forward: within(0.01, 1e6),
  moneyness: within(-4, 4),
  stdDev: within(1e-4, 5),
  discount: within(0.1, 1.1),
});

describe("black76 (M1)", () => {
  test.each<[string, Parameters<typeof black76>, number]>([
    ["volatility 0, call in the money", [110, 100, 0, 0.9, true], 9],
    ["volatility 0, put in the money", [90, 100, 0, 0.9, false], 9],
    ["out of the money and no time", [90, 100, 0, 0.9, true], 0],
    ["a deviation below 0 is none", [110, 100, -1, 1, true], 10],
    ["a strike of 0 makes a call the forward", [110, 0, 0.3, 0.9, true], 99],
    ["a forward below 0 leaves the put its intrinsic value (S20)", [-37.63, 20, 0.3, 1, false], 57.63],
    ["a deviation beyond reason gives the bound", [100, 120, 1e6, 0.9, true], 90],
    ["a deviation next to nothing gives the intrinsic value", [110, 100, 1e-300, 1, true], 10],
  ])("%s", (_, five, value) => {
    expect(black76(...five)).toBeCloseTo(value, 10);
  });

  test("NaN goes through: the kernel judges nothing", () => {
    expect(black76(Number.NaN, 100, 0.2, 1, true)).toBeNaN();
    expect(stdDevOf(0.5, -1)).toBe(0);
  });

  test("a deep option keeps its digits", () => {
    // mpmath, 40 digits: F = 100, K = 250, s = 0.1.
    expect(Math.abs(black76(100, 250, 0.1, 1, true) / 4.2552837095800116e-20 - 1)).toBeLessThan(1e-11);
  });

  // mpmath, 60 digits, where QuantLib's own Φ has lost what 1e-9 needs: value, delta, gamma, vega, theta.
  test.each<[string, Black76Terms, OptionRight, readonly number[]]>([
    [
      "a strike of 16,000 times the forward",
      { forward: 6_462, strike: 105_138_257, volatility: 1.6, years: 1.75, discount: 0.98 },
      "call",
      [0.472974918174488, 0.000208964324811039, 5.76472880510643e-8, 6.74016952712373, -3.07576014163347],
    ],
    [
      "a put that nobody will exercise",
      { forward: 60_000, strike: 12_000, volatility: 0.4, years: 0.1, discount: 0.99 },
      "put",
      [5.68399204511376e-35, -9.5974659768163e-38, 1.62678312158249e-40, 2.34256769507879e-32, -4.68456412986716e-32],
    ],
    [
      "the last three seconds",
      { forward: 60_000, strike: 60_001, volatility: 0.5, years: 1e-7, discount: 1 },
      "call",
      [3.30573680079417, 0.458057249189061, 0.0418195853060015, 7.52752535508027, -18_818_813.3877007],
    ],
  ])("%s keeps its digits in every greek", (_, of, right, figures) => {
    const { value, delta, gamma, vega, theta } = black76Greeks(of, right);
    for (const [index, figure] of [value, delta, gamma, vega, theta].entries()) {
      expect(Math.abs(figure / (figures[index] ?? Number.NaN) - 1)).toBeLessThan(1e-10);
    }
  });

  test("parity, bounds, and value rises with volatility", () => {
    fc.assert(
      fc.property(drawn, ({ forward, moneyness, stdDev, discount }) => {
        const strike = forward * Math.exp(moneyness);
        const [call, put] = [black76(forward, strike, stdDev, discount, true), black76(forward, strike, stdDev, discount, false)];
        const scale = Math.max(forward, strike);
        expect(Math.abs(call - put - discount * (forward - strike))).toBeLessThanOrEqual(1e-14 * scale);
        expect(call).toBeGreaterThanOrEqual(discount * Math.max(0, forward - strike));
        expect(call).toBeLessThanOrEqual(discount * forward * (1 + 1e-15));
        expect(put).toBeLessThanOrEqual(discount * strike * (1 + 1e-15));
        expect(black76(forward, strike, stdDev * 1.1, discount, true)).toBeGreaterThanOrEqual(call - 1e-15 * scale);
      }),
    );
  });

  test("greeks are the slopes of the value", () => {
    const steps = fc.record({ moneyness: within(-1, 1), volatility: within(0.1, 2), years: within(0.05, 2), call: fc.boolean() });
    fc.assert(
      fc.property(steps, ({ moneyness, volatility, years, call }) => {
        const right: OptionRight = call ? "call" : "put";
        const at = terms({ strike: 100 * Math.exp(moneyness), volatility, years, discount: Math.exp(-0.05 * years) });
        const value = (patch: Partial<Black76Terms>): number => black76Greeks({ ...at, ...patch }, right).value;
        const greeks = black76Greeks(at, right);
        const h = 1e-3;
        expect(greeks.delta).toBeCloseTo((value({ forward: 100 + h }) - value({ forward: 100 - h })) / (2 * h), 6);
        expect(greeks.gamma).toBeCloseTo((value({ forward: 100.1 }) - 2 * greeks.value + value({ forward: 99.9 })) / 0.01, 4);
        expect(greeks.vega).toBeCloseTo((value({ volatility: volatility + 1e-5 }) - value({ volatility: volatility - 1e-5 })) / 2e-5, 4);
        const later = (by: number) => value({ years: years + by, discount: Math.exp(-0.05 * (years + by)) });
        expect(greeks.theta).toBeCloseTo((later(-1e-6) - later(1e-6)) / 2e-6, 3);
        const rated = (rate: number) => value({ discount: Math.exp(-rate * years) });
        expect(greeks.rho).toBeCloseTo((rated(0.05 + 1e-6) - rated(0.05 - 1e-6)) / 2e-6, 4);
      }),
      { numRuns: 60 },
    );
  });

  test.each<[OptionRight, number, number]>([
    ["call", 110, 0.95],
    ["call", 100, 0.475],
    ["call", 90, 0],
    ["put", 90, -0.95],
    ["put", 100, -0.475],
    ["put", 110, 0],
  ])("without volatility the %s at %d has delta %d and nothing else moves it", (right, forward, delta) => {
    const greeks = black76Greeks(terms({ forward, volatility: 0 }), right);
    expect(greeks).toMatchObject({ gamma: 0, vega: 0 });
    expect(greeks.delta).toBeCloseTo(delta, 12);
    expect(black76Greeks(terms({ forward, years: 0 }), right)).toMatchObject({ gamma: 0, vega: 0, theta: 0, rho: 0 });
  });

  test.each<[Partial<Black76Terms>, ReturnType<typeof faultOfTerms>]>([
    [{}, null],
    [{ years: -1, volatility: 0 }, null],
    [{ forward: Number.NaN }, "NOT_A_NUMBER"],
    [{ volatility: Number.POSITIVE_INFINITY }, "NOT_A_NUMBER"],
    [{ forward: 0 }, "FORWARD_NOT_POSITIVE"],
    [{ forward: -37.63 }, "FORWARD_NOT_POSITIVE"],
    [{ strike: 0 }, "STRIKE_NOT_POSITIVE"],
    [{ discount: 0 }, "DISCOUNT_NOT_POSITIVE"],
    [{ volatility: -0.1 }, "VOLATILITY_NEGATIVE"],
  ])("terms %j: %s", (patch, fault) => {
    expect(faultOfTerms(terms(patch))).toBe(fault);
  });
});

test("an option on a spot after expiry is its payoff, and elasticity of nothing is 0", () => {
  const at = { spot: 90, strike: 100, volatility: 0.3, years: -1, rate: 0.05, carry: 0.05 };
  expect(blackScholesGreeks(at, "put")).toMatchObject({ value: 10, delta: -1, gamma: 0, dividendRho: 0 });
  expect(blackScholesGreeks(at, "call")).toMatchObject({ value: 0, elasticity: 0 });
});
