import type { MarginAccount, Position } from "./account.ts";
import type { Settlement, Sided } from "./equity.ts";
import { closeIn, pointOf, settlementsOf, sidedOf } from "./equity.ts";
import { limitPriceOf } from "./limit-price.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedInstrument } from "./market.ts";
import type { Price, Quantity } from "./money.ts";
import { abs, PPM } from "./money.ts";
import type { Policy } from "./policy.ts";
import { ACTIONS } from "./quality.ts";
import { leastClosing } from "./reduction.ts";
import type { MarginStatement } from "./statement.ts";
import { headroomBelow } from "./statement.ts";
import { bracketOf } from "./valuation.ts";

/** One reduce-only order of a liquidation attempt. */
export interface PlannedOrder {
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  /** Positive, in whole lots or the whole position, never above it (I10). */
  readonly quantity: Quantity;
  readonly limitPrice: Price;
}

/** `callLevel`: back to where the call level is left (R14). `closeOut`: E_m back to MM·(1+b) (R14, R19). */
export type LiquidationTarget = "callLevel" | "closeOut";

/** True where a liquidation has nothing left to do (R14): the call level is left, or E_m is back at MM·(1+b). */
export const targetReached = (sided: Sided, target: LiquidationTarget, { levels, closeOutBuffer }: Policy): boolean => {
  // Where a requirement is left, a venue that triggers at equality must be brought above it.
  const inclusive = levels.inclusive && sided.maintenance > 0n;
  if (target === "callLevel") return !headroomBelow(sided.equityInitial, sided, levels.call + levels.hysteresis, inclusive);
  const surplus = sided.equityMaintenance * PPM - sided.maintenance * (PPM + BigInt(closeOutBuffer));
  return inclusive ? surplus > 0n : surplus >= 0n;
};

interface Leg {
  readonly position: Position;
  readonly costPpm: number;
  /** What closing one unit of notional frees, after costs, in ppm: (1+b)·r − f − g of R19. */
  readonly reliefPpm: number;
}

/** The legs that may be traded, those that free most per unit of notional first. */
const tradableLegs = (account: MarginAccount, market: PricedMarket): Leg[] => {
  const legs: Leg[] = [];
  for (const position of account.positions) {
    const priced = pricedInstrument(market, position.instrumentId);
    if (ACTIONS.trade[priced.quality] !== "allowed") continue;
    const { instrument } = priced;
    const tier = instrument.tiers[bracketOf(pointOf(priced, position.quantity, position.entryPrice, "high"), abs(position.quantity))];
    const costPpm = instrument.liquidationFeePpm + instrument.insuranceFeePpm;
    const rate = (tier?.rateMm ?? 0) + instrument.feePpm;
    legs.push({ position, costPpm, reliefPpm: (rate * (1_000_000 + market.policy.closeOutBuffer)) / 1_000_000 - costPpm });
  }
  return legs.sort((a, b) => b.reliefPpm - a.reliefPpm || (a.position.instrumentId < b.position.instrumentId ? -1 : 1));
};

/**
 * Plans one attempt to liquidate (R14, R19, R20, M12 1-3).
 *
 * The shortfall is allocated over the positions up front: the leg that frees most requirement per
 * unit of notional after costs is closed first, only as far as the target needs (tier by tier, whole
 * lots, rounded up), the next one takes the rest. So orders that run side by side never close more
 * than is needed, and where one leg costs more than it frees it is closed last and whole.
 *
 * All on E_high, net of the liquidation and insurance fees (R3, R19). Only legs whose own mark is
 * GOOD are traded; an account that is out of sync with its venue is never liquidated.
 *
 * @returns at most `LIMITS.ordersPerAttemptMax` reduce-only orders; none when the target holds already
 *   or nothing may be traded.
 */
export const planLiquidation = (request: {
  readonly account: MarginAccount;
  readonly statement: MarginStatement;
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
  readonly target: LiquidationTarget;
  readonly now: number;
}): PlannedOrder[] => {
  const { account, statement, snapshot, policy, target, now } = request;
  if (account.outOfSync) return [];
  const market = marketOf(snapshot, policy, now);
  let settlements: Settlement[] = settlementsOf(account, market, "high");
  const orders: PlannedOrder[] = [];
  for (const leg of tradableLegs(account, market)) {
    if (orders.length === LIMITS.ordersPerAttemptMax || targetReached(sidedOf(settlements, policy, "high"), target, policy)) break;
    const { position, costPpm } = leg;
    const after = (quantity: Quantity): Settlement[] => closeIn(settlements, market, { position, quantity, costPpm }, "high");
    const least = leastClosing(position, market, "high", (closed) => targetReached(sidedOf(after(closed), policy, "high"), target, policy));
    const quantity = least ?? abs(position.quantity);
    orders.push({
      instrumentId: position.instrumentId,
      side: position.quantity > 0n ? "sell" : "buy",
      quantity,
      limitPrice: limitPriceOf(position, pricedInstrument(market, position.instrumentId), statement.high),
    });
    settlements = after(quantity);
  }
  return orders;
};
