import { describe, expect, test } from "vitest";
import { supportAmount, transferAmount } from "../../core/credit-support.ts";
import { openInterestRate } from "../../core/initial-rates.ts";
import { type Money, money, ONE, price, quantity } from "../../core/money.ts";
import { type Ratio, ratio } from "../../core/ratio.ts";
import {
  debtToRepay,
  debtWeight,
  entryMargin,
  fillablePrice,
  isolatedLiquidationPrice,
  maintenanceRate,
  type ProfiledPosition,
  sizeRate,
} from "../../core/venue-profile.ts";

const number = (value: Ratio | null): number | null =>
  value === null ? null : Number((value.numerator * 10n ** 6n) / value.denominator) / 1e14;
const tenth = ratio(1n, 10n);
const position = (patch: Partial<ProfiledPosition> = {}): ProfiledPosition => ({
  kind: "linear",
  basis: "mark",
  quantity: quantity("2"),
  multiplier: quantity("1"),
  entryPrice: price("100"),
  rateMm: 10_000,
  feePpm: 0,
  amount: money("0"),
  ...patch,
});
const isolated = (patch: Partial<ProfiledPosition> = {}, share = tenth): number | null =>
  number(isolatedLiquidationPrice(position(patch), entryMargin(position(patch), share)));

describe("isolated liquidation price on a venue's terms (M4)", () => {
  test.each<[string, Partial<ProfiledPosition>, number]>([
    ["long, on the mark: P0·(1 − 1/L) / (1 − r)", {}, 90 / 0.99],
    ["short, on the mark: P0·(1 + 1/L) / (1 + r)", { quantity: quantity("-2") }, 110 / 1.01],
    ["long, fee inside: P0·(1 − 1/L) / (1 − r − f)", { feePpm: 600 }, 90 / 0.9894],
    ["long, on the entry: P0·(1 − (1/L − r))", { basis: "entry" }, 91],
    ["short, on the entry: P0·(1 + (1/L − r))", { basis: "entry", quantity: quantity("-2") }, 109],
    ["with a bracket's amount", { amount: money("2") }, 89 / 0.99],
    ["inverse long, on the mark: Q·(1 + r) / (PV + m)", { kind: "inverse" }, 101 / 1.1],
    ["inverse short, on the mark: Q·(1 − r) / (PV − m)", { kind: "inverse", quantity: quantity("-2") }, 99 / 0.9],
    ["inverse long, on the entry: Q / (PV + (m − MM))", { kind: "inverse", basis: "entry" }, 100 / 1.09],
    ["bankruptcy, with rate and fee 0", { rateMm: 0 }, 90],
    ["inverse bankruptcy: P0·L/(L + 1)", { kind: "inverse", rateMm: 0 }, 1000 / 11],
  ])("%s", (_, patch, expected) => {
    expect(isolated(patch)).toBeCloseTo(expected, 10);
  });

  test("none where no positive price is one", () => {
    expect(isolated({}, ratio(1n))).toBeNull();
    expect(isolated({ kind: "inverse", quantity: quantity("-2"), rateMm: 0 }, ratio(2n))).toBeNull();
    expect(isolated({ rateMm: 1_000_000 })).toBeNull();
  });
});

test("rates of venues (M3): a fraction of the initial rate, open interest, size", () => {
  expect(maintenanceRate(637_239, 289_284)).toBe(184_343);
  const at = (openInterest: string) => openInterestRate(200_000, money(openInterest), money("1000"), money("2000"));
  expect([at("0"), at("1000"), at("1500"), at("1999.9999"), at("2000"), at("3000")]).toEqual([
    200_000, 200_000, 600_000, 999_999, 1_000_000, 1_000_000,
  ]);
  expect(openInterestRate(200_000, money("5"), money("0"), money("0"))).toBe(200_000);
  const sized = [sizeRate(20_000, 50, quantity("25")), sizeRate(20_000, 50, quantity("-0.01")), sizeRate(20_000, 500_000, quantity("9"))];
  expect(sized.map(({ numerator, denominator }) => Number(numerator) / Number(denominator))).toEqual([0.02125, 0.0200005, 1]);
});

test("M12: a fillable price widens from the mark to the spread as equity sinks to 0, and no further", () => {
  const fillable = (equity: string, sells: boolean, adjustmentPpm = 1_000_000) =>
    number(
      fillablePrice({
        price: price("50000"),
        sells,
        rateMm: 100_000,
        spreadPpm: 100_000,
        adjustmentPpm,
        equity: money(equity),
        maintenance: money("500"),
      }),
    );
  expect([
    fillable("499", true),
    fillable("499", true, 2_000_000),
    fillable("0", true),
    fillable("-500", true),
    fillable("600", true),
  ]).toEqual([49_999, 49_998, 49_500, 49_500, 50_000]);
  expect([fillable("499", false), fillable("-1", false)]).toEqual([50_001, 50_500]);
});

test("M12: the debt to repay out of seized collateral; none where repaying frees nothing", () => {
  const terms = {
    need: money("10"),
    price: price("100"),
    assetWeightPpm: 800_000,
    assetMultiplierPpm: 1_000_000,
    liabilityWeightPpm: 1_200_000,
    liabilityMultiplierPpm: 1_000_000,
    feePpm: 0,
  };
  expect(number(debtToRepay(terms))).toBe(0.25);
  expect(number(debtToRepay({ ...terms, feePpm: 10_000 }))).toBeCloseTo(0.25773195876, 10);
  expect(debtToRepay({ ...terms, assetMultiplierPpm: 1_500_000 })).toBeNull();
});

test("a debt with a maintenance rate and a fee of its own weighs (1 + r)·(1 + f), rounded up", () => {
  expect(debtWeight(30_000, 1_000)).toBe(1_031_030);
  expect(debtWeight(1, 1)).toBe(1_000_003);
});

describe("credit support amounts (M10)", () => {
  test("exposure and independent amounts over the threshold, never below 0", () => {
    const due = (exposure: string) =>
      supportAmount({ exposure: money(exposure), independentOfTaker: money("2"), independentOfGiver: money("1"), threshold: money("5") });
    expect([due("10"), due("4"), due("3.99")]).toEqual([money("6"), 0n, 0n]);
  });

  test.each([
    ["below the minimum transfer amount", "4.32", "4", "0"],
    ["a delivery rounds up", "5.32", "4", "1.4"],
    ["a return rounds down", "2.12", "4", "-1.8"],
    ["at the minimum it moves", "4.5", "4", "0.5"],
  ])("%s", (_, due, held, moves) => {
    expect(transferAmount(money(due), money(held), money("0.5"), money("0.1"))).toBe(money(moves));
    expect(ONE).toBe(100_000_000n);
    expect(transferAmount(0n as Money, 0n as Money, 0n as Money, 1n as Money)).toBe(0n);
  });
});
