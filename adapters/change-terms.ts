import type { Scope } from "../core/account.ts";
import { type AcceptedBreaches, type ChangePlan, emptyPlan, holdOf, joinPlans } from "../core/change-plan.ts";
import { newestPriceAt } from "../core/clock.ts";
import type { Instrument } from "../core/instrument.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { modeOf, type PolicyInMode, policyIn } from "../core/mode.ts";
import { type LargeRise, largeRisesOfInstrument, largeRisesOfPolicy, noticeBeganAt, noticeEndsAt } from "../core/notice.ts";
import { heldFor, shadowed } from "../core/pending-change.ts";
import type { Policy } from "../core/policy.ts";
import { qualityAt } from "../core/quality.ts";
import { scopesOf, viewOf } from "../core/scope.ts";
import { Contended, type Desk, openDesk, policyIdOf } from "./decide-account.ts";
import { createChanges } from "./dynamodb/changes.ts";
import { changeIdOf } from "./dynamodb/keys.ts";
import { UnknownPolicy } from "./dynamodb/policies.ts";
import { eachOf } from "./parallel.ts";
import { type Over, overMarket, planPage } from "./plan-page.ts";
import { encodeInstrument } from "./wire/instrument.ts";
import type { StoredChange } from "./wire/pending-change.ts";
import { encodePolicy } from "./wire/policy.ts";
import type { World } from "./world.ts";

/** Others that may store versions in between before a change is given up. */
const TRIES_MAX = 5;
/** Shards of the book that are read at a time: while one is decided, the pages of the others are on their way. */
const SHARDS_WIDE = 8;

/** The breaker holds a change of terms (R17). Nothing was stored. */
export class ChangeHeld extends Error {
  override readonly name = "ChangeHeld";
  readonly why: "undecided" | "share";
  readonly plan: ChangePlan;

  constructor(why: "undecided" | "share", plan: ChangePlan) {
    super(why === "share" ? "more than the stage's share of the accounts would breach at once" : "accounts could not be decided any more");
    this.why = why;
    this.plan = plan;
  }
}

/** The book has more accounts than one request can judge a change on. Nothing was stored. */
export class BookTooLarge extends Error {
  override readonly name = "BookTooLarge";
}

/** A change would raise a requirement rate by more than 25 % without 24 h of notice, and names no emergency (M3). Nothing was stored. */
export class NoticeTooShort extends Error {
  override readonly name = "NoticeTooShort";
  readonly rises: readonly LargeRise[];
  /** The earliest instant that would do. */
  readonly earliest: number;

  constructor(rises: readonly LargeRise[], earliest: number) {
    super("a requirement rate would rise by more than 25 % with less than 24 h of notice (M3)");
    this.rises = rises;
    this.earliest = earliest;
  }
}

/** Another change of the same policy or instrument waits. Nothing was stored. */
export class ChangePending extends Error {
  override readonly name = "ChangePending";
  readonly changeId: string;

  constructor(changeId: string) {
    super(`the change ${changeId} of these terms is pending`);
    this.changeId = changeId;
  }
}

/** A change of terms that is proposed: the next version of a policy or of an instrument. */
export interface Change<Terms extends { readonly version: number }> {
  readonly kind: StoredChange["kind"];
  readonly id: string;
  /** The terms as they are sent: without id and version. */
  readonly bodyOf: (terms: Terms) => StoredChange["terms"];
  /** Rates that rise by more than needs no notice, above those that held within the notice period (M3). */
  readonly rises: (next: Terms, now: number) => Promise<readonly LargeRise[]>;
  /** The version that holds now; null before the first. */
  readonly newest: () => Promise<Terms | null>;
  /** The proposed terms under this version. @throws where they can be no terms. */
  readonly make: (version: number) => Terms;
  readonly isSame: (newest: Terms, next: Terms) => boolean;
  readonly store: (next: Terms) => Promise<"stored" | "conflict">;
  readonly over: (next: Terms, snapshot: MarketSnapshot) => Over;
  readonly desk: Desk;
}

/** True where two policies differ in nothing but their version. */
export const isSamePolicy = (one: Policy, other: Policy): boolean =>
  JSON.stringify(encodePolicy({ ...one, version: other.version })) === JSON.stringify(encodePolicy(other));

/** True where two instruments differ in nothing but their version. */
export const isSameInstrument = (one: Instrument, other: Instrument): boolean =>
  JSON.stringify(encodeInstrument({ ...one, version: other.version })) === JSON.stringify(encodeInstrument(other));

const newestPolicy = async ({ book }: Desk, policyId: string): Promise<Policy | null> => {
  try {
    return await book.policy(policyId);
  } catch (error) {
    if (error instanceof UnknownPolicy) return null;
    throw error;
  }
};

/** The next version of a policy. The desk is a fresh one: what another instance stored a moment ago must be seen. */
export const policyChange = (world: World, policyId: string, make: (version: number) => Policy): Change<Policy> => {
  const desk = openDesk(world);
  return {
    kind: "policy",
    id: policyId,
    desk,
    newest: () => newestPolicy(desk, policyId),
    make,
    bodyOf: (terms) => {
      const { policyId: _, version: __, ...body } = encodePolicy(terms);
      return body;
    },
    rises: async (next, now) =>
      largeRisesOfPolicy(await desk.book.policiesSince(policyId, next.version - 1, noticeBeganAt(now)), next, now),
    isSame: isSamePolicy,
    store: desk.book.putPolicy,
    over: (next, snapshot) => (account, present) => {
      if (policyIdOf(desk, account) !== policyId) return present;
      const changed = { ...next, mode: modeOf(world.settings.modes, account) };
      // An open call keeps the policy that it was opened under (R11), in each scope.
      const isKept = (scope: Scope): boolean => present !== null && viewOf(account, scope).live !== null;
      const scopes = scopesOf(account);
      if (scopes.every(isKept)) return present;
      const inScope = (scope: Scope): PolicyInMode => (present !== null && isKept(scope) ? policyIn(present.policy, scope) : changed);
      const { ofPools: _, ...own } = inScope("CROSS");
      if (scopes.length === 1) return { snapshot, policy: own };
      return { snapshot, policy: { ...own, ofPools: new Map(scopes.slice(1).map((scope) => [scope, inScope(scope)])) } };
    },
  };
};

/** The next version of an instrument: its tiers hold for every account at once, open calls or not. */
export const instrumentChange = (world: World, instrumentId: string, make: (version: number) => Instrument): Change<Instrument> => {
  const desk = openDesk(world);
  return {
    kind: "instrument",
    id: instrumentId,
    desk,
    bodyOf: (terms) => {
      const { instrumentId: _, version: __, ...body } = encodeInstrument(terms);
      return body;
    },
    rises: async (next, now) =>
      largeRisesOfInstrument(await desk.marks.instrumentsSince(instrumentId, next.version - 1, noticeBeganAt(now)), next, now),
    newest: async () => (await desk.marks.instruments()).get(instrumentId) ?? null,
    make,
    isSame: isSameInstrument,
    store: desk.marks.putInstrument,
    over: (next, snapshot) => overMarket(instrumentId, { ...snapshot, instruments: new Map(snapshot.instruments).set(instrumentId, next) }),
  };
};

/** Decides every account of the book under the present and under the proposed terms, page by page, and writes nothing. @throws BookTooLarge. */
export const readPlan = async <Terms extends { readonly version: number }>(
  { desk, over }: Change<Terms>,
  next: Terms,
  accountsMax: number,
): Promise<ChangePlan> => {
  const snapshot = await desk.marks.newest();
  const now = desk.world.clock.now();
  const proposedFor = over(next, snapshot);
  const shards = Array.from({ length: desk.world.settings.shards }, (_, shard) => shard);
  const isGood = (one: Instrument): boolean => qualityAt(snapshot.marks.get(one.instrumentId), one, now) === "GOOD";
  const notGood = [...snapshot.instruments.values()].filter((one) => !isGood(one)).length;
  let plan = emptyPlan({ marksAt: newestPriceAt(snapshot), notGood });
  await eachOf(shards, SHARDS_WIDE, async (shard) => {
    let cursor: string | undefined;
    do {
      if (plan.accounts > accountsMax) return;
      const { accounts, cursor: more } = await desk.book.pageOfShard(shard, cursor);
      const part = await planPage(desk, accounts, snapshot, proposedFor, now);
      plan = joinPlans(plan, part);
      cursor = more;
    } while (cursor !== undefined);
  });
  if (plan.accounts > accountsMax) throw new BookTooLarge(`the book has more than ${accountsMax} accounts`);
  return plan;
};

/** What became of a change, or would; `plan` is null where the version holds these terms already. */
export interface ChangeOutcome {
  /** The version that holds the terms, or would hold them. */
  readonly version: number;
  readonly plan: ChangePlan | null;
  /** The change while it waits for its instant or for people: no version holds it yet. */
  readonly pending: StoredChange | null;
  /** Rates that rise without notice, for the emergency that was named. */
  readonly rises: readonly LargeRise[];
}

/** Who proposes a change, for when, and what of its plan is taken on. */
export interface Proposal extends AcceptedBreaches {
  /** The principal; null where nobody proved who it is: what it takes on is nobody's approval. */
  readonly by: string | null;
  /** Not before this; at once where it is absent or has come. */
  readonly effectiveAt?: number | undefined;
  /** Why it comes without notice (M3). */
  readonly emergency?: string | undefined;
}

/** Takes on nothing, for at once. */
export const AT_ONCE: Proposal = { by: null, called: 0, closedOut: 0 };

/** The terms under the version after the newest, or the newest version where it holds them already. */
export const proposed = async <Terms extends { readonly version: number }>({
  newest,
  make,
  isSame,
}: Pick<Change<Terms>, "newest" | "make" | "isSame">): Promise<Terms | number> => {
  const held = await newest();
  const next = make((held?.version ?? 0) + 1);
  return held !== null && isSame(held, next) ? held.version : next;
};

const isLater = ({ effectiveAt }: Proposal, now: number): boolean => effectiveAt !== undefined && effectiveAt > now;

/** The rises that come without the notice that they need (M3): none for a change that is far enough ahead. */
const risesWithoutNotice = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  next: Terms,
  { effectiveAt }: Proposal,
  now: number,
): Promise<readonly LargeRise[]> => ((effectiveAt ?? now) >= noticeEndsAt(now) ? [] : change.rises(next, now));

/** Shows what a change would do on the newest marks. Reads only. @throws BookTooLarge. */
export const planChange = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  accountsMax = Number.POSITIVE_INFINITY,
  proposal = AT_ONCE,
): Promise<ChangeOutcome> => {
  const next = await proposed(change);
  if (typeof next === "number") return { version: next, plan: null, pending: null, rises: [] };
  const rises = await risesWithoutNotice(change, next, proposal, change.desk.world.clock.now());
  return { version: next.version, plan: await readPlan(change, next, accountsMax), pending: null, rises };
};

/** The proposal as it waits in the book, with its shadow's first run. */
const pendingOf = <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  next: Terms,
  proposal: Proposal,
  now: number,
): StoredChange => {
  const { by, called, closedOut, effectiveAt, emergency = null } = proposal;
  const terms = change.bodyOf(next);
  const takesOn = by !== null && called + closedOut > 0;
  return {
    changeId: changeIdOf(change.kind, change.id, JSON.stringify([terms, effectiveAt ?? null, emergency])),
    kind: change.kind,
    id: change.id,
    terms,
    effectiveAt: effectiveAt ?? now,
    proposedBy: by ?? "npm run policy",
    proposedAt: now,
    emergency,
    approvals: takesOn ? [{ by, at: now, accepted: { called, closedOut } }] : [],
    held: null,
    shadow: null,
    enactingAt: null,
  };
};

/** Puts a proposal beside the terms in force. The same one again is there already. @throws ChangePending, Contended. */
const propose = async ({ desk: { world } }: Pick<Change<Policy>, "desk">, change: StoredChange): Promise<StoredChange> => {
  const changes = createChanges(world);
  const there = await changes.of(change);
  if (there.change?.changeId === change.changeId) return there.change;
  if (there.change !== null) throw new ChangePending(there.change.changeId);
  if ((await changes.put(change, there.revision)) === "superseded") throw new Contended("others proposed changes of these terms");
  world.log.info("a change of terms waits", { changeId: change.changeId, kind: change.kind, at: change.effectiveAt });
  return change;
};

/**
 * Stores a change of terms as the version after the newest, if the breaker lets it through (R17): the one way
 * for the API and for the operator's command. The same terms again are the newest version still, so that a
 * request whose reply was lost may be sent again.
 *
 * One for a later instant waits beside the terms in force, in shadow (S18). So does one that the breaker holds and
 * whose figures somebody takes on: it takes a second person to let it through (S19). What was accepted are figures,
 * not a plan: the plan is made anew, on the marks and the book of that moment.
 *
 * @throws ChangeHeld with the plan; NoticeTooShort; ChangePending; BookTooLarge; Contended when others stored versions each time.
 */
export const applyChange = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  proposal: Proposal,
  accountsMax = Number.POSITIVE_INFINITY,
): Promise<ChangeOutcome> => {
  const { log, settings, clock } = change.desk.world;
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const next = await proposed(change);
    if (typeof next === "number") return { version: next, plan: null, pending: null, rises: [] };
    const now = clock.now();
    const rises = await risesWithoutNotice(change, next, proposal, now);
    if (rises.length > 0 && proposal.emergency === undefined) throw new NoticeTooShort(rises, noticeEndsAt(now));
    const plan = await readPlan(change, next, accountsMax);
    const waiting = shadowed(pendingOf(change, next, proposal, now), plan, now);
    if (isLater(proposal, now)) return { version: next.version, plan, pending: await propose(change, waiting), rises };
    const why = holdOf(plan, settings.breachShareMaxPpm, AT_ONCE);
    if (why !== null && holdOf(plan, settings.breachShareMaxPpm, proposal) === null) {
      return { version: next.version, plan, pending: await propose(change, heldFor(waiting, why, now)), rises };
    }
    if (why !== null) {
      log.count("change_held");
      log.warn("the breaker holds a change of terms", { reason: why, accounts: plan.atRisk });
      throw new ChangeHeld(why, plan);
    }
    if ((await change.store(next)) === "stored") {
      if (rises.length > 0) await keepEmergency(change.desk, { ...waiting, held: null }, next.version);
      return { version: next.version, plan, pending: null, rises };
    }
  }
  throw new Contended("others stored versions each time");
};

/** Keeps who raised a rate without notice, and why, beside what became of other changes. */
const keepEmergency = async ({ world }: Desk, change: StoredChange, version: number): Promise<void> => {
  world.log.warn("a requirement rate rises without notice", { changeId: change.changeId, kind: change.kind, reason: "emergency" });
  await createChanges(world).record(change, { outcome: "enacted", version, at: world.clock.now() });
};
