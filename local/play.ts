import type { Source } from "./sources/source.ts";
import type { SteppedTime } from "./time/stepped.ts";
import type { Time } from "./time/time.ts";

export interface RunOptions {
  /** UTC epoch milliseconds: time stops here, however much is still due. */
  readonly until?: number;
  /**
   * Called when the work of an instant is done. What it sends is handled before time moves on.
   * In real time it is called every {@link REAL_STEP_MS} milliseconds.
   */
  readonly onStep?: (now: number) => void | Promise<void>;
}

/** Lets time pass and work be done. */
export interface Play {
  run(options: RunOptions): Promise<void>;
  stop(): Promise<void>;
}

const REAL_STEP_MS = 50;
const IDLE_LOOKS = 2;

/** Handles everything in a fixed order of sources, round by round, until a whole round finds nothing. */
const settle = async (sources: readonly Source[]): Promise<void> => {
  for (let worked = true; worked; ) {
    worked = false;
    for (const source of sources) if (await source.wave()) worked = true;
  }
};

/**
 * Stepped time: all work of an instant is done, then time jumps to the next instant at which
 * something is due. Sources take turns in one order, each with everything that it has: what runs side
 * by side never depends on who is faster.
 */
export const createSteppedPlay = (time: SteppedTime, sources: readonly Source[]): Play => ({
  run: async ({ until, onStep }) => {
    const finish = async (): Promise<void> => {
      await settle(sources);
      if (onStep === undefined) return;
      await onStep(time.now());
      await settle(sources);
    };
    await finish();
    for (let due = time.step(until); due !== null; due = time.step(until)) {
      for (const { act } of due) await act();
      await finish();
    }
  },
  stop: () => Promise.resolve(),
});

export interface RealPlayOptions {
  readonly time: Time;
  readonly sources: readonly Source[];
  /** Whether nothing runs, waits in a queue or is still to come. */
  readonly idle: () => Promise<boolean>;
  /** The first thing that went wrong where nobody waited for it. */
  readonly failure: () => unknown;
  readonly onError: (error: unknown) => void;
}

/** Real time: every source is followed from now on; `run` waits. */
export const createRealPlay = ({ time, sources, idle, failure, onError }: RealPlayOptions): Play => {
  let stopped = false;
  const following = sources.map((source) =>
    source
      .follow(() => stopped)
      .catch((error: unknown) => {
        if (!stopped) onError(error);
      }),
  );
  return {
    run: async ({ until, onStep }) => {
      // A look between two reads of a stream sees nothing of what is in it: only the second counts.
      let idleLooks = 0;
      while (!stopped && failure() === null) {
        await onStep?.(time.now());
        idleLooks = (await idle()) ? idleLooks + 1 : 0;
        if (until === undefined ? idleLooks >= IDLE_LOOKS : time.now() >= until) break;
        await new Promise((resolve) => setTimeout(resolve, REAL_STEP_MS));
      }
      if (failure() !== null) throw failure();
    },
    stop: () => {
      stopped = true;
      return Promise.all(following).then(() => undefined);
    },
  };
};
