import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { decide } from "../../core/decide.ts";
import { levelOf } from "../../core/level.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { money, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { assess } from "../../core/statement.ts";
import { accounts, atHeadroom, policies, slowly, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const perp = contract("BTC-PERP");
const usdt = policyWith([bare("USDT")]);
const on = (at: string) => snapshotOf([perp], { "BTC-PERP": at });
const long = (patch: Partial<MarginAccount> = {}) => accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")], patch);

/** The claim of the screen against the exact pass. */
const isWrong = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy): boolean =>
  isSurelyQuiet(account, snapshot, policy, NOW) &&
  (levelOf(account, assess(account, snapshot, policy, NOW), policy.levels, account.level) !== "HEALTHY" ||
    decide(account, snapshot, { ...policy, mode: "enforce" }, NOW) !== null);

describe("isSurelyQuiet", () => {
  test("is true clear of the warning level, and says nothing at it", () => {
    expect(isSurelyQuiet(long(), on("100"), usdt, NOW)).toBe(true);
    expect(isSurelyQuiet(long(), on("97.43"), usdt, NOW)).toBe(true);
    expect(isSurelyQuiet(long(), on("97.42895806"), usdt, NOW)).toBe(false);
    expect(isSurelyQuiet(long(), on("97.42"), usdt, NOW)).toBe(false);
  });

  test.each([
    ["an account in another level", long({ level: "WARNING" }), on("100")],
    ["an account with a live call", long({ openCalls: { CROSS: "MC-1" } }), on("100")],
    ["a mark that is not GOOD", long(), snapshotOf([perp], { "BTC-PERP": { ...on("100").marks.get("BTC-PERP"), asOf: 1 } })],
    ["a debt in an asset without terms", accountOf({ USDT: "10", XXX: "-1" }), on("100")],
  ])("leaves to the exact pass: %s", (_, account, snapshot) => {
    expect(isSurelyQuiet(account, snapshot, usdt, NOW)).toBe(false);
  });

  test("collateral: haircut slices, debts, reserved amounts, an index that is not GOOD, assets that count nothing", () => {
    const policy = policyWith([
      bare("USDT"),
      bare("BTC", "BTC-USDT", { liabilityWeight: 1_500_000, tiers: slices(["0", 100_000, 0], ["50", 200_000, 0]) }),
      bare("OLD", "OLD-USDT"),
    ]);
    const instruments = [perp, spot("BTC-USDT", "BTC"), spot("OLD-USDT", "OLD")];
    const snapshot = snapshotOf(instruments, { "BTC-PERP": "100", "BTC-USDT": "100", "OLD-USDT": { asOf: 1 } });
    const quiet = (balances: Record<string, string>, reserved = "0") =>
      isSurelyQuiet(
        { ...accountOf(balances, [leg("BTC-PERP", "1", "100")]), reserved: new Map([["USDT", money(reserved)]]) },
        snapshot,
        policy,
        NOW,
      );
    // The warning level is at 0.5 + 0.75·9.5 = 7.625.
    expect(quiet({ BTC: "0.09" })).toBe(true);
    expect(quiet({ BTC: "0.0847" })).toBe(false);
    expect(quiet({ BTC: "1", USDT: "-77.3" })).toBe(true);
    expect(quiet({ BTC: "1", USDT: "-77.4" })).toBe(false);
    expect(quiet({ BTC: "-0.1", USDT: "22.7" })).toBe(true);
    expect(quiet({ BTC: "-0.1", USDT: "22.6" })).toBe(false);
    expect(quiet({ USDT: "10" }, "2.3")).toBe(true);
    expect(quiet({ USDT: "10" }, "2.4")).toBe(false);
    expect(quiet({ DUST: "5", USDT: "10" })).toBe(true);
    expect(quiet({ OLD: "5", USDT: "10" })).toBe(false);
  });

  test("inverse contracts and a limited share of profit", () => {
    const inverse = contract("INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") });
    const policy = policyWith([bare("BTC")], { unrealisedProfitIm: 0 });
    const quiet = (cash: string, entry: string) =>
      isSurelyQuiet(accountOf({ BTC: cash }, [leg("INV", "100", entry)]), snapshotOf([inverse], { INV: "50000" }), policy, NOW);
    // N = 0.2 BTC: the warning level is at 0.001 + 0.75·0.019 = 0.01525.
    expect(quiet("0.0153", "40000")).toBe(true);
    expect(quiet("0.0152", "40000")).toBe(false);
  });

  test("flat accounts: nothing held, nothing owed, or a debt that is covered", () => {
    expect(isSurelyQuiet(accountOf({}), on("100"), usdt, NOW)).toBe(true);
    expect(isSurelyQuiet(accountOf({ USDT: "1" }), on("100"), usdt, NOW)).toBe(true);
    expect(isSurelyQuiet(accountOf({ USDT: "-1" }), on("100"), usdt, NOW)).toBe(false);
  });

  test("never differs from the exact pass: random accounts, most of them within some units of 1e-8 of the warning level", () => {
    const units = fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(-100_000n, 100_000n), fc.bigInt(-(10n ** 13n), 10n ** 13n));
    let screened = 0;
    fc.assert(
      fc.property(
        accounts,
        slowly(snapshots(["GOOD", "GOOD", "GOOD", "GOOD", "GOOD", "GOOD", "STALE"])),
        policies,
        units,
        (drawn, snapshot, policy, shift) => {
          const account = atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).low, policy.levels.warning, shift);
          expect(isWrong(drawn, snapshot, policy)).toBe(false);
          expect(isWrong(account, snapshot, policy)).toBe(false);
          if (isSurelyQuiet(account, snapshot, policy, NOW)) screened += 1;
        },
      ),
      { numRuns: 2_000 },
    );
    expect(screened).toBeGreaterThan(100);
  });

  test("is worth having: an account that is clear by a hundredth of its requirement is decided", () => {
    fc.assert(
      fc.property(accounts, snapshots(["GOOD"]), policies, (drawn, snapshot, policy) => {
        const { low } = assess(drawn, snapshot, policy, NOW);
        const account = atHeadroom(drawn, low, 760_000, 10n ** 9n);
        expect(isSurelyQuiet(account, snapshot, policy, NOW)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
