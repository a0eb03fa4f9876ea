import type { MarginAccount, Position, Standing } from "./account.ts";
import { accruedOf, chargesOf, isCharged } from "./charges.ts";
import { atPrice, collateralValue, initialValue } from "./collateral.ts";
import type { Asset, Instrument } from "./instrument.ts";
import type { MarkQuality } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { pricedAsset, pricedInstrument } from "./market.ts";
import { isMarginedTogether, isModelled, modelRequirement, ordersOfModel } from "./model-requirement.ts";
import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { abs, divide, ONE, PPM } from "./money.ts";
import { requirementWithOrders } from "./order-margin.ts";
import type { Policy } from "./policy.ts";
import { worseQuality } from "./quality.ts";
import { hasAnyOrders, hasOrders, standingOf } from "./standing.ts";
import type { PricedAsset, PricedInstrument } from "./valuation.ts";
import { bracketOf, isPremium, notionalOf, pointOf, profitOf, requirementAt, requirementPoint, termsOf } from "./valuation.ts";

/** Which of an account's two values (R3). */
export type ValueSide = "low" | "high";

/** Equity and requirements of an account in its valuation asset, on one side of R3. */
export interface Sided {
  /** `E_i` of R2: initial haircuts, limited unrealised profit, without what is reserved for withdrawals. */
  readonly equityInitial: Money;
  /** `E_m` of R2; never below `equityInitial`. */
  readonly equityMaintenance: Money;
  readonly initial: Money;
  readonly maintenance: Money;
}

/**
 * What an account holds in one asset and what its positions that settle in it come to.
 *
 * Sums over linear contracts stay unrounded and are divided once: less rounding, and a division
 * costs more than all else. `plain` sums are over contracts of one unit (m = 1), at scale 1e-16
 * (profit) and 1e-22 (requirements): two limbs instead of three in the inner loop.
 */
export interface Settlement {
  readonly asset: Asset;
  /** Null for an asset without terms: it counts nothing. */
  readonly priced: PricedAsset | null;
  wallet: Money;
  readonly reserved: Money;
  /** The worst quality among the marks of the positions. */
  quality: MarkQuality;
  plainProfit: bigint;
  plainInitial: bigint;
  plainMaintenance: bigint;
  /** Rounded profit and requirements of all other contracts, and the brackets' amounts, negative. */
  profit: Money;
  initial: Money;
  maintenance: Money;
}

const NOTHING = 0n as Money;
/** Scale of the plain requirements against money: 1e8·1e8·1e6 over 1e8. */
const PLAIN_REQUIREMENT = ONE * PPM;

const settlementOf = (account: MarginAccount, market: PricedMarket, asset: Asset): Settlement => ({
  asset,
  priced: pricedAsset(market, asset),
  wallet: account.balances.get(asset) ?? NOTHING,
  reserved: account.reserved.size === 0 ? NOTHING : (account.reserved.get(asset) ?? NOTHING),
  quality: "GOOD",
  plainProfit: 0n,
  plainInitial: 0n,
  plainMaintenance: 0n,
  profit: NOTHING,
  initial: NOTHING,
  maintenance: NOTHING,
});

/** A position of which something is worked out from the account as a whole, by the policy's model or for the liquidity of its market: no sum over positions. */
export interface ModelLeg {
  readonly priced: PricedInstrument;
  /** Signed; never zero. */
  readonly quantity: Quantity;
  readonly entryPrice: Price;
}

/** An account valued on one side of R3: by settlement asset, and the positions that its policy margins together. */
export interface Valued {
  readonly settlements: readonly Settlement[];
  readonly legs: readonly ModelLeg[];
  /** What stands beside the positions, by instrument. */
  readonly standing: MarginAccount["standing"];
}

/**
 * Price from which a position's profit counts. A premium was paid in cash when the option was bought: its whole value is
 * equity where the model is a portfolio's, and none of it in standard option margin, where it is a liability of the
 * requirement (R6).
 */
const basisOf = (instrument: Instrument, entry: Price, price: Price, { model }: Policy): Price =>
  isPremium(instrument) ? (model.kind === "standard" ? price : (0n as Price)) : entry;

/** Initial requirement of a position with the orders open in its instrument, on the riskiest side (M3), rounded up. */
export const initialWithOrders = (
  priced: PricedInstrument,
  { quantity, entryPrice }: Position,
  orders: Standing,
  side: ValueSide,
): Money => {
  const points = { long: pointOf(priced, ONE as Quantity, entryPrice, side), short: pointOf(priced, -ONE as Quantity, entryPrice, side) };
  const { required, ofOrders } = requirementWithOrders(points, quantity, orders, "initial");
  if (priced.instrument.basis === undefined) return required;
  const held = requirementAt(requirementPoint(priced, points.long, entryPrice), abs(quantity), "initial");
  return (held + ofOrders) as Money;
};

/** Which value of a position is taken, and by which model it is margined. */
interface Measured {
  readonly side: ValueSide;
  readonly policy: Policy;
}

/** Adds one position to its settlement, with the orders in its instrument: the inner loop of every valuation. */
const addLeg = (
  to: Settlement,
  priced: PricedInstrument,
  position: Position,
  standing: Standing | undefined,
  { side, policy }: Measured,
): void => {
  const { quantity, entryPrice } = position;
  const point = pointOf(priced, quantity, entryPrice, side);
  const size = quantity < 0n ? -quantity : quantity;
  if (quantity !== 0n && priced.quality !== "GOOD") to.quality = worseQuality(to.quality, priced.quality);
  if (isCharged(priced, to.priced)) {
    const charged = { priced, quantity, price: point.price };
    to.profit = (to.profit + accruedOf(charged)) as Money;
    for (const { initial, maintenance } of chargesOf(charged, to.priced, side, policy)) {
      to.initial = (to.initial + initial) as Money;
      to.maintenance = (to.maintenance + maintenance) as Money;
    }
  }
  if (isModelled(priced.instrument, policy)) {
    const basis = basisOf(priced.instrument, entryPrice, point.price, policy);
    to.profit = (to.profit + profitOf(priced.instrument, quantity, basis, point.price)) as Money;
    return;
  }
  const ordered = standing === undefined || !hasOrders(standing) ? null : initialWithOrders(priced, position, standing, side);
  if (!priced.plain) {
    to.profit = (to.profit + profitOf(priced.instrument, quantity, entryPrice, point.price)) as Money;
    const basis = requirementPoint(priced, point, entryPrice);
    to.initial = (to.initial + (ordered ?? requirementAt(basis, size, "initial"))) as Money;
    to.maintenance = (to.maintenance + requirementAt(basis, size, "maintenance")) as Money;
    return;
  }
  const { sizes } = point;
  let bracket = 0;
  while (bracket < sizes.length && size >= (sizes[bracket] as bigint)) bracket += 1;
  to.plainProfit += quantity * (point.price - entryPrice);
  to.plainMaintenance += size * (point.ratesMm[bracket] as bigint);
  const amountMm = point.amountsMm[bracket] as Money;
  if (amountMm !== 0n) to.maintenance = (to.maintenance - amountMm) as Money;
  if (ordered !== null) {
    to.initial = (to.initial + ordered) as Money;
    return;
  }
  to.plainInitial += size * (point.ratesIm[bracket] as bigint);
  const amountIm = point.amountsIm[bracket] as Money;
  if (amountIm !== 0n) to.initial = (to.initial - amountIm) as Money;
};

const find = (settlements: readonly Settlement[], asset: Asset): Settlement | undefined => {
  for (const settlement of settlements) if (settlement.asset === asset) return settlement;
  return undefined;
};

/** Orders in an instrument that the account holds nothing of: a position of 0 at the mark. */
export interface OrdersAlone {
  readonly priced: PricedInstrument;
  readonly position: Position;
  readonly orders: Standing;
}

/**
 * What is ordered and not held, of instruments that are margined by their brackets. An instrument without a mark counts
 * nothing, and so does one that settles in an asset that the policy does not accept: an order must not stop the
 * decisions on its account. No withdrawal is allowed before there is a mark.
 */
export const ordersAlone = (
  { positions }: MarginAccount,
  standing: MarginAccount["standing"],
  market: PricedMarket,
): readonly OrdersAlone[] =>
  [...standing].flatMap(([instrumentId, orders]): OrdersAlone[] => {
    const isHeld = positions.some((position) => position.instrumentId === instrumentId);
    if (isHeld || !hasOrders(orders) || !market.snapshot.marks.has(instrumentId)) return [];
    if (!market.snapshot.instruments.has(instrumentId)) return [];
    const priced = pricedInstrument(market, instrumentId, orders.leverage);
    if (priced.high === null || isModelled(priced.instrument, market.policy)) return [];
    return [{ priced, position: { instrumentId, quantity: 0n as Quantity, entryPrice: priced.high.price }, orders }];
  });

/**
 * Values an account on one side (R3).
 *
 * @throws RangeError for a position in an unknown instrument, TermsError for one that settles in an
 *   asset without collateral terms.
 */
export const valuedOf = (account: MarginAccount, market: PricedMarket, side: ValueSide): Valued => {
  const settlements: Settlement[] = [];
  const legs: ModelLeg[] = [];
  const standing = standingOf(account);
  const measured: Measured = { side, policy: market.policy };
  let current: Settlement | undefined;
  for (const position of account.positions) {
    const beside = standing.get(position.instrumentId);
    const priced = pricedInstrument(market, position.instrumentId, beside?.leverage);
    const asset = priced.instrument.settleAsset;
    if (current === undefined || current.asset !== asset) {
      current = find(settlements, asset);
      if (current === undefined) {
        termsOf(market.policy, asset);
        current = settlementOf(account, market, asset);
        settlements.push(current);
      }
    }
    addLeg(current, priced, position, beside, measured);
    if (isMarginedTogether(priced.instrument, market.policy))
      legs.push({ priced, quantity: position.quantity, entryPrice: position.entryPrice });
  }
  for (const asset of account.balances.keys()) {
    if (find(settlements, asset) === undefined) settlements.push(settlementOf(account, market, asset));
  }
  if (!hasAnyOrders(standing)) return { settlements, legs, standing };
  for (const { priced, position, orders } of ordersAlone(account, standing, market)) {
    const asset = priced.instrument.settleAsset;
    const known = find(settlements, asset) ?? settlementOf(account, market, asset);
    if (find(settlements, asset) === undefined) settlements.push(known);
    addLeg(known, priced, position, orders, measured);
  }
  return { settlements, legs, standing };
};

/** The worst quality among the marks that an account needs: its positions', and those of what it holds, owes and settles in. */
export const qualityOf = ({ settlements, legs }: Valued): MarkQuality => {
  let worst: MarkQuality = "GOOD";
  for (const { quality, priced, asset, wallet, maintenance, plainMaintenance } of settlements) {
    if (quality !== "GOOD") worst = worseQuality(worst, quality);
    if (priced === null || priced.quality === "GOOD") continue;
    const needed = wallet !== 0n || maintenance !== 0n || plainMaintenance !== 0n;
    if (needed || legs.some((leg) => leg.priced.instrument.settleAsset === asset)) worst = worseQuality(worst, priced.quality);
  }
  return worst;
};

/** Unrealised profit of a settlement, rounded down. */
export const unrealisedOf = (settlement: Settlement): Money =>
  (settlement.plainProfit === 0n ? settlement.profit : settlement.profit + divide(settlement.plainProfit, ONE, "down")) as Money;

const requiredOf = (plain: bigint, rest: Money): Money => (plain === 0n ? rest : rest + divide(plain, PLAIN_REQUIREMENT, "up")) as Money;

/** Maintenance requirement of a settlement's positions in its asset, rounded up. */
export const requiredMaintenance = (settlement: Settlement): Money => requiredOf(settlement.plainMaintenance, settlement.maintenance);

/** Balance that counts in E_i: less what is reserved, and with a limited share of unrealised profit (M2, R16). */
export const initialBalance = (settlement: Settlement, unrealised: Money, policy: Policy): Money => {
  const share = policy.unrealisedProfitIm;
  const counted = unrealised <= 0n || share === 1_000_000 ? unrealised : (unrealised * BigInt(share)) / PPM;
  return (settlement.wallet - settlement.reserved + counted) as Money;
};

/** Sums a valued account into its figures: equity down, requirement up (M0, R2). */
export const sidedOf = ({ settlements, legs, standing }: Valued, market: PricedMarket, side: ValueSide): Sided => {
  const { policy } = market;
  let equityInitial = 0n;
  let equityMaintenance = 0n;
  let initial = 0n;
  let maintenance = 0n;
  let unpriced = false;
  for (const settlement of settlements) {
    const unrealised = unrealisedOf(settlement);
    const balanceM = (settlement.wallet + unrealised) as Money;
    const balanceI = initialBalance(settlement, unrealised, policy);
    const requiredI = requiredOf(settlement.plainInitial, settlement.initial);
    const requiredM = requiredOf(settlement.plainMaintenance, settlement.maintenance);
    const { priced } = settlement;
    if (priced === null) {
      // An unknown asset counts nothing while it is held, and is a debt that no policy prices when it is owed.
      if (balanceM < 0n) termsOf(policy, settlement.asset);
      continue;
    }
    const { terms, lower, upper } = priced;
    if (upper === 0n) {
      unpriced ||= balanceI < 0n || requiredM > 0n;
      continue;
    }
    const priceM = side === "high" ? priced.high : balanceM < 0n ? upper : lower;
    if (priced.initial === null) {
      equityInitial += collateralValue(balanceI, side === "high" ? priced.high : balanceI < 0n ? upper : lower, terms, "initial");
    } else equityInitial += initialValue(balanceI, priced.initial[side], terms);
    equityMaintenance += collateralValue(balanceM, priceM, terms, "maintenance");
    const price = side === "high" ? priced.high : upper;
    initial += price === ONE ? requiredI : atPrice(requiredI, price, "up");
    maintenance += price === ONE ? requiredM : atPrice(requiredM, price, "up");
  }
  if (unpriced && side === "low") {
    // A debt or a requirement in an asset that never had a price: E_low is taken as just below 0, so that it shows and is looked at.
    if (equityInitial >= 0n) equityInitial = -1n;
    if (equityMaintenance >= 0n) equityMaintenance = -1n;
  }
  if (legs.length > 0) {
    const required = modelRequirement(legs, market, side);
    initial += required.initial;
    maintenance += required.maintenance;
  }
  if (hasAnyOrders(standing)) initial += ordersOfModel(legs, standing, market, side)?.initial ?? 0n;
  return {
    equityInitial: equityInitial as Money,
    equityMaintenance: equityMaintenance as Money,
    initial: initial as Money,
    maintenance: maintenance as Money,
  };
};

/** A part of a position to close at the price of its side, for `costPpm` of the notional. */
export interface Closing {
  readonly position: Position;
  /** Contracts to close, positive, at most the position. */
  readonly quantity: Quantity;
  readonly costPpm: Ppm;
}

const difference = (settlement: Settlement, before: Settlement, after: Settlement, cash: Money): Settlement => ({
  ...settlement,
  wallet: (settlement.wallet + cash) as Money,
  plainProfit: settlement.plainProfit - before.plainProfit + after.plainProfit,
  plainInitial: settlement.plainInitial - before.plainInitial + after.plainInitial,
  plainMaintenance: settlement.plainMaintenance - before.plainMaintenance + after.plainMaintenance,
  profit: (settlement.profit - before.profit + after.profit) as Money,
  initial: (settlement.initial - before.initial + after.initial) as Money,
  maintenance: (settlement.maintenance - before.maintenance + after.maintenance) as Money,
});

/** What one leg contributes, alone. */
const alone = (like: Settlement): Settlement => ({
  ...like,
  wallet: NOTHING,
  plainProfit: 0n,
  plainInitial: 0n,
  plainMaintenance: 0n,
  profit: NOTHING,
  initial: NOTHING,
  maintenance: NOTHING,
});

/** The legs after part of one was closed; gone where nothing is left. */
const closeLeg = (legs: readonly ModelLeg[], instrumentId: string, left: Quantity): readonly ModelLeg[] =>
  legs.flatMap((leg) => {
    if (leg.priced.instrument.instrumentId !== instrumentId) return [leg];
    return left === 0n ? [] : [{ ...leg, quantity: left }];
  });

/**
 * The account after part of a position was closed at the price of its side: its profit is realised or
 * its premium paid, its requirement falls, the cost is paid. The exact effect, not an estimate (R4, R19).
 */
export const closeIn = ({ settlements, legs, standing }: Valued, market: PricedMarket, closing: Closing, side: ValueSide): Valued => {
  const { position, quantity, costPpm } = closing;
  const orders = standing.get(position.instrumentId);
  const priced = pricedInstrument(market, position.instrumentId, orders?.leverage);
  const { price } = pointOf(priced, position.quantity, position.entryPrice, side);
  const closed = (position.quantity > 0n ? quantity : -quantity) as Quantity;
  const left = (position.quantity - closed) as Quantity;
  const basis = isPremium(priced.instrument) ? (0n as Price) : position.entryPrice;
  const realised = profitOf(priced.instrument, closed, basis, price);
  const cost = divide(notionalOf(priced.instrument, quantity, price) * BigInt(costPpm), PPM, "up");
  const measured: Measured = { side, policy: market.policy };
  const closedIn = settlements.map((settlement) => {
    if (settlement.asset !== priced.instrument.settleAsset) return settlement;
    const before = alone(settlement);
    addLeg(before, priced, position, orders, measured);
    const after = alone(settlement);
    if (left !== 0n || orders !== undefined) addLeg(after, priced, { ...position, quantity: left }, orders, measured);
    return difference(settlement, before, after, (realised - cost) as Money);
  });
  return { settlements: closedIn, legs: closeLeg(legs, position.instrumentId, left), standing };
};

/** Sizes at which closing a position passes from one bracket to the next: contracts to close, ascending, the whole position last. */
export const closingSteps = (priced: PricedInstrument, position: Position, side: ValueSide): bigint[] => {
  const point = requirementPoint(priced, pointOf(priced, position.quantity, position.entryPrice, side), position.entryPrice);
  const size = abs(position.quantity);
  const steps = point.sizes
    .slice(0, bracketOf(point, size))
    .map((reached) => size - reached)
    .filter((step) => step > 0n)
    .reverse();
  return [...steps, size];
};
