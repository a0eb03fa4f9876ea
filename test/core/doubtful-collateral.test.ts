import { describe, expect, test } from "vitest";
import type { Instrument } from "../../core/instrument.ts";
import type { PortfolioModel } from "../../core/margin-model.ts";
import type { Mark } from "../../core/mark.ts";
import { decimal, money, price } from "../../core/money.ts";
import type { CollateralTerms, Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { judgeMark, qualityAt } from "../../core/quality.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const perp = contract("BTC-PERP");
const LUNA = spot("LUNA-USDT", "LUNA");
const bounded = (bounds: Partial<Instrument["markRule"]>): Instrument => ({ ...LUNA, markRule: { ...LUNA.markRule, ...bounds } });

describe("S05: a price at a bound of its source", () => {
  const luna = bounded({ minAnswer: price("0.107"), maxAnswer: price("1000") });
  const policy = policyWith([bare("USDT"), bare("LUNA", "LUNA-USDT", { tiers: slices(["0", 200_000, 100_000]) })]);
  const on = (text: string) => snapshotOf([perp, luna], { "BTC-PERP": "100", "LUNA-USDT": text });

  test.each([
    ["0.106", "SUSPECT"],
    ["0.107", "SUSPECT"],
    ["0.10700001", "GOOD"],
    ["999.99999999", "GOOD"],
    ["1000", "SUSPECT"],
  ])("%s is %s", (text, quality) => {
    expect(qualityAt(on(text).marks.get("LUNA-USDT"), luna, NOW)).toBe(quality);
  });

  test("it is accepted and stands: the truth may be there", () => {
    const before: Mark = { instrumentId: "LUNA-USDT", price: price("0.11"), asOf: NOW - 1_000, source: "test", candidate: null };
    const tick = { instrumentId: "LUNA-USDT", price: price("0.107"), asOf: NOW, source: "test" };
    expect(judgeMark(before, tick, luna, NOW)).toMatchObject({ outcome: "accepted", mark: { price: price("0.107") } });
  });

  test("at the floor the asset counts nothing on E_low and its price on E_high: a call may open, nothing is liquidated on it", () => {
    const account = accountOf({ LUNA: "100", USDT: "2" }, [leg("BTC-PERP", "1", "100")]);
    const floor = assess(account, on("0.107"), policy, NOW);
    expect(floor).toMatchObject({
      quality: "SUSPECT",
      low: { equityInitial: money("2"), equityMaintenance: money("2") },
      high: { equityInitial: money("10.56"), equityMaintenance: money("11.63") },
    });
    expect(checkWithdrawal(account, on("0.107"), policy, { requestId: "w", asset: "USDT", amount: money("0.1") }, NOW).allowed).toBe(false);
  });

  test("at its greatest answer a debt counts at the band's edge, as any suspect one", () => {
    expect(assess(accountOf({ LUNA: "-1", USDT: "2000" }), on("1000"), policy, NOW)).toMatchObject({
      low: { equityMaintenance: money("950") },
      high: { equityMaintenance: money("1000") },
    });
  });
});

describe("a stable asset below its peg (M2)", () => {
  const peg = { priceId: "USDT-USD", threshold: 980_000, factor: 2_000_000 };
  const stable = spot("USDT-USD", "USDT", "USD");
  const usdt = bare("USDT", null, { peg });
  const policy = policyWith([usdt]);
  const on = (at: string | Partial<Mark> | null) => snapshotOf([perp, stable], { "BTC-PERP": "100", "USDT-USD": at });
  const account = accountOf({ USDT: "20" }, [leg("BTC-PERP", "-2", "100")]);

  test("the worked example of the page", () => {
    const rows = modelTable("collateral.md", "by its peg");
    expect(rows).toHaveLength(4);
    for (const [at = "", size = "", initial = "", maintenance = ""] of rows) {
      const { high, components } = assess(accountOf({ USDT: "20" }, [leg("BTC-PERP", size, "100")]), on(at), policy, NOW);
      expect([high.initial, high.maintenance].map(decimal)).toEqual([initial, maintenance]);
      expect(components.reduce((sum, each) => sum + each.initial, 0n)).toBe(high.initial);
    }
  });

  test("the statement names it", () => {
    expect(assess(account, on("0.97"), policy, NOW).components).toEqual([
      { name: "BTC-PERP: bracket 1", initial: money("20"), maintenance: money("1") },
      { name: "BTC-PERP: USDT below its peg", initial: money("4"), maintenance: money("0") },
    ]);
  });

  test("on a price by the peg that is not GOOD: its lower edge on E_low; without one withdrawals wait, and nothing is added", () => {
    const stale = assess(account, on({ price: price("1"), asOf: NOW - 120_000 }), policy, NOW);
    expect([stale.quality, stale.low.initial, stale.high.initial]).toEqual(["STALE", money("32"), money("20")]);
    const missing = assess(account, on(null), policy, NOW);
    expect([missing.quality, missing.low.initial]).toEqual(["MISSING", money("20")]);
    expect(checkWithdrawal(account, on(null), policy, { requestId: "w", asset: "USDT", amount: money("1") }, NOW).reason).toContain("R3");
  });

  test("the float pass leaves whoever settles in it to the exact pass", () => {
    const rich = accountOf({ USDT: "25" }, [leg("BTC-PERP", "-2", "100")]);
    expect([isSurelyQuiet(rich, on("1"), policy, NOW), isSurelyQuiet(rich, on("0.97"), policy, NOW)]).toEqual([true, false]);
  });

  test("a portfolio's model has a charge of its own, on the price that the policy names", () => {
    const model: PortfolioModel = { kind: "portfolio", statistical: null, terms: STANDARD_TERMS };
    const parts = (at: string): readonly string[] =>
      assess(account, on(at), policyWith([usdt], { model }), NOW).components.map(({ name }) => name);
    expect(parts("0.97")).toContain("BTC: settlement asset below its peg");
    expect(parts("0.97").filter((name) => name.includes("peg"))).toHaveLength(1);
    expect(parts("1").filter((name) => name.includes("peg"))).toEqual([]);
  });

  test.each<[string, Partial<CollateralTerms["peg"] & object>, RegExp]>([
    ["a threshold of 0", { threshold: 0 }, /collateral USDT, peg: threshold 0/],
    ["a threshold above the peg", { threshold: 1_000_001 }, /collateral USDT, peg: threshold 1000001/],
    ["a factor below 0", { factor: -1 }, /collateral USDT, peg: factor -1/],
  ])("%s is refused by name", (_, over, words) => {
    const wrong = (): Policy => validatePolicy(policyWith([bare("USDT", null, { peg: { ...peg, ...over } })]));
    expect(wrong).toThrow(words);
  });
});
