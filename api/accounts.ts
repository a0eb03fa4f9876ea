import type * as z from "zod";
import { type Desk, policyOf } from "../adapters/decide-account.ts";
import { accountPath, accountReply, type callReply } from "../adapters/wire/api.ts";
import type { MarginAccount } from "../core/account.ts";
import type { MarginCall } from "../core/call.ts";
import { waysToCure } from "../core/cure.ts";
import { levelOf } from "../core/level.ts";
import { adverseRoot, bankruptcyRoots, liquidationRoots } from "../core/liquidation-price.ts";
import { assess } from "../core/statement.ts";
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

export const readAccount = defineRoute({
  action: "readAccount",
  summary: "An account with its margin statement",
  description:
    "On the newest marks, at their time: equities, requirements, liquidation and bankruptcy price of each position (other marks held), the amount that returns the account to its initial requirement, and the ways to pay it (R4). `low` is the cautious value where a mark is bad, `high` the one on the last accepted marks (R3).",
  path: accountPath,
  query: none,
  body: noBody,
  reply: accountReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path }) => {
    const account = await loadAccount(desk, path.accountId);
    const [policy, snapshot] = await Promise.all([policyOf(desk, account), desk.marks.newest()]);
    const now = desk.world.clock.now();
    const statement = assess(account, snapshot, policy, now);
    const { amountDue, cures } = waysToCure(account, statement, snapshot, policy);
    return {
      accountId: account.accountId,
      brokerId: account.brokerId,
      clientClass: account.clientClass,
      policyId: policy.policyId,
      policyVersion: policy.version,
      version: account.version,
      mode: policy.mode,
      level: account.level,
      levelNow: levelOf(account, statement, policy.levels, account.level),
      outOfSync: account.outOfSync,
      statement: {
        at: snapshot.takenAt,
        valuationAsset: statement.valuationAsset,
        quality: statement.quality,
        allGood: statement.allGood,
        low: { ...statement.low },
        high: { ...statement.high },
        legs: statement.legs.map((leg) => ({
          ...leg,
          liquidationPrice: adverseRoot(liquidationRoots(account, leg.instrumentId, snapshot, policy, now), leg.quantity),
          bankruptcyPrice: adverseRoot(bankruptcyRoots(account, leg.instrumentId, snapshot, policy, now), leg.quantity),
        })),
        collateral: statement.collateral.map((holding) => ({ ...holding })),
        components: statement.components.map((component) => ({ ...component })),
      },
      amountDue,
      cures: [...cures],
      call: account.live === null ? null : shownCall(account.live.call),
    };
  },
});
