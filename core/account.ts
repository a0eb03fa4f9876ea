import type { MarginCall } from "./call.ts";
import type { Asset } from "./instrument.ts";
import type { Level } from "./level.ts";
import type { Money, Price, Quantity } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";

/** A holding in one instrument; never zero. */
export interface Position {
  readonly instrumentId: string;
  readonly quantity: Quantity;
  readonly entryPrice: Price;
}

/** What stands in one instrument beside the position (M3); never empty. */
export interface Standing {
  /** Contracts of all open buy orders of the holder together; 0 or above. */
  readonly buys: Quantity;
  /** Likewise of the sell orders; 0 or above. */
  readonly sells: Quantity;
  /** What the holder chose, 1 or above: IM is at least the notional over it. Null for what the brackets allow. */
  readonly leverage: Quantity | null;
  /** The leverage that a call was opened under, where it was changed meanwhile: that call keeps it (R11). */
  readonly kept: { readonly callId: string; readonly leverage: Quantity | null } | null;
}

/** What a level, an episode and a call are judged for (R9): all that is margined together, or one isolated pool by its instrument. */
export type Scope = "CROSS" | `ISO#${string}`;

/**
 * Margin that stands for one position alone (R9, M3): that position, and cash in the asset that it settles in. Cross
 * counts nothing of it and it counts nothing of cross. It is there while it holds cash, a position or a live call.
 */
export interface Pool {
  readonly instrumentId: string;
  /** Settlement asset of the instrument. */
  readonly asset: Asset;
  /** Negative where the pool has lost more than it had: a named deficit, which cross does not pay (R22). */
  readonly cash: Money;
  readonly position: Position | null;
  readonly level: Level;
  readonly episode: Episode | null;
  readonly live: LiveCall | null;
}

/** What an account remembers of its present episode (R11). */
export interface Episode {
  readonly episodeId: string;
  readonly startedAt: number;
  /** Calls opened in this episode; the last one is `lastCallId`. */
  readonly calls: number;
  readonly lastCallId: string;
  /** When the last call ended, and the grace it had left then; null while it is live. */
  readonly lastEndedAt: number | null;
  readonly graceLeftMs: number;
  /** Top-ups so far, over all calls of the episode (R11: at most `topUpsMax`). */
  readonly topUps: number;
  /** When a liquidation of this episode was last handed over (R14); no new attempt within the cool-down after it. */
  readonly handedOverAt: number | null;
  /** Since when the account is HEALTHY without a break; null otherwise. */
  readonly healthySince: number | null;
}

/**
 * A margin account as the book holds it, and the state that a decision needs with it.
 *
 * The single `version` guards every fact in it: it is in the condition of each write, and it is
 * the sequence of the account's journal.
 */
export interface MarginAccount {
  readonly accountId: string;
  /** Opaque stand-in for the account id in ids that others see: 12 base32 characters of its hash. */
  readonly key: string;
  readonly brokerId: string;
  /** Class of client for modes (R28), for example "retail". */
  readonly clientClass: string;
  readonly policyId: string;
  readonly version: number;
  /** Hash of the last journal envelope; "" before the first. */
  readonly headHash: string;
  /** Level of the scope CROSS; each pool has its own. */
  readonly level: Level;
  /** The live call of each scope that has one. */
  readonly openCalls: Readonly<Partial<Record<Scope, string>>>;
  readonly episode: Episode | null;
  /** Calls ever opened, in any scope: the index that makes the next call's id. */
  readonly callsOpened: number;
  /** Cash and collateral of CROSS by asset, sorted by asset; a negative balance is a debt (M2). */
  readonly balances: ReadonlyMap<Asset, Money>;
  /** Held back for withdrawals that were allowed and are not yet booked (R16), by asset. */
  readonly reserved: ReadonlyMap<Asset, Money>;
  /** Positions of CROSS, sorted by instrument id. */
  readonly positions: readonly Position[];
  /** Isolated pools by instrument, sorted; each holds its own position. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Open orders and leverage by instrument, sorted, whatever margins it: they raise IM and nothing else (M3). See `standingOf`. */
  readonly standing: ReadonlyMap<string, Standing>;
  /** Sequence of the last applied entry of the venue's book feed; 0 before the first. */
  readonly sourceSequence: number;
  /** The venue's instant of the newest fact in the book, epoch milliseconds; 0 before the first, and for accounts written before it was kept. */
  readonly sourceAt: number;
  /** True after a gap in the feed or a reconciliation that differs: may be called, never liquidated, until a snapshot heals it. */
  readonly outOfSync: boolean;
  /**
   * When the book was put back from a backup under this account (S54), until the venue has told of it since: only a
   * snapshot from this instant on brings it back in sync. Null for every other account, in sync or not.
   */
  readonly restoredAt: number | null;
  /** The live call of the scope CROSS with its live orders; null when `openCalls` names none. */
  readonly live: LiveCall | null;
}

export interface LiveCall {
  readonly call: MarginCall;
  /** Every order of the call's present attempt, terminal ones included, by index. */
  readonly orders: readonly LiquidationOrder[];
}

/** An account that the book does not hold yet: nothing in it, HEALTHY, version 0. Its first fact makes version 1. */
export const newAccount = (
  identity: Pick<MarginAccount, "accountId" | "key" | "brokerId" | "clientClass" | "policyId">,
): MarginAccount => ({
  accountId: identity.accountId,
  key: identity.key,
  brokerId: identity.brokerId,
  clientClass: identity.clientClass,
  policyId: identity.policyId,
  version: 0,
  headHash: "",
  level: "HEALTHY",
  openCalls: {},
  episode: null,
  callsOpened: 0,
  balances: new Map(),
  reserved: new Map(),
  positions: [],
  pools: new Map(),
  standing: new Map(),
  sourceSequence: 0,
  sourceAt: 0,
  outOfSync: false,
  restoredAt: null,
  live: null,
});
