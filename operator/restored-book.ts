import { type Desk, openDesk, policyOf } from "../adapters/decide-account.ts";
import { decodeAccount } from "../adapters/dynamodb/account-codec.ts";
import { type Item, text } from "../adapters/dynamodb/items.ts";
import { createJournal } from "../adapters/dynamodb/journal.ts";
import { keyAfterRestore, sequenceAfterRestore } from "../adapters/dynamodb/keys.ts";
import { newestRestore, putRestore, type Restore } from "../adapters/dynamodb/restores.ts";
import type { World } from "../adapters/world.ts";
import type { MarginAccount } from "../core/account.ts";
import { restore } from "../core/restore.ts";
import { type Tally, type Walk, walkBook } from "./walk-book.ts";

const TRIES_MAX = 5;

/**
 * What became of an account. `contended`: others wrote it each time, so functions run that should not.
 * `failed`: its row, its journal or its policy does not read.
 */
const OUTCOMES = ["blocked", "already", "contended", "failed"] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Outcomes after which an account is not blocked: no function may run yet. */
export const NOT_BLOCKED: readonly Outcome[] = ["contended", "failed"];

/** The newest envelope of an account in the journal, which may have been put back to another second than the book. */
const newestEnvelope = async (world: World, account: MarginAccount): Promise<{ readonly seq: number; readonly hash: string }> => {
  const journal = createJournal(world);
  const near = await journal.timeline(account.accountId, account.version - 1);
  const newest = near.at(-1) ?? (await journal.timeline(account.accountId)).at(-1);
  return { seq: newest?.seq ?? 0, hash: newest?.hash ?? "" };
};

const blockAccount = async (desk: Desk, accountId: string, { restoredAt, backup }: Restore): Promise<Outcome> => {
  const key = keyAfterRestore(accountId, restoredAt);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const account = await desk.book.load(accountId);
    if (account === null || account.key === key) return "already";
    const policy = await policyOf(desk, account);
    const follows = await newestEnvelope(desk.world, account);
    const version = Math.max(sequenceAfterRestore(restoredAt), account.version, follows.seq) + 1;
    const change = restore(account, policy, { restoredAt, key, version }, desk.world.clock.now());
    const meta = { causedBy: `restored to ${backup}`, snapshotId: null, mode: policy.mode, follows };
    if ((await desk.book.commit(change, meta)) === "committed") return "blocked";
  }
  return "contended";
};

/** Faults of an account's own rows: anything else is the world's, and stops the walk, which then goes on where it was. */
const OF_THE_ACCOUNT: ReadonlySet<string> = new Set(["UnreadableRow", "UnknownPolicy", "RangeError"]);

/**
 * The restore that a command speaks of: the one under way, where the book remembers it, or a new one that begins now.
 * The instant is what makes new ids new, so a command that is given again must find the one of the first time.
 */
const declared = async (world: World, backup: string): Promise<Restore> => {
  const known = await newestRestore(world);
  if (known?.backup === backup) return known;
  const begun = { backup, restoredAt: world.clock.now() };
  await putRestore(world, begun);
  return begun;
};

/**
 * Brings a book that was put back from a backup into the restored state (S54): no account of it is liquidated until
 * the venue has told of it, and nothing that it says or orders from now on has a name from before. To be done while
 * no function runs. Stopped half-way, it goes on where it was.
 *
 * @param backup instant that the tables were put back to, as the operator names it.
 */
export const declareRestored = async (world: World, backup: string, onPage?: Walk["onPage"]): Promise<Tally> => {
  const desk = openDesk(world);
  const known = await declared(world, backup);
  const visit = async (row: Item): Promise<Outcome> => {
    const accountId = text(row, "sk").slice("ACC#".length);
    try {
      return await blockAccount(desk, accountId, known);
    } catch (error) {
      if (!(error instanceof Error) || !OF_THE_ACCOUNT.has(error.name)) throw error;
      world.log.error("account cannot be blocked", { accountId, error: error.message });
      return "failed";
    }
  };
  return walkBook(world, {
    name: "RESTORED",
    goal: `${known.restoredAt}`,
    visit,
    remembers: true,
    ...(onPage !== undefined && { onPage }),
  });
};

/** How many accounts the venue has told of since the restore, how many it has not, and the ids of some of those. */
export const unreconciled = async (
  world: World,
  shownMax: number,
): Promise<{ readonly waiting: number; readonly reconciled: number; readonly shown: readonly string[] }> => {
  const shown: string[] = [];
  const visit = async (row: Item): Promise<"waiting" | "reconciled"> => {
    const { accountId, restoredAt } = decodeAccount(row);
    if (restoredAt === null) return "reconciled";
    if (shown.length < shownMax) shown.push(accountId);
    return "waiting";
  };
  const tally = await walkBook(world, { name: "UNRECONCILED", goal: "", visit, remembers: false });
  return { waiting: tally["waiting"] ?? 0, reconciled: tally["reconciled"] ?? 0, shown };
};
