import type { FeedMessage } from "../adapters/wire/feed.ts";
import type { VenueOrder } from "../adapters/wire/venue.ts";
import type { Asset } from "../core/instrument.ts";
import type { Fact } from "../core/ledger.ts";
import { abs, divide, type Money, min, ONE, type Price, price, type Quantity, quantity } from "../core/money.ts";
import type { BookAccount } from "./book.ts";
import type { Listing, Market } from "./market.ts";
import { draws } from "./random.ts";
import { FEE_PPM } from "./terms.ts";
import { type Holdings, move, newPurse, type Purse, pay, reduce, state as stand } from "./venue-cash.ts";

/**
 * The simulated venue: its own book of positions, an order gateway and the core system that writes the
 * book feed. It knows Plimsoll only by the two documented messages, a venue order and a feed entry.
 */
export interface Venue {
  /** The prices at which it trades from now on. */
  show(prices: ReadonlyMap<string, Price>): void;
  /** The message that opens an account: who it is and a snapshot of what it holds. */
  open(account: BookAccount, now: number): FeedMessage;
  /**
   * Takes an order once, whatever happens to its message (I09), and executes it immediate-or-cancel:
   * never past its limit price, never more than the live position, never through zero (I10).
   * @returns the facts that come of it; null for an order that was seen before.
   */
  accept(order: VenueOrder, now: number): FeedMessage | null;
  /** The holder pays in. */
  deposit(accountId: string, asset: Asset, amount: Money, now: number): FeedMessage;
  /** The holder closes up to `size` of a position at the market. @returns null when there is none or it has no price. */
  close(accountId: string, instrumentId: string, size: Quantity, now: number): FeedMessage | null;
  /** The holder moves cash from CROSS into the isolated pool of an instrument. @returns null for an instrument that is not listed. */
  transfer(accountId: string, instrumentId: string, amount: Money, now: number): FeedMessage | null;
  /** Tells of an account as a whole: what it holds as the caller has it, and what became of these orders, of those that it took. */
  tell(accountId: string, holds: Holdings, orderIds: readonly string[], now: number): FeedMessage;
  /** What an account holds now, by instrument. */
  holding(accountId: string): ReadonlyMap<string, Quantity>;
  /** Its cash by asset; an isolated pool's by its scope and asset. */
  cash(accountId: string): ReadonlyMap<string, Money>;
  /** Whether it margins an instrument isolated for the account. */
  isIsolated(accountId: string, instrumentId: string): boolean;
  /** What it did, for the summary and the invariants. */
  readonly record: VenueRecord;
}

export interface VenueRecord {
  /** Orders by id with what each was asked for and got. */
  readonly orders: ReadonlyMap<string, { readonly ordered: Quantity; readonly filled: Quantity; readonly times: number }>;
  /** External ids of all facts sent, by account. */
  readonly facts: ReadonlyMap<string, readonly string[]>;
  /** Accounts as its own books have them. */
  readonly accounts: ReadonlyMap<string, Pick<Purse, "cash">>;
  readonly fills: number;
  readonly deposits: number;
}

/** Share of the orders that find less than their whole quantity in the book, and how much of it they find. */
const PARTIAL_SHARE = 0.2;
const PARTIAL_FLOOR = 0.4;
/** Price impact of a liquidation in parts per million: at least this, and up to as much again. */
const IMPACT_PPM = 500;
const LOTS_TO_SPLIT = 10n;

/** Value of a quantity at a price, in the settlement asset, rounded up: what the fee is charged on. */
const notionalOf = (listing: Listing, size: Quantity, at: Price): Money => {
  const contracts = abs(size) * quantity(listing.multiplier);
  return (listing.kind === "inverse" ? divide(contracts, abs(at), "up") : divide(contracts * abs(at), ONE * ONE, "up")) as Money;
};

const feeOf = (listing: Listing, size: Quantity, at: Price): Money =>
  divide(notionalOf(listing, size, at) * BigInt(FEE_PPM), 1_000_000n, "up") as Money;

/** The price after impact, on the tick: lower for a seller, higher for a buyer. */
const worsened = (listing: Listing, mark: Price, side: "buy" | "sell", ppm: number): Price => {
  const tick = price(listing.tickSize);
  const shift = divide(abs(mark) * BigInt(ppm), 1_000_000n, "up");
  return (side === "sell" ? divide(mark - shift, tick, "down") * tick : divide(mark + shift, tick, "up") * tick) as Price;
};

/** Splits what is filled into one or two fills, on whole lots. */
const pieces = (size: Quantity, lot: Quantity, share: number): Quantity[] => {
  if (size < LOTS_TO_SPLIT * lot) return [size];
  const first = ((((size / lot) * BigInt(Math.floor(share * 1_000))) / 1_000n) * lot) as Quantity;
  return first === 0n || first === size ? [size] : [first, (size - first) as Quantity];
};

/** What an order finds in the book: its whole quantity, or for some orders only part of it, on whole lots. */
const available = (size: Quantity, lot: Quantity, draw: () => number): Quantity => {
  if (draw() >= PARTIAL_SHARE || size < LOTS_TO_SPLIT * lot) return size;
  const share = BigInt(Math.floor((PARTIAL_FLOOR + draw() * (0.95 - PARTIAL_FLOOR)) * 1_000));
  return ((((size / lot) * share) / 1_000n) * lot) as Quantity;
};

type FactBody = Fact extends infer One ? (One extends Fact ? Omit<One, "sequence" | "occurredAt"> : never) : never;

interface State {
  readonly listings: ReadonlyMap<string, Listing>;
  readonly seed: number;
  prices: ReadonlyMap<string, Price>;
  readonly accounts: Map<string, Purse>;
  readonly orders: Map<string, { ordered: Quantity; filled: Quantity; times: number }>;
  readonly facts: Map<string, string[]>;
  fills: number;
  deposits: number;
}

const heldBy = (state: State, accountId: string): Purse => {
  const held = state.accounts.get(accountId) ?? newPurse();
  state.accounts.set(accountId, held);
  return held;
};

/** Numbers facts in the account's own sequence, writes them down as sent, and makes them one message. */
const tell = (state: State, accountId: string, now: number, bodies: readonly FactBody[]): FeedMessage => {
  const held = heldBy(state, accountId);
  const sent = state.facts.get(accountId) ?? [];
  state.facts.set(accountId, sent);
  const entries = bodies.map((body) => {
    held.sequence += 1;
    sent.push(body.externalId);
    return { ...body, sequence: held.sequence, occurredAt: now } as Fact;
  });
  return { schemaVersion: 1, accountId, entries };
};

/** Most that a reduce-only order of this side may trade against a position. */
const reducible = (position: Quantity, side: "buy" | "sell"): Quantity =>
  (side === "sell" ? (position > 0n ? position : 0n) : position < 0n ? -position : 0n) as Quantity;

const acceptOrder = (state: State, order: VenueOrder, now: number): FeedMessage | null => {
  const ordered = quantity(order.quantity);
  const seen = state.orders.get(order.orderId);
  if (seen !== undefined) {
    seen.times += 1;
    return null;
  }
  const draw = draws(state.seed, `order ${order.orderId}`);
  const listing = state.listings.get(order.instrumentId);
  const mark = state.prices.get(order.instrumentId);
  const held = heldBy(state, order.accountId);
  const bodies: FactBody[] = [];
  let filled = 0n as Quantity;
  if (listing !== undefined && mark !== undefined) {
    const lot = quantity(listing.lotSize);
    const at = worsened(listing, mark, order.side, IMPACT_PPM + Math.floor(draw() * IMPACT_PPM));
    const limit = price(order.limitPrice);
    const withinLimit = order.side === "sell" ? at >= limit : at <= limit;
    const room = reducible((held.positions.get(order.instrumentId) ?? 0n) as Quantity, order.side);
    filled = withinLimit ? min(available(ordered, lot, draw), room) : (0n as Quantity);
    for (const [index, size] of (filled === 0n ? [] : pieces(filled, lot, 0.3 + draw() * 0.4)).entries()) {
      const signed = (order.side === "sell" ? -size : size) as Quantity;
      const { instrumentId, orderId } = order;
      const fee = feeOf(listing, size, at);
      bodies.push({
        kind: "fill",
        externalId: `fill-${orderId}-${index + 1}`,
        instrumentId,
        quantity: signed,
        price: at,
        fee,
        orderId,
      });
      reduce(held, listing, { signed, at, fee });
      state.fills += 1;
    }
  }
  state.orders.set(order.orderId, { ordered, filled, times: 1 });
  bodies.push({ kind: "order_closed", externalId: `closed-${order.orderId}`, orderId: order.orderId, filled });
  return tell(state, order.accountId, now, bodies);
};

const closeAtMarket = (
  state: State,
  order: { accountId: string; instrumentId: string; size: Quantity },
  now: number,
): FeedMessage | null => {
  const { accountId, instrumentId } = order;
  const held = heldBy(state, accountId);
  const position = (held.positions.get(instrumentId) ?? 0n) as Quantity;
  const listing = state.listings.get(instrumentId);
  const mark = state.prices.get(instrumentId);
  const size = min(order.size, abs(position));
  if (listing === undefined || mark === undefined || size <= 0n) return null;
  const side = position > 0n ? "sell" : "buy";
  const signed = (position > 0n ? -size : size) as Quantity;
  const at = worsened(listing, mark, side, IMPACT_PPM);
  const fee = feeOf(listing, size, at);
  reduce(held, listing, { signed, at, fee });
  const externalId = `trade-${accountId}-${held.sequence + 1}`;
  const fill = {
    kind: "fill" as const,
    externalId,
    instrumentId,
    quantity: signed,
    price: at,
    fee,
    orderId: null,
  };
  return tell(state, accountId, now, [fill]);
};

/** Holdings as a snapshot of the feed states them. */
const stated = ({ balances, positions, pools = new Map() }: Holdings) => ({
  balances,
  positions,
  ...(pools.size > 0 && { pools: [...pools].map(([instrumentId, cash]) => ({ instrumentId, cash })) }),
});

const openAccount = (state: State, account: BookAccount, now: number): FeedMessage => {
  const { accountId, brokerId, clientClass, policyId } = account;
  stand(heldBy(state, accountId), account, state.listings);
  const message = tell(state, accountId, now, [{ kind: "snapshot", externalId: `open-${accountId}`, ...stated(account) }]);
  return { ...message, account: { brokerId, clientClass, policyId } };
};

/** Opens a venue over the market's listings. Every draw depends on the seed and the order's id alone. */
export const createVenue = (market: Market, seed: number): Venue => {
  const state: State = {
    listings: new Map(market.listings.map((listing) => [listing.instrumentId, listing])),
    seed,
    prices: new Map(),
    accounts: new Map(),
    orders: new Map(),
    facts: new Map(),
    fills: 0,
    deposits: 0,
  };
  return {
    show: (prices) => {
      state.prices = new Map([...state.prices, ...prices]);
    },
    open: (account, now) => openAccount(state, account, now),
    accept: (order, now) => acceptOrder(state, order, now),
    deposit: (accountId, asset, amount, now) => {
      state.deposits += 1;
      const held = heldBy(state, accountId);
      const externalId = `deposit-${accountId}-${held.sequence + 1}`;
      pay(held, asset, amount);
      return tell(state, accountId, now, [{ kind: "deposit", externalId, asset, amount }]);
    },
    transfer: (accountId, instrumentId, amount, now) => {
      const held = heldBy(state, accountId);
      const listing = state.listings.get(instrumentId);
      if (listing === undefined) return null;
      const externalId = `transfer-${accountId}-${held.sequence + 1}`;
      move(held, listing, amount);
      return tell(state, accountId, now, [{ kind: "pool_transfer", externalId, instrumentId, amount }]);
    },
    close: (accountId, instrumentId, size, now) => closeAtMarket(state, { accountId, instrumentId, size }, now),
    tell: (accountId, holds, orderIds, now) => {
      const closedOrders = orderIds.flatMap((orderId) => {
        const taken = state.orders.get(orderId);
        return taken === undefined ? [] : [{ orderId, filled: taken.filled }];
      });
      const externalId = `snapshot-${accountId}-${heldBy(state, accountId).sequence + 1}`;
      return tell(state, accountId, now, [{ kind: "snapshot", externalId, ...stated(holds), closedOrders }]);
    },
    holding: (accountId) => heldBy(state, accountId).positions,
    cash: (accountId) => heldBy(state, accountId).cash,
    isIsolated: (accountId, instrumentId) => heldBy(state, accountId).pools.has(instrumentId),
    record: state,
  };
};
