import type { MarginAccount } from "../../core/account.ts";
import type { MarginCall } from "../../core/call.ts";
import type { Change } from "../../core/decision.ts";
import type { HeldTerms } from "../../core/notice.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import type { Policy } from "../../core/policy.ts";
import { toldOf } from "../lambda/told.ts";
import type { World } from "../world.ts";
import { accountItemKey, decodeAccount, decodePage } from "./account-codec.ts";
import { decodeCall, decodeOrder } from "./call-codec.ts";
import { type CommitOutcome, createCommit } from "./commit.ts";
import type { CommitMeta } from "./envelope.ts";
import { type Item, text } from "./items.ts";
import { accountPk, duePk, entrySk, indexRow, shardPk, statePk, upTo } from "./keys.ts";
import { getAll, partition, queryAll } from "./pages.ts";
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

/** Some accounts of a shard; `cursor` is there while more may come. */
export interface BookPage {
  readonly accounts: readonly MarginAccount[];
  readonly cursor?: string;
}

/** Accounts with their calls, orders, applied entries and policies. */
export interface Book {
  /** One result page of a shard. A row that does not read is named and counted, and stops no other. */
  pageOfShard(shard: number, cursor?: string): Promise<BookPage>;
  /** An account in one consistent state; null where there is none. @throws UnreadableRow, RangeError or Error for a row of another form. */
  load(accountId: string): Promise<MarginAccount | null>;
  /** Those of these accounts that the book has, in no order. A row that does not read is named and counted, and stops no other. */
  loadAll(accountIds: readonly string[]): Promise<readonly MarginAccount[]>;
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
  /** Versions of a policy that held since an instant, from the oldest. */
  policiesSince(policyId: string, newest: number, since: number): Promise<readonly HeldTerms<Policy>[]>;
  /** Stores a version of a policy, for ever. `conflict` when it exists with other content. */
  putPolicy(policy: Policy): Promise<"stored" | "conflict">;
  /** Every call of an account, in the order of their numbers. */
  calls(accountId: string): Promise<MarginCall[]>;
  /** Every liquidation order of an account, by call and number. */
  orders(accountId: string): Promise<LiquidationOrder[]>;
}

const numberOf = (callId: string): number => Number(callId.slice(callId.lastIndexOf("-") + 1));

const load = async (world: World, accountId: string): Promise<MarginAccount | null> => {
  const Key = accountItemKey(accountId, world.settings.shards);
  const got = await world.db.get({ TableName: world.settings.bookTable, Key, ConsistentRead: true });
  return got.Item === undefined ? null : decodeAccount(got.Item);
};

/** The accounts of rows. One that does not read is named and counted: nobody decides it, so an operator is paged. */
const readable = (world: World, items: readonly Item[]): readonly MarginAccount[] => {
  const { accounts, unreadable } = decodePage(items);
  for (const { accountId, error } of unreadable) {
    world.log.count("undecided_account");
    world.log.error("account row does not read", { accountId, ...toldOf(error) });
  }
  return accounts;
};

const pageOfShard = async (world: World, shard: number, cursor?: string): Promise<BookPage> => {
  const pk = shardPk(shard);
  const page = await world.db.query({
    ...partition(world.settings.bookTable, pk),
    ...(cursor !== undefined && { ExclusiveStartKey: { pk: { S: pk }, sk: { S: cursor } } }),
  });
  const next = page.LastEvaluatedKey?.["sk"]?.S;
  return { accounts: readable(world, page.Items ?? []), ...(next !== undefined && { cursor: next }) };
};

const loadAll = async (world: World, accountIds: readonly string[]): Promise<readonly MarginAccount[]> => {
  const { bookTable, shards } = world.settings;
  const keys = [...new Set(accountIds)].map((accountId) => accountItemKey(accountId, shards));
  return readable(world, await getAll(world.db, bookTable, keys));
};

const appliedEntries = async (world: World, accountId: string, externalIds: readonly string[]): Promise<Set<string>> => {
  const keys = [...new Set(externalIds)].map((id) => ({ pk: { S: accountPk(accountId) }, sk: { S: entrySk(id) } }));
  const items = await getAll(world.db, world.settings.bookTable, keys, "sk");
  return new Set(items.map((item) => text(item, "sk").slice(entrySk("").length)));
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
    loadAll: (accountIds) => loadAll(world, accountIds),
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
