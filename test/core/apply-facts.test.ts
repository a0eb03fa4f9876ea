import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MarginAccount, newAccount } from "../../core/account.ts";
import { applyFacts } from "../../core/apply-facts.ts";
import { decide } from "../../core/decide.ts";
import { fillPosition } from "../../core/fill.ts";
import type { Fact } from "../../core/ledger.ts";
import { LIMITS } from "../../core/limits.ts";
import { decimal, type Money, money, type Price, price, type Quantity, quantity } from "../../core/money.ts";
import { assess } from "../../core/statement.ts";
import { accountWith, INSTRUMENTS, market, POLICY, perpetual, position, T0, tenTimesLong } from "./call-fixtures.ts";

const prices = market(T0, { "BTC-PERP": "100", "ETH-PERP": "100", "BTC-INV": "100", "BTC-USDT": "100" });
const apply = (account: MarginAccount, facts: readonly Fact[]) =>
  applyFacts(account, facts, INSTRUMENTS, (held) => assess(held, prices, POLICY, T0).low);

const deposit = (sequence: number, amount: string, asset = "USDT"): Fact => ({
  kind: "deposit",
  externalId: `D-${sequence}`,
  sequence,
  occurredAt: T0,
  asset,
  amount: money(amount),
});
const withdrawal = (sequence: number, amount: string): Fact => ({ ...deposit(sequence, amount), kind: "withdrawal" }) as Fact;
const fill = (sequence: number, instrumentId: string, size: string, at: string, fee = "0"): Fact => ({
  kind: "fill",
  externalId: `F-${sequence}`,
  sequence,
  occurredAt: T0,
  instrumentId,
  quantity: quantity(size),
  price: price(at),
  fee: money(fee),
  orderId: null,
});
const snapshot = (sequence: number, balances: Record<string, string>, positions: MarginAccount["positions"] = []): Fact => ({
  kind: "snapshot",
  externalId: `S-${sequence}`,
  sequence,
  occurredAt: T0,
  balances: new Map(Object.entries(balances).map(([asset, amount]) => [asset, money(amount)])),
  positions,
});
const balancesOf = (account: MarginAccount) => Object.fromEntries([...account.balances].map(([asset, amount]) => [asset, decimal(amount)]));

describe("R16: facts are applied in the order of their sequence", () => {
  test("deposits and withdrawals post what they say; a zero balance leaves the account", () => {
    const { account, entries } = apply(accountWith({ USDT: "10" }), [withdrawal(3, "14"), deposit(2, "4"), deposit(4, "1", "BTC")]);
    expect(balancesOf(account)).toEqual({ BTC: "1" });
    expect(account.sourceSequence).toBe(4);
    expect(entries.map(({ fact, postings }) => [fact.externalId, postings])).toEqual([
      ["D-2", [{ asset: "USDT", amount: money("4") }]],
      ["D-3", [{ asset: "USDT", amount: money("-14") }]],
      ["D-4", [{ asset: "BTC", amount: money("1") }]],
    ]);
    expect([...account.balances.keys()]).toEqual(["BTC"]);
  });

  test("a withdrawal releases its reservation, never more than there is", () => {
    const held: MarginAccount = { ...accountWith({ USDT: "10" }), reserved: new Map([["USDT", money("3")]]) };
    expect(apply(held, [withdrawal(2, "2")]).account.reserved).toEqual(new Map([["USDT", money("1")]]));
    expect(apply(held, [withdrawal(2, "5")]).account.reserved).toEqual(new Map());
  });

  test("an id twice in one batch counts once (I17)", () => {
    const { account, entries } = apply(accountWith({ USDT: "10" }), [deposit(2, "4"), { ...deposit(2, "4"), sequence: 3 }]);
    expect(balancesOf(account)).toEqual({ USDT: "14" });
    expect(entries).toHaveLength(1);
  });

  test("a gap marks the account OUT_OF_SYNC, and what comes late is recorded without effect", () => {
    const gapped = apply(accountWith({ USDT: "10" }), [deposit(3, "4")]).account;
    expect(gapped).toMatchObject({ outOfSync: true, sourceSequence: 3 });
    const late = apply(gapped, [deposit(2, "1")]);
    expect(late.entries).toEqual([expect.objectContaining({ postings: [] })]);
    expect(balancesOf(late.account)).toEqual({ USDT: "14" });
    expect(late.account).toMatchObject({ outOfSync: true, sourceSequence: 3 });
  });

  test("a snapshot heals a gap, posts the differences and sorts positions; an old one is ignored", () => {
    const gapped: MarginAccount = { ...accountWith({ USDT: "10", BTC: "1" }), outOfSync: true, sourceSequence: 5 };
    const shot = snapshot(9, { USDT: "12", ETH: "3" }, [
      position("ETH-PERP", "1", "90"),
      position("BTC-PERP", "2", "95"),
      position("BTC-INV", "0", "1"),
    ]);
    const { account, entries } = apply(gapped, [shot]);
    expect(account).toMatchObject({ outOfSync: false, sourceSequence: 9 });
    expect(account.positions.map(({ instrumentId }) => instrumentId)).toEqual(["BTC-PERP", "ETH-PERP"]);
    expect(entries[0]?.postings).toEqual([
      { asset: "BTC", amount: money("-1") },
      { asset: "ETH", amount: money("3") },
      { asset: "USDT", amount: money("2") },
    ]);
    const old = apply(account, [snapshot(9, { USDT: "0" })]);
    expect(old.account.balances).toBe(account.balances);
    expect(old.entries[0]?.postings).toEqual([]);
  });

  test.each([
    ["a gap, a snapshot of any instant", null, 0, { outOfSync: false, restoredAt: null }],
    ["a restore, a snapshot from before it", T0, T0 - 1, { outOfSync: true, restoredAt: T0 }],
    ["a restore, a snapshot from its instant on", T0, T0, { outOfSync: false, restoredAt: null }],
  ])("S54 after %s", (_, restoredAt, occurredAt, expected) => {
    const unknown: MarginAccount = { ...accountWith({ USDT: "10" }), outOfSync: true, restoredAt, sourceSequence: 5 };
    const { account } = apply(unknown, [{ ...snapshot(9, { USDT: "12" }), occurredAt }]);
    expect(account).toMatchObject(expected);
    expect(balancesOf(account)).toEqual({ USDT: "12" });
  });

  test("a snapshot opens an account at any sequence; a first fact past 1 is a gap", () => {
    const fresh = newAccount({ accountId: "n", key: "K", brokerId: "b", clientClass: "c", policyId: "standard" });
    const change = decide(fresh, prices, POLICY, T0, [snapshot(41, { USDT: "10" }, [position("BTC-PERP", "1", "100")])]);
    expect(change?.after).toMatchObject({ version: 1, sourceSequence: 41, outOfSync: false, level: "HEALTHY" });
    expect(change).toMatchObject({ calls: [], orders: [], events: [] });
    expect(apply(fresh, [deposit(1, "1")]).account.outOfSync).toBe(false);
    expect(apply(fresh, [deposit(2, "1")]).account.outOfSync).toBe(true);
  });

  test("what no account can hold is refused by name", () => {
    expect(() => apply(tenTimesLong(), [fill(2, "XYZ-PERP", "1", "1")])).toThrow("fill in an unknown instrument: XYZ-PERP");
    expect(() => apply(tenTimesLong(), [fill(2, "BTC-USDT", "1", "1")])).toThrow("no position is held in the spot pair BTC-USDT");
    const many = Array.from({ length: LIMITS.positionsMax + 1 }, (_, index) => position(`P-${index}`, "1", "1"));
    expect(() => apply(tenTimesLong(), [snapshot(2, {}, many)])).toThrow(`more than ${LIMITS.positionsMax} positions`);
    const full = { ...accountWith({}), positions: many.slice(1) };
    expect(() => apply(full, [fill(2, "BTC-PERP", "1", "100")])).toThrow(`more than ${LIMITS.positionsMax} positions`);
  });

  test("a fill opens, adds, reduces, closes and flips; fee and profit are posted as one", () => {
    const facts = [
      fill(2, "BTC-PERP", "1", "100", "0.5"),
      fill(3, "BTC-PERP", "1", "110"),
      fill(4, "BTC-PERP", "-0.5", "115", "0.1"),
      fill(5, "BTC-PERP", "-2", "100"),
      fill(6, "BTC-PERP", "0.5", "90"),
      fill(7, "ETH-PERP", "0", "90", "1"),
    ];
    const { account, entries } = apply(accountWith({ USDT: "100" }), facts);
    expect(entries.map(({ postings }) => postings.map(({ amount }) => decimal(amount)))).toEqual([
      ["-0.5"],
      [],
      ["4.9"],
      ["-7.5"],
      ["5"],
      ["-1"],
    ]);
    expect(account.positions).toEqual([]);
    expect(balancesOf(account)).toEqual({ USDT: "100.9" });
  });
});

describe("M1: fills in a position", () => {
  interface Traded {
    readonly words: string;
    readonly held: readonly [size: string, entry: string];
    readonly traded: string;
    readonly at: string;
    readonly left: readonly [size: string, entry: string] | null;
    readonly realised: string;
  }
  const linear = perpetual("L");
  const inverse = perpetual("I", { kind: "inverse", settleAsset: "BTC", multiplier: quantity("100") });

  test.each<Traded>([
    {
      words: "a long adds: the average rounds up",
      held: ["1", "100"],
      traded: "2",
      at: "100.00000001",
      left: ["3", "100.00000001"],
      realised: "0",
    },
    {
      words: "a short adds: the average rounds down",
      held: ["-1", "100"],
      traded: "-2",
      at: "100.00000001",
      left: ["-3", "100"],
      realised: "0",
    },
    { words: "a long reduces at its entry", held: ["3", "100"], traded: "-1", at: "90", left: ["2", "100"], realised: "-10" },
    { words: "a short closes", held: ["-2", "100"], traded: "2", at: "90", left: null, realised: "20" },
    { words: "a long flips to short at the fill", held: ["1", "100"], traded: "-3", at: "120", left: ["-2", "120"], realised: "20" },
    {
      words: "S20: a long from 18.31 to −36.98 loses 55.29",
      held: ["1", "18.31"],
      traded: "-1",
      at: "-36.98",
      left: null,
      realised: "-55.29",
    },
  ])("linear: $words", ({ held: [size, entry], traded, at, left, realised }) => {
    const result = fillPosition(linear, position("L", size, entry), quantity(traded), price(at));
    expect(result.position).toEqual(left === null ? null : position("L", left[0], left[1]));
    expect(decimal(result.realised)).toBe(realised);
  });

  test.each<Traded>([
    // 1 contract of 100 USD from 50,000 to 40,000: 100·(1/50,000 − 1/40,000) = −0.0005 of the coin.
    { words: "a long closes lower", held: ["1", "50000"], traded: "-1", at: "40000", left: null, realised: "-0.0005" },
    { words: "a short closes lower", held: ["-1", "50000"], traded: "1", at: "40000", left: null, realised: "0.0005" },
    // 2 contracts at 30,000 and 1 at 60,000: 3 / (2/30,000 + 1/60,000) = 36,000.
    { words: "the average is harmonic", held: ["2", "30000"], traded: "1", at: "60000", left: ["3", "36000"], realised: "0" },
    { words: "a remainder of profit goes down", held: ["1", "3"], traded: "-1", at: "7", left: null, realised: "19.04761904" },
    { words: "and of a loss too", held: ["-1", "3"], traded: "1", at: "7", left: null, realised: "-19.04761905" },
  ])("inverse: $words", ({ held: [size, entry], traded, at, left, realised }) => {
    const result = fillPosition(inverse, position("I", size, entry), quantity(traded), price(at));
    expect(result.position).toEqual(left === null ? null : position("I", left[0], left[1]));
    expect(decimal(result.realised)).toBe(realised);
  });

  const sizes = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
  const quotes = fc.bigInt({ min: 1n, max: 10n ** 13n });
  test("no sequence of fills makes money: closing at a price never beats the exact profit (I15)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(sizes, quotes), { minLength: 1, maxLength: 12 }), quotes, (fills, last) => {
        let held: ReturnType<typeof fillPosition>["position"] = null;
        let realised = 0n;
        // Exact cash of a linear contract: what was paid and what came in, at scale 1e-16.
        let cash = 0n;
        let size = 0n;
        const trade = (traded: bigint, at: bigint): void => {
          const result = fillPosition(linear, held, traded as Quantity, at as Price);
          held = result.position;
          realised += result.realised;
          cash -= traded * at;
          size += traded;
        };
        for (const [traded, at] of fills) trade(traded, at);
        trade(-size, last);
        expect(held).toBeNull();
        expect(size).toBe(0n);
        expect(realised * 10n ** 8n <= cash).toBe(true);
        // The rounding that the account bears: one unit a fill, and one per unit held when an average is rounded.
        const turnover = fills.reduce((sum, [traded]) => sum + (traded < 0n ? -traded : traded), 0n);
        expect(cash - realised * 10n ** 8n <= BigInt(fills.length + 1) * (10n ** 8n + turnover)).toBe(true);
      }),
    );
  });
});

describe("I14: postings are the balance changes, to the last unit", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("deposit" as const),
      amount: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      asset: fc.constantFrom("USDT", "BTC"),
    }),
    fc.record({
      kind: fc.constant("withdrawal" as const),
      amount: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      asset: fc.constantFrom("USDT", "BTC"),
    }),
    fc.record({
      kind: fc.constant("fill" as const),
      instrumentId: fc.constantFrom("BTC-PERP", "ETH-PERP", "BTC-INV"),
      size: fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n }),
      at: fc.bigInt({ min: 10n ** 6n, max: 10n ** 12n }),
      fee: fc.bigInt({ min: -100n, max: 10n ** 8n }),
    }),
    fc.record({ kind: fc.constant("snapshot" as const), usdt: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }) }),
  );

  test("over any run of facts, with gaps and late ones", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.integer({ min: -1, max: 2 })), { maxLength: 25 }), (steps) => {
        let sequence = 1;
        const facts = steps.map(([each, jump], index): Fact => {
          sequence += jump;
          const base = { externalId: `X-${index}`, sequence, occurredAt: T0 };
          switch (each.kind) {
            case "fill":
              return {
                ...base,
                kind: "fill",
                instrumentId: each.instrumentId,
                quantity: each.size as Quantity,
                price: each.at as Price,
                fee: each.fee as Money,
                orderId: null,
              };
            case "snapshot":
              return { ...base, kind: "snapshot", balances: new Map([["USDT", each.usdt as Money]]), positions: [] };
            default:
              return { ...base, kind: each.kind, asset: each.asset, amount: each.amount as Money };
          }
        });
        const before = accountWith({ USDT: "1000", BTC: "2" });
        const { account, entries } = apply(before, facts);
        const sums = new Map<string, bigint>(before.balances);
        for (const { postings } of entries) for (const { asset, amount } of postings) sums.set(asset, (sums.get(asset) ?? 0n) + amount);
        expect(new Map([...sums].filter(([, amount]) => amount !== 0n))).toEqual(new Map(account.balances));
        expect(entries).toHaveLength(facts.length);
        expect([...account.positions].map(({ instrumentId }) => instrumentId)).toEqual(
          account.positions.map(({ instrumentId }) => instrumentId).sort(),
        );
        expect(account.positions.every(({ quantity: held }) => held !== 0n)).toBe(true);
      }),
    );
  });
});
