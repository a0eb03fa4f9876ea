import { describe, expect, test } from "vitest";
import type { Position } from "../../core/account.ts";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { levelsAt } from "../../core/columns/linear-levels.ts";
import { decide } from "../../core/decide.ts";
import type { Instrument, OptionTerms } from "../../core/instrument.ts";
import { planLiquidation } from "../../core/liquidation-plan.ts";
import { adverseRoot, liquidationRoots } from "../../core/liquidation-price.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import { decimal, type Money, money, type Price, price, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { newPool, viewOf } from "../../core/scope.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import type { UnitLiquidity } from "../../core/unit-liquidity.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

/** The market of the page's first example: 50,000,000 a day, a spread of 0.1 %, 4 % a day. */
const BTC: UnitLiquidity = {
  averageVolume: money("50000000"),
  spread: 1_000,
  dailyVolatility: 40_000,
  impact: 1_000_000,
  participation: 200_000,
  confidence: 990_000,
  threshold: 250_000,
  charge: 50_000,
};
const EXPIRY = NOW + 30 * 86_400_000;
const PERP = contract("BTC-PERP", { lotSize: quantity("0.001") });
const FUTURE = contract("BTC-FUT", { expiryAt: EXPIRY, lotSize: quantity("0.001") });
const option = (right: "call" | "put", patch: Partial<OptionTerms> = {}, over: Partial<Instrument> = {}): Instrument =>
  contract(`BTC-60000-${right === "call" ? "C" : "P"}`, {
    kind: "option",
    tiers: [],
    expiryAt: EXPIRY,
    option: { underlyingId: "BTC-FUT", strike: price("60000"), right, style: "premium", settlement: "linear", averagingMs: 0, ...patch },
    ...over,
  });
const CALL = option("call");
const PUT = option("put");
const INVERSE = contract("BTC-INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") });
const ETH = contract("ETH-PERP", { baseAsset: "ETH" });
const ALL = [PERP, FUTURE, CALL, PUT, INVERSE, ETH, spot("BTC-USDT", "BTC"), spot("ETH-USDT", "ETH")];
const PRICES = {
  "BTC-PERP": "50000",
  "BTC-FUT": "50000",
  "BTC-INV": "50000",
  "BTC-60000-C": "400",
  "BTC-60000-P": "10400",
  "ETH-PERP": "2000",
  "BTC-USDT": "50000",
  "ETH-USDT": "2000",
};
const MARKET = snapshotOf(ALL, PRICES);
const COLLATERAL = [bare("USDT"), bare("BTC", "BTC-USDT")];
const charging = validatePolicy(policyWith(COLLATERAL, { liquidity: { BTC } }));
const plain = policyWith(COLLATERAL);
const PORTFOLIO: MarginModel = { kind: "portfolio", terms: STANDARD_TERMS, statistical: null };

/** What the add-on adds to IM and MM, and its parts by name. */
const added = (positions: readonly Position[], patch: Partial<Policy> = {}, snapshot = MARKET) => {
  const account = accountOf({ USDT: "10000000", BTC: "10" }, positions);
  const [with_, without] = [
    { ...charging, ...patch },
    { ...plain, ...patch, liquidity: undefined as never },
  ].map((policy) => assess(account, snapshot, policy, NOW));
  const parts = with_?.components.filter(({ name }) => /: (liquidity|concentration|volatility spread)$/.test(name)) ?? [];
  const of = (side: "low" | "high"): string => {
    const [one, other] = [with_?.[side], without?.[side]];
    expect((one?.initial ?? 0n) - (other?.initial ?? 0n)).toBe((one?.maintenance ?? 0n) - (other?.maintenance ?? 0n));
    return decimal(((one?.maintenance ?? 0n) - (other?.maintenance ?? 0n)) as Money);
  };
  return {
    high: of("high"),
    low: of("low"),
    parts: Object.fromEntries(parts.map(({ name, maintenance }) => [name, decimal(maintenance)])),
  };
};

describe("M8: what closing the net exposure to a base asset costs, as a part of the requirement", () => {
  test("the worked example of the page", () => {
    const rows = modelTable("liquidity.md", "positions");
    expect(rows).toHaveLength(6);
    for (const [held = "", liquidity, concentration, ...required] of rows) {
      const positions = held.split(", ").map((text) => {
        const [size = "", id = ""] = text.split(" ");
        return leg(id, size, "50000");
      });
      const { parts } = added(positions);
      expect([held, parts["BTC: liquidity"] ?? "0", parts["BTC: concentration"] ?? "0"]).toEqual([held, liquidity, concentration]);
      const { high } = assess(accountOf({ USDT: "0" }, positions), MARKET, charging, NOW);
      expect([high.initial, high.maintenance].map(decimal)).toEqual(required);
    }
  });

  test("a policy without the terms, and an asset that they do not name, are as before", () => {
    const held = [leg("BTC-PERP", "400", "50000"), leg("ETH-PERP", "10000", "2000")];
    expect(added([held[1] as Position]).parts).toEqual({});
    expect(added(held).parts).toEqual({ "BTC: liquidity": "2035528.4937892", "BTC: concentration": "375000" });
  });

  test("an option counts by its delta, an inverse contract by its value in the valuation asset", () => {
    // The call at 50,000 for 400 has a delta of 0.11897: 400 of them are 47.59 futures.
    const calls = added([leg("BTC-60000-C", "-400", "400")]);
    const futures = added([leg("BTC-FUT", "-46", "50000")]);
    const larger = added([leg("BTC-FUT", "-48", "50000")]);
    expect([Number(calls.high) > Number(futures.high), Number(calls.high) < Number(larger.high)]).toEqual([true, true]);
    // 20,000 contracts of 100 USD are 2,000,000: as much as 40 BTC.
    expect(added([leg("BTC-INV", "20000", "50000")]).high).toBe(added([leg("BTC-FUT", "40", "50000")]).high);
  });

  test("a delta that nobody knows is anything from nothing to the whole: the largest on E_low, the smallest on E_high (R3)", () => {
    const blind = snapshotOf(ALL, { ...PRICES, "BTC-60000-C": null, "BTC-60000-P": null });
    const alone = added([leg("BTC-60000-C", "-40", "400")], {}, blind);
    expect([alone.high, alone.low]).toEqual(["0", "65052.83505945"]);
    // With 30 futures long, 40 calls sold leave from 30 long to 10 short.
    const hedged = added([leg("BTC-60000-C", "-40", "400"), leg("BTC-FUT", "30", "50000")], {}, blind);
    expect([hedged.high, hedged.low]).toEqual(["0", added([leg("BTC-FUT", "30", "50000")]).low]);
    const put = added([leg("BTC-60000-P", "-40", "400"), leg("BTC-FUT", "10", "50000")], {}, blind);
    expect([put.high, put.low]).toEqual([added([leg("BTC-FUT", "10", "50000")]).high, added([leg("BTC-FUT", "50", "50000")]).low]);
  });

  test("the net vega of options pays half of the spread of volatility, a doubt about it on E_low only", () => {
    const liquidity = { BTC: { ...BTC, volatilitySpread: 20_000 } };
    const vegaOf = (...held: readonly Position[]): number => Number(added(held, { liquidity }).parts["BTC: volatility spread"] ?? 0);
    // A volatility of 50.757 % makes the call worth 400, and moves 40 of them by 114,000.83 for 100 points: half of two points.
    expect(vegaOf(leg("BTC-60000-C", "-40", "400"))).toBeCloseTo(1140.0083, 3);
    const margined = snapshotOf([...ALL, option("call", { style: "futures" })], PRICES);
    const daily = added([leg("BTC-60000-C", "40", "400")], { liquidity }, margined).parts["BTC: volatility spread"];
    expect(Number(daily)).toBeCloseTo(1140.0083, 3);
    // The put of the same strike has the same vega.
    expect(vegaOf(leg("BTC-60000-C", "-40", "400"), leg("BTC-60000-P", "40", "10400"))).toBeLessThan(0.001);
    expect(vegaOf(leg("BTC-FUT", "40", "50000"))).toBe(0);
    const blind = snapshotOf(ALL, { ...PRICES, "BTC-60000-C": null, "BTC-60000-P": null });
    const doubt = added([leg("BTC-60000-C", "-40", "400")], { liquidity }, blind);
    expect(doubt.high).toBe("0");
    // 40 · 50,000 · √(30/365) · 0.3989 · 0.01.
    expect(Number(doubt.parts["BTC: volatility spread"])).toBeCloseTo(2287.4639, 3);
  });

  test("R6 an option that was bought and paid for is charged nothing, and helps as far as it hedges; a portfolio holds its value", () => {
    const liquidity = { BTC: { ...BTC, volatilitySpread: 20_000 } };
    const [bought, short] = [leg("BTC-60000-C", "400", "400"), leg("BTC-FUT", "-40", "50000")];
    expect(added([bought], { liquidity })).toEqual({ high: "0", low: "0", parts: {} });
    // 400 calls move as 47.59 futures: more than enough against 40, and 200 of them leave 16.2 of these.
    expect(added([bought, short], { liquidity }).high).toBe("0");
    const half = Number(added([leg("BTC-60000-C", "200", "400"), short], { liquidity }).high);
    const [less, more] = [leg("BTC-FUT", "-16.2", "50000"), leg("BTC-FUT", "-16.21", "50000")].map((one) => Number(added([one]).high));
    expect([half > Number(less), half < Number(more)]).toEqual([true, true]);
    expect(Number(added([bought], { liquidity, model: PORTFOLIO }).parts["BTC: volatility spread"])).toBeCloseTo(11_400.0827, 2);
    // Where nobody tells the delta, it may help all of 40 on E_high and is sure to help with none on E_low.
    const blind = snapshotOf(ALL, { ...PRICES, "BTC-60000-C": null, "BTC-60000-P": null });
    expect(added([leg("BTC-60000-C", "40", "400"), short], {}, blind)).toMatchObject({ high: "0", low: "65052.83505945" });
  });

  test("an option at its expiry moves as its payoff, and not at all once its average is fixed", () => {
    const at = (averagingMs: number): string => {
      const expired = option("put", { averagingMs }, { expiryAt: NOW });
      return added([leg("BTC-60000-P", "-40", "400")], {}, snapshotOf([...ALL, expired], PRICES)).high;
    };
    expect([at(0), at(1_800_000)]).toEqual([added([leg("BTC-FUT", "40", "50000")]).high, "0"]);
  });

  test("under a portfolio's model it stands beside the grid, and no unit's add-on takes anything off another's", () => {
    const both = { liquidity: { BTC, ETH: { ...BTC, averageVolume: money("5000000") } } };
    const one = added([leg("BTC-PERP", "40", "50000")], { model: PORTFOLIO });
    expect(one).toMatchObject({ high: "65052.83505945", parts: { "BTC: liquidity": "65052.83505945" } });
    const { parts } = added([leg("BTC-PERP", "40", "50000"), leg("ETH-PERP", "-100", "2000")], { ...both, model: PORTFOLIO });
    // 200,000 in a market of 5,000,000 is the same share of a day, at a tenth of the size.
    expect(parts).toEqual({ "BTC: liquidity": "65052.83505945", "ETH: liquidity": "6505.28350595" });
  });

  test("an isolated pool has its own exposure: it hedges nothing of cross and cross nothing of it (R9)", () => {
    const pool = { ...newPool("BTC-PERP", "USDT"), cash: money("1000000"), position: leg("BTC-PERP", "-40", "50000") };
    const account = accountOf({ USDT: "1000000" }, [leg("BTC-FUT", "40", "50000")], { pools: new Map([["BTC-PERP", pool]]) });
    for (const scope of ["CROSS", "ISO#BTC-PERP"] as const) {
      const { components } = assess(viewOf(account, scope), MARKET, charging, NOW);
      expect(components.find(({ name }) => name === "BTC: liquidity")?.maintenance).toBe(money("65052.83505945"));
    }
  });

  test.each<[string, Partial<UnitLiquidity>, RegExp]>([
    ["a market without volume", { averageVolume: 0n as Money }, /liquidity BTC: average volume 0/],
    ["a market that never moves", { dailyVolatility: 0 }, /liquidity BTC: daily volatility 0/],
    ["no participation", { participation: 0 }, /liquidity BTC: participation, confidence/],
    ["a confidence below a half", { confidence: 499_999 }, /liquidity BTC: participation, confidence/],
    ["a spread of volatility below 0", { volatilitySpread: -1 }, /liquidity BTC: half spread -5e-7 is below 0/],
    ["a charge above 1", { charge: 1_000_001 }, /liquidity BTC: participation, confidence/],
  ])("%s is refused with the asset by name", (_, over, words) => {
    expect(() => validatePolicy(policyWith(COLLATERAL, { liquidity: { BTC: { ...BTC, ...over } } }))).toThrow(words);
  });
});

describe("M8: the pipeline uses it", () => {
  const enforce = { ...charging, mode: "enforce" as const };

  test("an account is called for it, and the call says which part bound", () => {
    // 600 BTC: IM 3,000,000 and MM 150,000 by the brackets; 3,736,133.45 for liquidity and 875,000 for concentration in both.
    const account = accountOf({ USDT: "5000000" }, [leg("BTC-PERP", "600", "50000")]);
    expect(decide({ ...account, level: "HEALTHY" }, MARKET, { ...plain, mode: "enforce" }, NOW)?.calls ?? []).toEqual([]);
    const change = decide(account, MARKET, enforce, NOW);
    expect(change?.calls[0]).toMatchObject({ boundBy: "BTC: liquidity" });
  });

  test("R14: a plan closes what is net, not the leg that hedges it", () => {
    // Net 240 long: 947,380.57 for liquidity, and MM 140,000 by the brackets. The short, first by its id, would only raise the first.
    const account = accountOf({ USDT: "800000" }, [leg("BTC-FUT", "-160", "50000"), leg("BTC-PERP", "400", "50000")]);
    const statement = assess(account, MARKET, charging, NOW);
    const orders = planLiquidation({ account, statement, snapshot: MARKET, policy: charging, target: "closeOut", now: NOW });
    expect(orders).toMatchObject([{ instrumentId: "BTC-PERP", side: "sell", quantity: quantity("49.157") }]);
  });

  test("the price of liquidation is searched, and is where the whole requirement meets the equity", () => {
    const account = accountOf({ USDT: "5500000" }, [leg("BTC-PERP", "600", "50000")]);
    const root = adverseRoot(liquidationRoots(account, "BTC-PERP", MARKET, charging, NOW), quantity("1")) as Price;
    const isSafe = (at: bigint): boolean => {
      const { equityMaintenance, maintenance } = assess(
        account,
        snapshotOf(ALL, { ...PRICES, "BTC-PERP": { price: at as Price } }),
        charging,
        NOW,
      ).high;
      return equityMaintenance >= maintenance;
    };
    expect([isSafe(root), isSafe(root - 1n)]).toEqual([true, false]);
    expect(root > price("48000") && root < price("50000")).toBe(true);
  });
});

test("the columns admit who holds nothing that is charged, and leave the others to the exact pass", () => {
  const exactOf = (instrumentId: string, policy: Policy): number =>
    levelsAt(columnsOf([accountOf({ USDT: "5000" }, [leg(instrumentId, "1", "2000")])], policy, MARKET.instruments), MARKET, NOW).exact;
  expect([exactOf("ETH-PERP", charging), exactOf("BTC-PERP", charging), exactOf("BTC-PERP", plain)]).toEqual([0, 1, 0]);
});
