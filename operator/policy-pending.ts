import { createChanges } from "../adapters/dynamodb/changes.ts";
import { judgeChange, shadowOf, UnknownChange, withdrawChange } from "../adapters/pending-changes.ts";
import type { World } from "../adapters/world.ts";
import { isDue } from "../core/pending-change.ts";
import { Refusal } from "./command-line.ts";
import { linesOf, waitingLines } from "./policy-change.ts";

type Say = (line: string) => void;

/** Lists what waits. @returns 1 where something is held. */
export const listPending = async (world: World, say: Say): Promise<number> => {
  const waiting = await createChanges(world).list();
  if (waiting.length === 0) say("no change of terms is pending");
  for (const { change } of waiting) for (const line of waitingLines(change)) say(line);
  return waiting.some(({ change }) => change.held !== null) ? 1 : 0;
};

/**
 * Computes the shadow of each pending change on the newest marks (S18), and says it where it is another than before.
 * Writes nothing.
 *
 * @param said what was said of each change, by its id: given again, only what changed is said.
 */
export const sayShadows = async (world: World, said: Map<string, string>, say: Say): Promise<number> => {
  const waiting = await createChanges(world).list();
  if (waiting.length === 0 && said.size === 0) say("no change of terms is pending");
  for (const { change } of waiting) {
    const plan = await shadowOf(world, change);
    const counts = plan === null ? "in force already" : JSON.stringify(plan.counts);
    if (said.get(change.changeId) === counts) continue;
    said.set(change.changeId, counts);
    for (const line of waitingLines(change)) say(line);
    for (const line of plan === null ? ["its terms are in force already"] : linesOf(plan, world.settings.breachShareMaxPpm)) say(line);
  }
  return 0;
};

/** Judges every change whose instant has come, whatever the size of the book. @returns 1 where one is held. */
export const enactDue = async (world: World, say: Say): Promise<number> => {
  let isHeld = false;
  for (const read of await createChanges(world).list()) {
    if (!isDue(read.change, world.clock.now())) continue;
    const { outcome, change } = await judgeChange(world, read, Number.POSITIVE_INFINITY);
    if (outcome === "enacted") say(`${change.changeId}  ${change.kind} ${change.id}: in force within 30 seconds`);
    else for (const line of waitingLines(change)) say(line);
    isHeld ||= outcome === "waits";
  }
  return isHeld ? 1 : 0;
};

/** Takes a pending change back. @throws Refusal for one that is not pending. */
export const withdrawPending = async (world: World, changeId: string, say: Say): Promise<number> => {
  const change = await withdrawChange(world, changeId, "npm run policy").catch((error: unknown) => {
    if (!(error instanceof UnknownChange)) throw error;
    throw new Refusal(`${error.message}: npm run policy -- pending lists those that are`);
  });
  say(`${changeId}  ${change.kind} ${change.id}: withdrawn; the terms in force go on`);
  return 0;
};
