import type { Scope } from "./account.ts";
import type { Cure, MarginCall } from "./call.ts";
import type { Level } from "./level.ts";
import { type Money, max, minus, type Price, type Quantity, ZERO } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";

/** Names of R27 that exist so far. Ids, filters and the catalogue derive from this list. */
export const EVENT_TYPES = [
  "account.level_changed",
  "margin_call.issued",
  "margin_call.updated",
  "margin_call.acknowledged",
  "margin_call.partially_met",
  "margin_call.deadline_changed",
  "margin_call.extended",
  "margin_call.met",
  "margin_call.cancelled",
  "margin_call.expired",
  "liquidation.started",
  "liquidation.order_sent",
  "liquidation.filled",
  "liquidation.completed",
  "liquidation.failed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `urgent` events race a deadline (N4); the rest are `normal`. */
export type Severity = "urgent" | "normal";

/** Figures of the scope at the instant of the event, in its valuation asset. */
export interface Figures {
  readonly equity: Money;
  readonly initialRequirement: Money;
  readonly maintenanceRequirement: Money;
}

/** The call as the event's committed version shows it. */
export interface CallView {
  readonly callId: string;
  readonly scope: Scope;
  readonly version: number;
  readonly status: string;
  readonly asset: string;
  readonly amountDue: Money;
  readonly metAmount: Money;
  /** `max(amountDue − metAmount, 0)`. */
  readonly outstanding: Money;
  readonly issuedAt: number;
  readonly deadlineAt: number | null;
  readonly graceMs: number;
  readonly onBadMarks: boolean;
  readonly previousCallId: string | null;
  readonly cures: readonly Cure[];
  /** The part of the requirement that bound, by name; null where none was told. */
  readonly boundBy: string | null;
  readonly onUnmet: "reduce" | "restrict";
  readonly liquidationReason: "deadline" | "closeOut" | null;
  readonly metBy: "payment" | "market" | null;
}

/** The order as the event's committed version shows it. */
export interface OrderView {
  readonly orderId: string;
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  readonly quantity: Quantity;
  readonly filled: Quantity;
  readonly limitPrice: Price;
  /** Price of the fill that this event tells of; null otherwise. */
  readonly fillPrice: Price | null;
}

/** A fact that others learn: one message on the topic. Its id is a hash of account, sequence and index. */
export interface DomainEvent {
  readonly type: EventType;
  /** What of the account it is about: level, figures and call are this scope's (R9). */
  readonly scope: Scope;
  readonly level: Level;
  readonly previousLevel: Level | null;
  /** What the account may do now (M10): "all", "no_increase", "reduce_only" or "none". */
  readonly allowed: "all" | "no_increase" | "reduce_only" | "none";
  readonly figures: Figures | null;
  readonly call: CallView | null;
  readonly order: OrderView | null;
  /** A rule id and words that say why, for example "R10: paid". */
  readonly reason: string;
}

/** What of the amount due is still outstanding; never negative. */
export const outstandingOf = (call: Pick<MarginCall, "amountDue" | "metAmount">): Money => max(minus(call.amountDue, call.metAmount), ZERO);

/** The call as an event shows it. */
export const viewOfCall = (call: MarginCall): CallView => ({
  callId: call.callId,
  scope: call.scope,
  version: call.version,
  status: call.status,
  asset: call.asset,
  amountDue: call.amountDue,
  metAmount: call.metAmount,
  outstanding: outstandingOf(call),
  issuedAt: call.issuedAt,
  deadlineAt: call.deadlineAt,
  graceMs: call.graceMs,
  onBadMarks: call.onBadMarks,
  previousCallId: call.previousCallId,
  cures: call.cures,
  boundBy: call.boundBy,
  onUnmet: call.onUnmet,
  liquidationReason: call.liquidationReason,
  metBy: call.metBy,
});

/** The order as an event shows it, with the price of the fill that the event tells of. */
export const viewOfOrder = (order: LiquidationOrder, fillPrice: Price | null): OrderView => ({
  orderId: order.orderId,
  instrumentId: order.instrumentId,
  side: order.side,
  quantity: order.quantity,
  filled: order.filled,
  limitPrice: order.limitPrice,
  fillPrice,
});
