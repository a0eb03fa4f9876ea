import { encodeInstrument, type InstrumentBody } from "../../adapters/wire/instrument.ts";
import { iso } from "../../adapters/wire/scalars.ts";
import type { Ppm } from "../../core/money.ts";
import { type LargeRise, largeRisesOfInstrument, noticeEndsAt } from "../../core/notice.ts";
import { instrumentOf, type RatedInstrument } from "./terms.ts";

const WHOLE = 1_000_000;
/** From the writing of a file to its change: the notice counts from when it is applied. */
const APPLIED_WITHIN_MS = 3_600_000;

type InstrumentTerms = Omit<InstrumentBody, "version">;

/** A change of an instrument's terms in the form that `npm run policy -- apply --file` takes. */
export interface RateChange {
  readonly body: InstrumentTerms & { readonly effectiveAt?: string; readonly emergency?: { readonly reason: string } };
  /** Rates that need notice (M3): the change waits for its instant, or names its emergency. */
  readonly rises: readonly LargeRise[];
}

/**
 * The brackets with `rate` as the first one's initial rate and every other rate in the same proportion, rounded up and at
 * most 1. Brackets that this makes alike become one.
 */
const scaledTiers = ({ tiers }: InstrumentTerms, present: Ppm, rate: Ppm): InstrumentTerms["tiers"] => {
  const scaled = (of: Ppm): Ppm => Math.min(WHOLE, Math.ceil((of * rate) / present));
  return tiers
    .map(({ floor, rateIm, rateMm }) => ({ floor, rateIm: scaled(rateIm), rateMm: scaled(rateMm) }))
    .filter(({ rateIm, rateMm }, index, all) => rateIm !== all[index - 1]?.rateIm || rateMm !== all[index - 1]?.rateMm);
};

/**
 * The change that makes a rate hold: at once, after the notice where it raises a bracket by more than 25 %, or at once for an
 * emergency with its reason (M3). Null where it holds already.
 *
 * @param at instant of the proposal, epoch milliseconds.
 * @throws Refusal where what follows is no table of brackets, as with a maintenance rate and fee above the initial rate.
 */
export const changeTo = (
  { instrument }: RatedInstrument,
  rate: Ppm,
  { at, emergency }: { readonly at: number; readonly emergency: string | null },
): RateChange | null => {
  const present = instrument.tiers[0]?.rateIm as Ppm;
  if (rate === present) return null;
  const { version: _, ...terms } = encodeInstrument(instrument);
  const body = { ...terms, tiers: scaledTiers(terms, present, rate) };
  const next = instrumentOf(`${instrument.instrumentId} at a rate of ${rate} ppm`, body);
  const rises = largeRisesOfInstrument([{ terms: instrument, effectiveAt: 0 }], next, at);
  if (rises.length === 0) return { body, rises };
  if (emergency !== null) return { body: { ...body, emergency: { reason: emergency } }, rises };
  return { body: { ...body, effectiveAt: iso(noticeEndsAt(at) + APPLIED_WITHIN_MS) }, rises };
};
