import type { MarginAccount } from "../core/account.ts";
import { LEVELS, levelOf } from "../core/level.ts";
import { LIMITS } from "../core/limits.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { assess } from "../core/statement.ts";
import { type Desk, policyOf, setAside } from "./decide-account.ts";
import { indexShardsOf } from "./dynamodb/keys.ts";
import { eachOf } from "./parallel.ts";

/** An order that did not leave, or that the venue did not answer, within this time is overdue. */
const ORDER_OVERDUE_MS = 30_000;
const LOADS_WIDE = 16;

/** Accounts that the sparse indexes name: a deadline on every clock's past side, a liquidation or a wait under way, an order held up. */
const namedByIndexes = async ({ book, world }: Desk): Promise<ReadonlySet<string>> => {
  const now = world.clock.now();
  const named = new Set<string>();
  const shards = Array.from({ length: indexShardsOf(world.settings.shards) }, (_, shard) => shard);
  await eachOf(shards, shards.length, async (shard) => {
    const [due, pending, sent] = await Promise.all([
      book.dueCalls(shard, now - 2 * LIMITS.skewMs),
      book.ordersInState("PENDING", shard, now - ORDER_OVERDUE_MS),
      book.ordersInState("SENT", shard, now - ORDER_OVERDUE_MS),
    ]);
    for (const { accountId } of [...due, ...pending, ...sent]) named.add(accountId);
    if (pending.length > 0) world.log.count("orders_overdue", pending.length);
    if (sent.length > 0) world.log.count("orders_unanswered", sent.length);
  });
  return named;
};

/**
 * Accounts with something overdue, with their live calls, the worst first: by level on the given marks, then
 * by what is missing to the initial requirement (S40).
 */
export const overdueAccounts = async (desk: Desk, snapshot: MarketSnapshot): Promise<readonly MarginAccount[]> => {
  const now = desk.world.clock.now();
  const found: { readonly account: MarginAccount; readonly depth: number; readonly shortfall: bigint }[] = [];
  const look = async (accountId: string): Promise<void> => {
    const account = await desk.book.load(accountId);
    if (account === null || account.live === null) return;
    const policy = await policyOf(desk, account);
    const statement = assess(account, snapshot, policy, now);
    const depth = LEVELS.indexOf(levelOf(account, statement, policy.levels, account.level));
    found.push({ account, depth, shortfall: statement.low.initial - statement.low.equityInitial });
  };
  const named = [...(await namedByIndexes(desk))].sort();
  await eachOf(named, LOADS_WIDE, (accountId) => look(accountId).catch((error) => void setAside(desk, accountId, error)));
  const worstFirst = found.sort((a, b) => b.depth - a.depth || (a.shortfall > b.shortfall ? -1 : a.shortfall < b.shortfall ? 1 : 0));
  return worstFirst.map(({ account }) => account);
};
