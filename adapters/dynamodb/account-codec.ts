import { type LiveCall, type MarginAccount, newAccount, type Scope } from "../../core/account.ts";
import type { Asset } from "../../core/instrument.ts";
import { LEVELS, type Level } from "../../core/level.ts";
import type { Money } from "../../core/money.ts";
import { scopeOf } from "../../core/scope.ts";
import { encodeEpisode, encodeLive, episode, liveCall } from "../wire/calls.ts";
import { placesOf } from "../wire/parse.ts";
import { encodePools, pools } from "../wire/pools.ts";
import { type Item, json, type RowSchema, rowSchemaOf, type StoredSchema, text, UnreadableRow, whole } from "./items.ts";
import { accountKey, accountPk, shardOf, shardPk } from "./keys.ts";
import {
  packAmounts,
  packNames,
  packOpenCalls,
  packPositions,
  packStanding,
  unpackAmounts,
  unpackOpenCalls,
  unpackPositions,
  unpackStanding,
} from "./packed.ts";

/**
 * Account items. Small and flat, since each sweep reads all of them: few attributes (each costs the
 * client and the JSON parser a third of a microsecond), short names, nothing stored that is empty.
 * `identity` is key, broker, class of client and policy; `counts` is calls opened and the feed's sequence.
 * `told` is the instant of the feed's newest fact; a release that does not know it leaves it out, and 0 is read.
 * `live` is the live call with its orders: so one read, a sweep's page as well, is all that a decision needs.
 *
 * Version 2 differs in `gap`, which an account has while it is out of sync. Version 1 says `true`: any snapshot heals
 * it. Version 2 says since when a snapshot must be, 0 for any: after a restore an older one heals nothing (S54).
 *
 * Version 3 is version 2 with `pools`: isolated pools as JSON, each with what a decision on it needs. Only accounts that have one are written in it.
 * Version 4 is version 2 with `standing`, open orders and leverage by instrument, and with `pools` where there are any. Only accounts that have either are written in it.
 */

const LEVELS_BY_NAME: ReadonlyMap<string, Level> = new Map(LEVELS.map((level) => [level, level]));
const NO_AMOUNTS: ReadonlyMap<Asset, Money> = new Map();
const IN_SYNC = Object.freeze({ outOfSync: false, restoredAt: null });
const NO_POOLS: MarginAccount["pools"] = new Map();
const NOTHING_STANDING: MarginAccount["standing"] = new Map();
const NO_CALLS: Readonly<Partial<Record<Scope, string>>> = Object.freeze({});

/** An account that the book does not have yet, on these terms: version 0, nothing in it. */
export const unopenedAccount = (
  accountId: string,
  terms: { readonly brokerId: string; readonly clientClass: string; readonly policyId: string },
): MarginAccount => newAccount({ accountId, key: accountKey(accountId), ...terms });

export const accountItemKey = (accountId: string, shards: number): { pk: { S: string }; sk: { S: string } } => ({
  pk: { S: shardPk(shardOf(accountId, shards)) },
  sk: { S: accountPk(accountId) },
});

/** The form that a version has no word for is written in the first one that has, whatever the stage says: better unread than misread. */
const schemaFor = ({ restoredAt, pools, standing }: MarginAccount, asked: RowSchema): StoredSchema => {
  if (standing.size > 0) return 4;
  if (pools.size > 0) return 3;
  return restoredAt === null ? asked : 2;
};

const gapIn = ({ outOfSync, restoredAt }: MarginAccount, schema: StoredSchema): Item => {
  if (!outOfSync) return {};
  return { gap: schema === 1 ? { BOOL: true } : { N: `${restoredAt ?? 0}` } };
};

/** Writes an account with the hash of its newest envelope. @param asked version of the row, as the stage says. */
export const encodeAccount = (account: MarginAccount, headHash: string, shards: number, asked: RowSchema = 1): Item => {
  const schema = schemaFor(account, asked);
  const openCalls = packOpenCalls(account.openCalls);
  const reserved = packAmounts(account.reserved);
  return {
    ...accountItemKey(account.accountId, shards),
    schema: { N: `${schema}` },
    version: { N: `${account.version}` },
    identity: { S: packNames([account.key, account.brokerId, account.clientClass, account.policyId]) },
    level: { S: account.level },
    head: { S: headHash },
    counts: { S: `${account.callsOpened};${account.sourceSequence}` },
    ...(account.sourceAt > 0 && { told: { N: `${account.sourceAt}` } }),
    cash: { S: packAmounts(account.balances) },
    positions: { S: packPositions(account.positions) },
    ...(account.standing.size > 0 && { standing: { S: packStanding(account.standing) } }),
    ...(account.pools.size > 0 && { pools: { S: encodePools(account.pools) } }),
    ...(reserved !== "" && { reserved: { S: reserved } }),
    ...(openCalls !== "" && { open: { S: openCalls } }),
    ...(account.live !== null && { live: { S: JSON.stringify(encodeLive(account.live)) } }),
    ...(account.episode !== null && { episode: { S: JSON.stringify(encodeEpisode(account.episode)) } }),
    ...gapIn(account, schema),
  };
};

/** Reads `key;broker;class;policy`, none empty. By index: a split costs as much as a position. */
const identityOf = (packed: string): Pick<MarginAccount, "key" | "brokerId" | "clientClass" | "policyId"> => {
  const first = packed.indexOf(";");
  const second = packed.indexOf(";", first + 1);
  const third = packed.indexOf(";", second + 1);
  if (first < 1 || second <= first + 1 || third <= second + 1 || third === packed.length - 1 || packed.indexOf(";", third + 1) > 0)
    throw new UnreadableRow("no identity in identity");
  return {
    key: packed.slice(0, first),
    brokerId: packed.slice(first + 1, second),
    clientClass: packed.slice(second + 1, third),
    policyId: packed.slice(third + 1),
  };
};

const countOf = (digits: string): number => {
  const value = Number(digits);
  if (digits === "" || !Number.isSafeInteger(value) || value < 0) throw new UnreadableRow("no whole number in counts");
  return value;
};

const readEpisode = (item: Item): MarginAccount["episode"] => {
  const read = episode.safeParse(json(item, "episode"));
  if (!read.success) throw new UnreadableRow("no episode in episode");
  return read.data;
};

const readLive = (item: Item): LiveCall => {
  const read = liveCall.safeParse(json(item, "live"));
  if (!read.success) throw new UnreadableRow(`live: ${placesOf(read.error)}`);
  return read.data;
};

/** Pools, each with the call that the account names for its scope and with no other. */
const readPools = (item: Item, openCalls: MarginAccount["openCalls"]): MarginAccount["pools"] => {
  const read = pools.safeParse(json(item, "pools"));
  if (!read.success) throw new UnreadableRow(`pools: ${placesOf(read.error)}`);
  for (const { instrumentId, live } of read.data.values())
    if (openCalls[scopeOf(instrumentId)] !== live?.call.callId) throw new UnreadableRow("a pool with another call than its account names");
  return read.data;
};

/** Whether an account is out of sync, and since when a snapshot must be that heals it. */
const readGap = (item: Item, schema: StoredSchema): Pick<MarginAccount, "outOfSync" | "restoredAt"> => {
  const { gap } = item;
  if (gap === undefined) return IN_SYNC;
  if (schema === 1) {
    if (gap.BOOL !== true) throw new UnreadableRow("no gap of version 1 in gap");
    return { outOfSync: true, restoredAt: null };
  }
  const restoredAt = whole(item, "gap");
  return { outOfSync: true, restoredAt: restoredAt === 0 ? null : restoredAt };
};

/** @throws UnreadableRow, RangeError or Error for a row of another form. */
export const decodeAccount = (item: Item): MarginAccount => {
  const schema = rowSchemaOf(item);
  const sk = text(item, "sk");
  if (!sk.startsWith("ACC#")) throw new UnreadableRow("not an account");
  const level = LEVELS_BY_NAME.get(text(item, "level"));
  if (level === undefined) throw new UnreadableRow("no level in level");
  const { key, brokerId, clientClass, policyId } = identityOf(text(item, "identity"));
  const counts = text(item, "counts");
  const split = counts.indexOf(";");
  const reserved = item["reserved"];
  const openCalls: MarginAccount["openCalls"] = item["open"] === undefined ? NO_CALLS : unpackOpenCalls(text(item, "open"));
  return {
    accountId: sk.slice(4),
    key,
    brokerId,
    clientClass,
    policyId,
    version: whole(item, "version"),
    headHash: text(item, "head"),
    level,
    openCalls,
    live: openCalls.CROSS === undefined ? null : readLive(item),
    episode: item["episode"] === undefined ? null : readEpisode(item),
    callsOpened: countOf(counts.slice(0, split)),
    balances: unpackAmounts(text(item, "cash")),
    reserved: reserved === undefined ? NO_AMOUNTS : unpackAmounts(text(item, "reserved")),
    positions: unpackPositions(text(item, "positions")),
    pools: schema === 3 || (schema === 4 && item["pools"] !== undefined) ? readPools(item, openCalls) : NO_POOLS,
    standing: schema === 4 ? unpackStanding(text(item, "standing")) : NOTHING_STANDING,
    sourceSequence: countOf(counts.slice(split + 1)),
    sourceAt: item["told"] === undefined ? 0 : whole(item, "told"),
    ...readGap(item, schema),
  };
};

export interface AccountPage {
  readonly accounts: MarginAccount[];
  /** Rows that do not read: each stops its own account, never its shard. */
  readonly unreadable: { readonly accountId: string; readonly error: unknown }[];
}

/** Reads the items of one result page. */
export const decodePage = (items: readonly Item[]): AccountPage => {
  const accounts: MarginAccount[] = [];
  const unreadable: AccountPage["unreadable"] = [];
  for (const item of items) {
    try {
      accounts.push(decodeAccount(item));
    } catch (error) {
      unreadable.push({ accountId: item["sk"]?.S?.slice(4) ?? "", error });
    }
  }
  return { accounts, unreadable };
};
