import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { decide } from "../../core/decide.ts";
import type { Change } from "../../core/decision.ts";
import { footprintOf } from "../../core/footprint.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Fact } from "../../core/ledger.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money, type Price, price, quantity } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { assess } from "../../core/statement.ts";
import { accounts, atHeadroom, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "./margin-fixtures.ts";

/** The same snapshot, in which every mark outside of `kept` has another price and source, and none is newer. */
const otherOutside = (snapshot: MarketSnapshot, kept: MarketSnapshot): MarketSnapshot => ({
  ...snapshot,
  marks: new Map(
    [...snapshot.marks].map(([id, mark]): [string, Mark] => {
      if (kept.marks.has(id)) return [id, mark];
      return [id, { ...mark, price: (mark.price * 3n) as Price, source: "other", asOf: mark.asOf - 1, candidate: null }];
    }),
  ),
});

/** Decides, and again on the footprint and with other marks outside of it. @returns the change. */
const decideThrice = (
  account: MarginAccount,
  snapshot: MarketSnapshot,
  policy: PolicyInMode,
  now: number,
  facts: readonly Fact[] = [],
): Change | null => {
  const change = decide(account, snapshot, policy, now, facts);
  if (change === null) return null;
  const footprint = footprintOf(change, snapshot, policy);
  expect(decide(account, footprint, policy, now, facts)).toEqual(change);
  expect(decide(account, otherOutside(snapshot, footprint), policy, now, facts)).toEqual(change);
  // The footprint of a footprint is itself: a record that is recomputed names the same inputs.
  expect(footprintOf(change, footprint, policy)).toEqual(footprint);
  return change;
};

const statuses = new Set<string>();
/** A thin market of each asset (M8). */
const THIN = {
  averageVolume: money("1000000"),
  spread: 1_000,
  volatilitySpread: 20_000,
  dailyVolatility: 40_000,
  impact: 1_000_000,
  participation: 200_000,
  confidence: 990_000,
  threshold: 250_000,
  charge: 50_000,
};

test("I27 marks and instruments outside of a change's footprint cannot change it", () => {
  fc.assert(
    fc.property(
      accounts,
      snapshots(["GOOD", "GOOD", "GOOD", "STALE", "SUSPECT", "MISSING"]),
      fc.tuple(policies, fc.constantFrom({}, { liquidity: { BTC: THIN, CENT: THIN } })).map(([base, charged]) => ({ ...base, ...charged })),
      fc.constantFrom(-400_000, 100_000, 400_000, 700_000, 1_500_000),
      fc.constantFrom("BTC-PERP", "CENT-PERP", "BTC-INV"),
      (drawn, snapshot, terms, headroom, traded) => {
        const policy: PolicyInMode = { ...terms, mode: "enforce" };
        const account = atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).high, headroom);
        const called = decideThrice(account, snapshot, policy, NOW)?.after ?? account;
        const fill: Fact = {
          ...{ kind: "fill", externalId: "F-1", sequence: 1, occurredAt: NOW, instrumentId: traded, orderId: null, fee: 0n as never },
          ...{ quantity: quantity("2"), price: snapshot.marks.get(traded)?.price ?? price("1") },
        };
        const traded1 = decideThrice(called, snapshot, policy, NOW, [fill])?.after ?? called;
        const late = decideThrice(traded1, { ...snapshot, takenAt: NOW + 30_000 }, policy, NOW + 30_000)?.after ?? traded1;
        const last = decideThrice(late, snapshot, policy, NOW + 10_000_000)?.after ?? late;
        for (const { live } of [called, traded1, late, last]) statuses.add(live?.call.status ?? "none");
      },
    ),
    { numRuns: 400 },
  );
  expect([...statuses].sort()).toEqual(["LIQUIDATING", "OPEN", "none"]);
});

describe("what a footprint holds", () => {
  const [snapshot] = fc.sample(snapshots(["GOOD"]), { numRuns: 1, seed: 1 }) as [MarketSnapshot];
  const [policy] = fc.sample(policies, { numRuns: 1, seed: 1 }) as [PolicyInMode];
  const [drawn] = fc.sample(accounts, { numRuns: 1, seed: 3 }) as [MarginAccount];
  const account = { ...drawn, positions: [{ instrumentId: "ETH-PERP", quantity: quantity("1"), entryPrice: price("2000") }] };
  const change: Change = { before: account, after: account, calls: [], orders: [], entries: [], events: [] };

  test("positions and the prices of collateral; nothing of the rest of the venue", () => {
    const { marks, instruments } = footprintOf(change, snapshot, policy);
    expect([...marks.keys()].sort()).toEqual(["BTC-USDT", "ETH-PERP", "ETH-USDT"]);
    expect([...instruments.keys()].sort()).toEqual(["BTC-USDT", "ETH-PERP", "ETH-USDT"]);
  });

  test("S39 the newest mark of the snapshot, which sets the instant of the decision", () => {
    const oil = { ...(snapshot.marks.get("OIL-FUT") as Mark), asOf: NOW + 2_000 };
    const later = { ...snapshot, marks: new Map(snapshot.marks).set("OIL-FUT", oil) };
    expect([...footprintOf(change, later, policy).marks.keys()].sort()).toEqual(["BTC-USDT", "ETH-PERP", "ETH-USDT", "OIL-FUT"]);
  });
});

describe("options: what tells their price belongs to the footprint", () => {
  const EXPIRY = NOW + 30 * 86_400_000;
  const option = (strike: string, underlyingId = "BTC-FUT"): Instrument =>
    contract(`${underlyingId}-${strike}-C`, {
      ...{ kind: "option", tiers: [], expiryAt: EXPIRY },
      option: { underlyingId, strike: price(strike), right: "call", style: "premium", settlement: "linear", averagingMs: 0 },
    });
  const venue = [contract("BTC-FUT", { expiryAt: EXPIRY }), contract("BTC-FUT2"), spot("BTC-USDT", "BTC"), spot("ETH-USDT", "ETH")];
  const options = ["60000", "66000", "70000", "74000"].map((strike) => option(strike));
  const prices = { "BTC-FUT": "60000", "BTC-FUT2": "60000", "BTC-USDT": "60000", "ETH-USDT": "3000", "BTC-FUT2-66000-C": "1500" };
  const good = { "BTC-FUT-60000-C": "3500", "BTC-FUT-66000-C": "1500", "BTC-FUT-70000-C": "700", "BTC-FUT-74000-C": "320" };
  const stale = { ...good, "BTC-FUT-66000-C": { price: price("1500"), asOf: NOW - 120_000 } };
  const all = [...venue, ...options, option("66000", "BTC-FUT2")];
  const short = accountOf({ USDT: "4000" }, [leg("BTC-FUT-66000-C", "-1", "1400")]);
  const idsOf = (snapshot: MarketSnapshot, policy: PolicyInMode): string[] => {
    const change = decideThrice(short, snapshot, policy, NOW) as Change;
    return [...footprintOf(change, snapshot, policy).marks.keys()].sort();
  };
  const models = [
    ["standard", policyWith([bare("USDT")])],
    ["portfolio", policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: null } })],
    ["charged for liquidity", policyWith([bare("USDT")], { liquidity: { BTC: THIN } })],
  ] as const;
  test.each(models)("%s: with a good mark of its own, its underlying and the spot pair", (_, terms) => {
    const policy: PolicyInMode = { ...terms, mode: "enforce" };
    expect(idsOf(snapshotOf(all, { ...prices, ...good }), policy)).toEqual(["BTC-FUT", "BTC-FUT-66000-C", "BTC-USDT"]);
  });

  test("M6: without a spot pair, the first contract of the asset, which tells the price of the risk unit", () => {
    const [, [, terms]] = models;
    const bases = [contract("BTC-EARLY"), contract("BTC-FUT", { quoteAsset: "USD", settleAsset: "USDT" }), contract("BTC-LATE")];
    const snapshot = snapshotOf(bases, { "BTC-EARLY": "61000", "BTC-FUT": "60000", "BTC-LATE": "59000" });
    const held = accountOf({ USDT: "4000" }, [leg("BTC-FUT", "-1", "59000")]);
    const policy: PolicyInMode = { ...terms, mode: "enforce" };
    const change = decideThrice(held, snapshot, policy, NOW) as Change;
    expect([...footprintOf(change, snapshot, policy).marks.keys()].sort()).toEqual(["BTC-EARLY", "BTC-FUT"]);
  });

  test.each(models)("S15 %s: without one, every option beside it", (_, terms) => {
    const policy: PolicyInMode = { ...terms, mode: "enforce" };
    expect(idsOf(snapshotOf(all, { ...prices, ...stale }), policy)).toEqual(["BTC-FUT", ...Object.keys(good), "BTC-USDT"]);
  });
});
