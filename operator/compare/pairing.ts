import type { OurAct, TheirRow } from "./differences.ts";

/** An act of either side with its counterpart, as far as there is one. */
export interface Pair {
  readonly ours: OurAct | null;
  readonly theirs: TheirRow | null;
}

/**
 * Pairs the acts of one account and one kind: those nearest in time first, at most `withinMs` apart; each act once.
 * What has no counterpart stands alone.
 */
export const pair = (ours: readonly OurAct[], theirs: readonly TheirRow[], withinMs: number): readonly Pair[] => {
  const candidates = ours
    .flatMap((our) => theirs.map((their) => ({ ours: our, theirs: their, apartMs: Math.abs(our.at - their.at) })))
    .filter(({ apartMs }) => apartMs <= withinMs)
    .sort((a, b) => a.apartMs - b.apartMs);
  const taken = new Set<OurAct | TheirRow>();
  const pairs: Pair[] = [];
  for (const { ours: our, theirs: their } of candidates) {
    if (taken.has(our) || taken.has(their)) continue;
    taken.add(our).add(their);
    pairs.push({ ours: our, theirs: their });
  }
  return [
    ...pairs,
    ...ours.filter((each) => !taken.has(each)).map((each) => ({ ours: each, theirs: null })),
    ...theirs.filter((each) => !taken.has(each)).map((each) => ({ ours: null, theirs: each })),
  ].sort((a, b) => (a.ours ?? (a.theirs as TheirRow)).at - (b.ours ?? (b.theirs as TheirRow)).at);
};
