import type { Time } from "./time.ts";

/** A timer longer than this many milliseconds fires at once in Node: 24.8 days. */
const TIMER_MAX_MS = 2_147_483_647;

/**
 * Time that passes, optionally from another day than today.
 *
 * @param onError what to do when something due fails: nobody awaits it.
 */
export const createRealTime = (startAt: number | undefined, onError: (error: unknown) => void): Time => {
  const offsetMs = startAt === undefined ? 0 : startAt - Date.now();
  const now = (): number => Date.now() + offsetMs;
  const timers = new Set<NodeJS.Timeout>();

  const arm = (instant: number, act: () => Promise<void>): (() => void) => {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const restMs = instant - now();
      timer = setTimeout(
        () => {
          timers.delete(timer);
          if (instant > now()) wait();
          else act().catch(onError);
        },
        Math.min(Math.max(restMs, 0), TIMER_MAX_MS),
      );
      timers.add(timer);
    };
    wait();
    return () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
  };

  const repeat = (dueAt: number, periodMs: number, act: () => Promise<void>): void => {
    arm(dueAt, async () => {
      repeat(dueAt + periodMs, periodMs, act);
      await act();
    });
  };

  return {
    now,
    at: (instant, _label, act) => arm(instant, act),
    every: (periodMs, _label, act) => repeat(now() + periodMs, periodMs, act),
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
};
