import type { MarginAccount, Scope } from "../core/account.ts";
import { LEVELS, levelOf } from "../core/level.ts";
import { LIMITS } from "../core/limits.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { type PolicyInMode, policyIn } from "../core/mode.ts";
import { livesOf, viewOf } from "../core/scope.ts";
import { assess } from "../core/statement.ts";
import { type Desk, policyOf, setAside } from "./decide-account.ts";
import { indexShardsOf } from "./dynamodb/keys.ts";
import { eachOf } from "./parallel.ts";

/** An order that did not leave, or that the venue did not answer, within this time is overdue. */
const ORDER_OVERDUE_MS = 30_000;

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

interface Judged {
  readonly account: MarginAccount;
  readonly depth: number;
  /** What is missing to the initial requirement. */
  readonly shortfall: bigint;
}

const worstFirst = (a: Judged, b: Judged): number => {
  if (a.depth !== b.depth) return b.depth - a.depth;
  if (a.shortfall !== b.shortfall) return a.shortfall > b.shortfall ? -1 : 1;
  return a.account.accountId < b.account.accountId ? -1 : 1;
};

/**
 * Accounts with something overdue, with their live calls, the worst first: by the level on the given marks of its worst scope with a call, then
 * by what is missing to the initial requirement (S40).
 */
export const overdueAccounts = async (desk: Desk, snapshot: MarketSnapshot): Promise<readonly MarginAccount[]> => {
  const now = desk.world.clock.now();
  const found: Judged[] = [];
  const judge = (account: MarginAccount, scope: Scope, policy: PolicyInMode): Judged => {
    const [view, own] = [viewOf(account, scope), policyIn(policy, scope)];
    const statement = assess(view, snapshot, own, now);
    const depth = LEVELS.indexOf(levelOf(view, statement, own.levels, view.level));
    return { account, depth, shortfall: statement.low.initial - statement.low.equityInitial };
  };
  const look = async (account: MarginAccount): Promise<void> => {
    const lives = livesOf(account);
    if (lives.length === 0) return;
    const policy = await policyOf(desk, account);
    const [worst] = lives.map(({ call }) => judge(account, call.scope, policy)).sort(worstFirst);
    if (worst !== undefined) found.push(worst);
  };
  const accounts = await desk.book.loadAll([...(await namedByIndexes(desk))]);
  for (const account of accounts) await look(account).catch((error) => setAside(desk, account.accountId, error));
  return found.sort(worstFirst).map(({ account }) => account);
};
