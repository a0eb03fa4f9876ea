import { type AddOn, addOnsOf, type Floor, floorOf } from "./add-ons.ts";
import { addProduct, type Bucket, bucketsOf, type PricedLeg, partOf, worstOf } from "./expiry-bucket.ts";
import { type GroupOffset, groupOffset } from "./group-offset.ts";
import type { PortfolioTerms } from "./portfolio-terms.ts";
import type { PricedInstrument, PricedUnit } from "./priced-instrument.ts";
import { rolledExpiries } from "./roll.ts";
import type { PricingFault } from "./scenario-vector.ts";

const PPM = 1_000_000;

/** A position or a holding: contracts, above 0 for long. */
export interface PortfolioLeg {
  readonly quantity: number;
  readonly instrument: PricedInstrument;
}

/** A leg that has no price, and what it costs instead: its full notional. */
export interface UnpricedLeg {
  readonly instrumentId: string;
  readonly fault: PricingFault;
  readonly amount: number;
}

/** The requirement of one risk unit, with everything that makes it. Figures are in the valuation asset. */
export interface UnitRequirement {
  readonly unitId: string;
  /** Profit and loss of the account in each of the unit's own scenarios, named alike. */
  readonly pnl: Float64Array;
  readonly names: readonly string[];
  /** `max(0, −min pnl)`, the roll scenario among them. */
  readonly scanLoss: number;
  /** The scenario that has it: `index` is `pnl.length` for the roll scenario. Null where no scenario loses. */
  readonly binding: { readonly index: number; readonly name: string } | null;
  /** What each instrument has in it. They add up to minus the scan loss. */
  readonly parts: readonly { readonly instrumentId: string; readonly pnl: number }[];
  readonly addOns: readonly AddOn[];
  readonly unpriced: readonly UnpricedLeg[];
  /** The highest floor, and whether it bound. */
  readonly floor: Floor & { readonly bound: boolean };
  /** Before any offset between units. */
  readonly initial: number;
  readonly maintenance: number;
  /** Profit and loss in the joint moves of its group; empty without one. */
  readonly joint: Float64Array;
}

/** The requirement of an account (M6) with its explanation: from `units` and `offsets` both figures can be added up again. */
export interface PortfolioRequirement {
  readonly ok: true;
  readonly initial: number;
  readonly maintenance: number;
  /** Value of options and holdings: it stays in equity (R6). */
  readonly marketValue: number;
  readonly units: readonly UnitRequirement[];
  readonly offsets: readonly GroupOffset[];
}

/**
 * No requirement can be given: a quantity is no number, a leg has neither a price nor a notional, two legs
 * of a unit were priced at different snapshots (their `PricedUnit` is not one object), or the legs of a unit
 * together go beyond what a number holds.
 */
export interface PortfolioRefusal {
  readonly ok: false;
  readonly faults: readonly { readonly instrumentId: string; readonly fault: PricingFault | "BAD_QUANTITY" | "OTHER_SNAPSHOT" }[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One leg an instrument, by id: the order of an account's positions changes no figure. */
const merged = (legs: readonly PortfolioLeg[]): readonly PortfolioLeg[] => {
  const byId = new Map<string, number[]>();
  const instruments = new Map<string, PricedInstrument>();
  for (const { quantity, instrument } of legs) {
    byId.set(instrument.instrumentId, [...(byId.get(instrument.instrumentId) ?? []), quantity]);
    instruments.set(instrument.instrumentId, instrument);
  }
  return [...instruments]
    .sort(([a], [b]) => compare(a, b))
    .map(([id, instrument]) => ({
      instrument,
      quantity: (byId.get(id) ?? []).sort((a, b) => a - b).reduce((sum, each) => sum + each, 0),
    }))
    .filter(({ quantity }) => quantity !== 0);
};

const pricedOf = (legs: readonly PortfolioLeg[]): readonly PricedLeg[] =>
  legs.flatMap(({ quantity, instrument }) => {
    const { priced } = instrument;
    return priced.ok ? [{ quantity, instrument, value: priced.value, delta: priced.delta, vector: priced.pnl }] : [];
  });

const unpricedOf = (legs: readonly PortfolioLeg[]): readonly UnpricedLeg[] =>
  legs.flatMap(({ quantity, instrument: { instrumentId, priced, cover } }) =>
    priced.ok ? [] : [{ instrumentId, fault: priced.fault, amount: Math.abs(quantity) * (cover ?? 0) }],
  );

/** The scan loss, the scenario that has it and what each leg has in it. */
const scan = (buckets: readonly Bucket[], unit: PricedUnit) => {
  const { set } = unit;
  const all = new Float64Array(set.scenarios.length);
  for (const bucket of buckets) addProduct(all, bucket.settled, 1);
  const worst = worstOf(all, 0, set.own);
  const rolled = rolledExpiries(buckets, set);
  const rollLoss = rolled.reduce((total, { loss }) => total + loss, 0);
  const pnl = all.slice(0, set.own);
  const joint = all.slice(set.joint, set.joint + set.jointRows);
  const legs = buckets.flatMap((bucket) => bucket.legs.map((leg) => ({ leg, bucket })));
  if (rollLoss > worst.loss) {
    const parts = legs.map(({ leg, bucket }) => {
      const at = rolled.find(({ timeMs, loss }) => timeMs === bucket.timeMs && loss > 0);
      const part = at === undefined ? 0 : (leg.vector[at.row] as number) * leg.quantity * at.factor;
      return { instrumentId: leg.instrument.instrumentId, pnl: part };
    });
    return { pnl, joint, scanLoss: rollLoss, binding: { index: set.own, name: "roll of the expiries" }, parts };
  }
  if (worst.row < 0) return { pnl, joint, scanLoss: 0, binding: null, parts: [] };
  const parts = legs.map(({ leg, bucket }) => ({
    instrumentId: leg.instrument.instrumentId,
    pnl: partOf(leg, bucket, worst.row, set),
  }));
  return { pnl, joint, scanLoss: worst.loss, binding: { index: worst.row, name: set.scenarios[worst.row]?.name ?? "" }, parts };
};

const hedges = ({ leg, asset }: PricedInstrument, terms: PortfolioTerms): boolean =>
  leg.kind !== "spot" || terms.spot[asset]?.hedges === true;

const unitRequirement = (unit: PricedUnit, legs: readonly PortfolioLeg[], terms: PortfolioTerms): UnitRequirement => {
  const priced = pricedOf(legs);
  const buckets = bucketsOf(
    priced.filter(({ instrument }) => hedges(instrument, terms)),
    unit.set,
  );
  const scanned = scan(buckets, unit);
  const addOns = addOnsOf({ unit, legs: priced, buckets, scanLoss: scanned.scanLoss }, terms);
  const unpriced = unpricedOf(legs);
  const missing = unpriced.reduce((sum, { amount }) => sum + amount, 0);
  const factor = terms.fImPpm / terms.fMmPpm;
  const maintenance = addOns.reduce((sum, each) => sum + each.maintenance, (scanned.scanLoss * terms.fMmPpm) / PPM) + missing;
  const initial = addOns.reduce((sum, each) => sum + each.initial, (scanned.scanLoss * terms.fImPpm) / PPM) + missing * factor;
  const floor = floorOf(priced, unit);
  const floorInitial = floor.maintenance * factor;
  return {
    unitId: unit.set.unitId,
    names: unit.set.names,
    ...scanned,
    addOns,
    unpriced,
    floor: { ...floor, bound: floor.maintenance > maintenance || floorInitial > initial },
    initial: Math.max(initial, floorInitial),
    maintenance: Math.max(maintenance, floor.maintenance),
  };
};

const faultsOf = (legs: readonly PortfolioLeg[]): PortfolioRefusal["faults"] => {
  const units = new Map<string, PricedUnit>();
  return legs.flatMap(({ quantity, instrument: { instrumentId, priced, cover, unit } }): PortfolioRefusal["faults"] => {
    const first = units.get(unit.set.unitId) ?? unit;
    units.set(unit.set.unitId, first);
    if (!Number.isFinite(quantity)) return [{ instrumentId, fault: "BAD_QUANTITY" }];
    if (first !== unit) return [{ instrumentId, fault: "OTHER_SNAPSHOT" }];
    return priced.ok || cover !== null ? [] : [{ instrumentId, fault: priced.fault }];
  });
};

/** A sum that went beyond numbers in one scenario would hide there: every row is looked at. */
const isFinal = ({ initial, maintenance, pnl, joint }: UnitRequirement): boolean =>
  Number.isFinite(initial + maintenance) && pnl.every(Number.isFinite) && joint.every(Number.isFinite);

/**
 * The requirement of an account by its scenarios (M6, R6, R26): in each unit the largest loss, charges that
 * do not net between units, floors, and an offset between units that move together.
 *
 * Instruments come priced: what is left is sums of products. A leg that cannot be priced is named and
 * costs its full notional in MM and `f_im/f_mm` of it in IM; it hedges nothing.
 *
 * @param legs in any order; legs of one instrument add up.
 * @param terms those that the units' scenario sets were made from, validated.
 * @returns never NaN: a refusal that names the legs where there is no figure.
 */
export const portfolioMargin = (legs: readonly PortfolioLeg[], terms: PortfolioTerms): PortfolioRequirement | PortfolioRefusal => {
  const faults = faultsOf(legs);
  if (faults.length > 0) return { ok: false, faults };
  const held = merged(legs);
  const books = new Map<string, { unit: PricedUnit; legs: PortfolioLeg[] }>();
  for (const leg of held) {
    const { unit } = leg.instrument;
    const book = books.get(unit.set.unitId) ?? { unit, legs: [] };
    book.legs.push(leg);
    books.set(unit.set.unitId, book);
  }
  const units = [...books.values()]
    .sort((a, b) => compare(a.unit.set.unitId, b.unit.set.unitId))
    .map((book) => unitRequirement(book.unit, book.legs, terms));
  const beyond = units.filter((unit) => !isFinal(unit)).map(({ unitId }) => unitId);
  if (beyond.length > 0) {
    const lost = held.filter(({ instrument }) => beyond.includes(instrument.unit.set.unitId));
    return { ok: false, faults: lost.map(({ instrument: { instrumentId } }) => ({ instrumentId, fault: "NOT_FINITE" })) };
  }
  const offsets = terms.groups.flatMap((group) => groupOffset(group, units, terms));
  const total = (amounts: readonly number[]): number => amounts.reduce((sum, each) => sum + each, 0);
  return {
    ok: true,
    initial: total(units.map(({ initial }) => initial)) - total(offsets.map(({ initial }) => initial)),
    maintenance: total(units.map(({ maintenance }) => maintenance)) - total(offsets.map(({ maintenance }) => maintenance)),
    marketValue: total(held.map(({ quantity, instrument: { priced } }) => (priced.ok ? quantity * priced.value : 0))),
    units,
    offsets,
  };
};

/** What an account has beyond its requirement, below 0 where it lacks it. */
export interface PortfolioSurplus {
  readonly markToMarket: number;
  readonly initial: number;
  readonly maintenance: number;
}

/** Net margin of an account: its cash and open profit plus the value of options and holdings (R6), less the requirement. */
export const portfolioSurplus = (cash: number, { marketValue, initial, maintenance }: PortfolioRequirement): PortfolioSurplus => ({
  markToMarket: cash + marketValue,
  initial: cash + marketValue - initial,
  maintenance: cash + marketValue - maintenance,
});
