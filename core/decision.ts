import type { MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import type { DomainEvent } from "./event.ts";
import type { Entry } from "./ledger.ts";
import type { LiquidationOrder } from "./order.ts";

/**
 * What one transaction writes: the next account, the rows that changed with it, and what it says.
 *
 * `before.version + 1 = after.version`; the store puts `before.version` in the condition.
 */
export interface Change {
  readonly before: MarginAccount;
  /** `version` raised by one; `headHash` is the store's to set. */
  readonly after: MarginAccount;
  /** New and changed calls, each in its new version. At most two: one ended, one opened. */
  readonly calls: readonly MarginCall[];
  /** New and changed orders. */
  readonly orders: readonly LiquidationOrder[];
  /** Applied facts of the book feed (journalled, each external id once). */
  readonly entries: readonly Entry[];
  readonly events: readonly DomainEvent[];
}
