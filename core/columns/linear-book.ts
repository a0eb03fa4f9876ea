import type { MarginAccount } from "../account.ts";
import type { Instrument, Instruments } from "../instrument.ts";
import { isBare, LEVELS } from "../level.ts";
import { LIMITS } from "../limits.ts";
import { ONE, PPM } from "../money.ts";
import type { Policy } from "../policy.ts";
import { isLiquidityCharged } from "../unit-liquidity.ts";

/**
 * Relative error allowed to the float pass, of `S = |wallet| + |free| + |entry value| + Σ|q|·m·P`.
 *
 * Proof. Let u = 2^-53. A number read from a bigint is off by at most u of itself, and so is each product,
 * quotient and sum of two; n is the number of positions and G their gross notional Σ|q|·m·P. Sums are taken in the order
 * of the positions, one rounding a product and one a sum, in JavaScript as in the kernel of linear-sums.wat, whose
 * vectors hold the two sums of one account side by side: nothing is fused or regrouped.
 *
 * 1. Value `V = Σ q·m·P`: a term holds the roundings of q, P, m, m/1e16, and two products, 6u; the sum of n adds
 *    (n − 1)u. Off by at most (n + 5)u·G.
 * 2. Requirements: a rate holds 3u, with q and the product 5u; subtracting the bracket's amount, which is at most
 *    the term itself, adds 3u. A size that float64 puts on the wrong side of a bracket's edge is within 4u of that
 *    edge, where the two brackets agree and rates differ by at most 1: 4u. Rates are at most 1 (R24), so that initial
 *    and maintenance are each at most G, and off by at most (n + 11)u·G.
 * 3. Equity: wallet (or free), entry value, the profit `V − entry`, its share and the sum hold one rounding each:
 *    5u of |wallet| + |entry| + G, and what V is off by.
 * 4. Threshold `a·maintenance + b·(initial − maintenance)` with 0 ≤ a ≤ 1 and 0 ≤ b ≤ 2 (columns admit no other
 *    policy): five times what a requirement is off by, and 6 roundings of its own of at most 3G: (5n + 73)u·G.
 * 5. The first comparison's need, of two lines with rates of at most 2: a rate holds 20u, the sum of n terms (n + 2)u of at
 *    most 2G: less than 4. It takes G from the need itself, which is at least the least first rate's share of it.
 *
 * Together less than (6n + 83)u·S, which for n ≤ 500 is below 3.5e-13·S. Terms in u² and the rounding of S itself are
 * below a thousandth of that. Nearly three times it is taken. (n − 1)u·G is not far away: 498 positions of which each
 * is lost beside a huge one lose 498u of it, which test/core/columns/edge-accounts.ts does.
 */
export const ERROR_SHARE = 1e-12;
/**
 * What the exact pass itself rounds away, in 1e-8: one unit of equity, one of its share, and for each position and
 * once for the sum, one of each requirement and one at a bracket's edge, of which a threshold takes five at most.
 */
const ROUNDING_UNITS = 16;
/** Largest `b` of the proof, in ppm: warning and hysteresis together. */
const HEADROOM_MAX = 2_000_000;

/**
 * Accounts of one policy as columns; money in 1e-8 of the valuation asset, as float64.
 *
 * An account that the columns do not admit has a wallet of NaN, so that no comparison with it holds and the exact
 * pass decides it; one without position and debt (R7) has an infinite one, so that it is under no threshold.
 *
 * Memory: 37 bytes an account and 12 a position, in arrays of the book's own that go when the book does; a book that lives
 * keeps its accounts too. Several live side by side: a pass copies a run of accounts at a time into the kernel's one
 * memory (linear-sums.ts) and leaves nothing there.
 */
export interface LinearBook {
  readonly policy: Policy;
  readonly accounts: readonly MarginAccount[];
  /** Instruments that admitted accounts hold, on the terms that the entry values were worked out with. */
  readonly instruments: readonly Instrument[];
  /** The largest size that anybody holds of each instrument, in 1e-8. */
  readonly largest: Float64Array;
  /** Accounts that the columns admit; the others cost an exact pass each. */
  readonly admitted: number;
  readonly wallet: Float64Array;
  /** The wallet less what is reserved for withdrawals: what counts in E_i (R16). */
  readonly free: Float64Array;
  /** Value of the positions at their entry prices, exact and rounded once. */
  readonly entry: Float64Array;
  /** The part of an account's error bound that no price changes. */
  readonly slack: Float64Array;
  /** Index of its level in LEVELS. */
  readonly level: Uint8Array;
  /** The levels that somebody is at. */
  readonly levels: readonly number[];
  /** First position of each account, and one more. */
  readonly offsets: Int32Array;
  /** Index into `instruments`. */
  readonly instrument: Int32Array;
  /** Signed, in 1e-8. */
  readonly quantity: Float64Array;
}

/** True where profits and requirements are `q·m·(P − P0)` and brackets of `|q|·m·P` at the mark, without a least margin and without a charge for liquidity. */
export const isAdmittedInstrument = (instrument: Instrument | undefined, policy: Policy): instrument is Instrument =>
  instrument?.kind === "linear" &&
  !instrument.allowNonPositive &&
  instrument.marginMinPerUnit === 0n &&
  instrument.basis === undefined &&
  instrument.tiers.length > 0 &&
  !isLiquidityCharged(instrument, policy) &&
  instrument.settleAsset === policy.valuationAsset;

/** True where positions are margined by their brackets, the valuation asset counts whole and no threshold is outside the proof. */
const isAdmittedPolicy = ({ model, collateral, valuationAsset, levels }: Policy): boolean => {
  if (model.kind !== "standard") return false;
  const terms = collateral.get(valuationAsset);
  if (terms === undefined || terms.priceId !== null || terms.peg !== undefined) return false;
  if (levels.warning + levels.hysteresis > HEADROOM_MAX || levels.backstop > Number(PPM)) return false;
  return terms.tiers.every(({ haircutIm, haircutMm }) => haircutIm === 0 && haircutMm === 0);
};

/** True for an account that holds, owes and settles in the valuation asset only. */
const isAdmittedAccount = (
  { positions, balances, reserved, standing }: MarginAccount,
  policy: Policy,
  instruments: Instruments,
): boolean => {
  if (standing.size > 0) return false;
  if (positions.length === 0 || positions.length > LIMITS.positionsMax) return false;
  for (const [asset, balance] of balances) {
    if (asset !== policy.valuationAsset && (balance !== 0n || (reserved.get(asset) ?? 0n) !== 0n)) return false;
  }
  return positions.every(({ instrumentId }) => isAdmittedInstrument(instruments.get(instrumentId), policy));
};

/** Writes one admitted account's figures. */
const writeAccount = (book: Omit<LinearBook, "largest" | "levels">, row: number, instruments: Instruments): void => {
  const { positions, balances, reserved } = book.accounts[row] as MarginAccount;
  const asset = book.policy.valuationAsset;
  let entry = 0n;
  for (const { instrumentId, quantity, entryPrice } of positions) {
    entry += quantity * entryPrice * (instruments.get(instrumentId) as Instrument).multiplier;
  }
  const wallet = balances.get(asset) ?? 0n;
  const free = wallet - (reserved.get(asset) ?? 0n);
  book.wallet[row] = Number(wallet);
  book.free[row] = Number(free);
  book.entry[row] = Number(entry) / Number(ONE * ONE);
  const magnitude = Math.abs(Number(wallet)) + Math.abs(Number(free)) + Math.abs(book.entry[row] as number);
  book.slack[row] = magnitude * ERROR_SHARE + ROUNDING_UNITS * (1 + positions.length);
};

/**
 * Reads accounts of one policy into columns.
 *
 * Admitted: accounts of up to 500 linear positions that all settle in the policy's valuation asset, hold and owe
 * nothing else and have no isolated pool, no open order and no leverage of their own, under a policy that takes no haircut from that asset. Every other account is in the columns too and
 * goes to the exact pass.
 *
 * @param instruments the terms that the positions' entry values are worked out with; with another multiplier in the
 *   snapshot, every holder of the instrument goes to the exact pass.
 */
export const columnsOf = (accounts: readonly MarginAccount[], policy: Policy, instruments: Instruments): LinearBook => {
  const isOfPolicy = isAdmittedPolicy(policy);
  const isAdmitted = accounts.map((account) => isOfPolicy && account.pools.size === 0 && isAdmittedAccount(account, policy, instruments));
  const held = accounts.reduce((sum, { positions }, row) => sum + (isAdmitted[row] === true ? positions.length : 0), 0);
  const count = accounts.length;
  const indexOf = new Map<string, number>();
  const book = {
    policy,
    accounts,
    instruments: [] as Instrument[],
    admitted: 0,
    wallet: new Float64Array(count).fill(Number.NaN),
    free: new Float64Array(count).fill(Number.NaN),
    entry: new Float64Array(count),
    slack: new Float64Array(count),
    level: Uint8Array.from(accounts, ({ level }) => LEVELS.indexOf(level)),
    offsets: new Int32Array(count + 1),
    instrument: new Int32Array(held),
    quantity: new Float64Array(held),
  };
  const largest: number[] = [];
  let next = 0;
  for (const [row, account] of accounts.entries()) {
    if (isAdmitted[row] === true) {
      for (const { instrumentId, quantity } of account.positions) {
        const index = indexOf.get(instrumentId) ?? book.instruments.push(instruments.get(instrumentId) as Instrument) - 1;
        indexOf.set(instrumentId, index);
        book.instrument[next] = index;
        book.quantity[next] = Number(quantity);
        largest[index] = Math.max(largest[index] ?? 0, Math.abs(Number(quantity)));
        next += 1;
      }
      writeAccount(book, row, instruments);
      book.admitted += 1;
    } else if (isBare(account) && account.pools.size === 0) {
      book.wallet[row] = Number.POSITIVE_INFINITY;
      book.free[row] = Number.POSITIVE_INFINITY;
      book.admitted += 1;
    }
    book.offsets[row + 1] = next;
  }
  return { ...book, largest: Float64Array.from(largest), levels: [...new Set(book.level)] };
};
