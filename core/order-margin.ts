import type { Instrument } from "./instrument.ts";
import type { Money, Price, Quantity } from "./money.ts";
import { abs, divide, max, ONE } from "./money.ts";
import { multiplyRatio, type Ratio, ratio, roundRatio } from "./ratio.ts";
import type { PricePoint } from "./valuation.ts";
import { notionalOf, requirementAt } from "./valuation.ts";

/** What a position could become if the orders of one side were filled: the long side is 0 or above, the short side 0 or below. */
export interface WorstExposure {
  readonly long: Quantity;
  readonly short: Quantity;
}

/**
 * The riskiest position on either side with open orders (M3): all buys filled and no sell, or the other way round.
 *
 * @param buys contracts of open buy orders, 0 or above; `sells` those of open sell orders, either sign.
 */
export const worstExposure = (open: Quantity, buys: Quantity, sells: Quantity): WorstExposure => ({
  long: max<bigint>(open + abs(buys), 0n) as Quantity,
  short: -max<bigint>(abs(sells) - open, 0n) as Quantity,
});

/** Requirement of a position with its orders. */
export interface OrderMargin {
  /** With orders: the larger of both sides. */
  readonly required: Money;
  /** What the orders add to the position's own requirement; 0 for orders that only reduce. */
  readonly ofOrders: Money;
}

/**
 * Requirement of a position with its open orders on the riskiest side (M3), rounded up. Never below the position's
 * own, so an order that reduces gives nothing back before it is filled.
 *
 * @param points the instrument at its mark for a long and for a short position: the same point twice, except
 *   where a venue charges the sides differently.
 */
export const requirementWithOrders = (
  points: { readonly long: PricePoint; readonly short: PricePoint },
  open: Quantity,
  orders: { readonly buys: Quantity; readonly sells: Quantity },
  schedule: "initial" | "maintenance",
): OrderMargin => {
  const worst = worstExposure(open, orders.buys, orders.sells);
  const own = requirementAt(open >= 0n ? points.long : points.short, abs(open), schedule);
  // One of the two sides holds the whole position: neither can need less than it does.
  const required = max(requirementAt(points.long, worst.long, schedule), requirementAt(points.short, abs(worst.short), schedule));
  return { required, ofOrders: (required - own) as Money };
};

/**
 * What an order needs before it is accepted: a share of its notional at its own price, and the loss it would open
 * with, because it buys above the mark or sells below it. Linear contracts, in the settlement asset, rounded up.
 *
 * @param quantity contracts, positive to buy.
 * @param share of the notional, 1/L for leverage L.
 */
export const orderCost = (
  instrument: Instrument,
  order: { readonly quantity: Quantity; readonly price: Price },
  mark: Price,
  share: Ratio,
): { readonly margin: Money; readonly openLoss: Money; readonly total: Money } => {
  const margin = roundRatio(multiplyRatio(ratio(notionalOf(instrument, order.quantity, order.price)), share), "up");
  const openLoss = divide(max(order.quantity * instrument.multiplier * (order.price - mark), 0n), ONE * ONE, "up");
  return { margin: margin as Money, openLoss: openLoss as Money, total: (margin + openLoss) as Money };
};
