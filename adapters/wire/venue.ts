import * as z from "zod";

import { accountId, brokerId, callId, count, decimalText, instantText, instrumentId, orderId, schemaVersion } from "./scalars.ts";

/**
 * What the venue's gateway consumes: FIFO group `accountId`, deduplication id `orderId`. The gateway
 * must refuse an `orderId` it has seen, whatever its age: deduplication windows are shorter than outages (I09).
 */
export const venueOrder = z.strictObject({
  schemaVersion,
  orderId,
  callId,
  attempt: count,
  accountId,
  brokerId,
  instrumentId,
  side: z.enum(["buy", "sell"]),
  quantity: decimalText,
  limitPrice: decimalText,
  reduceOnly: z.literal(true),
  timeInForce: z.literal("IOC"),
  createdAt: instantText,
  sentAt: instantText,
});
export type VenueOrder = z.output<typeof venueOrder>;
