import { expect, test } from "vitest";
import { STANDARD_UNIT } from "../../../core/portfolio/portfolio-terms.ts";
import { skewFactor } from "../../../core/portfolio/skew.ts";

test.each([
  ["at the money", 0, 0.25, 1, 1],
  ["a strike above", 0.1, 0.25, 1.0113636364, 1.0113636364],
  ["a strike below: the tilt falls, the smile rises", -0.1, 0.25, 0.9886363636, 1.0113636364],
  ["far above, at the cap", 5, 0.25, 1.125, 1.125],
  ["far below, at the cap", -5, 0.25, 0.875, 1.125],
  ["at expiry k* is its least", 0.001, 0, 1.015, 1.015],
  ["after nine years the cap is gone", 0.1, 9.5, 1, 1],
])("M6: %s", (_, k, years, tilt, smile) => {
  expect(skewFactor("tilt", k, years, STANDARD_UNIT.skew)).toBeCloseTo(tilt, 9);
  expect(skewFactor("smile", k, years, STANDARD_UNIT.skew)).toBeCloseTo(smile, 9);
  expect(skewFactor("tilt", k, years, null)).toBe(1);
});
