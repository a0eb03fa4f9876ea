import type { HeldTerms } from "../../core/notice.ts";
import { type Item, whole } from "./items.ts";

/** When a version was stored; 0 for one of a release that did not write it down: it holds since ever. */
export const storedAtOf = (item: Item): number => (item["storedAt"] === undefined ? 0 : whole(item, "storedAt"));

/**
 * The versions that held at `since` or later, from the oldest: read back from the newest until one was stored
 * before that. A version number that was never stored is passed over.
 */
export const heldSince = async <Terms>(
  newest: number,
  since: number,
  read: (version: number) => Promise<HeldTerms<Terms> | null>,
): Promise<readonly HeldTerms<Terms>[]> => {
  const held: HeldTerms<Terms>[] = [];
  for (let version = newest; version >= 1; version -= 1) {
    const one = await read(version);
    if (one === null) continue;
    held.unshift(one);
    if (one.effectiveAt <= since) break;
  }
  return held;
};
