import * as z from "zod";

import type { Episode, LiveCall } from "../../core/account.ts";
import { CALL_STATUSES, type MarginCall } from "../../core/call.ts";
import { ZERO } from "../../core/money.ts";
import { type LiquidationOrder, ORDER_STATUSES } from "../../core/order.ts";
import {
  accountId,
  asset,
  brokerId,
  callId,
  count,
  durationMs,
  instant,
  instrumentId,
  moneyText,
  orderId,
  policyId,
  priceText,
  quantityText,
} from "./scalars.ts";

/** Calls, orders and episodes as the book stores them and as the API shows them. */

export const scope = z.union([z.literal("CROSS"), z.templateLiteral(["ISO#", z.string().min(1).max(40)])]);

const cure = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("deposit"), asset, amount: moneyText }),
  z.object({ kind: z.literal("reduce"), instrumentId, side: z.enum(["buy", "sell"]), quantity: quantityText }),
]);

export const marginCall = z.object({
  callId,
  accountId,
  brokerId,
  scope,
  episodeId: z.string().min(1).max(120),
  previousCallId: callId.nullable(),
  status: z.enum(CALL_STATUSES),
  version: count.min(1),
  policyId,
  policyVersion: count,
  onUnmet: z.enum(["reduce", "restrict"]),
  snapshotId: z.string().min(1).max(80),
  asset,
  amountDue: moneyText,
  equity: moneyText,
  initialRequirement: moneyText,
  maintenanceRequirement: moneyText,
  cures: z.array(cure),
  /** Rows from before models explained themselves have none. */
  boundBy: z.string().nullable().default(null),
  metAmount: moneyText,
  /** Rows from before R15 have neither this nor `extendedAt`. */
  confirmingAmount: moneyText.default(ZERO),
  onBadMarks: z.boolean(),
  badMarksSince: instant.nullable(),
  issuedAt: instant,
  graceMs: durationMs,
  deadlineAt: instant.nullable(),
  deadlineVersion: count,
  topUps: count,
  noticeAcceptedAt: instant.nullable(),
  deadlineMovedForNotice: z.boolean(),
  extendedAt: instant.nullable().default(null),
  acknowledgedAt: instant.nullable(),
  acknowledgedBy: z.string().nullable(),
  overdueAt: instant.nullable(),
  curedSince: instant.nullable(),
  metBy: z.enum(["payment", "market"]).nullable(),
  liquidationReason: z.enum(["deadline", "closeOut"]).nullable(),
  attempt: count,
  ordersPlanned: count,
  liquidatingAt: instant.nullable(),
  endedAt: instant.nullable(),
});
export type MarginCallText = z.input<typeof marginCall>;

export const liquidationOrder = z.object({
  orderId,
  callId,
  accountId,
  brokerId,
  attempt: count,
  index: count,
  instrumentId,
  side: z.enum(["buy", "sell"]),
  quantity: quantityText,
  filled: quantityText,
  cancelled: quantityText,
  limitPrice: priceText,
  status: z.enum(ORDER_STATUSES),
  createdAt: instant,
  sentAt: instant.nullable(),
});
export type LiquidationOrderText = z.input<typeof liquidationOrder>;

/** The live call of an account with the orders of its present attempt, as the account's own row holds them. */
export const liveCall = z.object({ call: marginCall, orders: z.array(liquidationOrder) });

export const episode = z.object({
  episodeId: z.string().min(1).max(120),
  startedAt: instant,
  calls: count,
  lastCallId: callId,
  lastEndedAt: instant.nullable(),
  graceLeftMs: durationMs,
  topUps: count,
  handedOverAt: instant.nullable(),
  healthySince: instant.nullable(),
});

export const encodeCall = (call: MarginCall): MarginCallText => z.encode(marginCall, { ...call, cures: [...call.cures] });
export const encodeOrder = (order: LiquidationOrder): LiquidationOrderText => z.encode(liquidationOrder, { ...order });
export const encodeLive = ({ call, orders }: LiveCall): z.input<typeof liveCall> => ({
  call: encodeCall(call),
  orders: orders.map(encodeOrder),
});
export const encodeEpisode = (value: Episode): z.input<typeof episode> => z.encode(episode, { ...value });
