import * as z from "zod";

import { instrumentBody } from "../adapters/wire/instrument.ts";
import { policyBody } from "../adapters/wire/policy.ts";
import { type MarginAccount, newAccount, type Position } from "../core/account.ts";
import type { Instrument } from "../core/instrument.ts";
import { levelOf } from "../core/level.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import type { Money, Quantity } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { scopesOf, viewOf } from "../core/scope.ts";
import { assess } from "../core/statement.ts";
import { accountOf, amount, type BookAccount, coinBalance, type Opening, oneOf, type Portfolio, perpetualsOf, priceOf } from "./book.ts";
import type { Listing } from "./market.ts";
import { type Draw, normal, pick } from "./random.ts";
import { type Clocks, DEFAULT_POLICY_ID, instrumentTermsOf, PORTFOLIO_POLICY_ID, policyTerms, SOURCE, wholeLots } from "./terms.ts";

/** What the opening accounts are judged on: the core's own assessment of the venue's own terms at the opening marks. */
interface Judge {
  readonly snapshot: MarketSnapshot;
  readonly policies: ReadonlyMap<string, Policy>;
}

/** An instrument and how much of it is held for one unit of the portfolio's underlying; negative is short. */
type Leg = readonly [listing: Listing, weight: number];

/** What an account of the mixed book is made of; the weights are shares. Those of the plain book are "perpetuals". */
const PROFILES = [
  ["perpetuals", 38],
  ["optionSeller", 13],
  ["optionSpread", 8],
  ["protected", 5],
  ["coinSeller", 5],
  ["hedged", 13],
  ["relative", 8],
  ["isolated", 10],
] as const;
type Profile = (typeof PROFILES)[number][0];

/** Equity is at least this multiple of the initial margin at the opening, and up to as much more again. */
const COVER_MIN = 1.05;
const COVER_RANGE = 1.6;
const EQUITY_MEDIAN = 12_000;
const EQUITY_SPREAD = 1.3;
const EQUITY_MAX = 3_000_000;
/** Notional that the sizing begins from, as a multiple of the equity, and what each attempt leaves of it. */
const LEVERAGE_MAX = 20;
const SHRINK = 0.85;

const judgeOf = ({ market, prices }: Opening, clocks: Clocks, now: number): Judge => {
  const instruments = new Map<string, Instrument>();
  for (const listing of market.listings) {
    const { instrumentId } = listing;
    const terms = instrumentTermsOf(listing, prices.get(instrumentId) ?? 0n, clocks);
    instruments.set(instrumentId, z.decode(instrumentBody, { ...terms, instrumentId, version: 1 }));
  }
  const marks = [...prices].map(
    ([instrumentId, price]) => [instrumentId, { instrumentId, price, asOf: now, source: SOURCE, candidate: null }] as const,
  );
  const policies = [...policyTerms(market, clocks)].map(
    ([policyId, terms]) => [policyId, z.decode(policyBody, { ...terms, policyId, version: 1 })] as const,
  );
  return { snapshot: { snapshotId: "OPENING", takenAt: now, marks: new Map(marks), instruments }, policies: new Map(policies) };
};

const marginAccount = ({ policyId, balances, positions, pools = new Map() }: Portfolio, { snapshot }: Judge): MarginAccount => {
  const none = newAccount({ accountId: "OPENING", key: "", brokerId: "", clientClass: "", policyId });
  const isolated = [...pools].map(([instrumentId, cash]) => {
    const asset = snapshot.instruments.get(instrumentId)?.settleAsset ?? "";
    const position = positions.find((held) => held.instrumentId === instrumentId) ?? null;
    return [instrumentId, { instrumentId, asset, cash, position, level: "HEALTHY", episode: null, live: null }] as const;
  });
  return { ...none, balances, positions: positions.filter((held) => !pools.has(held.instrumentId)), pools: new Map(isolated) };
};

/** True where every scope of the account has the cover and is HEALTHY: nobody begins below a warning. */
const stands = (portfolio: Portfolio, cover: number, judge: Judge): boolean => {
  const account = marginAccount(portfolio, judge);
  const policy = judge.policies.get(portfolio.policyId) as Policy;
  return scopesOf(account).every((scope) => {
    const view = viewOf(account, scope);
    const statement = assess(view, judge.snapshot, policy, judge.snapshot.takenAt);
    const covered = Number(statement.low.equityInitial) >= cover * Number(statement.low.initial);
    return covered && levelOf(view, statement, policy.levels, "HEALTHY") === "HEALTHY";
  });
};

const positionsOf = (opening: Opening, legs: readonly Leg[], units: number): Position[] =>
  legs.flatMap(([listing, weight]): Position[] => {
    const size = wholeLots(listing, Math.abs(weight) * units);
    const entryPrice = opening.prices.get(listing.instrumentId);
    if (size === 0n || entryPrice === undefined) return [];
    return [{ instrumentId: listing.instrumentId, quantity: (weight < 0 ? -size : size) as Quantity, entryPrice }];
  });

/** Legs, the price of the unit that their weights count in, and whether the margin is posted in their coin. */
interface Shape {
  readonly legs: readonly Leg[];
  readonly unitPrice: number;
  readonly policyId: string;
  readonly coin: string | null;
}

/** Options of one coin, of one settlement and one expiry, by right and ascending strike. */
interface Board {
  readonly perpetual: Listing;
  readonly calls: readonly Listing[];
  readonly puts: readonly Listing[];
}

const boardsOf = ({ market }: Opening, settlement: "linear" | "inverse"): Board[] => {
  const options = market.listings.filter(({ option }) => option?.settlement === settlement);
  const groups = Map.groupBy(options, ({ baseAsset, expiryAt }) => `${baseAsset} ${expiryAt}`);
  return [...groups.values()].flatMap((listings): Board[] => {
    const perpetual = market.listings.find((one) => one.instrumentId === `${listings[0]?.baseAsset}-PERP`);
    const of = (right: "call" | "put"): Listing[] => listings.filter(({ option }) => option?.right === right);
    return perpetual === undefined ? [] : [{ perpetual, calls: of("call"), puts: of("put") }];
  });
};

/** The option nearest to the money, or steps away from it: the boards list as many strikes below as above. */
const strike = (options: readonly Listing[], steps: number): Listing =>
  options[Math.min(options.length - 1, Math.max(0, (options.length - 1) / 2 + steps))] as Listing;

const sellerLegs = (draw: Draw, { calls, puts }: Board): Leg[] => {
  const away = draw() < 0.5 ? 0 : 1;
  const kind = pick(draw, [
    ["puts", 4],
    ["calls", 3],
    ["strangle", 3],
  ] as const);
  const [call, put]: Leg[] = [
    [strike(calls, away), -1],
    [strike(puts, -away), -1],
  ];
  return kind === "puts" ? [put as Leg] : kind === "calls" ? [call as Leg] : [call as Leg, put as Leg];
};

const spreadLegs = (draw: Draw, { calls, puts }: Board): Leg[] => {
  if (draw() < 0.6)
    return [
      [strike(puts, 0), -1],
      [strike(puts, -1), 1],
    ];
  return [
    [strike(calls, 0), -1],
    [strike(calls, 1), 1],
  ];
};

/** Books that a portfolio's model rewards: a collar, sold options with their delta hedged, a sold straddle. */
const hedgedLegs = (draw: Draw, { perpetual, calls, puts }: Board): Leg[] => {
  const collar: Leg[] = [
    [perpetual, 1],
    [strike(puts, -1), 1],
    [strike(calls, 1), -1],
  ];
  const hedgedPuts: Leg[] = [
    [perpetual, -0.4],
    [strike(puts, 0), -1],
  ];
  const straddle: Leg[] = [
    [perpetual, 0.05],
    [strike(calls, 0), -1],
    [strike(puts, 0), -1],
    [strike(puts, -2), 1],
  ];
  return oneOf(draw, [collar, hedgedPuts, straddle]);
};

/** One coin against the other, of the same value, with puts of the first sold; the coin alone where there is no other. */
const relativeLegs = (draw: Draw, opening: Opening, boards: readonly Board[]): Leg[] => {
  const { perpetual, puts } = oneOf(draw, boards);
  const other = boards.find((board) => board.perpetual !== perpetual)?.perpetual;
  const against: Leg[] = other === undefined ? [] : [[other, -priceOf(opening, perpetual) / priceOf(opening, other)]];
  return [[perpetual, 1], ...against, [strike(puts, -1), -0.5]];
};

const shapeOf = (draw: Draw, opening: Opening, profile: Profile): Shape | null => {
  const [linear, inverse] = [boardsOf(opening, "linear"), boardsOf(opening, "inverse")];
  if (linear.length === 0) return null;
  const board = oneOf(draw, profile === "coinSeller" && inverse.length > 0 ? inverse : linear);
  const standard = { unitPrice: priceOf(opening, board.perpetual), policyId: DEFAULT_POLICY_ID, coin: null };
  const portfolio = { ...standard, policyId: PORTFOLIO_POLICY_ID };
  switch (profile) {
    case "optionSeller":
      return { ...standard, legs: sellerLegs(draw, board) };
    case "optionSpread":
      return { ...standard, legs: spreadLegs(draw, board) };
    case "protected":
      return {
        ...standard,
        legs: [
          [board.perpetual, 1],
          [strike(board.puts, -1), 1],
        ],
      };
    case "coinSeller":
      return { ...standard, coin: board.perpetual.baseAsset, legs: sellerLegs(draw, board) };
    case "hedged":
      return { ...portfolio, legs: hedgedLegs(draw, board) };
    case "relative":
      return { ...portfolio, legs: relativeLegs(draw, opening, linear) };
    default:
      return null;
  }
};

interface Sizing {
  readonly opening: Opening;
  readonly judge: Judge;
}

/** The most of these legs, in steps, that an account of this equity stands with; none of them where it stands with nothing. */
const sized = (shape: Shape, equity: number, cover: number, { opening, judge }: Sizing): Portfolio => {
  const { legs, unitPrice, policyId, coin } = shape;
  const balances = new Map([coinBalance(opening, coin, equity)]);
  for (let units = (equity * LEVERAGE_MAX) / unitPrice; ; units *= SHRINK) {
    const portfolio = { policyId, balances, positions: positionsOf(opening, legs, units) };
    if (portfolio.positions.length === 0 || stands(portfolio, cover, judge)) return portfolio;
  }
};

/** An account with one or two perpetuals isolated, each with its own cash beside it. */
const withPools = (draw: Draw, cross: Portfolio, cover: number, { opening, judge }: Sizing): Portfolio => {
  const { valuationAsset, listings } = opening.market;
  const perpetuals = listings.filter(({ kind, expiryAt }) => kind === "linear" && expiryAt === null);
  const ranked = perpetuals.map((listing) => ({ listing, rank: draw() })).sort((a, b) => a.rank - b.rank);
  let portfolio = cross;
  for (const { listing } of ranked.slice(0, draw() < 0.6 ? 1 : 2)) {
    const cash = 500 * Math.exp(normal(draw));
    const shape = {
      legs: [[listing, draw() < 0.25 ? -1 : 1]] as const,
      unitPrice: priceOf(opening, listing),
      coin: null,
      policyId: cross.policyId,
    };
    const [position] = sized(shape, cash, cover, { opening, judge }).positions;
    if (position === undefined) continue;
    const others = portfolio.positions.filter(({ instrumentId }) => instrumentId !== position.instrumentId);
    const positions = [...others, position].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1));
    portfolio = { ...portfolio, positions, pools: new Map(portfolio.pools).set(listing.instrumentId, amount(cash, 2)) };
  }
  const [asset, spare] = [valuationAsset, amount(2_000 * draw(), 2)];
  // Some keep cash in CROSS that a call of a pool can be paid out of.
  return { ...portfolio, balances: new Map(portfolio.balances).set(asset, ((portfolio.balances.get(asset) ?? 0n) + spare) as Money) };
};

const mixedOf = (draw: Draw, sizing: Sizing): Portfolio => {
  const { opening, judge } = sizing;
  const profile = pick(draw, PROFILES);
  const equity = Math.min(EQUITY_MAX, EQUITY_MEDIAN * Math.exp(EQUITY_SPREAD * normal(draw)));
  const cover = COVER_MIN + COVER_RANGE * draw() ** 2;
  const shape = shapeOf(draw, opening, profile);
  if (shape !== null) return sized(shape, equity, cover, sizing);
  const plain = perpetualsOf(draw, opening);
  // The policy of one coin alone does not take what a linear pool settles in.
  const under = profile === "isolated" ? { ...plain, policyId: DEFAULT_POLICY_ID } : plain;
  const cross = stands(under, 1, judge) ? under : { ...under, positions: [] };
  return profile === "isolated" ? withPools(draw, cross, cover, sizing) : cross;
};

/**
 * Generates a mixed book: the accounts of the plain one, sellers of options and spreads under the standard policy,
 * hedged books under portfolio margin, and accounts with isolated pools. Each is sized by the core's own assessment on
 * the opening marks, so that nobody begins below a warning.
 */
export const generateMixedBook = (
  opening: Opening,
  terms: { readonly clocks: Clocks; readonly openedAt: number },
  seed: number,
  accounts: number,
): BookAccount[] => {
  const sizing = { opening, judge: judgeOf(opening, terms.clocks, terms.openedAt) };
  return Array.from({ length: accounts }, (_, index) => accountOf(seed, index + 1, (draw) => mixedOf(draw, sizing)));
};
