import * as z from "zod";
import { Contended, changeAccount, type Desk, openDesk } from "../adapters/decide-account.ts";
import { createBoundAnswers } from "../adapters/dynamodb/bound-answers.ts";
import { hashOf } from "../adapters/dynamodb/keys.ts";
import type { KeyedRequest } from "../adapters/dynamodb/replies.ts";
import { withdrawalCheckBody, withdrawalReply } from "../adapters/wire/api.ts";
import type { MarginAccount } from "../core/account.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { min } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { checkWithdrawal, type Withdrawal, type WithdrawalDecision } from "../core/withdrawal.ts";
import { noSuchAccount } from "./accounts.ts";
import { boundAnswerOf } from "./idempotency.ts";
import { accountResource, defineRoute, none } from "./route.ts";

/** The newest marks, and those of the last sweep that reached every account: a withdrawal must pass on both (design of the flow). */
const snapshotsOf = async (desk: Desk): Promise<readonly [MarketSnapshot, ...MarketSnapshot[]]> => {
  const [newest, sweep] = await Promise.all([desk.marks.newest(), desk.marks.sweepState()]);
  const current = sweep.current === null ? null : await desk.marks.snapshot(sweep.current.snapshotId);
  return current === null ? [newest] : [newest, current];
};

/** The worse of the decisions on each snapshot: a refusal if there is one, and the least that is available. */
const decideOn = (
  snapshots: readonly [MarketSnapshot, ...MarketSnapshot[]],
  account: MarginAccount,
  policy: Policy,
  withdrawal: Withdrawal,
  now: number,
): WithdrawalDecision => {
  const [newest, ...others] = snapshots;
  return others.reduce<WithdrawalDecision>(
    (worst, snapshot) => {
      const decision = checkWithdrawal(account, snapshot, policy, withdrawal, now);
      const available = min(worst.available, decision.available);
      return { ...(worst.allowed ? decision : worst), available };
    },
    checkWithdrawal(account, newest, policy, withdrawal, now),
  );
};

/**
 * Decides, and where it is allowed reserves the amount in one transaction with the answer (R16). A twin of
 * the same request finds the answer; whoever comes second gets the first one's.
 */
const answerBound = async (desk: Desk, keyed: KeyedRequest, body: z.output<typeof withdrawalCheckBody>): Promise<string> => {
  const bound = createBoundAnswers(desk.world);
  const snapshots = await snapshotsOf(desk);
  let answer = "";
  const reserving = openDesk(bound.alongside(keyed, () => answer));
  const withdrawal = { requestId: keyed.key, asset: body.asset, amount: body.amount };
  const causedBy = `api withdrawal-check by ${keyed.principal} key sha256:${hashOf(keyed.key)}`;
  try {
    const changed = await changeAccount(reserving, { accountId: body.accountId, causedBy }, ({ account, policy, now }) => {
      const { change, allowed, reason, available } = decideOn(snapshots, account, policy, withdrawal, now);
      answer = JSON.stringify(z.encode(withdrawalReply, { ...body, allowed, reason, available }));
      return change === null ? null : { change, snapshotId: snapshots[0].snapshotId };
    });
    if (changed === null) throw noSuchAccount();
    if (changed.change === null) await bound.bind(keyed, answer);
  } catch (error) {
    // A twin that was first fails this one's transaction each time; its answer is there then.
    if (!(error instanceof Contended)) throw error;
    const first = await boundAnswerOf(desk.world, keyed);
    if (first === null) throw error;
    return first;
  }
  return (await boundAnswerOf(desk.world, keyed)) ?? answer;
};

export const checkWithdrawalRoute = defineRoute({
  action: "checkWithdrawal",
  summary: "Ask whether a withdrawal is allowed, and reserve it",
  description:
    "Decided at once against the initial requirement, on the worse of the newest marks and those of the last complete sweep (R16). An allowed amount is reserved until the venue books the withdrawal. The same key with the same body gets the same answer, for ever, and reserves once.",
  path: none,
  query: none,
  body: withdrawalCheckBody,
  reply: withdrawalReply,
  status: 200,
  key: "required",
  resource: (request) => accountResource(request, request.body.accountId),
  run: async ({ desk, keyed, body }) => {
    if (keyed === null) throw new Error("a withdrawal check without its key");
    const known = await boundAnswerOf(desk.world, keyed);
    return withdrawalReply.parse(JSON.parse(known ?? (await answerBound(desk, keyed, body))));
  },
});
