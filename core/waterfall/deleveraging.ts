import type { Money, Ppm, Quantity } from "../money.ts";
import { max, min, minus, ONE, PPM, plus } from "../money.ts";
import { compareRatio, divideRatio, multiplyRatio, type Ratio, ratio } from "../ratio.ts";
import { proRata } from "./pro-rata.ts";

/** One side of a deleveraging: its cash, and what else it still holds afterwards at marks (negative for a short). */
export interface DeleveragedSide {
  readonly cash: Money;
  readonly rest: Money;
}

/** The cash of both sides afterwards, or which of them could not stand it. Nothing moves then. */
export type Deleveraged =
  | { readonly feasible: true; readonly closed: Money; readonly offsetting: Money }
  | { readonly feasible: false; readonly short: "closed" | "offsetting" };

const exchanged = (closed: DeleveragedSide, offsetting: DeleveragedSide, cashflow: Money): Deleveraged & { feasible: true } => ({
  feasible: true,
  closed: plus(closed.cash, cashflow),
  offsetting: minus(offsetting.cash, cashflow),
});

/**
 * Closes part of a bankrupt position against an account on the other side, at the bankruptcy price (M13).
 * Feasible only if the other account is left with 0 or more; else the next candidate is asked.
 *
 * @param cashflow of the bankrupt account at its bankruptcy price (`closingProceeds`), positive for a sale.
 */
export const deleverage = (closed: DeleveragedSide, offsetting: DeleveragedSide, cashflow: Money): Deleveraged => {
  const after = exchanged(closed, offsetting, cashflow);
  return after.offsetting + offsetting.rest < 0n ? { feasible: false, short: "offsetting" } : after;
};

/** Closes two opposite positions at the oracle's price when a market ends (dYdX): both must be left with 0 or more. */
export const settleAtOracle = (closed: DeleveragedSide, offsetting: DeleveragedSide, cashflow: Money): Deleveraged => {
  const after = exchanged(closed, offsetting, cashflow);
  return after.closed + closed.rest < 0n ? { feasible: false, short: "closed" } : deleverage(closed, offsetting, cashflow);
};

/** Rank of an account by share of profit and effective leverage: times it in profit, divided by it in loss (BitMEX; ours). */
export const leveragedScore = (at: {
  readonly profit: Money;
  /** Notional at entry and at the mark, above 0. */
  readonly entryNotional: Money;
  readonly notional: Money;
  /** Above 0: an account without equity is liquidated, not deleveraged. */
  readonly equity: Money;
}): Ratio => {
  const profitShare = ratio(at.profit, at.entryNotional);
  const leverage = ratio(at.notional, at.equity);
  return at.profit > 0n ? multiplyRatio(profitShare, leverage) : divideRatio(profitShare, leverage);
};

/** Rank as Binance defines it: profit over the wallet (at least 1), times the margin ratio `MM / (wallet + uPnL)`. */
export const walletScore = (profit: Money, wallet: Money, marginRatio: Ratio): { readonly profitShare: Ratio; readonly score: Ratio } => {
  const profitShare = ratio(max<bigint>(profit, 0n), max<bigint>(wallet, ONE));
  return { profitShare, score: multiplyRatio(profitShare, marginRatio) };
};

/** An account on the other side of a bankrupt position. */
export interface AdlCandidate {
  readonly accountId: string;
  /** Contracts on the other side, above 0. */
  readonly quantity: Quantity;
  readonly score: Ratio;
  /** Equity at the marks. */
  readonly equity: Money;
  /** Maintenance requirement of the account now, and with the whole position closed. */
  readonly maintenance: Money;
  readonly maintenanceAfter: Money;
}

export interface AdlTerms {
  /** What closing one contract at the bankruptcy price instead of the mark costs the other side; 0 or less costs nothing. */
  readonly costPerContract: Money;
  /** An account whose requirement would rise by more than this share is passed over: the position is its hedge. */
  readonly hedgeTolerance: Ppm;
  readonly lotSize: Quantity;
}

export interface AdlPlan {
  readonly fills: readonly { readonly accountId: string; readonly quantity: Quantity }[];
  /** Who was passed over and why, in rank order: the inputs of a rank are published. */
  readonly passedOver: readonly { readonly accountId: string; readonly reason: "HEDGE" | "NO_EQUITY" }[];
  /** What nobody took; it goes to the next layer. */
  readonly unfilled: Quantity;
}

/** Lots that a candidate can give without going below 0. */
const feasibleLots = ({ quantity, equity }: AdlCandidate, { costPerContract, lotSize }: AdlTerms): bigint => {
  const affordable = costPerContract <= 0n ? quantity : equity <= 0n ? 0n : (equity * ONE) / costPerContract;
  return min<bigint>(quantity, affordable) / lotSize;
};

const breaksHedge = ({ maintenance, maintenanceAfter }: AdlCandidate, { hedgeTolerance }: AdlTerms): boolean =>
  maintenanceAfter * PPM > maintenance * (PPM + BigInt(hedgeTolerance));

/**
 * Allocates an automatic deleveraging (M13): in order of score, equal scores pro rata, whole lots. Passed over
 * are accounts whose requirement would rise by it, because the position hedges another, and accounts that the
 * bankruptcy price would leave below 0; one that can give a part gives that part.
 *
 * @param need contracts to close, 0 or above.
 */
export const planDeleveraging = (need: Quantity, candidates: readonly AdlCandidate[], terms: AdlTerms): AdlPlan => {
  const ranked = [...candidates].sort((a, b) => compareRatio(b.score, a.score) || (a.accountId < b.accountId ? -1 : 1));
  const fills: { accountId: string; quantity: Quantity }[] = [];
  const passedOver: { accountId: string; reason: "HEDGE" | "NO_EQUITY" }[] = [];
  let left: bigint = need / terms.lotSize;
  for (let index = 0; index < ranked.length && left > 0n; ) {
    const { score } = ranked[index] as AdlCandidate;
    const group = new Map<string, bigint>();
    for (; index < ranked.length && compareRatio((ranked[index] as AdlCandidate).score, score) === 0; index += 1) {
      const candidate = ranked[index] as AdlCandidate;
      const lots = feasibleLots(candidate, terms);
      const reason = breaksHedge(candidate, terms) ? "HEDGE" : lots === 0n ? "NO_EQUITY" : null;
      if (reason === null) group.set(candidate.accountId, lots);
      else passedOver.push({ accountId: candidate.accountId, reason });
    }
    for (const [accountId, lots] of proRata(left, group)) {
      if (lots === 0n) continue;
      fills.push({ accountId, quantity: (lots * terms.lotSize) as Quantity });
      left -= lots;
    }
  }
  const closed = fills.reduce((sum, { quantity }) => sum + quantity, 0n);
  return { fills, passedOver, unfilled: (need - closed) as Quantity };
};
