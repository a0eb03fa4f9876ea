import { decimal } from "../../core/money.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import { iso, SCHEMA_VERSION } from "../wire/scalars.ts";
import type { VenueOrder } from "../wire/venue.ts";
import type { QueueMessage } from "../world.ts";

/** An order as the venue's gateway reads it: reduce-only and immediate-or-cancel, whatever the order is. */
export const venueOrderOf = (order: LiquidationOrder, sentAt: number): VenueOrder => ({
  schemaVersion: SCHEMA_VERSION,
  orderId: order.orderId,
  callId: order.callId,
  attempt: order.attempt,
  accountId: order.accountId,
  brokerId: order.brokerId,
  instrumentId: order.instrumentId,
  side: order.side,
  quantity: decimal(order.quantity),
  limitPrice: decimal(order.limitPrice),
  reduceOnly: true,
  timeInForce: "IOC",
  createdAt: iso(order.createdAt),
  sentAt: iso(sentAt),
});

/** The order's message: one group an account, and its id against duplicates within the queue's window. */
export const venueMessage = (order: LiquidationOrder, sentAt: number): QueueMessage => ({
  body: JSON.stringify(venueOrderOf(order, sentAt)),
  groupId: order.accountId,
  dedupId: order.orderId,
});
