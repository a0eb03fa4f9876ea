import * as z from "zod";

import type { Instrument, RiskTier } from "../../core/instrument.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers } from "../../core/tiers.ts";
import {
  asset,
  count,
  durationMs,
  instant,
  instrumentId,
  moneyText,
  ppm,
  priceText,
  quantityText,
  unsignedQuantityText,
} from "./scalars.ts";

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
  /** The least and the greatest that the source can answer (S05). */
  minAnswer: priceText.exactOptional(),
  maxAnswer: priceText.exactOptional(),
  /** Only of spot pairs whose collateral E_i prices by its slow average (M2). */
  slowHalfLifeMs: durationMs.min(1).exactOptional(),
});

const optionTerms = z.strictObject({
  underlyingId: instrumentId,
  strike: priceText.refine((value) => value > 0n, "must be more than 0"),
  right: z.enum(["call", "put"]),
  style: z.enum(["premium", "futures"]),
  settlement: z.enum(["linear", "inverse"]),
  averagingMs: durationMs,
});

const shape = z.strictObject({
  instrumentId,
  version: count.min(1),
  kind: z.enum(["linear", "inverse", "option", "spot"]),
  expiryAt: instant.nullable(),
  baseAsset: asset,
  quoteAsset: asset,
  /** Only of a quanto: a linear contract that settles in neither of its assets (M1). */
  settleAsset: asset.optional(),
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
  /** Only of contracts with brackets that margin the notional at the entry instead of the mark's (M3). */
  basis: z.literal("entry").exactOptional(),
  /** Only of contracts with brackets: the initial rate rises from the table's at `lower` to 100 % at `upper` (M3). */
  openInterest: z
    .strictObject({ lower: unsignedQuantityText, upper: unsignedQuantityText, ageMaxMs: durationMs.min(1) })
    .refine(({ lower, upper }) => lower < upper, "upper must be more than lower")
    .exactOptional(),
  /** Only of an option. */
  option: optionTerms.optional(),
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

const complainOfOption = ({ kind, option, expiryAt, instrumentId }: Shape, complain: (complaint: Complaint) => void): void => {
  if ((kind === "option") !== (option !== undefined)) complain({ path: ["option"], message: "options have it, nothing else does" });
  if (option === undefined) return;
  if (expiryAt === null) complain({ path: ["expiryAt"], message: "an option expires" });
  if (option.underlyingId === instrumentId) complain({ path: ["option", "underlyingId"], message: "an option is not its own underlying" });
};

const complainOf = (body: Shape, complain: (complaint: Complaint) => void): void => {
  const spot = body.kind === "spot";
  const bare = spot || body.kind === "option";
  if (bare !== (body.tiers.length === 0))
    complain({ path: ["tiers"], message: "spot pairs and options have none, contracts have at least one" });
  if (body.settleAsset !== undefined && body.kind !== "linear")
    complain({ path: ["settleAsset"], message: "only a linear contract settles in another asset than its own" });
  const { minAnswer, maxAnswer } = body.markRule;
  if (minAnswer !== undefined && maxAnswer !== undefined && minAnswer >= maxAnswer)
    complain({ path: ["markRule", "maxAnswer"], message: "must be more than minAnswer (S05)" });
  if (!spot && body.markRule.slowHalfLifeMs !== undefined)
    complain({ path: ["markRule", "slowHalfLifeMs"], message: "only spot pairs have one: it prices collateral (M2)" });
  complainOfOption(body, complain);
  if (body.basis !== undefined && (bare || body.allowNonPositive))
    complain({ path: ["basis"], message: "only contracts with tiers and prices above 0 are margined on their entry (M3)" });
  if (bare && body.openInterest !== undefined)
    complain({ path: ["openInterest"], message: "only contracts with tiers have initial rates that it could raise (M3)" });
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
    const { option = null, settleAsset, ...rest } = body;
    const inCoin = body.kind === "inverse" || option?.settlement === "inverse";
    return { ...rest, option, tiers, settleAsset: settleAsset ?? (inCoin ? body.baseAsset : body.quoteAsset) };
  },
  // What only some kinds have is left out elsewhere: the release before reads every row that it can hold.
  encode: ({ settleAsset, option, openInterest, ...instrument }) => ({
    ...instrument,
    ...(openInterest !== undefined && { openInterest: { ...openInterest } }),
    tiers: instrument.tiers.map((one) => ({ ...one })),
    ...(instrument.kind === "linear" && settleAsset !== instrument.quoteAsset && { settleAsset }),
    ...(option !== null && { option: { ...option } }),
  }),
});
export type InstrumentBody = z.input<typeof instrumentBody>;

export const encodeInstrument = (instrument: Instrument): InstrumentBody => z.encode(instrumentBody, instrument);
