import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Money, money } from "../../core/money.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers, type RawTier, requirementOf, tierAt } from "../../core/tiers.ts";

const tier = (floor: string, rateIm: number, rateMm: number, patch: Partial<RawTier> = {}): RawTier => ({
  floor: money(floor),
  rateIm,
  rateMm,
  ...patch,
});
const table: readonly RawTier[] = [tier("0", 8_000, 4_000), tier("50000", 10_000, 5_000), tier("250000", 20_000, 10_000)];

describe("loadTiers (M3, R24)", () => {
  test("derives the amounts that make the requirement continuous", () => {
    expect(loadTiers("t", table, 0).map(({ amountIm, amountMm }) => [amountIm, amountMm])).toEqual([
      [0n, 0n],
      [money("100"), money("50")],
      [money("2600"), money("1300")],
    ]);
  });

  test("given amounts are checked, and pass when they are right", () => {
    const given = [
      tier("0", 8_000, 4_000, { amountIm: money("0"), amountMm: money("0") }),
      tier("50000", 10_000, 5_000, { amountMm: money("50") }),
    ];
    expect(loadTiers("t", given, 0)).toHaveLength(2);
  });

  test.each<[string, readonly RawTier[], number, string, RegExp]>([
    ["no bracket", [], 0, "the whole table", /Give at least one/],
    ["first floor not 0", [tier("1", 8_000, 4_000)], 0, "bracket 1", /Start the table at notional 0/],
    [
      "descending floors",
      [tier("0", 8_000, 4_000), tier("10", 9_000, 5_000), tier("5", 10_000, 6_000)],
      0,
      "bracket 3",
      /Sort the brackets/,
    ],
    ["equal floors", [tier("0", 8_000, 4_000), tier("0", 9_000, 5_000)], 0, "bracket 2", /Sort the brackets/],
    ["falling maintenance rate", [tier("0", 8_000, 4_000), tier("10", 9_000, 3_000)], 0, "bracket 2", /Rates rise/],
    ["falling initial rate", [tier("0", 8_000, 4_000), tier("10", 7_000, 5_000)], 0, "bracket 2", /Rates rise/],
    ["rates that do not rise", [tier("0", 8_000, 4_000), tier("10", 8_000, 4_000)], 0, "bracket 2", /Rates rise/],
    ["R24: initial below maintenance plus fee", [tier("0", 8_000, 4_000), tier("10", 8_100, 8_000)], 500, "bracket 2", /R24/],
    ["R1: initial equal to maintenance plus fee in the first bracket", [tier("0", 4_500, 4_000)], 500, "bracket 1", /IM > MM/],
    ["a rate of 0", [tier("0", 8_000, 0)], 0, "bracket 1", /whole parts per million/],
    ["a rate above 1", [tier("0", 1_000_001, 4_000)], 0, "bracket 1", /whole parts per million/],
    ["a fraction of a ppm", [tier("0", 8_000.5, 4_000)], 0, "bracket 1", /whole parts per million/],
    [
      "M3: a maintenance amount that jumps",
      [tier("0", 8_000, 4_000), tier("50000", 10_000, 5_000, { amountMm: money("51") })],
      0,
      "bracket 2",
      /amount 51 .* Continuity needs 50:/,
    ],
    ["M3: an initial amount that jumps", [tier("0", 8_000, 4_000, { amountIm: money("1") })], 0, "bracket 1", /Continuity needs 0:/],
  ])("refuses %s, naming table, bracket and mend", (_, raw, fee, place, words) => {
    const load = () => loadTiers("tiers of X-PERP", raw, fee);
    expect(load).toThrow(TermsError);
    expect(load).toThrow(words);
    try {
      load();
    } catch (error) {
      expect(error).toMatchObject({ name: "TermsError", subject: "tiers of X-PERP", place });
      expect((error as TermsError).mend.length).toBeGreaterThan(0);
    }
  });

  test("M3: a published table with a break at 75 million that belongs to one at 50 million is refused", () => {
    const rates = [
      ["0", 4_000],
      ["50000", 5_000],
      ["500000", 10_000],
      ["10000000", 25_000],
      ["75000000", 50_000],
    ] as const;
    const published = ["0", "50", "2550", "152550", "1402550"];
    const raw = rates.map(([floor, rate], index) => tier(floor, 2 * rate, rate, { amountMm: money(published[index] ?? "0") }));
    expect(() => loadTiers("t", raw, 0)).toThrow(
      "t, bracket 5: amount 1402550 makes the requirement jump at the floor. Continuity needs 2027550",
    );
  });

  test("R24: equality with maintenance plus fee is enough above the first bracket", () => {
    expect(loadTiers("t", [tier("0", 8_000, 4_000), tier("10", 8_500, 8_000)], 500)).toHaveLength(2);
  });
});

describe("requirements by bracket (M3)", () => {
  const tiers = loadTiers("t", table, 0);

  test("the bracket holds from its floor on", () => {
    expect(tierAt(tiers, money("49999.99999999")).rateMm).toBe(4_000);
    expect(tierAt(tiers, money("50000")).rateMm).toBe(5_000);
    expect(tierAt(tiers, money("0")).rateMm).toBe(4_000);
  });

  test("is the integral of marginal rates, with the fee in maintenance, rounded up (M0)", () => {
    expect(requirementOf(tiers, money("300000"), 0)).toEqual({ initial: money("3400"), maintenance: money("1700") });
    expect(requirementOf(tiers, money("300000"), 500).maintenance).toBe(money("1850"));
    expect(requirementOf(tiers, 1n as Money, 0)).toEqual({ initial: 1n, maintenance: 1n });
  });

  test("never falls and never jumps as the notional grows, and IM stays above MM (R1)", () => {
    const loaded = loadTiers("t", [tier("0", 8_000, 4_000), tier("0.03", 9_000, 4_001), tier("777.77777777", 20_000, 19_000)], 500);
    fc.assert(
      fc.property(fc.bigInt(1n, 200_000_000_000n), (notional) => {
        const here = requirementOf(loaded, notional as Money, 500);
        const next = requirementOf(loaded, (notional + 1n) as Money, 500);
        expect(next.initial - here.initial >= 0n && next.initial - here.initial <= 2n).toBe(true);
        expect(next.maintenance - here.maintenance >= 0n && next.maintenance - here.maintenance <= 2n).toBe(true);
        expect(here.initial >= here.maintenance).toBe(true);
      }),
    );
  });
});
