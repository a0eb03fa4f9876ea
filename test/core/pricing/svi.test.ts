import { expect, test } from "vitest";
import { faultOfSvi, type SviParameters, sviVariance } from "../../../core/pricing/svi.ts";

const fair: SviParameters = { a: 0.04, b: 0.4, m: 0, rho: -0.4, sigma: 0.1 };

test.each<[string, Partial<SviParameters>, object | null]>([
  ["a fair slice", {}, null],
  ["a flat one", { b: 0 }, null],
  ["NaN", { m: Number.NaN }, { fault: "NOT_A_NUMBER" }],
  ["b below 0", { b: -0.1 }, { fault: "PARAMETER_OUT_OF_RANGE" }],
  ["a correlation of 1", { rho: 1 }, { fault: "PARAMETER_OUT_OF_RANGE" }],
  ["sigma 0", { sigma: 0 }, { fault: "PARAMETER_OUT_OF_RANGE" }],
  ["a least variance below 0", { a: -0.04 }, { fault: "NEGATIVE_VARIANCE" }],
  ["no variance at all", { a: 0, b: 0 }, { fault: "NEGATIVE_VARIANCE" }],
  ["a wing of slope 2.1", { b: 1.5 }, { fault: "WING_TOO_STEEP" }],
])("%s", (_, patch, fault) => {
  expect(faultOfSvi({ ...fair, ...patch })).toEqual(fault);
});

test("Axel Vogt's slice (Gatheral and Jacquier 2014, example 3.1) has positive variance and a butterfly below 0", () => {
  const vogt: SviParameters = { a: -0.041, b: 0.1331, m: 0.3586, rho: 0.306, sigma: 0.4153 };
  const fault = faultOfSvi(vogt);
  expect(fault?.fault).toBe("BUTTERFLY_ARBITRAGE");
  // The paper's figure has g below 0 between log-moneyness 0.6 and 1.2 or so.
  if (fault?.fault === "BUTTERFLY_ARBITRAGE") expect(Math.abs(fault.logMoneyness - 0.75)).toBeLessThan(0.2);
  expect(sviVariance(vogt, 0.3586)).toBeCloseTo(0.0142764, 6);
  // The paper's mended parameters of the same smile.
  const mended: SviParameters = { a: -0.0305199, b: 0.102717, m: 0.272344, rho: 0.100718, sigma: 0.412398 };
  expect(faultOfSvi(mended)).toBeNull();
});
