import type { MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { attempt } from "./call-liquidation.ts";
import { deadlineOf, issuedAtOf } from "./clock.ts";
import { episodeWith, graceFor } from "./episode.ts";
import { isBelowCall, isCloseOut } from "./level.ts";
import { ZERO } from "./money.ts";
import { dueIn } from "./pool-cure.ts";
import { note, type Situation, type Step } from "./situation.ts";
import { boundOf } from "./statement.ts";

/** A call that this decision opens, and the account that holds it. */
export interface Opening extends Step {
  readonly account: MarginAccount;
}

/**
 * True where a call could be cured by margin: the account holds positions, or collateral against a debt.
 * A flat account that is nothing but debts is a named deficit (R20): the waterfall takes it, no call does.
 */
const isCallable = ({ positions, balances }: MarginAccount): boolean => {
  if (positions.length > 0) return true;
  const amounts = [...balances.values()];
  return amounts.some((amount) => amount < 0n) && amounts.some((amount) => amount > 0n);
};

const draft = (s: Situation, paid: boolean): MarginCall => {
  const { scope, account, statement, snapshot, policy, now } = s;
  const callId = `MC-${account.key}-${account.callsOpened + 1}`;
  const { amountDue, cures } = dueIn(s);
  const onBadMarks = !isBelowCall(account, statement.high, policy.levels);
  const issuedAt = issuedAtOf(now);
  const graceMs = graceFor(account.episode, paid, policy, now);
  return {
    callId,
    accountId: account.accountId,
    brokerId: account.brokerId,
    scope,
    episodeId: episodeWith(account, callId, now).episodeId,
    previousCallId: account.episode?.lastCallId ?? null,
    status: "OPEN",
    version: 1,
    policyId: policy.policyId,
    policyVersion: policy.version,
    onUnmet: policy.onUnmet,
    snapshotId: snapshot.snapshotId,
    asset: statement.valuationAsset,
    amountDue,
    equity: statement.low.equityInitial,
    initialRequirement: statement.low.initial,
    maintenanceRequirement: statement.low.maintenance,
    cures,
    boundBy: boundOf(statement),
    metAmount: ZERO,
    confirmingAmount: ZERO,
    onBadMarks,
    badMarksSince: onBadMarks ? now : null,
    issuedAt,
    graceMs,
    deadlineAt: onBadMarks ? null : deadlineOf(issuedAt, graceMs, policy),
    deadlineVersion: 1,
    topUps: 0,
    noticeAcceptedAt: null,
    deadlineMovedForNotice: false,
    extendedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    overdueAt: null,
    curedSince: null,
    metBy: null,
    liquidationReason: null,
    attempt: 0,
    ordersPlanned: 0,
    liquidatingAt: null,
    endedAt: null,
  };
};

const opened = (s: Situation, step: Step): Opening => ({
  ...step,
  account: {
    ...s.account,
    openCalls: { [s.scope]: step.call.callId },
    callsOpened: s.account.callsOpened + 1,
    episode: episodeWith(s.account, step.call.callId, s.now),
    live: { call: step.call, orders: step.orders },
  },
});

const whyIssued = (call: MarginCall, paid: boolean): string => {
  if (call.onBadMarks) return "R3: below the call level on conservative values only; the clock waits for a good mark";
  if (paid) return "R10: the last call was paid, and the account is still below its call level";
  return call.previousCallId === null ? "R1: below the call level" : "R11: below the call level again";
};

/**
 * Opens the call of an account that is below its call level and has none (R1); null where it is not, or
 * by less than the minimum transfer amount (N8). Under the close-out level the call is born LIQUIDATING,
 * with one event and no grace (R8).
 *
 * @param paid whether the same change ended a call that was paid in full: the new one has its own grace (R10).
 */
export const openCall = (s: Situation, paid: boolean): Opening | null => {
  const { account, statement, policy } = s;
  if (!isCallable(account)) return null;
  const isForced = isCloseOut(account, statement, policy.levels);
  if (!isForced && !isBelowCall(account, statement.low, policy.levels)) return null;
  const call = draft(s, paid);
  if (isForced) {
    const liquidation = attempt(s, { ...call, onBadMarks: false, badMarksSince: null, graceMs: 0, deadlineAt: null }, "closeOut");
    if (liquidation !== null) return opened(s, liquidation);
  }
  if (call.amountDue <= 0n || call.amountDue < policy.minimumTransfer) return null;
  return opened(s, { call, orders: [], notes: [note("margin_call.issued", call, whyIssued(call, paid))] });
};
