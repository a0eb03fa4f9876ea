import type { LiveCall, MarginAccount } from "../core/account.ts";
import { isUntold } from "../core/clock.ts";
import { decide } from "../core/decide.ts";
import { LEVELS } from "../core/level.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { type PolicyInMode, policyIn } from "../core/mode.ts";
import { livesOf } from "../core/scope.ts";
import { type Desk, decideAccount, policyOf, setAside } from "./decide-account.ts";
import { eachOf } from "./parallel.ts";

/** Accounts of one page that are written at a time: a DynamoDB transaction takes about 10 ms, most of it waiting. */
const WRITES_WIDE = 16;

/**
 * The policy of each account by what names it; null for one that does not exist. Read ahead, so that accounts are judged without waiting.
 *
 * @param aside is told of a fault of the account's own; it throws any other on.
 */
export const policiesOf = async (
  desk: Desk,
  accounts: readonly MarginAccount[],
  aside: (accountId: string, error: unknown) => null,
): Promise<(account: MarginAccount) => PolicyInMode | null> => {
  const pinnedIn = (policyId: string, live: LiveCall | null): string =>
    live === null ? policyId : `${live.call.policyId}#${live.call.policyVersion}`;
  const keyOf = ({ live, policyId, brokerId, clientClass, pools }: MarginAccount): string => {
    const pinned = `${pinnedIn(policyId, live)}\n${brokerId}\n${clientClass}`;
    if (pools.size === 0) return pinned;
    return [pinned, ...[...pools.values()].map((pool) => `${pool.instrumentId}:${pinnedIn(policyId, pool.live)}`)].join("\n");
  };
  const one = new Map(accounts.map((account) => [keyOf(account), account]));
  const read = await Promise.all(
    [...one].map(async ([key, account]): Promise<[string, PolicyInMode | null]> => {
      return [key, await policyOf(desk, account).catch((error) => aside(account.accountId, error))];
    }),
  );
  const policies = new Map(read);
  return (account) => policies.get(keyOf(account)) ?? null;
};

/** Counts and names a live call that no channel has told its holder of within the policy's wait (R12): an operator is paged. */
const watchNotice = ({ world }: Desk, account: MarginAccount, policy: PolicyInMode, now: number): void => {
  for (const { call } of livesOf(account)) {
    if (!isUntold(call, policyIn(policy, call.scope), now)) continue;
    world.log.count("notice_unaccepted");
    world.log.warn("no channel has accepted a notice of this call", { callId: call.callId, accountId: account.accountId });
  }
};

/** How deep its deepest scope stands. */
const depthOf = ({ level, pools }: MarginAccount): number =>
  Math.max(LEVELS.indexOf(level), ...[...pools.values()].map((pool) => LEVELS.indexOf(pool.level)));

/**
 * Marks the accounts of one page and writes what changed, the deepest first.
 *
 * Most accounts do not change and cost no request at all, one with a live call as little as the others.
 * Those that do are decided anew, each on the clock read just before its write (R12). An account that
 * cannot be judged stops itself, is named and counted, and stops no other.
 *
 * @throws the first fault of the world, after every account had its turn.
 */
export const markPage = async (desk: Desk, accounts: readonly MarginAccount[], snapshot: MarketSnapshot): Promise<void> => {
  const policyFor = await policiesOf(desk, accounts, (accountId, error) => setAside(desk, accountId, error));
  const now = desk.world.clock.now();
  const changing: { readonly account: MarginAccount; readonly depth: number }[] = [];
  for (const account of accounts) {
    try {
      const policy = policyFor(account);
      if (policy === null) throw new RangeError(`no policy ${account.policyId}`);
      watchNotice(desk, account, policy, now);
      const change = decide(account, snapshot, policy, now);
      if (change !== null) changing.push({ account, depth: depthOf(change.after) });
    } catch (error) {
      setAside(desk, account.accountId, error);
    }
  }
  changing.sort((a, b) => b.depth - a.depth);
  await eachOf(changing, WRITES_WIDE, async ({ account }) => {
    const { accountId } = account;
    const request = { accountId, causedBy: `sweep ${snapshot.snapshotId}`, loaded: account };
    await decideAccount(desk, request, snapshot).catch((error) => void setAside(desk, accountId, error));
  });
};
