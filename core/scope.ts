import type { LiveCall, MarginAccount, Pool, Scope } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { isBare } from "./level.ts";
import { ZERO } from "./money.ts";

/**
 * Scopes of an account (R9): CROSS, and one for each isolated pool. A scope is decided as if it were an account of its
 * own, so that rules, levels and calls are written once: {@link viewOf} is that account, {@link withView} puts it back.
 */

export const scopeOf = (instrumentId: string): Scope => `ISO#${instrumentId}`;

/** The instrument of a pool's scope; null for CROSS. */
export const instrumentOf = (scope: Scope): string | null => (scope === "CROSS" ? null : scope.slice(4));

/** Every scope that the account has, CROSS first, then its pools by instrument. */
export const scopesOf = ({ pools }: Pick<MarginAccount, "pools">): readonly Scope[] => ["CROSS", ...[...pools.keys()].map(scopeOf)];

/** The pool of a scope; null for CROSS, and where there is none. */
export const poolOf = ({ pools }: Pick<MarginAccount, "pools">, scope: Scope): Pool | null => pools.get(instrumentOf(scope) ?? "") ?? null;

/** True while the venue margins the instrument isolated: what is left only for its call's end takes no more trades. */
export const isFunded = ({ cash, position }: Pool): boolean => cash !== 0n || position !== null;

/** The scope that margins an instrument now. */
export const fundedScope = ({ pools }: Pick<MarginAccount, "pools">, instrumentId: string): Scope => {
  const pool = pools.size === 0 ? undefined : pools.get(instrumentId);
  return pool !== undefined && isFunded(pool) ? scopeOf(instrumentId) : "CROSS";
};

/** A pool before anything is in it. */
export const newPool = (instrumentId: string, asset: string): Pool => ({
  instrumentId,
  asset,
  cash: ZERO,
  position: null,
  level: "HEALTHY",
  episode: null,
  live: null,
});

/**
 * The account with nothing in it but what is of this scope: the positions, cash, level, episode and call that a
 * decision on the scope looks at. Identity, versions and the state of the feed are the account's. CROSS is the account
 * as it is.
 *
 * @param before scope that was there before the change in hand, but is not any more, or the reverse: an empty pool.
 */
export const viewOf = (account: MarginAccount, scope: Scope): MarginAccount => {
  if (scope === "CROSS") return account;
  const pool = poolOf(account, scope) ?? newPool(scope.slice(4), "");
  const callId = pool.live?.call.callId;
  const standing = isFunded(pool) ? account.standing.get(pool.instrumentId) : undefined;
  return {
    ...account,
    level: pool.level,
    episode: pool.episode,
    live: pool.live,
    openCalls: callId === undefined ? {} : { [scope]: callId },
    balances: pool.cash === 0n ? new Map() : new Map([[pool.asset, pool.cash]]),
    reserved: new Map(),
    positions: pool.position === null ? [] : [pool.position],
    pools: new Map(),
    standing: standing === undefined ? new Map() : new Map([[pool.instrumentId, standing]]),
  };
};

/** The live calls of an account with their orders, CROSS first. */
export const livesOf = ({ live, pools }: Pick<MarginAccount, "live" | "pools">): readonly LiveCall[] => {
  if (pools.size === 0) return live === null ? [] : [live];
  return [live, ...[...pools.values()].map((pool) => pool.live)].filter((each) => each !== null);
};

/** The live call of this id, in whichever scope; null where there is none. */
export const liveCallOf = (account: MarginAccount, callId: string): MarginCall | null =>
  livesOf(account).find(({ call }) => call.callId === callId)?.call ?? null;

/** The account as the change in hand leaves it: a pool that holds nothing and has no call is let go, `openCalls` names what is live. */
export const settled = (account: MarginAccount): MarginAccount => {
  const kept = [...account.pools].filter(([, pool]) => isFunded(pool) || pool.live !== null);
  return {
    ...account,
    pools: new Map(kept.sort(([a], [b]) => (a < b ? -1 : 1))),
    openCalls: Object.fromEntries(livesOf(account).map(({ call }) => [call.scope, call.callId])),
  };
};

/** The account with the state of one scope put back; what the account has only once is taken from the view. */
export const withView = (account: MarginAccount, scope: Scope, view: MarginAccount): MarginAccount => {
  if (scope === "CROSS") return { ...view, pools: account.pools };
  const instrumentId = scope.slice(4);
  const { level, episode, live } = view;
  const asset = poolOf(account, scope)?.asset ?? [...view.balances.keys()][0] ?? "";
  const pool = { instrumentId, asset, cash: view.balances.get(asset) ?? ZERO, position: view.positions[0] ?? null, level, episode, live };
  return {
    ...account,
    version: view.version,
    callsOpened: view.callsOpened,
    outOfSync: view.outOfSync,
    pools: new Map(account.pools).set(instrumentId, pool),
  };
};

/** The scope whose live call this is; null where no call of this id is live. */
export const scopeOfCall = (account: MarginAccount, callId: string): Scope | null => liveCallOf(account, callId)?.scope ?? null;

/** True for an account that can breach in some scope: it holds a position or a debt. */
export const isAtRisk = (account: MarginAccount): boolean => scopesOf(account).some((scope) => !isBare(viewOf(account, scope)));

/** Every position of the account, whatever margins it, sorted by instrument. */
export const allPositions = ({ positions, pools }: Pick<MarginAccount, "positions" | "pools">): MarginAccount["positions"] =>
  pools.size === 0
    ? positions
    : [...positions, ...[...pools.values()].flatMap(({ position }) => position ?? [])].sort((a, b) =>
        a.instrumentId < b.instrumentId ? -1 : 1,
      );
