import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow, whole } from "../../../adapters/dynamodb/items.ts";
import { accountKey, accountPk, shardOf, shardPk } from "../../../adapters/dynamodb/keys.ts";
import {
  packAmounts,
  packNames,
  packOpenCalls,
  packPositions,
  unpackAmounts,
  unpackOpenCalls,
  unpackPositions,
} from "../../../adapters/dynamodb/packed.ts";
import { encodeEpisode, encodeLive, episode, liveCall } from "../../../adapters/wire/calls.ts";
import { placesOf } from "../../../adapters/wire/parse.ts";
import { type LiveCall, type MarginAccount, newAccount, type Scope } from "../../../core/account.ts";
import type { Asset } from "../../../core/instrument.ts";
import { LEVELS, type Level } from "../../../core/level.ts";
import type { Money } from "../../../core/money.ts";

/**
 * The reader and writer of accounts' rows as the release before had them: it knows version 1 and nothing else. Tests
 * bundle functions with it, to run two releases side by side where there is no history to build the other one from.
 * Frozen: when a third version comes, the present file takes this one's place.
 */

const LEVELS_BY_NAME: ReadonlyMap<string, Level> = new Map(LEVELS.map((level) => [level, level]));
const NO_AMOUNTS: ReadonlyMap<Asset, Money> = new Map();
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

/** Writes an account with the hash of its newest envelope. */
export const encodeAccount = (account: MarginAccount, headHash: string, shards: number): Item => {
  const openCalls = packOpenCalls(account.openCalls);
  const reserved = packAmounts(account.reserved);
  return {
    ...accountItemKey(account.accountId, shards),
    schema: SCHEMA,
    version: { N: `${account.version}` },
    identity: { S: packNames([account.key, account.brokerId, account.clientClass, account.policyId]) },
    level: { S: account.level },
    head: { S: headHash },
    counts: { S: `${account.callsOpened};${account.sourceSequence}` },
    cash: { S: packAmounts(account.balances) },
    positions: { S: packPositions(account.positions) },
    ...(reserved !== "" && { reserved: { S: reserved } }),
    ...(openCalls !== "" && { open: { S: openCalls } }),
    ...(account.live !== null && { live: { S: JSON.stringify(encodeLive(account.live)) } }),
    ...(account.episode !== null && { episode: { S: JSON.stringify(encodeEpisode(account.episode)) } }),
    ...(account.outOfSync && { gap: { BOOL: true } }),
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

/** @throws UnreadableRow, RangeError or Error for a row of another form. */
export const decodeAccount = (item: Item): MarginAccount => {
  checkSchema(item);
  const sk = text(item, "sk");
  if (!sk.startsWith("ACC#")) throw new UnreadableRow("not an account");
  const level = LEVELS_BY_NAME.get(text(item, "level"));
  if (level === undefined) throw new UnreadableRow("no level in level");
  const { key, brokerId, clientClass, policyId } = identityOf(text(item, "identity"));
  const counts = text(item, "counts");
  const split = counts.indexOf(";");
  const reserved = item["reserved"];
  const open = item["open"];
  return {
    accountId: sk.slice(4),
    key,
    brokerId,
    clientClass,
    policyId,
    version: whole(item, "version"),
    headHash: text(item, "head"),
    level,
    openCalls: open === undefined ? NO_CALLS : unpackOpenCalls(text(item, "open")),
    live: open === undefined ? null : readLive(item),
    episode: item["episode"] === undefined ? null : readEpisode(item),
    callsOpened: countOf(counts.slice(0, split)),
    balances: unpackAmounts(text(item, "cash")),
    reserved: reserved === undefined ? NO_AMOUNTS : unpackAmounts(text(item, "reserved")),
    positions: unpackPositions(text(item, "positions")),
    pools: new Map(),
    standing: new Map(),
    sourceSequence: countOf(counts.slice(split + 1)),
    outOfSync: item["gap"]?.BOOL === true,
    // The release before had no such field, and healed by any snapshot.
    restoredAt: null,
    sourceAt: 0,
  };
};

export interface AccountPage {
  readonly accounts: MarginAccount[];
  /** Rows that do not read: each stops its own account, never its shard. */
  readonly unreadable: { readonly accountId: string; readonly error: string }[];
}

/** Reads the items of one result page. */
export const decodePage = (items: readonly Item[]): AccountPage => {
  const accounts: MarginAccount[] = [];
  const unreadable: AccountPage["unreadable"] = [];
  for (const item of items) {
    try {
      accounts.push(decodeAccount(item));
    } catch (error) {
      unreadable.push({ accountId: item["sk"]?.S?.slice(4) ?? "", error: error instanceof Error ? error.message : "unknown" });
    }
  }
  return { accounts, unreadable };
};
