import { openInterestRate } from "./initial-rates.ts";
import type { Instrument, RiskTier } from "./instrument.ts";
import type { MarginModel } from "./margin-model.ts";
import { type Money, ONE, PPM, type Ppm } from "./money.ts";
import type { OptionMarginTerms } from "./options-margin/terms.ts";
import type { Policy } from "./policy.ts";
import type { PortfolioTerms, UnitTerms } from "./portfolio/portfolio-terms.ts";
import { heldWithin, isLargeRise, NOTICE } from "./risk/dynamic-rates.ts";
import { unitLiquidityCost } from "./unit-liquidity.ts";

/** Requirement rates by their place in the terms, in parts per million. What stands in both of two versions is compared. */
export type RequirementRates = ReadonlyMap<string, Ppm>;

/** A version of terms that holds, or held: since when, in epoch milliseconds; 0 where nobody wrote that down. */
export interface HeldTerms<Terms> {
  readonly terms: Terms;
  readonly effectiveAt: number;
}

/** A rate that rises by more than needs no notice, above the lowest that held within the notice period. */
export interface LargeRise {
  readonly place: string;
  readonly from: Ppm;
  readonly to: Ppm;
}

const bracketAt = (tiers: readonly RiskTier[], floor: Money): RiskTier | undefined => tiers.findLast((tier) => tier.floor <= floor);

/**
 * The rates of an instrument's tiers at each of these floors, so that a bracket that begins lower is a rise
 * as one that asks for more is.
 */
const tierRates = ({ tiers }: Instrument, floors: readonly Money[]): RequirementRates =>
  new Map(
    floors.flatMap((floor): [string, Ppm][] => {
      const tier = bracketAt(tiers, floor);
      if (tier === undefined) return [];
      const place = `tiers from ${floor / 100_000_000n}`;
      return [
        [`${place}: rateIm`, tier.rateIm],
        [`${place}: rateMm`, tier.rateMm],
      ];
    }),
  );

/** The first initial rate at each of these figures of open interest, so that caps that come down are a rise as well. */
const openInterestRates = ({ tiers, openInterest }: Instrument, figures: readonly bigint[]): RequirementRates =>
  new Map(
    figures.map((figure): [string, Ppm] => {
      const base = tiers[0]?.rateIm ?? 0;
      const place = `openInterest of ${figure / 100_000_000n}: rateIm`;
      return [place, openInterest === undefined ? base : openInterestRate(base, figure, openInterest.lower, openInterest.upper)];
    }),
  );

const optionRates = (place: string, terms: OptionMarginTerms): [string, Ppm][] => [
  [`${place}: rate.initial`, terms.rate.initial],
  [`${place}: rate.maintenance`, terms.rate.maintenance],
  [`${place}: least.initial`, terms.least.initial],
  [`${place}: least.maintenance`, terms.least.maintenance],
  [`${place}: putValueMaintenance`, terms.putValueMaintenance],
  [`${place}: putInitialOverMaintenance`, terms.putInitialOverMaintenance],
  ...(terms.unpairedCall === null
    ? []
    : ([
        [`${place}: unpairedCall.initial`, terms.unpairedCall.initial],
        [`${place}: unpairedCall.maintenance`, terms.unpairedCall.maintenance],
      ] as [string, Ppm][])),
];

const unitRates = (place: string, unit: UnitTerms): [string, Ppm][] => [
  [`${place}: priceRangePpm`, unit.priceRangePpm],
  [`${place}: volatility.upPpm`, unit.volatility.upPpm],
  [`${place}: shortOption.imPpm`, unit.shortOption.imPpm],
  [`${place}: shortOption.mmPpm`, unit.shortOption.mmPpm],
  [`${place}: hedged.imPpm`, unit.hedged.imPpm],
  [`${place}: hedged.mmPpm`, unit.hedged.mmPpm],
  [`${place}: futures.imPpm`, unit.futures.imPpm],
  [`${place}: futures.mmPpm`, unit.futures.mmPpm],
  [`${place}: minimumChargePpm`, unit.minimumChargePpm],
  [`${place}: deltaFloor.netPpm`, unit.deltaFloor.netPpm],
  [`${place}: deltaFloor.hedgedPpm`, unit.deltaFloor.hedgedPpm],
];

const portfolioRates = (terms: PortfolioTerms, units: readonly string[]): [string, Ppm][] => [
  ["model.terms: fMmPpm", terms.fMmPpm],
  ["model.terms: fImPpm", terms.fImPpm],
  ...unitRates("model.terms.defaultUnit", terms.defaultUnit),
  ...units.flatMap((unit) => unitRates(`model.terms.units.${unit}`, terms.units[unit] ?? terms.defaultUnit)),
];

/** The rates of a model for all these assets, whether it names them or takes its standard for them. */
const modelRates = (model: MarginModel, assets: readonly string[]): RequirementRates =>
  new Map(
    model.kind === "portfolio"
      ? portfolioRates(model.terms, assets)
      : [
          ...optionRates("model.options", model.options),
          ...assets.flatMap((asset) => optionRates(`model.optionsOf.${asset}`, model.optionsOf[asset] ?? model.options)),
        ],
  );

const assetsOf = (model: MarginModel): string[] => Object.keys(model.kind === "portfolio" ? model.terms.units : model.optionsOf);

const risesOf = <Terms>(
  held: readonly HeldTerms<Terms>[],
  next: Terms,
  now: number,
  ratesOf: (terms: Terms) => RequirementRates,
): readonly LargeRise[] => {
  const before = heldWithin(held, now).map(({ terms }) => ratesOf(terms));
  return [...ratesOf(next)].flatMap(([place, to]): LargeRise[] => {
    const stood = before.flatMap((rates) => rates.get(place) ?? []);
    if (stood.length === 0) return [];
    const from = Math.min(...stood);
    return isLargeRise(from, to) ? [{ place, from, to }] : [];
  });
};

/**
 * The rates of an instrument that rise by more than 25 % above the lowest that held within the last 24 h (M3), in
 * any bracket. None for an instrument that is new.
 *
 * @param held its versions in the order of `effectiveAt`; the first holds since ever.
 */
export const largeRisesOfInstrument = (held: readonly HeldTerms<Instrument>[], next: Instrument, now: number): readonly LargeRise[] => {
  const all = [...held.map(({ terms }) => terms), next].flatMap(({ tiers }) => tiers.map(({ floor }) => floor));
  const floors = [...new Set(all)];
  const caps = [...held.map(({ terms }) => terms), next].flatMap(({ openInterest: caps }) =>
    caps === undefined ? [] : [caps.lower, caps.upper],
  );
  const figures = [...new Set<bigint>(caps)];
  return risesOf(held, next, now, (terms) => new Map([...tierRates(terms, floors), ...openInterestRates(terms, figures)]));
};

/** What of a policy rates are read from. */
type RatedPolicy = Pick<Policy, "model" | "liquidity">;

/**
 * The liquidity add-on of each of these assets as a share of an exposure (M8): at the threshold and at a day's volume of
 * every version compared, so that a smaller volume is a rise as a higher charge is; and the spread of volatility. Without terms all are 0.
 */
const liquidityRates = ({ liquidity = {} }: RatedPolicy, exposures: ReadonlyMap<string, ReadonlySet<Money>>): RequirementRates =>
  new Map(
    [...exposures].flatMap(([asset, sizes]): [string, Ppm][] => {
      const unit = liquidity[asset];
      const shares = [...sizes].map((size): [string, Ppm] => {
        const whole = Number(size) / Number(ONE);
        const cost = unit === undefined ? null : unitLiquidityCost(whole, unit);
        return [`liquidity.${asset}: of ${size / ONE}`, cost?.ok === true ? Math.ceil((cost.value.total / whole) * Number(PPM)) : 0];
      });
      return [...shares, [`liquidity.${asset}: volatilitySpread`, unit?.volatilitySpread ?? 0]];
    }),
  );

const exposuresOf = (policies: readonly RatedPolicy[]): ReadonlyMap<string, ReadonlySet<Money>> => {
  const exposures = new Map<string, Set<Money>>();
  for (const [asset, { averageVolume, threshold }] of policies.flatMap(({ liquidity }) => Object.entries(liquidity ?? {}))) {
    const sizes = exposures.get(asset) ?? new Set();
    exposures.set(asset, sizes.add(averageVolume));
    if (threshold > 0) sizes.add(((averageVolume * BigInt(threshold)) / PPM) as Money);
  }
  return exposures;
};

/**
 * The same for the rates of a policy: of its margin model, which are its option rates (M5) or its price ranges, charges
 * and factors (M6), and of its liquidity terms. Another kind of model has no rates to compare: whom it breaches is the
 * plan's to say.
 */
export const largeRisesOfPolicy = (held: readonly HeldTerms<RatedPolicy>[], next: RatedPolicy, now: number): readonly LargeRise[] => {
  const all = [...held.map(({ terms }) => terms), next];
  const assets = [...new Set(all.flatMap(({ model }) => assetsOf(model)))];
  const exposures = exposuresOf(all);
  return risesOf(held, next, now, (terms) => new Map([...modelRates(terms.model, assets), ...liquidityRates(terms, exposures)]));
};

/** The earliest instant at which such rises may hold (M3). */
export const noticeEndsAt = (now: number): number => now + NOTICE.noticeMs;

/** The instant since which what held counts (M3). */
export const noticeBeganAt = (now: number): number => now - NOTICE.noticeMs;
