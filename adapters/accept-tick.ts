import type { Mark } from "../core/mark.ts";
import { abs, PPM, type Price } from "../core/money.ts";
import { judgeMark } from "../core/quality.ts";
import type { Marks } from "./dynamodb/marks.ts";
import type { MarkTick } from "./wire/marks.ts";
import type { World } from "./world.ts";

/** Newer marks that may come in between before the message goes back to its queue. */
const TRIES_MAX = 5;

/** How far an accepted tick moved its mark: past the step that starts a sweep at once, less, or not at all (R18). */
export type Move = "no" | "some" | "pastStep";

const moveOf = (from: Price | null, to: Price, stepPpm: number): Move => {
  if (from === null) return "pastStep";
  return abs((to - from) as Price) * PPM >= abs(from) * BigInt(stepPpm) ? "pastStep" : "some";
};

const slug = (reason: string): string => reason.replace(/[^a-z0-9]+/gi, "_");

/**
 * Judges one tick against the newest mark of its instrument and stores what became of it, if that mark
 * is still the newest; otherwise judges again. Each outcome is counted, a refusal by its reason (S21).
 */
export const judgeTick = async (world: World, marks: Marks, tick: MarkTick): Promise<Move> => {
  const instrument = (await marks.instruments()).get(tick.instrumentId);
  if (instrument === undefined) {
    world.log.count("mark_rejected_unknown_instrument");
    return "no";
  }
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const previous: Mark | null = await marks.mark(tick.instrumentId);
    const { outcome, mark, reason } = judgeMark(previous, tick, instrument, world.clock.now());
    const isStored = outcome === "accepted" || outcome === "candidate";
    if (isStored && mark !== null && (await marks.acceptMark(mark, previous?.asOf ?? null)) === "superseded") continue;
    world.log.count(isStored ? `mark_${outcome}` : `mark_${outcome}_${slug(reason)}`);
    if (outcome === "candidate" || outcome === "rejected") world.log.warn(`mark ${outcome}`, { instrumentId: tick.instrumentId, reason });
    return outcome === "accepted" ? moveOf(previous?.price ?? null, tick.price, world.settings.sweepStepPpm) : "no";
  }
  throw new Error("a mark was superseded too often while it was judged");
};
