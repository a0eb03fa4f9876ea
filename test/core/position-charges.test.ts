import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { levelsAt } from "../../core/columns/linear-levels.ts";
import { decide } from "../../core/decide.ts";
import { LEVELS, levelOf } from "../../core/level.ts";
import { adverseRoot, liquidationRoots } from "../../core/liquidation-price.ts";
import type { Funding, Mark, MarketSnapshot } from "../../core/mark.ts";
import { decimal, money, type Price, price, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { judgeMark } from "../../core/quality.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { accounts, atHeadroom, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const HOUR = 3_600_000;
const perp = contract("BTC-PERP");
const usdt = policyWith([bare("USDT")]);
const on = (mark: Partial<Mark>) => snapshotOf([perp], { "BTC-PERP": { price: price("100"), ...mark } });
const funding = (rate: string, hoursToGo = 2): Partial<Mark> => ({
  funding: { rate: price(rate), intervalMs: 8 * HOUR, nextAt: NOW + hoursToGo * HOUR },
});
const held = (size: string, cash = "50") => accountOf({ USDT: cash }, [leg("BTC-PERP", size, "100")]);

describe("funding of perpetuals (M1)", () => {
  test("the worked example of the page", () => {
    const rows = modelTable("funding.md", "rate");
    expect(rows).toHaveLength(6);
    for (const [rate = "", size = "", toGo = "", ...expected] of rows) {
      const { high, components, legs } = assess(held(size), on(funding(rate, Number(toGo))), usdt, NOW);
      expect([high.equityInitial, high.initial, high.maintenance].map(decimal)).toEqual(expected);
      expect(high.equityMaintenance).toBe(high.equityInitial);
      expect(components.reduce((sum, each) => sum + each.maintenance, 0n)).toBe(high.maintenance);
      expect((legs[0]?.funding ?? 0n) + money("50")).toBe(high.equityMaintenance);
    }
  });

  test("the statement names the add-on; a gain counts in E_i by the share of unrealised profit", () => {
    expect(assess(held("2"), on(funding("0.01")), usdt, NOW).components[1]).toEqual({
      name: "BTC-PERP: next funding payment",
      initial: money("1"),
      maintenance: money("1"),
    });
    const none = policyWith([bare("USDT")], { unrealisedProfitIm: 0 });
    expect(assess(held("-2"), on(funding("0.01")), none, NOW).high).toMatchObject({
      equityInitial: money("50"),
      equityMaintenance: money("51.5"),
    });
  });

  test("φ is the policy's, and an inverse perpetual pays in coin", () => {
    const whole = policyWith([bare("USDT")], { fundingFactor: 1_000_000 });
    expect(assess(held("2"), on(funding("0.01")), whole, NOW).high.maintenance).toBe(money("3"));
    const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") });
    const snapshot = snapshotOf([inverse], { INV: { price: price("50000"), ...funding("0.01") } });
    // N = 100 · 100 / 50,000 = 0.2 BTC: 0.002 to pay, three quarters of it accrued, half of it required.
    const { high } = assess(accountOf({ BTC: "1" }, [leg("INV", "100", "50000")]), snapshot, policyWith([bare("BTC")]), NOW);
    expect([high.equityMaintenance, high.maintenance].map(decimal)).toEqual(["0.9985", "0.002"]);
  });

  test("under a portfolio's model too", () => {
    const model = { kind: "portfolio", statistical: null, terms: STANDARD_TERMS } as const;
    const of = (mark: Partial<Mark>) => assess(held("2"), on(mark), policyWith([bare("USDT")], { model }), NOW).high;
    const [without, with_] = [of({}), of(funding("0.01"))];
    expect(with_.maintenance - without.maintenance).toBe(money("1"));
    expect(with_.equityMaintenance - without.equityMaintenance).toBe(money("-1.5"));
  });

  test("brings an account to its call, and the price of its liquidation nearer", () => {
    // IM 10 and 0.5 of it, call at x < 0.5: E of 5.3 is above it, less 0.75 of accrued and with 0.5 more required it is not.
    const account = held("1", "5.3");
    const enforce = { ...usdt, mode: "enforce" as const };
    expect(decide({ ...account, level: "WARNING" }, on({}), enforce, NOW)?.calls ?? []).toEqual([]);
    expect(decide({ ...account, level: "WARNING" }, on(funding("0.01")), enforce, NOW)?.calls).toHaveLength(1);
    const root = (mark: Partial<Mark>) => adverseRoot(liquidationRoots(account, "BTC-PERP", on(mark), usdt, NOW), quantity("1"));
    expect(root({})).toBe(price("95.17587940"));
    const nearer = root(funding("0.01")) as Price;
    // P − 94.7 − 0.0075·P = 0.01·P at 96.386768448; each of three figures rounds against the account.
    expect(nearer).toBe(price("96.38676847"));
    const at = (to: bigint): MarketSnapshot => on({ ...funding("0.01"), price: to as Price });
    const below = (to: bigint): boolean => {
      const { equityMaintenance, maintenance } = assess(account, at(to), usdt, NOW).high;
      return equityMaintenance < maintenance;
    };
    expect([below(nearer), below(nearer - 1n)]).toEqual([false, true]);
  });

  test("the float pass never differs from the exact one, and the columns leave holders to it", () => {
    const rates = fc.record({ rate: fc.integer({ min: -1_000_000, max: 1_000_000 }), toGo: fc.integer({ min: -1, max: 8 }) });
    let screened = 0;
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD"]),
        policies,
        rates,
        fc.bigInt(-100n, 10n ** 10n),
        (drawn, plain, policy, { rate, toGo }, shift) => {
          const told: Funding = { rate: BigInt(rate) as Price, intervalMs: 8 * HOUR, nextAt: NOW + toGo * HOUR };
          const marks = new Map([...plain.marks].map(([id, mark]) => [id, id.endsWith("USDT") ? mark : { ...mark, funding: told }]));
          const snapshot = { ...plain, marks };
          const account = atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).low, policy.levels.warning, shift);
          const level = levelOf(account, assess(account, snapshot, policy, NOW), policy.levels, account.level);
          if (isSurelyQuiet(account, snapshot, policy, NOW)) {
            screened += 1;
            expect(level).toBe("HEALTHY");
          }
          const { levels } = levelsAt(columnsOf([account], policy, snapshot.instruments), snapshot, NOW);
          expect(LEVELS[levels[0] as number]).toBe(level);
        },
      ),
      { numRuns: 500 },
    );
    expect(screened).toBeGreaterThan(50);
  });
});

describe("a price in doubt (M2)", () => {
  const doubting = policyWith([bare("USDT")], { confidence: { threshold: 550_000, factor: 1_000_000 } });

  test("the worked example of the page", () => {
    const rows = modelTable("collateral.md", "confidence");
    expect(rows).toHaveLength(3);
    for (const [confidence = "", size = "", ...expected] of rows) {
      const { high, components } = assess(held(size), on({ confidencePpm: Number(confidence) }), doubting, NOW);
      expect([high.initial, high.maintenance].map(decimal)).toEqual(expected);
      expect(components.reduce((sum, each) => sum + each.initial, 0n)).toBe(high.initial);
    }
  });

  test("costs nothing under a policy that names no terms, and the float pass leaves it to the exact one", () => {
    expect(assess(held("2"), on({ confidencePpm: 0 }), usdt, NOW).high.initial).toBe(money("20"));
    expect([isSurelyQuiet(held("2"), on({}), doubting, NOW), isSurelyQuiet(held("2"), on({ confidencePpm: 0 }), doubting, NOW)]).toEqual([
      true,
      false,
    ]);
  });

  test("a portfolio's model takes its own charge", () => {
    const model = { kind: "portfolio", statistical: null, terms: STANDARD_TERMS } as const;
    const names = (mark: Partial<Mark>): readonly string[] =>
      assess(held("2"), on(mark), { ...doubting, model }, NOW)
        .components.map(({ name }) => name)
        .filter((name) => name.includes("confidence"));
    expect([names({}), names({ confidencePpm: 500_000 })]).toEqual([[], ["BTC: price confidence"]]);
  });
});

describe("marks carry both", () => {
  const tick = (seconds: number, over: object = {}) => ({
    instrumentId: "BTC-PERP",
    price: price("100"),
    asOf: NOW + seconds * 1_000,
    source: "feed",
    ...over,
  });
  const told: Funding = { rate: price("0.0001"), intervalMs: 8 * HOUR, nextAt: NOW + HOUR };

  test("funding until another is told, confidence for its own price only; a dated future has no funding", () => {
    const first = judgeMark(null, tick(0, { funding: told, confidencePpm: 900_000 }), perp, NOW).mark;
    expect(first).toMatchObject({ funding: told, confidencePpm: 900_000 });
    const second = judgeMark(first, tick(1), perp, NOW + 1_000).mark;
    expect(second).toMatchObject({ funding: told });
    expect(second).not.toHaveProperty("confidencePpm");
    expect(judgeMark(null, tick(0, { funding: told }), contract("BTC-PERP", { expiryAt: NOW + HOUR }), NOW).mark).not.toHaveProperty(
      "funding",
    );
  });

  test.each<[string, Partial<Policy>, RegExp]>([
    ["φ above 1", { fundingFactor: 1_000_001 }, /fundingFactor: 1000001/],
    ["a confidence above 1", { confidence: { threshold: 1_000_001, factor: 1 } }, /confidence: the threshold/],
    ["a factor below 0", { confidence: { threshold: 1, factor: -1 } }, /confidence: the threshold/],
  ])("%s is refused by name", (_, over, words) => {
    expect(() => validatePolicy(policyWith([bare("USDT")], over))).toThrow(words);
  });
});
