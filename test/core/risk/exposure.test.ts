import { describe, expect, test } from "vitest";
import { collateralisation, exposureProfile, headroomUnder } from "../../../core/risk/exposure.ts";
import { measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const joint = figureOf(measuredReturns("difference", [1, 2, 3, 4], { A: [-10, 0, 10, 20] }));
/** Draws the four dates in turn. */
const inTurn = (): (() => number) => {
  let next = 0;
  return () => ((next++ % 4) + 0.5) / 4;
};
const owed = ([move = 0]: Float64Array): number => 100 + move;

describe("exposureProfile", () => {
  test("quantile and mean of what is not covered, by step, with the peak that a limit is compared with", () => {
    // Four paths of one step: 90, 100, 110 and 120 owed against 95 held: 0, 5, 15, 25.
    const profile = figureOf(exposureProfile(joint, owed, 95, 750_000, { steps: 1, paths: 4, random: inTurn() }));
    expect(profile).toEqual({ current: 5, expected: [11.25], potential: [25], peak: 25 });
    const half = figureOf(exposureProfile(joint, owed, 95, 500_000, { steps: 1, paths: 4, random: inTurn() }));
    expect(half.potential).toEqual([15]);
  });
  test("two steps of two paths: −10 then −10, +10 then +30", () => {
    const profile = figureOf(exposureProfile(joint, owed, 95, 990_000, { steps: 2, paths: 2, random: inTurn() }));
    expect(profile).toEqual({ current: 5, expected: [7.5, 17.5], potential: [15, 35], peak: 35 });
  });
  test("exposure now is a peak too", () => {
    const profile = figureOf(exposureProfile(joint, owed, 0, 990_000, { steps: 1, paths: 1, random: () => 0 }));
    expect(profile).toMatchObject({ current: 100, potential: [90], peak: 100 });
  });
  test("refuses by name", () => {
    const terms = { steps: 1, paths: 4, random: inTurn() };
    expect(faultOf(exposureProfile(joint, owed, -1, 990_000, terms)).fault).toBe("BAD_TERMS");
    expect(faultOf(exposureProfile(joint, owed, 0, 0.99, terms)).fault).toBe("BAD_TERMS");
    expect(faultOf(exposureProfile(joint, owed, 0, 990_000, { ...terms, paths: 0 })).fault).toBe("BAD_TERMS");
    expect(faultOf(exposureProfile(joint, () => Number.NaN, 0, 990_000, terms)).fault).toBe("BAD_NUMBER");
    const broken = faultOf(exposureProfile(joint, ([move = 0]) => (move === 0 ? 1 : Number.NaN), 0, 990_000, terms));
    expect(broken).toMatchObject({ fault: "BAD_NUMBER", detail: expect.stringContaining("path 0, step 1") });
  });
});

describe("headroomUnder", () => {
  test("the tightest limit says what room there is; used up exactly is not exceeded", () => {
    const all = [
      { name: "current", limit: 100, used: 40 },
      { name: "potential", limit: 200, used: 190 },
    ];
    expect(figureOf(headroomUnder(all))).toMatchObject({ room: 10, binding: "potential" });
    const full = figureOf(headroomUnder([...all, { name: "one underlying", limit: 50, used: 50 }]));
    expect(full).toMatchObject({ room: 0, binding: "one underlying" });
    expect(full.limits.at(-1)).toEqual({ name: "one underlying", limit: 50, used: 50, headroom: 0, isExceeded: false });
    const over = figureOf(headroomUnder([{ name: "current", limit: 10, used: 12 }]));
    expect(over).toEqual({
      room: 0,
      binding: "current",
      limits: [{ name: "current", limit: 10, used: 12, headroom: -2, isExceeded: true }],
    });
  });
  test("refuses no limit, one name twice, and NaN by its name", () => {
    const limit = { name: "current", limit: 1, used: 0 };
    expect(faultOf(headroomUnder([])).fault).toBe("BAD_TERMS");
    expect(faultOf(headroomUnder([limit, limit])).fault).toBe("BAD_TERMS");
    expect(faultOf(headroomUnder([{ ...limit, used: Number.NaN }]))).toMatchObject({
      fault: "BAD_NUMBER",
      detail: expect.stringContaining("use of current"),
    });
  });
});

test("collateralisation is cover over exposure, and nothing where none is owed", () => {
  expect(figureOf(collateralisation(150, 100))).toBe(1.5);
  expect(figureOf(collateralisation(150, 0))).toBeNull();
  expect(faultOf(collateralisation(-1, 1)).fault).toBe("BAD_TERMS");
  expect(faultOf(collateralisation(1, Number.NaN)).fault).toBe("BAD_NUMBER");
});
