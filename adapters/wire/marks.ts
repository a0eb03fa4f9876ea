import * as z from "zod";

import { instant, instrumentId, priceText, schemaVersion, source } from "./scalars.ts";

/** One price of one instrument at its source. Whether it is plausible is `judgeMark`'s to say; 0 and less read well here. */
export const markTick = z.strictObject({ instrumentId, price: priceText, asOf: instant, source });
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
