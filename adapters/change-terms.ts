import type { Scope } from "../core/account.ts";
import { type AcceptedBreaches, type ChangePlan, emptyPlan, holdOf, joinPlans } from "../core/change-plan.ts";
import { newestPriceAt } from "../core/clock.ts";
import type { Instrument } from "../core/instrument.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { modeOf, type PolicyInMode, policyIn } from "../core/mode.ts";
import type { Policy } from "../core/policy.ts";
import { qualityAt } from "../core/quality.ts";
import { scopesOf, viewOf } from "../core/scope.ts";
import { Contended, type Desk, openDesk, policyIdOf } from "./decide-account.ts";
import { UnknownPolicy } from "./dynamodb/policies.ts";
import { eachOf } from "./parallel.ts";
import { type Over, overMarket, planPage } from "./plan-page.ts";
import { encodeInstrument } from "./wire/instrument.ts";
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

/** A change of terms that is proposed: the next version of a policy or of an instrument. */
export interface Change<Terms extends { readonly version: number }> {
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
    desk,
    newest: () => newestPolicy(desk, policyId),
    make,
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
    desk,
    newest: async () => (await desk.marks.instruments()).get(instrumentId) ?? null,
    make,
    isSame: isSameInstrument,
    store: desk.marks.putInstrument,
    over: (next, snapshot) => overMarket(instrumentId, { ...snapshot, instruments: new Map(snapshot.instruments).set(instrumentId, next) }),
  };
};

/** Decides every account of the book under the present and under the proposed terms, page by page, and writes nothing. */
const readPlan = async <Terms extends { readonly version: number }>(
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
  readonly version: number;
  readonly plan: ChangePlan | null;
}

/** The terms under the version after the newest, or the newest version where it holds them already. */
const proposed = async <Terms extends { readonly version: number }>({ newest, make, isSame }: Change<Terms>): Promise<Terms | number> => {
  const held = await newest();
  const next = make((held?.version ?? 0) + 1);
  return held !== null && isSame(held, next) ? held.version : next;
};

/** Shows what a change would do on the newest marks. Reads only. @throws BookTooLarge. */
export const planChange = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  accountsMax = Number.POSITIVE_INFINITY,
): Promise<ChangeOutcome> => {
  const next = await proposed(change);
  if (typeof next === "number") return { version: next, plan: null };
  return { version: next.version, plan: await readPlan(change, next, accountsMax) };
};

/**
 * Stores a change of terms as the version after the newest, if the breaker lets it through (R17): the one way
 * for the API and for the operator's command. The same terms again are the newest version still, so that a
 * request whose reply was lost may be sent again.
 *
 * The plan is made anew, on the marks and the book of this moment; what was accepted are figures, not a plan.
 *
 * @throws ChangeHeld with the plan; BookTooLarge; Contended when others stored versions each time.
 */
export const applyChange = async <Terms extends { readonly version: number }>(
  change: Change<Terms>,
  accepted: AcceptedBreaches,
  accountsMax = Number.POSITIVE_INFINITY,
): Promise<ChangeOutcome> => {
  const { log, settings } = change.desk.world;
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const next = await proposed(change);
    if (typeof next === "number") return { version: next, plan: null };
    const plan = await readPlan(change, next, accountsMax);
    const why = holdOf(plan, settings.breachShareMaxPpm, accepted);
    if (why !== null) {
      log.count("change_held");
      log.warn("the breaker holds a change of terms", { reason: why, accounts: plan.atRisk });
      throw new ChangeHeld(why, plan);
    }
    if ((await change.store(next)) === "stored") return { version: next.version, plan };
  }
  throw new Contended("others stored versions each time");
};
