/**
 * Runs `work` for each item, at most `width` at a time, starting them in order.
 *
 * Every item gets its run, whatever happens to others; then the first failure in the order of the
 * items is thrown. So one bad item costs its neighbours nothing, and is not lost.
 */
export const eachOf = async <Item>(items: readonly Item[], width: number, work: (item: Item) => Promise<void>): Promise<void> => {
  const failures = new Map<number, unknown>();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        await work(items[index] as Item);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
};

/**
 * Runs work of the same key one after another, in the order of the calls, and of different keys side by
 * side. Work that fails fails alone: the next of its key runs.
 */
export const createTurns = (): (<Result>(key: string, work: () => Promise<Result>) => Promise<Result>) => {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
};
