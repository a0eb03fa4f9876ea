import { FAULT_KINDS } from "../faults/alphabet.ts";
import type { RunResult } from "../run.ts";
import type { Case } from "./case.ts";

/** A property that a seed broke, as the command reports it. */
export interface Broken {
  readonly id: string;
  readonly words: string;
  /** Milliseconds since the start of the run. */
  readonly atMs: number;
  readonly failing: Case;
}

/** What a number of seeds came to. Plain data: it crosses from worker to worker. */
export interface Tally {
  seeds: number;
  /** Requests and faults of each seed. */
  readonly calls: number[];
  readonly faults: number[];
  readonly broken: Broken[];
  /** Seeds in which something happened at all. */
  readonly seedsWith: Record<string, number>;
  /** How often each transition and each fault happened. */
  readonly times: Record<string, number>;
  /** Facts on which each property was judged. */
  readonly judged: Record<string, number>;
  /** Time of one core that this took. */
  busyMs: number;
}

export const emptyTally = (): Tally => ({ seeds: 0, calls: [], faults: [], broken: [], seedsWith: {}, times: {}, judged: {}, busyMs: 0 });

const add = (to: Record<string, number>, name: string, number: number): void => {
  to[name] = (to[name] ?? 0) + number;
};

/** What the seeds of a run are expected to reach (issue: "reached"). */
const MILESTONES = {
  opened: (reached: RunResult["reached"]) => reached.has("none>OPEN"),
  liquidating: (reached: RunResult["reached"]) => reached.has("OPEN>LIQUIDATING") || reached.has("none>LIQUIDATING"),
  metByDeposit: (reached: RunResult["reached"]) => reached.has("metByDeposit"),
  poolCalled: (reached: RunResult["reached"]) => reached.has("pool none>OPEN"),
  poolMet: (reached: RunResult["reached"]) => reached.has("pool OPEN>MET"),
  poolLiquidated: (reached: RunResult["reached"]) => reached.has("pool LIQUIDATING>LIQUIDATED"),
  checkDiffered: (reached: RunResult["reached"]) => reached.has("checkDiffered"),
  liquidationFailed: (reached: RunResult["reached"]) => reached.has("LIQUIDATING>LIQUIDATION_FAILED"),
} as const;

export const count = (tally: Tally, one: Case, result: RunResult, startedAt: number): void => {
  tally.seeds += 1;
  tally.calls.push(result.calls);
  tally.faults.push(result.struck.length);
  for (const [name, isReached] of Object.entries(MILESTONES)) add(tally.seedsWith, name, isReached(result.reached) ? 1 : 0);
  for (const [name, times] of result.reached) if (name.includes(">")) add(tally.times, name, times);
  for (const { kind } of result.struck) add(tally.times, kind, 1);
  for (const [id, facts] of result.judged) add(tally.judged, id, facts);
  const { violation } = result;
  if (violation !== null) tally.broken.push({ id: violation.id, words: violation.message, atMs: violation.at - startedAt, failing: one });
};

export const merge = (into: Tally, from: Tally): void => {
  into.seeds += from.seeds;
  for (const calls of from.calls) into.calls.push(calls);
  for (const faults of from.faults) into.faults.push(faults);
  into.broken.push(...from.broken);
  for (const name of ["seedsWith", "times", "judged"] as const) {
    for (const [key, number] of Object.entries(from[name])) add(into[name], key, number);
  }
  into.busyMs += from.busyMs;
};

export const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/** Transitions that the state machine has (R8), each of which a long run must reach. */
const TRANSITIONS = [
  "none>OPEN",
  "none>LIQUIDATING",
  "OPEN>MET",
  "OPEN>CANCELLED",
  "OPEN>CLOSED_FLAT",
  "OPEN>LIQUIDATING",
  "LIQUIDATING>MET",
  "LIQUIDATING>LIQUIDATED",
  "LIQUIDATING>LIQUIDATION_FAILED",
];

/** What a run reached, with a 0 for what it did not. */
export const reachedOf = ({ seedsWith, times }: Tally): Record<string, unknown> => {
  const counted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, times[name] ?? 0]));
  const milestones = Object.fromEntries(Object.keys(MILESTONES).map((name) => [name, seedsWith[name] ?? 0]));
  return { ...milestones, transitions: counted(TRANSITIONS), faults: counted(FAULT_KINDS) };
};
