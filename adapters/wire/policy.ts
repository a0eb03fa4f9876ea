import * as z from "zod";

import type { CollateralTerms, Policy } from "../../core/policy.ts";
import { asset, count, durationMs, instrumentId, moneyText, policyId, ppm } from "./scalars.ts";

const share = ppm.max(1_000_000);

const haircutTier = z.strictObject({ floor: moneyText, haircutIm: share, haircutMm: share });

const collateralTerms = z.strictObject({
  asset,
  priceId: instrumentId.nullable(),
  tiers: z.array(haircutTier).min(1).max(50),
  liabilityWeight: ppm.min(1_000_000, "a debt weighs at least 1 (M2)"),
});

const shape = z.strictObject({
  policyId,
  version: count.min(1),
  valuationAsset: asset,
  levels: z.strictObject({ warning: ppm, call: ppm, restricted: ppm, backstop: share, hysteresis: share, inclusive: z.boolean() }),
  collateral: z.array(collateralTerms).min(1).max(500),
  unrealisedProfitIm: share,
  unrealisedProfitWithdrawal: share,
  graceMs: durationMs,
  graceMinMs: durationMs,
  topUpGraceMs: durationMs,
  topUpsMax: count.max(100),
  noticeAllowanceMs: durationMs,
  noticeWaitMaxMs: durationMs,
  coolDownMs: durationMs,
  episodeEndMs: durationMs,
  cureDwellMs: durationMs,
  badMarkWaitMs: durationMs,
  onUnmet: z.enum(["reduce", "restrict"]),
  closeOutBuffer: share,
  minimumTransfer: moneyText.refine((value) => value >= 0n, "must not be negative"),
  attemptsMax: count.min(1).max(100),
});

type Shape = z.output<typeof shape>;
type Complain = (path: (string | number)[], message: string) => void;

const complainOfTerms = (terms: CollateralTerms, valuationAsset: string, at: number, complain: Complain): void => {
  if ((terms.priceId === null) !== (terms.asset === valuationAsset))
    complain(["collateral", at, "priceId"], "null for the valuation asset and only for it");
  for (const [index, tier] of terms.tiers.entries()) {
    const last = terms.tiers[index - 1];
    const floorRises = last === undefined ? tier.floor === 0n : tier.floor > last.floor;
    if (!floorRises) complain(["collateral", at, "tiers", index, "floor"], "the first floor is 0 and each is above the last");
    if (tier.haircutIm < tier.haircutMm) complain(["collateral", at, "tiers", index, "haircutIm"], "must be at least haircutMm (M2)");
    if (last !== undefined && (tier.haircutIm < last.haircutIm || tier.haircutMm < last.haircutMm))
      complain(["collateral", at, "tiers", index], "haircuts must not fall with the floor (M2)");
  }
};

const complainOf = (body: Shape, complain: Complain): void => {
  const { warning, call, restricted } = body.levels;
  if (!(warning >= call && call > restricted && restricted > 0))
    complain(["levels"], "warning, call and restricted must fall in this order, above 0 (R1)");
  const assets = body.collateral.map((terms) => terms.asset);
  if (new Set(assets).size !== assets.length) complain(["collateral"], "an asset appears twice");
  if (!assets.includes(body.valuationAsset)) complain(["collateral"], "the valuation asset is missing");
  for (const [index, terms] of body.collateral.entries()) complainOfTerms(terms, body.valuationAsset, index, complain);
  if (body.graceMinMs > body.graceMs) complain(["graceMinMs"], "must not be above graceMs (R13)");
};

/** Body of `PUT /policies/{policyId}/versions/{version}` and the stored form: immutable once stored (R11). */
export const policyBody = z.codec(shape, z.custom<Policy>(), {
  decode: (body, context) => {
    complainOf(body, (path, message) => void context.issues.push({ code: "custom", input: body, path, message }));
    return { ...body, collateral: new Map(body.collateral.map((terms) => [terms.asset, terms])) };
  },
  encode: (policy) => ({
    ...policy,
    levels: { ...policy.levels },
    collateral: [...policy.collateral.values()].map((terms) => ({ ...terms, tiers: terms.tiers.map((tier) => ({ ...tier })) })),
  }),
});
export type PolicyBody = z.input<typeof policyBody>;

export const encodePolicy = (policy: Policy): PolicyBody => z.encode(policyBody, policy);
