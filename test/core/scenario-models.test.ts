import { describe, expect, test } from "vitest";
import type { OptionTerms } from "../../core/instrument.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import { decimal, price } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "./margin-fixtures.ts";

const FUTURE = contract("BTC-FUT", { expiryAt: NOW + 30 * 86_400_000 });
const PERP = contract("BTC-PERP");
const MARKET = snapshotOf([FUTURE, PERP, spot("BTC-USDT", "BTC")], { "BTC-FUT": "60000", "BTC-PERP": "60000", "BTC-USDT": "60000" });
const PORTFOLIO: MarginModel = { kind: "portfolio", terms: STANDARD_TERMS, statistical: null };
const standard = policyWith([bare("USDT")]);
const portfolio = policyWith([bare("USDT")], { model: PORTFOLIO });

describe("the scenarios behind a requirement (M6)", () => {
  const hedged = accountOf({ USDT: "20000" }, [leg("BTC-FUT", "-1", "60000"), leg("BTC-PERP", "2", "60000")]);

  test("every scenario of the grid with its profit, the one that binds, and what each instrument has in it", () => {
    const [grid, ...others] = assess(hedged, MARKET, portfolio, NOW).scenarios;
    expect(others).toEqual([]);
    expect(grid).toMatchObject({ kind: "grid", unit: "BTC", binding: "price −16 %, volatility down" });
    expect(grid?.parts.map(({ instrumentId, profit }) => [instrumentId, decimal(profit)])).toEqual([
      ["BTC-FUT", "9600"],
      ["BTC-PERP", "-19200"],
    ]);
    const rows = new Map(grid?.rows.map(({ name, profit }) => [name, decimal(profit)]));
    expect(rows.size).toBe(37);
    expect(rows.get("price −16 %, volatility down")).toBe("-9600");
    expect(rows.get("price −4 %, volatility same")).toBe("-2400");
    expect(rows.get("price +12 %, volatility up")).toBe("7200");
    // Of a fall by a third 16/33 counts: the same 9,600.
    expect(rows.get("price −33 %, volatility up")).toBe("-9600");
  });

  test("a policy without scenarios has none", () => {
    expect(assess(hedged, MARKET, standard, NOW).scenarios).toEqual([]);
  });
});

describe("statistical margin in an account: max(grid, ES) (M7)", () => {
  /** 400 days on which BTC moves by turns up 10 % and down 10 %, and 20 on which it falls by 30 %. */
  const history = Array.from({ length: 400 }, (_, day) => ({
    name: `day ${day}`,
    movesPpm: [day % 20 === 0 ? -300_000 : 100_000 * (day % 2 === 0 ? 1 : -1)],
  }));
  const statistical = {
    scenariosId: "test",
    horizonDays: 1,
    version: 1,
    units: ["BTC"],
    history,
    stress: [{ name: "halved", movesPpm: [-500_000] }],
    confidence: 975_000,
    weight: 750_000,
  };
  const byHistory = policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical } });
  const account = accountOf({ USDT: "50000" }, [leg("BTC-PERP", "1", "60000")]);

  test("the worst 10 of 400 days lose 18,000; with a quarter of the stress of 30,000 it is 21,000, above the grid's 9,600", () => {
    const { high, components } = assess(account, MARKET, byHistory, NOW);
    expect(decimal(high.maintenance)).toBe("21000");
    expect(decimal(high.initial)).toBe("27300");
    expect(components.map(({ name }) => name)).toEqual([
      "BTC: price −16 %, volatility down",
      "up to the expected shortfall with the stress halved",
    ]);
  });

  test("its statement shows the ten days of the tail, the stress, and what each instrument has in the figure", () => {
    const pair = accountOf({ USDT: "50000" }, [leg("BTC-FUT", "-0.5", "60000"), leg("BTC-PERP", "1.5", "60000")]);
    const joint = assess(pair, MARKET, byHistory, NOW).scenarios.at(-1);
    expect(joint).toMatchObject({ kind: "history", unit: null, binding: "expected shortfall with the stress halved" });
    expect(joint?.rows.map(({ name, profit }) => `${name} ${decimal(profit)}`)).toEqual([
      ...["day 0 -18000", "day 20 -18000", "day 40 -18000", "day 60 -18000", "day 80 -18000"],
      ...["day 100 -18000", "day 120 -18000", "day 140 -18000", "day 160 -18000", "day 180 -18000"],
      "halved -30000",
    ]);
    // A contract has 0.75 · 18,000 + 0.25 · 30,000 in it.
    expect(joint?.parts.map(({ instrumentId, profit }) => `${instrumentId} ${decimal(profit)}`)).toEqual([
      "BTC-FUT 10500",
      "BTC-PERP -31500",
    ]);
  });

  test("a hedge in the same unit needs the grid alone; a quiet history never lowers it", () => {
    const calm = {
      ...statistical,
      history: history.map((row) => ({ ...row, movesPpm: [1_000] })),
      stress: [{ name: "none", movesPpm: [0] }],
    };
    const policy = policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: calm } });
    expect(decimal(assess(account, MARKET, policy, NOW).high.maintenance)).toBe("9600");
  });

  test("a unit that neither terms nor scenarios name is margined by the default grid, beside the others", () => {
    const eth = contract("ETH-PERP", { baseAsset: "ETH" });
    const market = snapshotOf([PERP, eth, spot("BTC-USDT", "BTC")], { "BTC-PERP": "60000", "BTC-USDT": "60000", "ETH-PERP": "3000" });
    const both = accountOf({ USDT: "50000" }, [leg("BTC-PERP", "1", "60000"), leg("ETH-PERP", "10", "3000")]);
    const { high, components } = assess(both, market, byHistory, NOW);
    // 21,000 by the scenarios of BTC, and 16 % of 30,000 of ether.
    expect(decimal(high.maintenance)).toBe("25800");
    expect(components.map(({ name }) => name)).toContain("ETH: price −16 %, volatility down");
  });

  test("a leg without a price costs its notional beside the shortfall of the others, which are not counted twice", () => {
    const option = {
      underlyingId: "BTC-FUT",
      strike: price("74000"),
      right: "call",
      style: "premium",
      settlement: "linear",
      averagingMs: 0,
    };
    const call = contract("BTC-74000-C", { kind: "option", tiers: [], expiryAt: NOW + 30 * 86_400_000, option: option as OptionTerms });
    const market = snapshotOf([FUTURE, PERP, call, spot("BTC-USDT", "BTC")], {
      ...{ "BTC-FUT": "60000", "BTC-PERP": "60000", "BTC-USDT": "60000" },
    });
    const held = accountOf({ USDT: "90000" }, [leg("BTC-74000-C", "-1", "300"), leg("BTC-PERP", "1", "60000")]);
    const { high } = assess(held, market, byHistory, NOW);
    // 21,000 of the perpetual and 60,000 of the call; IM 1.3 times both.
    expect(decimal(high.maintenance)).toBe("81000");
    expect(decimal(high.initial)).toBe("105300");
  });

  test("too short a history is refused with its policy", () => {
    const short = { ...statistical, history: history.slice(0, 100) };
    const wrong = policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: short } });
    expect(() => validatePolicy(wrong)).toThrow(/scenarios test, NO_HISTORY: 100 scenarios, 250 needed/);
  });
});
