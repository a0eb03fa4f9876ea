import type * as z from "zod";
import type { Desk } from "../adapters/decide-account.ts";
import { shownStatement, versionsOf, viewAccount } from "../adapters/explain-account.ts";
import { accountPath, accountReply, type callReply } from "../adapters/wire/api.ts";
import type { MarginAccount, Scope } from "../core/account.ts";
import type { MarginCall } from "../core/call.ts";
import type { DecidingTerms } from "../core/change-plan.ts";
import { levelOf } from "../core/level.ts";
import { adverseRoot, bankruptcyRoots, liquidationRoots } from "../core/liquidation-price.ts";
import { policyIn } from "../core/mode.ts";
import { waysToCureIn } from "../core/pool-cure.ts";
import { distanceOf } from "../core/risk/distance.ts";
import { scopeOf, viewOf } from "../core/scope.ts";
import { assess, boundOf } from "../core/statement.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, none, pathAccount } from "./route.ts";

export const noSuchAccount = (): Problem =>
  new Problem("not-found", {
    detail: "the book has no such account",
    mend: "An account is opened by its first feed entry with `account` terms.",
  });

/** An account with its live call. @throws Problem (404) when the book has none of this id. */
export const loadAccount = async (desk: Desk, accountId: string): Promise<MarginAccount> => {
  const account = await desk.book.load(accountId);
  if (account === null) throw noSuchAccount();
  return account;
};

/** A call as it is shown. */
export const shownCall = (call: MarginCall): z.output<typeof callReply> => ({ ...call, cures: [...call.cures] });

/** One scope of an account on the newest marks, as it is shown. */
const shownScope = (account: MarginAccount, scope: Scope, { snapshot, policy, now }: DecidingTerms & { readonly now: number }) => {
  const view = viewOf(account, scope);
  const statement = assess(view, snapshot, policy, now);
  const { amountDue, cures } = waysToCureIn(scope, view, statement, snapshot, policy);
  const distance = distanceOf(view, { snapshot, policy, now }, policy.model.kind === "portfolio" ? policy.model.statistical : null);
  return {
    level: view.level,
    levelNow: levelOf(view, statement, policy.levels, view.level),
    statement: {
      ...shownStatement({ statement }, snapshot),
      legs: statement.legs.map((leg) => ({
        ...leg,
        liquidationPrice: adverseRoot(liquidationRoots(view, leg.instrumentId, snapshot, policy, now), leg.quantity),
        bankruptcyPrice: adverseRoot(bankruptcyRoots(view, leg.instrumentId, snapshot, policy, now), leg.quantity),
      })),
    },
    amountDue,
    cures: [...cures],
    boundBy: boundOf(statement),
    distance: distance.ok ? { ...distance.value, heldFixed: [...distance.value.heldFixed] } : null,
    noDistance: distance.ok ? null : `${distance.fault}: ${distance.detail}`,
    call: view.live === null ? null : shownCall(view.live.call),
  };
};

export const readAccount = defineRoute({
  action: "readAccount",
  summary: "An account with its margin statement",
  description:
    "On the newest marks, at their time: equities, requirements, liquidation and bankruptcy price of each position (other marks held), the amount that returns the account to its initial requirement, and the ways to pay it (R4). `low` is the cautious value where a mark is bad, `high` the one on the last accepted marks (R3). An isolated pool stands beside them with figures and a call of its own (R9): they count nothing of it, and it counts nothing of them. `beside` lists open orders and chosen leverage, which raise the initial requirement only (M3). `distance` says how far the maintenance requirement is by the joint scenarios of the policy, `noDistance` why there is none (M4, M11).",
  path: accountPath,
  query: none,
  body: noBody,
  reply: accountReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path }) => {
    const account = await loadAccount(desk, path.accountId);
    const viewed = await viewAccount(desk, account);
    const { policy, snapshot, now } = viewed;
    return {
      accountId: account.accountId,
      brokerId: account.brokerId,
      clientClass: account.clientClass,
      policyId: policy.policyId,
      policyVersion: policy.version,
      version: account.version,
      mode: policy.mode,
      outOfSync: account.outOfSync,
      ...shownScope(account, "CROSS", { snapshot, policy, now }),
      beside: [...account.standing].map(([instrumentId, { buys, sells, leverage }]) => ({ instrumentId, buys, sells, leverage })),
      pools: [...account.pools.values()].map(({ instrumentId, asset, cash }) => {
        const own = policyIn(policy, scopeOf(instrumentId));
        const shown = shownScope(account, scopeOf(instrumentId), { snapshot, policy: own, now });
        return { instrumentId, asset, cash, policyVersion: own.version, ...shown };
      }),
      versions: versionsOf(viewed),
    };
  },
});
