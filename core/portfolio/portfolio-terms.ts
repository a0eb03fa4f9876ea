import type { Ppm } from "../money.ts";

/** A charge for IM and for MM, each in ppm of a notional. IM is above MM, or both are 0; under a venue's own rule they may be equal. */
export interface Charge {
  readonly imPpm: Ppm;
  readonly mmPpm: Ppm;
}

/** How far a volatility moves with the price: `σ' = max(σ_min, σ·(1 + v·(30/days)^p))` (M6). */
export interface VolatilityTerms {
  /** Relative shock at 30 days, up and down. A volatility that is shocked down ends at 0, never below. */
  readonly upPpm: Ppm;
  readonly downPpm: Ppm;
  /** The power p to 30 days, and beyond. */
  readonly shortPowerPpm: Ppm;
  readonly longPowerPpm: Ppm;
  /** A volatility that is shocked up is at least this much a year. */
  readonly minUpPpm: Ppm;
  /** Less time than this counts as this much, in ms: one day. */
  readonly timeFloorMs: number;
}

/** Far moves beyond the range, volatility up, of which `min(1, damping/|move|)` counts. */
export interface TailTerms {
  /** Signed moves, above −1,000,000. */
  readonly movesPpm: readonly Ppm[];
  readonly dampingPpm: Ppm;
}

/** Most that a tilt changes a volatility: `cap + capPerRootYear·√T`, and no less than 0. */
export interface SkewCap {
  readonly capPpm: Ppm;
  readonly capPerRootYearPpm: Ppm;
}

/**
 * Two moves of the smile at an unmoved price: a tilt `1 + k·cap/k*` in `k = ln(K/F)`, and the same in |k|,
 * both held at the cap. `k* = max(kStarMin, width·√T·(static + perRootYear·√T))`. The change of each
 * expiry counts as a loss whichever way it goes, which stands for the opposite move too.
 */
export interface SkewTerms {
  readonly tilt: SkewCap;
  readonly smile: SkewCap;
  readonly kStarMinPpm: Ppm;
  readonly widthPpm: Ppm;
  readonly staticPpm: Ppm;
  readonly perRootYearPpm: Ppm;
}

/** Which way volatility goes in a scenario. */
export type VolatilityMove = "down" | "same" | "up" | "tilt" | "smile";

/** A scenario of a venue's own list. */
export interface ListedScenario {
  /** Signed move of the price, above −1,000,000. */
  readonly movePpm: Ppm;
  readonly volatility: VolatilityMove;
  /** Share of its profit and loss that counts. */
  readonly weightPpm: Ppm;
}

/**
 * What closing out an expiry's options brings, beside their value after the shock: a net long expiry
 * `base · e^(−T·(rate·mult + add))` of it, a net short one `base · e^(T·(rate·mult + add))`, at most 1/D.
 */
export interface CloseOutValue {
  readonly basePpm: Ppm;
  readonly rateMultiplePpm: Ppm;
  readonly rateAddPpm: Ppm;
}

/** The roll scenario: each expiry at its worse of two moves, times `fixed + perYear·T`, no netting between expiries. */
export interface RollTerms {
  readonly upPpm: Ppm;
  readonly downPpm: Ppm;
  readonly fixedPpm: Ppm;
  readonly perYearPpm: Ppm;
}

/** A threshold below which `(…)·factor` is charged in IM. */
export interface Threshold {
  readonly thresholdPpm: Ppm;
  readonly factorPpm: Ppm;
}

/** How one risk unit, an underlying with all that hangs on it, is margined (M6). Rates are whole ppm. */
export interface UnitTerms {
  readonly priceRangePpm: Ppm;
  /** Price moves on each side of 0. */
  readonly priceSteps: number;
  readonly volatility: VolatilityTerms;
  readonly tails: TailTerms;
  readonly skew: SkewTerms | null;
  /** A venue's own list in place of the grid, the tails and the skew; null: none. */
  readonly scenarios: readonly ListedScenario[] | null;
  readonly closeOut: { readonly long: CloseOutValue; readonly short: CloseOutValue } | null;
  readonly roll: RollTerms | null;
  /** Share that is taken back of what expiries save by being margined together. */
  readonly termMismatchPpm: Ppm;
  /** Of the spot notional of the options that are net short at a strike. */
  readonly shortOption: Charge;
  /** Of the smaller of long and short futures, at spot. */
  readonly hedged: Charge;
  /** Of the spot notional of every future, long and short. */
  readonly futures: Charge;
  /** A price whose confidence is below: `(1 − confidence)·factor` of the notional, IM only. */
  readonly confidence: Threshold | null;
  /** A settlement asset below its peg: `(threshold − price)·factor` of the scan loss, IM only. */
  readonly depeg: Threshold | null;
  /** MM is at least this much of the gross spot notional of futures and short options. */
  readonly minimumChargePpm: Ppm;
  /** MM is at least `net·|net delta| + hedged·min(long, short delta)`, at spot. */
  readonly deltaFloor: { readonly netPpm: Ppm; readonly hedgedPpm: Ppm };
}

/** An asset that is held and moves with the unit. */
export interface SpotTerms {
  /** Whether it hedges in the grid. */
  readonly hedges: boolean;
  /** Haircut that is charged here: 0 where the collateral schedule (M2) has it. Never in both. */
  readonly haircut: Charge;
}

/** Risk units that offset each other, because a joint move is how they move in stress. */
export interface CorrelationGroup {
  readonly groupId: string;
  /** Why they move together, in words. */
  readonly reason: string;
  /** The smaller of the correlation over a year and over the worst 30 days: at least 700,000. */
  readonly stressCorrelationPpm: Ppm;
  /** Share of the difference that is given: at most 800,000 (EMIR RTS 153/2013, Art. 27) and at most the correlation. */
  readonly lambdaPpm: Ppm;
  /** The joint move x of the group, and its steps on each side. A member moves by `beta · x`. */
  readonly priceRangePpm: Ppm;
  readonly priceSteps: number;
  readonly members: readonly { readonly unitId: string; readonly betaPpm: Ppm }[];
}

/** Portfolio margin (M6) of a venue: plain and serialisable. Load it through `validatePortfolioTerms`. */
export interface PortfolioTerms {
  readonly termsId: string;
  readonly version: number;
  /** The venue whose published rule these terms restate; null for own terms, of which R26 is asked. */
  readonly venueRule: string | null;
  /** Factor on the scan loss for MM: 1,000,000 (R26). */
  readonly fMmPpm: Ppm;
  /** Factor for IM, above the one for MM: 1,300,000. */
  readonly fImPpm: Ppm;
  /** Terms of a unit that has none of its own. */
  readonly defaultUnit: UnitTerms;
  readonly units: Readonly<Record<string, UnitTerms>>;
  /** By asset. One that is not here neither hedges nor is charged. */
  readonly spot: Readonly<Record<string, SpotTerms>>;
  readonly groups: readonly CorrelationGroup[];
}

const NO_CHARGE: Charge = { imPpm: 0, mmPpm: 0 };

/** The grid of M6 for bitcoin and ether: 9 prices × 3 volatilities, 8 tails, 2 moves of the smile. */
export const STANDARD_UNIT: UnitTerms = {
  priceRangePpm: 160_000,
  priceSteps: 4,
  volatility: {
    upPpm: 450_000,
    downPpm: 250_000,
    shortPowerPpm: 300_000,
    longPowerPpm: 130_000,
    minUpPpm: 0,
    timeFloorMs: 86_400_000,
  },
  tails: {
    movesPpm: [-660_000, -330_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000],
    dampingPpm: 160_000,
  },
  skew: {
    tilt: { capPpm: 150_000, capPerRootYearPpm: -50_000 },
    smile: { capPpm: 150_000, capPerRootYearPpm: -50_000 },
    kStarMinPpm: 10_000,
    widthPpm: 4_000_000,
    staticPpm: 600_000,
    perRootYearPpm: -100_000,
  },
  scenarios: null,
  closeOut: null,
  roll: { upPpm: 40_000, downPpm: -40_000, fixedPpm: 250_000, perYearPpm: 1_000_000 },
  termMismatchPpm: 100_000,
  shortOption: { imPpm: 5_000, mmPpm: 2_000 },
  hedged: { imPpm: 13_000, mmPpm: 10_000 },
  futures: NO_CHARGE,
  confidence: { thresholdPpm: 550_000, factorPpm: 1_000_000 },
  depeg: { thresholdPpm: 980_000, factorPpm: 2_000_000 },
  minimumChargePpm: 2_000,
  deltaFloor: { netPpm: 20_000, hedgedPpm: 10_000 },
};

/** Own terms to begin from: the standard unit, R26, no groups, haircuts left to the collateral schedule. */
export const STANDARD_TERMS: PortfolioTerms = {
  termsId: "standard",
  version: 1,
  venueRule: null,
  fMmPpm: 1_000_000,
  fImPpm: 1_300_000,
  defaultUnit: STANDARD_UNIT,
  units: {},
  spot: {},
  groups: [],
};
