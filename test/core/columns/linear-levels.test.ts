import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../../core/account.ts";
import { columnsOf } from "../../../core/columns/linear-book.ts";
import { breachesAt, levelsAt, screenAt, UNDECIDED, UNSURE, unsettledAt } from "../../../core/columns/linear-levels.ts";
import { decide } from "../../../core/decide.ts";
import { LEVELS, type Level, levelOf } from "../../../core/level.ts";
import type { MarketSnapshot } from "../../../core/mark.ts";
import { money, quantity } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { newPool } from "../../../core/scope.ts";
import { assess } from "../../../core/statement.ts";
import { accounts as drawnAccounts, policies, snapshots } from "../margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "../margin-fixtures.ts";
import { edgeBook } from "./edge-accounts.ts";

/** Adversarial accounts: 10,000,000 of them are a run of some minutes, with COLUMNS_ACCOUNTS=10000000. */
const ACCOUNTS = Number(process.env["COLUMNS_ACCOUNTS"] ?? 100_000);
const BOOK = 20_000;

const usdt = policyWith([bare("USDT")]);
const perp = contract("BTC-PERP");
const at = (text: string): MarketSnapshot => snapshotOf([perp, spot("BTC-USDT", "BTC")], { "BTC-PERP": text, "BTC-USDT": "100" });
const long = (cash: string, patch: Partial<MarginAccount> = {}): MarginAccount =>
  accountOf({ USDT: cash }, [leg("BTC-PERP", "1", "100")], patch);

/** The level whose threshold the account is at exactly: there, and nowhere else, it matters whether the policy's levels are inclusive. */
const exactlyAt = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy): Level | null => {
  const statement = assess(account, snapshot, policy, NOW);
  const [strict, inclusive] = [false, true].map((each) =>
    levelOf(account, statement, { ...policy.levels, inclusive: each }, account.level),
  );
  return strict === inclusive ? null : (inclusive ?? null);
};
const exactLevel = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy): number =>
  LEVELS.indexOf(levelOf(account, assess(account, snapshot, policy, NOW), policy.levels, account.level));
const named = (depth: number | undefined): string => (depth === UNSURE ? "unsure" : (LEVELS[depth ?? UNSURE] ?? "undecided"));
const one = (account: MarginAccount, snapshot: MarketSnapshot, policy = usdt) => {
  const book = columnsOf([account], policy, snapshot.instruments);
  return [named(screenAt(book, snapshot, NOW)[0]), named(levelsAt(book, snapshot, NOW).levels[0])];
};

describe("M3 R1: levels of a linear book in float64, and exactly where float64 cannot tell", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/models/fast-passes.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([\d.]+) \| [-\d.]+ \| ([A-Z]+|unsure) \| ([A-Z]+) \|$/gm)].map(([, price, float, level]) => [
    price,
    float,
    level,
  ]);
  test("the page's worked example has four prices", () => expect(rows).toHaveLength(4));
  test.each(rows)("at %s float64 says %s, and the level is %s", (price, float, level) => {
    expect(one(long("10"), at(price as string))).toEqual([float, level]);
  });

  // One contract at 100 entered at 100: MM 0.5, IM 10, so that WARNING is under 7.625, CALL 5.25, RESTRICTED 2.4, CLOSE_OUT 0.5, BACKSTOP a third.
  test.each<[cash: string, held: Level, level: Level]>([
    ["7.63", "HEALTHY", "HEALTHY"],
    ["7.62", "HEALTHY", "WARNING"],
    ["8.09", "WARNING", "WARNING"],
    ["8.11", "WARNING", "HEALTHY"],
    ["5.24", "HEALTHY", "CALL"],
    ["5.72", "CALL", "CALL"],
    ["5.73", "CALL", "WARNING"],
    ["2.39", "HEALTHY", "RESTRICTED"],
    ["0.49", "HEALTHY", "CLOSE_OUT"],
    ["0.33", "HEALTHY", "BACKSTOP"],
    ["-0.01", "HEALTHY", "DEFAULT"],
    ["0.47", "DEFAULT", "DEFAULT"],
  ])("with %s, from %s: %s, without the exact pass", (cash, held, level) => {
    expect(one(long(cash, { level: held }), at("100"))).toEqual([level, level]);
  });

  test("brackets: a size in the last one is judged by its own rates", () => {
    const tiers = [
      { floor: money("0"), rateIm: 100_000, rateMm: 5_000, amountIm: money("0"), amountMm: money("0") },
      { floor: money("100"), rateIm: 200_000, rateMm: 10_000, amountIm: money("10"), amountMm: money("0.5") },
      { floor: money("1000"), rateIm: 500_000, rateMm: 20_000, amountIm: money("310"), amountMm: money("10.5") },
    ];
    const snapshot = snapshotOf([contract("BTC-PERP", { tiers })], { "BTC-PERP": "100" });
    const held = (size: string, cash: string) => one(accountOf({ USDT: cash }, [leg("BTC-PERP", size, "100")]), snapshot)[0];
    // 20 contracts, N = 2,000: IM 690, MM 29.5, WARNING under 524.875. Five, N = 500: IM 90, MM 4.5, under 68.625.
    expect([held("20", "524.88"), held("20", "524.87"), held("5", "68.63"), held("5", "68.62")]).toEqual([
      "HEALTHY",
      "WARNING",
      "HEALTHY",
      "WARNING",
    ]);
  });

  test("what the columns do not admit is unsure, and the exact pass answers", () => {
    const pool = newPool("BTC-PERP", "USDT");
    const pooled = { pools: new Map([["BTC-PERP", { ...pool, cash: money("1") }]]) };
    const haircut = policyWith([bare("USDT", null, { tiers: slices(["0", 100_000, 0]) })]);
    const wide = policyWith([bare("USDT")], { levels: { ...usdt.levels, warning: 2_000_000 } });
    const inverse = contract("BTC-PERP", { kind: "inverse", settleAsset: "USDT", multiplier: quantity("100") });
    const table: readonly [string, MarginAccount, MarketSnapshot, Policy][] = [
      [
        "another asset",
        long("10", {
          balances: new Map([
            ["BTC", money("1")],
            ["USDT", money("10")],
          ]),
        }),
        at("100"),
        policyWith([bare("USDT"), bare("BTC", "BTC-USDT")]),
      ],
      ["a debt without a position", accountOf({ USDT: "-1" }), at("100"), usdt],
      ["an isolated pool beside a position", long("10", pooled), at("100"), usdt],
      ["an isolated pool and nothing else", accountOf({ USDT: "1" }, [], pooled), at("100"), usdt],
      ["a haircut on cash", long("10"), at("100"), haircut],
      ["a threshold beyond the proof", long("10"), at("100"), wide],
      ["an inverse contract", long("10"), snapshotOf([inverse], { "BTC-PERP": "100" }), usdt],
      ["a least margin", long("10"), snapshotOf([contract("BTC-PERP", { marginMinPerUnit: money("1") })], { "BTC-PERP": "100" }), usdt],
      ["a mark that is not GOOD", long("10"), snapshotOf([perp], { "BTC-PERP": { asOf: 1 } }), usdt],
      ["no mark", long("10"), snapshotOf([perp], {}), usdt],
    ];
    for (const [words, account, snapshot, policy] of table) {
      expect([words, ...one(account, snapshot, policy)]).toEqual([words, "unsure", LEVELS[exactLevel(account, snapshot, policy)]]);
    }
  });

  test("an account without position and debt is HEALTHY at once (R7)", () => {
    expect(one(accountOf({ USDT: "0" }, [], { level: "CALL" }), at("100"))).toEqual(["HEALTHY", "HEALTHY"]);
  });

  test("an account that nobody can decide is named, and stops no other", () => {
    const stranger = accountOf({ USDT: "10" }, [leg("GONE", "1", "100")]);
    const book = columnsOf([long("5"), stranger, long("9"), long("-1")], usdt, at("100").instruments);
    expect([...levelsAt(book, at("100"), NOW).levels]).toEqual([2, UNDECIDED, 0, 6]);
    expect(breachesAt(book, at("100"), NOW, "CALL")).toEqual({ rows: [0, 3], undecided: [1] });
    expect(breachesAt(book, at("100"), NOW, "CLOSE_OUT")).toEqual({ rows: [3], undecided: [1] });
  });

  test("a multiplier that changed after the columns were built goes to the exact pass", () => {
    const book = columnsOf([long("9")], usdt, at("100").instruments);
    const changed = snapshotOf([contract("BTC-PERP", { multiplier: quantity("2") })], { "BTC-PERP": "100" });
    expect(levelsAt(book, changed, NOW)).toEqual({ levels: Uint8Array.of(2), exact: 1 });
  });

  test(`never differs from the exact pass: ${ACCOUNTS.toLocaleString("en")} accounts at the edges of their levels`, () => {
    let fast = 0;
    const atThreshold = new Map<Level, number>();
    for (let done = 0; done < ACCOUNTS; done += BOOK) {
      const { accounts, snapshot, policy } = edgeBook(done / BOOK, Math.min(BOOK, ACCOUNTS - done));
      const book = columnsOf(accounts, policy, snapshot.instruments);
      expect(book.admitted).toBe(accounts.length);
      const { levels, exact } = levelsAt(book, snapshot, NOW);
      fast += accounts.length - exact;
      for (const [row, account] of accounts.entries()) {
        const at = exactlyAt(account, snapshot, policy);
        if (at !== null) atThreshold.set(at, (atThreshold.get(at) ?? 0) + 1);
        if (levels[row] === exactLevel(account, snapshot, policy)) continue;
        throw new Error(
          `book ${done / BOOK}, ${account.accountId}: ${named(levels[row])}, exactly ${LEVELS[exactLevel(account, snapshot, policy)]}`,
        );
      }
    }
    // The others are within some units of a threshold: a float pass that said it knew them would be lying.
    expect(fast / ACCOUNTS).toBeGreaterThan(0.1);
    expect(fast / ACCOUNTS).toBeLessThan(0.4);
    // DEFAULT has no inclusive form.
    for (const level of ["WARNING", "CALL", "RESTRICTED", "CLOSE_OUT", "BACKSTOP"] as const) {
      expect([level, (atThreshold.get(level) ?? 0) > ACCOUNTS * 0.005]).toEqual([level, true]);
    }
  }, 3_600_000);

  test("of any book, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.array(drawnAccounts, { minLength: 1, maxLength: 8 }),
        snapshots(["GOOD", "GOOD", "GOOD", "GOOD", "STALE"]),
        policies,
        (drawn, snapshot, policy) => {
          const book = columnsOf(drawn, policy, snapshot.instruments);
          expect([...levelsAt(book, snapshot, NOW).levels]).toEqual(drawn.map((account) => exactLevel(account, snapshot, policy)));
          const unsettled = new Set(unsettledAt(book, snapshot, NOW));
          for (const [row, account] of drawn.entries()) {
            if (!unsettled.has(row)) expect(decide(account, snapshot, { ...policy, mode: "enforce" }, NOW)).toBeNull();
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
