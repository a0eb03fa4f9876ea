/** Runs of which the median counts. */
export const RUNS = 5;
/** Least time of one run: shorter ones measure the clock. */
const RUN_US = 700_000;

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** The value that a share of the values does not exceed (nearest rank). */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
};

const usedUs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return user + system;
};

/**
 * Accounts a second on one core: the median of five runs, after one that is not counted.
 *
 * Seconds are those that this process was given, the collector's threads included, so that a
 * neighbour on the machine changes nothing.
 *
 * @param pass does a number of accounts, and says how many.
 */
export const accountsPerS = (pass: () => number): number => {
  const run = (): number => {
    const before = process.cpuUsage();
    let accounts = 0;
    while (usedUs(before) < RUN_US) accounts += pass();
    return (accounts * 1_000_000) / usedUs(before);
  };
  run();
  return Math.round(median(Array.from({ length: RUNS }, run)));
};
