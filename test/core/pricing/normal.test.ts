import { expect, test } from "vitest";
import { normalCdf, normalDensity, normalQuantile } from "../../../core/pricing/normal.ts";

/** Lower tails to 17 digits, from 40-digit arithmetic (mpmath's ncdf). */
const TAILS: readonly (readonly [x: number, probability: number])[] = [
  [-0.25, 0.4012936743170763],
  [-0.6, 0.2742531177500736],
  [-0.67, 0.2514288950953101],
  [-1, 0.15865525393145705],
  [-2.5, 0.006209665325776135],
  [-4.753424308822899, 1.0000000000000012e-6],
  [-5.6, 1.071759025831093e-8],
  [-5.7, 5.990371401063528e-9],
  [-8, 6.220960574271784e-16],
  [-12.5, 3.732564298877713e-36],
  [-20, 2.7536241186062337e-89],
  [-37, 5.725571222524577e-300],
];

test.each(TAILS)("Φ(%d) within 1e-12 of its value, and the quantile leads back", (x, probability) => {
  expect(Math.abs(normalCdf(x) / probability - 1)).toBeLessThan(1e-12);
  expect(Math.abs(normalCdf(-x) - (1 - probability))).toBeLessThan(2e-16);
  expect(Math.abs(normalQuantile(probability) - x)).toBeLessThan(1e-13 * Math.max(1, Math.abs(x)));
});

test("the ends and nonsense", () => {
  expect(normalCdf(Number.NEGATIVE_INFINITY)).toBe(0);
  expect(normalCdf(Number.POSITIVE_INFINITY)).toBe(1);
  expect(normalCdf(Number.NaN)).toBeNaN();
  expect(normalDensity(0)).toBe(0.3989422804014327);
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  expect(normalQuantile(0.5)).toBe(0);
  expect([-1e-9, 1.000001, Number.NaN].map(normalQuantile)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
});
