import type { MarginAccount, Scope } from "./account.ts";
import { cheapestCures, type PricedCure } from "./cheapest-cures.ts";
import type { Asset, Instrument } from "./instrument.ts";
import { type Level, levelOf } from "./level.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type PolicyInMode, policyIn } from "./mode.ts";
import { divide, type Money, PPM, type Ppm, type Price, type Quantity } from "./money.ts";
import type { Policy } from "./policy.ts";
import { waysToCureIn } from "./pool-cure.ts";
import { fundedScope, scopeOf, viewOf } from "./scope.ts";
import { shockedSnapshot } from "./shock.ts";
import { assess, boundOf, type MarginStatement } from "./statement.ts";
import { TermsError } from "./terms-error.ts";
import { withPayment, withTrade } from "./thought-trade.ts";

/** A trade that is only thought of. */
export interface Trade {
  readonly instrumentId: string;
  /** Signed: positive buys. Never zero. */
  readonly quantity: Quantity;
  /** Null for the last accepted mark. */
  readonly price: Price | null;
}

/** What if these payments and trades were made on the present marks, and then the market moved? */
export interface Question {
  /** A negative amount is a withdrawal. */
  readonly deposits: readonly { readonly asset: Asset; readonly amount: Money }[];
  readonly trades: readonly Trade[];
  /** Move of every price of an asset (contracts and spot pairs with it as their base), in ppm above −1,000,000. */
  readonly priceShocks: ReadonlyMap<Asset, Ppm>;
  /** Move of every volatility, as a share of itself, in ppm above −1,000,000. */
  readonly volatilityShock: Ppm;
}

/** An account on one market: the statement, what it means, and what to do about it. */
export interface Explained {
  readonly statement: MarginStatement;
  readonly level: Level;
  /** `x = (E_i − MM) / (IM − MM)` on the cautious side (R1), rounded down; null without a requirement. */
  readonly headroomPpm: bigint | null;
  /** The part of the requirement that is the largest; null without one. */
  readonly boundBy: string | null;
  /** What returns the account to IM, in the valuation asset (R4); 0 where nothing does. */
  readonly amountDue: Money;
  /** Each alone is enough; the cheapest first. */
  readonly cures: readonly PricedCure[];
}

/** Why a question has no answer, and which part of it is at fault, as in "trades/0". */
export interface Unanswerable {
  readonly fault: "UNKNOWN_INSTRUMENT" | "NOT_HELD" | "ISOLATED" | "NO_MARK" | "NO_TERMS" | "SHOCK_OUT_OF_RANGE" | "TOO_MANY_POSITIONS";
  readonly where: string;
  readonly what: string;
}

export type WhatIf = { readonly ok: true; readonly before: Explained; readonly after: Explained } | ({ readonly ok: false } & Unanswerable);

const headroomOf = ({ low }: MarginStatement): bigint | null => {
  const span = low.initial - low.maintenance;
  return span === 0n ? null : divide((low.equityInitial - low.maintenance) * PPM, span, "down");
};

/**
 * Explains one scope of an account on a snapshot: every part of its requirement, what bound, its level, and the cheapest
 * cures. A pool is cured by nothing that is traded beside it.
 *
 * @param view the account as the scope sees it.
 * @throws as {@link assess} does.
 */
export const explain = (view: MarginAccount, snapshot: MarketSnapshot, policy: Policy, now: number, scope: Scope = "CROSS"): Explained => {
  const statement = assess(view, snapshot, policy, now);
  const { amountDue, cures } = waysToCureIn(scope, view, statement, snapshot, policy);
  const priced = cheapestCures({ account: view, statement, snapshot, policy }, cures);
  return {
    statement,
    level: levelOf(view, statement, policy.levels, view.level),
    headroomPpm: headroomOf(statement),
    boundBy: boundOf(statement),
    amountDue,
    cures: scope === "CROSS" ? priced : priced.filter(({ cure }) => cure.kind !== "hedge"),
  };
};

const tradeAt = (account: MarginAccount, trade: Trade, where: string, snapshot: MarketSnapshot): MarginAccount | Unanswerable => {
  const { instrumentId, quantity } = trade;
  const instrument = snapshot.instruments.get(instrumentId);
  if (instrument === undefined) return { fault: "UNKNOWN_INSTRUMENT", where, what: `there is no instrument ${instrumentId}` };
  if (instrument.kind === "spot") return { fault: "NOT_HELD", where, what: `${instrumentId} is a spot pair: no position is held in it` };
  if (fundedScope(account, instrumentId) !== "CROSS")
    return { fault: "ISOLATED", where, what: `${instrumentId} is margined in a pool of its own: what is asked here is asked of the rest` };
  const price = trade.price ?? snapshot.marks.get(instrumentId)?.price;
  if (price === undefined) return { fault: "NO_MARK", where, what: `${instrumentId} has no mark: give the price` };
  if (price <= 0n && !instrument.allowNonPositive) return { fault: "NO_MARK", where, what: `${instrumentId} trades above 0 only` };
  const after = withTrade(account, instrument, quantity, price);
  if (after.positions.length <= LIMITS.positionsMax) return after;
  return { fault: "TOO_MANY_POSITIONS", where, what: `more than ${LIMITS.positionsMax} positions in one account` };
};

/** A share that is left of a price or a volatility, in ppm; null where nothing or less is. */
const leftOf = (shock: Ppm): bigint | null => (Number.isSafeInteger(shock) && shock > -1_000_000 ? PPM + BigInt(shock) : null);

const moved = (snapshot: MarketSnapshot, { priceShocks, volatilityShock }: Question): MarketSnapshot => {
  if (priceShocks.size === 0 && volatilityShock === 0) return snapshot;
  const priceOf = (instrument: Instrument, price: Price): Price => {
    const left = leftOf(priceShocks.get(instrument.baseAsset) ?? 0) ?? PPM;
    const after = divide(price * left, PPM, "down");
    return (after === 0n && price !== 0n ? 1n : after) as Price;
  };
  return shockedSnapshot(snapshot, { priceOf, volatilityFactor: 1 + volatilityShock / 1e6 }, "what if");
};

const shockFault = ({ priceShocks, volatilityShock }: Question): Unanswerable | null => {
  for (const [asset, shock] of [...priceShocks, ["volatility", volatilityShock] as const]) {
    if (leftOf(shock) === null)
      return {
        fault: "SHOCK_OUT_OF_RANGE",
        where: asset === "volatility" ? "volatilityShock" : "priceShocks",
        what: "a shock is a whole number of ppm above -1000000",
      };
  }
  return null;
};

const acted = (account: MarginAccount, { deposits, trades }: Question, snapshot: MarketSnapshot): MarginAccount | Unanswerable => {
  let after = account;
  for (const { asset, amount } of deposits) after = withPayment(after, asset, amount);
  for (const [index, trade] of trades.entries()) {
    const traded = tradeAt(after, trade, `trades/${index}`, snapshot);
    if ("fault" in traded) return traded;
    after = traded;
  }
  return after;
};

/**
 * Answers a question about an account, its isolated pools left aside (R9), without changing it: payments and trades at their price or at the present mark,
 * with the taker's fee, and then the shock. Qualities of marks stay, options are revalued by the model (M1).
 *
 * @returns the account explained before and after; or by name why the question has no answer, never NaN.
 * @throws as {@link assess} does for the account as it is.
 */
export const whatIf = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, question: Question, now: number): WhatIf => {
  const before = explain(account, snapshot, policy, now);
  const fault = shockFault(question);
  if (fault !== null) return { ok: false, ...fault };
  const after = acted(account, question, snapshot);
  if ("fault" in after) return { ok: false, ...after };
  try {
    return { ok: true, before, after: explain(after, moved(snapshot, question), policy, now) };
  } catch (error) {
    if (!(error instanceof TermsError)) throw error;
    return { ok: false, fault: "NO_TERMS", where: "deposits", what: error.message };
  }
};

/** An isolated pool as it is, and after the move of a question: its payments and trades are of what is margined together. */
export interface PoolIf {
  readonly instrumentId: string;
  readonly before: Explained;
  readonly after: Explained;
}

/**
 * What a question's move of the market makes of each isolated pool, by its own policy (R9, R11).
 *
 * @param question one that {@link whatIf} has answered.
 * @throws as {@link assess} does.
 */
export const poolsIf = (
  account: MarginAccount,
  snapshot: MarketSnapshot,
  policy: PolicyInMode,
  question: Question,
  now: number,
): readonly PoolIf[] => {
  const after = moved(snapshot, question);
  return [...account.pools.keys()].map((instrumentId): PoolIf => {
    const scope = scopeOf(instrumentId);
    const [view, own] = [viewOf(account, scope), policyIn(policy, scope)];
    return {
      instrumentId,
      before: explain(view, snapshot, own, now, scope),
      after: explain(view, after, own, now, scope),
    };
  });
};
