import type { Asset } from "../core/instrument.ts";
import { divide, type Money, ONE, type Price, type Quantity, quantity } from "../core/money.ts";
import { balanceKey } from "./final-tables.ts";
import type { Listing } from "./market.ts";

/**
 * The replayed venue's own books of an account: what it holds, at which entry, and its cash. Kept by the venue's own
 * arithmetic and never read from Plimsoll, so that one can be held against the other (I14).
 */
export interface Purse {
  readonly positions: Map<string, Quantity>;
  readonly entries: Map<string, Price>;
  /** By asset; an isolated pool's by its scope and asset. */
  readonly cash: Map<string, Money>;
  /** Instruments that are margined isolated. */
  readonly pools: Set<string>;
  sequence: number;
}

export const newPurse = (): Purse => ({ positions: new Map(), entries: new Map(), cash: new Map(), pools: new Set(), sequence: 0 });

/** What an account holds as a statement of the venue says it. */
export interface Holdings {
  readonly balances: ReadonlyMap<Asset, Money>;
  readonly positions: readonly { readonly instrumentId: string; readonly quantity: Quantity; readonly entryPrice: Price }[];
  /** Cash of isolated pools, by instrument; none where it is absent. */
  readonly pools?: ReadonlyMap<string, Money>;
}

export const pay = (purse: Purse, key: string, amount: Money): void =>
  void purse.cash.set(key, ((purse.cash.get(key) ?? 0n) + amount) as Money);

const poolKey = ({ instrumentId, settleAsset }: Listing): string => balanceKey({ scope: `ISO#${instrumentId}`, asset: settleAsset });

/** Puts an account down as it stands. */
export const state = (purse: Purse, { balances, positions, pools }: Holdings, listings: ReadonlyMap<string, Listing>): void => {
  for (const map of [purse.positions, purse.entries, purse.cash]) map.clear();
  purse.pools.clear();
  for (const [asset, amount] of balances) pay(purse, asset, amount);
  for (const { instrumentId, quantity: held, entryPrice } of positions) {
    purse.positions.set(instrumentId, held);
    purse.entries.set(instrumentId, entryPrice);
  }
  for (const [instrumentId, amount] of pools ?? []) {
    const listing = listings.get(instrumentId);
    if (listing === undefined) continue;
    purse.pools.add(instrumentId);
    pay(purse, poolKey(listing), amount);
  }
};

/** Moves cash between CROSS and the pool of an instrument; a pool that is new takes the position along. */
export const move = (purse: Purse, listing: Listing, amount: Money): void => {
  pay(purse, listing.settleAsset, -amount as Money);
  pay(purse, poolKey(listing), amount);
  if (amount > 0n) purse.pools.add(listing.instrumentId);
};

/** What closing `closed` contracts of a position at a price brings, rounded down; negative for a loss. `closed` has the position's sign. */
const realisedOf = ({ kind, multiplier }: Listing, closed: Quantity, entry: Price, at: Price): Money => {
  const contracts = closed * quantity(multiplier);
  const won = at - entry;
  return (kind === "inverse" ? divide(contracts * won, entry * at, "down") : divide(contracts * won, ONE * ONE, "down")) as Money;
};

/**
 * Books a fill that reduces a position. The premium of an option is paid or received; of anything else the profit is.
 *
 * @param signed positive buys.
 */
export const reduce = (
  purse: Purse,
  listing: Listing,
  fill: { readonly signed: Quantity; readonly at: Price; readonly fee: Money },
): void => {
  const { signed, at, fee } = fill;
  const { instrumentId } = listing;
  const paid =
    listing.kind === "option"
      ? (divide(-signed * quantity(listing.multiplier) * at, ONE * ONE, "down") as Money)
      : realisedOf(listing, -signed as Quantity, purse.entries.get(instrumentId) ?? at, at);
  const key = purse.pools.has(instrumentId) ? poolKey(listing) : listing.settleAsset;
  pay(purse, key, (paid - fee) as Money);
  const left = ((purse.positions.get(instrumentId) ?? 0n) + signed) as Quantity;
  if (left !== 0n) {
    purse.positions.set(instrumentId, left);
    return;
  }
  purse.positions.delete(instrumentId);
  // A pool that is flat and empty is closed.
  if ((purse.cash.get(poolKey(listing)) ?? 0n) === 0n) purse.pools.delete(instrumentId);
};
