import { describe, expect, test } from "vitest";
import type { Level } from "../../core/level.ts";
import { allowedAt, isAtLeast, isCloseOut, levelOf } from "../../core/level.ts";
import { assess } from "../../core/statement.ts";
import { accountWith, deskOf, MINUTE, market, POLICY, position, T0, tenTimesLong } from "./call-fixtures.ts";

const levelAt = (price: string, previous: Level = "HEALTHY", account = tenTimesLong(), policy = POLICY): Level =>
  levelOf(account, assess(account, market(T0, { "BTC-PERP": price }), policy, T0), policy.levels, previous);

describe("R1: the level is the deepest that holds", () => {
  // 10x long at 100, MM 0.5 %: warning under 97.43, call 94.99, restricted 92.21, close-out 90.45 (R1's worked example).
  test.each<[price: string, level: Level]>([
    ["97.44", "HEALTHY"],
    ["97.42", "WARNING"],
    ["95.00", "WARNING"],
    ["94.98", "CALL"],
    ["92.22", "CALL"],
    ["92.21", "RESTRICTED"],
    ["90.46", "RESTRICTED"],
    ["90.45", "CLOSE_OUT"],
    ["90.31", "CLOSE_OUT"],
    ["90.30", "BACKSTOP"],
    ["90.00", "BACKSTOP"],
    ["89.99", "DEFAULT"],
  ])("a 10x long from 100 at %s is %s", (price, level) => {
    expect(levelAt(price)).toBe(level);
  });

  test.each<[from: Level, price: string, level: Level]>([
    ["WARNING", "97.93", "WARNING"],
    ["WARNING", "97.94", "HEALTHY"],
    ["CALL", "95.46", "CALL"],
    ["CALL", "95.47", "WARNING"],
    ["RESTRICTED", "92.66", "RESTRICTED"],
    ["RESTRICTED", "92.67", "CALL"],
    ["CLOSE_OUT", "90.88", "CLOSE_OUT"],
    ["CLOSE_OUT", "90.89", "RESTRICTED"],
    ["DEFAULT", "90.42", "DEFAULT"],
    ["DEFAULT", "90.43", "BACKSTOP"],
    ["CALL", "97.93", "WARNING"],
    ["CALL", "97.94", "HEALTHY"],
    ["DEFAULT", "120", "HEALTHY"],
  ])("hysteresis: from %s at %s it is %s", (from, price, level) => {
    expect(levelAt(price, from)).toBe(level);
  });

  test("triggers are strict: E = MM is no close-out; an inclusive venue's is (M0)", () => {
    const account = accountWith({ USDT: "10.5" }, [position("BTC-PERP", "1", "110")]);
    // At 100: E = 10.5 − 10 = 0.5 = MM.
    expect(levelAt("100", "HEALTHY", account)).toBe("RESTRICTED");
    const inclusive = { ...POLICY, levels: { ...POLICY.levels, inclusive: true } };
    expect(levelAt("100", "HEALTHY", account, inclusive)).toBe("CLOSE_OUT");
    expect(isCloseOut(account, assess(account, market(T0, { "BTC-PERP": "100" }), inclusive, T0), inclusive.levels)).toBe(true);
  });

  test("an inclusive venue has no default at E = 0", () => {
    const inclusive = { ...POLICY, levels: { ...POLICY.levels, inclusive: true } };
    expect(levelAt("90", "HEALTHY", tenTimesLong(), inclusive)).toBe("BACKSTOP");
  });
});

describe("R2, R3: which equity and which side", () => {
  const btcHeld = accountWith({ BTC: "0.125" }, [position("BTC-PERP", "1", "100")]);
  const at = (price: string) =>
    levelOf(btcHeld, assess(btcHeld, market(T0, { "BTC-PERP": price, "BTC-USDT": "100" }), POLICY, T0), POLICY.levels, "HEALTHY");

  test("R2: WARNING and CALL judge E_i, the deeper levels E_m", () => {
    // 0.125 BTC at 100 counts 10 in E_i and 11.25 in E_m: the call is that of 10 cash, the rest 1.25 lower.
    expect(at("94.98")).toBe("CALL");
    expect(at("92.20")).toBe("CALL");
    expect(at("90.45")).toBe("RESTRICTED");
    expect(at("89.20")).toBe("RESTRICTED");
    expect(at("89.19")).toBe("CLOSE_OUT");
  });

  test("R3: a stale mark restricts on E_low, but closes out only on E_high", () => {
    const account = tenTimesLong();
    // The band is 5 %: a stale 95.3 is valued at 90.535 on the low side.
    const stale = (price: string) => assess(account, market(T0, { "BTC-PERP": [price, 6 * MINUTE] }), POLICY, T0);
    expect(levelOf(account, stale("95.3"), POLICY.levels, "HEALTHY")).toBe("RESTRICTED");
    expect(levelOf(account, stale("92"), POLICY.levels, "HEALTHY")).toBe("RESTRICTED");
    expect(levelOf(account, stale("90"), POLICY.levels, "HEALTHY")).toBe("BACKSTOP");
  });
});

describe("R7: accounts without a requirement", () => {
  test.each<[words: string, balances: Record<string, string>, level: Level]>([
    ["nothing at all", {}, "HEALTHY"],
    ["cash only", { USDT: "5" }, "HEALTHY"],
    ["a covered debt", { BTC: "1", USDT: "-50" }, "HEALTHY"],
    ["a debt that E_i no longer covers", { BTC: "1", USDT: "-85" }, "CALL"],
    ["a debt that E_m no longer covers", { BTC: "1", USDT: "-95" }, "DEFAULT"],
    ["a deficit", { USDT: "-1" }, "DEFAULT"],
  ])("%s", (_words, balances, level) => {
    const account = accountWith(balances);
    const statement = assess(account, market(T0, { "BTC-USDT": "100" }), POLICY, T0);
    expect(levelOf(account, statement, POLICY.levels, "HEALTHY")).toBe(level);
  });

  test("an account that closed everything is HEALTHY at once, whatever it was", () => {
    const account = accountWith({ USDT: "0.01" });
    const statement = assess(account, market(T0, {}), POLICY, T0);
    expect(levelOf(account, statement, POLICY.levels, "CLOSE_OUT")).toBe("HEALTHY");
  });
});

describe("M10: what a level allows", () => {
  test.each<[Level, string]>([
    ["HEALTHY", "all"],
    ["WARNING", "all"],
    ["CALL", "no_increase"],
    ["RESTRICTED", "reduce_only"],
    ["CLOSE_OUT", "none"],
    ["BACKSTOP", "none"],
    ["DEFAULT", "none"],
  ])("%s allows %s", (level, allowed) => {
    expect(allowedAt(level, null)).toBe(allowed);
  });

  test("R14: a call overdue under `restrict` leaves reduce-only, one that waits for marks does not", () => {
    const desk = deskOf(tenTimesLong(), { ...POLICY, onUnmet: "restrict" });
    desk.at(T0, "94");
    const overdue = { ...desk.live(), overdueAt: T0 };
    expect(allowedAt("CALL", desk.live())).toBe("no_increase");
    expect(allowedAt("CALL", overdue)).toBe("reduce_only");
    expect(allowedAt("CLOSE_OUT", overdue)).toBe("none");
    expect(allowedAt("CALL", { ...overdue, onBadMarks: true })).toBe("no_increase");
    expect(allowedAt("CALL", { ...overdue, onUnmet: "reduce" })).toBe("no_increase");
  });

  test("levels are ordered by depth", () => {
    expect(isAtLeast("CALL", "CALL")).toBe(true);
    expect(isAtLeast("WARNING", "CALL")).toBe(false);
    expect(isAtLeast("DEFAULT", "CLOSE_OUT")).toBe(true);
  });
});
