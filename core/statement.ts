import type { MarginAccount, Standing } from "./account.ts";
import { accruedOf, chargesOf } from "./charges.ts";
import type { OrdersAlone, Settlement, Sided, Valued } from "./equity.ts";
import { initialWithOrders, ordersAlone, qualityOf, sidedOf, unrealisedOf, valuedOf } from "./equity.ts";
import type { Asset } from "./instrument.ts";
import type { MarketSnapshot, MarkQuality } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedAsset, pricedInstrument } from "./market.ts";
import { type Component, isModelled, modelRequirement, ordersOfModel, valuationOf } from "./model-requirement.ts";
import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { abs, PPM, ZERO } from "./money.ts";
import type { Policy } from "./policy.ts";
import { type ScenarioStatement, scenarioStatements } from "./scenario-statement.ts";
import { hasAnyOrders, hasOrders } from "./standing.ts";
import {
  bracketOf,
  notionalOf,
  type PricedInstrument,
  type PricePoint,
  pointAt,
  pointOf,
  profitOf,
  requirementAt,
  requirementPoint,
} from "./valuation.ts";

export type { Sided } from "./equity.ts";
export type { Component } from "./model-requirement.ts";
export type { ScenarioStatement } from "./scenario-statement.ts";

/** One position as the account's statement shows it, in the instrument's settlement asset, on the high side of R3. */
export interface LegStatement {
  readonly instrumentId: string;
  readonly quantity: Quantity;
  readonly entryPrice: Price;
  /** Price of E_high: the last accepted mark, or the entry price where there never was one. */
  readonly price: Price;
  /** Price of E_low: the adverse edge of the band where the mark is not GOOD. */
  readonly priceLow: Price;
  readonly quality: MarkQuality;
  readonly settleAsset: Asset;
  readonly notional: Money;
  readonly unrealised: Money;
  /** Funding since the last settlement (M1); negative is owed. Equity counts it beside `unrealised`. */
  readonly funding: Money;
  /** Requirement of the position alone, under the leverage that its holder chose; null where the policy's model margins it with others: see `components`. */
  readonly initial: Money | null;
  readonly maintenance: Money | null;
}

/** One asset as the account's statement shows it, on the high side of R3. */
export interface CollateralStatement {
  readonly asset: Asset;
  readonly quality: MarkQuality;
  /** Price in the valuation asset; null where the policy does not accept the asset or it never had a price. */
  readonly price: Price | null;
  readonly wallet: Money;
  readonly reserved: Money;
  /** Unrealised profit of the positions that settle in the asset. */
  readonly unrealised: Money;
}

/** The account on one snapshot: what it is worth and what it must be worth, in its valuation asset. */
export interface MarginStatement {
  readonly snapshotId: string;
  readonly at: number;
  readonly valuationAsset: Asset;
  /** E_low of R3: the same object as `high` when every mark is GOOD and no order is open. */
  readonly low: Sided;
  /** E_high of R3. */
  readonly high: Sided;
  /** The worst quality among the marks that the account needs. */
  readonly quality: MarkQuality;
  readonly allGood: boolean;
  /** Worked out when first read: deciding an account needs the sums only. */
  readonly legs: readonly LegStatement[];
  /** Likewise. */
  readonly collateral: readonly CollateralStatement[];
  /** Likewise: every part of the requirement on the cautious side, which calls judge (R3), in the valuation asset. */
  readonly components: readonly Component[];
  /** Likewise: the scenarios that the requirement of a portfolio's model rests on; none under another model. */
  readonly scenarios: readonly ScenarioStatement[];
}

const legsOf = (account: MarginAccount, market: PricedMarket, { standing }: Valued): LegStatement[] =>
  account.positions.map(({ instrumentId, quantity, entryPrice }) => {
    const priced = pricedInstrument(market, instrumentId, standing.get(instrumentId)?.leverage);
    const { instrument, quality } = priced;
    const point = pointOf(priced, quantity, entryPrice, "high");
    const modelled = isModelled(instrument, market.policy);
    const basis = requirementPoint(priced, point, entryPrice);
    return {
      instrumentId,
      quantity,
      entryPrice,
      price: point.price,
      priceLow: pointOf(priced, quantity, entryPrice, "low").price,
      quality,
      settleAsset: instrument.settleAsset,
      notional: notionalOf(instrument, quantity, point.price),
      unrealised: profitOf(instrument, quantity, entryPrice, point.price),
      funding: accruedOf({ priced, quantity, price: point.price }),
      initial: modelled ? null : requirementAt(basis, abs(quantity), "initial"),
      maintenance: modelled ? null : requirementAt(basis, abs(quantity), "maintenance"),
    };
  });

/** Initial requirement by the instrument's own table, before open interest raises its rates. */
const tableRequirement = (market: PricedMarket, { instrument }: PricedInstrument, point: PricePoint, size: bigint): Money => {
  const terms = market.snapshot.instruments.get(instrument.instrumentId) ?? instrument;
  return requirementAt(terms === instrument ? point : pointAt(terms, point.price), size, "initial");
};

/** What leverage and orders add to the initial requirement of one position by its brackets, in its settlement asset. */
const besideComponents = ({ priced, position, orders }: OrdersAlone, own: Money): readonly Component[] => {
  const { instrumentId, quantity, entryPrice } = position;
  const point = requirementPoint(priced, pointOf(priced, quantity, entryPrice, "low"), entryPrice);
  const levered = requirementAt(point, abs(quantity), "initial");
  const ordered = hasOrders(orders) ? initialWithOrders(priced, position, orders, "low") : levered;
  const parts = [
    { name: `leverage of ${instrumentId}`, initial: (levered - own) as Money },
    { name: `open orders of ${instrumentId}`, initial: (ordered - levered) as Money },
  ];
  return parts.flatMap((part) => (part.initial === 0n ? [] : [{ ...part, maintenance: ZERO }]));
};

/** The parts of the requirement on the cautious side: positions by their brackets, and what the model margins together. */
const componentsOf = (account: MarginAccount, market: PricedMarket): readonly Component[] => {
  const { legs, standing } = valuedOf(account, market, "low");
  const alone = account.positions.flatMap((position): Component[] => {
    const { instrumentId, quantity, entryPrice } = position;
    const priced = pricedInstrument(market, instrumentId);
    const point = pointOf(priced, quantity, entryPrice, "low");
    const { settleAsset } = priced.instrument;
    const inValuation = ({ name, initial, maintenance }: Component): Component => ({
      name,
      initial: valuationOf(market, settleAsset, initial, "low"),
      maintenance: valuationOf(market, settleAsset, maintenance, "low"),
    });
    const charges = chargesOf({ priced, quantity, price: point.price }, pricedAsset(market, settleAsset), "low", market.policy);
    if (isModelled(priced.instrument, market.policy)) return charges.map(inValuation);
    const size = abs(quantity);
    const basis = requirementPoint(priced, point, entryPrice);
    const orders = standing.get(instrumentId);
    const bracket = {
      name: `${instrumentId}: bracket ${bracketOf(basis, size) + 1}`,
      initial: tableRequirement(market, priced, basis, size),
      maintenance: requirementAt(basis, size, "maintenance"),
    };
    const raised = (requirementAt(basis, size, "initial") - bracket.initial) as Money;
    const open = raised === 0n ? [] : [{ name: `open interest of ${instrumentId}`, initial: raised, maintenance: ZERO }];
    const levered = (orders: Standing) => ({ priced: pricedInstrument(market, instrumentId, orders.leverage), position, orders });
    const beside = orders === undefined ? [] : besideComponents(levered(orders), (bracket.initial + raised) as Money);
    return [bracket, ...open, ...beside, ...charges].map(inValuation);
  });
  const flat = ordersAlone(account, standing, market).flatMap((each) =>
    besideComponents(each, ZERO).map(({ name, initial }) => ({
      name,
      initial: valuationOf(market, each.priced.instrument.settleAsset, initial, "low"),
      maintenance: ZERO,
    })),
  );
  const modelled = legs.length === 0 ? [] : modelRequirement(legs, market, "low").components;
  const ordered = !hasAnyOrders(standing) ? null : ordersOfModel(legs, standing, market, "low");
  return [...alone, ...flat, ...modelled, ...(ordered === null ? [] : [ordered])];
};

/**
 * What bound the account: the name of the part that requires most, or its debts where it is flat and owes more than it
 * has. Null for an account that nothing binds.
 */
export const boundOf = ({ components, low }: Pick<MarginStatement, "components" | "low">): string | null => {
  const [first, ...others] = components;
  if (first === undefined) return low.equityInitial < 0n ? "debts that no collateral covers" : null;
  return others.reduce((most, each) => (each.initial > most.initial ? each : most), first).name;
};

const collateralOf = (settlements: readonly Settlement[]): CollateralStatement[] =>
  settlements.map((settlement) => ({
    asset: settlement.asset,
    quality: settlement.priced?.quality ?? "GOOD",
    price: settlement.priced === null || settlement.priced.high === 0n ? null : settlement.priced.high,
    wallet: settlement.wallet,
    reserved: settlement.reserved,
    unrealised: unrealisedOf(settlement),
  }));

/**
 * A class only for its prototype: deciding an account needs the sums, and two accessors defined on
 * each statement were measured to cost as much as valuing ten positions.
 */
class Statement implements MarginStatement {
  readonly snapshotId: string;
  readonly at: number;
  readonly valuationAsset: Asset;
  readonly low: Sided;
  readonly high: Sided;
  readonly quality: MarkQuality;
  readonly allGood: boolean;
  readonly #account: MarginAccount;
  readonly #market: PricedMarket;
  readonly #valued: Valued;

  constructor(account: MarginAccount, market: PricedMarket) {
    const valued = valuedOf(account, market, "high");
    this.quality = qualityOf(valued);
    this.high = sidedOf(valued, market, "high");
    this.allGood = this.quality === "GOOD";
    this.snapshotId = market.snapshot.snapshotId;
    this.at = market.now;
    this.valuationAsset = market.policy.valuationAsset;
    // Marks of what is only ordered are no part of the quality, but count at their adverse edge.
    this.low = this.allGood && !hasAnyOrders(valued.standing) ? this.high : sidedOf(valuedOf(account, market, "low"), market, "low");
    this.#account = account;
    this.#market = market;
    this.#valued = valued;
  }

  get legs(): readonly LegStatement[] {
    return legsOf(this.#account, this.#market, this.#valued);
  }

  get collateral(): readonly CollateralStatement[] {
    return collateralOf(this.#valued.settlements);
  }

  get components(): readonly Component[] {
    return componentsOf(this.#account, this.#market);
  }

  get scenarios(): readonly ScenarioStatement[] {
    return scenarioStatements(valuedOf(this.#account, this.#market, "low").legs, this.#market);
  }
}

/** As {@link assess}, on a market that is already priced. */
export const assessOn = (account: MarginAccount, market: PricedMarket): MarginStatement => new Statement(account, market);

/**
 * Marks an account to a snapshot (R1-R5, M1-M4): equity rounded down, requirements rounded up, both
 * in the policy's valuation asset.
 *
 * @throws RangeError for a position in an unknown instrument, TermsError for a debt or a position in
 *   an asset without collateral terms: that account is not decided, its neighbours are.
 */
export const assess = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, now: number): MarginStatement =>
  assessOn(account, marketOf(snapshot, policy, now));

/**
 * True when the headroom `x = (E − MM) / (IM − MM)` is below a threshold (R1), without a division:
 * `(E − MM) · 1,000,000 < ppm · (IM − MM)`. Inclusive venues trigger at equality too.
 *
 * @param equity `E_i` for WARNING and CALL, `E_m` for the deeper levels (R2).
 */
export const headroomBelow = (
  equity: Money,
  sided: Pick<Sided, "initial" | "maintenance">,
  thresholdPpm: Ppm,
  inclusive = false,
): boolean => {
  const left = (equity - sided.maintenance) * PPM;
  const right = BigInt(thresholdPpm) * (sided.initial - sided.maintenance);
  return left < right || (inclusive && left === right);
};
