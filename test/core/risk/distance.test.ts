import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../../core/account.ts";
import { decimal, type Money, price } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { STANDARD_TERMS } from "../../../core/portfolio/portfolio-terms.ts";
import { type Distance, distanceOf } from "../../../core/risk/distance.ts";
import { ladderOf, onLadder } from "../../../core/risk/ladder.ts";
import type { StatisticalTerms } from "../../../core/statistical-model.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf, spot } from "../margin-fixtures.ts";
import { modelTable } from "../models-page.ts";
import "../../seed.ts";

const NONE = 0n as Money;
const EXPIRY = NOW + 30 * 86_400_000;
const option = {
  underlyingId: "BTC-PERP",
  strike: price("60000"),
  right: "call",
  style: "premium",
  settlement: "linear",
  averagingMs: 0,
} as const;
const CALL = contract("BTC-60000-C", { kind: "option", tiers: [], expiryAt: EXPIRY, option });
const MARKET = snapshotOf(
  [
    contract("BTC-PERP"),
    contract("ETH-PERP", { baseAsset: "ETH" }),
    contract("SUI-PERP", { baseAsset: "SUI" }),
    CALL,
    spot("BTC-USDT", "BTC"),
  ],
  { "BTC-PERP": "60000", "ETH-PERP": "3000", "SUI-PERP": "2", "BTC-60000-C": "3500", "BTC-USDT": "60000" },
);

/** 400 days: BTC up and down by 10 % in turn, ETH by 8 % with it; each twentieth both fall by 30 %. */
const SCENARIOS: StatisticalTerms = {
  ...{ scenariosId: "test", version: 3, horizonDays: 1, units: ["BTC", "ETH"], confidence: 975_000, weight: 750_000 },
  history: Array.from({ length: 400 }, (_, day) => {
    const sign = day % 2 === 0 ? 1 : -1;
    return { name: `day ${day}`, movesPpm: day % 20 === 0 ? [-300_000, -300_000] : [100_000 * sign, 80_000 * sign] };
  }),
  stress: [{ name: "halved", movesPpm: [-500_000, -500_000] }],
};
const POLICY = policyWith([bare("USDT"), bare("BTC", "BTC-USDT")]);

const judge = (account: MarginAccount, scenarios: StatisticalTerms | null = SCENARIOS, policy: Policy = POLICY) =>
  distanceOf(account, { snapshot: MARKET, policy, now: NOW }, scenarios);
const given = (account: MarginAccount, scenarios?: StatisticalTerms, policy?: Policy): Distance => {
  const answer = judge(account, scenarios, policy);
  if (!answer.ok) throw new Error(`${answer.fault}: ${answer.detail}`);
  return answer.value;
};

const LONG = accountOf({ USDT: "10000" }, [leg("BTC-PERP", "1", "60000")]);
const PAIR = accountOf({ USDT: "10000" }, [leg("BTC-PERP", "1", "60000"), leg("ETH-PERP", "-20", "3000")]);

describe("distance to the maintenance requirement (M4, M11)", () => {
  test("is that of the page", () => {
    const told = [LONG, PAIR].map((account) => {
      const { distance, volatility, deviations, worstDay, breachWithinGrace, breachWithinPeriod, breachAfterMs } = given(account);
      const figures = [decimal(distance), decimal(volatility), deviations, worstDay?.name, decimal(worstDay?.loss ?? NONE)];
      return [...figures, worstDay?.multiple, breachWithinGrace, breachWithinPeriod, breachAfterMs].map(String);
    });
    expect(told).toEqual(modelTable("distance.md", "account").map((row) => row.slice(1)));
  });

  test("a day's volatility of scenarios over four days is half of theirs, and their period is four days", () => {
    const { volatility, deviations, periodMs } = given(LONG, { ...SCENARIOS, horizonDays: 4 });
    expect([decimal(volatility).slice(0, 9), deviations, periodMs]).toEqual(["3531.8996", 2.746, 345_600_000]);
  });

  test("collateral in a coin counts, as does a debt in it", () => {
    const [held, owed] = ["0.5", "-0.5"].map((BTC) => given(accountOf({ USDT: "90000", BTC }, [leg("BTC-PERP", "-1", "60000")])));
    // Short one and long a half: 30,000 lose 3,000 and the requirement of 300 grows by 30 when BTC rises by 10 %.
    expect([held, owed].map((told) => decimal(told?.worstDay?.loss ?? NONE))).toEqual(["3030", "9030"]);
  });

  test("a short option loses more than its delta says on the worst day, and the multiple is found with it revalued", () => {
    const { worstDay } = given(accountOf({ USDT: "20000" }, [leg("BTC-60000-C", "-1", "3500")]));
    // The day on which BTC rises by 10 % is its worst: the call is then worth its 6,000 and some time value.
    expect(worstDay?.name).toBe("day 2");
    expect(Number(decimal(worstDay?.loss ?? NONE))).toBeGreaterThan(3_500);
    expect(worstDay?.multiple).toBeGreaterThan(0);
  });

  test("portfolio margin is judged by its own requirement", () => {
    const portfolio = policyWith([bare("USDT")], { model: { kind: "portfolio", terms: STANDARD_TERMS, statistical: SCENARIOS } });
    const account = accountOf({ USDT: "30000" }, [leg("BTC-PERP", "1", "60000")]);
    // 30,000 less max(grid, 3/4 of the shortfall of 18,000 and 1/4 of the stress of 30,000).
    expect(decimal(given(account, SCENARIOS, portfolio).distance)).toBe("9000");
  });

  test("a base asset that the scenarios do not know is named and held fixed", () => {
    expect(given(accountOf({ USDT: "10000" }, [leg("BTC-PERP", "1", "60000"), leg("SUI-PERP", "100", "2")])).heldFixed).toEqual(["SUI"]);
  });

  test("an account below its requirement has no time left", () => {
    const told = given(accountOf({ USDT: "200" }, [leg("BTC-PERP", "1", "60000")]));
    expect(decimal(told.distance)).toBe("-100");
    expect(told).toMatchObject({ deviations: 0, breachWithinGrace: 1_000_000, breachWithinPeriod: 1_000_000, breachAfterMs: 0 });
    expect(told.worstDay?.multiple).toBe(0);
  });

  test.each([
    ["without scenarios", LONG, null, "NO_HISTORY", "policy standard version 1 holds no joint scenarios"],
    ["without anything that moves", accountOf({ USDT: "10" }), SCENARIOS, "ZERO_VOLATILITY", "no scenario moves the account"],
  ])("%s it answers by name", (_, account, scenarios, fault, words) => {
    const answer = judge(account, scenarios);
    expect(answer).toMatchObject({ ok: false, fault });
    expect(answer.ok ? "" : answer.detail).toContain(words);
  });

  test("more cash never brings a breach nearer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 40_000 }), fc.integer({ min: 1, max: 20_000 }), fc.boolean(), (cash, more, isLong) => {
        const position = leg("BTC-PERP", isLong ? "1" : "-1", "60000");
        const [less, rich] = [cash, cash + more].map((amount) => given(accountOf({ USDT: `${amount}` }, [position])));
        expect(rich?.deviations).toBeGreaterThanOrEqual(less?.deviations as number);
        expect(rich?.breachWithinPeriod).toBeLessThanOrEqual(less?.breachWithinPeriod as number);
        expect(rich?.worstDay?.multiple ?? 99).toBeGreaterThanOrEqual(less?.worstDay?.multiple ?? 99);
        expect(rich?.breachAfterMs ?? 1e12).toBeGreaterThanOrEqual(less?.breachAfterMs ?? 1e12);
      }),
      { numRuns: 15 },
    );
  });
});

describe("a ladder of exact revaluations", () => {
  const ladder = ladderOf(LONG, { snapshot: MARKET, policy: POLICY, now: NOW }, "BTC");
  test.each([
    [-0.3, -17_910],
    [-0.02, -1_194],
    [0, 0],
    [0.5, 29_850],
    [4, 238_800],
    [-2, -56_715],
  ])("a move of %s", (move, change) => {
    expect(onLadder(ladder.distance, move)).toBeCloseTo(change, 6);
  });
});
