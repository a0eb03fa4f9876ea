import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../core/account.ts";
import { applyFacts } from "../../core/apply-facts.ts";
import { decide } from "../../core/decide.ts";
import type { Fact } from "../../core/ledger.ts";
import { money } from "../../core/money.ts";
import { differencesOf, type Reconciliation } from "../../core/reconcile.ts";
import { assess } from "../../core/statement.ts";
import { accountWith, INSTRUMENTS, market, POLICY, position, T0 } from "./call-fixtures.ts";

const prices = market(T0, { "BTC-PERP": "100", "BTC-USDT": "100" });
const HELD: MarginAccount = {
  ...accountWith({ BTC: "1", USDT: "10" }, [position("BTC-PERP", "2", "95")]),
  sourceSequence: 7,
  sourceAt: T0,
};
const stated = (over: Partial<Reconciliation> = {}): Reconciliation => ({
  ...{ kind: "reconciliation", externalId: "C-1", sequence: 7, occurredAt: T0 + 60_000 },
  balances: new Map([
    ["BTC", money("1")],
    ["USDT", money("10")],
  ]),
  positions: [position("BTC-PERP", "2", "95")],
  ...over,
});
const usdt = (amount: string) =>
  new Map([
    ["BTC", money("1")],
    ["USDT", money(amount)],
  ]);
const apply = (account: MarginAccount, facts: readonly Fact[]) =>
  applyFacts(account, facts, INSTRUMENTS, (held) => assess(held, prices, POLICY, T0).low);

describe("R16: a statement of the venue is a check of the book", () => {
  test.each<[string, Partial<Reconciliation>, string[]]>([
    ["the same", {}, []],
    ["a balance apart by what many fills round away", { balances: usdt("10.00001") }, []],
    ["a balance apart by one unit more", { balances: usdt("10.00001001") }, ["balance USDT: 10, 10.00001001"]],
    ["an asset that the venue does not hold", { balances: new Map([["USDT", money("10")]]) }, ["balance BTC: 1, 0"]],
    ["an asset that the book does not hold", { balances: usdt("10").set("ETH", money("3")) }, ["balance ETH: 0, 3"]],
    [
      "a quantity apart by one unit",
      { positions: [position("BTC-PERP", "2.00000001", "95")] },
      ["position BTC-PERP: 2 at 95, 2.00000001 at 95"],
    ],
    ["another entry price", { positions: [position("BTC-PERP", "2", "96")] }, ["position BTC-PERP: 2 at 95, 2 at 96"]],
    ["no position", { positions: [] }, ["position BTC-PERP: 2 at 95, none"]],
    ["more facts than the book has", { sequence: 9 }, ["sequence: 7, 9"]],
    ["fewer facts, at a time at which the book had no more", { sequence: 5, occurredAt: T0, balances: usdt("1") }, []],
    ["fewer facts, although the newest of the book is older", { sequence: 5, balances: usdt("1") }, ["sequence: 7, 5"]],
  ])("%s", (_, over, expected) => {
    expect(differencesOf(HELD, stated(over)).map(({ what, book, venue }) => `${what}: ${book}, ${venue}`)).toEqual(expected);
  });

  test("an account whose newest fact has no known instant is never called ahead of the venue", () => {
    expect(differencesOf({ ...HELD, sourceAt: 0 }, stated({ sequence: 5 }))).toEqual([]);
  });

  test("one that agrees leaves no trace, and asks for no decision of its own", () => {
    expect(apply(HELD, [stated()])).toEqual({ account: HELD, entries: [], fills: [] });
    expect(decide(HELD, prices, POLICY, T0, [stated()])).toBeNull();
  });

  test("one that differs changes the account's trust and nothing else", () => {
    const { account, entries } = apply(HELD, [stated({ balances: usdt("4") })]);
    expect(account).toEqual({ ...HELD, outOfSync: true });
    expect(entries).toEqual([
      { fact: stated({ balances: usdt("4") }), postings: [], differences: [{ what: "balance USDT", book: "10", venue: "4" }] },
    ]);
  });

  test("it does not heal: only a snapshot does", () => {
    const gapped = { ...HELD, outOfSync: true };
    expect(apply(gapped, [stated()]).account.outOfSync).toBe(true);
    const { balances, positions } = stated();
    const healing: Fact = { kind: "snapshot", externalId: "S-8", sequence: 8, occurredAt: T0 + 90_000, balances, positions };
    expect(apply(gapped, [healing]).account).toMatchObject({ outOfSync: false, sourceSequence: 8, sourceAt: T0 + 90_000 });
  });

  test("it judges the book as it was after its own fact, in one batch with what follows", () => {
    const deposit: Fact = { kind: "deposit", externalId: "D-8", sequence: 8, occurredAt: T0 + 70_000, asset: "USDT", amount: money("5") };
    expect(apply(HELD, [stated(), deposit]).account).toMatchObject({ outOfSync: false, sourceSequence: 8 });
    expect(apply(HELD, [deposit, stated({ sequence: 8, balances: usdt("15") })]).account.outOfSync).toBe(false);
    expect(apply(HELD, [deposit, stated({ sequence: 8 })]).account.outOfSync).toBe(true);
  });
});
