import type { SimulatedVenue } from "../actors/venue.ts";
import { CALL_X, isBelow, isGoodAt, marginAt } from "../model/margin.ts";
import { instantOf } from "../time/instants.ts";
import type { Check } from "./book-checks.ts";
import { isLive } from "./book-checks.ts";
import { heldOf } from "./decision-checks.ts";
import type { MarkHistory } from "./mark-history.ts";
import type { NoticeChecks } from "./notice-checks.ts";
import { type AccountRow, type CallRow, fixedOf, floatOf, type OrderRow, rowIn, scopesIn } from "./witness.ts";

/** The tables as they stand, with what the venue knows. */
export interface Ending {
  /** True time. */
  readonly at: number;
  /** When the last fault could begin. */
  readonly calmSince: number;
  readonly accounts: readonly AccountRow[];
  readonly calls: readonly CallRow[];
  readonly orders: readonly OrderRow[];
  readonly venue: SimulatedVenue;
  readonly marks: MarkHistory;
  readonly notices: NoticeChecks;
  readonly coolDownMs: number;
  /** True once an operator was told of notices that no channel took. */
  readonly isPaged: boolean;
}

const MINUTE_MS = 60_000;

/** How long a property has to come true after the faults (safety.md, "Liveness"). */
const BOUNDS = { closeOut: MINUTE_MS + 30_000, terminal: 10 * MINUTE_MS, order: 2 * MINUTE_MS } as const;

const priceNow =
  ({ marks }: Ending) =>
  (instrumentId: string) => {
    const mark = marks.newest(instrumentId);
    return mark === null ? { low: 0, high: Number.MAX_SAFE_INTEGER } : { low: mark.price, high: mark.price };
  };

const isPriced = ({ marks, at }: Ending, account: AccountRow): boolean =>
  account.positions.every(({ instrumentId }) => {
    const mark = marks.newest(instrumentId);
    return mark !== null && isGoodAt(mark, at) && mark.candidate === null;
  });

/** Nothing may be traded or called again for a while after a hand-over (R14). */
const coolsDown = ({ at, coolDownMs }: Ending, { episode }: AccountRow): boolean =>
  episode?.handedOverAt != null && at - instantOf(episode.handedOverAt) <= coolDownMs + 2 * MINUTE_MS;

/** A call that ended within this time leaves the next sweep its turn. */
const isFresh = ({ at, calls }: Ending, { accountId }: AccountRow, scope: string): boolean =>
  calls.some(
    (call) => call.accountId === accountId && call.scope === scope && call.endedAt !== null && at - instantOf(call.endedAt) < MINUTE_MS,
  );

/** I11, I14, I17 at the end: the book holds what the venue holds, to the last unit. */
const agreement = (check: Check, { accounts, venue, orders }: Ending): void => {
  for (const accountId of venue.holdings.keys()) {
    const known = accounts.some((account) => account.accountId === accountId);
    check("I17", known, () => `${accountId}: its first facts were sent, and the book does not have it`);
  }
  for (const account of accounts) {
    const { accountId } = account;
    const holding = venue.holdings.get(accountId);
    // What is parked or on its way is settled only when nothing is left to settle.
    check(
      "I14",
      (account.cash.get("USDT") ?? 0n) === holding?.cash,
      () => `${accountId}: the book has ${account.cash.get("USDT")}, the venue ${holding?.cash}`,
    );
    const theirs = [...(holding?.positions ?? [])]
      .map(([id, held]) => `${id}:${held.quantity}`)
      .sort()
      .join();
    const ours = scopesIn(account)
      .flatMap((scope) => rowIn(account, scope).positions)
      .map((held) => `${held.instrumentId}:${held.quantity}`)
      .sort()
      .join();
    const isPooled = [...account.pools].every(([id, { cash }]) => cash === (holding?.pools.get(id) ?? 0n));
    check(
      "I14",
      isPooled && [...(holding?.pools.keys() ?? [])].every((id) => account.pools.has(id)),
      () => `${accountId}: other pools than the venue`,
    );
    check("I14", ours === theirs, () => `${accountId}: the book has ${ours}, the venue ${theirs}`);
    check("I17", !account.outOfSync, () => `${accountId}: still out of sync after its snapshot`);
  }
  for (const order of orders) {
    const taken = venue.orders.get(order.orderId);
    if (taken !== undefined)
      check(
        "I11",
        fixedOf(order.filled) === taken.filled,
        () => `${order.orderId}: ${order.filled} filled in the book, ${floatOf(taken.filled)} at the venue`,
      );
  }
};

/** L01, L04: an account in breach on good prices has its call, one below maintenance margin its liquidation. */
const breaches = (check: Check, ending: Ending): void => {
  if (ending.at - ending.calmSince < BOUNDS.closeOut) return;
  const scopes = ending.accounts.flatMap((account) => scopesIn(account).map((scope) => ({ scope, account: rowIn(account, scope) })));
  for (const { scope, account } of scopes) {
    if (account.positions.length === 0 || !isPriced(ending, account) || coolsDown(ending, account) || isFresh(ending, account, scope))
      continue;
    const margin = marginAt(heldOf(account), priceNow(ending), "best");
    // A tick of noise may lie between the last sweep and now.
    const steady = { ...margin, equity: margin.equity + margin.notional * 0.003 };
    const lacks = margin.initial - margin.equity > 15;
    check(
      "L01",
      !lacks || account.live !== null || !isBelow(steady, CALL_X, "surely"),
      () => `${account.accountId}: below the call level (equity ${margin.equity}, notional ${margin.notional}) without a call`,
    );
    const isUnder = isBelow(steady, 0, "surely");
    check(
      "L04",
      !isUnder || account.live?.call.status === "LIQUIDATING",
      () =>
        `${account.accountId}: below maintenance margin (equity ${margin.equity}, notional ${margin.notional}), call ${account.live?.call.status ?? "none"}`,
    );
  }
};

/** L03, L05, L06: calls end, and on time. */
const endings = (check: Check, ending: Ending): void => {
  const { at, calmSince } = ending;
  for (const call of ending.calls) {
    if (!isLive(call)) continue;
    const deadline = call.deadlineAt === null ? instantOf(call.issuedAt) : instantOf(call.deadlineAt);
    const since = at - Math.max(deadline, calmSince);
    const whole = ending.accounts.find(({ accountId }) => accountId === call.accountId);
    const account = whole === undefined ? undefined : rowIn(whole, call.scope);
    // A flat account worth less than nothing is a named deficit: no call ends that, the waterfall does (R20, R22).
    const isDeficit = account?.positions.length === 0 && (account.cash.get("USDT") ?? 0n) < 0n;
    const restricted = call.status === "OPEN" && (call.onUnmet === "restrict" || isDeficit);
    check(
      "L03",
      restricted || since <= BOUNDS.terminal,
      () => `${call.callId}: still ${call.status} ${Math.round(since / 1_000)} s after its deadline and the last fault`,
    );
    if (call.status === "OPEN" && call.deadlineAt !== null && !restricted && account !== undefined && isPriced(ending, account)) {
      check("L05", since <= BOUNDS.order, () => `${call.callId}: still OPEN ${Math.round(since / 1_000)} s after its deadline`);
    }
    if (call.status === "OPEN" && !isDeficit)
      check("L06", fixedOf(call.metAmount) < fixedOf(call.amountDue), () => `${call.callId}: paid and not met`);
  }
};

/** L02, L07: every call was told of, everything committed was published. */
const told = (check: Check, { notices, calls, isPaged }: Ending): void => {
  const left = notices.unpublished();
  check("L07", left.length === 0, () => `${left.length} events were never published, ${left[0]} for one`);
  for (const { callId, issuedAt } of calls) {
    check("L02", isPaged || notices.toldAt(callId) !== undefined, () => `${callId}: nobody was told of the call of ${issuedAt}`);
  }
};

/** What must hold when nothing has gone wrong for a while. */
export const checkEnding = (check: Check, ending: Ending): void => {
  endings(check, ending);
  breaches(check, ending);
  agreement(check, ending);
  told(check, ending);
};
