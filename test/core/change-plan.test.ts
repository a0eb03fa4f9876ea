import { describe, expect, it } from "vitest";

import type { MarginAccount } from "../../core/account.ts";
import {
  breachesOf,
  breachShareOf,
  type ChangePlan,
  type DecidingTerms,
  type Effect,
  emptyPlan,
  holdOf,
  joinPlans,
  planOf,
  WORST_SHOWN,
} from "../../core/change-plan.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { accountWith, INSTRUMENTS, MINUTE, market, POLICY, perpetual, position, T0, usdt } from "./call-fixtures.ts";

/** One contract long at 100 on so much cash, marked at 100: IM 10, MM 0.5, x = (cash − 0.5) / 9.5. */
const held = (accountId: string, cash: string, balances: Readonly<Record<string, string>> = {}): MarginAccount => ({
  ...accountWith({ USDT: cash, ...balances }, [position("BTC-PERP", "1", "100")]),
  accountId,
});
const SNAPSHOT = market(T0, { "BTC-PERP": "100", "BTC-USDT": "100" });
const PRESENT: DecidingTerms = { policy: POLICY, snapshot: SNAPSHOT };

const under = (patch: Partial<PolicyInMode>, snapshot: MarketSnapshot = SNAPSHOT): DecidingTerms => ({
  policy: { ...POLICY, version: 2, ...patch },
  snapshot,
});
const levels = (patch: Partial<PolicyInMode["levels"]>): Partial<PolicyInMode> => ({ levels: { ...POLICY.levels, ...patch } });
const withTiers = (rateIm: number, rateMm: number): MarketSnapshot => {
  const tiers = [{ floor: money("0"), rateIm, rateMm, amountIm: money("0"), amountMm: money("0") }];
  return { ...SNAPSHOT, instruments: new Map(INSTRUMENTS).set("BTC-PERP", perpetual("BTC-PERP", { version: 2, tiers })) };
};
const planned = (accounts: readonly MarginAccount[], proposed: DecidingTerms, present: DecidingTerms | null = PRESENT): ChangePlan =>
  planOf(accounts, () => ({ present, proposed }), T0);

/** The effects of a plan by account. */
const told = (plan: ChangePlan): Record<string, Effect> =>
  Object.fromEntries(plan.worst.map(({ accountId, effect }) => [accountId, effect]));

const BOOK = [held("safe", "9.6"), held("nine", "9"), held("seven", "7"), held("six", "6"), held("five", "5"), held("low", "0.4")];

describe("R17 S19: who newly breaches by a change of terms", () => {
  it.each<[string, DecidingTerms, Record<string, Effect>]>([
    ["the same terms: nobody, though two are called anyway", under({}), {}],
    ["the call level at x < 0.6, which is under 6.20", under(levels({ call: 600_000 })), { six: "called" }],
    ["the warning at x < 0.9, which is under 9.05", under(levels({ warning: 900_000 })), { nine: "warned" }],
    ["the call level at x < 0.4, which is under 4.30", under(levels({ call: 400_000 })), { five: "released" }],
    ["MM of 6 %: x = (E − 6) / 4", under({}, withTiers(100_000, 60_000)), { six: "called", five: "closedOut", seven: "called" }],
    [
      "IM of 15 %: x = (E − 0.5) / 14.5",
      under({}, withTiers(150_000, 5_000)),
      { six: "called", seven: "called", nine: "warned", safe: "warned" },
    ],
  ])("%s", (_words, proposed, effects) => {
    expect(told(planned(BOOK, proposed))).toEqual(effects);
  });

  it("M6 tells what bound before and after where the policy's model changes", () => {
    const model: MarginModel = { kind: "portfolio", statistical: null, terms: { ...STANDARD_TERMS, fImPpm: 1_300_000 } };
    const [worst] = planned([held("seven", "7")], under({ model })).worst;
    expect(worst).toMatchObject({ accountId: "seven", boundBefore: "BTC-PERP: bracket 1" });
    expect(worst?.boundAfter).toMatch(/^BTC: /);
  });

  it("tells headroom before and after, rounded down, and what each new call asks for", () => {
    const { worst, due, counts } = planned(BOOK, under({}, withTiers(100_000, 60_000)));
    expect(worst).toEqual([
      {
        accountId: "five",
        effect: "closedOut",
        levelBefore: "CALL",
        levelAfter: "CLOSE_OUT",
        headroomBefore: 473_684,
        headroomAfter: -250_000,
        due: { asset: "USDT", amount: usdt("5") },
        boundBefore: "BTC-PERP: bracket 1",
        boundAfter: "BTC-PERP: bracket 1",
      },
      {
        accountId: "six",
        effect: "called",
        levelBefore: "WARNING",
        levelAfter: "RESTRICTED",
        headroomBefore: 578_947,
        headroomAfter: 0,
        due: { asset: "USDT", amount: usdt("4") },
        boundBefore: "BTC-PERP: bracket 1",
        boundAfter: "BTC-PERP: bracket 1",
      },
      {
        accountId: "seven",
        effect: "called",
        levelBefore: "WARNING",
        levelAfter: "CALL",
        headroomBefore: 684_210,
        headroomAfter: 250_000,
        due: { asset: "USDT", amount: usdt("3") },
        boundBefore: "BTC-PERP: bracket 1",
        boundAfter: "BTC-PERP: bracket 1",
      },
    ]);
    expect(due).toEqual(new Map([["USDT", usdt("12")]]));
    expect(counts).toEqual({ undecided: 0, closedOut: 1, called: 2, warned: 0, released: 0 });
  });

  it("a mode without orders hides no close-out", () => {
    const present = { ...PRESENT, policy: { ...POLICY, mode: "observe" as const } };
    const proposed = under({ mode: "observe" }, withTiers(100_000, 60_000));
    expect(told(planned([held("five", "5")], proposed, present))).toEqual({ five: "closedOut" });
  });

  it("a shortfall under the minimum transfer is no new call", () => {
    const proposed = under({ ...levels({ call: 600_000 }), minimumTransfer: money("4.1") });
    expect(told(planned([held("six", "6")], proposed))).toEqual({});
  });

  it("who could not be decided any more comes first; who could not before and is well now is not told of", () => {
    const { BTC: _, ...rest } = Object.fromEntries(POLICY.collateral);
    const owing = held("owing", "110", { BTC: "-1" });
    const proposed = under({ collateral: new Map(Object.entries(rest)), ...levels({ call: 600_000 }) });
    const plan = planned([held("six", "6"), owing], proposed);
    expect(plan.worst.map(({ accountId, effect, headroomAfter, levelAfter }) => [accountId, effect, headroomAfter, levelAfter])).toEqual([
      ["owing", "undecided", null, null],
      ["six", "called", 578_947, "CALL"],
    ]);
    expect(told(planned(BOOK, PRESENT, null))).toEqual({ five: "called", low: "closedOut", seven: "warned", six: "warned" });
    expect(planOf(BOOK, () => ({ present: null, proposed: null }), T0).worst).toEqual([]);
  });

  it("counts accounts at risk without those that hold no position and owe nothing (R7), and calls that keep their policy", () => {
    const bare = { ...accountWith({ USDT: "5" }), accountId: "bare" };
    const call = { callId: "MC-1", status: "OPEN" } as never;
    const called = { ...held("called", "5"), openCalls: { CROSS: "MC-1" }, live: { call, orders: [] } };
    const plan = planOf([bare, called, held("nine", "9")], () => ({ present: PRESENT, proposed: PRESENT }), T0);
    expect(plan).toMatchObject({ accounts: 3, atRisk: 2, withCall: 1, worst: [] });
  });

  it("is the same plan in whichever order the parts of a book are joined", () => {
    const proposed = under({}, withTiers(100_000, 60_000));
    const parts = BOOK.map((account) => planned([account], proposed));
    const start = emptyPlan({ marksAt: T0 - MINUTE, notGood: 2 });
    const whole = { ...planned(BOOK, proposed), marksAt: T0 - MINUTE, notGood: 2 };
    expect(parts.reduce(joinPlans, start)).toEqual(whole);
    expect(parts.toReversed().reduce(joinPlans, start)).toEqual(whole);
  });

  it(`counts all and names the worst ${WORST_SHOWN}`, () => {
    const accounts = Array.from({ length: 25 }, (_, index) => held(`a-${index + 10}`, "6"));
    const plan = planned(accounts, under(levels({ call: 600_000 })));
    expect([plan.counts.called, plan.worst.length, plan.worst[0]?.accountId, plan.due.get("USDT")]).toEqual([25, 20, "a-10", usdt("100")]);
  });
});

const NOTHING = emptyPlan({ marksAt: T0, notGood: 0 });
const figures = (atRisk: number, counts: Partial<ChangePlan["counts"]>): ChangePlan => ({
  ...NOTHING,
  accounts: atRisk,
  atRisk,
  counts: { ...NOTHING.counts, ...counts },
});

describe("R17: what the breaker holds", () => {
  it.each<[string, ChangePlan, { called: number; closedOut: number }, "share" | "undecided" | null]>([
    ["nobody in an empty book", figures(0, {}), { called: 0, closedOut: 0 }, null],
    ["exactly the share", figures(1_000, { called: 7, closedOut: 3 }), { called: 0, closedOut: 0 }, null],
    ["one more", figures(1_000, { called: 8, closedOut: 3 }), { called: 0, closedOut: 0 }, "share"],
    ["warnings and releases are no breach", figures(1_000, { warned: 900, released: 50 }), { called: 0, closedOut: 0 }, null],
    ["the figures of the plan named", figures(1_000, { called: 8, closedOut: 3 }), { called: 8, closedOut: 3 }, null],
    ["one call more than was named", figures(1_000, { called: 9, closedOut: 3 }), { called: 8, closedOut: 3 }, "share"],
    ["a close-out instead of a call", figures(1_000, { called: 7, closedOut: 4 }), { called: 8, closedOut: 3 }, "share"],
    ["no figure takes on who would not be watched", figures(1_000, { undecided: 1 }), { called: 1_000, closedOut: 1_000 }, "undecided"],
  ])("%s", (_words, plan, accepted, why) => {
    expect(holdOf(plan, 10_000, accepted)).toBe(why);
  });

  it("tells the share rounded up, so that what is held never reads as the limit", () => {
    expect(breachesOf(figures(30_000, { called: 300, closedOut: 1 }))).toBe(301);
    expect(breachShareOf(figures(30_000, { called: 300, closedOut: 1 }))).toBe(10_034);
    expect(breachShareOf(figures(0, {}))).toBe(0);
  });
});
