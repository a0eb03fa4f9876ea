import { describe, expect, test } from "vitest";
import { money } from "../../core/money.ts";
import type { CollateralTerms, LevelTerms, Policy } from "../../core/policy.ts";
import { validatePolicy } from "../../core/terms.ts";
import { TermsError } from "../../core/terms-error.ts";
import { bare, policyWith, slices } from "./margin-fixtures.ts";

const btc = (patch: Partial<CollateralTerms> = {}): Policy => policyWith([bare("USDT"), bare("BTC", "BTC-USDT", patch)]);
const levels = (patch: Partial<LevelTerms>): Policy => {
  const policy = policyWith([bare("USDT")]);
  return { ...policy, levels: { ...policy.levels, ...patch } };
};
const plain = (patch: Partial<Policy>): Policy => policyWith([bare("USDT")], patch);

describe("validatePolicy", () => {
  test("gives a sound policy back, also one that calls at IM", () => {
    const policy = btc({ tiers: slices(["0", 50_000, 50_000], ["10", 1_000_000, 60_000]), liabilityWeight: 1_000_000 });
    expect(validatePolicy(policy)).toBe(policy);
    expect(() => validatePolicy(levels({ call: 1_000_000, warning: 1_200_000 }))).not.toThrow();
  });

  test.each<[string, Policy, string]>([
    ["R1: call not above restricted", levels({ call: 200_000 }), "levels"],
    ["R1: warning below call", levels({ warning: 400_000 }), "levels"],
    ["R1: restricted at close-out", levels({ restricted: 0 }), "levels"],
    ["R4: a call above IM", levels({ call: 1_000_001, warning: 1_100_000 }), "levels"],
    ["R1: backstop not below MM", levels({ backstop: 1_000_000 }), "levels"],
    ["R1: backstop of nothing", levels({ backstop: 0 }), "levels"],
    ["a threshold that is no whole ppm", levels({ call: 0.5 }), "levels"],
    ["a negative hysteresis", levels({ hysteresis: -1 }), "levels"],
    ["no terms for the valuation asset", { ...btc(), valuationAsset: "EUR" }, "collateral EUR"],
    [
      "terms under another asset",
      {
        ...btc(),
        collateral: new Map([
          ["USDT", bare("USDT")],
          ["BTC", bare("ETH", "P")],
        ]),
      },
      "collateral BTC",
    ],
    ["an asset without a price", btc({ priceId: null }), "collateral BTC"],
    ["a valuation asset with a price", policyWith([bare("USDT", "USDT-USD")]), "collateral USDT"],
    ["M2: a debt that weighs less than its value", btc({ liabilityWeight: 999_999 }), "collateral BTC"],
    ["no haircut slice", btc({ tiers: [] }), "collateral BTC"],
    ["a first slice above 0", btc({ tiers: slices(["1", 0, 0]) }), "collateral BTC, slice 1"],
    ["slices out of order", btc({ tiers: slices(["0", 0, 0], ["5", 0, 0], ["5", 0, 0]) }), "collateral BTC, slice 3"],
    ["R2: an initial haircut below the maintenance one", btc({ tiers: slices(["0", 10_000, 20_000]) }), "collateral BTC, slice 1"],
    ["a haircut above 1", btc({ tiers: slices(["0", 1_000_001, 0]) }), "collateral BTC, slice 1"],
    ["a negative haircut", btc({ tiers: slices(["0", 0, -1]) }), "collateral BTC, slice 1"],
    ["a share above 1", plain({ unrealisedProfitIm: 1_000_001 }), "shares"],
    ["a share of profit for withdrawals that is no ppm", plain({ unrealisedProfitWithdrawal: 0.5 }), "shares"],
    ["a negative buffer", plain({ closeOutBuffer: -1 }), "shares"],
    ["a time that is none", plain({ coolDownMs: Number.NaN }), "times"],
    ["R13: a grace under the least", plain({ graceMs: 1_000 }), "times"],
    ["no attempt", plain({ attemptsMax: 0 }), "counts"],
    ["negative top-ups", plain({ topUpsMax: -1 }), "counts"],
    ["half a top-up", plain({ topUpsMax: 0.5 }), "counts"],
    ["half an attempt", plain({ attemptsMax: 1.5 }), "counts"],
    ["a negative minimum transfer", plain({ minimumTransfer: money("-1") }), "minimumTransfer"],
  ])("refuses %s, naming policy, place and mend", (_, policy, place) => {
    expect(() => validatePolicy(policy)).toThrow(TermsError);
    try {
      validatePolicy(policy);
    } catch (error) {
      expect(error).toMatchObject({ subject: "policy standard v1", place });
      expect((error as TermsError).message).toContain((error as TermsError).mend);
    }
  });
});
