import type { InstrumentBody } from "../adapters/wire/instrument.ts";
import type { PolicyBody } from "../adapters/wire/policy.ts";
import type { PortfolioModel } from "../core/margin-model.ts";
import { type Quantity, quantity } from "../core/money.ts";
import { type PortfolioTerms, STANDARD_TERMS } from "../core/portfolio/portfolio-terms.ts";
import type { Listing, Market } from "./market.ts";

/**
 * The terms of the replayed venue: margin tiers, fees, mark rules and policies, as bodies of the
 * API's PUT routes. They are those of an ordinary retail venue, chosen so that a crash of 25 % an
 * hour is not a footnote: 20x at most, maintenance margin half of the initial.
 */

/** Bodies of the API: the id stands in the path, the version is the API's to count. */
export type InstrumentTerms = Omit<InstrumentBody, "instrumentId" | "version">;
export type PolicyTerms = Omit<PolicyBody, "policyId" | "version">;

/** Terms that take the place of the replayed venue's, by id: an exchange's own. Policies replace all of the venue's. */
export interface OwnTerms {
  readonly instruments: ReadonlyMap<string, InstrumentTerms>;
  readonly policies: ReadonlyMap<string, PolicyTerms>;
}

/** One bracket as the API takes it. `floor` counts in the settlement asset. */
export interface Bracket {
  readonly floor: string;
  readonly rateIm: number;
  readonly rateMm: number;
}

/** Brackets by notional in the valuation asset. */
const BRACKETS = [
  { floor: 0, rateIm: 50_000, rateMm: 25_000 },
  { floor: 250_000, rateIm: 100_000, rateMm: 50_000 },
  { floor: 1_000_000, rateIm: 200_000, rateMm: 100_000 },
  { floor: 5_000_000, rateIm: 330_000, rateMm: 165_000 },
] as const;

/** Brackets of a listing; those of an inverse contract count coins at its opening price, rounded to two digits. */
export const bracketsOf = (listing: Listing, openingPrice: bigint): Bracket[] => {
  if (listing.kind === "spot" || listing.kind === "option") return [];
  const perUnit = listing.kind === "inverse" ? Number(openingPrice) / 1e8 : 1;
  return BRACKETS.map(({ floor, rateIm, rateMm }) => ({ floor: String(Number((floor / perUnit).toPrecision(2))), rateIm, rateMm }));
};

/** Taker fee of every fill, in parts per million of its notional. */
export const FEE_PPM = 500;

/** Marks are good for twice the time between two ticks: one missed tick is tolerated, two are not. */
export const markAgeMaxMs = (spacingMs: number): number => 2 * spacingMs;

/** Times of the replay's policies and marks; they must fit between two ticks and the length of a path. */
export interface Clocks {
  readonly graceMs: number;
  readonly topUpGraceMs: number;
  /** Move of a mark that passes unconfirmed, for each minute since the last one. */
  readonly jumpPpmPerMinute: number;
}

/** However much time went by, a larger move waits for a second tick. */
const JUMP_PPM_MAX = 300_000;

/** Half an hour of grace on hourly bars: a tick passes before a deadline. */
export const STEPPED_CLOCKS: Clocks = { graceMs: 30 * 60_000, topUpGraceMs: 15 * 60_000, jumpPpmPerMinute: 20_000 };
/** On the real clock a path is played in minutes: its grace is the shortest that R13 knows, and a tick stands for a third of an hour. */
export const REAL_CLOCKS: Clocks = { graceMs: 60_000, topUpGraceMs: 60_000, jumpPpmPerMinute: JUMP_PPM_MAX };

/** An option far from the money is worth many times as much after a fall: its guard is against figures that are none. */
const OPTION_JUMP_PPM = 20_000_000;

/** How a tick is judged: by its pace, and at most 30 %, it passes unconfirmed; a wick does not (S17). */
const markRuleOf = (listing: Listing, clocks: Clocks) => ({
  ageMaxMs: markAgeMaxMs(listing.spacingMs),
  jumpPpmPerMinute: listing.kind === "option" ? OPTION_JUMP_PPM : clocks.jumpPpmPerMinute,
  jumpPpmMax: listing.kind === "option" ? OPTION_JUMP_PPM : JUMP_PPM_MAX,
  agreePpm: 50_000,
  suspectAfterMs: markAgeMaxMs(listing.spacingMs),
});

/** Body of `PUT /instruments/{instrumentId}`. */
export const instrumentTermsOf = (listing: Listing, openingPrice: bigint, clocks: Clocks): InstrumentTerms => ({
  kind: listing.kind,
  expiryAt: listing.expiryAt === null ? null : new Date(listing.expiryAt).toISOString(),
  baseAsset: listing.baseAsset,
  quoteAsset: listing.quoteAsset,
  multiplier: listing.multiplier,
  tiers: bracketsOf(listing, openingPrice),
  feePpm: FEE_PPM,
  liquidationFeePpm: 1_000,
  insuranceFeePpm: 1_000,
  allowNonPositive: listing.allowNonPositive,
  marginMinPerUnit: listing.allowNonPositive ? "2" : "0",
  lotSize: listing.lotSize,
  tickSize: listing.tickSize,
  bandPpm: 50_000,
  markRule: markRuleOf(listing, clocks),
  ...(listing.option !== null && { option: listing.option }),
});

const COMMON = {
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  unrealisedProfitIm: 1_000_000,
  unrealisedProfitWithdrawal: 0,
  graceMinMs: 60_000,
  topUpsMax: 3,
  noticeAllowanceMs: 60_000,
  noticeWaitMaxMs: 120_000,
  coolDownMs: 600_000,
  episodeEndMs: 600_000,
  cureDwellMs: 60_000,
  badMarkWaitMs: 600_000,
  onUnmet: "reduce",
  closeOutBuffer: 50_000,
  attemptsMax: 3,
} as const;

const NO_HAIRCUT = [{ floor: "0", haircutIm: 0, haircutMm: 0 }];
const COIN_HAIRCUT = [
  { floor: "0", haircutIm: 100_000, haircutMm: 50_000 },
  { floor: "1000000", haircutIm: 150_000, haircutMm: 100_000 },
];

/** The policy of accounts that are valued in the venue's currency. */
export const DEFAULT_POLICY_ID = "standard";
/** Who says the prices of a replay: one file, and nobody to confirm them. */
export const SOURCE = "replay";
/** The policy of accounts that hold and trade one coin only. */
export const COIN_POLICY_ID = "coin-btc";
/** The policy of accounts whose positions are margined together (M6), where options are listed. */
export const PORTFOLIO_POLICY_ID = "portfolio";

/** Bitcoin and ether fall together: half of what they save as one is given. */
const MAJORS: PortfolioTerms["groups"][number] = {
  groupId: "majors",
  reason: "bitcoin and ether fell together in March 2020 and in June and November 2022",
  stressCorrelationPpm: 800_000,
  lambdaPpm: 500_000,
  priceRangePpm: 160_000,
  priceSteps: 4,
  members: [
    { unitId: "BTC", betaPpm: 1_000_000 },
    { unitId: "ETH", betaPpm: 1_000_000 },
  ],
};
const PORTFOLIO_MODEL: PortfolioModel = { kind: "portfolio", terms: { ...STANDARD_TERMS, groups: [MAJORS] }, statistical: null };

interface Valued {
  readonly valuationAsset: string;
  readonly minimumTransfer: string;
  readonly coins: Market["collateral"];
}

const termsOf = ({ valuationAsset, minimumTransfer, coins }: Valued, { graceMs, topUpGraceMs }: Clocks): PolicyTerms => ({
  ...COMMON,
  graceMs,
  topUpGraceMs,
  valuationAsset,
  minimumTransfer,
  collateral: [
    { asset: valuationAsset, priceId: null, tiers: NO_HAIRCUT, liabilityWeight: 1_000_000 },
    ...coins.map(({ asset, priceId }) => ({ asset, priceId, tiers: COIN_HAIRCUT, liabilityWeight: 1_100_000 })),
  ],
});

/** Bodies of `PUT /policies/{policyId}`, by id. */
export const policyTerms = (market: Market, clocks: Clocks): Map<string, PolicyTerms> => {
  const { valuationAsset, collateral } = market;
  const terms = new Map([[DEFAULT_POLICY_ID, termsOf({ valuationAsset, minimumTransfer: "10", coins: collateral }, clocks)]]);
  const takesBtc = collateral.some(({ asset }) => asset === "BTC");
  if (market.listings.some(({ kind }) => kind === "option")) {
    const valued = termsOf({ valuationAsset, minimumTransfer: "10", coins: collateral }, clocks);
    terms.set(PORTFOLIO_POLICY_ID, { ...valued, model: structuredClone(PORTFOLIO_MODEL) as NonNullable<PolicyBody["model"]> });
  }
  if (takesBtc) terms.set(COIN_POLICY_ID, termsOf({ valuationAsset: "BTC", minimumTransfer: "0.001", coins: [] }, clocks));
  return terms;
};

/** Initial margin of a notional in the settlement asset, approximately: for building books, never for deciding. */
export const approximateInitial = (brackets: readonly Bracket[], notional: number): number =>
  brackets.reduce((sum, { floor, rateIm }, index) => {
    const to = brackets[index + 1] === undefined ? Number.POSITIVE_INFINITY : Number(brackets[index + 1]?.floor);
    return sum + (Math.max(0, Math.min(notional, to) - Number(floor)) * rateIm) / 1e6;
  }, 0);

/** A whole number of lots at or below `contracts`. */
export const wholeLots = (listing: Listing, contracts: number): Quantity => {
  const lot = quantity(listing.lotSize);
  return (BigInt(Math.floor((contracts * 1e8) / Number(lot))) * lot) as Quantity;
};
