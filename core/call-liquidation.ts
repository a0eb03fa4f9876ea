import type { LiveCall, MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { hasOrderLeft } from "./call-credit.ts";
import { isHandedOver } from "./episode.ts";
import { hasLeftCall, isBare, isBelowCall, isCloseOut, isDeficit } from "./level.ts";
import { LIMITS } from "./limits.ts";
import { planLiquidation, targetReached } from "./liquidation-plan.ts";
import type { Quantity } from "./money.ts";
import { isLiveOrder, type LiquidationOrder } from "./order.ts";
import { changedOrders, note, type Situation, type Step } from "./situation.ts";
import { withoutOrders } from "./standing.ts";
import { assess } from "./statement.ts";

type Cause = "deadline" | "closeOut";

/** True where no order may be planned: not in this mode (R28), not on a feed with a gap, not while it is handed over (R14). */
const mayNotTrade = ({ account, policy, now }: Situation): boolean =>
  policy.mode !== "enforce" || account.outOfSync || isHandedOver(account.episode, policy, now);

/**
 * The id of an order: a pure function of call, attempt and instrument (I09). After a restore the account has another
 * key than its older calls: attempts that the backup does not know of may have used theirs (S54).
 */
const orderIdOf = ({ key }: MarginAccount, { callId }: MarginCall, attempt: number, instrumentId: string): string =>
  `MC-${key}-${callId.slice(callId.lastIndexOf("-") + 1)}-${attempt}-${instrumentId}`;

const planned = (s: Situation, call: MarginCall, cause: Cause): readonly LiquidationOrder[] => {
  const { account, statement, snapshot, policy, now } = s;
  const attempt = call.attempt + 1;
  const target = cause === "closeOut" ? "closeOut" : "callLevel";
  const plan = planLiquidation({ account, statement, snapshot, policy, target, now });
  return plan.slice(0, Math.min(s.orderRoom, LIMITS.ordersPerAttemptMax)).map((order, index) => ({
    orderId: orderIdOf(account, call, attempt, order.instrumentId),
    callId: call.callId,
    accountId: account.accountId,
    brokerId: account.brokerId,
    attempt,
    index: call.ordersPlanned + index,
    instrumentId: order.instrumentId,
    side: order.side,
    quantity: order.quantity,
    filled: 0n as Quantity,
    cancelled: 0n as Quantity,
    limitPrice: order.limitPrice,
    status: "PENDING",
    createdAt: now,
    sentAt: null,
  }));
};

/**
 * Plans the next attempt of a call: OPEN → LIQUIDATING, or one more try of one that is.
 *
 * @returns null where no order may leave or none can be planned: a plan without orders never leaves OPEN (R14).
 */
export const attempt = (s: Situation, call: MarginCall, cause: Cause): Step | null => {
  if (mayNotTrade(s)) return null;
  const orders = planned(s, call, cause);
  if (orders.length === 0) return null;
  const next: MarginCall = {
    ...call,
    status: "LIQUIDATING",
    liquidationReason: cause,
    attempt: call.attempt + 1,
    ordersPlanned: call.ordersPlanned + orders.length,
    liquidatingAt: call.liquidatingAt ?? s.now,
    curedSince: null,
    onBadMarks: false,
    badMarksSince: null,
  };
  const why = cause === "closeOut" ? "R1: below the close-out level" : "R14: unmet at the deadline";
  return { call: next, orders, notes: [note("liquidation.started", next, `${why}, attempt ${next.attempt} of ${s.policy.attemptsMax}`)] };
};

/** Returned before it left: nothing of it will trade. */
const withdrawn = (order: LiquidationOrder): LiquidationOrder => ({
  ...order,
  cancelled: (order.quantity - order.filled) as Quantity,
  status: "CANCELLED",
});

const withdrawAll = (orders: readonly LiquidationOrder[]): readonly LiquidationOrder[] =>
  orders.map((order) => (order.status === "PENDING" ? withdrawn(order) : order));

/** True where the order would not only reduce: the holder closed or cut the position meanwhile (I10, S52). */
const isTooMuch = (account: MarginAccount, order: LiquidationOrder): boolean => {
  const held = account.positions.find((position) => position.instrumentId === order.instrumentId)?.quantity ?? 0n;
  return order.side === "sell" ? held < order.quantity : -held < order.quantity;
};

/**
 * True once the liquidation has done what it is for (I12): its target is reached, or every order was
 * filled whole and its trigger is gone. Judged on the last accepted marks, as the trigger is (R3).
 */
const isDone = ({ account, statement, policy }: Situation, call: MarginCall, orders: readonly LiquidationOrder[]): boolean => {
  const { high } = statement;
  if (targetReached(high, call.liquidationReason === "closeOut" ? "closeOut" : "callLevel", policy)) return true;
  if (orders.some((order) => order.status !== "FILLED")) return false;
  const isTriggered =
    call.liquidationReason === "closeOut" ? isCloseOut(account, statement, policy.levels) : isBelowCall(account, high, policy.levels);
  return !isTriggered;
};

const end = (s: Situation, call: MarginCall, status: "LIQUIDATED" | "LIQUIDATION_FAILED", orders: readonly LiquidationOrder[]): Step => {
  const ended: MarginCall = { ...call, status, endedAt: s.now };
  const reason =
    status === "LIQUIDATED" ? "R14: the target is reached" : `R14: handed over after attempt ${call.attempt} of ${s.policy.attemptsMax}`;
  return { call: ended, orders, notes: [note(status === "LIQUIDATED" ? "liquidation.completed" : "liquidation.failed", ended, reason)] };
};

/** MET out of LIQUIDATING, possible only while no order has left (R8, N12). Null where nothing cures. */
const curedInTime = (s: Situation, { call, orders }: LiveCall): Step | null => {
  if (hasOrderLeft(call, orders)) return null;
  const { account, statement, policy, now } = s;
  const isFlat = isBare(account) || (account.positions.length === 0 && statement.low.equityInitial >= 0n);
  const isPaid = call.metAmount >= call.amountDue && !isDeficit(account, statement);
  if (!isPaid && !isFlat && !hasLeftCall(account, statement.low, policy.levels)) return null;
  const met: MarginCall = { ...call, status: "MET", metBy: isPaid || isFlat ? "payment" : "market", endedAt: now };
  const why = isPaid ? "N12: paid in time" : isFlat ? "S52: the holder closed every position" : "R8: the call level is left";
  return { call: met, orders: withdrawAll(orders), notes: [note("margin_call.met", met, `${why}, before an order left`)] };
};

/** What follows an attempt that has no live order and did not reach its target. */
const afterAttempt = (s: Situation, call: MarginCall, orders: readonly LiquidationOrder[], withdrawnNow: number): Step => {
  const waiting: Step = { call, orders, notes: [] };
  const plannedAt = Math.max(...orders.map((order) => order.createdAt));
  if (s.now - plannedAt < LIMITS.attemptGapMs) return waiting;
  if (call.attempt >= s.policy.attemptsMax) return end(s, call, "LIQUIDATION_FAILED", orders);
  if (mayNotTrade(s)) return waiting;
  const next = attempt({ ...s, orderRoom: s.orderRoom - withdrawnNow }, call, call.liquidationReason ?? "closeOut");
  return next === null ? waiting : { ...next, past: orders };
};

/** What is judged once the venue has cancelled the holder's orders, which it does before it closes anything (M10, M12). */
const ordersCancelled = (s: Situation): Situation => {
  const account = withoutOrders(s.account);
  return account === s.account ? s : { ...s, account, statement: assess(account, s.snapshot, s.policy, s.now) };
};

/** What becomes of a call in LIQUIDATING (R8, R14). */
export const stepLiquidating = (situation: Situation, live: LiveCall): Step => {
  const s = ordersCancelled(situation);
  const cured = curedInTime(s, live);
  if (cured !== null) return cured;
  const { call } = live;
  const done = isDone(s, call, live.orders);
  const orders = live.orders.map((order) =>
    order.status === "PENDING" && (done || isTooMuch(s.account, order)) ? withdrawn(order) : order,
  );
  if (orders.some(isLiveOrder)) return { call, orders, notes: [] };
  if (done || s.account.positions.length === 0) return end(s, call, "LIQUIDATED", orders);
  return afterAttempt(s, call, orders, changedOrders(live.orders, orders).length);
};
