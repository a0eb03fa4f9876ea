import { afterMicrotasks } from "./microtasks.ts";

/** Time that moves from one event to the next and stands still while an event is handled. */
export interface VirtualTime {
  /** UTC epoch milliseconds. */
  now(): number;
  /** Events handled so far: the number of a step in a trace. */
  steps(): number;
  /** Has `act` happen at an instant, now at the earliest; at one instant, in the order of asking. */
  at(instant: number, act: () => void): void;
  /**
   * Lets everything happen that is due at `until` or earlier. After each event all that it set going runs to
   * its next request, then `afterEach`, then the next event: nothing depends on the machine.
   * @throws what an event or `afterEach` throws; then time stands where it was thrown.
   */
  run(until: number, afterEach?: () => void): Promise<void>;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap: what is due next is on top. */
class Heap {
  private readonly entries: Due[] = [];

  peek(): Due | undefined {
    return this.entries[0];
  }

  push(due: Due): void {
    const { entries } = this;
    let place = entries.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(due, entries[parent] as Due)) break;
      entries[place] = entries[parent] as Due;
      place = parent;
    }
    entries[place] = due;
  }

  pop(): void {
    const { entries } = this;
    const last = entries.pop() as Due;
    if (entries.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1] as Due, entries[child] as Due)) child += 1;
      if (!isBefore(entries[child] as Due, last)) break;
      entries[place] = entries[child] as Due;
      place = child;
    }
    entries[place] = last;
  }
}

export const createVirtualTime = (start: number): VirtualTime => {
  const heap = new Heap();
  let now = start;
  let order = 0;
  let steps = 0;

  const run = (until: number, afterEach: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          afterEach();
          const due = heap.peek();
          if (due === undefined || due.at > until) {
            now = Math.max(now, until);
            resolve();
            return;
          }
          heap.pop();
          now = due.at;
          steps += 1;
          due.act();
        } catch (error) {
          reject(error);
          return;
        }
        afterMicrotasks(step);
      };
      afterMicrotasks(step);
    });

  return {
    now: () => now,
    steps: () => steps,
    at: (instant, act) => {
      order += 1;
      heap.push({ at: Math.max(instant, now), order, act });
    },
    run: (until, afterEach = () => undefined) => run(until, afterEach),
  };
};
