import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concentratedGroups, type LinkedExposure, openInterestRoom } from "../../../core/risk/concentration.ts";
import {
  almgrenImpact,
  LIQUIDITY,
  type LiquidityMarket,
  type LiquidityTerms,
  liquidityCost,
  medianVolume,
  vegaCost,
} from "../../../core/risk/liquidity.ts";
import { faultOf, figureOf } from "../answers.ts";

const MARKET: LiquidityMarket = { halfSpread: 0.0005, dailyVolatility: 0.04, averageVolume: 50_000_000 };

describe("liquidityCost (M8)", () => {
  test.each([
    [0, 0, 0, 0, 0],
    [2_000_000, 17_000, 0.2, 48_052.8350594, 0],
    [-2_000_000, 17_000, 0.2, 48_052.8350594, 0],
    [20_000_000, 515_964.425626941, 2, 1_519_564.06816226, 375_000],
  ])("of %i in a market of 50 million a day", (quantity, cost, days, timeRisk, concentration) => {
    expect(figureOf(liquidityCost(quantity, MARKET))).toMatchObject({
      cost: expect.closeTo(cost, 5),
      days: expect.closeTo(days, 10),
      timeRisk: expect.closeTo(timeRisk, 5),
      concentration: expect.closeTo(concentration, 5),
      total: expect.closeTo(cost + timeRisk + concentration, 4),
    });
  });

  test.each<[string, number, Partial<LiquidityMarket>, Partial<LiquidityTerms>, string]>([
    ["a market without volume", 1, { averageVolume: 0 }, {}, "NO_VOLUME"],
    ["a market that never moves", 1, { dailyVolatility: 0 }, {}, "ZERO_VOLATILITY"],
    ["an exposure that is NaN", Number.NaN, {}, {}, "BAD_NUMBER"],
    ["a spread that is NaN", 1, { halfSpread: Number.NaN }, {}, "BAD_NUMBER"],
    ["a negative spread", 1, { halfSpread: -0.1 }, {}, "BAD_TERMS"],
    ["a negative impact", 1, {}, { impact: -1 }, "BAD_TERMS"],
    ["no participation", 1, {}, { participation: 0 }, "BAD_TERMS"],
    ["a confidence as a fraction", 1, {}, { confidence: 0.99 }, "BAD_TERMS"],
    ["a confidence of 1", 1, {}, { confidence: 1_000_000 }, "BAD_TERMS"],
    ["a negative threshold", 1, {}, { threshold: -1 }, "BAD_TERMS"],
    ["a charge above 1", 1, {}, { charge: 1_000_001 }, "BAD_TERMS"],
  ])("refuses %s by name", (_, quantity, market, terms, fault) => {
    expect(faultOf(liquidityCost(quantity, { ...MARKET, ...market }, { ...LIQUIDITY, ...terms })).fault).toBe(fault);
  });

  test("two halves of a position never cost more than the whole", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }), (one, other) => {
        const total = (quantity: number): number => figureOf(liquidityCost(quantity, MARKET)).total;
        expect(total(one) + total(other)).toBeLessThanOrEqual(total(one + other) * (1 + 1e-9) + 1e-6);
      }),
    );
  });

  test("vega is charged its half spread", () => {
    expect(figureOf(vegaCost(-1_200, 0.75))).toBe(900);
    expect(faultOf(vegaCost(Number.NaN, 1)).fault).toBe("BAD_NUMBER");
  });
});

describe("medianVolume (M8)", () => {
  test("looks at the last days, and a day of frenzy moves it little", () => {
    expect(figureOf(medianVolume([900, 1, 5, 1_000, 3], 4))).toBe(4);
    expect(figureOf(medianVolume([900, 1, 5, 1_000, 3], 5))).toBe(5);
  });
  test.each<[string, number[], number, string]>([
    ["too few days", [1, 2], 3, "NO_HISTORY"],
    ["a volume below 0", [1, -2], 2, "BAD_NUMBER"],
    ["a volume that is NaN", [1, Number.NaN], 2, "BAD_NUMBER"],
    ["no days", [1], 0, "BAD_TERMS"],
  ])("refuses %s", (_, volumes, days, fault) => {
    expect(faultOf(medianVolume(volumes, days)).fault).toBe(fault);
  });
});

describe("almgrenImpact (M8)", () => {
  const IBM = { quantity: 656_100, averageVolume: 6_561_000, outstanding: 1_728_000_000, dailyVolatility: 0.0157, days: 0.2 };
  test("10 % of a day of IBM in a fifth of a day, bought or sold", () => {
    for (const quantity of [IBM.quantity, -IBM.quantity]) {
      expect(figureOf(almgrenImpact({ ...IBM, quantity }))).toEqual({
        permanent: expect.closeTo(0.00198597019, 10),
        temporary: expect.closeTo(0.00147085547, 10),
        total: expect.closeTo(0.00246384056, 10),
      });
    }
  });
  test.each<[Partial<typeof IBM>, string]>([
    [{ averageVolume: 0 }, "NO_VOLUME"],
    [{ dailyVolatility: 0 }, "ZERO_VOLATILITY"],
    [{ days: 0 }, "BAD_TERMS"],
    [{ outstanding: 0 }, "BAD_TERMS"],
    [{ quantity: Number.NaN }, "BAD_NUMBER"],
  ])("refuses %o", (patch, fault) => {
    expect(faultOf(almgrenImpact({ ...IBM, ...patch })).fault).toBe(fault);
  });
});

describe("concentratedGroups", () => {
  const TERMS = { threshold: 250_000, stepUp: 1_500_000, noticeMs: 86_400_000 };
  const linked = Array.from({ length: 100 }, (_, index) => ({ accountId: `a${index}`, groupId: "yfi", exposure: 90_000 }));

  test("S08: a hundred linked accounts are one position; new risk pays at once, what is held after notice", () => {
    const alone: LinkedExposure[] = [
      { accountId: "b", groupId: null, exposure: -4_000_000 },
      { accountId: "c", groupId: null, exposure: 2_500_000 },
    ];
    const groups = figureOf(concentratedGroups([...alone, ...linked], 10_000_000, TERMS, 1_000));
    expect(groups.map(({ groupId, exposure, share }) => [groupId, exposure, share])).toEqual([
      ["yfi", 9_000_000, 900_000],
      ["b", 4_000_000, 400_000],
    ]);
    expect(groups[0]).toMatchObject({ newRisk: 1_500_000, held: 1_500_000, heldFromAt: 86_401_000 });
    expect(groups[0]?.accountIds).toHaveLength(100);
  });

  test("an account with the name of a group is not in it; long and short of a group net", () => {
    const groups = figureOf(
      concentratedGroups(
        [
          { accountId: "x", groupId: null, exposure: 5 },
          { accountId: "y", groupId: "x", exposure: 5 },
          { accountId: "z", groupId: "x", exposure: -5 },
        ],
        10,
        TERMS,
        0,
      ),
    );
    expect(groups.map(({ accountIds }) => accountIds)).toEqual([["x"]]);
  });

  test("refuses a market without volume, an exposure that is NaN and terms out of range", () => {
    expect(faultOf(concentratedGroups(linked, 0, TERMS, 0)).fault).toBe("NO_VOLUME");
    expect(faultOf(concentratedGroups(linked, Number.NaN, TERMS, 0)).fault).toBe("BAD_NUMBER");
    const wrong = faultOf(concentratedGroups([{ accountId: "q", groupId: null, exposure: Number.NaN }], 1, TERMS, 0));
    expect(wrong).toMatchObject({ fault: "BAD_NUMBER", detail: expect.stringContaining("account q") });
    expect(faultOf(concentratedGroups(linked, 1, { ...TERMS, stepUp: 999_999 }, 0)).fault).toBe("BAD_TERMS");
  });
});

test("S07: a market's cap on open interest leaves room, or none", () => {
  expect(figureOf(openInterestRoom(750, 1_000))).toEqual({ room: 250, share: 750_000 });
  expect(figureOf(openInterestRoom(67_000_000, 800_000))).toEqual({ room: 0, share: 83_750_000 });
  expect(faultOf(openInterestRoom(1, 0)).fault).toBe("BAD_TERMS");
  expect(faultOf(openInterestRoom(Number.NaN, 1)).fault).toBe("BAD_NUMBER");
});
