/**
 * Runs `act` when every promise that can go on has gone on: the one place where the simulation touches the
 * engine's own order. A tick is taken from its queue only when no microtask is left, however many of them
 * follow from one another.
 */
export const afterMicrotasks = (act: () => void): void => queueMicrotask(() => process.nextTick(act));
