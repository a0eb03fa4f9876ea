import type { LiveCall, MarginAccount, Scope } from "./account.ts";
import { type Applied, applyFacts } from "./apply-facts.ts";
import { isLiveCall, type MarginCall } from "./call.ts";
import { stepLiquidating } from "./call-liquidation.ts";
import { openCall } from "./call-open.ts";
import { stepOpen } from "./call-step.ts";
import { decisionInstant } from "./clock.ts";
import type { Change } from "./decision.ts";
import { episodeAfter, episodeAt } from "./episode.ts";
import { type DomainEvent, viewOfOrder } from "./event.ts";
import type { Fact } from "./ledger.ts";
import { isAtLeast, levelOf } from "./level.ts";
import type { MarketSnapshot } from "./mark.ts";
import { type PolicyInMode, policyIn } from "./mode.ts";
import { ZERO } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";
import { scopesOf, settled, viewOf, withView } from "./scope.ts";
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

const fillNotes = (account: MarginAccount, fills: Applied["fills"]): readonly Note[] =>
  fills.map(({ order, price }) => ({
    type: "liquidation.filled",
    reason: "R14: the venue filled part of the order",
    callId: account.live?.call.callId ?? null,
    order: viewOfOrder(order, price),
  }));

/** What a change makes of one scope; null where it changes nothing there. */
interface Part {
  readonly account: MarginAccount;
  readonly calls: readonly MarginCall[];
  readonly orders: readonly LiquidationOrder[];
  readonly events: readonly DomainEvent[];
}

const partOf = (judged: Judged, outcome: Outcome): Part | null => {
  const { scope, before: account, applied, statement } = judged;
  const before = account.live?.call ?? null;
  const calls = numbered(outcome.calls, before);
  const changedCalls = calls.filter((call) => call !== before);
  const orders = ordersOf(account, applied, outcome.orders);
  const { live, level, episode } = outcome.account;
  const isSame = level === account.level && episode === account.episode;
  if (isSame && changedCalls.length === 0 && orders.length === 0) return null;
  const liveCall = calls.find(isLiveCall) ?? null;
  const telling = { scope, level, previousLevel: account.level, live: liveCall, calls, statement };
  const notes = [...levelNotes(account, outcome), ...fillNotes(account, judged.fills), ...outcome.notes];
  return {
    account: { ...outcome.account, live: live === null || liveCall === null ? null : { call: liveCall, orders: live.orders } },
    calls: changedCalls,
    orders,
    events: notes.map((each) => tell(each, telling)),
  };
};

/** One scope of an account, before and after the facts of a decision. */
interface Judged {
  readonly scope: Scope;
  readonly before: MarginAccount;
  readonly applied: MarginAccount;
  readonly fills: Applied["fills"];
  readonly statement: MarginStatement;
}

/** Decides one scope as if it were an account of its own (R9). @returns null where nothing of it changes. */
const decideScope = (
  view: Omit<Judged, "statement">,
  market: Pick<Situation, "snapshot" | "policy" | "now">,
  { facts, room }: { readonly facts: number; readonly room: number },
): Part | null => {
  const { scope, before, applied } = view;
  const { snapshot, policy, now } = market;
  const statement = assess(applied, snapshot, policy, now);
  const level = levelOf(applied, statement, policy.levels, before.level);
  if (facts === 0 && before.live === null && level === before.level && !isAtLeast(level, "CALL")) return null;
  const situation: Situation = {
    ...market,
    scope,
    account: {
      ...applied,
      level,
      episode: episodeAt(before, { from: before.level, to: level }, policy, now),
    },
    statement,
    metBefore: before.live?.call.metAmount ?? ZERO,
    orderRoom: room,
  };
  return partOf({ ...view, statement }, judgeCalls(situation));
};

/** True where no scope of the account has anything to decide. */
const isQuiet = (account: MarginAccount, snapshot: MarketSnapshot, policy: PolicyInMode, now: number): boolean =>
  account.pools.size === 0
    ? isSurelyQuiet(account, snapshot, policy, now)
    : scopesOf(account).every((scope) => isSurelyQuiet(viewOf(account, scope), snapshot, policyIn(policy, scope), now));

/** Orders of a scope that the facts changed. */
const byFacts = (before: MarginAccount, applied: MarginAccount): number =>
  changedOrders(before.live?.orders ?? [], applied.live?.orders ?? []).length;

/**
 * The single decision: folds facts of the venue into the account, judges the level of each of its scopes
 * on one market snapshot, and opens, tops up, meets, escalates or ends the scope's call (R1, R8, R9, R10, R11, R14).
 *
 * Pure: the same inputs give the same change (I27). Called again on what it returned, at the same
 * instant and without facts, it returns null.
 *
 * @param account with its live calls and their orders, where `openCalls` names any.
 * @param policy the version that the live call was opened under, or the account's present one; likewise for each pool.
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
  if (facts.length === 0 && isQuiet(account, snapshot, policy, now)) return null;
  const applied: Applied =
    facts.length === 0
      ? { account, entries: [], fills: [] }
      : applyFacts(account, facts, snapshot.instruments, (view, scope) => assess(view, snapshot, policyIn(policy, scope), now).low);
  const scopes = scopesOf(applied.account);
  const changed = scopes.reduce((sum, scope) => sum + byFacts(viewOf(account, scope), viewOf(applied.account, scope)), 0);
  let room = orderRoomOf(applied.entries.length, changed, scopes.length);
  const parts: Part[] = [];
  let after = applied.account;
  for (const scope of scopes) {
    const before = viewOf(account, scope);
    const fills = applied.fills.filter(({ order }) => order.callId === before.live?.call.callId);
    const part = decideScope(
      { scope, before, applied: viewOf(after, scope), fills },
      { snapshot, policy: policyIn(policy, scope), now },
      { facts: facts.length, room },
    );
    if (part === null) continue;
    parts.push(part);
    room = Math.max(0, room - part.orders.length + byFacts(before, viewOf(applied.account, scope)));
    after = withView(after, scope, part.account);
  }
  if (parts.length === 0 && applied.entries.length === 0) return null;
  return {
    before: account,
    after: { ...(applied.account.pools.size === 0 ? after : settled(after)), version: account.version + 1 },
    calls: parts.flatMap(({ calls }) => calls),
    orders: parts.flatMap(({ orders }) => orders),
    entries: applied.entries,
    events: parts.flatMap(({ events }) => events),
  };
};
