import type { Position, Scope } from "./account.ts";
import type { Asset } from "./instrument.ts";
import type { Money, Price, Quantity } from "./money.ts";

/**
 * A fact that has happened at the venue (R16): always applied, each external id once, for ever.
 * `occurredAt` is the venue's instant in epoch milliseconds; `sequence` counts per account.
 */
export type Fact = { readonly externalId: string; readonly sequence: number; readonly occurredAt: number } & (
  | { readonly kind: "deposit"; readonly asset: Asset; readonly amount: Money }
  /** A deposit that was seen and still confirms: no equity, no posting (R15). The same money comes again as a `deposit`. */
  | { readonly kind: "deposit_pending"; readonly asset: Asset; readonly amount: Money }
  | { readonly kind: "withdrawal"; readonly asset: Asset; readonly amount: Money }
  | {
      readonly kind: "fill";
      readonly instrumentId: string;
      readonly quantity: Quantity;
      readonly price: Price;
      readonly fee: Money;
      readonly orderId: string | null;
    }
  /**
   * Cash moved between CROSS and the isolated pool of an instrument, in the asset that it settles in (R9): into the pool
   * where positive, out of it where negative, never 0. The first one into a pool opens it, with the position that
   * CROSS holds in the instrument; a pool that is flat and empty is closed.
   */
  | { readonly kind: "pool_transfer"; readonly instrumentId: string; readonly amount: Money }
  /** All orders of the holder that are open in an instrument, in contracts of each side: these figures replace the ones before (M3). */
  | ({ readonly kind: "open_orders" } & OpenOrders)
  /** The leverage that the holder chose in an instrument, 1 or above; null for none (M3). */
  | { readonly kind: "leverage"; readonly instrumentId: string; readonly leverage: Quantity | null }
  /** The venue's last word on one of our orders: what was not filled is returned. */
  | { readonly kind: "order_closed"; readonly orderId: string; readonly filled: Quantity }
  /**
   * The whole account as the venue holds it: heals a gap (OUT_OF_SYNC) and opens an account. `closedOrders` are
   * those of our orders that the venue has closed, as far as their own facts may have been lost in the gap. `balances`
   * are those of CROSS, `positions`, `orders` and `leverage` all; an instrument in `pools` is margined isolated. An absent list is an empty one.
   */
  | {
      readonly kind: "snapshot";
      readonly balances: ReadonlyMap<Asset, Money>;
      readonly positions: readonly Position[];
      readonly closedOrders?: readonly ClosedOrder[] | undefined;
      readonly pools?: readonly PoolCash[] | undefined;
      readonly orders?: readonly OpenOrders[] | undefined;
      readonly leverage?: readonly ChosenLeverage[] | undefined;
    }
  /**
   * The whole account as the venue holds it after the fact `sequence`, which this one does not add to: a check of the
   * book. It changes no balance and no position; a difference marks the account OUT_OF_SYNC, and only a snapshot heals it.
   */
  | {
      readonly kind: "reconciliation";
      readonly balances: ReadonlyMap<Asset, Money>;
      readonly positions: readonly Position[];
      readonly pools?: readonly PoolCash[] | undefined;
      readonly orders?: readonly OpenOrders[] | undefined;
      readonly leverage?: readonly ChosenLeverage[] | undefined;
    }
);

/** The leverage that the holder chose in one instrument, 1 or above. */
export interface ChosenLeverage {
  readonly instrumentId: string;
  readonly leverage: Quantity;
}

/** Contracts of the holder's open orders in one instrument, in all; neither is below 0. */
export interface OpenOrders {
  readonly instrumentId: string;
  readonly buys: Quantity;
  readonly sells: Quantity;
}

/** An instrument that the venue margins isolated, and the cash of its pool in the asset that it settles in. */
export interface PoolCash {
  readonly instrumentId: string;
  readonly cash: Money;
}

/** An exact change of a balance; of CROSS, or of the pool that it names. */
export interface Posting {
  readonly asset: Asset;
  readonly amount: Money;
  readonly scope?: Scope | undefined;
}

/** The venue's last word on one of our orders, in a snapshot: what of it was filled; the rest was returned. */
export interface ClosedOrder {
  readonly orderId: string;
  readonly filled: Quantity;
}

/**
 * An applied fact as the journal keeps it. `postings` are the exact changes of balances: the sum of
 * all postings of an account is its balances (I14), in each scope and asset.
 */
export interface Entry {
  readonly fact: Fact;
  readonly postings: readonly Posting[];
  /** In what the book differs from the venue's statement; only on a reconciliation, which is kept only where it differs. */
  readonly differences?: readonly BookDifference[] | undefined;
}

/** One thing in which the book and the venue differ: "balance USDT", "position BTC-PERP", "pool BTC-PERP", "orders BTC-PERP", "leverage BTC-PERP" or "sequence", as each has it. */
export interface BookDifference {
  readonly what: string;
  readonly book: string;
  readonly venue: string;
}
