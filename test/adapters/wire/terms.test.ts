import { describe, expect, test } from "vitest";
import * as z from "zod";

import { encodeInstrument, instrumentBody } from "../../../adapters/wire/instrument.ts";
import { placesOf } from "../../../adapters/wire/parse.ts";
import { encodePolicy, policyBody } from "../../../adapters/wire/policy.ts";
import { money } from "../../../core/money.ts";
import { instrument, instrumentFixture, policy, policyFixture } from "../samples.ts";

const complaint = (schema: z.ZodType, body: unknown): string => {
  const read = schema.safeParse(body);
  return read.success ? "" : placesOf(read.error);
};

describe("instruments (M3, R24)", () => {
  test("read with the deductions that make the requirement continuous, and write back", () => {
    expect(instrument.tiers.map((tier) => [tier.amountIm, tier.amountMm])).toEqual([
      [money("0"), money("0")],
      [money("100000"), money("5000")],
    ]);
    expect(instrument.settleAsset).toBe("USDT");
    expect(instrumentBody.parse(JSON.parse(JSON.stringify(encodeInstrument(instrument))))).toEqual(instrument);
  });

  test("an inverse contract settles in its coin, spot has no tiers", () => {
    expect(instrumentBody.parse({ ...instrumentFixture, kind: "inverse" }).settleAsset).toBe("BTC");
    const spot = instrumentBody.parse({ ...instrumentFixture, kind: "spot", tiers: [] });
    expect([spot.tiers, spot.settleAsset]).toEqual([[], "USDT"]);
    const slow = {
      ...instrumentFixture,
      kind: "spot",
      tiers: [],
      markRule: { ...instrumentFixture.markRule, slowHalfLifeMs: 3_600_000, minAnswer: "0.107", maxAnswer: "1000" },
    };
    expect(encodeInstrument(instrumentBody.parse(slow))).toMatchObject({ markRule: slow.markRule });
  });

  test("caps of open interest, in the unit that ticks tell it in (M3)", () => {
    const capped = { ...instrumentFixture, openInterest: { lower: "1000.5", upper: "2000", ageMaxMs: 60_000 } };
    expect(encodeInstrument(instrumentBody.parse(capped))).toMatchObject({ openInterest: capped.openInterest });
    expect(encodeInstrument(instrumentBody.parse(instrumentFixture))).not.toHaveProperty("openInterest");
  });

  test("margined on its entry, and nothing is written where it is not (M3)", () => {
    expect(encodeInstrument(instrumentBody.parse({ ...instrumentFixture, basis: "entry" })).basis).toBe("entry");
    expect(encodeInstrument(instrumentBody.parse(instrumentFixture))).not.toHaveProperty("basis");
  });

  const tiers = instrumentFixture.tiers;
  test.each<[string, object, RegExp]>([
    ["a deduction that jumps", { tiers: [tiers[0], { ...tiers[1], amountMm: "4000" }] }, /^tiers: .*bracket 2.*jump/],
    ["a first floor above 0", { tiers: [{ ...tiers[0], floor: "1" }] }, /^tiers: .*bracket 1/],
    ["floors that do not rise", { tiers: [tiers[0], { ...tiers[1], floor: "0" }] }, /^tiers: .*bracket 2/],
    ["rates that fall", { tiers: [tiers[0], { ...tiers[1], rateMm: 4_000, rateIm: 90_000 }] }, /^tiers: .*bracket 2/],
    ["no room between the requirements (R24)", { tiers: [{ ...tiers[0], rateIm: 5_400 }] }, /^tiers: .*bracket 1/],
    ["no tiers", { tiers: [] }, /^tiers: /],
    ["a spot with tiers", { kind: "spot" }, /^tiers: /],
    ["prices below 0 without a margin per unit (R5)", { allowNonPositive: true }, /^marginMinPerUnit: /],
    ["an inverse contract with prices below 0", { kind: "inverse", allowNonPositive: true, marginMinPerUnit: "1" }, /^allowNonPositive: /],
    [
      "a slow average of a contract (M2)",
      { markRule: { ...instrumentFixture.markRule, slowHalfLifeMs: 1 } },
      /^markRule\.slowHalfLifeMs: /,
    ],
    [
      "bounds that leave nothing (S05)",
      { markRule: { ...instrumentFixture.markRule, minAnswer: "2", maxAnswer: "2" } },
      /^markRule\.maxAnswer: /,
    ],
    ["caps that leave nothing (M3)", { openInterest: { lower: "2", upper: "2", ageMaxMs: 1 } }, /^openInterest: upper must be more/],
    [
      "open interest of a spot pair (M3)",
      { kind: "spot", tiers: [], openInterest: { lower: "1", upper: "2", ageMaxMs: 1 } },
      /^openInterest: only contracts/,
    ],
    ["a basis that is not known (M3)", { basis: "mark" }, /^basis: /],
    ["an entry basis of a spot pair (M3)", { kind: "spot", tiers: [], basis: "entry" }, /^basis: only contracts/],
    ["a multiplier of 0", { multiplier: "0" }, /^multiplier: /],
    ["a rate above 1", { tiers: [{ ...tiers[0], rateIm: 1_000_001 }] }, /^tiers\.0\.rateIm: /],
    ["one asset on both sides", { quoteAsset: "BTC" }, /^quoteAsset: /],
    ["a field that nobody knows", { leverage: 100 }, /leverage/],
  ])("%s is refused by name", (_, over, words) => expect(complaint(instrumentBody, { ...instrumentFixture, ...over })).toMatch(words));
});

describe("policies", () => {
  test("read and write back", () => {
    expect([...policy.collateral.keys()]).toEqual(["USDT", "BTC"]);
    const pegged = { ...policyFixture.collateral[0], peg: { priceId: "USDT-USD", threshold: 980_000, factor: 2_000_000 } };
    const read = policyBody.parse({ ...policyFixture, collateral: [pegged, policyFixture.collateral[1]] });
    expect(encodePolicy(read).collateral[0]).toEqual(pegged);
    const charged = { ...policyFixture, fundingFactor: 250_000, confidence: { threshold: 550_000, factor: 1_000_000 } };
    expect(encodePolicy(policyBody.parse(charged))).toMatchObject({ fundingFactor: 250_000, confidence: charged.confidence });
    const unit = { averageVolume: "50000000.5", spread: 1_000, dailyVolatility: 40_000, impact: 1_000_000 };
    const liquidity = { BTC: { ...unit, participation: 200_000, confidence: 990_000, threshold: 250_000, charge: 50_000 } };
    expect(policyBody.parse({ ...policyFixture, liquidity }).liquidity?.["BTC"]?.averageVolume).toBe(5_000_000_050_000_000n);
    expect(encodePolicy(policyBody.parse({ ...policyFixture, liquidity }))).toMatchObject({ liquidity });
    expect(encodePolicy(policyBody.parse(policyFixture))).not.toHaveProperty("liquidity");
    expect(policyBody.safeParse({ ...policyFixture, liquidity: { BTC: { ...liquidity.BTC, participation: 0 } } }).error?.message).toMatch(
      /liquidity BTC: participation/,
    );
    const scaled = { ...policyFixture.collateral[1], deposits: { scaleStart: "1000", ageMaxMs: 3_600_000 } };
    const both = policyBody.parse({ ...policyFixture, collateral: [policyFixture.collateral[0], scaled] });
    expect(encodePolicy(both).collateral[1]).toEqual(scaled);
    expect(policyBody.parse(JSON.parse(JSON.stringify(encodePolicy(policy))))).toEqual(policy);
  });

  const [usdt, btc] = policyFixture.collateral;
  const levels = policyFixture.levels;
  test.each<[string, object, RegExp]>([
    ["levels out of order (R1)", { levels: { ...levels, restricted: 600_000 } }, /levels: thresholds do not fall/],
    ["no valuation asset among the collateral", { collateral: [btc] }, /collateral USDT: the valuation asset has no terms/],
    ["an asset twice", { collateral: [usdt, usdt] }, /^collateral: an asset appears twice/],
    ["collateral without a price", { collateral: [usdt, { ...btc, priceId: null }] }, /collateral BTC: no price/],
    ["a debt that weighs less than 1 (M2)", { collateral: [{ ...usdt, liabilityWeight: 900_000 }] }, /^collateral\.0\.liabilityWeight: /],
    [
      "a haircut for IM below that for MM (M2)",
      { collateral: [{ ...usdt, tiers: [{ floor: "0", haircutIm: 1, haircutMm: 2 }] }] },
      /collateral USDT, slice 1: initial haircut 1 is below/,
    ],
    [
      "a first slice above 0",
      { collateral: [{ ...usdt, tiers: [{ floor: "5", haircutIm: 0, haircutMm: 0 }] }] },
      /collateral USDT, slice 1: floor 5 is out of order/,
    ],
    ["a least grace above the grace (R13)", { graceMinMs: 1_800_001 }, /times: the grace is shorter/],
    ["a version of 0", { version: 0 }, /^version: /],
    ["a term that nobody knows", { mercy: true }, /mercy/],
  ])("%s is refused by name", (_, over, words) => expect(complaint(policyBody, { ...policyFixture, ...over })).toMatch(words));
});

test("both have a JSON schema for the API's contract", () => {
  for (const schema of [instrumentBody, policyBody]) expect(z.toJSONSchema(schema, { io: "input" })).toMatchObject({ type: "object" });
});
