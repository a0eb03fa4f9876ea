import { describe, expect, test } from "vitest";
import { levelOf } from "../../core/level.ts";
import { decimal, money, price, quantity } from "../../core/money.ts";
import { multiplyRatio, ratio, roundRatio } from "../../core/ratio.ts";
import {
  earlyTrigger,
  exposureMax,
  fillWeight,
  type LadderStep,
  ladderPrice,
  remainingTriggers,
  scaledLevels,
  scaledWeight,
} from "../../core/venue-levels.ts";
import { accountOf, bare, leg, policyWith } from "./margin-fixtures.ts";

test("weights (M2): full up to the scale's start, then falling; a fill is judged halfway", () => {
  const weights = ["0", "1000", "1001", "3000"].map((deposits) => scaledWeight(900_000, money("1000"), money(deposits)));
  expect(weights.map((weight) => roundRatio(multiplyRatio(weight, ratio(10n ** 10n)), "down"))).toEqual([
    9_000_000_000n,
    9_000_000_000n,
    8_991_008_991n,
    3_000_000_000n,
  ]);
  expect(fillWeight(150_000, 750_001)).toBe(450_000);
});

test("what an equity carries, and levels that scale one requirement (M3, M10)", () => {
  expect(decimal(exposureMax(money("700"), 600_000))).toBe("1166.66666666");
  expect(decimal(exposureMax(money("-700"), 600_000))).toBe("0");
  const { maintenance, scaled } = scaledLevels(money("100"), ratio(1n, 3n), [1_000_000, 1_200_000]);
  expect([maintenance, ...scaled].map(decimal)).toEqual(["33.33333334", "33.33333334", "40.00000001"]);
});

test.each([
  ["a short's lies below", "37500", 100_000, false, "33750"],
  ["a long's lies above", "37500", 100_000, true, "41250"],
  ["a long's rounds up", "0.00000001", 100_000, true, "0.00000002"],
  ["a short's rounds down", "0.00000019", 100_000, false, "0.00000017"],
])("an early close-out price: %s", (_, at, buffer, long, expected) => {
  expect(decimal(earlyTrigger(price(at), buffer, long))).toBe(expected);
});

describe("a ladder over what is left", () => {
  const terms = { warning: 50_000, buffer: 100_000 };
  test.each([
    ["9499", false, false],
    ["9500", true, false],
    ["9999", true, false],
    ["10000", false, false],
    ["11000", false, false],
    ["11001", false, true],
  ])("of 10000 with %s used: warning %s, liquidation %s", (used, warning, liquidate) => {
    expect(remainingTriggers(money("10000"), money(used), terms)).toEqual({ warning, liquidate });
  });

  test("in its silent band ours is not silent (R1)", () => {
    const held = accountOf({}, [leg("P", "1", "1")]);
    const sided = {
      equityInitial: money("10000"),
      equityMaintenance: money("10000"),
      initial: money("21000"),
      maintenance: money("10500"),
    };
    expect(levelOf(held, { low: sided, high: sided }, policyWith([bare("USD")]).levels, "HEALTHY")).toBe("CLOSE_OUT");
  });
});

test("the price at which a step fires (M4), or none", () => {
  const held = { quantity: quantity("500"), debt: money("100000") };
  const at = (step: Partial<LadderStep>): number | null => {
    const found = ladderPrice(held, { equityShare: 250_000, shock: 0, requirementAfterShock: false, ...step });
    return found === null ? null : Number((found.numerator * 100n) / found.denominator) / 1e10;
  };
  expect([at({}), at({ shock: 144_000 }), at({ shock: 144_000, requirementAfterShock: true })].map((found) => found?.toFixed(2))).toEqual([
    "266.67",
    "330.03",
    "311.53",
  ]);
  expect(at({ shock: 750_000 })).toBeNull();
  expect(ladderPrice({ ...held, quantity: quantity("0") }, { equityShare: 0, shock: 0, requirementAfterShock: false })).toBeNull();
});
