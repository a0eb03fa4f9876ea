import { isLiveCall, type MarginCall } from "../../core/call.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import { encodeCall, encodeOrder, liquidationOrder, marginCall } from "../wire/calls.ts";
import { placesOf } from "../wire/parse.ts";
import { checkSchema, type Item, json, SCHEMA, UnreadableRow } from "./items.ts";
import { accountPk, callSk, duePk, dueSk, indexShardOf, orderSk, statePk, stateSk } from "./keys.ts";

/**
 * Rows of calls and orders: the whole record as JSON, and beside it what conditions and indexes
 * need. They are the record for ever; what is live stands in its account's row too.
 */

/**
 * When the sweep must look at a live call at the latest: its deadline, or since when it liquidates,
 * or since when its clock waits for a good mark. Null once the call has ended.
 */
const dueAt = (call: MarginCall): number | null => {
  if (!isLiveCall(call)) return null;
  if (call.status === "LIQUIDATING") return call.liquidatingAt ?? call.issuedAt;
  return call.deadlineAt ?? call.badMarksSince ?? call.issuedAt;
};

export const callItem = (call: MarginCall, shards: number): Item => {
  const due = dueAt(call);
  return {
    pk: { S: accountPk(call.accountId) },
    sk: { S: callSk(call.callId) },
    schema: SCHEMA,
    version: { N: `${call.version}` },
    status: { S: call.status },
    ...(due !== null && {
      duePk: { S: duePk(indexShardOf(call.accountId, shards)) },
      dueSk: { S: dueSk(due, call.accountId, call.callId) },
    }),
    body: { S: JSON.stringify(encodeCall(call)) },
  };
};

export const orderItem = (order: LiquidationOrder, shards: number): Item => ({
  pk: { S: accountPk(order.accountId) },
  sk: { S: orderSk(order.callId, order.index) },
  schema: SCHEMA,
  status: { S: order.status },
  ...((order.status === "PENDING" || order.status === "SENT") && {
    statePk: { S: statePk(order.status, indexShardOf(order.accountId, shards)) },
    stateSk: { S: stateSk(order.sentAt ?? order.createdAt, order.accountId, order.orderId) },
  }),
  body: { S: JSON.stringify(encodeOrder(order)) },
});

/** @throws UnreadableRow for a row of another form. */
export const decodeCall = (item: Item): MarginCall => {
  checkSchema(item);
  const read = marginCall.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`call: ${placesOf(read.error)}`);
  return read.data;
};

/** @throws UnreadableRow for a row of another form. */
export const decodeOrder = (item: Item): LiquidationOrder => {
  checkSchema(item);
  const read = liquidationOrder.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`order: ${placesOf(read.error)}`);
  return read.data;
};
