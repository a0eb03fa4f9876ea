import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { portfolioMargin, portfolioSurplus } from "../../../core/portfolio/portfolio-margin.ts";
import { STANDARD_UNIT, type UnitTerms } from "../../../core/portfolio/portfolio-terms.ts";
import { scenarioSet } from "../../../core/portfolio/scenario-set.ts";
import { BARE, DAY_MS, future, held, majors, option, priced, required, termsOf, unitAt } from "./portfolio-fixtures.ts";

const cents = (value: number): number => Math.round(value * 100) / 100;

/** The worked example of docs/reference/models/portfolio-margin.md. */
const worked = () => {
  const terms = majors(800_000);
  const [btc, eth] = [unitAt(terms, "BTC", 50_000), unitAt(terms, "ETH", 2_500)];
  return required(
    [
      held(1, priced("BTC-PERP", future(50_000), btc)),
      held(-2, priced("BTC-C60", option(true, 60_000, 30), btc)),
      held(-10, priced("ETH-PERP", future(2_500), eth)),
    ],
    terms,
  );
};

describe("M6: the worked example", () => {
  test("every figure of the page is what the engine says", () => {
    const answer = worked();
    const [btc, eth] = answer.units;
    const figures = {
      "scan loss of BTC": btc?.scanLoss,
      "short option minimum, IM": btc?.addOns[0]?.initial,
      "short option minimum, MM": btc?.addOns[0]?.maintenance,
      "delta floor of BTC": btc?.floor.maintenance,
      "scan loss of ETH": eth?.scanLoss,
      "joint losses apart": answer.offsets[0]?.lossApart,
      "joint loss together": answer.offsets[0]?.lossTogether,
      "offset, MM": answer.offsets[0]?.maintenance,
      "offset, IM": answer.offsets[0]?.initial,
      MM: answer.maintenance,
      IM: answer.initial,
    };
    const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/models/portfolio-margin.md"), "utf8");
    const rows = [...page.matchAll(/^\| ([^|]+) \| ([\d,]+\.\d\d) \|/gm)].map(([, name, figure]) => [
      name,
      Number(figure?.replaceAll(",", "")),
    ]);
    expect(rows).toEqual(Object.entries(figures).map(([name, value]) => [name, cents(value ?? Number.NaN)]));
  });

  test("the explanation names the scenario, and its parts add up to the loss", () => {
    const [btc] = worked().units;
    expect(btc?.binding).toEqual({ index: 27, name: "price −66 %, volatility up" });
    expect(btc?.parts.map(({ instrumentId, pnl }) => [instrumentId, cents(pnl)])).toEqual([
      ["BTC-C60", 338.3],
      ["BTC-PERP", -8000],
    ]);
    expect(btc?.pnl).toHaveLength(37);
    expect(btc?.names).toHaveLength(37);
  });

  test("R6: option value stays in equity", () => {
    const surplus = portfolioSurplus(10_000, worked());
    expect([surplus.markToMarket, surplus.initial, surplus.maintenance].map(cents)).toEqual([8604.52, 261.57, 2371.48]);
  });
});

describe("M6: the scenarios", () => {
  const { names, scenarios, own, rollUp, joint, jointRows } = scenarioSet(majors(800_000), "BTC");

  test("9 prices × 3 volatilities, 8 tails, 2 moves of the smile, then roll and joint moves", () => {
    expect([own, rollUp, joint, jointRows, scenarios.length]).toEqual([37, 37, 39, 27, 66]);
    expect(names[0]).toBe("price −16 %, volatility down");
    expect(names[13]).toBe("price 0 %, volatility same");
    expect(scenarios[27]).toEqual({
      name: "price −66 %, volatility up",
      priceFactor: 0.34,
      volatility: "up",
      weight: 16 / 66,
      priceMove: -0.66,
    });
    expect(scenarios[34]).toEqual({ name: "price +500 %, volatility up", priceFactor: 6, volatility: "up", weight: 0.032, priceMove: 5 });
    expect(names.slice(35)).toEqual(["price 0 %, smile tilted", "price 0 %, smile lifted"]);
  });
});

describe("M6: one kind of leg at a time, 16 % up and down", () => {
  const terms = termsOf(BARE);
  const unit = unitAt(terms, "BTC", 50_000);
  test.each([
    ["long linear", 2, future(50_000), 16_000, "price −16 %, volatility down"],
    ["short linear", -2, future(50_000), 16_000, "price +16 %, volatility down"],
    [
      "long inverse: 10,000 of the quote asset",
      100,
      { kind: "inverse", mark: 50_000, multiplier: 100, timeMs: null },
      1_600,
      "price −16 %, volatility down",
    ],
    ["long option, most of its value", 1, option(true, 60_000, 30), 692.2, "price −16 %, volatility down"],
    ["short straddle at expiry: its payoff", -1, option(true, 50_000, 0), 8_000, "price +16 %, volatility down"],
  ] as const)("%s", (_, quantity, leg, scanLoss, name) => {
    const [only] = required([held(quantity, priced("X", leg, unit))], terms).units;
    expect([cents(only?.scanLoss ?? Number.NaN), only?.binding?.name]).toEqual([scanLoss, name]);
  });

  test("an inverse option is worth its coin value at the shocked index", () => {
    const inverse = priced("I", option(true, 50_000, 0, { settle: "inverse", forward: 50_000 }), unit);
    const linear = priced("L", option(true, 50_000, 0), unit);
    expect(
      inverse.priced.ok &&
        linear.priced.ok &&
        [...inverse.priced.pnl].every((pnl, row) => Math.abs(pnl - (linear.priced.ok ? (linear.priced.pnl[row] ?? 0) : 0)) < 1e-9),
    ).toBe(true);
  });

  test("M1: what the settlement average has fixed does not move", () => {
    const half = priced("H", option(true, 50_000, 0, { forwardFixed: 25_000 }), unit);
    expect(half.priced.ok && Math.max(...half.priced.pnl)).toBe(4_000);
  });

  test("R26: MM is the scan loss, IM 1.3 of it", () => {
    const answer = required([held(1, priced("X", future(50_000), unit))], terms);
    expect([answer.maintenance, answer.initial]).toEqual([8_000, 10_400]);
  });

  test("nothing held, nothing asked, no scenario named", () => {
    expect(required([held(0, priced("X", future(50_000), unit))], terms)).toEqual({
      ok: true,
      initial: 0,
      maintenance: 0,
      marketValue: 0,
      units: [],
      offsets: [],
    });
    const [flat] = required([held(0.5, priced("A", future(50_000), unit)), held(-0.5, priced("B", future(50_000), unit))], terms).units;
    expect([flat?.scanLoss, flat?.binding, flat?.parts]).toEqual([0, null, []]);
  });
});

describe("M6: add-ons and floors by name", () => {
  const amounts = (patch: Partial<UnitTerms>, build: (unit: ReturnType<typeof unitAt>) => ReturnType<typeof held>[], at = {}) => {
    const terms = termsOf({ ...BARE, ...patch }, { spot: { BTC: { hedges: true, haircut: { imPpm: 50_000, mmPpm: 20_000 } } } });
    const answer = required(build(unitAt(terms, "BTC", 50_000, at)), terms);
    return answer.units[0]?.addOns.map(({ name, initial, maintenance }) => [name, cents(initial), cents(maintenance)]);
  };
  const call = (strike: number, days: number) => option(true, strike, days);
  const put = (strike: number, days: number) => option(false, strike, days);

  test.each([
    [
      "strikes do not net, calls and puts of one do",
      { shortOption: { imPpm: 5_000, mmPpm: 2_000 } },
      (u) => [
        held(-2, priced("a", call(60_000, 30), u)),
        held(1, priced("b", put(60_000, 30), u)),
        held(5, priced("c", call(61_000, 30), u)),
      ],
      {},
      [["short option minimum", 250, 100]],
    ],
    [
      "one strike of two expiries does not net",
      { shortOption: { imPpm: 5_000, mmPpm: 2_000 } },
      (u) => [held(-2, priced("a", call(60_000, 30), u)), held(2, priced("b", call(60_000, 60), u))],
      {},
      [["short option minimum", 500, 200]],
    ],
    [
      "the smaller side of futures",
      { hedged: { imPpm: 13_000, mmPpm: 10_000 } },
      (u) => [held(3, priced("a", future(50_000), u)), held(-1, priced("b", future(50_500), u))],
      {},
      [["hedged futures", 650, 500]],
    ],
    [
      "a price of little confidence, IM only",
      { confidence: { thresholdPpm: 550_000, factorPpm: 1_000_000 } },
      (u) => [held(-1, priced("a", future(50_000), u))],
      { spotConfidencePpm: 400_000 },
      [["price confidence", 30_000, 0]],
    ],
    [
      "a settlement asset below its peg, IM only",
      { depeg: { thresholdPpm: 980_000, factorPpm: 2_000_000 } },
      (u) => [held(1, priced("a", future(50_000), u))],
      { peg: 0.93 },
      [["settlement asset below its peg", 800, 0]],
    ],
  ] as const satisfies readonly (readonly [
    string,
    Partial<UnitTerms>,
    (unit: ReturnType<typeof unitAt>) => ReturnType<typeof held>[],
    object,
    unknown,
  ])[])("%s", (_, patch, build, at, expected) => {
    expect(amounts(patch, build, at)).toEqual(expected);
  });

  test("expiries that hedge each other's vega give back a share of what they save", () => {
    const build = (u: ReturnType<typeof unitAt>) => [held(-1, priced("a", call(50_000, 30), u)), held(1, priced("b", call(50_000, 90), u))];
    const [tenth] = amounts({ termMismatchPpm: 100_000 }, build) ?? [];
    const [all] = amounts({ termMismatchPpm: 1_000_000 }, build) ?? [];
    expect(tenth?.[0]).toBe("vega between expiries");
    expect(Number(all?.[2])).toBeCloseTo(10 * Number(tenth?.[2]), 0);
    expect(
      amounts({ termMismatchPpm: 100_000 }, (u) => [held(-1, priced("a", call(50_000, 30), u)), held(1, priced("b", put(50_000, 30), u))]),
    ).toEqual([]);
  });

  describe("close-out value: 0.95 of a net long expiry, 1.04 of a net short one and 1/D at most", () => {
    const rates = { rateMultiplePpm: 1_000_000, rateAddPpm: 80_000 };
    const patch = { closeOut: { long: { basePpm: 950_000, ...rates }, short: { basePpm: 1_040_000, ...rates } } };
    test.each([
      ["long", 1, 4_264.73],
      ["short", -1, 7_431.63],
    ])("%s", (_, quantity, scanLoss) => {
      const terms = termsOf({ ...BARE, ...patch });
      const unit = unitAt(terms, "BTC", 50_000);
      const legs = [held(quantity, priced("o", option(true, 50_000, 73, { discount: 0.98, rate: 0.1 }), unit))];
      expect(cents(required(legs, terms).units[0]?.scanLoss ?? Number.NaN)).toBe(scanLoss);
    });
  });

  test("a move of the smile is a loss of either side", () => {
    const scenarios = [{ movePpm: 0, volatility: "tilt", weightPpm: 1_000_000 }] as const;
    const loss = (quantity: number) => {
      const terms = termsOf({ ...BARE, skew: STANDARD_UNIT.skew, scenarios });
      const answer = required([held(quantity, priced("o", call(60_000, 30), unitAt(terms, "BTC", 50_000)))], terms);
      return [cents(answer.maintenance), cents(answer.units[0]?.parts[0]?.pnl ?? Number.NaN)];
    };
    expect([loss(1), loss(-1)]).toEqual([
      [82.28, -82.28],
      [82.28, -82.28],
    ]);
  });

  test("the roll scenario: expiries that hedge each other, each at its worse move", () => {
    const terms = termsOf({ ...BARE, roll: { upPpm: 40_000, downPpm: -40_000, fixedPpm: 250_000, perYearPpm: 1_000_000 } });
    const unit = unitAt(terms, "BTC", 50_000);
    const legs = [held(1, priced("near", future(50_000, 73 * DAY_MS), unit)), held(-1, priced("far", future(50_000, 365 * DAY_MS), unit))];
    const [only] = required(legs, terms).units;
    // 2,000 · (0.25 + 0.2) + 2,000 · (0.25 + 1).
    expect([cents(only?.scanLoss ?? Number.NaN), only?.binding?.name]).toEqual([3_400, "roll of the expiries"]);
    expect(only?.parts).toEqual([
      { instrumentId: "far", pnl: -2_500 },
      { instrumentId: "near", pnl: -900 },
    ]);
  });

  test.each([
    ["the minimum charge", { minimumChargePpm: 2_000 }, "minimum charge", 200, 260],
    ["the floor on delta", { deltaFloor: { netPpm: 20_000, hedgedPpm: 10_000 } }, "delta floor", 500, 650],
  ] as const)("%s holds where the scenarios ask less, 1.3 of it in IM", (_, patch, name, maintenance, initial) => {
    const terms = termsOf({ ...BARE, ...patch });
    const unit = unitAt(terms, "BTC", 50_000);
    const answer = required([held(1, priced("a", future(50_000), unit)), held(-1, priced("b", future(50_000), unit))], terms);
    expect([answer.maintenance, answer.initial]).toEqual([maintenance, initial]);
    expect(answer.units[0]?.floor).toEqual({ name, maintenance, bound: true });
  });

  test("a long option has no minimum charge, a short one has", () => {
    const floorOf = (quantity: number) => {
      const terms = termsOf({ ...BARE, minimumChargePpm: 2_000 });
      return required([held(quantity, priced("o", call(60_000, 30), unitAt(terms, "BTC", 50_000)))], terms).units[0]?.floor.maintenance;
    };
    expect([floorOf(3), floorOf(-3)]).toEqual([0, 300]);
  });

  test("a holding hedges, and pays its haircut; one without terms does neither", () => {
    const build = (asset: string) => {
      const terms = termsOf(BARE, { spot: { BTC: { hedges: true, haircut: { imPpm: 50_000, mmPpm: 20_000 } } } });
      const unit = unitAt(terms, "BTC", 50_000);
      const coin = { ...priced("coin", { kind: "spot", mark: 50_000, multiplier: 1, timeMs: null }, unit), asset };
      return required([held(1, coin), held(-1, priced("p", future(50_000), unit))], terms);
    };
    expect([build("BTC").maintenance, build("BTC").initial, build("BTC").marketValue]).toEqual([1_000, 2_500, 50_000]);
    expect([build("DOGE").maintenance, build("DOGE").marketValue]).toEqual([8_000, 50_000]);
  });
});

describe("M6: the offset between units", () => {
  const account = (lambdaPpm: number, ether: number) => {
    const terms = majors(lambdaPpm, BARE);
    const legs = [
      held(1, priced("BTC-PERP", future(50_000), unitAt(terms, "BTC", 50_000))),
      held(ether, priced("ETH-PERP", future(2_500), unitAt(terms, "ETH", 2_500))),
    ];
    return required(legs, terms);
  };
  test.each([
    ["long against short, λ 0.8: 0.8 · 4,000 + 0.2 · 12,000", 800_000, -10, 5_600],
    ["λ 0.5", 500_000, -10, 8_000],
    ["λ 0 gives nothing", 0, -10, 12_000],
    ["both long: they lose together", 800_000, 10, 12_000],
  ])("%s", (_, lambdaPpm, ether, maintenance) => {
    expect(account(lambdaPpm, ether).maintenance).toBeCloseTo(maintenance, 6);
  });

  test("it says which joint move binds", () => {
    expect(account(800_000, -10).offsets[0]?.binding).toBe("joint move −16 %, volatility down");
    expect(account(800_000, -20).offsets[0]?.binding).toBeNull();
  });

  test("one unit alone is given nothing, whatever its tails are", () => {
    const terms = majors(800_000);
    const unit = unitAt(terms, "BTC", 50_000);
    const alone = required([held(-1, priced("c", option(true, 150_000, 30), unit))], terms);
    expect(alone.offsets).toEqual([]);
    expect(alone.maintenance).toBe(alone.units[0]?.maintenance);
  });

  test("floors are not offset", () => {
    const terms = majors(800_000, { ...BARE, deltaFloor: { netPpm: 100_000, hedgedPpm: 0 } });
    const legs = [
      held(1, priced("BTC-PERP", future(50_000), unitAt(terms, "BTC", 50_000))),
      held(-20, priced("ETH-PERP", future(2_500), unitAt(terms, "ETH", 2_500))),
    ];
    const answer = required(legs, terms);
    expect([answer.maintenance, answer.initial].map(cents)).toEqual([10_000, 13_000]);
    expect(cents(answer.offsets[0]?.maintenance ?? 0)).toBe(6_000);
  });
});

describe("what cannot be priced", () => {
  const terms = termsOf(BARE);
  const unit = unitAt(terms, "BTC", 50_000);
  test.each([
    ["no volatility", option(true, 60_000, 30, { volatility: 0 }), "NO_VOLATILITY", 50_000],
    ["volatility that is no number", option(true, 60_000, 30, { volatility: Number.NaN }), "NO_VOLATILITY", 50_000],
    ["time below 0", option(true, 60_000, -1), "EXPIRED", 50_000],
    ["no forward; a put costs its strike", option(false, 60_000, 30, { forward: 0 }), "NO_FORWARD", 60_000],
    ["no discount", option(true, 60_000, 30, { discount: 0 }), "NO_DISCOUNT", 50_000],
    ["a value beyond numbers", option(true, 60_000, 30, { forward: 1.7e308 }), "NOT_FINITE", 50_000],
    ["a mark of 0", future(0), "NO_MARK", 50_000],
    ["a mark that is infinite", future(Number.POSITIVE_INFINITY), "NO_MARK", 50_000],
  ] as const)("%s is named and costs its notional", (_, leg, fault, amount) => {
    const answer = required([held(-2, priced("X", leg, unit)), held(1, priced("F", future(50_000), unit))], terms);
    expect(answer.units[0]?.unpriced).toEqual([{ instrumentId: "X", fault, amount: 2 * amount }]);
    expect([answer.maintenance, answer.initial]).toEqual([2 * amount + 8_000, 1.3 * (2 * amount) + 10_400]);
  });

  test.each([1, -1e305])("quantities that take figures beyond numbers are refused by their unit's legs: with %d", (other) => {
    expect(
      portfolioMargin([held(1e305, priced("F", future(50_000), unit)), held(other, priced("G", future(50_000), unit))], terms),
    ).toEqual({
      ok: false,
      faults: [
        { instrumentId: "F", fault: "NOT_FINITE" },
        { instrumentId: "G", fault: "NOT_FINITE" },
      ],
    });
  });

  test("legs of one unit from two snapshots are refused, not mixed", () => {
    const later = unitAt(terms, "BTC", 51_000);
    expect(portfolioMargin([held(1, priced("F", future(50_000), unit)), held(-1, priced("G", future(51_000), later))], terms)).toEqual({
      ok: false,
      faults: [{ instrumentId: "G", fault: "OTHER_SNAPSHOT" }],
    });
  });

  test("without a spot price too there is no figure: refused, every leg by name", () => {
    const blind = unitAt(terms, "BTC", Number.NaN);
    const answer = portfolioMargin(
      [held(1, priced("X", option(true, 60_000, 30), blind)), held(Number.NaN, priced("F", future(50_000), unit))],
      terms,
    );
    expect(answer).toEqual({
      ok: false,
      faults: [
        { instrumentId: "X", fault: "NO_SPOT" },
        { instrumentId: "F", fault: "BAD_QUANTITY" },
      ],
    });
  });
});
