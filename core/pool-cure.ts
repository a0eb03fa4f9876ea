import type { MarginAccount, Scope } from "./account.ts";
import type { Cure } from "./call.ts";
import { waysToCure } from "./cure.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { Money } from "./money.ts";
import type { Policy } from "./policy.ts";
import { instrumentOf } from "./scope.ts";
import type { Situation } from "./situation.ts";
import type { MarginStatement } from "./statement.ts";

interface Due {
  readonly amountDue: Money;
  readonly cures: readonly Cure[];
}

/**
 * What a call of a scope asks for and the ways to meet it (R4). A pool takes cash in the asset that its instrument
 * settles in, moved into it, and nothing else (R9): its deposits are these.
 *
 * @param view the account as the scope sees it.
 */
export const waysToCureIn = (
  scope: Scope,
  view: MarginAccount,
  statement: MarginStatement,
  snapshot: MarketSnapshot,
  policy: Policy,
): Due => {
  const due = waysToCure(view, statement, snapshot, policy);
  const instrumentId = instrumentOf(scope);
  if (instrumentId === null) return due;
  const asset = snapshot.instruments.get(instrumentId)?.settleAsset;
  return { ...due, cures: due.cures.filter((cure) => cure.kind !== "deposit" || cure.asset === asset) };
};

/** As {@link waysToCureIn}, on what a decision looks at. */
export const dueIn = ({ scope, account, statement, snapshot, policy }: Situation): Due =>
  waysToCureIn(scope, account, statement, snapshot, policy);
