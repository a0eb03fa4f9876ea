import { describe, expect, test } from "vitest";

import { illegalMark, isBelow, isGoodAt, leastReduction, marginAt } from "../../simulation/model/margin.ts";

/** 1 BTC long from 8,000 on 700: IM 10 %, MM 5.05 % with the fee. */
const long = { cash: 700, policyId: "standard", positions: [{ instrumentId: "BTC-PERP", quantity: 1, entryPrice: 8_000 }] };
const short = { cash: 700, policyId: "standard", positions: [{ instrumentId: "BTC-PERP", quantity: -1, entryPrice: 8_000 }] };
const at =
  (low: number, high = low) =>
  () => ({ low, high });

describe("the reference model's margin", () => {
  test.each([
    ["a long at its entry", long, at(8_000), "worst", { equity: 700, notional: 8_000 }],
    ["a long at the lowest", long, at(7_600, 8_100), "worst", { equity: 300, notional: 7_600 }],
    ["a long at the highest", long, at(7_600, 8_100), "best", { equity: 800, notional: 8_100 }],
    ["a short at the highest", short, at(7_600, 8_100), "worst", { equity: 600, notional: 8_100 }],
    ["a short at the lowest", short, at(7_600, 8_100), "best", { equity: 1_100, notional: 7_600 }],
  ] as const)("%s", (_, held, prices, side, margin) => {
    expect(marginAt(held, prices, side)).toMatchObject(margin);
  });

  test.each([
    // x = (E - MM) / (IM - MM): at 7,900 E = 600, MM = 398.95, IM = 790, x = 0.514.
    [600, 7_900, 0.5, false],
    // At 7,880 E = 580, MM = 397.94, IM = 788, x = 0.467.
    [580, 7_880, 0.5, true],
    // At 7,680 E = 380, MM = 387.84: below maintenance.
    [380, 7_680, 0, true],
    [400, 7_700, 0, false],
  ])("equity %d on a notional of %d is below headroom %d: %s", (equity, notional, x, below) => {
    const margin = { equity, notional, initial: 0.1 * notional, maintenance: 0.0505 * notional };
    expect(isBelow(margin, x, "mayBe")).toBe(below);
    expect(isBelow(margin, x, "surely")).toBe(below);
  });

  test("on the line it may be below and is not surely so", () => {
    const margin = { equity: 0.07525 * 8_000, notional: 8_000, initial: 800, maintenance: 404 };
    expect([isBelow(margin, 0.5, "mayBe"), isBelow(margin, 0.5, "surely")]).toEqual([true, false]);
  });

  test("past bankruptcy no reduction brings it back, and all of it is closed: what is missing is a named deficit (R22)", () => {
    expect(leastReduction({ ...long, cash: 300 }, at(7_600), "closeOut")).toBeCloseTo(1, 9);
  });

  test("a close-out of 1 BTC at 7,600 with equity 300 needs 0.2947 BTC: 1.1 MM of the rest is what is left after costs", () => {
    const quantity = leastReduction(long, at(7_600), "closeOut");
    expect(quantity).toBeCloseTo(0.29471, 4);
    const [left, equity] = [(1 - quantity) * 7_600, 300 - quantity * 7_600 * 0.001];
    expect(equity).toBeCloseTo(1.1 * 0.0505 * left, 6);
  });

  test("portfolio: 1.5 long and 0.5 short of a coin at 8,000: 16 % of the net 8,000, 1 % of the hedged 4,000 (M6)", () => {
    const positions = [
      { instrumentId: "BTC-FUT", quantity: -0.5, entryPrice: 8_000 },
      { instrumentId: "BTC-PERP", quantity: 1.5, entryPrice: 8_000 },
    ];
    const margin = marginAt({ cash: 2_000, policyId: "portfolio", positions }, at(8_000), "worst");
    expect(margin.maintenance).toBeCloseTo(1_320, 9);
    expect(margin.initial).toBeCloseTo(1_716, 9);
  });

  test("a short put of 7,000 worth 300 at 8,000: 10 % or 7.5 % of the coin and its value (M5); its value is no equity", () => {
    const prices = (id: string) => (id === "BTC-7000-P" ? { low: 300, high: 300 } : { low: 8_000, high: 8_000 });
    const positions = [{ instrumentId: "BTC-7000-P", quantity: -2, entryPrice: 250 }];
    const margin = marginAt({ cash: 2_500, policyId: "standard", positions }, prices, "worst");
    expect(margin).toMatchObject({ equity: 2_500, initial: 2_200, maintenance: 1_800 });
  });
});

describe("the reference model's marks", () => {
  const mark = { price: 8_000, asOf: 1_000_000, candidate: null };
  const jump = { ...mark, candidate: { price: 6_000, asOf: 1_010_000 } };
  const NOW = 1_100_000;
  test.each([
    ["a first price", null, { ...mark }, null],
    ["9 % in a minute", mark, { ...mark, price: 7_280, asOf: 1_012_000 }, null],
    ["11 % in a minute", mark, { ...mark, price: 7_120, asOf: 1_012_000 }, "no second tick agrees"],
    ["19 % in two minutes", mark, { ...mark, price: 6_480, asOf: 1_120_000 }, null],
    ["a jump that waits", mark, jump, null],
    ["a jump that a second tick agrees with", jump, { ...mark, price: 6_100, asOf: 1_020_000 }, null],
    ["a jump to somewhere else", jump, { ...mark, price: 6_500, asOf: 1_020_000 }, "no second tick agrees"],
    ["back in time", mark, { ...mark, asOf: 999_999 }, "older"],
    ["another price for its instant", mark, { ...mark, price: 8_001 }, "same instant"],
    ["from the future", mark, { ...mark, asOf: 1_120_000 }, "future"],
    ["nothing", mark, { ...mark, price: 0, asOf: 1_010_000 }, "no price"],
  ])("%s", (_, before, after, refusal) => {
    const now = after.asOf === 1_120_000 && refusal === null ? 1_120_000 : NOW;
    const said = illegalMark("BTC-PERP", { before, after }, now, 5_000);
    if (refusal === null) expect(said).toBeNull();
    else expect(said).toContain(refusal);
  });

  test("a mark is good for a minute, and while no doubt has stood for half of it", () => {
    expect([isGoodAt(mark, 1_060_000), isGoodAt(mark, 1_060_001)]).toEqual([true, false]);
    expect([isGoodAt(jump, 1_039_999), isGoodAt(jump, 1_040_000)]).toEqual([true, false]);
  });
});
