import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instrument } from "../../core/instrument.ts";
import type { Mark } from "../../core/mark.ts";
import { abs, decimal, type Price, price } from "../../core/money.ts";
import { judgeMark } from "../../core/quality.ts";
import { type SlowPrice, slowAfter, slowPrice } from "../../core/slow-average.ts";
import { contract, NOW, spot } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const HOUR = 3_600_000;
const slow = (units: bigint): SlowPrice => units as SlowPrice;
const of = (text: string): SlowPrice => slow(price(text) * 100_000_000n);

describe("the slow average of accepted prices (M2)", () => {
  test.each([
    ["a half-life leaves half of the distance", HOUR, "150"],
    ["two leave a quarter", 2 * HOUR, "125"],
    ["no time leaves all of it", 0, "200"],
    ["time that goes back does too", -HOUR, "200"],
    ["sixty-four leave nothing", 64 * HOUR, "100"],
  ])("%s: the price that stood was 100, the average 200", (_, elapsed, expected) => {
    expect(slowAfter({ price: price("100"), asOf: NOW, slow: of("200") }, NOW + elapsed, HOUR)).toBe(of(expected));
  });

  test("half of a half-life leaves the square root of a half: 70.71067811865475 of 100", () => {
    const after = slowAfter({ price: price("100"), asOf: NOW, slow: of("200") }, NOW + HOUR / 2, HOUR);
    expect(after).toBe(1_707_106_781_186_547_524n);
  });

  test("without an average it begins at the price that stood", () => {
    expect(slowAfter({ price: price("100"), asOf: NOW }, NOW + HOUR, HOUR)).toBe(of("100"));
  });

  test("a price of a hundred-thousandth moves it at each tick of a second", () => {
    const after = slowAfter({ price: price("0.00001"), asOf: NOW, slow: of("0.000011") }, NOW + 1_000, 24 * HOUR);
    // The distance is 1e-6; a second of a day's half-life takes 8.0225e-6 of it.
    expect(of("0.000011") - after).toBe(80_225n);
  });

  test("never leaves the stretch between the average and the price that stood, and parts of a time come to the whole", () => {
    const prices = fc.bigInt(1n, 10n ** 13n);
    fc.assert(
      fc.property(
        prices,
        prices,
        fc.nat(10 * HOUR),
        fc.nat(10 * HOUR),
        fc.integer({ min: 1_000, max: 24 * HOUR }),
        (a, b, one, two, half) => {
          const stood = { price: a as Price, asOf: 1, slow: slow(b * 100_000_000n) };
          const [target, from] = [a * 100_000_000n, b * 100_000_000n];
          const whole = slowAfter(stood, 1 + one + two, half);
          const first = slowAfter(stood, 1 + one, half);
          const parts = slowAfter({ price: a as Price, asOf: 1 + one, slow: first }, 1 + one + two, half);
          for (const each of [first, whole, parts]) {
            expect(each >= (target < from ? target : from) - 1n && each <= (target > from ? target : from)).toBe(true);
          }
          // The stated error, 1.7e-10 of the distance for each of the three steps, and a unit of rounding each.
          expect(abs(whole - parts) <= (abs(target - from) * 51n) / 100_000_000_000n + 3n).toBe(true);
        },
      ),
    );
  });
});

test("the worked example of the page (M2)", () => {
  const rows = modelTable("collateral.md", "half-life");
  expect(rows).toHaveLength(4);
  for (const [halfLife = "", stood = "", elapsed = "", before = "", after = ""] of rows) {
    const average = slowAfter({ price: price(stood), asOf: NOW, slow: of(before) }, NOW + Number(elapsed), Number(halfLife));
    expect(decimal(slowPrice(average, "down"))).toBe(after);
  }
});

describe("marks carry it (S07)", () => {
  const coin = spot("MNGO-USDT", "MNGO");
  const slowly = { ...coin, markRule: { ...coin.markRule, slowHalfLifeMs: HOUR, jumpPpmMax: 100_000_000, jumpPpmPerMinute: 100_000_000 } };
  const tick = (text: string, minutes: number) => ({
    instrumentId: "MNGO-USDT",
    price: price(text),
    asOf: NOW + minutes * 60_000,
    source: "feed",
  });
  const play = (ticks: readonly (readonly [string, number])[], instrument: Instrument = slowly): Mark | null =>
    ticks.reduce<Mark | null>((mark, [text, at]) => judgeMark(mark, tick(text, at), instrument, NOW + at * 60_000).mark, null);
  const average = (mark: Mark | null): string => (mark?.slow === undefined ? "none" : slowPrice(mark.slow, "down").toString());

  test("a first price begins it, a pump moves it only by how long it lasts", () => {
    expect(average(play([["0.038", 0]]))).toBe("3800000");
    // The price that came counts from now on: at its own tick the average is where it was.
    expect(
      average(
        play([
          ["0.038", 0],
          ["0.91", 10],
        ]),
      ),
    ).toBe("3800000");
    // After ten minutes at 0.91, 10.9 % of the way.
    expect(
      average(
        play([
          ["0.038", 0],
          ["0.91", 10],
          ["0.91", 20],
        ]),
      ),
    ).toBe("13313631");
  });

  test("an instrument without a half-life has none, and one that loses it forgets", () => {
    expect(
      average(
        play(
          [
            ["0.038", 0],
            ["0.91", 10],
          ],
          coin,
        ),
      ),
    ).toBe("none");
    const carried = play([["0.038", 0]]);
    expect(judgeMark(carried, tick("0.038", 1), coin, NOW + 60_000).mark).not.toHaveProperty("slow");
  });

  test("a jump that waits moves nothing", () => {
    const guarded = { ...slowly, markRule: { ...slowly.markRule, jumpPpmMax: 100_000, jumpPpmPerMinute: 100_000 } };
    const waits = play(
      [
        ["0.038", 0],
        ["0.91", 10],
      ],
      guarded,
    );
    expect([waits?.candidate?.price, average(waits)]).toEqual([price("0.91"), "3800000"]);
  });

  test("a contract's mark has none unless its rule says so", () => {
    expect(judgeMark(null, { ...tick("1", 0), instrumentId: "BTC-PERP" }, contract("BTC-PERP"), NOW).mark).not.toHaveProperty("slow");
  });
});
