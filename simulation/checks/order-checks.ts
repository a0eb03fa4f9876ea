import { abs, quantity } from "../../core/money.ts";
import type { TakenOrder } from "../actors/venue.ts";
import type { Check } from "./book-checks.ts";
import { type AccountRow, floatOf } from "./witness.ts";

/** Orders that a call may send: three attempts over three positions, whatever goes wrong (S33). */
const ORDERS_A_CALL_MAX = 3 * 3;

/** Properties at the venue's door (I06, I09, I10, I13). @param account the row as it stands. */
export const createOrderChecks = (
  check: Check,
  account: (accountId: string) => AccountRow | null,
  statusOf: (callId: string) => string,
) => {
  const parents = new Map<string, string>();
  const perCall = new Map<string, number>();
  return ({ order, position, filled }: TakenOrder): void => {
    const { orderId, callId, attempt, instrumentId } = order;
    const key = `${callId}-${attempt}-${instrumentId}`;
    check("I10", order.reduceOnly, () => `${orderId}: is not reduce-only`);
    check("I09", orderId === key && !parents.has(key), () => `${orderId}: a second order of ${key}, beside ${parents.get(key)}`);
    parents.set(key, orderId);
    const status = statusOf(callId);
    check(
      "I06",
      !["MET", "CANCELLED", "CLOSED_FLAT", "OPEN", "none"].includes(status),
      () => `${orderId}: taken while its call is ${status}`,
    );
    const sum = (perCall.get(callId) ?? 0) + 1;
    perCall.set(callId, sum);
    check("I13", sum <= ORDERS_A_CALL_MAX, () => `${callId}: ${sum} orders`);
    const isRightSide = order.side === "sell" ? position > 0n : position < 0n;
    check(
      "I10",
      filled === 0n || (isRightSide && filled <= abs(position)),
      () => `${orderId}: ${floatOf(filled)} of a position of ${floatOf(position)} traded`,
    );
    check("I10", filled <= quantity(order.quantity), () => `${orderId}: filled above what was ordered`);
    check("I19", account(order.accountId) !== null, () => `${orderId}: of an account that is not in the book`);
  };
};
