/** How one invariant stands: what was checked, and the first things found wrong. */
export interface Verdict {
  readonly holds: boolean;
  readonly checked: number;
  /** At most five, each naming what and where. */
  readonly faults: readonly string[];
}

/** Counts checks and keeps faults of one invariant. */
export interface Ledger {
  check(holds: boolean, fault: () => string): void;
  verdict(): Verdict;
}

const FAULTS_MAX = 5;
export const ledger = (): Ledger => {
  const faults: string[] = [];
  let checked = 0;
  let wrong = 0;
  return {
    check: (holds, fault) => {
      checked += 1;
      if (holds) return;
      wrong += 1;
      if (faults.length < FAULTS_MAX) faults.push(fault());
    },
    verdict: () => ({ holds: wrong === 0, checked, faults }),
  };
};
