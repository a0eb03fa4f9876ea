import type { MarginAccount, Position } from "./account.ts";
import { atPrice } from "./collateral.ts";
import type { Sided, Valued } from "./equity.ts";
import { closeIn, sidedOf, valuedOf } from "./equity.ts";
import { limitPriceOf } from "./limit-price.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedAsset, pricedInstrument } from "./market.ts";
import type { Money, Price, Quantity } from "./money.ts";
import { abs, max, minus, PPM, ZERO } from "./money.ts";
import type { Policy } from "./policy.ts";
import { ACTIONS } from "./quality.ts";
import { leastClosing, partsOf } from "./reduction.ts";
import { withoutOrders } from "./standing.ts";
import type { MarginStatement } from "./statement.ts";
import { headroomBelow } from "./statement.ts";
import { bracketOf, isPremium, pointOf, profitOf } from "./valuation.ts";

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
  readonly isOption: boolean;
  readonly costPpm: number;
  /** What closing one unit of notional frees, after costs, in ppm: (1+b)·r − f − g of R19. */
  readonly reliefPpm: number;
}

const byId = (a: Leg, b: Leg): number => (a.position.instrumentId < b.position.instrumentId ? -1 : 1);

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
    legs.push({
      position,
      isOption: instrument.option !== null,
      costPpm,
      reliefPpm: (rate * (1_000_000 + market.policy.closeOutBuffer)) / 1_000_000 - costPpm,
    });
  }
  return legs.sort((a, b) => b.reliefPpm - a.reliefPpm || byId(a, b));
};

/** What a plan has made of the account so far. */
interface Planned {
  readonly valued: Valued;
  readonly orders: readonly PlannedOrder[];
}

interface Plan {
  readonly market: PricedMarket;
  readonly target: LiquidationTarget;
  /** The account's figures before the plan: its equity bounds the limit prices. */
  readonly sided: Sided;
}

const isDone = ({ valued, orders }: Planned, { market, target }: Plan): boolean =>
  orders.length === LIMITS.ordersPerAttemptMax || targetReached(sidedOf(valued, market, "high"), target, market.policy);

/** Closes one leg as far as the target needs, or `most` of it. */
const closeFor = (
  done: Planned,
  { position, costPpm }: Leg,
  plan: Plan,
  { most, freed }: { most: Quantity; freed: Money | null },
): Planned => {
  const { market, target, sided } = plan;
  const after = (quantity: Quantity): Valued => closeIn(done.valued, market, { position, quantity, costPpm }, "high");
  const reached = (closed: Quantity): boolean => targetReached(sidedOf(after(closed), market, "high"), target, market.policy);
  const quantity = leastClosing(position, market, "high", reached) ?? most;
  // What is freed is freed by `most`: so much of the leg has its share of the equity.
  const part = { ...position, quantity: (position.quantity > 0n ? most : -most) as Quantity };
  const order: PlannedOrder = {
    instrumentId: position.instrumentId,
    side: position.quantity > 0n ? "sell" : "buy",
    quantity,
    limitPrice: limitPriceOf(part, pricedInstrument(market, position.instrumentId), sided, freed),
  };
  return { valued: after(quantity), orders: [...done.orders, order] };
};

/**
 * The figures with options at their value in the equity, which M4 shares among the legs. Standard option margin has sold
 * options in the requirement and bought ones nowhere (R6): by its own equity an account looks solvent that is not.
 */
const withOptionValue = (sided: Sided, { legs }: Valued, market: PricedMarket): Sided => {
  if (market.policy.model.kind !== "standard") return sided;
  const value = legs.reduce((sum, { priced: { instrument, high }, quantity }) => {
    const price = pricedAsset(market, instrument.settleAsset)?.high ?? 0n;
    if (high === null || !isPremium(instrument)) return sum;
    return sum + atPrice(profitOf(instrument, quantity, 0n as Price, high.price), price as Price, "down");
  }, 0n);
  return { ...sided, equityMaintenance: (sided.equityMaintenance + value) as Money };
};

/** The part of a leg whose closing would help most now, for an account whose model margins legs together. */
interface Effect {
  readonly leg: Leg;
  readonly quantity: Quantity;
  /** Surplus over `MM·(1+b)` that it would gain, in parts per million of the valuation asset's unit. */
  readonly gain: bigint;
  readonly freed: Money;
}

const effectOf = ({ valued }: Planned, leg: Leg, market: PricedMarket): Effect => {
  const { position, costPpm } = leg;
  const surplus = ({ equityMaintenance, maintenance }: Sided): bigint =>
    equityMaintenance * PPM - maintenance * (PPM + BigInt(market.policy.closeOutBuffer));
  const before = sidedOf(valued, market, "high");
  let best: Effect | null = null;
  for (const quantity of partsOf(position, market)) {
    const after = sidedOf(closeIn(valued, market, { position, quantity, costPpm }, "high"), market, "high");
    const gain = surplus(after) - surplus(before);
    if (best === null || gain > best.gain) best = { leg, quantity, gain, freed: max(minus(before.maintenance, after.maintenance), ZERO) };
  }
  return best ?? { leg, quantity: abs(position.quantity), gain: 0n, freed: ZERO };
};

/** Options that were sold are bought back before those are sold that cover them. */
const nakedLast = (a: Leg, b: Leg): number => coverOf(a) - coverOf(b) || byId(a, b);
const coverOf = ({ position, isOption }: Leg): number => (!isOption ? 1 : position.quantity < 0n ? 0 : 2);

/**
 * Closes the legs of an account whose policy margins them together (M12): those that gain most first, each judged
 * again when its turn comes, and each by the part that helps most. A leg whose closing would cost the account more
 * than it frees is left: a hedge is not closed before what it hedges, and no strategy is left naked. Where all that
 * is not enough, everything is closed: what hedges is worth nothing to an account that must be flat (R19).
 */
const closeTogether = (legs: readonly Leg[], start: Planned, plan: Plan): Planned => {
  const { market } = plan;
  let done = start;
  let open = legs;
  for (let closed = true; closed && !isDone(done, plan); ) {
    const ranked = open
      .map((leg) => effectOf(done, leg, market))
      .sort((a, b) => (a.gain === b.gain ? byId(a.leg, b.leg) : a.gain > b.gain ? -1 : 1));
    closed = false;
    for (const { leg } of ranked) {
      if (isDone(done, plan)) break;
      const { quantity, gain, freed } = effectOf(done, leg, market);
      if (gain <= 0n) continue;
      done = closeFor(done, leg, plan, { most: quantity, freed });
      open = open.filter((each) => each !== leg);
      closed = true;
    }
  }
  if (isDone(done, plan)) return done;
  return [...legs]
    .sort(nakedLast)
    .slice(0, LIMITS.ordersPerAttemptMax)
    .reduce((all, leg) => closeWhole(all, leg, plan), start);
};

/** Closes a leg whole, whatever the target. */
const closeWhole = (done: Planned, { position, costPpm }: Leg, { market, sided }: Plan): Planned => {
  const quantity = abs(position.quantity);
  const priced = pricedInstrument(market, position.instrumentId);
  const side = position.quantity > 0n ? "sell" : "buy";
  const order: PlannedOrder = {
    instrumentId: position.instrumentId,
    side,
    quantity,
    limitPrice: limitPriceOf(position, priced, sided, ZERO),
  };
  return { valued: closeIn(done.valued, market, { position, quantity, costPpm }, "high"), orders: [...done.orders, order] };
};

/**
 * Plans one attempt to liquidate (R14, R19, R20, M12 1-3).
 *
 * The shortfall is allocated over the positions up front: the leg that frees most requirement per
 * unit of notional after costs is closed first, only as far as the target needs (tier by tier, whole
 * lots, rounded up), the next one takes the rest. So orders that run side by side never close more
 * than is needed, and where one leg costs more than it frees it is closed last and whole. Where the policy
 * margins legs together, by its model or for the liquidity of their market (M8), see {@link closeTogether}.
 *
 * All on E_high, net of the liquidation and insurance fees (R3, R19). Only legs whose own mark is
 * GOOD are traded; an account that is out of sync with its venue is never liquidated.
 *
 * Open orders of the holder count nothing: they are cancelled before anything is closed (M10, M12).
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
  const { statement, snapshot, policy, target, now } = request;
  if (request.account.outOfSync) return [];
  const account = withoutOrders(request.account);
  const market = marketOf(snapshot, policy, now);
  const start: Planned = { valued: valuedOf(account, market, "high"), orders: [] };
  const plan: Plan = { market, target, sided: withOptionValue(statement.high, start.valued, market) };
  const legs = tradableLegs(account, market);
  const done =
    start.valued.legs.length > 0
      ? closeTogether(legs, start, plan)
      : legs.reduce(
          (planned, leg) =>
            isDone(planned, plan) ? planned : closeFor(planned, leg, plan, { most: abs(leg.position.quantity), freed: null }),
          start,
        );
  return [...done.orders];
};
