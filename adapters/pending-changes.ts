import type * as z from "zod";

import { type ChangePlan, holdOf } from "../core/change-plan.ts";
import { type Approval, acceptedBy, approved, type HoldReason, heldFor, isDue, isReleased, shadowed } from "../core/pending-change.ts";
import { BookTooLarge, type Change, instrumentChange, policyChange, proposed, readPlan } from "./change-terms.ts";
import { Contended } from "./decide-account.ts";
import { createChanges, type ReadChange } from "./dynamodb/changes.ts";
import { UnreadableRow } from "./dynamodb/items.ts";
import { toldOf } from "./lambda/told.ts";
import { instrumentBody } from "./wire/instrument.ts";
import { placesOf } from "./wire/parse.ts";
import type { StoredChange } from "./wire/pending-change.ts";
import { policyBody } from "./wire/policy.ts";
import type { World } from "./world.ts";

/** How often the shadow of a change that waits is computed anew (S18). */
const SHADOW_EVERY_MS = 600_000;
/** Others that may write a change in between before an approval of it is given up. */
const TRIES_MAX = 5;

/** No change of this id waits: it was withdrawn, is in force, or never was. */
export class UnknownChange extends Error {
  override readonly name = "UnknownChange";
}

/** What a judgement made of a change. `waits`: for its instant, or held. */
export interface Judged {
  readonly outcome: "waits" | "enacted";
  readonly change: StoredChange;
  readonly plan: ChangePlan | null;
}

/** Gives the change, of whichever kind it is, to `use`. @throws UnreadableRow for terms that this release does not read. */
const withChange = <Answer>(
  world: World,
  { kind, id, terms }: StoredChange,
  use: <Terms extends { readonly version: number }>(change: Change<Terms>) => Answer,
): Answer => {
  const read = <Terms>(schema: z.ZodType<Terms>, version: number): Terms => {
    const made = schema.safeParse({ ...terms, [`${kind}Id`]: id, version });
    if (!made.success) throw new UnreadableRow(`pending ${kind}: ${placesOf(made.error)}`);
    return made.data;
  };
  return kind === "policy"
    ? use(policyChange(world, id, (version) => read(policyBody, version)))
    : use(instrumentChange(world, id, (version) => read(instrumentBody, version)));
};

/** Whom a pending change would affect on the newest marks; null where its terms are in force already. Reads only. @throws BookTooLarge. */
export const shadowOf = (world: World, pending: StoredChange, accountsMax = Number.POSITIVE_INFINITY): Promise<ChangePlan | null> =>
  withChange(world, pending, async (change) => {
    const next = await proposed(change);
    return typeof next === "number" ? null : readPlan(change, next, accountsMax);
  });

/** Why a change does not go through now; null where it does. What was held once waits for two people, whatever the marks say meanwhile (S18, S19). */
const whyHeld = (change: StoredChange, plan: ChangePlan, shareMaxPpm: number): HoldReason | null => {
  const why = holdOf(plan, shareMaxPpm, acceptedBy(change));
  return why ?? (isReleased(change) ? null : (change.held?.why ?? "share"));
};

/** Puts the version in force and takes the change off the list: in between nobody can take it back. */
const enact = async <Terms extends { readonly version: number }>(
  world: World,
  terms: Change<Terms>,
  next: Terms,
  { change, revision }: ReadChange,
): Promise<void> => {
  const changes = createChanges(world);
  const enacting = { ...change, enactingAt: world.clock.now() };
  if ((await changes.put(enacting, revision)) === "superseded") throw new Contended("others wrote the change meanwhile");
  if ((await terms.store(next)) === "conflict") throw new Contended("others stored a version meanwhile");
  await finish(world, { change: enacting, revision: revision + 1 }, next.version);
};

const finish = async (world: World, read: ReadChange, version: number): Promise<void> => {
  await createChanges(world).end(read, { outcome: "enacted", version, at: world.clock.now() });
  world.log.info("a change of terms is in force", { changeId: read.change.changeId, kind: read.change.kind });
};

const judge = async <Terms extends { readonly version: number }>(
  world: World,
  terms: Change<Terms>,
  read: ReadChange,
  accountsMax: number,
): Promise<Judged> => {
  const { change, revision } = read;
  const next = await proposed(terms);
  if (typeof next === "number") {
    // Stored already, by a run that came to a stop, or by somebody else.
    if (!isDue(change, world.clock.now())) return { outcome: "waits", change, plan: null };
    await finish(world, read, next);
    return { outcome: "enacted", change, plan: null };
  }
  const plan = await readPlan(terms, next, accountsMax);
  const now = world.clock.now();
  const seen = shadowed(change, plan, now);
  const why = isDue(change, now) ? whyHeld(change, plan, world.settings.breachShareMaxPpm) : null;
  if (isDue(change, now) && why === null) {
    await enact(world, terms, next, { change: seen, revision });
    return { outcome: "enacted", change: seen, plan };
  }
  const waits = why === null ? seen : heldFor(seen, why, now);
  await createChanges(world).put(waits, revision);
  return { outcome: "waits", change: waits, plan };
};

/**
 * Judges a pending change on the newest marks: before its instant that is its shadow; from then on it becomes the version
 * after the newest, or the breaker holds it and the version before goes on deciding (R17, S18, S19).
 *
 * @throws BookTooLarge, Contended.
 */
export const judgeChange = (world: World, read: ReadChange, accountsMax: number): Promise<Judged> =>
  withChange(world, read.change, (terms) => judge(world, terms, read, accountsMax));

/** Whether a minute's look has anything to find: the instant has come and nothing holds it, or its shadow is old. */
const isWorthALook = (change: StoredChange, now: number): boolean =>
  (isDue(change, now) && isReleased(change)) || now - (change.shadow?.at ?? 0) >= SHADOW_EVERY_MS;

/**
 * Each minute: judges what is due, renews the shadows of what waits, and counts what should hold and does not, until
 * people released or withdrew it. A change that cannot be judged costs the others nothing: it waits, and is told of.
 */
export const judgeChanges = async (world: World, accountsMax: number, hasTime: () => boolean): Promise<void> => {
  for (const read of await createChanges(world).list()) {
    const { changeId, kind } = read.change;
    const now = world.clock.now();
    let isInForce = false;
    try {
      if (isWorthALook(read.change, now) && hasTime()) isInForce = (await judgeChange(world, read, accountsMax)).outcome === "enacted";
    } catch (error) {
      const told = error instanceof BookTooLarge ? { reason: "book-too-large" } : toldOf(error);
      world.log.error("a change of terms cannot be judged", { changeId, kind, ...told });
    }
    if (isInForce || !isDue(read.change, now)) continue;
    world.log.count("pending_change_held");
    world.log.warn("a change of terms is due and not in force", { changeId, kind, reason: read.change.held?.why });
  }
};

/** The pending change of this id. @throws UnknownChange. */
const found = async (world: World, changeId: string): Promise<ReadChange> => {
  const read = await createChanges(world).find(changeId);
  if (read === null) throw new UnknownChange(`no change ${changeId} is pending`);
  return read;
};

/**
 * Takes a pending change on with figures (S19): at its instant, or now where that has come, it goes through once two
 * different principals did, if no more breach than both of them named.
 *
 * @throws UnknownChange, Contended, BookTooLarge: the approval is kept, and the change is judged by the command.
 */
export const approveChange = async (
  world: World,
  changeId: string,
  approval: Omit<Approval, "at">,
  accountsMax: number,
): Promise<Judged> => {
  const changes = createChanges(world);
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const { change, revision } = await found(world, changeId);
    const now = world.clock.now();
    const next = approved(change, { ...approval, at: now });
    if ((await changes.put(next, revision)) === "superseded") continue;
    world.log.info("a change of terms is approved", { changeId, kind: change.kind });
    if (!isDue(next, now) || !isReleased(next)) return { outcome: "waits", change: next, plan: null };
    return judgeChange(world, { change: next, revision: revision + 1 }, accountsMax);
  }
  throw new Contended("others wrote the change each time");
};

/** Takes a pending change back. The terms in force go on. @throws UnknownChange, Contended. */
export const withdrawChange = async (world: World, changeId: string, by: string): Promise<StoredChange> => {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const read = await found(world, changeId);
    if (read.change.enactingAt !== null) throw new UnknownChange(`the change ${changeId} is in force, or about to be`);
    const end = { outcome: "withdrawn" as const, by, at: world.clock.now() };
    if ((await createChanges(world).end(read, end)) === "superseded") continue;
    world.log.info("a change of terms is withdrawn", { changeId, kind: read.change.kind });
    return read.change;
  }
  throw new Contended("others wrote the change each time");
};
