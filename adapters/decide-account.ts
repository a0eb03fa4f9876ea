import type { LiveCall, MarginAccount, Scope } from "../core/account.ts";
import { decide } from "../core/decide.ts";
import type { Change } from "../core/decision.ts";
import type { Fact } from "../core/ledger.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { modeOf, type PolicyInMode } from "../core/mode.ts";
import type { Policy } from "../core/policy.ts";
import { scopeOf } from "../core/scope.ts";
import { unopenedAccount } from "./dynamodb/account-codec.ts";
import { type Book, createBook } from "./dynamodb/book.ts";
import type { Decided } from "./dynamodb/decision-record.ts";
import { createMarks, type Marks } from "./dynamodb/marks.ts";
import { newestRestore, openedAfter } from "./dynamodb/restores.ts";
import { toldOf } from "./lambda/told.ts";
import type { AccountTerms } from "./wire/feed.ts";
import type { World } from "./world.ts";

/** Fresh loads of an account that others are writing, before its message goes back to its queue. */
const TRIES_MAX = 5;
/** How long the newest marks serve the accounts of one invocation; their age is judged at each decision anyway. */
const NEWEST_KEPT_MS = 1_000;
/** Policy id of an account that takes the stage's default. */
export const DEFAULT_POLICY_ID = "default";

/** Others kept writing the account for as many tries as we have. Nothing was written; the message may be tried again. */
export class Contended extends Error {
  override readonly name = "Contended";
}

/** The stores that decisions about accounts need. One for the life of a function: it keeps policies and instruments. */
export interface Desk {
  readonly world: World;
  readonly book: Book;
  readonly marks: Marks;
}

export const openDesk = (world: World): Desk => ({ world, book: createBook(world), marks: createMarks(world) });

/** The newest marks for the accounts of one invocation: read when first asked for, and again after a second or a failure. */
export const newestMarks = ({ world, marks }: Desk): (() => Promise<MarketSnapshot>) => {
  let kept: { readonly at: number; readonly snapshot: Promise<MarketSnapshot> } | null = null;
  return async () => {
    const now = world.clock.now();
    if (kept === null || Math.abs(now - kept.at) > NEWEST_KEPT_MS) kept = { at: now, snapshot: marks.newest() };
    const asked = kept;
    try {
      return await asked.snapshot;
    } catch (error) {
      if (kept === asked) kept = null;
      throw error;
    }
  };
};

/** The id of the policy that an account without a live call is under. */
export const policyIdOf = ({ world }: Desk, { policyId }: MarginAccount): string =>
  policyId === DEFAULT_POLICY_ID ? world.settings.defaultPolicy : policyId;

/**
 * The policy that decides an account, with its mode (R28): the version that its live call was opened
 * under, or else the newest (R11), likewise for each of its pools. "default" names the stage's own. @throws UnknownPolicy by name.
 */
export const policyOf = async (desk: Desk, account: MarginAccount): Promise<PolicyInMode> => {
  const { world, book } = desk;
  const under = (live: LiveCall | null): Promise<Policy> =>
    live === null ? book.policy(policyIdOf(desk, account)) : book.policy(live.call.policyId, live.call.policyVersion);
  const inMode = { ...(await under(account.live)), mode: modeOf(world.settings.modes, account) };
  if (account.pools.size === 0) return inMode;
  const ofPools = new Map<Scope, Policy>();
  for (const { instrumentId, live } of account.pools.values()) ofPools.set(scopeOf(instrumentId), await under(live));
  return { ...inMode, ofPools };
};

/** What is to be changed, and why. */
export interface ChangeRequest {
  readonly accountId: string;
  /** Id of what led to it: a message, a request, a sweep. */
  readonly causedBy: string;
  /** The account as read just now, with its live call; read anew when absent, and after each conflict. */
  readonly loaded?: MarginAccount;
  /** Facts to apply (R16); those that the book has already are left out. */
  readonly facts?: readonly Fact[];
  /** Opens the account where the book does not have it. */
  readonly terms?: AccountTerms;
}

/** What an act knows: the account as read, its policy in its mode, the clock just before the write, the facts not yet applied. */
export interface Moment {
  readonly account: MarginAccount;
  readonly policy: PolicyInMode;
  readonly now: number;
  readonly facts: readonly Fact[];
}

/**
 * Turns an account into its change; null when there is nothing to write. `snapshotId` names the marks that it looked at,
 * `decided` what a decision is recomputed from.
 */
export type Act = (moment: Moment) => { readonly change: Change; readonly snapshotId: string | null; readonly decided?: Decided } | null;

/** The account as it is now; `change` is null when nothing was written. */
export interface Changed {
  readonly account: MarginAccount;
  readonly change: Change | null;
}

const loadOrOpen = async ({ book, world }: Desk, { accountId, terms }: ChangeRequest): Promise<MarginAccount | null> => {
  const account = await book.load(accountId);
  if (account !== null || terms === undefined) return account;
  return openedAfter(unopenedAccount(accountId, terms), await newestRestore(world));
};

/** Facts that the book does not have yet (I17). */
const unapplied = async ({ book }: Desk, accountId: string, facts: readonly Fact[]): Promise<readonly Fact[]> => {
  const ids = facts.map((fact) => fact.externalId);
  const applied = await book.appliedEntries(accountId, ids);
  return facts.filter((fact) => !applied.has(fact.externalId));
};

/**
 * The one way to change an account: load, act on the clock read just before the write (R12), commit on
 * the version that was read (I03). A conflict means that the account is another one now, so everything
 * is done again on a fresh load; ids are functions of account and version, so a replay writes nothing twice.
 *
 * @returns null for an account that the book does not have.
 * @throws Contended after five conflicts, UnknownPolicy for a policy that does not exist.
 */
export const changeAccount = async (desk: Desk, request: ChangeRequest, act: Act): Promise<Changed | null> => {
  const asked = request.facts ?? [];
  let facts = asked;
  let account = request.loaded ?? (await loadOrOpen(desk, request));
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    if (account === null) return null;
    if (asked.length > 0 && facts.length === 0) return { account, change: null };
    const policy = await policyOf(desk, account);
    const acted = act({ account, policy, now: desk.world.clock.now(), facts });
    if (acted === null) return { account, change: null };
    const { change, ...looked } = acted;
    const outcome = await desk.book.commit(change, { causedBy: request.causedBy, ...looked, mode: policy.mode });
    if (outcome === "committed") return { account: change.after, change };
    desk.world.log.count(`commit_${outcome}`);
    if (outcome === "duplicate") facts = await unapplied(desk, request.accountId, facts);
    account = await loadOrOpen(desk, request);
  }
  throw new Contended(`account written by others ${TRIES_MAX} times in a row`);
};

/** Decides an account on a market snapshot (R1, R8): `decide` of the core, committed. */
export const decideAccount = (desk: Desk, request: ChangeRequest, snapshot: MarketSnapshot): Promise<Changed | null> =>
  changeAccount(desk, request, ({ account, policy, now, facts }) => {
    const change = decide(account, snapshot, policy, now, facts);
    return change === null ? null : { change, snapshotId: snapshot.snapshotId, decided: { snapshot, policy, now } };
  });

/** Faults that lie in an account's own rows or terms. Anything else is the world's, and is tried again. */
const OF_THE_ACCOUNT: ReadonlySet<string> = new Set(["UnreadableRow", "UnknownPolicy", "TermsError", "RangeError", "TypeError"]);

export const isOfTheAccount = (error: unknown): error is Error => error instanceof Error && OF_THE_ACCOUNT.has(error.name);

/** Names and counts a fault of one account's own, so that it stops no other; throws any other fault on. */
export const setAside = ({ world }: Desk, accountId: string, error: unknown): null => {
  if (!isOfTheAccount(error)) throw error;
  world.log.count("undecided_account");
  world.log.error("account cannot be decided", { accountId, ...toldOf(error) });
  return null;
};
