import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimal, money, price, quantity } from "../../../core/money.ts";
import { confidenceAddOn, depegAddOn } from "../../../core/options-margin/add-ons.ts";
import type { OptionLeg } from "../../../core/options-margin/leg.ts";
import { type OptionMargin, standardOptionMargin } from "../../../core/options-margin/standard.ts";
import { loadOptionMarginTerms, type OptionMarginTerms } from "../../../core/options-margin/terms.ts";
import { TermsError } from "../../../core/terms-error.ts";
import { modelTable } from "../models-page.ts";
import { EXCHANGE, EXPIRY, LISTED, option } from "./fixtures.ts";
import "../../seed.ts";

const at = (spot: string) => ({ spot: price(spot), forwards: new Map([EXPIRY, EXPIRY + 1].map((expiry) => [expiry, price(spot)])) });
const judged = (legs: readonly OptionLeg[], spot = "1500", terms: OptionMarginTerms = EXCHANGE): OptionMargin => {
  const margin = standardOptionMargin(legs, at(spot), terms);
  if (!margin.ok) throw new Error(margin.fault);
  return margin;
};
const figures = ({ initial, maintenance, expiries }: OptionMargin): string =>
  `${decimal(initial)} ${decimal(maintenance)} ${expiries[0]?.initial.bound ?? ""}`;

describe("options alone and strategies (M5, R6)", () => {
  test.each<[string, string[], string]>([
    ["a bought call is paid for: it needs nothing", ["1 call 1500 80"], "0 0 singles"],
    ["a short call at the money: 15 % and 7.5 % of 1500, and its value", ["-1 call 1500 80"], "305 192.5 singles"],
    ["100 out of the money takes 100 off, to keep not", ["-1 call 1600 40"], "190 152.5 singles"],
    ["at least 10 %", ["-1 call 1900 5"], "155 117.5 singles"],
    ["a short put", ["-1 put 1500 80"], "305 192.5 singles"],
    ["a put deep in the money: 7.5 % of its value to keep is more than of the price", ["-1 put 4000 2500"], "2725 2687.5 singles"],
    ["a bull spread owes nothing at settlement", ["1 call 1400 150", "-1 call 1500 80"], "0 0 worst payoff"],
    ["a bear spread owes the difference of strikes", ["-1 call 1400 150", "1 call 1500 80"], "100 100 worst payoff"],
    ["a wide spread is no more than its short leg", ["-1 call 1600 40", "1 call 2900 1"], "190 152.5 singles"],
    ["an iron condor owes one wing", ["1 put 1300 9", "-1 put 1400 30", "-1 call 1600 30", "1 call 1700 9"], "100 100 worst payoff"],
    [
      "a call sold twice and bought once: uncovered calls cost 1.2 forwards, alone is less",
      ["1 call 1400 150", "-2 call 1500 80"],
      "610 385 singles",
    ],
    [
      "deep in the money the uncovered call costs 1.2 and 1.1 forwards, less than alone",
      ["-2 call 100 1400", "1 call 200 1300"],
      "2000 1850 worst payoff",
    ],
    ["a box lent is owed whole", ["-1 call 1500 80", "1 put 1500 80", "1 call 2500 2", "-1 put 2500 990"], "1000 1000 worst payoff"],
    ["a box borrowed owes nothing", ["1 call 1500 80", "-1 put 1500 80", "-1 call 1600 40", "1 put 1600 140"], "0 0 worst payoff"],
  ])("%s", (_, rows, expected) => {
    const legs = rows.map((row) => option(row.slice(0, row.lastIndexOf(" ")), row.slice(row.lastIndexOf(" ") + 1)));
    expect(figures(judged(legs))).toBe(expected);
  });

  test("κ of 1.05 lifts the initial requirement of a put above its maintenance requirement", () => {
    const terms = { ...EXCHANGE, putInitialOverMaintenance: 1_050_000 };
    expect(figures(judged([option("-1 put 4000", "2500")], "1500", terms))).toBe("2821.875 2687.5 singles");
  });

  test("an inverse option is the same with a price of 1 coin; its call owes at most the coin", () => {
    const inverse = { kind: "inverse" } as const;
    expect(figures(judged([option("-1 call 1500", "0.05", inverse)]))).toBe("0.2 0.125 singles");
    expect(figures(judged([option("-1 call 1575", "0.03", inverse)]))).toBe("0.13 0.105 singles");
    expect(figures(judged([option("-1 call 10", "0.99", inverse)]))).toBe("1 1 worst payoff");
    // 1400 against 1500: at 1500 and above the spread owes 100 of 1500 in coin.
    const spread = judged([option("-1 call 1400", "0.1", inverse), option("1 call 1500", "0.05", inverse)]);
    expect([decimal(spread.initial), spread.expiries[0]?.worstAt]).toEqual(["0.06666667", price("1500")]);
    // A put sold for coin has no greatest loss in coin.
    expect(judged([option("-1 put 1500", "0.05", inverse)]).expiries[0]).toMatchObject({ worstAt: null });
  });

  test("expiries add up: nothing is offset between them, and each says what decided it", () => {
    const margin = judged([option("-1 call 1400", "150"), option("1 call 1500", "80", { expiryAt: EXPIRY + 1 })]);
    expect(margin.expiries.map(({ expiryAt, initial }) => [expiryAt, decimal(initial.required)])).toEqual([
      [EXPIRY, "375"],
      [EXPIRY + 1, "0"],
    ]);
    expect(decimal(margin.value)).toBe("-70");
  });

  test("uncovered calls are charged on the forward of their expiry, not on the spot", () => {
    const forwards = new Map([[EXPIRY, price("1000")]]);
    const margin = standardOptionMargin(
      [option("-2 call 100", "1400"), option("1 call 200", "1300")],
      { spot: price("1500"), forwards },
      EXCHANGE,
    );
    expect(margin).toMatchObject({ initial: money("1400"), maintenance: money("1300") });
  });

  test("parts name each option: alone, at its mark, and at the price that decides", () => {
    const [expiry] = judged([option("-1 call 1400", "150"), option("1 call 1500", "80")]).expiries;
    expect(expiry?.worstAt).toBe(price("1500"));
    expect(expiry?.parts.map((part) => [part.instrumentId, decimal(part.initial), decimal(part.value), decimal(part.worstPayoff)])).toEqual(
      [
        ["-1 call 1400", "375", "-150", "-100"],
        ["1 call 1500", "0", "80", "0"],
      ],
    );
  });

  test("Reg T: 20 % less what is out, 10 % of the strike for a put; a straddle is the greater side and the other's value", () => {
    expect(figures(judged([option("-1 put 80", "1")], "100", LISTED))).toBe("9 9 singles");
    expect(figures(judged([option("-1 call 100", "5"), option("-1 put 100", "4")], "100", LISTED))).toBe("29 29 singles");
    // 12 for the call, 24 for the put: the call counts with its value.
    expect(figures(judged([option("-1 call 110", "2"), option("-1 put 100", "4")], "100", LISTED))).toBe("26 26 singles");
    expect(figures(judged([option("-3 call 100", "5"), option("-1 put 100", "4")], "100", LISTED))).toBe("79 79 singles");
    // Uncovered calls have no bound under these terms.
    expect(judged([option("-1 call 100", "5")], "100", LISTED).expiries[0]?.initial.worstPayoff).toBeNull();
  });
});

const legs = fc.array(
  fc
    .record({
      right: fc.constantFrom("call", "put"),
      strike: fc.integer({ min: 500, max: 3_000 }),
      size: fc.integer({ min: -5, max: 5 }),
      value: fc.integer({ min: 0, max: 900 }),
    })
    .map(({ right, strike, size, value }) => option(`${size} ${right} ${strike}`, String(value))),
  { maxLength: 6 },
);
const kinds = fc.constantFrom<Partial<OptionLeg>>({}, { kind: "inverse" });
const shaped = (given: readonly OptionLeg[], patch: Partial<OptionLeg>): OptionLeg[] =>
  given.map((leg) => ({ ...leg, ...patch, value: patch.kind === "inverse" ? price((Number(leg.value) / 1e11).toFixed(8)) : leg.value }));

describe("whatever is held (M5)", () => {
  test("0 ≤ MM ≤ IM, no more than alone, no more than the payoff's bound; buying never raises it", () => {
    fc.assert(
      fc.property(legs, kinds, fc.constantFrom(EXCHANGE, LISTED), (given, patch, terms) => {
        const margin = judged(shaped(given, patch), "1500", terms);
        expect(margin.maintenance >= 0n && margin.initial >= margin.maintenance).toBe(true);
        for (const { initial, parts } of margin.expiries) {
          expect(initial.required <= parts.reduce((sum, part) => sum + part.initial, 0n)).toBe(true);
          expect(initial.worstPayoff === null || initial.required <= initial.worstPayoff).toBe(true);
        }
        const bought = judged(shaped([...given, option("1 call 1500", "80"), option("1 put 1500", "80")], patch), "1500", terms);
        expect(bought.initial <= margin.initial && bought.maintenance <= margin.maintenance).toBe(true);
      }),
    );
  });

  test("nothing settles below what premium style asks for, wherever calls are covered", () => {
    const prices = fc.integer({ min: 0, max: 6_000 }).map((at) => BigInt(at) * 100_000_000n);
    fc.assert(
      fc.property(legs, prices, (given, settled) => {
        const calls = given.reduce((sum, leg) => (leg.right === "call" ? sum + leg.quantity : sum), 0n);
        fc.pre(calls >= 0n);
        const payoff = given.reduce((sum, { right, strike, quantity: size }) => {
          const inner = right === "call" ? settled - strike : strike - settled;
          return sum + (size * (inner > 0n ? inner : 0n)) / 100_000_000n;
        }, 0n);
        const [expiry] = judged(given).expiries;
        expect(payoff >= -(expiry?.maintenance.worstPayoff ?? 0n)).toBe(true);
      }),
    );
  });

  test("daily settled options leave the same surplus as paid ones: the value moves from the requirement to equity", () => {
    fc.assert(
      fc.property(legs, (given) => {
        const paid = judged(given);
        const settled = judged(shaped(given, { style: "futures" }));
        const moved = paid.initial + paid.value > 0n ? paid.initial + paid.value : 0n;
        // Where the payoff is positive everywhere, premium style gives no credit for it.
        if (paid.initial === 0n) expect(settled.initial <= moved).toBe(true);
        else expect(settled.initial).toBe(moved);
      }),
    );
  });
});

describe("what cannot be judged is said by name", () => {
  const leg = option("-1 call 1500", "80");
  test.each<[string, readonly OptionLeg[], Partial<ReturnType<typeof at>>, object]>([
    ["no spot", [leg], { spot: price("0") }, { fault: "NO_SPOT" }],
    ["no forward", [leg], { forwards: new Map() }, { fault: "NO_FORWARD", expiryAt: EXPIRY }],
    ["a strike of 0", [{ ...leg, strike: price("0") }], {}, { fault: "BAD_STRIKE", instrumentId: "-1 call 1500" }],
    ["a multiplier of 0", [{ ...leg, multiplier: quantity("0") }], {}, { fault: "BAD_MULTIPLIER" }],
    ["a negative value", [{ ...leg, value: price("-1") }], {}, { fault: "BAD_VALUE" }],
    ["coin beside dollars", [leg, { ...leg, kind: "inverse" }], {}, { fault: "MIXED_SETTLEMENT" }],
  ])("%s", (_, given, market, expected) => {
    expect(standardOptionMargin(given, { ...at("1500"), ...market }, EXCHANGE)).toMatchObject({ ok: false, ...expected });
  });

  test.each<[string, Partial<OptionMarginTerms>, RegExp]>([
    ["a rate that is no whole ppm", { rate: { initial: 0.15, maintenance: 0.075 } }, /rate: .*15 % is 150000/],
    ["an initial rate below maintenance", { rate: { initial: 70_000, maintenance: 75_000 } }, /Raise the initial rate/],
    ["no maintenance", { rate: { initial: 70_000, maintenance: 0 }, least: { initial: 0, maintenance: 0 } }, /maintenance rate is 0/],
    ["a least above its rate", { least: { initial: 160_000, maintenance: 75_000 } }, /least: 160000 is above the rate 150000/],
    ["κ below 1", { putInitialOverMaintenance: 900_000 }, /κ|putInitialOverMaintenance/],
    ["a value share that is none", { putValueMaintenance: -1 }, /putValueMaintenance/],
    ["uncovered calls the wrong way round", { unpairedCall: { initial: 1, maintenance: 2 } }, /unpairedCall/],
  ])("terms: %s", (_, patch, expected) => {
    expect(() => loadOptionMarginTerms("option margin of ETH", { ...EXCHANGE, ...patch })).toThrow(expected);
    expect(() => loadOptionMarginTerms("option margin of ETH", { ...EXCHANGE, ...patch })).toThrow(TermsError);
  });
});

test("doubt about a price and a broken peg cost initial margin only (M2)", () => {
  const terms = { threshold: 550_000, factor: 400_000 };
  expect(decimal(confidenceAddOn(money("1500"), 150_000, terms))).toBe("510");
  expect(decimal(confidenceAddOn(money("1500"), 550_000, terms))).toBe("0");
  expect(decimal(depegAddOn(money("1000"), price("0.93"), price("0.98"), 1_200_000))).toBe("60");
  expect(decimal(depegAddOn(money("1000"), price("0.98"), price("0.98"), 1_200_000))).toBe("0");
});

test("the worked example of the page", () => {
  for (const [held, initial, maintenance, bound] of modelTable("standard-option-margin.md", "held")) {
    const rows = (held as string).split(", ").map((row) => row.split(" at "));
    const margin = judged(rows.map(([name = "", value = ""]) => option(name, value)));
    expect([held, figures(margin)]).toEqual([held, `${initial} ${maintenance} ${bound}`]);
  }
});
