import type { LiveCall, MarginAccount } from "./account.ts";
import { type Applied, applyFacts } from "./apply-facts.ts";
import { isLiveCall, type MarginCall } from "./call.ts";
import { stepLiquidating } from "./call-liquidation.ts";
import { openCall } from "./call-open.ts";
import { stepOpen } from "./call-step.ts";
import { decisionInstant } from "./clock.ts";
import type { Change } from "./decision.ts";
import { episodeAfter, episodeAt } from "./episode.ts";
import { viewOfOrder } from "./event.ts";
import type { Fact } from "./ledger.ts";
import { isAtLeast, levelOf } from "./level.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PolicyInMode } from "./mode.ts";
import { ZERO } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";
import { isSurelyQuiet } from "./screen.ts";
import { changedOrders, liveAfter, type Note, orderRoomOf, type Situation, type Step, tell } from "./situation.ts";
import { assess, type MarginStatement } from "./statement.ts";

/** The account, orders and words after the live call was judged and, where one is due, the next was opened. */
interface Outcome {
  readonly account: MarginAccount;
  /** Calls of the change, not yet numbered: the live one as it became, then the opened one. */
  readonly calls: readonly MarginCall[];
  readonly orders: readonly LiquidationOrder[];
  readonly notes: readonly Note[];
  readonly isBornLiquidating: boolean;
}

const stepLive = (s: Situation, live: LiveCall): Step => (live.call.status === "OPEN" ? stepOpen(s, live) : stepLiquidating(s, live));

/** The account after a step of its call: the call let go where it ended, the episode told. */
const withStep = ({ account, now }: Situation, live: LiveCall, step: Step): MarginAccount => {
  const after = liveAfter(step);
  const { episode } = account;
  if (episode === null) return { ...account, live: after };
  if (after === null) return { ...account, live: null, openCalls: {}, episode: episodeAfter(episode, step.call, now) };
  const topUps = episode.topUps + step.call.topUps - live.call.topUps;
  return { ...account, live: after, episode: topUps === episode.topUps ? episode : { ...episode, topUps } };
};

const judgeCalls = (s: Situation): Outcome => {
  const { live } = s.account;
  const step = live === null ? null : stepLive(s, live);
  const account = live === null || step === null ? s.account : withStep(s, live, step);
  const orders = live === null || step === null ? [] : changedOrders(live.orders, [...(step.past ?? []), ...step.orders]);
  const isPaid = step?.call.status === "MET" && step.call.metBy === "payment";
  const room = Math.max(0, s.orderRoom - orders.length);
  const opening = account.live === null ? openCall({ ...s, account, orderRoom: room }, isPaid) : null;
  const notes = step?.notes ?? [];
  const calls = step === null ? [] : [step.call];
  if (opening === null) return { account, calls, orders, notes, isBornLiquidating: false };
  return {
    account: opening.account,
    calls: [...calls, opening.call],
    orders: [...orders, ...opening.orders],
    notes: [...notes, ...opening.notes],
    isBornLiquidating: opening.call.status === "LIQUIDATING",
  };
};

/** Versions count the writes of a call: one more than before this change, however many of its parts changed. */
const numbered = (calls: readonly MarginCall[], before: MarginCall | null): readonly MarginCall[] =>
  calls.map((call) => (call.callId !== before?.callId || call === before ? call : { ...call, version: before.version + 1 }));

/** Orders as this change leaves them: what the facts did, then what the decision did. */
const ordersOf = (before: MarginAccount, applied: MarginAccount, decided: readonly LiquidationOrder[]): readonly LiquidationOrder[] => {
  const byFacts = changedOrders(before.live?.orders ?? [], applied.live?.orders ?? []);
  return [...new Map([...byFacts, ...decided].map((order) => [order.orderId, order])).values()];
};

const levelNotes = (account: MarginAccount, outcome: Outcome): readonly Note[] => {
  const { level } = outcome.account;
  // A call that is born LIQUIDATING tells of itself in one event, its level in it (R8).
  if (level === account.level || outcome.isBornLiquidating) return [];
  return [{ type: "account.level_changed", reason: `R1: ${account.level} to ${level}`, callId: null, order: null }];
};

const fillNotes = (account: MarginAccount, { fills }: Applied): readonly Note[] =>
  fills.map(({ order, price }) => ({
    type: "liquidation.filled",
    reason: "R14: the venue filled part of the order",
    callId: account.live?.call.callId ?? null,
    order: viewOfOrder(order, price),
  }));

const changeOf = (account: MarginAccount, applied: Applied, outcome: Outcome, statement: MarginStatement): Change | null => {
  const before = account.live?.call ?? null;
  const calls = numbered(outcome.calls, before);
  const changedCalls = calls.filter((call) => call !== before);
  const orders = ordersOf(account, applied.account, outcome.orders);
  const { live, level, episode } = outcome.account;
  const isSame = level === account.level && episode === account.episode;
  if (isSame && applied.entries.length === 0 && changedCalls.length === 0 && orders.length === 0) return null;
  const liveCall = calls.find(isLiveCall) ?? null;
  const telling = { level, previousLevel: account.level, live: liveCall, calls, statement };
  const notes = [...levelNotes(account, outcome), ...fillNotes(account, applied), ...outcome.notes];
  return {
    before: account,
    after: {
      ...outcome.account,
      version: account.version + 1,
      live: live === null || liveCall === null ? null : { call: liveCall, orders: live.orders },
    },
    calls: changedCalls,
    orders,
    entries: applied.entries,
    events: notes.map((each) => tell(each, telling)),
  };
};

/**
 * The single decision: folds facts of the venue into the account, judges its level on one market
 * snapshot, and opens, tops up, meets, escalates or ends its call (R1, R8, R10, R11, R14).
 *
 * Pure: the same inputs give the same change (I27). Called again on what it returned, at the same
 * instant and without facts, it returns null.
 *
 * @param account with its live call and that call's orders, where `openCalls` names one.
 * @param policy the version that the live call was opened under, or the account's present one.
 * @param clockNow epoch milliseconds, read just before the write; see {@link decisionInstant}.
 * @returns what one transaction writes; null where nothing changed and there were no facts.
 * @throws RangeError for a live call that was not loaded, and for facts that no account can hold.
 */
export const decide = (
  account: MarginAccount,
  snapshot: MarketSnapshot,
  policy: PolicyInMode,
  clockNow: number,
  facts: readonly Fact[] = [],
): Change | null => {
  const now = decisionInstant(clockNow, snapshot);
  if (account.live === null && account.openCalls.CROSS !== undefined) {
    throw new RangeError(`the live call ${account.openCalls.CROSS} was not loaded with its account`);
  }
  if (facts.length === 0 && isSurelyQuiet(account, snapshot, policy, now)) return null;
  const applied: Applied =
    facts.length === 0
      ? { account, entries: [], fills: [] }
      : applyFacts(account, facts, snapshot.instruments, (held) => assess(held, snapshot, policy, now).low);
  const statement = assess(applied.account, snapshot, policy, now);
  const level = levelOf(applied.account, statement, policy.levels, account.level);
  if (facts.length === 0 && account.live === null && level === account.level && !isAtLeast(level, "CALL")) return null;
  const situation: Situation = {
    account: {
      ...applied.account,
      level,
      episode: episodeAt(account, { from: account.level, to: level }, policy, now),
    },
    statement,
    snapshot,
    policy,
    now,
    metBefore: account.live?.call.metAmount ?? ZERO,
    orderRoom: orderRoomOf(applied.entries.length, changedOrders(account.live?.orders ?? [], applied.account.live?.orders ?? []).length),
  };
  return changeOf(account, applied, judgeCalls(situation), statement);
};
