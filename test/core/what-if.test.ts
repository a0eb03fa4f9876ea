import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import type { PricedCure } from "../../core/cheapest-cures.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { decimal, money, price, type Quantity, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { newPool } from "../../core/scope.ts";
import { assess } from "../../core/statement.ts";
import { type Explained, explain, type Question, type WhatIf, whatIf } from "../../core/what-if.ts";
import { accounts, atHeadroom, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const NONE: Question = { deposits: [], trades: [], priceShocks: new Map(), volatilityShock: 0 };
const EXPIRY = NOW + 30 * 86_400_000;
const PUT: Instrument = contract("BTC-54000-P", {
  ...{ kind: "option", tiers: [], expiryAt: EXPIRY },
  option: { underlyingId: "BTC-FUT", strike: price("54000"), right: "put", style: "premium", settlement: "linear", averagingMs: 0 },
});
const VENUE = [
  contract("BTC-PERP", { feePpm: 500 }),
  contract("BTC-FUT", { feePpm: 400, expiryAt: EXPIRY }),
  contract("BTC-INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100"), lotSize: quantity("1") }),
  contract("ETH-PERP", { baseAsset: "ETH" }),
  PUT,
  spot("BTC-USDT", "BTC"),
];
const MARKET = snapshotOf(VENUE, {
  ...{ "BTC-PERP": "60000", "BTC-FUT": "60000", "BTC-INV": "60000", "BTC-USDT": "60000" },
  ...{ "BTC-54000-P": "1200", "ETH-PERP": null },
});
const TERMS = [bare("USDT"), bare("BTC", "BTC-USDT", { tiers: slices(["0", 100_000, 50_000]) })];
const standard = policyWith(TERMS);
const portfolio = policyWith(TERMS, { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: null } });
/** 1 BTC long at 60,000 on 8,000: E_i 8,000; IM 6,000; MM 0.5 % + 0.05 % = 330. */
const long = accountOf({ USDT: "8000" }, [leg("BTC-PERP", "1", "60000")]);

const asked = (question: Partial<Question>, account = long, policy: Policy = standard): WhatIf =>
  whatIf(account, MARKET, policy, { ...NONE, ...question }, NOW);
const answered = (question: Partial<Question>, account = long, policy: Policy = standard): Explained => {
  const answer = asked(question, account, policy);
  if (!answer.ok) throw new Error(answer.what);
  return answer.after;
};
const shown = ({ statement: { low }, level, headroomPpm, boundBy, amountDue }: Explained) => ({
  ...{ equity: decimal(low.equityInitial), initial: decimal(low.initial), maintenance: decimal(low.maintenance) },
  ...{ level, headroomPpm, boundBy, due: decimal(amountDue) },
});
const curesOf = ({ cures }: Explained): string[] =>
  cures.map(({ cure, cost }: PricedCure) => {
    if (cure.kind === "cancel_orders") return `cancel_orders: ${decimal(cost)}`;
    return cure.kind === "deposit"
      ? `deposit ${decimal(cure.amount)} ${cure.asset}: ${decimal(cost)}`
      : `${cure.kind} ${cure.side} ${decimal(cure.quantity)} ${cure.instrumentId}: ${decimal(cost)}`;
  });

describe("what if, in literal figures", () => {
  test("nothing is asked: after is before", () => {
    expect(shown(answered({}))).toEqual({
      ...{ equity: "8000", initial: "6000", maintenance: "330", level: "HEALTHY", headroomPpm: 1_352_733n },
      ...{ boundBy: "BTC-PERP: bracket 1", due: "0" },
    });
  });

  test.each<[string, Partial<Question>, object]>([
    [
      "a withdrawal",
      { deposits: [{ asset: "USDT", amount: money("-3000") }] },
      { equity: "5000", due: "1000", level: "HEALTHY", headroomPpm: 823_633n },
    ],
    ["a deposit of 0.1 BTC after its haircut", { deposits: [{ asset: "BTC", amount: money("0.1") }] }, { equity: "13400" }],
    [
      "selling half at the mark: the fee of 15 is paid, the requirement halves",
      { trades: [{ instrumentId: "BTC-PERP", quantity: quantity("-0.5"), price: null }] },
      { equity: "7985", initial: "3000", maintenance: "165", headroomPpm: 2_758_377n },
    ],
    [
      "buying another at 59,000: a fee of 29.5, a profit of 1,000",
      { trades: [{ instrumentId: "BTC-PERP", quantity: quantity("1"), price: price("59000") }] },
      { equity: "8970.5", initial: "12000", due: "3029.5", level: "WARNING", headroomPpm: 732_848n },
    ],
    [
      "10 % down: the loss of 6,000, requirements on 54,000",
      { priceShocks: new Map([["BTC", -100_000]]) },
      { equity: "2000", initial: "5400", maintenance: "297", level: "CALL", headroomPpm: 333_725n },
    ],
    ["another asset moves", { priceShocks: new Map([["ETH", -500_000]]) }, { equity: "8000", initial: "6000" }],
    [
      "bought now, then the market falls: the trade is at the present mark",
      { trades: [{ instrumentId: "BTC-PERP", quantity: quantity("-1"), price: null }], priceShocks: new Map([["BTC", -100_000]]) },
      { equity: "7970", initial: "0", headroomPpm: null, boundBy: null },
    ],
  ])("%s", (_, question, expected) => expect(shown(answered(question))).toMatchObject(expected));

  test("M1, M6: a put bought against the fall gains when the market falls and when volatility rises", () => {
    const hedged = accountOf({ USDT: "12000" }, [leg("BTC-54000-P", "1", "1200"), leg("BTC-PERP", "1", "60000")]);
    const equityAt = (question: Partial<Question>): number =>
      Number(answered(question, hedged, portfolio).statement.low.equityInitial) / 1e8;
    const [still, down, wild] = [
      equityAt({}),
      equityAt({ priceShocks: new Map([["BTC", -200_000]]) }),
      equityAt({ volatilityShock: 500_000 }),
    ];
    // 12,000 down on the future; the put is worth 6,000 at least at 48,000.
    expect(down).toBeGreaterThan(still - 12_000 + 6_000 - 1_200);
    expect(down).toBeLessThan(still);
    expect(wild).toBeGreaterThan(still);
  });

  test("cures are priced, the cheapest first: fees, then the value of a deposit", () => {
    const short = accountOf({ USDT: "5000" }, [leg("BTC-PERP", "1", "60000")]);
    expect(curesOf(answered({}, short))).toEqual([
      // (6,000 − 5,000) / (6,000 − 30) of the position, at 0.05 % of its notional.
      "reduce sell 0.16750419 BTC-PERP: 5.0251257",
      "deposit 1000 USDT: 1000",
      // 1,000 / 0.9 at 60,000.
      "deposit 0.01851852 BTC: 1111.1112",
    ]);
  });

  test("M6: under a portfolio model a trade in another contract of the asset is a cure, at its own fee", () => {
    const cures = curesOf(answered({}, accountOf({ USDT: "9000" }, [leg("BTC-PERP", "1", "60000")]), portfolio));
    expect(cures.some((cure) => cure.startsWith("hedge sell ") && cure.includes("BTC-FUT: "))).toBe(true);
    expect(cures.filter((cure) => cure.startsWith("hedge buy"))).toEqual([]);
  });
});

describe("a question without an answer is refused by name", () => {
  test.each<[string, Partial<Question>, string, string]>([
    [
      "an unknown instrument",
      { trades: [{ instrumentId: "DOGE", quantity: quantity("1"), price: null }] },
      "UNKNOWN_INSTRUMENT",
      "trades/0",
    ],
    ["a spot pair", { trades: [{ instrumentId: "BTC-USDT", quantity: quantity("1"), price: null }] }, "NOT_HELD", "trades/0"],
    ["what stands in a pool", { trades: [{ instrumentId: "BTC-FUT", quantity: quantity("1"), price: null }] }, "ISOLATED", "trades/0"],
    ["no mark and no price", { trades: [{ instrumentId: "ETH-PERP", quantity: quantity("1"), price: null }] }, "NO_MARK", "trades/0"],
    ["a price of 0", { trades: [{ instrumentId: "BTC-PERP", quantity: quantity("1"), price: price("0") }] }, "NO_MARK", "trades/0"],
    ["a debt in an asset without terms", { deposits: [{ asset: "DOGE", amount: money("-1") }] }, "NO_TERMS", "deposits"],
    ["a shock to nothing", { priceShocks: new Map([["BTC", -1_000_000]]) }, "SHOCK_OUT_OF_RANGE", "priceShocks"],
    ["a shock that is no number", { priceShocks: new Map([["BTC", Number.NaN]]) }, "SHOCK_OUT_OF_RANGE", "priceShocks"],
    ["a volatility of nothing", { volatilityShock: -1_000_000 }, "SHOCK_OUT_OF_RANGE", "volatilityShock"],
  ])("%s", (_, question, fault, where) => {
    const pool = { ...newPool("BTC-FUT", "USDT"), cash: money("5") };
    expect(asked(question, { ...long, pools: new Map([["BTC-FUT", pool]]) })).toMatchObject({ ok: false, fault, where });
  });

  test("more positions than an account may hold", () => {
    const many = Array.from({ length: 501 }, (_, index) => contract(`C${index}-PERP`));
    const market = snapshotOf(many, Object.fromEntries(many.map(({ instrumentId }) => [instrumentId, "1"])));
    const trades = many.map(({ instrumentId }) => ({ instrumentId, quantity: quantity("1"), price: null }));
    const answer = whatIf(accountOf({ USDT: "1000" }), market, standard, { ...NONE, trades }, NOW);
    expect(answer).toMatchObject({ ok: false, fault: "TOO_MANY_POSITIONS", where: "trades/500" });
  });
});

/** The question that carries a cure out. */
const carriedOut = ({ cure }: PricedCure): Partial<Question> => {
  if (cure.kind === "deposit") return { deposits: [{ asset: cure.asset, amount: cure.amount }] };
  if (cure.kind === "cancel_orders") throw new Error("no question cancels orders");
  const signed = (cure.side === "buy" ? cure.quantity : -cure.quantity) as Quantity;
  return { trades: [{ instrumentId: cure.instrumentId, quantity: signed, price: null }] };
};

const checkCures = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy): number => {
  const { cures } = explain(account, snapshot, policy, NOW);
  for (const each of cures) {
    const answer = whatIf(account, snapshot, policy, { ...NONE, ...carriedOut(each) }, NOW);
    expect(answer).toMatchObject({ ok: true });
    // What a trade rounds away is at most a unit of each sum.
    if (answer.ok) expect(answer.after.amountDue).toBeLessThanOrEqual(each.cure.kind === "deposit" ? 0n : 100n);
  }
  expect(cures.every(({ cost }, index) => index === 0 || cost >= (cures[index - 1] as PricedCure).cost)).toBe(true);
  return cures.length;
};

test("R4 every cure that is offered cures, when what-if is asked about it", () => {
  let found = 0;
  const property = fc.property(
    accounts,
    snapshots(["GOOD"]),
    policies,
    fc.integer({ min: 0, max: 990_000 }),
    (drawn, snapshot, policy, headroom) => {
      found += checkCures(atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).high, headroom), snapshot, policy);
    },
  );
  fc.assert(property, { numRuns: 150 });
  expect(found).toBeGreaterThan(100);
});

test("R4, M6 so does every hedge of a portfolio", () => {
  const size = fc.integer({ min: -30, max: 30 }).filter((n) => n !== 0);
  const property = fc.property(size, fc.integer({ min: 0, max: 3_000 }), (tenths, cash) => {
    const held = accountOf({ USDT: `${cash}` }, [leg("BTC-PERP", `${tenths / 10}`, "60000")]);
    checkCures(held, MARKET, portfolio);
  });
  fc.assert(property, { numRuns: 40 });
});

test("nothing asked changes nothing, and the account is never changed", () => {
  fc.assert(
    fc.property(accounts, snapshots(["GOOD", "STALE", "SUSPECT", "MISSING"]), policies, (account, snapshot, policy) => {
      const kept = structuredClone(account);
      const answer = whatIf(account, snapshot, policy, NONE, NOW);
      expect(answer.ok && shown(answer.after)).toEqual(answer.ok && shown(answer.before));
      expect(account).toEqual(kept);
    }),
    { numRuns: 100 },
  );
});
