import type { ContactBody } from "../adapters/wire/parties.ts";
import type { Position } from "../core/account.ts";
import type { Asset } from "../core/instrument.ts";
import { abs, type Money, money, type Price, type Quantity } from "../core/money.ts";
import type { Listing, Market } from "./market.ts";
import { type Draw, draws, normal, pareto, pick } from "./random.ts";
import { approximateInitial, bracketsOf, COIN_POLICY_ID, DEFAULT_POLICY_ID, PORTFOLIO_POLICY_ID, wholeLots } from "./terms.ts";

/** How an account's holder is reached. All of it is made up; the addresses are reserved for examples. */
export type BookContact = ContactBody;

/** An account of the replayed venue as it stands before the first tick. */
export interface BookAccount {
  readonly accountId: string;
  readonly brokerId: string;
  readonly clientClass: string;
  readonly policyId: string;
  readonly balances: ReadonlyMap<Asset, Money>;
  readonly positions: readonly Position[];
  /** Cash of isolated pools by instrument, beside the balances; `positions` holds theirs too. Absent: none. */
  readonly pools?: ReadonlyMap<string, Money>;
  readonly contact: BookContact;
}

/** Kinds of accounts that the summary tells apart. */
export const KINDS = ["perpetuals", "options", "portfolio", "isolated"] as const;
export type Kind = (typeof KINDS)[number];

/** What an account mostly is. */
export const kindOf = ({ policyId, positions, pools }: Portfolio, { listings }: Market): Kind => {
  if (policyId === PORTFOLIO_POLICY_ID) return "portfolio";
  if (pools !== undefined && pools.size > 0) return "isolated";
  const options = new Set(listings.filter(({ kind }) => kind === "option").map(({ instrumentId }) => instrumentId));
  return positions.some(({ instrumentId }) => options.has(instrumentId)) ? "options" : "perpetuals";
};

/** Brokers of the replay, with their share of the accounts. Each has a webhook endpoint. */
export const BROKERS = [
  ["meridian", 5],
  ["harbour", 3],
  ["northstar", 2],
] as const;

const ZONES = [
  ["Europe/London", 4],
  ["America/New_York", 4],
  ["Asia/Singapore", 3],
  ["Asia/Tokyo", 2],
  ["Europe/Berlin", 2],
  ["America/Sao_Paulo", 1],
  ["Australia/Sydney", 1],
  ["Asia/Kolkata", 1],
  ["UTC", 1],
] as const;

const GIVEN = [
  "Ada",
  "Bram",
  "Chiara",
  "Dmitri",
  "Elif",
  "Farah",
  "Goran",
  "Hana",
  "Ines",
  "Jonas",
  "Kofi",
  "Lena",
  "Mateo",
  "Noor",
  "Olu",
  "Priya",
];
const FAMILY = [
  "Abel",
  "Brandt",
  "Costa",
  "Diaz",
  "Eriksen",
  "Fontaine",
  "Garcia",
  "Haddad",
  "Ito",
  "Jansen",
  "Kim",
  "Larsson",
  "Moreau",
  "Novak",
];

const COLOURS = ["amber", "blue", "copper", "green", "silver"];
const BIRDS = ["heron", "kestrel", "plover", "swift", "wren"];

/** What an account is made of; the weights are shares of a retail venue's accounts. */
const PROFILES = [
  ["linear", 50],
  ["coinCollateral", 20],
  ["inverse", 16],
  ["spread", 8],
  ["flat", 6],
] as const;

/** The least leverage, and the tail: one account in ten is above 3x, one in fifty above 10x before the venue's own cap. */
const LEVERAGE_MIN = 0.45;
const LEVERAGE_TAIL = 1.25;
/** Equity at the start is at least this share of the initial margin: nobody begins below a warning. */
const INITIAL_COVER = 1.25;
const EQUITY_MEDIAN = 4_000;
const EQUITY_SPREAD = 1.4;
const EQUITY_MAX = 3_000_000;

/** The venue as a book is made for it. */
export interface Opening {
  readonly market: Market;
  /** Opening mark of each listing. */
  readonly prices: ReadonlyMap<string, Price>;
}

export const priceOf = (opening: Opening, listing: Listing): number => Number(opening.prices.get(listing.instrumentId) ?? 0n) / 1e8;

export const oneOf = <T>(draw: Draw, items: readonly T[]): T => items[Math.floor(draw() * items.length)] as T;

/** Positions of about `notional` in the valuation asset over one to three listings. */
const positionsOf = (draw: Draw, opening: Opening, listings: readonly Listing[], notional: number): Position[] => {
  const legs = Math.min(
    listings.length,
    pick(draw, [
      [1, 6],
      [2, 3],
      [3, 1],
    ] as const),
  );
  const chosen = listings
    .map((listing) => ({ listing, rank: draw() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, legs)
    .map(({ listing }) => listing);
  const short = draw() < 0.15;
  return chosen.flatMap((listing) => positionOf(opening, listing, (short ? -1 : 1) * (notional / chosen.length)));
};

/** One position of a signed notional in the valuation asset, none where that is less than a lot. */
const positionOf = (opening: Opening, listing: Listing, notional: number): Position[] => {
  const entryPrice = opening.prices.get(listing.instrumentId);
  const value = listing.kind === "inverse" ? Number(listing.multiplier) : Math.abs(priceOf(opening, listing)) * Number(listing.multiplier);
  if (entryPrice === undefined || value === 0) return [];
  const size = wholeLots(listing, Math.abs(notional) / value);
  return size === 0n ? [] : [{ instrumentId: listing.instrumentId, quantity: (notional < 0 ? -size : size) as Quantity, entryPrice }];
};

/** Initial margin of positions in the valuation asset, approximately. */
const initialOf = (opening: Opening, positions: readonly Position[]): number =>
  positions.reduce((sum, held) => {
    const listing = opening.market.listings.find(({ instrumentId }) => instrumentId === held.instrumentId) as Listing;
    const mark = priceOf(opening, listing);
    const contracts = (Number(abs(held.quantity)) / 1e8) * Number(listing.multiplier);
    const inverse = listing.kind === "inverse";
    const notional = inverse ? contracts / mark : contracts * Math.abs(mark);
    const initial = approximateInitial(bracketsOf(listing, opening.prices.get(listing.instrumentId) ?? 0n), notional);
    return sum + (inverse ? initial * mark : initial);
  }, 0);

export const amount = (value: number, decimals: number): Money => money(value.toFixed(decimals));

/** What an account holds, and the policy that it is under. */
export type Portfolio = Pick<BookAccount, "policyId" | "balances" | "positions" | "pools">;

/** A balance worth `value` in a coin, or in the valuation asset when the venue takes no coin. */
export const coinBalance = (opening: Opening, asset: Asset | null, value: number): [Asset, Money] => {
  const index = opening.market.listings.find(({ kind, baseAsset }) => kind === "spot" && baseAsset === asset);
  return asset === null || index === undefined
    ? [opening.market.valuationAsset, amount(value, 2)]
    : [asset, amount(value / priceOf(opening, index), 6)];
};

const portfolioOf = (draw: Draw, opening: Opening, profile: (typeof PROFILES)[number][0]): Portfolio => {
  const { listings, collateral, valuationAsset } = opening.market;
  const linear = listings.filter(({ kind }) => kind === "linear");
  const inverses = listings.filter(({ kind }) => kind === "inverse");
  const equity = Math.min(EQUITY_MAX, EQUITY_MEDIAN * Math.exp(EQUITY_SPREAD * normal(draw)));
  const notional = equity * pareto(draw, LEVERAGE_MIN, LEVERAGE_TAIL);
  const coin = collateral.length === 0 ? null : oneOf(draw, collateral).asset;
  const inCash = { policyId: DEFAULT_POLICY_ID, balances: new Map([[valuationAsset, amount(equity, 2)]]) };
  const inCoin = { policyId: DEFAULT_POLICY_ID, balances: new Map([coinBalance(opening, coin, equity / 0.9)]) };
  const [near, far] = [linear.find(({ expiryAt }) => expiryAt === null), linear.find(({ expiryAt }) => expiryAt !== null)];
  if (profile === "flat") return { ...inCash, positions: [] };
  if (profile === "coinCollateral" && coin !== null) return { ...inCoin, positions: positionsOf(draw, opening, linear, notional) };
  if (profile === "spread" && near !== undefined && far !== undefined) {
    return { ...inCash, positions: [...positionOf(opening, near, notional), ...positionOf(opening, far, -notional * 0.6)] };
  }
  const inverse = inverses.find(({ baseAsset }) => baseAsset === coin);
  if (profile === "inverse" && inverse !== undefined) {
    const policyId = coin === "BTC" && draw() < 0.5 ? COIN_POLICY_ID : DEFAULT_POLICY_ID;
    return { ...inCoin, policyId, positions: positionOf(opening, inverse, draw() < 0.15 ? -notional : notional) };
  }
  return { ...inCash, positions: positionsOf(draw, opening, linear, notional) };
};

/** Scales a portfolio's positions down until its equity covers the initial margin with something to spare. */
const withinMargin = (opening: Opening, portfolio: Portfolio): Portfolio => {
  const equity = [...portfolio.balances].reduce((sum, [asset, held]) => {
    const index = opening.market.listings.find(({ kind, baseAsset }) => kind === "spot" && baseAsset === asset);
    return sum + (Number(held) / 1e8) * (index === undefined ? 1 : 0.85 * priceOf(opening, index));
  }, 0);
  let { positions } = portfolio;
  while (positions.length > 0 && initialOf(opening, positions) * INITIAL_COVER > equity) {
    positions = positions.flatMap((held) => {
      const listing = opening.market.listings.find(({ instrumentId }) => instrumentId === held.instrumentId) as Listing;
      const less = wholeLots(listing, (Number(abs(held.quantity)) / 1e8) * 0.8);
      return less === 0n ? [] : [{ ...held, quantity: (held.quantity < 0n ? -less : less) as Quantity }];
    });
  }
  return { ...portfolio, positions };
};

const contactOf = (draw: Draw, accountId: string, brokerId: string): BookContact => ({
  email: `${accountId.toLowerCase()}@${brokerId}.example`,
  name: `${oneOf(draw, GIVEN)} ${oneOf(draw, FAMILY)}`,
  timeZone: pick(draw, ZONES),
  locale: "en",
  antiPhishingCode: draw() < 0.5 ? `${oneOf(draw, COLOURS)} ${oneOf(draw, BIRDS)}` : null,
});

/** A portfolio of the plain book: perpetuals, inverse contracts, a dated future, or nothing. */
export const perpetualsOf = (draw: Draw, opening: Opening): Portfolio =>
  withinMargin(opening, portfolioOf(draw, opening, pick(draw, PROFILES)));

/** The account number `index` of the book of `seed`, holding what `hold` draws; independent of how many others there are. */
export const accountOf = (seed: number, index: number, hold: (draw: Draw) => Portfolio): BookAccount => {
  const draw = draws(seed, `account ${index}`);
  const accountId = `A${String(index).padStart(6, "0")}`;
  const brokerId = pick(draw, BROKERS);
  const clientClass = draw() < 0.1 ? "professional" : "retail";
  const portfolio = hold(draw);
  return { accountId, brokerId, clientClass, ...portfolio, contact: contactOf(draw, accountId, brokerId) };
};

/**
 * Generates a book: heavy-tailed leverage, several assets, some accounts on coin collateral, some on
 * inverse contracts, spreads and a few that are flat, all entered at the opening marks.
 */
export const generateBook = (opening: Opening, seed: number, accounts: number): BookAccount[] =>
  Array.from({ length: accounts }, (_, index) => accountOf(seed, index + 1, (draw) => perpetualsOf(draw, opening)));
