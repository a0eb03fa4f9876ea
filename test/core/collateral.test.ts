import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atPrice, collateralValue, depositFor } from "../../core/collateral.ts";
import { type Money, money, type Price, price } from "../../core/money.ts";
import { bare, slices } from "./margin-fixtures.ts";

const btc = bare("BTC", "BTC-USDT", {
  liabilityWeight: 1_100_000,
  tiers: slices(["0", 50_000, 20_000], ["10000", 100_000, 50_000], ["100000", 1_000_000, 400_000]),
});
const capped = { ...btc, tiers: slices(["0", 0, 0], ["1000", 1_000_000, 500_000]) };

describe("collateralValue (M2)", () => {
  test.each([
    ["nothing", "0", "0", "0"],
    ["inside the first slice", "0.5", "4750", "4900"],
    ["at the first edge", "1", "9500", "9800"],
    ["in the second slice", "5", "45500", "47800"],
    ["in the last slice, which counts nothing for IM", "12", "90500", "107300"],
    ["a debt at its weight on both schedules", "-1", "-11000", "-11000"],
  ])("%s", (_, balance, initial, maintenance) => {
    expect(collateralValue(money(balance), price("10000"), btc, "initial")).toBe(money(initial));
    expect(collateralValue(money(balance), price("10000"), btc, "maintenance")).toBe(money(maintenance));
  });

  test("rounds down, a debt away from 0 (M0)", () => {
    expect(collateralValue(1n as Money, price("0.3"), btc, "initial")).toBe(0n);
    expect(collateralValue(-1n as Money, price("0.3"), btc, "initial")).toBe(-1n);
    expect(collateralValue(3n as Money, price("0.5"), bare("X", "P"), "initial")).toBe(1n);
  });

  test("R2: the initial value never exceeds the maintenance value, and neither falls as the balance grows", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.bigInt(1n, 10n ** 13n), (balance, at) => {
        const value = (b: bigint, schedule: "initial" | "maintenance") => collateralValue(b as Money, at as Price, btc, schedule);
        expect(value(balance, "initial") <= value(balance, "maintenance")).toBe(true);
        expect(value(balance, "initial") <= value(balance + 1n, "initial")).toBe(true);
      }),
    );
  });
});

/** The same price for what is held and what is owed. */
const at = (text: string) => ({ asset: price(text), debt: price(text), scale: null });

describe("depositFor (R4)", () => {
  test.each([
    ["nothing needed", "0", "0", "0"],
    ["in the first slice", "950", "0", "0.1"],
    ["across slices: 9500 in the first, 900 in the second", "10400", "0", "1.1"],
    ["from the middle of a slice", "950", "0.95", "0.10277778"],
    ["a debt is repaid first, at its weight", "11000", "-1", "1"],
    ["and then counts after its haircut", "11950", "-1", "1.1"],
  ])("%s", (_, need, balance, amount) => {
    expect(depositFor(money(need), money(balance), at("10000"), btc)).toBe(money(amount));
  });

  test("is null where no amount is enough, because the last slice counts nothing", () => {
    expect(depositFor(money("1000"), money("0"), at("1"), capped)).toBe(money("1000"));
    expect(depositFor(money("1000.00000001"), money("0"), at("1"), capped)).toBeNull();
    expect(depositFor(money("1"), money("5000"), at("1"), capped)).toBeNull();
    expect(depositFor(money("10"), money("-5"), at("1"), capped)).toBe(money("9.5"));
  });

  test("is exactly enough: it reaches the need, and one unit less does not", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 12n), fc.bigInt(-(10n ** 9n), 10n ** 9n), fc.bigInt(10n ** 4n, 10n ** 13n), (need, balance, at) => {
        const due = depositFor(need as Money, balance as Money, { asset: at as Price, debt: at as Price, scale: null }, btc);
        if (due === null) return;
        const gain = (amount: bigint) =>
          collateralValue((balance + amount) as Money, at as Price, btc, "initial") -
          collateralValue(balance as Money, at as Price, btc, "initial");
        expect(gain(due) >= need).toBe(true);
        expect(gain(due - 1n) < need).toBe(true);
      }),
    );
  });

  test("an amount at a price, either way", () => {
    expect(atPrice(3n as Money, price("0.5"), "up")).toBe(2n);
    expect(atPrice(3n as Money, price("0.5"), "down")).toBe(1n);
  });
});
