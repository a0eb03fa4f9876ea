import type { MarginAccount } from "../core/account.ts";
import { markOrdersSent } from "../core/commands.ts";
import { LIMITS } from "../core/limits.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { type Mode, modeOf } from "../core/mode.ts";
import type { LiquidationOrder } from "../core/order.ts";
import { ACTIONS, qualityAt } from "../core/quality.ts";
import { livesOf } from "../core/scope.ts";
import { changeAccount, type Desk } from "./decide-account.ts";
import { venueMessage } from "./venue/order-message.ts";

/** An order that the venue has not answered for this long is sent again: it may never have left. */
const RESEND_AFTER_MS = 30_000;

/** True while the order's own mark may trade: GOOD, and young enough for any instrument (R3, I07). */
const isFresh = (order: LiquidationOrder, { marks, instruments }: MarketSnapshot, now: number): boolean => {
  const mark = marks.get(order.instrumentId);
  const instrument = instruments.get(order.instrumentId);
  if (mark === undefined || instrument === undefined) return false;
  return ACTIONS.trade[qualityAt(mark, instrument, now)] === "allowed" && now - mark.asOf <= LIMITS.orderMarkAgeMaxMs;
};

/** Orders in this state that may leave now: the call liquidates (I06), the mode allows orders (R28), the account is in sync. */
const leaving = (account: MarginAccount, mode: Mode, snapshot: MarketSnapshot, now: number): readonly LiquidationOrder[] => {
  if (mode !== "enforce" || account.outOfSync) return [];
  return livesOf(account)
    .filter(({ call }) => call.status === "LIQUIDATING")
    .flatMap(({ orders }) => orders.filter((order) => isFresh(order, snapshot, now)));
};

/**
 * Hands the orders of an account's live calls to the venue, after a new look at state and freshness.
 *
 * Committed first, sent after. SENT bars the call from being met (R8), so no order leaves for a call
 * that a deposit has just met (I06); sent first, a lost race would have done exactly that. What a crash
 * or a lost reply leaves SENT and unsent is sent again after 30 s, by the message's next try or by the
 * sweep: the venue refuses an order id that it has seen, so once too often is harmless. An order with a
 * fill has arrived and is left alone. An order whose price is stale stays PENDING for the sweep (R14).
 *
 * @returns how many orders went out.
 */
export const dispatchOrders = async (desk: Desk, accountId: string, snapshot: MarketSnapshot): Promise<number> => {
  const { world } = desk;
  const changed = await changeAccount(desk, { accountId, causedBy: "dispatch" }, ({ account, policy, now }) => {
    const ready = leaving(account, policy.mode, snapshot, now).map((order) => order.orderId);
    const change = markOrdersSent(account, ready, now);
    return change === null ? null : { change, snapshotId: snapshot.snapshotId };
  });
  if (changed === null) return 0;
  const { account, change } = changed;
  const now = world.clock.now();
  const marked = new Set(change?.orders.map((order) => order.orderId));
  const isDue = ({ orderId, status, filled, sentAt }: LiquidationOrder): boolean =>
    status === "SENT" && filled === 0n && (marked.has(orderId) || now - (sentAt ?? now) >= RESEND_AFTER_MS);
  const orders = leaving(account, modeOf(world.settings.modes, account), snapshot, now).filter(isDue);
  if (orders.length > 0) {
    await world.queues.send(
      world.settings.venueQueueUrl,
      orders.map((order) => venueMessage(order, now)),
    );
    world.log.count("orders_sent", orders.length);
  }
  const held = livesOf(account)
    .flatMap(({ orders }) => orders)
    .filter((order) => order.status === "PENDING").length;
  if (held > 0) world.log.count("orders_held", held);
  return orders.length;
};
