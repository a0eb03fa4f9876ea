import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../../core/account.ts";
import { counterpartyExposure, defaultRisk, type EquityCurve, equityCurve } from "../../../core/risk/default-risk.ts";
import type { StatisticalTerms } from "../../../core/statistical-model.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "../margin-fixtures.ts";

const MARKET = snapshotOf([contract("BTC-PERP"), contract("SUI-PERP", { baseAsset: "SUI" })], { "BTC-PERP": "60000", "SUI-PERP": "2" });
/** 400 days, up and down by 10 % in turn; a fall and a rise by half. */
const SCENARIOS: StatisticalTerms = {
  ...{ scenariosId: "test", version: 1, horizonDays: 1, units: ["BTC"], confidence: 975_000, weight: 750_000 },
  history: Array.from({ length: 400 }, (_, day) => ({ name: `day ${day}`, movesPpm: [day % 2 === 0 ? 100_000 : -100_000] })),
  stress: [
    { name: "halved", movesPpm: [-500_000] },
    { name: "half up", movesPpm: [500_000] },
  ],
};
const judged = { snapshot: MARKET, policy: policyWith([bare("USDT")]), now: NOW };
const curveOf = (account: MarginAccount): EquityCurve => equityCurve(account, judged, SCENARIOS);
const long = (cash: string): EquityCurve => curveOf(accountOf({ USDT: cash }, [leg("BTC-PERP", "1", "60000")]));
const riskOf = (curve: EquityCurve, lgd = 1) => {
  const answer = defaultRisk(curve, SCENARIOS, lgd);
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
};

describe("default risk of an account (M11, M16)", () => {
  test("two deviations of 6,000 from 0: 2·Φ(−2), and 60 % of half of 18,000", () => {
    const risk = riskOf(long("12000"), 0.6);
    expect(risk).toMatchObject({ probability: 45_501, exposure: 9_000, multiplier: 1_250_000 });
    expect(risk.expectedLoss).toBeCloseTo(245.70142504, 6);
  });

  test.each([
    ["nothing is left", long("-1"), 1_000_000, 1_500_000],
    ["cash alone never defaults", curveOf(accountOf({ USDT: "1" }, [])), 0, 1_000_000],
    ["a unit that the scenarios do not know stands still", curveOf(accountOf({ USDT: "1" }, [leg("SUI-PERP", "5", "2")])), 0, 1_000_000],
  ])("%s", (_, curve, probability, multiplier) => {
    expect(riskOf(curve)).toMatchObject({ probability, multiplier });
  });

  test("a share beyond the whole is refused by name", () => {
    expect(defaultRisk(long("12000"), SCENARIOS, 1.5)).toMatchObject({ ok: false, fault: "BAD_TERMS" });
  });
});

describe("what a counterparty may come to owe", () => {
  const short = curveOf(accountOf({ USDT: "2000" }, [leg("BTC-PERP", "-1", "60000")]));
  test.each([
    ["one account owes 3,000 on the days that fall", [long("3000")], 3_000],
    ["a hedge at another account nets nothing: the short owes 4,000 on the days that rise", [long("3000"), short], 4_000],
    ["nobody owes", [long("6000")], 0],
  ])("%s", (_, curves, peak) => {
    const answer = counterpartyExposure(curves, SCENARIOS, 975_000);
    if (!answer.ok) throw new Error(answer.detail);
    expect(answer.value.current).toBe(0);
    expect(answer.value.peak).toBeCloseTo(peak, 6);
  });

  test("on every day one of the two owes: 3,000 or 4,000", () => {
    const answer = counterpartyExposure([long("3000"), short], SCENARIOS, 975_000);
    if (!answer.ok) throw new Error(answer.detail);
    expect(answer.value.expected[0]).toBeGreaterThan(3_400);
    expect(answer.value.expected[0]).toBeLessThan(3_600);
  });
});
