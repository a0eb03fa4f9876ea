import type { MarginAccount } from "../account.ts";
import type { Instrument } from "../instrument.ts";
import { LEVELS, type Level, levelOf } from "../level.ts";
import type { Mark, MarketSnapshot } from "../mark.ts";
import { PPM } from "../money.ts";
import type { LevelTerms } from "../policy.ts";
import { assess } from "../statement.ts";
import { TermsError } from "../terms-error.ts";
import { type Estimate, type PricedInstrument, priceInstrument } from "../valuation.ts";
import { ERROR_SHARE, isAdmittedInstrument, type LinearBook } from "./linear-book.ts";
import { eachRun, TERMS_WIDTH } from "./linear-sums.ts";

/** In place of a level's index: float64 cannot tell, the exact pass decides. */
export const UNSURE = 255;
/** In place of a level's index: no pass can decide the account on these terms, for example in an unknown instrument. */
export const UNDECIDED = 254;

const CALL = LEVELS.indexOf("CALL");

/** Instruments at their prices, in the order of the book. */
interface Prices {
  /** Value of a quantity of 1e-8, in 1e-8. NaN where there is no GOOD mark: whoever holds it is unsure. */
  readonly unit: Float64Array;
  readonly estimates: readonly (Estimate | null)[];
}

/** What a mark comes to, until its quality changes: a memo, not a state. Sweeps of many prices share all marks but one. */
const remembered = new WeakMap<Mark, { readonly terms: Instrument; readonly priced: PricedInstrument }>();

/** Funding accrues with the snapshot's time and is not in the columns: whoever holds such a perpetual goes to the exact pass. */
const estimateIn = ({ estimate }: PricedInstrument): Estimate | null => (estimate !== null && estimate.funding === null ? estimate : null);

const estimateOf = (terms: Instrument, snapshot: MarketSnapshot, now: number): Estimate | null => {
  const mark = snapshot.marks.get(terms.instrumentId);
  if (mark === undefined) return null;
  const known = remembered.get(mark);
  if (known?.terms === terms && now >= known.priced.validFrom && now < known.priced.validUntil) return estimateIn(known.priced);
  const priced = priceInstrument(terms, snapshot, now);
  remembered.set(mark, { terms, priced });
  return estimateIn(priced);
};

const pricesOf = ({ instruments, policy }: LinearBook, snapshot: MarketSnapshot, now: number): Prices => {
  const estimates = instruments.map(({ instrumentId, multiplier }) => {
    const terms = snapshot.instruments.get(instrumentId);
    if (!isAdmittedInstrument(terms, policy) || terms.multiplier !== multiplier) return null;
    return estimateOf(terms, snapshot, now);
  });
  const unit = Float64Array.from(estimates, (estimate) => (estimate === null ? Number.NaN : estimate.price * estimate.multiplier));
  return { unit, estimates };
};

const bracketAt = (sizes: readonly number[], size: number): number => {
  let bracket = 0;
  while (bracket < sizes.length && size >= (sizes[bracket] as number)) bracket += 1;
  return bracket;
};

/**
 * Thresholds as `a·maintenance + b·(initial − maintenance)`: a and b of each level, for each level that an account may be
 * at, since a level that it is in or deeper than is left later than entered (R1).
 */
const thresholdsOf = ({ warning, call, restricted, backstop, hysteresis }: LevelTerms): (readonly [a: number, b: number])[][] => {
  const whole = Number(PPM);
  const entries = [
    [0, 0],
    [1, warning / whole],
    [1, call / whole],
    [1, restricted / whole],
    [1, 0],
    [backstop / whole, 0],
    [0, 0],
  ] as const;
  return LEVELS.map((_, held) => entries.map(([a, b], level) => [a, b + (held >= level ? hysteresis / whole : 0)]));
};

/**
 * What is compared first: the highest threshold there can be, `maintenance + top·(initial −
 * maintenance)`, as the larger of two lines, which no size in the book is above. The first is the first bracket's. The second
 * starts where the second bracket does and rises as the bracket of the largest size in the book: the second bracket
 * itself where nobody is beyond it.
 */
interface Highest {
  /** Of each instrument its unit, the lines' rates and what the second is less by, as {@link eachRun} takes them. NaN without a GOOD mark. */
  readonly terms: Float64Array;
  /** The error bound's share of the sum of needs: no need is less than the first bracket's share of the gross notional. */
  readonly errorShare: number;
}

/** @param top the largest b of any level that somebody may be at. */
const highestOf = (book: LinearBook, { estimates, unit }: Prices, top: number): Highest => {
  const terms = new Float64Array(estimates.length * TERMS_WIDTH).fill(Number.NaN);
  let least = 1;
  for (const [index, estimate] of estimates.entries()) {
    if (estimate === null) continue;
    const { sizes, ratesIm, ratesMm, amountsIm, amountsMm } = estimate;
    const rates = ratesMm.map((maintenance, bracket) => maintenance + top * ((ratesIm[bracket] as number) - maintenance));
    const second = Math.min(1, sizes.length);
    const steepest = rates[bracketAt(sizes, book.largest[index] as number)] as number;
    const amount = (amountsMm[second] as number) + top * ((amountsIm[second] as number) - (amountsMm[second] as number));
    const first = rates[0] as number;
    const next = Math.max(rates[second] as number, steepest);
    // Sizes are whole: the bracket's edge lies above the size before the first that reaches it.
    const nextAmount = amount + (next - (rates[second] as number)) * ((sizes[0] ?? 1) - 1);
    const one = unit[index] as number;
    terms.set([one, first, one, next, 0, nextAmount], index * TERMS_WIDTH);
    least = Math.min(least, first / one);
  }
  return { terms, errorShare: ERROR_SHARE / least };
};

/** Everything about one instant's prices that accounts share. */
interface Screen {
  readonly book: LinearBook;
  readonly prices: Prices;
  readonly thresholds: readonly (readonly (readonly [a: number, b: number])[])[];
  /** Share of unrealised profit that counts in E_i (M2). */
  readonly share: number;
}

/** The level of one account by its three sums, each threshold from the deepest up; UNSURE where one is within the error. */
const levelAtRow = ({ book, prices: { unit, estimates }, thresholds, share }: Screen, row: number): number => {
  let value = 0;
  let gross = 0;
  let initial = 0;
  let maintenance = 0;
  for (let position = book.offsets[row] as number; position < (book.offsets[row + 1] as number); position += 1) {
    const index = book.instrument[position] as number;
    const estimate = estimates[index];
    if (estimate === null || estimate === undefined) return UNSURE;
    const held = book.quantity[position] as number;
    const size = Math.abs(held);
    const worth = held * (unit[index] as number);
    value += worth;
    gross += Math.abs(worth);
    const bracket = bracketAt(estimate.sizes, size);
    initial += size * (estimate.ratesIm[bracket] as number) - (estimate.amountsIm[bracket] as number);
    maintenance += size * (estimate.ratesMm[bracket] as number) - (estimate.amountsMm[bracket] as number);
  }
  const profit = value - (book.entry[row] as number);
  const equityMaintenance = (book.wallet[row] as number) + profit;
  const equityInitial = (book.free[row] as number) + (profit > 0 ? profit * share : profit);
  const error = (book.slack[row] as number) + gross * ERROR_SHARE;
  const of = thresholds[book.level[row] as number] as (typeof thresholds)[number];
  for (let depth = LEVELS.length - 1; depth > 0; depth -= 1) {
    const [a, b] = of[depth] as readonly [number, number];
    const clear = (depth > CALL ? equityMaintenance : equityInitial) - (a * maintenance + b * (initial - maintenance));
    if (clear > error) continue;
    // NaN, of an account that the columns do not admit, is unsure too.
    return clear < -error ? depth : UNSURE;
  }
  return 0;
};

/**
 * The level of every account at these marks as far as float64 can tell: its index in LEVELS, or {@link UNSURE}.
 *
 * An index is what the exact pass finds: each threshold from the deepest up to it was compared on the equity that
 * the level judges (R2), and was clear by more than both passes can be wrong (see the proof at ERROR_SHARE). A debt's
 * weight needs no look: no threshold is below 0 by more than the bound, so it takes nothing from an equity that is above one.
 *
 * First, one sum for each account: above `maintenance + top·(initial − maintenance)` with both equities it is above every
 * threshold, since a ≤ 1 and b ≤ top. That clears a book's quiet accounts; the others get their three sums. The loop over the
 * positions is in WebAssembly (linear-sums.wat).
 *
 * @param now the instant that decides the marks' quality, epoch milliseconds.
 */
export const screenAt = (book: LinearBook, snapshot: MarketSnapshot, now: number): Uint8Array => {
  const prices = pricesOf(book, snapshot, now);
  const thresholds = thresholdsOf(book.policy.levels);
  const held = book.levels.flatMap((depth) => thresholds[depth] ?? []);
  const { terms, errorShare } = highestOf(book, prices, Math.max(0, ...held.map(([, b]) => b)));
  const screen: Screen = { book, prices, thresholds, share: book.policy.unrealisedProfitIm / Number(PPM) };
  const { share } = screen;
  const { wallet, free, entry, slack } = book;
  const found = new Uint8Array(book.accounts.length);
  eachRun(book, terms, (sums, first, last) => {
    for (let row = first, at = 0; row < last; row += 1, at += 2) {
      const profit = (sums[at] as number) - (entry[row] as number);
      const need = sums[at + 1] as number;
      const equity = Math.min((free[row] as number) + Math.min(profit, profit * share), (wallet[row] as number) + profit);
      // Written so that NaN is not quiet.
      const isQuiet = equity - need > (slack[row] as number) + need * errorShare;
      if (!isQuiet) found[row] = levelAtRow(screen, row);
    }
  });
  return found;
};

/** What the exact pass says. A fault of the account's own (a term that is missing) leaves it undecided, and nobody else. */
const exactly = (account: MarginAccount, { policy }: LinearBook, snapshot: MarketSnapshot, now: number): number => {
  try {
    return LEVELS.indexOf(levelOf(account, assess(account, snapshot, policy, now), policy.levels, account.level));
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError || error instanceof TermsError) return UNDECIDED;
    throw error;
  }
};

/** Levels of a book at some marks. */
export interface BookLevels {
  /** For each account the index of its level in LEVELS, or {@link UNDECIDED}. */
  readonly levels: Uint8Array;
  /** Accounts that needed the exact pass. */
  readonly exact: number;
}

/** The level of every account at these marks, as `levelOf(assess(...))` finds it, level for level: the fast pass, and the exact one where it is unsure. */
export const levelsAt = (book: LinearBook, snapshot: MarketSnapshot, now: number): BookLevels => {
  const levels = screenAt(book, snapshot, now);
  let exact = 0;
  for (let row = 0; row < levels.length; row += 1) {
    if (levels[row] !== UNSURE) continue;
    levels[row] = exactly(book.accounts[row] as MarginAccount, book, snapshot, now);
    exact += 1;
  }
  return { levels, exact };
};

/** Rows of the accounts that are at this level or deeper at these marks, and of those that nobody can decide there. */
export interface Breaches {
  readonly rows: readonly number[];
  readonly undecided: readonly number[];
}

/** Who would be at a level or deeper at these marks: for a sweep of many prices over one book. */
export const breachesAt = (book: LinearBook, snapshot: MarketSnapshot, now: number, level: Level): Breaches => {
  const { levels } = levelsAt(book, snapshot, now);
  const least = LEVELS.indexOf(level);
  const rows: number[] = [];
  const undecided: number[] = [];
  for (const [row, depth] of levels.entries()) {
    if (depth === UNDECIDED) undecided.push(row);
    else if (depth >= least) rows.push(row);
  }
  return { rows, undecided };
};

/**
 * Rows of the accounts for which a decision at these marks may do something. Every other one surely keeps its level, which
 * is not as deep as a call, and has no live call: `decide` would find nothing to change.
 */
export const unsettledAt = (book: LinearBook, snapshot: MarketSnapshot, now: number): readonly number[] => {
  const found = screenAt(book, snapshot, now);
  const rows: number[] = [];
  for (const [row, account] of book.accounts.entries()) {
    const isQuiet =
      found[row] === book.level[row] && (found[row] as number) < CALL && account.live === null && account.openCalls.CROSS === undefined;
    if (!isQuiet) rows.push(row);
  }
  return rows;
};
