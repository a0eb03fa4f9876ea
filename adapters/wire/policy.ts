import * as z from "zod";

import { isStandard, STANDARD_MODEL } from "../../core/margin-model.ts";
import type { Policy } from "../../core/policy.ts";
import { validatePolicy } from "../../core/terms.ts";
import { TermsError } from "../../core/terms-error.ts";
import { marginModel } from "./margin-model.ts";
import { asset, count, durationMs, instrumentId, moneyText, policyId, ppm } from "./scalars.ts";

const share = ppm.max(1_000_000);

const haircutTier = z.strictObject({ floor: moneyText, haircutIm: share, haircutMm: share });

const collateralTerms = z.strictObject({
  asset,
  priceId: instrumentId.nullable(),
  tiers: z.array(haircutTier).min(1).max(50),
  liabilityWeight: ppm.min(1_000_000, "a debt weighs at least 1 (M2)"),
  /** Only of a stable asset whose loss of its peg raises what positions need (M2). */
  /** Only of an asset whose weight falls as its deposits grow (M2). */
  deposits: z.strictObject({ scaleStart: moneyText, ageMaxMs: durationMs.min(1) }).exactOptional(),
  peg: z.strictObject({ priceId: instrumentId, threshold: share, factor: ppm }).exactOptional(),
});

const unitLiquidity = z.strictObject({
  averageVolume: moneyText,
  spread: share,
  volatilitySpread: ppm.exactOptional(),
  dailyVolatility: share,
  impact: ppm,
  participation: share,
  confidence: share,
  threshold: ppm,
  charge: share,
});

const shape = z.strictObject({
  policyId,
  version: count.min(1),
  valuationAsset: asset,
  /** Absent where the policy takes the standard model on its standard terms, as every policy did before there were others. */
  model: marginModel.optional(),
  levels: z.strictObject({ warning: ppm, call: ppm, restricted: ppm, backstop: share, hysteresis: share, inclusive: z.boolean() }),
  collateral: z.array(collateralTerms).min(1).max(500),
  unrealisedProfitIm: share,
  unrealisedProfitWithdrawal: share,
  fundingFactor: share.exactOptional(),
  confidence: z.strictObject({ threshold: share, factor: ppm }).exactOptional(),
  /** By base asset; only where the liquidity of markets is charged (M8). */
  liquidity: z.record(asset, unitLiquidity).exactOptional(),
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

/** Body of `PUT /policies/{policyId}/versions/{version}` and the stored form: immutable once stored (R11). */
export const policyBody = z.codec(shape, z.custom<Policy>(), {
  decode: (body, context) => {
    const complain = (path: string[], message: string): void => void context.issues.push({ code: "custom", input: body, path, message });
    const policy = {
      ...body,
      model: body.model ?? STANDARD_MODEL,
      collateral: new Map(body.collateral.map((terms) => [terms.asset, terms])),
    };
    if (policy.collateral.size < body.collateral.length) complain(["collateral"], "an asset appears twice");
    try {
      return validatePolicy(policy);
    } catch (fault) {
      if (!(fault instanceof TermsError)) throw fault;
      complain([], fault.message);
      return policy;
    }
  },
  encode: ({ model, ...policy }) => ({
    ...policy,
    ...(!isStandard(model) && { model }),
    levels: { ...policy.levels },
    collateral: [...policy.collateral.values()].map((terms) => ({ ...terms, tiers: terms.tiers.map((tier) => ({ ...tier })) })),
  }),
});
export type PolicyBody = z.input<typeof policyBody>;

export const encodePolicy = (policy: Policy): PolicyBody => z.encode(policyBody, policy);
