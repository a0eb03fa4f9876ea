import type { Clock } from "../world.ts";

/** What was read under a key, believed for a time. */
export interface Believed<Value> {
  get(key: string): Promise<Value>;
  /** The next `get` reads anew: for one who changed it. */
  forget(key: string): void;
}

/**
 * Reads under each key at most once in `forMs`. A read under way serves everybody who asks meanwhile: what
 * is judged side by side asks at once. One that failed is forgotten, and a clock that went back reads anew.
 */
export const createBelieved = <Value>(clock: Clock, forMs: number, read: (key: string) => Promise<Value>): Believed<Value> => {
  const known = new Map<string, { readonly value: Promise<Value>; readonly readAt: number }>();
  return {
    get: async (key) => {
      const now = clock.now();
      const kept = known.get(key);
      if (kept !== undefined && now >= kept.readAt && now - kept.readAt < forMs) return kept.value;
      const asked = { value: read(key), readAt: now };
      known.set(key, asked);
      try {
        return await asked.value;
      } catch (error) {
        if (known.get(key) === asked) known.delete(key);
        throw error;
      }
    },
    forget: (key) => void known.delete(key),
  };
};
