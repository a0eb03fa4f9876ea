/** Something that becomes due at an instant. */
export interface Due {
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly label: string;
  readonly act: () => Promise<void>;
}

/** What is still to come, in order of instants; at one instant, in the order of entry. */
export interface Agenda {
  add(due: Due): void;
  /** Harmless for what has already come. */
  remove(due: Due): void;
  /** The next instant, null when nothing is to come. */
  nextAt(): number | null;
  /** Takes out all that is due at or before the instant. */
  takeUntil(at: number): Due[];
}

export const createAgenda = (): Agenda => {
  // Latest first, so that what is due next leaves from the end without moving the rest.
  const entries: Due[] = [];
  const placeOf = (at: number): number => {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle] as Due).at > at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    add: (due) => {
      entries.splice(placeOf(due.at), 0, due);
    },
    remove: (due) => {
      const index = entries.indexOf(due);
      if (index >= 0) entries.splice(index, 1);
    },
    nextAt: () => entries.at(-1)?.at ?? null,
    takeUntil: (at) => entries.splice(placeOf(at)).reverse(),
  };
};
