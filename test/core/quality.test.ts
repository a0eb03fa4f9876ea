import { describe, expect, test } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import type { Mark } from "../../core/mark.ts";
import { money, price, quantity } from "../../core/money.ts";
import { ACTIONS, bandWidth, judgeMark, qualityAt, qualityUntil, worseQuality } from "../../core/quality.ts";
import { contract, markOf, NOW } from "./margin-fixtures.ts";

const btc = contract("BTC-PERP");
const oil = contract("OIL-FUT", { allowNonPositive: true, marginMinPerUnit: money("5"), baseAsset: "OIL" });
const at = (text: string, seconds: number, instrumentId = "BTC-PERP") => ({
  instrumentId,
  price: price(text),
  asOf: NOW + seconds * 1_000,
  source: "feed",
});
const mark = markOf("BTC-PERP", "10000");
const judged = (previous: Mark | null, text: string, seconds: number) => judgeMark(previous, at(text, seconds), btc, NOW + seconds * 1_000);

describe("judgeMark", () => {
  test.each([
    ["S21: zero", "0", 1, "zero price"],
    ["S21: negative where not allowed", "-1", 1, "negative price"],
    ["S21: a hundred times too high", "1000000", 1, "off by a factor of 50 or more"],
    ["S21: fifty times too high", "500000", 1, "off by a factor of 50 or more"],
    ["S21: a hundredth", "100", 1, "off by a factor of 50 or more"],
    ["older than the last", "10001", -1, "older than the last accepted price"],
    ["another value for the same instant", "10001", 0, "another value for the same instant"],
  ])("%s is rejected and changes nothing", (_, text, seconds, reason) => {
    expect(judgeMark(mark, at(text, seconds), btc, NOW)).toEqual({ outcome: "rejected", mark, reason });
  });

  test("a price from the future beyond the skew is rejected, within it it is not (S39)", () => {
    const late = { ...at("10001", 0), asOf: NOW + LIMITS.skewMs + 1 };
    expect(judgeMark(mark, late, btc, NOW).reason).toBe("from the future");
    expect(judgeMark(mark, { ...late, asOf: NOW + LIMITS.skewMs }, btc, NOW).outcome).toBe("accepted");
  });

  test("a tick of another instrument, or without an instant, is rejected", () => {
    expect(judgeMark(mark, at("10001", 1, "ETH-PERP"), btc, NOW).reason).toBe("tick of ETH-PERP offered to BTC-PERP");
    expect(judgeMark(null, { ...at("10001", 1), asOf: Number.NaN }, btc, NOW)).toEqual({
      outcome: "rejected",
      mark: null,
      reason: "no instant",
    });
    expect(judgeMark(null, { ...at("10001", 1), asOf: 0 }, btc, NOW).reason).toBe("no instant");
  });

  test("the first price is accepted, the same again is a duplicate", () => {
    const first = judged(null, "10000", 0);
    expect(first).toMatchObject({
      outcome: "accepted",
      reason: "first price",
      mark: { price: price("10000"), source: "feed", candidate: null },
    });
    expect(judged(first.mark, "10000", 0)).toEqual({ outcome: "duplicate", mark: first.mark, reason: "the same price again" });
  });

  test("a move at the guard is accepted, one unit beyond it waits (10 % a minute)", () => {
    expect(judged(mark, "11000", 1).outcome).toBe("accepted");
    expect(judged(mark, "11000.00000001", 1).outcome).toBe("candidate");
    expect(judged(mark, "9000", 1).outcome).toBe("accepted");
    expect(judged(mark, "8999.99999999", 1).outcome).toBe("candidate");
  });

  test("the guard widens with the minutes since the last price, up to its ceiling of 50 %", () => {
    expect(judged(mark, "13000", 179).outcome).toBe("candidate");
    expect(judged(mark, "13000", 180).outcome).toBe("accepted");
    expect(judged(mark, "15000", 36_000).outcome).toBe("accepted");
    expect(judged(mark, "15000.01", 36_000).outcome).toBe("candidate");
  });

  test.each([
    ["x0.125", "1250"],
    ["x8", "80000"],
  ])("S17: a wick of %s keeps price and quality, and the next good tick is accepted at once", (_, wick) => {
    const held = judged(mark, wick, 1);
    expect(held).toMatchObject({ outcome: "candidate", mark: { price: price("10000"), asOf: NOW, candidate: { price: price(wick) } } });
    expect(qualityAt(held.mark ?? undefined, btc, NOW + 1_000)).toBe("GOOD");
    expect(judged(held.mark, "10010", 2)).toMatchObject({
      outcome: "accepted",
      reason: "the jump was refuted",
      mark: { price: price("10010"), candidate: null },
    });
  });

  test("a crash passes: a second tick that agrees lifts the guard", () => {
    const held = judged(mark, "8000", 1).mark;
    expect(judged(held, "8080", 2)).toMatchObject({
      outcome: "accepted",
      reason: "a second tick agrees with the jump",
      mark: { price: price("8080") },
    });
    expect(judged(held, "8080.00000001", 2)).toMatchObject({
      outcome: "candidate",
      mark: { price: price("10000"), candidate: { price: price("8080.00000001") } },
    });
  });

  test("a second tick must be newer than the jump: the same tick twice confirms nothing", () => {
    const held = judged(mark, "8000", 5).mark;
    expect(judged(held, "8000", 5)).toEqual({ outcome: "duplicate", mark: held, reason: "the same jump again" });
    expect(judged(held, "8010", 5)).toMatchObject({ outcome: "rejected", reason: "not newer than the jump that waits" });
    expect(judged(held, "8010", 4)).toMatchObject({ outcome: "rejected", mark: held });
  });

  test("after a day without a price even a move by 50 is only held for confirmation", () => {
    const day = LIMITS.unitMistakeAgeMs / 1_000;
    expect(judged(mark, "100", day - 1).outcome).toBe("rejected");
    const held = judged(mark, "100", day);
    expect(held.outcome).toBe("candidate");
    expect(judged(held.mark, "100", day + 1).outcome).toBe("accepted");
  });

  test("S20: 18.31, -36.98, 8.91: guards measure |price|, and a second tick confirms each", () => {
    let last = judgeMark(null, at("18.31", 0, "OIL-FUT"), oil, NOW).mark;
    for (const [text, seconds] of [
      ["-36.98", 60],
      ["8.91", 180],
    ] as const) {
      const held = judgeMark(last, at(text, seconds, "OIL-FUT"), oil, NOW + seconds * 1_000);
      expect(held.outcome).toBe("candidate");
      const next = judgeMark(held.mark, at(text, seconds + 1, "OIL-FUT"), oil, NOW + (seconds + 1) * 1_000);
      expect(next).toMatchObject({ outcome: "accepted", mark: { price: price(text) } });
      last = next.mark;
    }
  });

  test("S20: near 0 the guard has the room of the least margin per unit, also for contracts of many units", () => {
    const nearZero = { ...markOf("OIL-FUT", "0.01") };
    expect(judgeMark(nearZero, at("-4.99", 1, "OIL-FUT"), oil, NOW + 1_000).outcome).toBe("accepted");
    expect(judgeMark(nearZero, at("-5", 1, "OIL-FUT"), oil, NOW + 1_000).outcome).toBe("candidate");
    const barrels = { ...oil, multiplier: quantity("10") };
    expect(judgeMark(nearZero, at("-0.5", 1, "OIL-FUT"), barrels, NOW + 1_000).outcome).toBe("candidate");
    expect(judgeMark(markOf("OIL-FUT", "0"), at("0.4", 1, "OIL-FUT"), barrels, NOW + 1_000).outcome).toBe("accepted");
  });
});

describe("quality of a mark (R3)", () => {
  test.each([
    ["no mark", undefined, "MISSING", Number.POSITIVE_INFINITY],
    ["at its greatest age", markOf("BTC-PERP", "1", { asOf: NOW - 60_000 }), "GOOD", NOW + 1],
    ["older", markOf("BTC-PERP", "1", { asOf: NOW - 60_001 }), "STALE", Number.POSITIVE_INFINITY],
    ["a fresh candidate", markOf("BTC-PERP", "1", { candidate: { price: price("2"), asOf: NOW - 29_999 } }), "GOOD", NOW + 1],
    [
      "a candidate that nothing settled",
      markOf("BTC-PERP", "1", { candidate: { price: price("2"), asOf: NOW - 30_000 } }),
      "SUSPECT",
      NOW + 60_001,
    ],
    [
      "stale with a fresh candidate",
      markOf("BTC-PERP", "1", { asOf: NOW - 90_000, candidate: { price: price("2"), asOf: NOW } }),
      "STALE",
      NOW + 30_000,
    ],
  ] as const)("%s", (_, given, quality, until) => {
    expect(qualityAt(given, btc, NOW)).toBe(quality);
    expect(qualityUntil(given, btc, NOW)).toBe(until);
    if (Number.isFinite(until)) {
      expect(qualityAt(given, btc, until - 1)).toBe(quality);
    }
  });

  test("the worst of several", () => {
    expect(worseQuality("GOOD", "STALE")).toBe("STALE");
    expect(worseQuality("MISSING", "SUSPECT")).toBe("MISSING");
    expect(worseQuality("GOOD", "GOOD")).toBe("GOOD");
  });

  test("the action matrix: only GOOD trades, starts a clock or lets the market meet a call; a missing mark frees nothing", () => {
    for (const action of ["trade", "startClock", "meetByMarket"] as const) {
      expect(ACTIONS[action]).toEqual({ GOOD: "allowed", MODEL: "refused", STALE: "refused", SUSPECT: "refused", MISSING: "refused" });
    }
    for (const action of ["openCall", "meetByPayment", "closeOut"] as const) {
      expect(ACTIONS[action]).toEqual({
        GOOD: "allowed",
        MODEL: "conservative",
        STALE: "conservative",
        SUSPECT: "conservative",
        MISSING: "conservative",
      });
    }
    expect(ACTIONS.withdraw).toEqual({
      GOOD: "allowed",
      MODEL: "conservative",
      STALE: "conservative",
      SUSPECT: "conservative",
      MISSING: "refused",
    });
  });

  test("half width of the band: a share of |P|, or the room of the least margin (R3, R20)", () => {
    expect(bandWidth(price("10000"), btc)).toBe(price("500"));
    expect(bandWidth(price("-36.98"), oil)).toBe(price("5"));
    expect(bandWidth(price("-400"), oil)).toBe(price("20"));
  });
});
