import * as z from "zod";

import type { Mark } from "../../core/mark.ts";
import { ONE } from "../../core/money.ts";
import type { SlowPrice } from "../../core/slow-average.ts";
import { durationMs, instant, instrumentId, ppm, priceText, quantityText, schemaVersion, source, unsignedQuantityText } from "./scalars.ts";

/** How sure a feed is of a price. */
const confidence = ppm.max(1_000_000);

/** What a perpetual's sides will pay each other, as a share of the notional of at most the whole (M1). */
const funding = z.strictObject({
  rate: priceText.refine((rate) => rate >= -ONE && rate <= ONE, "must be from -1 to 1, a share of the notional"),
  intervalMs: durationMs.min(1),
  nextAt: instant,
});

/** The slow average, in its own unit of 1e-16: eight decimals are too few for it. */
const slowText = z.codec(
  z.string().regex(/^-?\d{1,40}$/, "not a whole number"),
  z.custom<SlowPrice>((value) => typeof value === "bigint"),
  {
    decode: (text) => BigInt(text) as SlowPrice,
    encode: (slow) => slow.toString(),
  },
);

/** A figure of the whole market, with the instant of the tick that told it. */
const told = z.strictObject({ total: quantityText, asOf: instant });

/**
 * What only some marks have: each field is left out where the mark has none, so that the release before
 * reads all others. Fields of a later release are passed over.
 */
export const markExtras = z.object({
  slow: slowText.exactOptional(),
  confidencePpm: confidence.exactOptional(),
  funding: funding.exactOptional(),
  interest: told.exactOptional(),
  deposits: told.exactOptional(),
});

/** What a mark has of {@link markExtras}; null where that is nothing. */
export const extrasOf = ({ slow, confidencePpm, funding: next, interest, deposits }: Mark): z.input<typeof markExtras> | null => {
  const extras = {
    ...(slow !== undefined && { slow }),
    ...(confidencePpm !== undefined && { confidencePpm }),
    ...(next !== undefined && { funding: { ...next } }),
    ...(interest !== undefined && { interest: { ...interest } }),
    ...(deposits !== undefined && { deposits: { ...deposits } }),
  };
  return Object.keys(extras).length === 0 ? null : z.encode(markExtras, extras);
};

/** One price of one instrument at its source. Whether it is plausible is `judgeMark`'s to say; 0 and less read well here. */
export const markTick = z.strictObject({
  instrumentId,
  price: priceText,
  asOf: instant,
  source,
  /** How sure the feed is of the price; sure where it is not given (M2). */
  confidencePpm: confidence.exactOptional(),
  /** Of a perpetual; where it is not given the last one stands (M1). */
  funding: funding.exactOptional(),
  /** What is open of a contract in the market, in the unit of its terms; where it is not given the last figure stands (M3). */
  openInterest: unsignedQuantityText.optional(),
  /** What everybody deposited of a spot pair's base asset, in units; where it is not given the last figure stands (M2). */
  totalDeposits: unsignedQuantityText.optional(),
});
export type MarkTick = z.output<typeof markTick>;

/** Most marks of one message: 250 of them stay below the 256 kB of a message. */
export const MARKS_PER_MESSAGE_MAX = 250;

/** Marks as a feed sends them: the body of `POST /marks` and of the marks queue. */
export const marksMessage = z.strictObject({ schemaVersion, marks: z.array(markTick).min(1).max(MARKS_PER_MESSAGE_MAX) });

/**
 * The same with its marks unread, for accept-marks: a price that is null, "" or NaN is refused and
 * counted by itself, its neighbours in the message go on (S21).
 */
export const marksEnvelope = z.strictObject({ schemaVersion, marks: z.array(z.unknown()).min(1).max(MARKS_PER_MESSAGE_MAX) });

/** Writes ticks as the body of one message; split longer lists by {@link MARKS_PER_MESSAGE_MAX}. */
export const encodeMarks = (marks: readonly MarkTick[]): string =>
  JSON.stringify(z.encode(marksMessage, { schemaVersion: 1, marks: [...marks] }));
