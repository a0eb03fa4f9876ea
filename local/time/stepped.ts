import { createAgenda, type Due } from "./agenda.ts";
import type { Time } from "./time.ts";

/** Stands still while work is in flight; jumps from one due instant to the next when told to. */
export interface SteppedTime extends Time {
  /**
   * Moves to the next due instant, at most to `until`, and hands over all that is due there.
   * @returns null when nothing is due any more: steady rates alone make no instant due.
   */
  step(until: number | undefined): readonly Due[] | null;
}

interface Rate {
  readonly periodMs: number;
  readonly label: string;
  readonly act: () => Promise<void>;
  dueAt: number;
}

const firstAfter = ({ dueAt, periodMs }: Rate, instant: number): number =>
  dueAt + (Math.floor((instant - dueAt) / periodMs) + 1) * periodMs;

/**
 * Time for replays. A steady rate that became due, however often, since the last other event fires
 * once, at the instant of the next one and after it: nothing new can come of firing in between but
 * the passing of time, and that is seen then. So days of market take minutes.
 */
export const createSteppedTime = (startAt: number): SteppedTime => {
  const agenda = createAgenda();
  const rates: Rate[] = [];
  let now = startAt;

  const dueRates = (): Due[] =>
    rates
      .filter(({ dueAt }) => dueAt <= now)
      .map((rate) => {
        rate.dueAt = firstAfter(rate, now);
        return { at: now, label: rate.label, act: rate.act };
      });

  return {
    now: () => now,
    at: (instant, label, act) => {
      const due: Due = { at: Math.max(instant, now), label, act };
      agenda.add(due);
      return () => agenda.remove(due);
    },
    every: (periodMs, label, act) => {
      rates.push({ periodMs, label, act, dueAt: now + periodMs });
    },
    step: (until) => {
      const bound = Math.min(agenda.nextAt() ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY);
      if (bound === Number.POSITIVE_INFINITY || bound < now) return null;
      now = bound;
      const due = [...agenda.takeUntil(bound), ...dueRates()];
      return due.length === 0 ? null : due;
    },
    stop: () => undefined,
  };
};
