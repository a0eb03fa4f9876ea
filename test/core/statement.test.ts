import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { levelOf } from "../../core/level.ts";
import { money, price, quantity } from "../../core/money.ts";
import { assess, headroomBelow } from "../../core/statement.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers } from "../../core/tiers.ts";
import { accounts, policies, snapshots, VENUE } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const usdt = policyWith([bare("USDT")]);
const perp = contract("BTC-PERP");
const on = (at: string) => snapshotOf([perp], { "BTC-PERP": at });
const tenTimesLong = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]);

describe("R1, worked: 10x long, MM 0.5 % of the mark's notional, IM 10 %, entry 100", () => {
  test.each([
    ["97.44", "HEALTHY"],
    ["97.43", "HEALTHY"],
    ["97.42", "WARNING"],
    ["94.99", "WARNING"],
    ["94.98", "CALL"],
    ["92.22", "CALL"],
    ["92.21", "RESTRICTED"],
    ["90.46", "RESTRICTED"],
    ["90.45", "CLOSE_OUT"],
    ["90.31", "CLOSE_OUT"],
    ["90.30", "BACKSTOP"],
    ["90.01", "BACKSTOP"],
    ["89.99", "DEFAULT"],
  ])("at %s the level is %s", (at, level) => {
    expect(levelOf(tenTimesLong, assess(tenTimesLong, on(at), usdt, NOW), usdt.levels, "HEALTHY")).toBe(level);
  });

  test.each([
    [750_000, "97.42895806", "97.42895805"],
    [500_000, "94.98680739", "94.98680738"],
    [200_000, "92.21311476", "92.21311475"],
    [0, "90.45226131", "90.45226130"],
  ])("x < %i ppm holds from the first price unit below the threshold, by cross-multiplication", (ppm, above, below) => {
    for (const [at, holds] of [
      [above, false],
      [below, true],
    ] as const) {
      const { low } = assess(tenTimesLong, on(at), usdt, NOW);
      expect(headroomBelow(low.equityInitial, low, ppm)).toBe(holds);
      expect(headroomBelow(low.equityMaintenance, low, ppm)).toBe(holds);
    }
  });

  test("M0: triggers are strict; an inclusive venue triggers at equality", () => {
    const sided = { initial: money("20"), maintenance: money("10") };
    expect(headroomBelow(money("10"), sided, 0)).toBe(false);
    expect(headroomBelow(money("10"), sided, 0, true)).toBe(true);
    expect(headroomBelow(money("9.99999999"), sided, 0)).toBe(true);
    expect(headroomBelow(money("15.00000001"), sided, 500_000, true)).toBe(false);
  });
});

describe("M1: what positions are worth", () => {
  const one = (instrument: ReturnType<typeof contract>, size: string, entry: string, at: string, asset = instrument.settleAsset) =>
    assess(
      accountOf({ [asset]: "0" }, [leg(instrument.instrumentId, size, entry)]),
      snapshotOf([instrument], { [instrument.instrumentId]: at }),
      policyWith([bare(asset)]),
      NOW,
    );

  test("S20: a long WTI future from 18.31 to -36.98 loses exactly 55.29 a barrel, and keeps a requirement (R5)", () => {
    const oil = contract("OIL-FUT", {
      baseAsset: "OIL",
      allowNonPositive: true,
      marginMinPerUnit: money("5"),
      tiers: loadTiers("oil", [{ floor: money("0"), rateIm: 120_000, rateMm: 60_000 }], 0),
    });
    const { high, legs } = one(oil, "1000", "18.31", "-36.98");
    expect(high.equityMaintenance).toBe(money("-55290"));
    expect(legs[0]).toMatchObject({
      unrealised: money("-55290"),
      notional: money("36980"),
      maintenance: money("5000"),
      initial: money("10000"),
    });
    // At 0 there is no notional; the least margin per unit remains, its initial part as the rates stand to one another.
    expect(one(oil, "-1000", "18.31", "0").high).toMatchObject({
      equityMaintenance: money("18310"),
      maintenance: money("5000"),
      initial: money("10000"),
    });
    // Far from 0 the rates rule.
    expect(one(oil, "1000", "200", "200").high).toMatchObject({ maintenance: money("12000"), initial: money("24000") });
  });

  test("a linear contract of many units", () => {
    const cents = contract("CENT", { multiplier: quantity("0.01") });
    expect(one(cents, "-250", "3", "1.2").high).toEqual({
      equityInitial: money("4.5"),
      equityMaintenance: money("4.5"),
      initial: money("0.3"),
      maintenance: money("0.015"),
    });
  });

  test("an inverse contract, in the coin: q·V·(1/P0 − 1/P), rounded down; requirement up", () => {
    const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") });
    const { high, legs } = one(inverse, "30", "60000", "50000");
    expect(high).toMatchObject({ equityMaintenance: money("-0.01"), initial: money("0.006"), maintenance: money("0.0003") });
    expect(legs[0]).toMatchObject({ notional: money("0.06"), settleAsset: "BTC", unrealised: money("-0.01") });
    expect(one(inverse, "-30", "70000", "50000").high.equityMaintenance).toBe(money("0.01714285"));
    expect(one(inverse, "30", "70000", "50000").high.equityMaintenance).toBe(money("-0.01714286"));
  });

  test("brackets are entered at their floor, on the notional of the mark", () => {
    const tiered = contract("T", {
      feePpm: 500,
      tiers: loadTiers(
        "t",
        [
          { floor: money("0"), rateIm: 8_000, rateMm: 4_000 },
          { floor: money("50000"), rateIm: 10_000, rateMm: 5_000 },
        ],
        500,
      ),
    });
    expect(one(tiered, "5", "10000", "10000").high).toMatchObject({ initial: money("400"), maintenance: money("225") });
    expect(one(tiered, "10", "10000", "10000").high).toMatchObject({ initial: money("900"), maintenance: money("500") });
  });
});

describe("M2: collateral, debts, several settlement assets", () => {
  const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") });
  const instruments = [perp, inverse, spot("BTC-USDT", "BTC")];
  const snapshot = snapshotOf(instruments, { "BTC-PERP": "50000", INV: "50000", "BTC-USDT": "50000" });
  const policy = policyWith([bare("USDT"), bare("BTC", "BTC-USDT", { liabilityWeight: 1_200_000, tiers: slices(["0", 100_000, 50_000]) })]);

  test("profit in the coin becomes coin, then collateral with its haircuts", () => {
    const account = accountOf({ BTC: "0.1", USDT: "1000" }, [leg("INV", "30", "60000")]);
    // 0.1 − 0.01 BTC at 50,000 with 10 % and 5 % off; requirements 0.006 and 0.0003 BTC.
    expect(assess(account, snapshot, policy, NOW).high).toEqual({
      equityInitial: money("5050"),
      equityMaintenance: money("5275"),
      initial: money("300"),
      maintenance: money("15"),
    });
  });

  test("a coin balance below 0 is a debt at its weight", () => {
    const account = accountOf({ BTC: "0.005", USDT: "1000" }, [leg("INV", "30", "60000")]);
    expect(assess(account, snapshot, policy, NOW).high).toMatchObject({ equityInitial: money("700"), equityMaintenance: money("700") });
  });

  test("a coin-only account is valued in the coin", () => {
    const coin = policyWith([bare("BTC")]);
    const { high, valuationAsset } = assess(accountOf({ BTC: "0.1" }, [leg("INV", "30", "60000")]), snapshot, coin, NOW);
    expect(valuationAsset).toBe("BTC");
    expect(high).toMatchObject({ equityMaintenance: money("0.09"), initial: money("0.006") });
  });

  test("R2: a limited share of unrealised profit counts in E_i; a loss counts whole", () => {
    const half = policyWith([bare("USDT")], { unrealisedProfitIm: 500_000 });
    const held = (entry: string) => assess(accountOf({ USDT: "100" }, [leg("BTC-PERP", "1", entry)]), on("100"), half, NOW).high;
    expect(held("60")).toMatchObject({ equityInitial: money("120"), equityMaintenance: money("140") });
    expect(held("140")).toMatchObject({ equityInitial: money("60"), equityMaintenance: money("60") });
  });

  test("R16: what is reserved for a withdrawal is out of E_i, and still there for E_m", () => {
    const account = { ...tenTimesLong, reserved: new Map([["USDT", money("4")]]) };
    expect(assess(account, on("100"), usdt, NOW).high).toMatchObject({ equityInitial: money("6"), equityMaintenance: money("10") });
  });

  test("an asset that the policy does not accept counts nothing while it is held, and stops the account when it is owed", () => {
    expect(assess(accountOf({ USDT: "5", DUST: "1000" }), on("100"), usdt, NOW).high.equityInitial).toBe(money("5"));
    expect(() => assess(accountOf({ DUST: "-1" }), on("100"), usdt, NOW)).toThrow(TermsError);
    expect(() => assess(accountOf({}, [leg("INV", "1", "1")]), snapshot, usdt, NOW)).toThrow(/policy standard v1, collateral BTC/);
    expect(() => assess(accountOf({}, [leg("GONE", "1", "1")]), on("100"), usdt, NOW)).toThrow("unknown instrument GONE");
  });

  test("the parts of the statement", () => {
    const statement = assess(accountOf({ BTC: "0.1", DUST: "3", USDT: "10" }, [leg("INV", "30", "60000")]), snapshot, policy, NOW);
    expect(statement).toMatchObject({ snapshotId: "S-1", at: NOW, valuationAsset: "USDT", quality: "GOOD", allGood: true });
    expect(statement.low).toBe(statement.high);
    expect(statement.collateral).toEqual([
      { asset: "BTC", quality: "GOOD", price: price("50000"), wallet: money("0.1"), reserved: 0n, unrealised: money("-0.01") },
      { asset: "DUST", quality: "GOOD", price: null, wallet: money("3"), reserved: 0n, unrealised: 0n },
      { asset: "USDT", quality: "GOOD", price: price("1"), wallet: money("10"), reserved: 0n, unrealised: 0n },
    ]);
  });
});

describe("R3: bad marks give two values", () => {
  const stale = { price: price("100"), asOf: NOW - 60_001 };
  const suspect = { price: price("100"), candidate: { price: price("300"), asOf: NOW - 30_000 } };

  test.each([
    ["a stale mark, long: 5 % below", { size: "1", mark: stale, quality: "STALE", priceLow: "95" }],
    ["a stale mark, short: 5 % above", { size: "-1", mark: stale, quality: "STALE", priceLow: "105" }],
    ["a suspect mark, long: the band, not the wick", { size: "1", mark: suspect, quality: "SUSPECT", priceLow: "95" }],
  ] as const)("%s", (_, { size, mark, quality, priceLow }) => {
    const account = accountOf({ USDT: "110" }, [leg("BTC-PERP", size, "100")]);
    const statement = assess(account, snapshotOf([perp], { "BTC-PERP": mark }), usdt, NOW);
    expect(statement).toMatchObject({ quality, allGood: false, high: { equityMaintenance: money("110"), maintenance: money("0.5") } });
    expect(statement.legs[0]).toMatchObject({ quality, price: price("100"), priceLow: price(priceLow) });
    expect(statement.low.equityMaintenance).toBe(money("105"));
  });

  test("a position that never had a mark: E_high at its entry, E_low at the ceiling of the jump guard", () => {
    const statement = (size: string, instrument = perp) =>
      assess(accountOf({ USDT: "110" }, [leg("BTC-PERP", size, "100")]), snapshotOf([instrument], {}), usdt, NOW);
    expect(statement("1")).toMatchObject({
      quality: "MISSING",
      low: { equityMaintenance: money("60") },
      high: { equityMaintenance: money("110") },
    });
    expect(statement("-1")).toMatchObject({
      low: { equityMaintenance: money("60"), initial: money("15") },
      high: { initial: money("10") },
    });
    const wild = { ...perp, markRule: { ...perp.markRule, jumpPpmMax: 2_000_000 } };
    expect(statement("1", wild).low.equityMaintenance).toBe(money("10.00000001"));
    expect(statement("1", { ...wild, allowNonPositive: true, marginMinPerUnit: money("1") }).low.equityMaintenance).toBe(money("-90"));
  });

  const priced = [perp, spot("BTC-USDT", "BTC")];
  const policy = policyWith([bare("USDT"), bare("BTC", "BTC-USDT", { liabilityWeight: 1_000_000 })]);

  test("collateral and debts at the edges of a bad index price; nothing without one", () => {
    const value = (btc: string, mark: Parameters<typeof snapshotOf>[1][string]) =>
      assess(accountOf({ BTC: btc, USDT: "10" }), snapshotOf(priced, { "BTC-USDT": mark }), policy, NOW);
    expect(value("1", stale)).toMatchObject({
      quality: "STALE",
      low: { equityInitial: money("105") },
      high: { equityInitial: money("110") },
    });
    expect(value("-1", stale)).toMatchObject({ low: { equityInitial: money("-95") }, high: { equityInitial: money("-90") } });
    expect(value("1", null)).toMatchObject({
      quality: "MISSING",
      low: { equityInitial: money("10") },
      high: { equityInitial: money("10") },
    });
    expect(value("1", null).collateral[0]).toMatchObject({ asset: "BTC", price: null });
    expect(value("0", null).quality).toBe("GOOD");
  });

  test("a debt that nothing prices puts E_low just below 0, and takes nothing on E_high", () => {
    const owed = assess(accountOf({ BTC: "-1", USDT: "10" }), snapshotOf(priced, {}), policy, NOW);
    expect(owed).toMatchObject({ low: { equityInitial: -1n, equityMaintenance: -1n }, high: { equityInitial: money("10") } });
    const deeper = assess(accountOf({ BTC: "-1", USDT: "-10" }), snapshotOf(priced, {}), policy, NOW);
    expect(deeper.low).toMatchObject({ equityInitial: money("-10"), equityMaintenance: money("-10") });
  });

  test("one dust position in a dead token changes little: the rest is valued on its GOOD marks", () => {
    const dead = contract("DEAD-PERP", { baseAsset: "DEAD" });
    const account = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100"), leg("DEAD-PERP", "0.00001", "1")]);
    const statement = assess(
      account,
      snapshotOf([perp, dead], { "BTC-PERP": "90", "DEAD-PERP": { price: price("1"), asOf: 1 } }),
      usdt,
      NOW,
    );
    expect(statement.quality).toBe("STALE");
    expect(headroomBelow(statement.high.equityMaintenance, statement.high, 0)).toBe(true);
  });
});

describe("properties of every statement", () => {
  test("R2: E_i ≤ E_m; R3: E_low ≤ E_high; R1: IM ≥ MM; the legs add up within a unit each", () => {
    fc.assert(
      fc.property(accounts, snapshots(["GOOD", "GOOD", "STALE", "SUSPECT", "MISSING"]), policies, (account, snapshot, policy) => {
        const { low, high, legs, allGood, quality } = assess(account, snapshot, policy, NOW);
        for (const side of [low, high]) {
          expect(side.equityInitial <= side.equityMaintenance).toBe(true);
          expect(side.initial >= side.maintenance).toBe(true);
        }
        expect(low.equityInitial <= high.equityInitial).toBe(true);
        expect(low.equityMaintenance <= high.equityMaintenance).toBe(true);
        expect(allGood).toBe(quality === "GOOD");
        if (allGood) expect(low).toBe(high);
        const usdtLegs = legs.filter((each) => each.settleAsset === "USDT");
        if (usdtLegs.length === legs.length) {
          const sum = legs.reduce((total, each) => total + (each.maintenance ?? 0n), 0n);
          expect(sum - high.maintenance >= 0n && sum - high.maintenance <= BigInt(legs.length)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("I27: the answer depends on its inputs only: not on what was assessed before, or when", () => {
    fc.assert(
      fc.property(
        fc.array(accounts, { minLength: 1, maxLength: 4 }),
        snapshots(["GOOD", "STALE"]),
        policies,
        policies,
        (held, snapshot, first, second) => {
          const fresh = (account: (typeof held)[number], policy: typeof first, now: number) =>
            assess(account, { ...snapshot }, { ...policy, collateral: new Map(policy.collateral) }, now);
          for (const account of held) {
            for (const [policy, now] of [
              [first, NOW],
              [second, NOW],
              [first, NOW + 60_001],
              [first, NOW],
            ] as const) {
              const { low, high, quality } = assess(account, snapshot, policy, now);
              const again = fresh(account, policy, now);
              expect({ low, high, quality }).toEqual({ low: again.low, high: again.high, quality: again.quality });
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("more policies than are remembered are priced again, and right", () => {
    const many = Array.from({ length: 12 }, (_, index) => policyWith([bare("USDT", null, { tiers: slices(["0", index * 1_000, 0]) })]));
    const snapshot = on("100");
    for (const round of [0, 1]) {
      for (const [index, policy] of many.entries()) {
        const { equityInitial } = assess(accountOf({ USDT: "1000" }), snapshot, policy, NOW + round).high;
        expect(equityInitial).toBe(money(String(1000 - index)));
      }
    }
    expect(VENUE.length).toBeGreaterThan(5);
  });
});
