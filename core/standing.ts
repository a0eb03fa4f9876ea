import type { MarginAccount, Standing } from "./account.ts";
import type { Quantity } from "./money.ts";
import { fundedScope, viewOf } from "./scope.ts";

const NOTHING: Standing = { buys: 0n as Quantity, sells: 0n as Quantity, leverage: null, kept: null };

/** True where orders are open in an instrument. */
export const hasOrders = ({ buys, sells }: Pick<Standing, "buys" | "sells">): boolean => buys !== 0n || sells !== 0n;

/** True where orders are open in any of them. */
export const hasAnyOrders = (standing: MarginAccount["standing"]): boolean => {
  for (const each of standing.values()) if (hasOrders(each)) return true;
  return false;
};

/**
 * What stands beside the positions in the instruments that this view of the account margins: a pool's instrument is the
 * pool's (R9). Under a live call its leverage is the one that the call was opened under (R11).
 */
export const standingOf = (account: MarginAccount): MarginAccount["standing"] => {
  const { standing, pools, live } = account;
  if (standing.size === 0 || (pools.size === 0 && live === null)) return standing;
  const own = [...standing].filter(([instrumentId]) => pools.size === 0 || fundedScope(account, instrumentId) === "CROSS");
  const callId = live?.call.callId;
  return new Map(
    own.map(([instrumentId, each]) => [
      instrumentId,
      each.kept === null || each.kept.callId !== callId ? each : { ...each, leverage: each.kept.leverage },
    ]),
  );
};

/** The account with what stands in one instrument changed; what says nothing any more is let go. */
export const withStanding = (
  account: MarginAccount,
  instrumentId: string,
  change: Partial<Pick<Standing, "buys" | "sells" | "leverage">>,
): MarginAccount => {
  const before = account.standing.get(instrumentId) ?? NOTHING;
  const callId = viewOf(account, fundedScope(account, instrumentId)).live?.call.callId;
  const next = { ...before, ...change };
  const opened = before.kept !== null && before.kept.callId === callId ? before.kept.leverage : before.leverage;
  const kept = callId === undefined || next.leverage === opened ? null : { callId, leverage: opened };
  const standing = new Map(account.standing).set(instrumentId, { ...next, kept });
  if (!hasOrders(next) && next.leverage === null && kept === null) standing.delete(instrumentId);
  return { ...account, standing: new Map([...standing].sort(([a], [b]) => (a < b ? -1 : 1))) };
};

/**
 * The account once its orders are cancelled, which comes before any liquidation (M10, M12): what a liquidation is planned
 * and judged on.
 */
export const withoutOrders = (account: MarginAccount): MarginAccount => {
  if (!hasAnyOrders(account.standing)) return account;
  const { buys, sells } = NOTHING;
  const levered = [...account.standing].filter(([, { leverage, kept }]) => leverage !== null || kept !== null);
  return { ...account, standing: new Map(levered.map(([id, each]) => [id, { ...each, buys, sells }])) };
};
