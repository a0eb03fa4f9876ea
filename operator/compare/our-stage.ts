import { createBook } from "../../adapters/dynamodb/book.ts";
import { decodeEnvelope } from "../../adapters/dynamodb/envelope.ts";
import { createJournal } from "../../adapters/dynamodb/journal.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import type { World } from "../../adapters/world.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import type { Policy } from "../../core/policy.ts";
import type { OurAccount, OurBook } from "./ours.ts";

/** Reads under way at a time. */
const WIDTH = 16;

/** `work` for every item, a few at a time, in the items' order. */
const each = async <Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> => {
  const results: Result[] = new Array(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, items.length) }, lane));
  return results;
};

const accountsOf = async (world: World): Promise<readonly MarginAccount[]> => {
  const book = createBook(world);
  const accounts: MarginAccount[] = [];
  for (let shard = 0; shard < world.settings.shards; shard += 1) {
    let cursor: string | undefined;
    do {
      const page = await book.pageOfShard(shard, cursor);
      accounts.push(...page.accounts);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return accounts.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
};

/** Every version of a policy, the newest first. */
const versionsOf = async (world: World, policyId: string): Promise<readonly Policy[]> => {
  const book = createBook(world);
  const newest = await book.policy(policyId);
  const older = Array.from({ length: newest.version - 1 }, (_, index) => newest.version - 1 - index);
  return [newest, ...(await each(older, (version) => book.policy(policyId, version)))];
};

/** Which stored snapshots are read. */
export interface Wanted {
  /** Those that journals name from `from` to `to`, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Ids beside these. */
  readonly further?: readonly string[];
}

/**
 * Reads our side from the tables of a stage: accounts, their journals, and the snapshots that these name. It writes
 * nothing. Needs read access to the tables book, marks and journal.
 */
export const readStageBook = async (world: World, { from, to, further = [] }: Wanted): Promise<OurBook> => {
  const journals = createJournal(world);
  const accounts = await each(await accountsOf(world), async ({ accountId, brokerId, clientClass, policyId }): Promise<OurAccount> => {
    return { accountId, brokerId, clientClass, policyId, journal: await journals.rows(accountId) };
  });
  const { defaultPolicy } = world.settings;
  const policyIds = new Set(accounts.map(({ policyId }) => (policyId === "default" ? defaultPolicy : policyId)));
  const named = new Set(further);
  for (const envelope of accounts.flatMap(({ journal }) => journal.map(decodeEnvelope))) {
    const at = Date.parse(envelope.at);
    if (envelope.snapshotId !== null && at >= from && at <= to) named.add(envelope.snapshotId);
  }
  const marks = createMarks(world);
  const stored = await each([...named], (id): Promise<MarketSnapshot | null> => marks.snapshot(id));
  return {
    instruments: await marks.instruments(),
    defaultPolicy,
    policies: (await each([...policyIds], (policyId) => versionsOf(world, policyId))).flat(),
    snapshots: stored.filter((snapshot) => snapshot !== null).sort((a, b) => a.takenAt - b.takenAt),
    accounts,
  };
};
