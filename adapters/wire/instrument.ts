import * as z from "zod";

import type { Instrument, RiskTier } from "../../core/instrument.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers } from "../../core/tiers.ts";
import { asset, count, durationMs, instant, instrumentId, moneyText, ppm, priceText, quantityText } from "./scalars.ts";

const tier = z.strictObject({
  floor: moneyText,
  rateIm: ppm.max(1_000_000),
  rateMm: ppm.max(1_000_000),
  /** Published deductions, checked if given; derived if not, so that the requirement is continuous (M3). */
  amountIm: moneyText.optional(),
  amountMm: moneyText.optional(),
});

const markRule = z.strictObject({
  ageMaxMs: durationMs.min(1),
  jumpPpmPerMinute: ppm.min(1),
  jumpPpmMax: ppm.min(1),
  agreePpm: ppm.min(1),
  suspectAfterMs: durationMs,
});

const shape = z.strictObject({
  instrumentId,
  version: count.min(1),
  kind: z.enum(["linear", "inverse", "spot"]),
  expiryAt: instant.nullable(),
  baseAsset: asset,
  quoteAsset: asset,
  multiplier: quantityText.refine((value) => value > 0n, "must be more than 0"),
  tiers: z.array(tier).max(100),
  feePpm: ppm,
  liquidationFeePpm: ppm,
  insuranceFeePpm: ppm,
  allowNonPositive: z.boolean(),
  marginMinPerUnit: moneyText.refine((value) => value >= 0n, "must not be negative"),
  lotSize: quantityText.refine((value) => value > 0n, "must be more than 0"),
  tickSize: priceText.refine((value) => value > 0n, "must be more than 0"),
  bandPpm: ppm.min(1, "a band of 0 leaves no price to trade at (R20)").max(999_999),
  markRule,
});

type Shape = z.output<typeof shape>;

interface Complaint {
  readonly path: (string | number)[];
  readonly message: string;
}

const completeTiers = (body: Shape, complain: (complaint: Complaint) => void): readonly RiskTier[] => {
  if (body.tiers.length === 0) return [];
  try {
    return loadTiers(`tiers of ${body.instrumentId}`, body.tiers, body.feePpm);
  } catch (error) {
    if (!(error instanceof TermsError)) throw error;
    complain({ path: ["tiers"], message: error.message });
    return [];
  }
};

const complainOf = (body: Shape, complain: (complaint: Complaint) => void): void => {
  const spot = body.kind === "spot";
  if (spot !== (body.tiers.length === 0)) complain({ path: ["tiers"], message: "spot has none, contracts have at least one" });
  if (spot && body.expiryAt !== null) complain({ path: ["expiryAt"], message: "spot does not expire" });
  if (body.baseAsset === body.quoteAsset) complain({ path: ["quoteAsset"], message: "must differ from baseAsset" });
  if (body.allowNonPositive && body.kind !== "linear")
    complain({ path: ["allowNonPositive"], message: "only linear contracts may have prices of 0 and below" });
  if (body.allowNonPositive !== body.marginMinPerUnit > 0n)
    complain({ path: ["marginMinPerUnit"], message: "must be more than 0 exactly where prices may be non-positive (R5)" });
};

/**
 * Body of `PUT /instruments/{instrumentId}` and the stored form. A tier table that is not continuous,
 * does not rise or leaves no room between the requirements is refused by name (M3, R24).
 */
export const instrumentBody = z.codec(shape, z.custom<Instrument>(), {
  decode: (body, context) => {
    const complain = (complaint: Complaint): void => void context.issues.push({ code: "custom", input: body, ...complaint });
    complainOf(body, complain);
    const tiers = completeTiers(body, complain);
    return { ...body, tiers, settleAsset: body.kind === "inverse" ? body.baseAsset : body.quoteAsset };
  },
  encode: ({ settleAsset: _, ...instrument }) => ({ ...instrument, tiers: instrument.tiers.map((one) => ({ ...one })) }),
});
export type InstrumentBody = z.input<typeof instrumentBody>;

export const encodeInstrument = (instrument: Instrument): InstrumentBody => z.encode(instrumentBody, instrument);
