import * as z from "zod";

import { CALL_STATUSES, type Cure } from "../../core/call.ts";
import {
  type CallView,
  type DomainEvent,
  EVENT_TYPES,
  type EventType,
  type Figures,
  type OrderView,
  type Severity,
} from "../../core/event.ts";
import { LEVELS } from "../../core/level.ts";
import { MODES } from "../../core/mode.ts";
import { decimal } from "../../core/money.ts";
import { scope } from "./calls.ts";
import {
  accountId,
  asset,
  brokerId,
  callId,
  count,
  decimalText,
  durationMs,
  eventId,
  instantText,
  instrumentId,
  iso,
  orderId,
  schemaVersion,
} from "./scalars.ts";

const side = z.enum(["buy", "sell"]);

/** A way to cure a call, as others read it: amounts rounded up, paying exactly this much is enough (R4). */
export const cureText = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("deposit"), asset, amount: decimalText }),
  z.object({ kind: z.literal("reduce"), instrumentId, side, quantity: decimalText }),
]);
export type CureText = z.output<typeof cureText>;

const figures = z.object({ equity: decimalText, initialRequirement: decimalText, maintenanceRequirement: decimalText });

const callText = z.object({
  callId,
  scope: z.string(),
  version: count,
  status: z.enum(CALL_STATUSES),
  asset,
  amountDue: decimalText,
  metAmount: decimalText,
  outstanding: decimalText,
  issuedAt: instantText,
  /** Null while the clock waits for a good mark (R3). */
  deadlineAt: instantText.nullable(),
  graceMs: durationMs,
  onBadMarks: z.boolean(),
  previousCallId: callId.nullable(),
  cures: z.array(cureText),
  /** The part of the requirement that was the largest, by name: what the call is about. Null where none was told. */
  boundBy: z.string().nullable().default(null),
  onUnmet: z.enum(["reduce", "restrict"]),
  liquidationReason: z.enum(["deadline", "closeOut"]).nullable(),
  metBy: z.enum(["payment", "market"]).nullable(),
});

const orderText = z.object({
  orderId,
  instrumentId,
  side,
  quantity: decimalText,
  filled: decimalText,
  limitPrice: decimalText,
  fillPrice: decimalText.nullable(),
});

/** What the topic carries and what webhooks deliver: ids and amounts, no personal data. */
export const eventMessage = z.object({
  id: eventId,
  type: z.enum(EVENT_TYPES),
  schemaVersion,
  /** Instant of the committed transaction that says it. */
  occurredAt: instantText,
  accountId,
  brokerId,
  /** Version of the account that the transaction wrote: gap-free per account in the journal. */
  accountSequence: count,
  mode: z.enum(MODES),
  /** What of the account it is about (R9): level, figures and call are this isolated pool's. Absent for CROSS. */
  scope: scope.optional(),
  level: z.enum(LEVELS),
  previousLevel: z.enum(LEVELS).nullable(),
  allowed: z.enum(["all", "no_increase", "reduce_only", "none"]),
  reason: z.string(),
  figures: figures.nullable(),
  call: callText.nullable(),
  order: orderText.nullable(),
});
export type EventMessage = z.output<typeof eventMessage>;

/** The part of a message that the decision says; the journal keeps it, and the rest is the envelope's. */
export const eventText = eventMessage.omit({
  id: true,
  schemaVersion: true,
  occurredAt: true,
  accountId: true,
  brokerId: true,
  accountSequence: true,
  mode: true,
});
export type EventText = z.output<typeof eventText>;

export const encodeCure = (cure: Cure): CureText =>
  cure.kind === "deposit"
    ? { kind: cure.kind, asset: cure.asset, amount: decimal(cure.amount) }
    : { kind: cure.kind, instrumentId: cure.instrumentId, side: cure.side, quantity: decimal(cure.quantity) };

const encodeFigures = (value: Figures): z.output<typeof figures> => ({
  equity: decimal(value.equity),
  initialRequirement: decimal(value.initialRequirement),
  maintenanceRequirement: decimal(value.maintenanceRequirement),
});

const encodeCallView = (call: CallView): z.output<typeof callText> => ({
  callId: call.callId,
  scope: call.scope,
  version: call.version,
  status: callText.shape.status.parse(call.status),
  asset: call.asset,
  amountDue: decimal(call.amountDue),
  metAmount: decimal(call.metAmount),
  outstanding: decimal(call.outstanding),
  issuedAt: iso(call.issuedAt),
  deadlineAt: call.deadlineAt === null ? null : iso(call.deadlineAt),
  graceMs: call.graceMs,
  onBadMarks: call.onBadMarks,
  previousCallId: call.previousCallId,
  cures: call.cures.map(encodeCure),
  boundBy: call.boundBy,
  onUnmet: call.onUnmet,
  liquidationReason: call.liquidationReason,
  metBy: call.metBy,
});

const encodeOrderView = (order: OrderView): z.output<typeof orderText> => ({
  orderId: order.orderId,
  instrumentId: order.instrumentId,
  side: order.side,
  quantity: decimal(order.quantity),
  filled: decimal(order.filled),
  limitPrice: decimal(order.limitPrice),
  fillPrice: order.fillPrice === null ? null : decimal(order.fillPrice),
});

export const encodeEvent = (event: DomainEvent): EventText => ({
  type: event.type,
  ...(event.scope !== "CROSS" && { scope: event.scope }),
  level: event.level,
  previousLevel: event.previousLevel,
  allowed: event.allowed,
  reason: event.reason,
  figures: event.figures === null ? null : encodeFigures(event.figures),
  call: event.call === null ? null : encodeCallView(event.call),
  order: event.order === null ? null : encodeOrderView(event.order),
});

const URGENT: ReadonlySet<EventType> = new Set([
  "margin_call.issued",
  "margin_call.updated",
  "margin_call.deadline_changed",
  "margin_call.extended",
  "margin_call.expired",
  "liquidation.started",
  "liquidation.order_sent",
  "liquidation.filled",
  "liquidation.completed",
  "liquidation.failed",
]);

/** Whether an event races a deadline (N4). */
export const severityOf = (type: EventType): Severity => (URGENT.has(type) ? "urgent" : "normal");

/** What subscriptions of the topic filter on. */
export const attributesOf = (message: EventMessage): { type: EventType; severity: Severity; broker: string } => ({
  type: message.type,
  severity: severityOf(message.type),
  broker: message.brokerId,
});
