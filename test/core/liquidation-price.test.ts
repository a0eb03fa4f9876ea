import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { adverseRoot, bankruptcyRoots, liquidationRoots } from "../../core/liquidation-price.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { money, type Price, price, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { type Ratio, roundRatio } from "../../core/ratio.ts";
import { assess } from "../../core/statement.ts";
import { loadTiers } from "../../core/tiers.ts";
import { accounts, CONTRACTS, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const usdt = policyWith([bare("USDT")]);
const perp = contract("BTC-PERP", { baseAsset: "BTC" });
const number = (root: Ratio | null): number | null =>
  root === null ? null : Number((root.numerator * 10n ** 6n) / root.denominator) / 1e14;
const liquidation = (account: MarginAccount, id: string, snapshot: MarketSnapshot, policy: Policy = usdt) =>
  liquidationRoots(account, id, snapshot, policy, NOW);
const shown = (roots: ReturnType<typeof liquidation>) => ({
  lower: number(roots.lower),
  upper: number(roots.upper),
  breached: roots.breached,
});

describe("liquidation price (M4)", () => {
  test.each([
    ["long, 10x", "1", "10", { lower: 90.45226130653266, upper: null }],
    ["short, 10x", "-1", "10", { lower: null, upper: 109.45273631840796 }],
    ["a long financed by cash alone has none", "1", "100", { lower: null, upper: null }],
  ])("%s: close-out where E = MM, on the mark's notional", (_, size, cash, roots) => {
    const account = accountOf({ USDT: cash }, [leg("BTC-PERP", size, "100")]);
    expect(shown(liquidation(account, "BTC-PERP", snapshotOf([perp], { "BTC-PERP": "100" })))).toEqual({ ...roots, breached: false });
  });

  test("the closing fee is inside the trigger, and so are the requirements and profits of other positions", () => {
    const fee = contract("BTC-PERP", { feePpm: 500 });
    const eth = contract("ETH-PERP", { baseAsset: "ETH" });
    const account = accountOf({ USDT: "13" }, [leg("BTC-PERP", "1", "100"), leg("ETH-PERP", "-2", "10")]);
    // 13 − 2·(11 − 10) − 0.005·22 + P − 100 = 0.0055·P
    expect(number(liquidation(account, "BTC-PERP", snapshotOf([fee, eth], { "BTC-PERP": "100", "ETH-PERP": "11" })).lower)).toBe(
      89.60281548516842,
    );
  });

  test("each bracket is solved in its own interval", () => {
    const tiers = loadTiers(
      "t",
      [
        { floor: money("0"), rateIm: 200_000, rateMm: 100_000 },
        { floor: money("60"), rateIm: 500_000, rateMm: 400_000 },
      ],
      0,
    );
    const tiered = contract("BTC-PERP", { tiers });
    const root = (cash: string) =>
      number(
        liquidation(accountOf({ USDT: cash }, [leg("BTC-PERP", "1", "100")]), "BTC-PERP", snapshotOf([tiered], { "BTC-PERP": "100" }))
          .lower,
      );
    // Upper bracket: MM = 0.4·P − 18, cash 40: 0.6·P = 42. Lower bracket: MM = 0.1·P, cash 64: 0.9·P = 36.
    expect(root("40")).toBe(70);
    expect(root("64")).toBe(40);
    expect(root("46")).toBe(60);
  });

  test("collateral in the underlying moves with it; its haircut slices bend the line", () => {
    const policy = policyWith([bare("USDT"), bare("BTC", "BTC-USDT", { tiers: slices(["0", 0, 0], ["50", 500_000, 500_000]) })]);
    const snapshot = snapshotOf([perp, spot("BTC-USDT", "BTC")], { "BTC-PERP": "100", "BTC-USDT": "200" });
    // The index is at twice the contract's price: one BTC is worth 50 where the contract is at 25.
    const account = accountOf({ BTC: "1", USDT: "-70" }, [leg("BTC-PERP", "1", "100")]);
    // Above P = 25: 25 + P − 170 + P = 0.005·P, so P = 145 / 1.995.
    expect(number(liquidation(account, "BTC-PERP", snapshot, policy).lower)).toBeCloseTo(72.6817042606516, 12);
    // A short against the coin is hedged downwards and has its price above.
    const hedged = accountOf({ BTC: "1", USDT: "0" }, [leg("BTC-PERP", "-2", "100")]);
    expect(shown(liquidation(hedged, "BTC-PERP", snapshot, policy))).toMatchObject({ lower: null, breached: false });
  });

  test("inverse, coin-only: solved in 1/P; valued in the quote: solved in P", () => {
    const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("1") });
    const snapshot = snapshotOf([inverse, spot("BTC-USD", "BTC", "USD"), spot("USD-BTC", "USD", "BTC")], {
      INV: "8000",
      "BTC-USD": "8000",
      "USD-BTC": "0.000125",
    });
    const account = accountOf({ BTC: "0.01" }, [leg("INV", "1000", "8000")]);
    // Q·(1 + r) / (Q/EP + m)
    const expected = (1000 * 1.005) / 0.135;
    expect(number(liquidation(account, "INV", snapshot, policyWith([bare("BTC")])).lower)).toBeCloseTo(expected, 10);
    expect(number(liquidation(account, "INV", snapshot, policyWith([bare("USD"), bare("BTC", "BTC-USD")])).lower)).toBeCloseTo(
      expected,
      10,
    );
    // With cash in the quote asset, which is worth more coin the lower the price: 100 USD beside it.
    const mixed = accountOf({ BTC: "0.01", USD: "100" }, [leg("INV", "1000", "8000")]);
    const both = [bare("BTC"), bare("USD", "USD-BTC")];
    expect(number(liquidation(mixed, "INV", snapshot, policyWith(both)).lower)).toBeCloseTo((1000 * 1.005 - 100) / 0.135, 10);
    // A short gains coin as the price falls: its price is above, or nowhere when the coin covers it.
    const short = accountOf({ BTC: "0.01" }, [leg("INV", "-1000", "8000")]);
    expect(number(liquidation(short, "INV", snapshot, policyWith([bare("BTC")])).upper)).toBeCloseTo((1000 * 0.995) / 0.115, 10);
    expect(
      shown(liquidation({ ...short, balances: new Map([["BTC", money("0.2")]]) }, "INV", snapshot, policyWith([bare("BTC")]))),
    ).toEqual({
      lower: null,
      upper: null,
      breached: false,
    });
  });

  test("a linear contract of a coin-only account: its settlement asset is worth 1/P of the coin", () => {
    const snapshot = snapshotOf([perp, spot("USDT-BTC", "USDT", "BTC")], { "BTC-PERP": "100", "USDT-BTC": "0.01" });
    const account = accountOf({ BTC: "0.5" }, [leg("BTC-PERP", "1", "100")]);
    const policy = policyWith([bare("BTC"), bare("USDT", "USDT-BTC", { liabilityWeight: 1_200_000 })]);
    // 0.5 + 1.2·(P − 100)/P = 0.005: P = 120 / 1.695
    expect(number(liquidation(account, "BTC-PERP", snapshot, policy).lower)).toBeCloseTo(120 / 1.695, 12);
    const tiers = loadTiers(
      "t",
      [
        { floor: money("0"), rateIm: 200_000, rateMm: 100_000 },
        { floor: money("60"), rateIm: 500_000, rateMm: 400_000 },
      ],
      0,
    );
    const tiered = { ...snapshot, instruments: new Map(snapshot.instruments).set("BTC-PERP", contract("BTC-PERP", { tiers })) };
    // Below a notional of 60 the first bracket holds: 0.9 + 1.2·(P − 100)/P = 0.1, so P = 60 exactly.
    expect(number(liquidation({ ...account, balances: new Map([["BTC", money("0.9")]]) }, "BTC-PERP", tiered, policy).lower)).toBe(60);
  });

  test("R5: where prices may be 0 and below, the search goes on below 0", () => {
    const oil = contract("OIL", { baseAsset: "OIL", allowNonPositive: true, marginMinPerUnit: money("5") });
    const root = (size: string, cash: string, at = "18") =>
      shown(liquidation(accountOf({ USDT: cash }, [leg("OIL", size, "18.31")]), "OIL", snapshotOf([oil], { OIL: at })));
    // 40 + P − 18.31 = 5 (the least margin holds up to |P| = 1,000)
    expect(root("1", "40")).toEqual({ lower: -16.69, upper: null, breached: false });
    expect(root("1", "2000").lower).toBeCloseTo((18.31 - 2000) / 1.005, 9);
    expect(root("-1", "40")).toEqual({ lower: null, upper: 53.31, breached: false });
    expect(root("1", "40", "0")).toEqual({ lower: -16.69, upper: null, breached: false });
    expect(root("1", "40", "-20")).toEqual({ lower: null, upper: -16.69, breached: true });
  });

  test("an account that is already breached is told where it would be safe again", () => {
    const account = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]);
    const roots = liquidation(account, "BTC-PERP", snapshotOf([perp], { "BTC-PERP": "80" }));
    expect(shown(roots)).toEqual({ lower: null, upper: 90.45226130653266, breached: true });
    expect(adverseRoot(roots, 1n)).toBe(price("90.45226130"));
  });

  test("a spot pair: the price at which what is owed can no longer be covered (R7)", () => {
    const policy = policyWith([bare("USDT", null, { liabilityWeight: 1_100_000 }), bare("BTC", "BTC-USDT")]);
    const snapshot = snapshotOf([spot("BTC-USDT", "BTC")], { "BTC-USDT": "100" });
    expect(number(liquidation(accountOf({ BTC: "1", USDT: "-50" }), "BTC-USDT", snapshot, policy).lower)).toBeCloseTo(55, 12);
    expect(number(liquidation(accountOf({ BTC: "-1", USDT: "150" }), "BTC-USDT", snapshot, policy).upper)).toBe(150);
  });

  test("no price without a mark, and no price that other terms forbid", () => {
    const account = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]);
    expect(shown(liquidation(account, "BTC-PERP", snapshotOf([perp], {})))).toEqual({ lower: null, upper: null, breached: false });
    const oil = contract("OIL", {
      allowNonPositive: true,
      marginMinPerUnit: money("5"),
      baseAsset: "USDT",
      quoteAsset: "EUR",
      settleAsset: "EUR",
    });
    expect(shown(liquidation(accountOf({ USDT: "1" }), "OIL", snapshotOf([oil], { OIL: "-1" })))).toEqual({
      lower: null,
      upper: null,
      breached: false,
    });
    // Held assets that count nothing, or have no price, change nothing.
    const policy = policyWith([bare("USDT"), bare("NEW", "NEW-USDT")]);
    const dusty = accountOf({ DUST: "1", NEW: "5", USDT: "10" }, [leg("BTC-PERP", "1", "100")]);
    expect(number(liquidation(dusty, "BTC-PERP", snapshotOf([perp], { "BTC-PERP": "100" }), policy).lower)).toBe(90.45226130653266);
  });
});

describe("bankruptcy price (M4)", () => {
  const bankrupt = (account: MarginAccount, id: string, snapshot: MarketSnapshot, policy: Policy) =>
    shown(bankruptcyRoots(account, id, snapshot, policy, NOW));

  test("linear: P0·(1 ∓ 1/L); inverse long: P0·L/(L+1)", () => {
    const at = snapshotOf([perp], { "BTC-PERP": "100" });
    expect(bankrupt(accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]), "BTC-PERP", at, usdt)).toMatchObject({ lower: 90 });
    expect(bankrupt(accountOf({ USDT: "10" }, [leg("BTC-PERP", "-1", "100")]), "BTC-PERP", at, usdt)).toMatchObject({ upper: 110 });
    const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC" });
    const { lower } = bankrupt(
      accountOf({ BTC: "0.1" }, [leg("INV", "100", "100")]),
      "INV",
      snapshotOf([inverse], { INV: "100" }),
      policyWith([bare("BTC")]),
    );
    expect(lower).toBeCloseTo(100 * (10 / 11), 1);
  });

  test("rounding towards the mark: below for a long, above for a short; null stays null", () => {
    expect(adverseRoot({ lower: { numerator: 10n, denominator: 3n }, upper: null, breached: false }, 1n)).toBe(4n);
    expect(adverseRoot({ lower: null, upper: { numerator: 10n, denominator: 3n }, breached: false }, -1n)).toBe(3n);
    expect(adverseRoot({ lower: null, upper: null, breached: false }, 1n)).toBeNull();
  });
});

/** The snapshot with one contract at another price, and the indices of its base asset moved with it. */
const movedTo = (snapshot: MarketSnapshot, id: string, at: Price): MarketSnapshot => {
  const mark = snapshot.marks.get(id);
  const base = snapshot.instruments.get(id)?.baseAsset;
  if (mark === undefined) return snapshot;
  return {
    ...snapshot,
    marks: new Map(
      [...snapshot.marks].map(([other, held]) => {
        if (other === id) return [other, { ...held, price: at }];
        const { kind, baseAsset } = snapshot.instruments.get(other) ?? {};
        return [other, kind === "spot" && baseAsset === base ? { ...held, price: ((held.price * at) / mark.price) as Price } : held];
      }),
    ),
  };
};

test("M4: the account is safe on the mark's side of the root and breached beyond it, whatever else it holds", () => {
  let found = 0;
  fc.assert(
    fc.property(accounts, snapshots(["GOOD"]), policies, fc.constantFrom(...CONTRACTS), (account, snapshot, policy, id) => {
      const roots = liquidationRoots(account, id, snapshot, policy, NOW);
      const isBreached = (at: bigint): boolean => {
        const { high } = assess(account, movedTo(snapshot, id, at as Price), policy, NOW);
        return high.equityMaintenance < high.maintenance;
      };
      for (const [root, away] of [
        [roots.lower, -1n],
        [roots.upper, 1n],
      ] as const) {
        if (root === null) continue;
        const at = roundRatio(root, "down");
        // The statement rounds to 1e-8 of each asset, also of a coin that is worth the price: near roots, a millionth of the price clears it.
        // Dust in a coin is a few hundred of its smallest units: there a unit of rounding moves the root by more.
        const held = account.positions.find((position) => position.instrumentId === id)?.quantity ?? 1n;
        const contract = snapshot.instruments.get(id);
        const size = ((held < 0n ? -held : held) * (contract?.multiplier ?? 1n)) / (at === 0n ? 1n : at) + 1n;
        const dust = contract?.kind === "inverse" ? (8n * at) / size : 0n;
        const step = (at < 0n ? -at : at) / 1_000_000n + 10_000n + dust;
        const mark = snapshot.marks.get(id)?.price ?? 1n;
        if (id !== "OIL-FUT" && (at < mark / 10n || at > mark * 10n)) continue;
        found += 1;
        expect(isBreached(at - away * step)).toBe(roots.breached);
        expect(isBreached(at + away * step)).toBe(!roots.breached);
      }
    }),
    { numRuns: 500 },
  );
  expect(found).toBeGreaterThan(100);
});
