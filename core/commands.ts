import type { LiveCall, MarginAccount, Scope } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { moveDeadline } from "./clock.ts";
import type { Change } from "./decision.ts";
import { episodeAfter } from "./episode.ts";
import { viewOfOrder } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { type PolicyInMode, policyIn } from "./mode.ts";
import type { LiquidationOrder } from "./order.ts";
import type { Policy } from "./policy.ts";
import { livesOf, scopeOfCall, settled, viewOf, withView } from "./scope.ts";
import { liveAfter, type Note, note, tell } from "./situation.ts";

/** What a command changes: of the account, of its live call, of that call's orders. */
interface Amendment {
  readonly account?: Partial<MarginAccount>;
  readonly call?: MarginCall;
  readonly orders?: readonly LiquidationOrder[];
  readonly notes: readonly Note[];
}

/** The change of a command on the live call. Only what differs from the account is written. */
const amend = (account: MarginAccount, live: LiveCall, { account: patch, call, orders = [], notes }: Amendment): Change => {
  const amended = call === undefined ? [] : [{ ...call, version: live.call.version + 1 }];
  const shown = amended[0] ?? live.call;
  const kept = live.orders.map((order) => orders.find((each) => each.orderId === order.orderId) ?? order);
  const after = liveAfter({ call: shown, orders: kept });
  const { level } = account;
  const telling = { scope: shown.scope, level, previousLevel: level, live: after === null ? null : shown, calls: [shown], statement: null };
  return {
    before: account,
    after: { ...account, ...patch, version: account.version + 1, live: after },
    calls: amended,
    orders,
    entries: [],
    events: notes.map((each) => tell(each, telling)),
  };
};

/** The change of a command on one scope of the account, as the whole account's (R9). */
const inScope = (account: MarginAccount, scope: Scope, command: (view: MarginAccount) => Change | null): Change | null => {
  const change = command(viewOf(account, scope));
  if (change === null || account.pools.size === 0) return change;
  return { ...change, before: account, after: settled(withView(account, scope, change.after)) };
};

/**
 * A command on the live call of this id, in whichever scope it is.
 *
 * @param command is given the account as that scope sees it.
 * @returns null where no call of this id is live, or the command changes nothing.
 */
export const onCall = (account: MarginAccount, callId: string, command: (view: MarginAccount) => Change | null): Change | null => {
  const scope = scopeOfCall(account, callId);
  return scope === null ? null : inScope(account, scope, command);
};

/**
 * Records that somebody has seen the call. It stops no clock (R8: a fact, not a state).
 *
 * @param by who acknowledges: a principal's id, no personal data.
 * @returns null without a live call, or where it was acknowledged before.
 */
export const acknowledge = (account: MarginAccount, by: string, now: number): Change | null => {
  const { live } = account;
  if (live === null || live.call.acknowledgedAt !== null) return null;
  const next: MarginCall = { ...live.call, acknowledgedAt: now, acknowledgedBy: by };
  return amend(account, live, { call: next, notes: [note("margin_call.acknowledged", next, "R8: acknowledged")] });
};

interface Acceptance {
  readonly callId: string;
  readonly acceptedAt: number;
}

const acceptIn = (account: MarginAccount, policy: Policy, acceptance: Acceptance, now: number): Change | null => {
  const { live } = account;
  if (live === null || live.call.noticeAcceptedAt !== null) return null;
  const { call } = live;
  // The channel's clock may run ahead of ours, by no more than the tolerated skew.
  const acceptedAt = Math.min(acceptance.acceptedAt, now + LIMITS.skewMs);
  const accepted: MarginCall = { ...call, noticeAcceptedAt: acceptedAt };
  const isLate = acceptedAt > call.issuedAt + policy.noticeAllowanceMs;
  const moves = isLate && call.status === "OPEN" && call.overdueAt === null && call.deadlineAt !== null && !call.deadlineMovedForNotice;
  const moved = moveDeadline(accepted, acceptedAt + call.graceMs);
  if (!moves || moved.deadlineAt === call.deadlineAt) return amend(account, live, { call: accepted, notes: [] });
  const next: MarginCall = { ...accepted, ...moved, deadlineMovedForNotice: true };
  return amend(account, live, {
    call: next,
    notes: [note("margin_call.deadline_changed", next, "R12: the first notice was accepted late")],
  });
};

/**
 * Records the first acceptance of a notice by a channel. Later than the allowance, it moves the deadline
 * later, once, so that the holder has the whole grace from then on (R12, I05); never earlier.
 *
 * @returns null where the call is not live, or an acceptance was recorded before.
 */
export const acceptNotice = (account: MarginAccount, policy: PolicyInMode, acceptance: Acceptance, now: number): Change | null =>
  onCall(account, acceptance.callId, (view) => acceptIn(view, policyIn(policy, view.live?.call.scope ?? "CROSS"), acceptance, now));

const sendIn = (account: MarginAccount, orderIds: readonly string[], now: number): Change | null => {
  const { live } = account;
  if (live === null || live.call.status !== "LIQUIDATING") return null;
  const sent = live.orders
    .filter((order) => order.status === "PENDING" && orderIds.includes(order.orderId))
    .map((order): LiquidationOrder => ({ ...order, status: "SENT", sentAt: now }));
  if (sent.length === 0) return null;
  const notes = sent.map((order) => note("liquidation.order_sent", live.call, "R14: handed to the venue", viewOfOrder(order, null)));
  return amend(account, live, { orders: sent, notes });
};

/**
 * Marks orders as handed to the venue: PENDING → SENT. From then on the call cannot be met any more (R8).
 *
 * @returns null where none of them is PENDING, or the call is not in LIQUIDATING (I06).
 */
export const markOrdersSent = (account: MarginAccount, orderIds: readonly string[], now: number): Change | null => {
  let joined: Change | null = null;
  for (const { call } of livesOf(account)) {
    const held: MarginAccount = joined === null ? account : { ...joined.after, version: account.version };
    const change = inScope(held, call.scope, (view) => sendIn(view, orderIds, now));
    if (change === null) continue;
    joined =
      joined === null
        ? change
        : { ...change, before: account, orders: [...joined.orders, ...change.orders], events: [...joined.events, ...change.events] };
  }
  return joined;
};

/**
 * Ends an OPEN call that should not stand (S22): OPEN → CANCELLED. The next sweep opens another where the
 * account is still below its call level.
 *
 * @param reason why, in the operator's words; it is published with the event.
 * @returns null where no call is OPEN: a call in LIQUIDATING ends by its orders only (R8).
 */
export const cancelCall = (account: MarginAccount, reason: string, now: number): Change | null => {
  const { live } = account;
  if (live === null || live.call.status !== "OPEN") return null;
  const next: MarginCall = { ...live.call, status: "CANCELLED", endedAt: now };
  const episode = account.episode === null ? null : episodeAfter(account.episode, next, now);
  const notes = [note("margin_call.cancelled", next, `R8: ${reason}`)];
  return amend(account, live, { account: { openCalls: {}, episode }, call: next, notes });
};
