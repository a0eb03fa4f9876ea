import type { LiveCall, MarginAccount, Scope } from "./account.ts";
import { isLiveCall, type MarginCall } from "./call.ts";
import type { DomainEvent, EventType, Figures, OrderView } from "./event.ts";
import { viewOfCall } from "./event.ts";
import { allowedAt, isAtLeast, type Level } from "./level.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PolicyInMode } from "./mode.ts";
import type { Money } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";
import type { MarginStatement } from "./statement.ts";

/** What a decision on a call looks at. The account is the view of its scope, with its facts, its new level and its episode in it. */
export interface Situation {
  readonly scope: Scope;
  readonly account: MarginAccount;
  readonly statement: MarginStatement;
  readonly snapshot: MarketSnapshot;
  readonly policy: PolicyInMode;
  readonly now: number;
  /** What the live call had been paid before the facts of this decision. */
  readonly metBefore: Money;
  /** Order rows that still fit into this transaction, changed and new. */
  readonly orderRoom: number;
}

/** An event before the call that it shows has its final version. */
export interface Note {
  readonly type: EventType;
  readonly reason: string;
  readonly callId: string | null;
  readonly order: OrderView | null;
}

/** What a decision makes of the live call. */
export interface Step {
  readonly call: MarginCall;
  /** Orders of the present attempt. */
  readonly orders: readonly LiquidationOrder[];
  /** Orders of the attempt before, where this decision began another. */
  readonly past?: readonly LiquidationOrder[];
  readonly notes: readonly Note[];
}

export const note = (type: EventType, call: MarginCall, reason: string, order: OrderView | null = null): Note => ({
  type,
  reason,
  callId: call.callId,
  order,
});

/** Order rows that fit into a transaction beside the account, two calls a scope, the journal's envelope and the rows it holds already. */
export const orderRoomOf = (entries: number, orders: number, scopes = 1): number =>
  Math.max(0, LIMITS.transactionRowsMax - 2 - 2 * scopes - entries - orders);

/** Orders of `next` that are not, as they stand, in `before`. */
export const changedOrders = (before: readonly LiquidationOrder[], next: readonly LiquidationOrder[]): readonly LiquidationOrder[] =>
  next.filter((order) => !before.includes(order));

/** The live part of an account after a step: null once the call has ended. */
export const liveAfter = (step: Pick<Step, "call" | "orders">): LiveCall | null =>
  isLiveCall(step.call) ? { call: step.call, orders: step.orders } : null;

/** The figures that judged: maintenance on the last accepted marks for the venue's acts, initial on the conservative side for the rest. */
const figuresOf = ({ low, high }: MarginStatement, maintenance: boolean): Figures => {
  const side = maintenance ? high : low;
  return {
    equity: maintenance ? side.equityMaintenance : side.equityInitial,
    initialRequirement: side.initial,
    maintenanceRequirement: side.maintenance,
  };
};

/** What all events of one change share. */
export interface Telling {
  readonly scope: Scope;
  readonly level: Level;
  readonly previousLevel: Level;
  readonly live: MarginCall | null;
  /** Calls of the change in their committed versions, and the live one. */
  readonly calls: readonly MarginCall[];
  /** Null for a command, which looks at no prices. */
  readonly statement: MarginStatement | null;
}

/** The event of a note, with the call as it is committed (I22). */
export const tell = ({ type, reason, callId, order }: Note, telling: Telling): DomainEvent => {
  const { scope, level, previousLevel, live, calls, statement } = telling;
  const call = calls.find((each) => each.callId === callId);
  const byMaintenance = type.startsWith("liquidation.") || (type === "account.level_changed" && isAtLeast(level, "CLOSE_OUT"));
  return {
    type,
    scope,
    level,
    previousLevel: level === previousLevel ? null : previousLevel,
    allowed: allowedAt(level, live),
    figures: statement === null ? null : figuresOf(statement, byMaintenance),
    call: call === undefined ? null : viewOfCall(call),
    order,
    reason,
  };
};
