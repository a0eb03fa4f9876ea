import type { MarginAccount } from "../core/account.ts";
import { type ChangePlan, type DecidingTerms, planOf } from "../core/change-plan.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { allPositions } from "../core/scope.ts";
import { type Desk, isOfTheAccount } from "./decide-account.ts";
import { policiesOf } from "./mark-page.ts";

/** The terms of an account under a change: the very `present` ones where they stay. */
export type Over = (account: MarginAccount, present: DecidingTerms | null) => DecidingTerms | null;

/** A fault of an account's own is no terms; the sweep names and counts it, not the plan. @throws any other fault. */
export const noTerms = (_accountId: string, error: unknown): null => {
  if (!isOfTheAccount(error)) throw error;
  return null;
};

/** The market with another mark or other terms of one instrument, for the accounts that hold it or are collateralised by what it prices. */
export const overMarket =
  (instrumentId: string, changed: MarketSnapshot): Over =>
  (account, present) => {
    if (present === null) return null;
    const isHeld = allPositions(account).some((position) => position.instrumentId === instrumentId);
    const isPrice = [...present.policy.collateral.values()].some(({ priceId }) => priceId === instrumentId);
    return isHeld || isPrice ? { ...present, snapshot: changed } : present;
  };

/** What a change does to the accounts of one page of the book, decided on `snapshot` and under the change at the same instant. Writes nothing. */
export const planPage = async (
  desk: Desk,
  accounts: readonly MarginAccount[],
  snapshot: MarketSnapshot,
  over: Over,
  now: number,
): Promise<ChangePlan> => {
  const policyFor = await policiesOf(desk, accounts, noTerms);
  const termsOf = (account: MarginAccount) => {
    const policy = policyFor(account);
    const present = policy === null ? null : { policy, snapshot };
    return { present, proposed: over(account, present) };
  };
  return planOf(accounts, termsOf, now);
};
