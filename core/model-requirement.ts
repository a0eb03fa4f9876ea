import type { MarginAccount } from "./account.ts";
import { atPrice } from "./collateral.ts";
import type { ModelLeg, ValueSide } from "./equity.ts";
import type { Asset, Instrument, OptionTerms } from "./instrument.ts";
import type { PortfolioModel, StandardModel } from "./margin-model.ts";
import type { PricedMarket } from "./market.ts";
import { pricedAsset, pricedInstrument } from "./market.ts";
import type { Money, Price, Quantity } from "./money.ts";
import { abs, divide, estimated, max, ONE } from "./money.ts";
import type { OptionLeg, OptionMarket } from "./options-margin/leg.ts";
import { standardOptionMargin } from "./options-margin/standard.ts";
import type { Policy } from "./policy.ts";
import { type PortfolioLeg, type PortfolioRequirement, portfolioMargin, type UnitRequirement } from "./portfolio/portfolio-margin.ts";
import { riskInstrument, spotOf } from "./risk-market.ts";
import { statisticalMargin } from "./statistical-model.ts";
import { isLiquidityCharged, liquidityComponents } from "./unit-liquidity.ts";
import { isPremium, notionalOf, type PricedInstrument, pointOf, profitOf } from "./valuation.ts";

/** True where the policy's model margins a position with its neighbours (M5, M6), not alone by its brackets (M3). */
export const isModelled = ({ kind }: Instrument, { model }: Policy): boolean => model.kind !== "standard" || kind === "option";

/** True where what a position requires depends on its neighbours: by the model, or by the net exposure to its base asset (M8). */
export const isMarginedTogether = (instrument: Instrument, policy: Policy): boolean =>
  isModelled(instrument, policy) || isLiquidityCharged(instrument, policy);

/** One part of a requirement, in the valuation asset, by the name that explains it. */
export interface Component {
  /** For example "options of BTC, expiry of BTC-27MAR26-60000-C: worst payoff" or "BTC: price −16 %, volatility up". */
  readonly name: string;
  /** Negative where it takes off, as an offset between units does. */
  readonly initial: Money;
  readonly maintenance: Money;
}

/** What a model requires of positions together. */
export interface ModelRequirement {
  /** Sums of the components; each of them is rounded up. */
  readonly initial: Money;
  readonly maintenance: Money;
  readonly components: readonly Component[];
}

const addUp = (components: readonly Component[]): ModelRequirement => ({
  initial: components.reduce((sum, { initial }) => sum + initial, 0n) as Money,
  maintenance: components.reduce((sum, { maintenance }) => sum + maintenance, 0n) as Money,
  components,
});

/** An amount of a settlement asset in the valuation asset, rounded up; as it is where nobody prices the asset, and E_low says so (R3). */
export const valuationOf = (market: PricedMarket, asset: Asset, amount: Money, side: ValueSide): Money => {
  const priced = pricedAsset(market, asset);
  const price = side === "high" ? priced?.high : priced?.upper;
  return price === undefined || price === 0n ? amount : atPrice(amount, price, "up");
};

const priceOn = ({ high, lowLong, lowShort }: PricedInstrument, quantity: Quantity, side: ValueSide): Price | null =>
  (side === "high" ? high : quantity > 0n ? lowLong : lowShort)?.price ?? null;

/** An option that was bought and paid for: its holder loses no more than what it is worth. */
const isPaidFor = ({ priced: { instrument }, quantity }: ModelLeg): boolean => quantity > 0n && isPremium(instrument);

/**
 * What a position costs that no model can value: its whole notional, at the entry price or, for an option, at its
 * strike or one coin a unit; an option that was bought and paid for costs what equity counts of it, which is nothing
 * in standard option margin (R6).
 */
const coverOf = (leg: ModelLeg, { policy }: PricedMarket, side: ValueSide): Money => {
  const { priced, quantity, entryPrice } = leg;
  const { instrument } = priced;
  const { option } = instrument;
  if (option === null) return notionalOf(instrument, quantity, entryPrice);
  if (isPaidFor(leg)) {
    if (policy.model.kind === "standard") return 0n as Money;
    const counted = pointOf(priced, quantity, entryPrice, side).price;
    return max(profitOf(instrument, quantity, 0n as Price, counted), 0n as Money);
  }
  const unit = option.settlement === "linear" ? option.strike : ONE;
  return divide(abs(quantity) * instrument.multiplier * unit, ONE * ONE, "up") as Money;
};

const unpriced = (leg: ModelLeg, why: string, market: PricedMarket, side: ValueSide): Component => {
  const { instrumentId, settleAsset } = leg.priced.instrument;
  const cover = valuationOf(market, settleAsset, coverOf(leg, market, side), side);
  const what = isPaidFor(leg) ? "its value" : "its notional";
  return { name: `${instrumentId} UNPRICED, ${why}: ${what}`, initial: cover, maintenance: cover };
};

interface OptionsOf {
  readonly first: Instrument;
  readonly terms: OptionTerms;
  readonly legs: ModelLeg[];
}

/** Options that are margined together: of one base asset, settled alike. */
const optionGroups = (legs: readonly ModelLeg[]): readonly OptionsOf[] => {
  const groups = new Map<string, OptionsOf>();
  for (const leg of legs) {
    const { instrument } = leg.priced;
    const { option } = instrument;
    if (option === null) continue;
    const key = `${instrument.baseAsset} ${instrument.settleAsset} ${option.settlement} ${option.style}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: instrument, terms: option, legs: [leg] });
    else group.legs.push(leg);
  }
  return [...groups.values()];
};

const toWhole = (value: number): Price => BigInt(Math.round(value * Number(ONE))) as Price;

const standardComponents = ({ first, legs }: OptionsOf, model: StandardModel, market: PricedMarket, side: ValueSide): Component[] => {
  const options: OptionLeg[] = [];
  const forwards = new Map<number, Price>();
  const others: Component[] = [];
  for (const leg of legs) {
    const { instrument, option } = leg.priced;
    const value = priceOn(leg.priced, leg.quantity, side);
    if (option === null || value === null || option.forward === null || instrument.expiryAt === null) {
      others.push(unpriced(leg, "no mark", market, side));
      continue;
    }
    const { right, settlement, style, strike } = option.terms;
    const { instrumentId, expiryAt, multiplier } = instrument;
    forwards.set(expiryAt, toWhole(option.forward));
    options.push({ instrumentId, right, kind: settlement, style, expiryAt, strike, quantity: leg.quantity, multiplier, value });
  }
  if (options.length === 0) return others;
  const spot = toWhole(spotOf(first.baseAsset, market.snapshot)?.price ?? 0);
  const judged: OptionMarket = { spot, forwards };
  const margin = standardOptionMargin(options, judged, model.optionsOf[first.baseAsset] ?? model.options);
  if (!margin.ok) return legs.map((leg) => unpriced(leg, margin.fault, market, side));
  const expiries = margin.expiries.map(({ expiryAt, initial, maintenance }): Component => {
    const one = options.find((option) => option.expiryAt === expiryAt)?.instrumentId ?? "";
    return {
      name: `options of ${first.baseAsset}, expiry of ${one}: ${initial.bound}`,
      initial: valuationOf(market, first.settleAsset, initial.required, side),
      maintenance: valuationOf(market, first.settleAsset, maintenance.required, side),
    };
  });
  return [...expiries, ...others];
};

const unitComponents = (unit: UnitRequirement, { fImPpm, fMmPpm }: PortfolioModel["terms"]): Component[] => {
  const { unitId, scanLoss, binding, addOns, floor } = unit;
  const scan = { initial: (scanLoss * fImPpm) / 1e6, maintenance: (scanLoss * fMmPpm) / 1e6 };
  const parts = [
    { name: `${unitId}: ${binding?.name ?? "no scenario loses"}`, ...scan },
    ...addOns.map((each) => ({ ...each, name: `${unitId}: ${each.name}` })),
  ];
  const covers = unit.unpriced.map(({ instrumentId, fault, amount }) => ({
    name: `${instrumentId} UNPRICED, ${fault}: its notional`,
    initial: (amount * fImPpm) / fMmPpm,
    maintenance: amount,
  }));
  const components = [...parts, ...covers].map((each) => ({
    name: each.name,
    initial: estimated(each.initial),
    maintenance: estimated(each.maintenance),
  }));
  if (!floor.bound) return components;
  const sums = addUp(components);
  const lift = (to: number, sum: Money): Money => {
    const missing = estimated(to) - sum;
    return (missing > 0n ? missing : 0n) as Money;
  };
  const name = `${unitId}: up to the ${floor.name}`;
  return [...components, { name, initial: lift(unit.initial, sums.initial), maintenance: lift(unit.maintenance, sums.maintenance) }];
};

const isSomething = ({ initial, maintenance }: Component): boolean => initial !== 0n || maintenance !== 0n;

const portfolioComponents = ({ units, offsets }: PortfolioRequirement, { terms }: PortfolioModel): Component[] =>
  [
    ...units.flatMap((unit) => unitComponents(unit, terms)),
    ...offsets.map((offset) => ({
      name: `offset in ${offset.groupId}: ${offset.binding ?? "no joint move loses"}`,
      initial: estimated(-offset.initial),
      maintenance: estimated(-offset.maintenance),
    })),
  ].filter(isSomething);

/**
 * The parts with what lifts them to the expected shortfall of the joint scenarios (M7): max(grid, ES). Units that the
 * scenarios do not know are margined by their grid beside it, and a leg without a price by its notional.
 */
const withHistory = (
  grid: PortfolioRequirement,
  components: readonly Component[],
  of: {
    readonly kept: readonly PortfolioLeg[];
    readonly model: PortfolioModel;
    readonly market: PricedMarket;
  },
): readonly Component[] => {
  const { kept, model, market } = of;
  const { statistical, terms } = model;
  if (statistical === null || kept.length === 0) return components;
  const { margin } = statisticalMargin(kept, market, model, statistical);
  // The terms were validated when the policy was loaded and every vector is finite: a fault is a bug, and the account is set aside.
  if (!margin.ok) throw new RangeError(`historical margin ${margin.fault}: ${margin.detail}`);
  const factor = terms.fImPpm / terms.fMmPpm;
  const asked = { initial: margin.value.margin * factor, maintenance: margin.value.margin };
  for (const unit of grid.units) {
    const cover = unit.unpriced.reduce((sum, { amount }) => sum + amount, 0);
    const beside = statistical.units.includes(unit.unitId) ? { initial: cover * factor, maintenance: cover } : unit;
    asked.initial += beside.initial;
    asked.maintenance += beside.maintenance;
  }
  const sums = addUp(components);
  const lift = (to: number, sum: Money): Money => max((estimated(to) - sum) as Money, 0n as Money);
  const binding = margin.value.binding === "STRESS_BLEND" ? `with the stress ${margin.value.stress.name}` : "of the history";
  const name = `up to the expected shortfall ${binding}`;
  const lifted = { name, initial: lift(asked.initial, sums.initial), maintenance: lift(asked.maintenance, sums.maintenance) };
  return isSomething(lifted) ? [...components, lifted] : components;
};

/** Positions as the models of a portfolio see them. */
interface PortfolioBook {
  /** Those that the grid margins, priced on the snapshot. */
  readonly kept: readonly PortfolioLeg[];
  /**
   * The others are margined without these: one without a price and without a notional is covered by what it was entered
   * at, one that was paid for by its value.
   */
  readonly lost: readonly { readonly leg: ModelLeg; readonly why: string }[];
}

/** The positions of an account as its risk units hold them (M6). */
export const portfolioBook = (legs: readonly ModelLeg[], model: PortfolioModel, market: PricedMarket): PortfolioBook => {
  const priced = legs.map((leg) => ({
    leg,
    held: {
      quantity: Number(leg.quantity) / Number(ONE),
      instrument: riskInstrument(market, model, leg.priced.instrument.instrumentId),
    },
  }));
  const whyLost = ({ leg, held: { instrument } }: (typeof priced)[number]): string | null => {
    if (instrument.priced.ok) return null;
    if (instrument.cover === null) return "no mark";
    return isPaidFor(leg) ? instrument.priced.fault : null;
  };
  return {
    kept: priced.filter((each) => whyLost(each) === null).map(({ held }) => held),
    lost: priced.flatMap((each) => {
      const why = whyLost(each);
      return why === null ? [] : [{ leg: each.leg, why }];
    }),
  };
};

const portfolioParts = (legs: readonly ModelLeg[], model: PortfolioModel, market: PricedMarket, side: ValueSide): readonly Component[] => {
  const { kept, lost } = portfolioBook(legs, model, market);
  const margin = portfolioMargin(kept, model.terms);
  const components = margin.ok
    ? withHistory(margin, portfolioComponents(margin, model), { kept, model, market })
    : legs.filter((leg) => lost.every((each) => each.leg !== leg)).map((leg) => unpriced(leg, "no figure", market, side));
  return [...components, ...lost.map(({ leg, why }) => unpriced(leg, why, market, side))];
};

/**
 * What is required of the positions that are margined together, on one side of R3: by the policy's model (M5, M6), and
 * for the liquidity of their markets (M8), which no model's offset or floor takes in.
 */
export const modelRequirement = (legs: readonly ModelLeg[], market: PricedMarket, side: ValueSide): ModelRequirement => {
  const { model } = market.policy;
  const parts =
    model.kind === "portfolio"
      ? portfolioParts(legs, model, market, side)
      : optionGroups(legs).flatMap((group) => standardComponents(group, model, market, side));
  return addUp([...parts, ...liquidityComponents(legs, market, side)]);
};

/** The legs that a model would margin if all orders of one side were filled at the mark. */
const filledLegs = (
  legs: readonly ModelLeg[],
  standing: MarginAccount["standing"],
  market: PricedMarket,
  filled: "buys" | "sells",
): readonly ModelLeg[] => {
  const left = new Map(legs.map((leg) => [leg.priced.instrument.instrumentId, leg]));
  for (const [instrumentId, orders] of standing) {
    const held = left.get(instrumentId);
    if (held === undefined && !market.snapshot.marks.has(instrumentId)) continue;
    if (!market.snapshot.instruments.has(instrumentId)) continue;
    const priced = held?.priced ?? pricedInstrument(market, instrumentId);
    if (!isMarginedTogether(priced.instrument, market.policy)) continue;
    const quantity = ((held?.quantity ?? 0n) + (filled === "buys" ? orders.buys : -orders.sells)) as Quantity;
    const entryPrice = held?.entryPrice ?? priced.high?.price ?? (0n as Price);
    if (quantity === 0n) left.delete(instrumentId);
    else left.set(instrumentId, { priced, quantity, entryPrice });
  }
  return [...left.values()].sort((a, b) => (a.priced.instrument.instrumentId < b.priced.instrument.instrumentId ? -1 : 1));
};

/** What buy orders would pay for options whose price no equity counts (R6), in the valuation asset, rounded up. */
const premiumOf = (standing: MarginAccount["standing"], market: PricedMarket, side: ValueSide): Money => {
  if (market.policy.model.kind !== "standard") return 0n as Money;
  return [...standing].reduce((sum, [instrumentId, { buys }]) => {
    const instrument = market.snapshot.instruments.get(instrumentId);
    const mark = market.snapshot.marks.get(instrumentId);
    if (instrument === undefined || mark === undefined || !isPremium(instrument)) return sum;
    return (sum + valuationOf(market, instrument.settleAsset, notionalOf(instrument, buys, mark.price), side)) as Money;
  }, 0n as Money);
};

/**
 * What open orders add to a model's initial requirement: the worst of no fill, all buys and all sells (M3). Three
 * evaluations and not one for each set of orders: what offsets a fill is mostly a fill of the other side.
 *
 * @returns null where they add nothing.
 */
export const ordersOfModel = (
  legs: readonly ModelLeg[],
  standing: MarginAccount["standing"],
  market: PricedMarket,
  side: ValueSide,
): Component | null => {
  const own = modelRequirement(legs, market, side).initial;
  const added = (filled: "buys" | "sells", premium: bigint): Component => {
    const required = modelRequirement(filledLegs(legs, standing, market, filled), market, side).initial;
    return { name: `open orders: all ${filled} filled`, initial: (required - own + premium) as Money, maintenance: 0n as Money };
  };
  const [buys, sells] = [added("buys", premiumOf(standing, market, side)), added("sells", 0n)];
  const worst = sells.initial > buys.initial ? sells : buys;
  return worst.initial > 0n ? worst : null;
};
