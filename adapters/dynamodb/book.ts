import type { LiveCall, MarginAccount } from "../../core/account.ts";
import type { MarginCall } from "../../core/call.ts";
import type { Change } from "../../core/decision.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import type { Policy } from "../../core/policy.ts";
import type { World } from "../world.ts";
import { type AccountPage, accountItemKey, decodeAccount, decodePage } from "./account-codec.ts";
import { decodeCall, decodeOrder, writtenAt } from "./call-codec.ts";
import { type CommitOutcome, createCommit } from "./commit.ts";
import type { CommitMeta } from "./envelope.ts";
import { type Item, text, UnreadableRow } from "./items.ts";
import { accountPk, callSk, duePk, entrySk, indexRow, ordersOfCall, shardPk, statePk, upTo } from "./keys.ts";
import { partition, queryAll } from "./pages.ts";
import { createPolicies } from "./policies.ts";

/** A row of the deadline index: a hint, at most as fresh as the index. The call as loaded is the truth. */
export interface DueCall {
  readonly accountId: string;
  readonly callId: string;
  readonly deadlineAt: number;
}

/** A row of the order index, likewise a hint. */
export interface OrderInState {
  readonly accountId: string;
  readonly callId: string;
  readonly orderId: string;
  readonly since: number;
}

/** Accounts with their calls, orders, applied entries and policies. */
export interface Book {
  /**
   * One result page of a shard, without live calls: follow `openCalls` with `load`. `cursor` is there
   * while more may come. A row that does not read is named and counted, and stops no other.
   */
  pageOfShard(shard: number, cursor?: string): Promise<AccountPage & { readonly cursor?: string }>;
  /** An account in one consistent state, with its live call and that call's present orders; null where there is none. */
  load(accountId: string): Promise<MarginAccount | null>;
  /** Writes a change as one transaction; see {@link CommitOutcome}. */
  commit(change: Change, meta: CommitMeta): Promise<CommitOutcome>;
  /** Which of these facts were applied before, ever (I17). */
  appliedEntries(accountId: string, externalIds: readonly string[]): Promise<Set<string>>;
  /**
   * Live calls of one shard of the deadline index that are due at `before` or earlier, oldest first.
   * `deadlineAt` is the deadline, or since when the call liquidates or waits for a good mark.
   */
  dueCalls(indexShard: number, before: number): Promise<DueCall[]>;
  /** Live orders of one shard of the order index that are in this state since `before` or earlier, oldest first. */
  ordersInState(state: "PENDING" | "SENT", indexShard: number, before: number): Promise<OrderInState[]>;
  /** A version of a policy, or its newest (at most 30 s old). @throws UnknownPolicy by name. */
  policy(policyId: string, version?: number): Promise<Policy>;
  /** Stores a version of a policy, for ever. `conflict` when it exists with other content. */
  putPolicy(policy: Policy): Promise<"stored" | "conflict">;
  /** Every call of an account, in the order of their numbers. */
  calls(accountId: string): Promise<MarginCall[]>;
  /** Every liquidation order of an account, by call and number. */
  orders(accountId: string): Promise<LiquidationOrder[]>;
}

/** Reads before an account that changes between its rows is given up. */
const LOADS_MAX = 5;
const BATCH_KEYS_MAX = 100;

const numberOf = (callId: string): number => Number(callId.slice(callId.lastIndexOf("-") + 1));

/** The live call with the orders of its attempt, or null when its rows are of a later state than the account. */
const readLive = async (world: World, account: MarginAccount, callId: string): Promise<LiveCall | null> => {
  const pk = accountPk(account.accountId);
  const [got, items] = await Promise.all([
    world.db.get({ TableName: world.settings.bookTable, Key: { pk: { S: pk }, sk: { S: callSk(callId) } }, ConsistentRead: true }),
    queryAll(world.db, { ...partition(world.settings.bookTable, pk, ordersOfCall(callId)), ConsistentRead: true }),
  ]);
  if (got.Item === undefined) throw new UnreadableRow("an open call without its row");
  if ([got.Item, ...items].some((item) => writtenAt(item) > account.version)) return null;
  const call = decodeCall(got.Item);
  const orders = items.map(decodeOrder).filter((order) => order.attempt === call.attempt);
  return { call, orders: orders.sort((a, b) => a.index - b.index) };
};

const load = async (world: World, accountId: string): Promise<MarginAccount | null> => {
  const Key = accountItemKey(accountId, world.settings.shards);
  for (let read = 1; read <= LOADS_MAX; read += 1) {
    const got = await world.db.get({ TableName: world.settings.bookTable, Key, ConsistentRead: true });
    if (got.Item === undefined) return null;
    const account = decodeAccount(got.Item);
    const callId = account.openCalls.CROSS;
    if (callId === undefined) return account;
    const live = await readLive(world, account, callId);
    if (live !== null) return { ...account, live };
  }
  throw new Error("an account changed faster than it could be read");
};

const pageOfShard = async (world: World, shard: number, cursor?: string): Promise<AccountPage & { readonly cursor?: string }> => {
  const pk = shardPk(shard);
  const page = await world.db.query({
    ...partition(world.settings.bookTable, pk),
    ...(cursor !== undefined && { ExclusiveStartKey: { pk: { S: pk }, sk: { S: cursor } } }),
  });
  const read = decodePage(page.Items ?? []);
  for (const row of read.unreadable) {
    world.log.count("account_unreadable");
    world.log.error("account row does not read", { accountId: row.accountId, error: row.error });
  }
  const next = page.LastEvaluatedKey?.["sk"]?.S;
  return { ...read, ...(next !== undefined && { cursor: next }) };
};

const appliedEntries = async (world: World, accountId: string, externalIds: readonly string[]): Promise<Set<string>> => {
  const table = world.settings.bookTable;
  const applied = new Set<string>();
  const unique = [...new Set(externalIds)];
  for (let from = 0; from < unique.length; from += BATCH_KEYS_MAX) {
    const names = unique.slice(from, from + BATCH_KEYS_MAX);
    let keys: Item[] = names.map((id) => ({ pk: { S: accountPk(accountId) }, sk: { S: entrySk(id) } }));
    while (keys.length > 0) {
      const got = await world.db.batchGet({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true, ProjectionExpression: "sk" } } });
      for (const item of got.Responses?.[table] ?? []) applied.add(text(item, "sk").slice(entrySk("").length));
      keys = got.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return applied;
};

/** Keys of a sparse index up to an instant, oldest first. */
const indexKeys = (world: World, index: { name: string; pk: string; sk: string }, pk: string, before: number): Promise<Item[]> =>
  queryAll(world.db, {
    TableName: world.settings.bookTable,
    IndexName: index.name,
    KeyConditionExpression: `${index.pk} = :pk AND ${index.sk} < :upTo`,
    ExpressionAttributeValues: { ":pk": { S: pk }, ":upTo": { S: upTo(before) } },
  });

const DEADLINES = { name: "deadlines", pk: "duePk", sk: "dueSk" };
const ORDERS = { name: "orders", pk: "statePk", sk: "stateSk" };

export const createBook = (world: World): Book => {
  const bookTable = (): string => world.settings.bookTable;
  const rows = (accountId: string, prefix: string): Promise<Item[]> =>
    queryAll(world.db, { ...partition(bookTable(), accountPk(accountId), prefix), ConsistentRead: true });
  return {
    ...createPolicies(world),
    pageOfShard: (shard, cursor) => pageOfShard(world, shard, cursor),
    load: (accountId) => load(world, accountId),
    commit: createCommit(world),
    appliedEntries: (accountId, externalIds) => appliedEntries(world, accountId, externalIds),
    dueCalls: async (indexShard, before) => {
      const items = await indexKeys(world, DEADLINES, duePk(indexShard), before);
      return items.map((item) => {
        const { at, accountId, id } = indexRow(text(item, "dueSk"));
        return { accountId, callId: id, deadlineAt: at };
      });
    },
    ordersInState: async (state, indexShard, before) => {
      const items = await indexKeys(world, ORDERS, statePk(state, indexShard), before);
      return items.map((item) => {
        const { at, accountId, id } = indexRow(text(item, "stateSk"));
        const [, callId] = text(item, "sk").split("#");
        return { accountId, callId: callId ?? "", orderId: id, since: at };
      });
    },
    calls: async (accountId) => (await rows(accountId, "CALL#")).map(decodeCall).sort((a, b) => numberOf(a.callId) - numberOf(b.callId)),
    orders: async (accountId) =>
      (await rows(accountId, "ORDER#")).map(decodeOrder).sort((a, b) => numberOf(a.callId) - numberOf(b.callId) || a.index - b.index),
  };
};
