import { type Desk, isOfTheAccount, policyOf } from "../../adapters/decide-account.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { marketOf } from "../../core/market.ts";
import { policyIn } from "../../core/mode.ts";
import { valuationOf } from "../../core/model-requirement.ts";
import { abs, type Money, plus, ZERO } from "../../core/money.ts";
import type { JudgedScope } from "../../core/risk/book-contagion.ts";
import { type Standing, standingOn } from "../../core/risk/shocked-account.ts";
import { scopesOf, viewOf } from "../../core/scope.ts";
import { assess } from "../../core/statement.ts";

/** What is margined by itself, as it stands on the newest marks; money in the valuation asset. */
export interface RiskScope extends JudgedScope {
  readonly accountId: string;
  readonly brokerId: string;
  readonly standing: Standing;
  /** Notional value of its positions by instrument, above 0 for a long. */
  readonly notional: ReadonlyMap<string, Money>;
}

/** A stage's book on one set of marks. */
export interface RiskBook {
  readonly snapshot: MarketSnapshot;
  readonly now: number;
  readonly accounts: number;
  readonly scopes: readonly RiskScope[];
  /** Accounts that cannot be valued, each with its reason: they are in no figure. */
  readonly leftOut: readonly { readonly accountId: string; readonly reason: string }[];
}

/** The size of all its positions. */
export const grossOf = ({ notional }: RiskScope): Money =>
  [...notional.values()].reduce((sum, amount) => plus(sum, abs(amount) as Money), ZERO);

const notionalOf = (view: MarginAccount, { policy }: JudgedScope, snapshot: MarketSnapshot, now: number): ReadonlyMap<string, Money> => {
  const market = marketOf(snapshot, policy, now);
  const { legs } = assess(view, snapshot, policy, now);
  return new Map(
    legs.map(({ instrumentId, quantity, notional, settleAsset }) => {
      const size = valuationOf(market, settleAsset, notional, "high");
      return [instrumentId, (quantity < 0n ? -size : size) as Money];
    }),
  );
};

const riskScopes = async (desk: Desk, account: MarginAccount, snapshot: MarketSnapshot, now: number): Promise<readonly RiskScope[]> => {
  const policy = await policyOf(desk, account);
  return scopesOf(account).map((scope): RiskScope => {
    const view = viewOf(account, scope);
    const name = scope === "CROSS" ? account.accountId : `${account.accountId} ${scope}`;
    const judged = { name, view, policy: policyIn(policy, scope) };
    return {
      ...judged,
      ...{ accountId: account.accountId, brokerId: account.brokerId },
      standing: standingOn(view, { snapshot, policy: judged.policy, now }),
      notional: notionalOf(view, judged, snapshot, now),
    };
  });
};

/** Reads every account of a stage on its newest marks. It writes nothing. Needs read access to the tables book and marks. */
export const readRiskBook = async (desk: Desk): Promise<RiskBook> => {
  const snapshot = await desk.marks.newest();
  const now = desk.world.clock.now();
  const scopes: RiskScope[] = [];
  const leftOut: { accountId: string; reason: string }[] = [];
  let accounts = 0;
  for (let shard = 0; shard < desk.world.settings.shards; shard += 1) {
    let cursor: string | undefined;
    do {
      const page = await desk.book.pageOfShard(shard, cursor);
      for (const account of page.accounts) {
        accounts += 1;
        try {
          scopes.push(...(await riskScopes(desk, account, snapshot, now)));
        } catch (error) {
          if (!isOfTheAccount(error)) throw error;
          leftOut.push({ accountId: account.accountId, reason: error.message });
        }
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return { snapshot, now, accounts, scopes: scopes.sort((a, b) => (a.name < b.name ? -1 : 1)), leftOut };
};
