import type { MarginAccount } from "../core/account.ts";
import { columnsOf, type LinearBook } from "../core/columns/linear-book.ts";
import { screenAt, UNSURE } from "../core/columns/linear-levels.ts";
import { type PositionColumns, type ScenarioVectors, worstOf } from "../core/columns/scenarios.ts";
import { LEVELS } from "../core/level.ts";
import { draws } from "../local/random.ts";
import type { BenchMarket } from "./book.ts";
import { accountsPerS } from "./measure.ts";

/** Copies of the book, so that it is larger than the processor's caches, as a venue's is. */
const COPIES = 20;
const INSTRUMENTS = 64;
const POSITIONS = 10;
const SEED = 11;

const screenAll = (book: LinearBook, { snapshot, now }: BenchMarket): number => {
  const found = screenAt(book, snapshot, now);
  for (let row = 0; row < found.length; row += 1) {
    if (found[row] === book.level[row] || found[row] === UNSURE) continue;
    throw new Error(`${book.accounts[row]?.accountId} was settled and is ${LEVELS[found[row] ?? 0]}`);
  }
  return found.length;
};

const scenarioBook = (scenarios: number, accounts: number): { readonly vectors: ScenarioVectors; readonly positions: PositionColumns } => {
  const draw = draws(SEED, `scenarios ${scenarios}`);
  const count = accounts * POSITIONS;
  return {
    vectors: { values: Float64Array.from({ length: INSTRUMENTS * scenarios }, () => draw() * 200 - 100), scenarios },
    positions: {
      offsets: Int32Array.from({ length: accounts + 1 }, (_, account) => account * POSITIONS),
      instruments: Int32Array.from({ length: count }, () => Math.floor(draw() * INSTRUMENTS)),
      quantities: Float64Array.from({ length: count }, () => draw() * 20 - 10),
    },
  };
};

/** The same as it is plainly written; the last account's worst, so that it is not optimised away. */
const plainWorst = ({ values, scenarios }: ScenarioVectors, { offsets, instruments, quantities }: PositionColumns): number => {
  let worst = 0;
  for (let account = 0; account < offsets.length - 1; account += 1) {
    worst = Number.POSITIVE_INFINITY;
    for (let scenario = 0; scenario < scenarios; scenario += 1) {
      let sum = 0;
      for (let position = offsets[account] as number; position < (offsets[account + 1] as number); position += 1) {
        sum += (quantities[position] as number) * (values[(instruments[position] as number) * scenarios + scenario] as number);
      }
      if (sum < worst) worst = sum;
    }
  }
  return worst;
};

const measureScenarios = (scenarios: number, accounts: number): { readonly perS: number; readonly plainPerS: number } => {
  const { vectors, positions } = scenarioBook(scenarios, accounts);
  const fast = (): number => worstOf(vectors, positions).worst.length;
  const plain = (): number => {
    if (plainWorst(vectors, positions) !== worstOf(vectors, positions).worst.at(-1)) throw new Error("the plain loop says otherwise");
    return accounts;
  };
  plain();
  const perS = accountsPerS(fast);
  const plainPerS = accountsPerS(() => (Number.isNaN(plainWorst(vectors, positions)) ? 0 : accounts));
  return { perS, plainPerS };
};

/** Accounts of ten positions a second on one core, by the passes over typed arrays. */
export interface ColumnFigures {
  /** Levels of a book as a sweep finds it, whatever is unsure left to the exact pass. */
  readonly linearPerS: number;
  /** The worst of 16 and of 1,000 scenarios. */
  readonly worstOf16PerS: number;
  readonly worstOf1000PerS: number;
  /** The plain loops. */
  readonly plainOf16PerS: number;
  readonly plainOf1000PerS: number;
}

/** Measures the passes of core/columns/. @throws Error where one finds another level, or another worst than the plain loop. */
export const measureColumns = (accounts: readonly MarginAccount[], market: BenchMarket): ColumnFigures => {
  const copies = Array.from({ length: COPIES }, () => accounts).flat();
  const book = columnsOf(copies, market.policy, market.snapshot.instruments);
  const linearPerS = accountsPerS(() => screenAll(book, market));
  const few = measureScenarios(16, 200_000);
  const many = measureScenarios(1_000, 10_000);
  return {
    linearPerS,
    worstOf16PerS: few.perS,
    worstOf1000PerS: many.perS,
    plainOf16PerS: few.plainPerS,
    plainOf1000PerS: many.plainPerS,
  };
};
