import type { Instrument } from "../core/instrument.ts";
import type { Mark } from "../core/mark.ts";
import { abs, PPM, type Price } from "../core/money.ts";
import { judgeMark, sourceBoundOf } from "../core/quality.ts";
import type { Desk } from "./decide-account.ts";
import type { createPriceBreaker } from "./price-breaker.ts";
import type { MarkTick } from "./wire/marks.ts";

/** Newer marks that may come in between before the message goes back to its queue. */
const TRIES_MAX = 5;

/** How far an accepted tick moved its mark: past the step that starts a sweep at once, less, or not at all (R18). */
export type Move = "no" | "some" | "pastStep";

const moveOf = (from: Price | null, to: Price, stepPpm: number): Move => {
  if (from === null) return "pastStep";
  return abs((to - from) as Price) * PPM >= abs(from) * BigInt(stepPpm) ? "pastStep" : "some";
};

const slug = (reason: string): string => reason.replace(/[^a-z0-9]+/gi, "_");

/** Where ticks are judged: the stores, and the breaker on prices (R17). */
export interface Intake {
  readonly desk: Desk;
  readonly breaker: ReturnType<typeof createPriceBreaker>;
}

/** What came of a tick: how far it moved its mark, and the newest mark after it. */
interface Judged {
  readonly move: Move;
  readonly newest: Mark | null;
}

const judgeTick = async ({ desk, breaker }: Intake, tick: MarkTick, instrument: Instrument, known: Mark | null): Promise<Judged> => {
  const { world, marks } = desk;
  let previous = known;
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const judged = judgeMark(previous, tick, instrument, world.clock.now());
    const move = judged.outcome === "accepted" ? moveOf(previous?.price ?? null, tick.price, world.settings.sweepStepPpm) : "no";
    if (judged.outcome === "candidate") await breaker.jumped(previous, tick);
    const { outcome, mark, reason } = move === "pastStep" ? await breaker.judge(previous, tick, judged, instrument) : judged;
    const isStored = outcome === "accepted" || outcome === "candidate";
    if (isStored && mark !== null && (await marks.acceptMark(mark, previous?.asOf ?? null)) === "superseded") {
      previous = await marks.mark(tick.instrumentId);
      continue;
    }
    if (outcome === "accepted" && sourceBoundOf(tick.price, instrument) !== null) {
      world.log.count("mark_at_bound");
      world.log.warn("mark at a bound of its source", {
        instrumentId: tick.instrumentId,
        reason: `at its ${sourceBoundOf(tick.price, instrument)} answer`,
      });
    }
    world.log.count(isStored ? `mark_${outcome}` : `mark_${outcome}_${slug(reason)}`);
    if (outcome === "candidate" || outcome === "rejected") world.log.warn(`mark ${outcome}`, { instrumentId: tick.instrumentId, reason });
    return { move: outcome === "accepted" ? move : "no", newest: isStored ? mark : previous };
  }
  throw new Error("a mark was superseded too often while it was judged");
};

/**
 * Judges ticks of one instrument, in their order, each against the newest mark, and stores what became
 * of it if that mark still is the newest; otherwise judges again. Each outcome is counted, a refusal by
 * its reason (S21).
 *
 * @param known the newest mark as read just now; null where there is none.
 * @param heard is told of each tick how far it moved the mark: also of those before one that throws.
 */
export const judgeTicks = async (
  intake: Intake,
  ticks: readonly MarkTick[],
  known: Mark | null,
  heard: (move: Move) => void,
): Promise<void> => {
  const { world, marks } = intake.desk;
  const instruments = await marks.instruments();
  let newest = known;
  for (const tick of ticks) {
    const instrument = instruments.get(tick.instrumentId);
    if (instrument === undefined) {
      world.log.count("mark_rejected_unknown_instrument");
      continue;
    }
    const judged = await judgeTick(intake, tick, instrument, newest);
    newest = judged.newest;
    heard(judged.move);
  }
};
