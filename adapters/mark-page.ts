import type { MarginAccount } from "../core/account.ts";
import { isUntold } from "../core/clock.ts";
import { decide } from "../core/decide.ts";
import { LEVELS } from "../core/level.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import type { PolicyInMode } from "../core/mode.ts";
import { type Desk, decideAccount, policyOf, setAside } from "./decide-account.ts";
import { eachOf } from "./parallel.ts";

/** Accounts of one page that are written at a time: a DynamoDB transaction takes about 10 ms, most of it waiting. */
const WRITES_WIDE = 16;

/** The policy of each account by what names it; null for one that does not exist. Read ahead, so that accounts are judged without waiting. */
const policiesOf = async (desk: Desk, accounts: readonly MarginAccount[]): Promise<(account: MarginAccount) => PolicyInMode | null> => {
  const keyOf = ({ policyId, brokerId, clientClass }: MarginAccount): string => `${policyId}\n${brokerId}\n${clientClass}`;
  const read = new Map<string, PolicyInMode | null>();
  for (const account of accounts) {
    const key = keyOf(account);
    if (!read.has(key))
      read.set(key, await policyOf(desk, { ...account, live: null }).catch((error) => setAside(desk, account.accountId, error)));
  }
  return (account) => read.get(keyOf(account)) ?? null;
};

const isWatched = (account: MarginAccount): boolean => Object.keys(account.openCalls).length > 0;

/**
 * How deep an account stands or would stand if it needs a closer look, or null. One without a live call is
 * judged here, in memory; one with a live call needs its rows.
 */
const depthOf = (account: MarginAccount, snapshot: MarketSnapshot, policy: PolicyInMode | null, now: number): number | null => {
  if (isWatched(account)) return LEVELS.indexOf(account.level);
  if (policy === null) throw new RangeError(`no policy ${account.policyId}`);
  const change = decide(account, snapshot, policy, now);
  return change === null ? null : LEVELS.indexOf(change.after.level);
};

/** Counts and names a live call that no channel has told its holder of within the policy's wait (R12): an operator is paged. */
const watchNotice = async (desk: Desk, account: MarginAccount): Promise<void> => {
  const call = account.live?.call;
  if (call === undefined || !isUntold(call, await policyOf(desk, account), desk.world.clock.now())) return;
  desk.world.log.count("notice_unaccepted");
  desk.world.log.warn("no channel has accepted a notice of this call", { callId: call.callId, accountId: account.accountId });
};

/**
 * Marks the accounts of one page and writes what changed, the deepest first.
 *
 * Most accounts do not change and cost no request at all. Those that do are decided anew, each on the
 * clock read just before its write (R12). An account that cannot be judged stops itself, is named and
 * counted, and stops no other.
 *
 * @throws the first fault of the world, after every account had its turn.
 */
export const markPage = async (desk: Desk, accounts: readonly MarginAccount[], snapshot: MarketSnapshot): Promise<void> => {
  const policy = await policiesOf(desk, accounts);
  const now = desk.world.clock.now();
  const suspects: { readonly account: MarginAccount; readonly depth: number }[] = [];
  for (const account of accounts) {
    try {
      const depth = depthOf(account, snapshot, policy(account), now);
      if (depth !== null) suspects.push({ account, depth });
    } catch (error) {
      setAside(desk, account.accountId, error);
    }
  }
  suspects.sort((a, b) => b.depth - a.depth);
  await eachOf(suspects, WRITES_WIDE, async ({ account }) => {
    const { accountId } = account;
    const request = { accountId, causedBy: `sweep ${snapshot.snapshotId}`, ...(isWatched(account) ? {} : { loaded: account }) };
    const work = async (): Promise<void> => {
      const decided = await decideAccount(desk, request, snapshot);
      if (decided !== null) await watchNotice(desk, decided.account);
    };
    await work().catch((error) => void setAside(desk, accountId, error));
  });
};
