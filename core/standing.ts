import type { MarginAccount, Standing } from "./account.ts";
import type { Quantity } from "./money.ts";
import { fundedScope } from "./scope.ts";

const NO_ORDERS = { buys: 0n as Quantity, sells: 0n as Quantity };
const NOTHING: MarginAccount["standing"] = new Map();

/** True where orders are open in an instrument. */
export const hasOrders = ({ buys, sells }: Standing): boolean => buys !== 0n || sells !== 0n;

/** What stands beside the positions in the instruments that this view of the account margins: a pool's instrument is the pool's (R9). */
export const standingOf = (account: MarginAccount): MarginAccount["standing"] => {
  const { standing, pools } = account;
  if (standing.size === 0 || pools.size === 0) return standing;
  return new Map([...standing].filter(([instrumentId]) => fundedScope(account, instrumentId) === "CROSS"));
};

/** The account with what stands in one instrument changed; what says nothing any more is let go. */
export const withStanding = (account: MarginAccount, instrumentId: string, change: Partial<Standing>): MarginAccount => {
  const standing = new Map(account.standing);
  const next: Standing = { ...NO_ORDERS, ...standing.get(instrumentId), ...change };
  if (hasOrders(next)) standing.set(instrumentId, next);
  else standing.delete(instrumentId);
  return { ...account, standing: new Map([...standing].sort(([a], [b]) => (a < b ? -1 : 1))) };
};

/**
 * The account once its orders are cancelled, which comes before any liquidation (M10, M12): what a liquidation is planned
 * and judged on.
 */
export const withoutOrders = (account: MarginAccount): MarginAccount =>
  account.standing.size === 0 ? account : { ...account, standing: NOTHING };
