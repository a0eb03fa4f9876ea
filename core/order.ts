import type { Price, Quantity } from "./money.ts";

export const ORDER_STATUSES = ["PENDING", "SENT", "FILLED", "CANCELLED"] as const;
/** PENDING: decided, not handed over. SENT: with the venue. FILLED, CANCELLED (unfilled remainder returned): terminal. */
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** A reduce-only order that liquidates part of one position. Its id is a pure function of call, attempt and instrument (I09). */
export interface LiquidationOrder {
  readonly orderId: string;
  readonly callId: string;
  readonly accountId: string;
  readonly brokerId: string;
  readonly attempt: number;
  /** Number of the order within its call, over all attempts; the key of its row. */
  readonly index: number;
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  /** Ordered quantity, positive. */
  readonly quantity: Quantity;
  readonly filled: Quantity;
  /** Quantity returned unfilled; `filled + cancelled ≤ quantity` (I11). */
  readonly cancelled: Quantity;
  readonly limitPrice: Price;
  readonly status: OrderStatus;
  readonly createdAt: number;
  readonly sentAt: number | null;
}

/** True while the order may still trade. */
export const isLiveOrder = (order: Pick<LiquidationOrder, "status">): boolean => order.status === "PENDING" || order.status === "SENT";
