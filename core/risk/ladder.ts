import type { MarginAccount } from "../account.ts";
import type { Asset } from "../instrument.ts";
import type { Ppm } from "../money.ts";
import { type JudgedOn, movedSnapshot, standingOn } from "./shocked-account.ts";

/** Moves at which an account is revalued exactly; between two of them values run straight. */
const NODES: readonly Ppm[] = [
  ...[-950_000, -750_000, -500_000, -300_000, -200_000, -150_000, -100_000, -60_000, -30_000, -10_000],
  ...[0, 10_000, 30_000, 60_000, 100_000, 150_000, 200_000, 300_000, 500_000, 1_000_000, 2_000_000],
];

/** Changes of an account over the moves of one base asset, all others held, by node: whole units of the valuation asset. */
export interface Ladder {
  readonly asset: Asset;
  /** Of its equity less its maintenance requirement. */
  readonly distance: Float64Array;
  /** Of its equity. */
  readonly equity: Float64Array;
}

/** Revalues the account at every node by the rules that decide it. @throws what `assess` throws. */
export const ladderOf = (account: MarginAccount, on: JudgedOn, asset: Asset): Ladder => {
  const now = standingOn(account, on);
  const distance = new Float64Array(NODES.length);
  const equity = new Float64Array(NODES.length);
  for (const [node, move] of NODES.entries()) {
    if (move === 0) continue;
    const snapshot = movedSnapshot(on.snapshot, new Map([[asset, move]]), `${asset} ${move}`);
    const after = standingOn(account, { ...on, snapshot });
    equity[node] = Number(after.equity - now.equity) / 1e8;
    distance[node] = Number(after.equity - after.maintenance - now.equity + now.maintenance) / 1e8;
  }
  return { asset, distance, equity };
};

/** The change at a relative move (0.1 is 10 %): straight between nodes, and beyond the last as between the last two; below −95 % as at −95 %. */
export const onLadder = (change: Float64Array, move: number): number => {
  const ppm = Math.max(NODES[0] as Ppm, move * 1_000_000);
  let upper = 1;
  while (upper < NODES.length - 1 && (NODES[upper] as Ppm) < ppm) upper += 1;
  const [from, to] = [NODES[upper - 1] as Ppm, NODES[upper] as Ppm];
  const [low, high] = [change[upper - 1] as number, change[upper] as number];
  return low + ((high - low) * (ppm - from)) / (to - from);
};
