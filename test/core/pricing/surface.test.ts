import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { black76 } from "../../../core/pricing/black76.ts";
import { type OptionQuote, type QuoteFaultName, surfaceFromQuotes } from "../../../core/pricing/quotes.ts";
import { type SurfaceNode, type SurfaceSlice, volatilityAt, volatilitySurface } from "../../../core/pricing/surface.ts";

const YEARS = 0.25;
/** A call or put at 100 quoted half a point of volatility around `volatility`. */
const quoted = (strike: number, volatility: number, patch: Partial<OptionQuote> = {}): OptionQuote => {
  const years = patch.years ?? YEARS;
  const right = patch.right ?? (strike >= 100 ? "call" : "put");
  const at = (of: number): number => black76(100, strike, of * Math.sqrt(years), 0.99, right === "call");
  return { strike, years, forward: 100, discount: 0.99, right, bid: at(volatility - 0.005), ask: at(volatility + 0.005), ...patch };
};
const CHAIN = [quoted(80, 0.7), quoted(90, 0.62), quoted(100, 0.6), quoted(110, 0.61), quoted(120, 0.65)];
/** The chain with one strike's quote changed. */
const withStrike = (strike: number, patch: Partial<OptionQuote>): OptionQuote[] =>
  CHAIN.map((quote) => (quote.strike === strike ? { ...quote, ...patch } : quote));
const answered = (quotes: readonly OptionQuote[], strike: number, years = YEARS) => {
  const answer = volatilityAt(surfaceFromQuotes(quotes).surface, strike, 100, years);
  if (!answer.ok) throw new Error(answer.fault);
  return answer;
};

describe("surfaceFromQuotes (M1, S15)", () => {
  test("a good chain: each strike has its volatility, bid and ask beside it, and nothing is reported", () => {
    const { surface, quoteFaults, faults } = surfaceFromQuotes(CHAIN);
    expect([quoteFaults, faults]).toEqual([[], []]);
    const answer = volatilityAt(surface, 110, 100, YEARS);
    expect(answer).toMatchObject({ ok: true, quality: "QUOTED" });
    if (answer.ok) {
      expect([answer.low, answer.high].map((each) => each.toFixed(6))).toEqual(["0.605000", "0.615000"]);
      // The volatility of the mid price, which is not quite the mid of the volatilities.
      expect(answer.volatility.toFixed(4)).toBe("0.6100");
    }
  });

  test("between strikes total variance is linear in log-moneyness; beyond the last volatility is flat and MODEL", () => {
    const middle = answered(CHAIN, Math.sqrt(100 * 110));
    expect(middle.quality).toBe("QUOTED");
    expect(middle.volatility).toBeCloseTo(0.605021, 4);
    expect(answered(CHAIN, 200)).toMatchObject({ quality: "MODEL" });
    expect(answered(CHAIN, 200).volatility).toBeCloseTo(0.65, 4);
    expect(answered(CHAIN, 20).volatility).toBeCloseTo(0.7, 4);
  });

  test.each<[QuoteFaultName, Partial<OptionQuote>]>([
    ["NO_QUOTE", { bid: null, ask: null }],
    ["NO_BID", { bid: null }],
    ["NO_ASK", { ask: null }],
    ["ZERO_BID", { bid: 0 }],
    ["ZERO_ASK", { bid: 0, ask: 0 }],
    ["CROSSED", { bid: 9, ask: 8 }],
    ["NEGATIVE_PRICE", { bid: -1 }],
    ["NOT_A_NUMBER", { bid: Number.NaN }],
    ["NOT_A_NUMBER", { ask: Number.POSITIVE_INFINITY }],
    ["ABOVE_BOUND", { bid: 99.5, ask: 99.9 }],
    ["ABOVE_BOUND", { ask: 99.9 }],
    ["BELOW_INTRINSIC", { right: "put", bid: 5, ask: 9 }],
    ["BELOW_INTRINSIC", { right: "put", bid: 5, ask: 15 }],
  ])("%s: %j is reported with its strike, and the model answers there and beside it", (fault, patch) => {
    const quotes = withStrike(110, patch);
    const { quoteFaults } = surfaceFromQuotes(quotes);
    expect(quoteFaults).toEqual([{ strike: 110, years: YEARS, right: patch.right ?? "call", fault }]);
    expect([90, 95, 100, 105, 110, 115, 120].map((strike) => answered(quotes, strike).quality)).toEqual([
      "QUOTED",
      "QUOTED",
      "QUOTED",
      "MODEL",
      "MODEL",
      "MODEL",
      "QUOTED",
    ]);
  });

  test.each<[QuoteFaultName, Partial<OptionQuote>]>([
    ["NOT_A_NUMBER", { discount: Number.NaN }],
    ["FORWARD_NOT_POSITIVE", { forward: 0 }],
    ["STRIKE_NOT_POSITIVE", { strike: 0 }],
    ["DISCOUNT_NOT_POSITIVE", { discount: -1 }],
    ["TIME_NOT_POSITIVE", { years: -0.1 }],
  ])("%s: %j has no place on the surface", (fault, patch) => {
    const { surface, quoteFaults } = surfaceFromQuotes([...CHAIN, { ...quoted(130, 0.7), ...patch }]);
    expect(quoteFaults.map((each) => each.fault)).toEqual([fault]);
    expect(surface).toEqual(surfaceFromQuotes(CHAIN).surface);
  });

  test("a second quote of one option is reported and changes nothing", () => {
    const { surface, quoteFaults } = surfaceFromQuotes([...CHAIN, quoted(110, 0.9)]);
    expect(quoteFaults).toEqual([{ strike: 110, years: YEARS, right: "call", fault: "DUPLICATE" }]);
    expect(surface).toEqual(surfaceFromQuotes(CHAIN).surface);
  });

  test("of a strike's two options the one out of the money speaks; where it has no quote, the other one", () => {
    const put = quoted(110, 0.8, { right: "put" });
    expect(answered([put, ...CHAIN], 110).volatility).toBeCloseTo(0.61, 5);
    expect(answered([...CHAIN, put], 110).volatility).toBeCloseTo(0.61, 5);
    const instead = answered([...withStrike(110, { bid: null }), put], 110);
    expect(instead.quality).toBe("QUOTED");
    expect(instead.volatility).toBeCloseTo(0.8, 4);
  });

  test("one good side bounds the model: a bid above it lifts it, an ask below it lowers it, others leave it", () => {
    const plain = answered(withStrike(110, { bid: null, ask: null }), 110);
    const dear = answered(withStrike(110, { bid: quoted(110, 0.805).bid, ask: null }), 110);
    expect([dear.volatility, dear.high].map((each) => each.toFixed(4))).toEqual(["0.8000", "0.8000"]);
    expect(dear.low).toBeCloseTo(plain.low, 12);
    const cheap = answered(withStrike(110, { bid: null, ask: quoted(110, 0.395).ask }), 110);
    expect([cheap.low, cheap.volatility].map((each) => each.toFixed(4))).toEqual(["0.4000", "0.4000"]);
    expect(cheap.high).toBeCloseTo(plain.high, 12);
    expect(answered(withStrike(110, { ask: null }), 110).volatility).toBeCloseTo(plain.volatility, 12);
    const apart = [...withStrike(110, { bid: quoted(110, 0.9).bid, ask: null }), { ...quoted(110, 0.5, { right: "put" }), bid: null }];
    expect(answered(apart, 110).volatility).toBeCloseTo(plain.volatility, 12);
  });

  test("an expiry without a good pair has no slice, and no quotes at all answer NONE", () => {
    const { surface, quoteFaults } = surfaceFromQuotes(CHAIN.map((quote) => ({ ...quote, ask: null })));
    expect(quoteFaults).toHaveLength(5);
    expect(surface.slices).toEqual([]);
    expect(volatilityAt(surface, 100, 100, YEARS)).toEqual({ ok: false, quality: "NONE", fault: "EMPTY_SURFACE" });
  });

  test("S15: an evening with one strike never quoted and three without an ask is answered, conservatively on both sides", () => {
    const quotes = CHAIN.map((quote, index) =>
      index === 0 ? { ...quote, bid: null, ask: null } : index > 1 ? { ...quote, ask: null } : quote,
    );
    const answer = answered(quotes, 100);
    expect(answer.quality).toBe("MODEL");
    expect(answer.low).toBeLessThanOrEqual(answer.volatility);
    expect(answer.high).toBeGreaterThanOrEqual(answer.volatility);
    expect(surfaceFromQuotes(quotes).quoteFaults.map(({ strike, fault }) => `${strike} ${fault}`)).toEqual([
      "80 NO_QUOTE",
      "100 NO_ASK",
      "110 NO_ASK",
      "120 NO_ASK",
    ]);
  });

  test("whatever the quotes, an answer is ordered and finite", () => {
    const side = fc.option(fc.oneof(fc.double({ min: -1, max: 120 }), fc.constantFrom(Number.NaN, 0)), { nil: null });
    const quote = fc.record({
      strike: fc.integer({ min: 60, max: 140 }),
      right: fc.constantFrom("call" as const, "put" as const),
      bid: side,
      ask: side,
    });
    fc.assert(
      fc.property(fc.array(quote, { maxLength: 12 }), fc.integer({ min: 10, max: 300 }), (drawn, strike) => {
        const { surface } = surfaceFromQuotes(drawn.map((each) => ({ ...each, forward: 100, discount: 0.99, years: YEARS })));
        const answer = volatilityAt(surface, strike, 100, YEARS);
        if (!answer.ok) expect(answer.fault).toBe("EMPTY_SURFACE");
        else expect(answer.low <= answer.volatility && answer.volatility <= answer.high && Number.isFinite(answer.high)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

const node = (logMoneyness: number, variance: number, patch: Partial<SurfaceNode> = {}): SurfaceNode => ({
  logMoneyness,
  variance,
  low: variance,
  high: variance,
  quality: "QUOTED",
  ...patch,
});
const flat = (years: number, volatility: number): SurfaceSlice => ({
  kind: "NODES",
  years,
  nodes: [node(-0.5, volatility * volatility * years), node(0.5, volatility * volatility * years)],
});
const svi = (a: number, years: number): SurfaceSlice => ({ kind: "SVI", years, parameters: { a, b: 0.1, m: 0, rho: -0.3, sigma: 0.2 } });

describe("volatilitySurface (M1)", () => {
  test("between expiries total variance is linear in time; before and after them volatility is flat", () => {
    const { surface, faults } = volatilitySurface([flat(1, 0.6), flat(0.25, 0.8)]);
    expect(faults).toEqual([]);
    const at = (years: number) => volatilityAt(surface, 100, 100, years);
    const seen = [0.1, 0.25, 0.5, 1, 2].map(at).map((answer) => answer.ok && [answer.quality, answer.volatility.toFixed(6)]);
    expect(seen).toEqual([
      ["MODEL", "0.800000"],
      ["QUOTED", "0.800000"],
      // (0.16 · 2/3 + 0.36 · 1/3) / 0.5
      ["QUOTED", "0.673300"],
      ["QUOTED", "0.600000"],
      ["MODEL", "0.600000"],
    ]);
  });

  test("SVI parameters answer MODEL", () => {
    const answer = volatilityAt(volatilitySurface([svi(0.04, 0.5)]).surface, 100, 100, 0.5);
    expect(answer).toMatchObject({ quality: "MODEL" });
    // w = 0.04 + 0.1 · 0.2 = 0.06 over half a year.
    expect(answer.ok && answer.volatility).toBeCloseTo(0.34641, 5);
  });

  test.each<[string, SurfaceSlice, string]>([
    ["a time of 0", flat(0, 0.5), "TIME_NOT_POSITIVE"],
    ["a time of NaN", flat(Number.NaN, 0.5), "NOT_A_NUMBER"],
    ["the same expiry twice", flat(0.25, 0.7), "DUPLICATE_EXPIRY"],
    ["no nodes", { kind: "NODES", years: 1, nodes: [] }, "NO_NODES"],
    ["nodes out of order", { kind: "NODES", years: 1, nodes: [node(0, 0.1), node(0, 0.1)] }, "NODES_OUT_OF_ORDER"],
    ["a variance of 0", { kind: "NODES", years: 1, nodes: [node(0, 0)] }, "VARIANCE_NOT_POSITIVE"],
    ["a bid above the mid", { kind: "NODES", years: 1, nodes: [node(0, 0.1, { low: 0.2 })] }, "VARIANCE_NOT_POSITIVE"],
    ["a variance of NaN", { kind: "NODES", years: 1, nodes: [node(0, Number.NaN)] }, "NOT_A_NUMBER"],
    ["SVI of negative variance", svi(-0.5, 1), "NEGATIVE_VARIANCE"],
  ])("%s is left out and reported", (_, slice, fault) => {
    const { surface, faults } = volatilitySurface([flat(0.25, 0.8), slice]);
    expect(faults).toMatchObject([{ dropped: true, fault }]);
    expect(surface.slices).toHaveLength(1);
  });

  test.each<[string, readonly SurfaceNode[], string | null]>([
    ["a strike far above its neighbours", [node(-0.1, 0.01), node(0, 0.04), node(0.1, 0.01)], "BUTTERFLY_ARBITRAGE at 0"],
    ["the same inside its wide bid and ask", [node(-0.1, 0.01), node(0, 0.04, { low: 0.009 }), node(0.1, 0.01)], null],
    ["the same across a hole", [node(-0.1, 0.01), node(0, 0.04), node(0.1, 0.01, { quality: "MODEL" })], null],
    ["a call above the one a strike below", [node(0, 0.01), node(0.1, 0.09)], "SPREAD_ARBITRAGE at 0.1"],
    ["a smile", [node(-0.1, 0.011), node(0, 0.01), node(0.1, 0.011)], null],
  ])("%s: %s", (_, nodes, told) => {
    const { surface, faults } = volatilitySurface([{ kind: "NODES", years: 0.25, nodes }]);
    expect(surface.slices).toHaveLength(1);
    const found = faults.map((fault) => ("logMoneyness" in fault ? `${fault.fault} at ${fault.logMoneyness}` : fault.fault));
    expect(found).toEqual(told === null ? [] : [told]);
  });

  test("total variance that falls with time is a calendar arbitrage, reported with expiry and log-moneyness", () => {
    expect(volatilitySurface([flat(0.25, 0.8), flat(0.5, 0.4)]).faults).toEqual([
      { years: 0.5, dropped: false, fault: "CALENDAR_ARBITRAGE", logMoneyness: -0.5 },
    ]);
    expect(volatilitySurface([svi(0.04, 0.25), svi(0.03, 0.5)]).faults).toMatchObject([{ fault: "CALENDAR_ARBITRAGE", logMoneyness: -1 }]);
    expect(volatilitySurface([svi(0.04, 0.25), svi(0.04, 0.5)]).faults).toEqual([]);
  });

  test.each<[string, number, number, number, string]>([
    ["NaN", Number.NaN, 100, 1, "NOT_A_NUMBER"],
    ["a moneyness beyond float64", 1e-300, 1e300, 1, "NOT_A_NUMBER"],
    ["a forward of 0", 100, 0, 1, "FORWARD_NOT_POSITIVE"],
    ["a strike below 0", -1, 100, 1, "STRIKE_NOT_POSITIVE"],
    ["negative time", 100, 100, -1, "TIME_NOT_POSITIVE"],
  ])("%s is answered by name", (_, strike, forward, years, fault) => {
    const { surface } = volatilitySurface([flat(0.25, 0.8)]);
    expect(volatilityAt(surface, strike, forward, years)).toEqual({ ok: false, quality: "NONE", fault });
  });

  test("a variance that is no volatility of so short a time is answered by name", () => {
    const { surface } = volatilitySurface([{ kind: "NODES", years: 1e-310, nodes: [node(0, 1)] }]);
    expect(volatilityAt(surface, 100, 100, 1e-310)).toEqual({ ok: false, quality: "NONE", fault: "NOT_A_NUMBER" });
  });
});
