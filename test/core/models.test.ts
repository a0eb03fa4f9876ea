import { describe, expect, test } from "vitest";
import { waysToCure } from "../../core/cure.ts";
import { decide } from "../../core/decide.ts";
import { fillPosition } from "../../core/fill.ts";
import type { Instrument, OptionTerms } from "../../core/instrument.ts";
import { planLiquidation } from "../../core/liquidation-plan.ts";
import { liquidationRoots } from "../../core/liquidation-price.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import type { Mark } from "../../core/mark.ts";
import { decimal, type Money, type Price, price, quantity } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "./margin-fixtures.ts";

/** 30 days from the instant of these tests. */
const EXPIRY = NOW + 30 * 86_400_000;

const option = (strike: string, right: "call" | "put", patch: Partial<OptionTerms> = {}, over: Partial<Instrument> = {}): Instrument =>
  contract(`BTC-${strike}-${right === "call" ? "C" : "P"}`, {
    kind: "option",
    tiers: [],
    expiryAt: EXPIRY,
    option: { underlyingId: "BTC-FUT", strike: price(strike), right, style: "premium", settlement: "linear", averagingMs: 0, ...patch },
    ...over,
  });

const FUTURE = contract("BTC-FUT", { expiryAt: EXPIRY });
const PERP = contract("BTC-PERP");
const CALL_66 = option("66000", "call");
const CALL_70 = option("70000", "call");
const CALL_74 = option("74000", "call");
const PUT_54 = option("54000", "put");
const MARKET = snapshotOf([FUTURE, PERP, CALL_66, CALL_70, CALL_74, PUT_54, spot("BTC-USDT", "BTC")], {
  "BTC-FUT": "60000",
  "BTC-PERP": "60000",
  "BTC-USDT": "60000",
  "BTC-66000-C": "1500",
  "BTC-70000-C": "700",
  "BTC-54000-P": "1200",
});
const PORTFOLIO: MarginModel = { kind: "portfolio", terms: STANDARD_TERMS, statistical: null };
const standard = policyWith([bare("USDT")]);
const portfolio = policyWith([bare("USDT")], { model: PORTFOLIO });
const shown = (amounts: { readonly initial: Money; readonly maintenance: Money; readonly equityMaintenance: Money }) => ({
  equity: decimal(amounts.equityMaintenance),
  initial: decimal(amounts.initial),
  maintenance: decimal(amounts.maintenance),
});

describe("an option's premium is cash (M1)", () => {
  test.each([
    ["bought", "2", "-3000"],
    ["sold", "-2", "3000"],
  ])("%s: %s contracts at 1500 move the cash by %s", (_, size, cash) => {
    const filled = fillPosition(CALL_66, null, quantity(size), price("1500"));
    expect(decimal(filled.realised)).toBe(cash);
    expect(filled.position?.quantity).toBe(quantity(size));
  });

  test("closing pays the price of the day, not a profit; a futures-style option settles its profit", () => {
    const held = leg("BTC-66000-C", "2", "1000");
    expect(decimal(fillPosition(CALL_66, held, quantity("-2"), price("1500")).realised)).toBe("3000");
    const margined = option("66000", "call", { style: "futures" });
    expect(decimal(fillPosition(margined, held, quantity("-2"), price("1500")).realised)).toBe("1000");
  });
});

describe("standard option margin in an account (M5, R6)", () => {
  test("a short call needs its value and 10 % (IM) or 7.5 % (MM) of the underlying; equity leaves its value out", () => {
    const { high, legs, components } = assess(accountOf({ USDT: "10000" }, [leg("BTC-66000-C", "-1", "1400")]), MARKET, standard, NOW);
    expect(shown(high)).toEqual({ equity: "10000", initial: "7500", maintenance: "6000" });
    expect(legs[0]).toMatchObject({ initial: null, maintenance: null });
    expect(components.map(({ name }) => name)).toEqual(["options of BTC, expiry of BTC-66000-C: singles"]);
  });

  test("a bought call needs nothing and is no equity; with a short one above it the loss is bounded", () => {
    expect(shown(assess(accountOf({ USDT: "10" }, [leg("BTC-66000-C", "1", "1400")]), MARKET, standard, NOW).high)).toEqual({
      equity: "10",
      initial: "0",
      maintenance: "0",
    });
    const spread = accountOf({ USDT: "10" }, [leg("BTC-66000-C", "1", "1400"), leg("BTC-70000-C", "-1", "600")]);
    const { high, components } = assess(spread, MARKET, standard, NOW);
    expect(shown(high)).toEqual({ equity: "10", initial: "0", maintenance: "0" });
    expect(components[0]?.name).toBe("options of BTC, expiry of BTC-66000-C: worst payoff");
  });
});

describe("options that standard option margin has no figure for", () => {
  test("without a spot price each costs its notional, one without a mark no more than once", () => {
    // The forward is another asset's contract: no mark tells the spot of BTC, and the second option has no forward at all.
    const on = { underlyingId: "WBTC-FUT" };
    const market = snapshotOf(
      [
        contract("WBTC-FUT", { baseAsset: "WBTC", expiryAt: EXPIRY }),
        option("66000", "call", on),
        option("70000", "call", { underlyingId: "WBTC-PERP" }),
        contract("WBTC-PERP", { baseAsset: "WBTC" }),
      ],
      { "WBTC-FUT": "60000", "BTC-66000-C": "1500" },
    );
    const held = accountOf({ USDT: "1000000" }, [leg("BTC-66000-C", "-1", "1400"), leg("BTC-70000-C", "-1", "600")]);
    expect(
      assess(held, market, standard, NOW).components.map(({ name, maintenance }) => [name.split(" ")[0], decimal(maintenance)]),
    ).toEqual([
      ["BTC-66000-C", "66000"],
      ["BTC-70000-C", "70000"],
    ]);
  });
});

describe("portfolio margin in an account (M6, R6, R26)", () => {
  test("a long future is margined by the worst of the grid: 16 % down, with the tails dampened to as much", () => {
    const { high, components } = assess(accountOf({ USDT: "20000" }, [leg("BTC-PERP", "1", "60000")]), MARKET, portfolio, NOW);
    expect(high.maintenance).toBe(components.reduce((sum, { maintenance }) => sum + maintenance, 0n));
    expect(decimal(high.maintenance)).toBe("9600");
    expect(decimal(high.initial)).toBe("12480");
    expect(components[0]?.name).toMatch(/^BTC: price/);
  });

  test("an option's value stays in equity, and a put that hedges lowers the requirement", () => {
    const naked = assess(accountOf({ USDT: "20000" }, [leg("BTC-PERP", "1", "60000")]), MARKET, portfolio, NOW);
    const held = [leg("BTC-54000-P", "1", "1000"), leg("BTC-PERP", "1", "60000")];
    const hedged = assess(accountOf({ USDT: "20000" }, held), MARKET, portfolio, NOW);
    expect(decimal(hedged.high.equityMaintenance)).toBe("21200");
    expect(hedged.high.maintenance < naked.high.maintenance).toBe(true);
  });

  test("terms that R26 refuses are refused with the policy that names them", () => {
    const wrong = policyWith([bare("USDT")], {
      model: { kind: "portfolio", terms: { ...STANDARD_TERMS, fMmPpm: 900_000 }, statistical: null },
    });
    expect(() => validatePolicy(wrong)).toThrow(/fMmPpm: 900000 is not 1,000,000.*R26/);
  });
});

describe("an option without a price of its own (S15)", () => {
  const short = accountOf({ USDT: "10000" }, [leg("BTC-74000-C", "-1", "300")]);

  test("is valued by the volatility of its neighbours, quality MODEL, on the side that is worse for the holder", () => {
    const { quality, legs, low, high } = assess(short, MARKET, standard, NOW);
    expect(quality).toBe("MODEL");
    const [held] = legs;
    expect(held?.price).toBeGreaterThan(price("250"));
    expect(held?.price).toBeLessThan(price("700"));
    expect((held?.priceLow ?? 0n) > (held?.price ?? 0n)).toBe(true);
    expect(low.maintenance > high.maintenance).toBe(true);
  });

  test("with an old mark of its own: that one decides a liquidation, its neighbours only what is worse for the holder (R3)", () => {
    const old = { price: price("200"), asOf: NOW - 600_000 };
    const market = {
      ...MARKET,
      marks: new Map(MARKET.marks).set("BTC-74000-C", { ...old, instrumentId: "BTC-74000-C", source: "test", candidate: null }),
    };
    const { quality, legs, low, high } = assess(short, market, standard, NOW);
    expect(quality).toBe("MODEL");
    expect(legs[0]?.price).toBe(price("200"));
    expect(legs[0]?.priceLow).toBeGreaterThan(price("260"));
    expect(decimal(high.maintenance)).toBe("4700");
    expect(low.maintenance > high.maintenance).toBe(true);
  });

  test("is not traded in a liquidation", () => {
    const poor = { ...short, balances: new Map([["USDT", 0n as Money]]) };
    const statement = assess(poor, MARKET, standard, NOW);
    expect(planLiquidation({ account: poor, statement, snapshot: MARKET, policy: standard, target: "closeOut", now: NOW })).toEqual([]);
  });

  test("with no neighbour and no mark it is UNPRICED and covered by its strike, never by NaN", () => {
    const alone = snapshotOf([FUTURE, CALL_74], { "BTC-FUT": "60000" });
    const { components, high } = assess(short, alone, standard, NOW);
    expect(components).toEqual([
      { name: "BTC-74000-C UNPRICED, no mark: its notional", initial: price("74000"), maintenance: price("74000") },
    ]);
    expect(decimal(high.maintenance)).toBe("74000");
    const inGrid = assess(short, alone, portfolio, NOW);
    expect(inGrid.components[0]?.name).toMatch(/BTC-74000-C UNPRICED/);
    expect(inGrid.high.maintenance >= price("60000")).toBe(true);
  });
});

describe("neighbours that cannot be trusted (S15)", () => {
  const short = accountOf({ USDT: "100000" }, [leg("BTC-74000-C", "-1", "300")]);
  const neighbours = (patch: Readonly<Record<string, string | Partial<Mark> | null>>) =>
    snapshotOf([FUTURE, CALL_66, CALL_70, CALL_74, spot("BTC-USDT", "BTC")], {
      ...{ "BTC-FUT": "60000", "BTC-USDT": "60000", "BTC-66000-C": "1500", "BTC-70000-C": "700" },
      ...patch,
    });
  const old = { asOf: NOW - 3_600_000 };

  test.each<[string, ReturnType<typeof neighbours>, string]>([
    ["a call dearer than the one a strike below", neighbours({ "BTC-70000-C": "1600" }), "MODEL"],
    ["a butterfly below 0", neighbours({ "BTC-66000-C": "700", "BTC-70000-C": "690" }), "MODEL"],
    ["one of them above the forward, which no volatility explains", neighbours({ "BTC-66000-C": "60001" }), "MODEL"],
    ["all of them above the forward", neighbours({ "BTC-66000-C": "60001", "BTC-70000-C": "60001" }), "MISSING"],
    ["all of them old", neighbours({ "BTC-66000-C": { price: price("1500"), ...old }, "BTC-70000-C": null }), "MISSING"],
    ["no price of the underlying", neighbours({ "BTC-FUT": null }), "MISSING"],
  ])("%s: calls open on the cautious side only, and the option is not traded", (_, market, quality) => {
    for (const policy of [standard, portfolio]) {
      const statement = assess(short, market, policy, NOW);
      const { low, high, components } = statement;
      expect(statement.quality).toBe(quality);
      expect(low.equityMaintenance - low.maintenance < high.equityMaintenance - high.maintenance || quality === "MISSING").toBe(true);
      expect(components.some(({ name }) => name.includes("UNPRICED"))).toBe(quality === "MISSING");
      const poor = { ...short, balances: new Map([["USDT", 0n as Money]]) };
      const judged = assess(poor, market, policy, NOW);
      expect(planLiquidation({ account: poor, statement: judged, snapshot: market, policy, target: "closeOut", now: NOW })).toEqual([]);
    }
  });
});

describe("an option of which the model has no figure, or needs none (M1, M6)", () => {
  const at = (expiryAt: number) => option("66000", "call", {}, { expiryAt });
  const alone = (instrument: Instrument, mark: string | null, future: string | null = "60000") =>
    snapshotOf([FUTURE, instrument, spot("BTC-USDT", "BTC")], { "BTC-FUT": future, "BTC-USDT": "60000", "BTC-66000-C": mark });
  const holding = (size: string, market: ReturnType<typeof alone>) =>
    assess(accountOf({ USDT: "10000" }, [leg("BTC-66000-C", size, "1400")]), market, portfolio, NOW);

  test.each([
    // 10,000 and the value of the call: what equity counts of it is what it may cost, so that 10,000 stay.
    ["no forward", alone(CALL_66, "1500", null), "11500", "1500", "NO_FORWARD"],
    ["a mark above the forward", alone(CALL_66, "60001"), "70001", "60001", "NO_VOLATILITY"],
    ["no mark: its entry price", alone(CALL_66, null), "11400", "1400", "NO_VOLATILITY"],
  ])("one that was paid for costs its value, not its notional: %s", (_, market, equity, maintenance, fault) => {
    const { high, components } = holding("1", market);
    expect([decimal(high.equityMaintenance), decimal(high.maintenance), decimal(high.initial)]).toEqual([equity, maintenance, maintenance]);
    expect(components.map(({ name }) => name)).toEqual([`BTC-66000-C UNPRICED, ${fault}: its value`]);
  });

  test.each([
    // The payoff is 30,000. At +500 % it pays 300,000 more, of which 16/500 count; and 0.2 % of the spot price.
    ["30000", "9720", "BTC: price +16 %, volatility down"],
    ["29000", "9720", "BTC: price +16 %, volatility down"],
    ["27000", "9720", "BTC: price +16 %, volatility down"],
    // More than 5 % of the underlying below its payoff: one of the two prices is wrong.
    ["26999", "60000", "BTC-30000-C UNPRICED, NO_VOLATILITY: its notional"],
  ])("a mark of %s on a payoff of 30000, without time value and without neighbours, requires %s", (mark, maintenance, binding) => {
    const deep = option("30000", "call");
    const market = snapshotOf([FUTURE, deep, spot("BTC-USDT", "BTC")], { "BTC-FUT": "60000", "BTC-USDT": "60000", "BTC-30000-C": mark });
    const { high, components } = assess(accountOf({ USDT: "90000" }, [leg("BTC-30000-C", "-1", "30000")]), market, portfolio, NOW);
    expect([decimal(high.maintenance), components[0]?.name]).toEqual([maintenance, binding]);
  });

  test("one that was sold costs its notional", () => {
    const { high, components } = holding("-1", alone(CALL_66, "1500", null));
    expect([decimal(high.equityMaintenance), decimal(high.maintenance), decimal(high.initial)]).toEqual(["8500", "60000", "78000"]);
    expect(components.map(({ name }) => name)).toEqual(["BTC-66000-C UNPRICED, NO_FORWARD: its notional"]);
  });

  test.each([
    // At +500 % it pays 294,000, of which 16/500 count; and 0.2 % of the spot price for a short option.
    ["-1", { future: "60000", mark: "0.1" }, "9528", "BTC: price +500 %, volatility up"],
    // At 81,200 it pays 11,200 more than the 4,000 that it pays now.
    ["-1", { future: "70000", mark: "4000" }, "11320", "BTC: price +16 %, volatility down"],
    ["1", { future: "70000", mark: "4000" }, "4000", "BTC: price −16 %, volatility down"],
  ])(
    "at expiry it is worth its payoff, without a volatility: %s contracts at %j require %s",
    (size, { future, mark }, maintenance, binding) => {
      for (const expiryAt of [NOW, NOW - 60_000]) {
        const { high, components } = holding(size, alone(at(expiryAt), mark, future));
        expect(decimal(high.maintenance)).toBe(maintenance);
        expect(components[0]?.name).toBe(binding);
        const account = accountOf({ USDT: "25000" }, [leg("BTC-66000-C", size, "1400")]);
        expect(decide(account, alone(at(expiryAt), mark, future), { ...portfolio, mode: "enforce" }, NOW)).toBeNull();
      }
    },
  );
});

describe("cures and liquidation of an account that its model margins as a whole (R4, M12)", () => {
  const held = [leg("BTC-66000-C", "1", "1400"), leg("BTC-70000-C", "-1", "600"), leg("BTC-PERP", "1", "60000")];

  test("each cure alone brings the account back to IM on the same marks", () => {
    const account = accountOf({ USDT: "9000" }, held);
    const { cures } = waysToCure(account, assess(account, MARKET, portfolio, NOW), MARKET, portfolio);
    expect(cures.map((cure) => (cure.kind === "deposit" ? cure.asset : cure.instrumentId))).toContain("BTC-PERP");
    const reduction = cures.find((cure) => cure.kind === "reduce" && cure.instrumentId === "BTC-PERP");
    expect(reduction).toMatchObject({ side: "sell" });
  });

  test("a liquidation closes what binds and leaves the bought call that covers the sold one until the sold one is gone", () => {
    const account = accountOf({ USDT: "3000" }, held);
    const statement = assess(account, MARKET, portfolio, NOW);
    const orders = planLiquidation({ account, statement, snapshot: MARKET, policy: portfolio, target: "closeOut", now: NOW });
    expect(orders[0]).toMatchObject({ instrumentId: "BTC-PERP", side: "sell" });
    const ids = orders.map(({ instrumentId }) => instrumentId);
    const bought = ids.indexOf("BTC-66000-C");
    expect(bought === -1 || ids.indexOf("BTC-70000-C") < bought).toBe(true);
  });

  test.each([
    // Nothing is required of it and no equity counts it: only the band, 5 % of 1200, bounds its price. At its mark it would never trade.
    ["a bought put beside a future", "100", [leg("BTC-54000-P", "1", "1000"), leg("BTC-PERP", "1", "60000")], "BTC-54000-P sell 1140"],
    // Cash of 1530 is 30 more than what buys the call back: at 1530 nothing is left (M4).
    ["a sold call, nearly bankrupt", "1530", [leg("BTC-66000-C", "-1", "1400")], "BTC-66000-C buy 1530"],
    // Past bankruptcy, whatever its own equity says: the band's edge.
    ["a sold call, bankrupt", "1000", [leg("BTC-66000-C", "-1", "1400")], "BTC-66000-C buy 1575"],
  ])("limit prices in standard option margin (R20): %s", (_, cash, positions, order) => {
    const account = accountOf({ USDT: cash }, positions);
    const statement = assess(account, MARKET, standard, NOW);
    const orders = planLiquidation({ account, statement, snapshot: MARKET, policy: standard, target: "closeOut", now: NOW });
    expect(orders.map(({ instrumentId, side, limitPrice }) => `${instrumentId} ${side} ${decimal(limitPrice)}`)).toContain(order);
  });

  test("where closing either side of a hedge whole would hurt, the part that helps is closed; where nothing is enough, all of it", () => {
    const positions = [leg("BTC-FUT", "-1.2", "60000"), leg("BTC-PERP", "2", "60000")];
    const plan = (cash: string) => {
      const account = accountOf({ USDT: cash }, positions);
      const statement = assess(account, MARKET, portfolio, NOW);
      return planLiquidation({ account, statement, snapshot: MARKET, policy: portfolio, target: "closeOut", now: NOW });
    };
    const [only, ...others] = plan("8000");
    expect(others).toEqual([]);
    expect(only).toMatchObject({ instrumentId: "BTC-PERP", side: "sell" });
    expect((only?.quantity ?? 0n) < quantity("0.8")).toBe(true);
    expect(plan("10").map(({ instrumentId, quantity: size }) => [instrumentId, size])).toEqual([
      ["BTC-FUT", quantity("1.2")],
      ["BTC-PERP", quantity("2")],
    ]);
  });

  test("the liquidation price is where the revalued account crosses its requirement, to one unit", () => {
    const account = accountOf({ USDT: "12000" }, [leg("BTC-54000-P", "-1", "1000"), leg("BTC-FUT", "0.2", "60000")]);
    const { lower, breached } = liquidationRoots(account, "BTC-FUT", MARKET, portfolio, NOW);
    expect(breached).toBe(false);
    expect(lower).not.toBeNull();
    const at = (lower?.numerator ?? 0n) as Price;
    expect(at).toBeLessThan(price("60000"));
    expect(at).toBeGreaterThan(price("30000"));
  });
});
