import { createAgenda, type Due } from "./agenda.ts";
import type { Time } from "./time.ts";

/** Stands still while work is in flight; jumps from one due instant to the next when told to. */
export interface SteppedTime extends Time {
  /**
   * Moves to the next due instant, at most to `until`, and hands over all that is due there.
   * @returns null when nothing is due any more: only steady rates are left and no `until` asks for them.
   */
  step(until: number | undefined): readonly Due[] | null;
}

interface Rate {
  readonly periodMs: number;
  readonly label: string;
  readonly act: () => Promise<void>;
  dueAt: number;
  /** Fired since anything else happened: until then nothing new can come of firing again. */
  held: boolean;
}

const firstAfter = ({ dueAt, periodMs }: Rate, instant: number): number =>
  dueAt > instant ? dueAt : dueAt + (Math.floor((instant - dueAt) / periodMs) + 1) * periodMs;

/**
 * Time for replays. A steady rate that is due several times before the next other event fires once,
 * at its first instant: days of market take minutes, and what the passing of time alone
 * changes is still seen between any two events.
 */
export const createSteppedTime = (startAt: number): SteppedTime => {
  const agenda = createAgenda();
  const rates: Rate[] = [];
  let now = startAt;

  const fireRates = (instant: number, held: boolean): Due[] =>
    rates
      .filter((rate) => !rate.held && rate.dueAt === instant)
      .map((rate) => {
        rate.dueAt += rate.periodMs;
        rate.held = held;
        return { at: instant, label: rate.label, act: rate.act };
      });

  const releaseRates = (instant: number): void => {
    for (const rate of rates) {
      if (!rate.held) continue;
      rate.held = false;
      rate.dueAt = firstAfter(rate, instant);
    }
  };

  return {
    now: () => now,
    at: (instant, label, act) => {
      const due: Due = { at: Math.max(instant, now), label, act };
      agenda.add(due);
      return () => agenda.remove(due);
    },
    every: (periodMs, label, act) => {
      rates.push({ periodMs, label, act, dueAt: now + periodMs, held: false });
    },
    step: (until) => {
      const nextAt = agenda.nextAt();
      const bound = Math.min(nextAt ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY);
      if (bound === Number.POSITIVE_INFINITY || bound < now) return null;
      const rateAt = Math.min(...rates.filter(({ held }) => !held).map(({ dueAt }) => dueAt));
      if (rateAt < bound || (rateAt === bound && nextAt !== bound)) {
        now = rateAt;
        return fireRates(rateAt, true);
      }
      now = bound;
      if (nextAt !== bound) return null;
      releaseRates(bound);
      return [...agenda.takeUntil(bound), ...fireRates(bound, false)];
    },
    stop: () => undefined,
  };
};
