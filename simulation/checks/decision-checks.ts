import { listingOf } from "../actors/terms.ts";
import {
  BAND,
  type Bands,
  CALL_LEFT_X,
  CALL_X,
  type Held,
  isBelow,
  isGoodAt,
  leastReduction,
  type Margin,
  marginAt,
  type PriceRange,
} from "../model/margin.ts";
import { instantOf } from "../time/instants.ts";
import type { Check } from "./book-checks.ts";
import type { MarkHistory } from "./mark-history.ts";
import { type AccountRow, type CallRow, type Changed, type Commit, fixedOf, floatOf, type OrderRow, rowIn, scopesIn } from "./witness.ts";

/** What the model knows of one decision: the account as it left it, and the prices that it may have seen. */
interface Seen {
  readonly commit: Commit;
  readonly scope: string;
  /** What of the account the scope is. */
  readonly account: AccountRow;
  readonly held: Held;
  readonly prices: PriceRange;
  /** Nothing is held, or nothing that has a price. */
  readonly isFlat: boolean;
}

export const heldOf = ({ policyId, cash, reserved, positions }: AccountRow): Held => ({
  policyId,
  cash: floatOf((cash.get("USDT") ?? 0n) - (reserved.get("USDT") ?? 0n)),
  positions: positions.map(({ instrumentId, quantity, entryPrice }) => ({
    instrumentId,
    quantity: floatOf(quantity),
    entryPrice: floatOf(entryPrice),
  })),
});

const CAUTION_X = 1;
/** What shares of a cure round up, in 1e-8. */
const ROUNDED = 10n;

/**
 * Properties of what was decided, judged by the model on the prices that the decision may have seen
 * (I03, I04, I07, I08, I10, I12, I13, I18).
 */
export class DecisionChecks {
  private readonly check: Check;
  private readonly marks: MarkHistory;
  private readonly clocks: { readonly skewMs: number };
  constructor(check: Check, marks: MarkHistory, clocks: { readonly skewMs: number }) {
    this.check = check;
    this.marks = marks;
    this.clocks = clocks;
  }

  private seenBy(commit: Commit, scope: string): Seen | null {
    if (commit.account === null) return null;
    const account = rowIn(commit.account.after, scope);
    const taken = Number(/(\d{13})$/.exec(commit.envelope?.snapshotId ?? "")?.[1] ?? commit.askedAt);
    // The instant of a snapshot is its maker's clock; marks were read after it, and before the request was made.
    const prices = this.marks.range(Math.min(taken, commit.askedAt) - 2 * this.clocks.skewMs - 1_000, commit.askedAt);
    return { commit, scope, account, held: heldOf(account), prices, isFlat: account.positions.length === 0 };
  }

  private worst({ held, prices }: Seen, bands?: Bands): Margin {
    return marginAt(held, prices, "worst", bands);
  }

  private best({ held, prices }: Seen): Margin {
    return marginAt(held, prices, "best");
  }

  /** The instant that the decision's clock showed at the earliest. */
  private earliest({ commit }: Seen): number {
    return commit.askedAt - this.clocks.skewMs;
  }

  /** The band of each price that was surely not good to the decision's clock (R3), moved so far in this direction. */
  private bandsOf(seen: Seen, direction: 1 | -1): Bands {
    return (instrumentId) => {
      const isGood = this.marks.states(instrumentId, seen.commit.askedAt).some((mark) => isGoodAt(mark, this.earliest(seen)));
      return isGood ? 0 : direction * BAND;
    };
  }

  /** True where an option may have been valued by its neighbours (S15), which the reference model does not tell. */
  private mayBeModelled({ held, commit }: Seen): boolean {
    return held.positions.some(({ instrumentId }) => {
      const isOption = listingOf(instrumentId).option !== undefined;
      return (
        isOption && !this.marks.states(instrumentId, commit.askedAt).every((mark) => isGoodAt(mark, commit.askedAt + this.clocks.skewMs))
      );
    });
  }

  /** I03: a call is opened where the model may see the account below the call level, on the account as committed. */
  private opened(seen: Seen, { after }: Changed<CallRow>, previousLevel: string): void {
    const x = previousLevel === "HEALTHY" || previousLevel === "WARNING" ? CALL_X : CALL_LEFT_X;
    const margin = this.worst(seen, after.onBadMarks ? () => BAND : this.bandsOf(seen, 1));
    const spare = instantOf(after.issuedAt) - seen.commit.askedAt;
    this.check(
      "I05",
      spare >= 10_000 - this.clocks.skewMs,
      () => `${after.callId}: counts as issued ${spare} ms after the request to write it`,
    );
    this.check(
      "I03",
      this.mayBeModelled(seen) || isBelow(margin, x, "mayBe") || (seen.isFlat && seen.held.cash < 0),
      () => `${after.callId}: opened at equity ${margin.equity}, notional ${margin.notional}`,
    );
  }

  /** I04: liquidated only below maintenance margin, or after the promised deadline on every clock. */
  private escalated(seen: Seen, { before, after }: Changed<CallRow>): void {
    if (after.liquidationReason === "closeOut") {
      const margin = this.worst(seen);
      this.check(
        "I04",
        isBelow(margin, 0, "mayBe"),
        () => `${after.callId}: closed out at equity ${margin.equity}, notional ${margin.notional}`,
      );
      return;
    }
    const promised = before?.deadlineAt ?? null;
    this.check(
      "I04",
      promised !== null && seen.commit.at >= instantOf(promised),
      () =>
        `${after.callId}: liquidated ${promised === null ? "without a deadline" : `${instantOf(promised) - seen.commit.at} ms before it`}`,
    );
    this.check("I04", after.onUnmet === "reduce", () => `${after.callId}: liquidated at its deadline under a policy that restricts`);
    const margin = this.worst(seen);
    this.check(
      "I04",
      this.mayBeModelled(seen) || isBelow(margin, CALL_X, "mayBe"),
      () => `${after.callId}: liquidated at its deadline with equity ${margin.equity}, notional ${margin.notional}`,
    );
  }

  /** I08: the market meets a call only where the model may see the account at the call level, and never on a doubtful price's better side. */
  private met(seen: Seen, { after }: Changed<CallRow>): void {
    if (after.metBy === "payment") {
      const isPaid = fixedOf(after.metAmount) >= fixedOf(after.amountDue);
      this.check("I08", isPaid || seen.isFlat, () => `${after.callId}: met by payment of ${after.metAmount} of ${after.amountDue}`);
      return;
    }
    // On a price that is not good the model moves the best one against the account (R3).
    const margin = marginAt(seen.held, seen.prices, "best", this.bandsOf(seen, -1));
    this.check(
      "I08",
      seen.isFlat || !isBelow(margin, CALL_X, "surely"),
      () => `${after.callId}: met by the market at equity ${margin.equity}, notional ${margin.notional}`,
    );
  }

  /** I07: decided and handed over only on a price that is good now. I13: within the band of a price that it saw. */
  private priced(seen: Seen, order: OrderRow, what: string): void {
    const states = this.marks.states(order.instrumentId, seen.commit.askedAt);
    const good = states.filter((mark) => isGoodAt(mark, this.earliest(seen)));
    const newest = states.at(-1);
    this.check("I07", good.length > 0, () => `${order.orderId}: ${what} on a price of ${seen.commit.askedAt - (newest?.asOf ?? 0)} ms ago`);
    const { low, high } = seen.prices(order.instrumentId);
    const limit = Number(order.limitPrice);
    const isInBand = order.side === "sell" ? limit >= low * (1 - BAND) - 1 : limit <= high * (1 + BAND) + 1;
    if (what === "decided") this.check("I13", isInBand, () => `${order.orderId}: limit ${limit} outside the band of ${low} to ${high}`);
  }

  /** I10: never more than the position, never through zero. I12: of a single position, at most a lot more than brings it back. */
  private sized(seen: Seen, order: OrderRow, reason: string | null): void {
    const position = seen.account.positions.find(({ instrumentId }) => instrumentId === order.instrumentId);
    const quantity = fixedOf(order.quantity);
    const held = position?.quantity ?? 0n;
    const room = order.side === "sell" ? held : -held;
    this.check(
      "I10",
      quantity > 0n && quantity <= room,
      () => `${order.orderId}: ${order.side} ${order.quantity} against a position of ${floatOf(held)}`,
    );
    if (seen.account.positions.length !== 1) return;
    const least = leastReduction(seen.held, seen.prices, reason === "closeOut" ? "closeOut" : "callLevel");
    const most = least + 2 * 10 ** -listingOf(order.instrumentId).lotDecimals;
    this.check("I12", floatOf(quantity) <= most, () => `${order.orderId}: orders ${order.quantity} where ${least} is enough`);
  }

  /** I10: while an order may still be handed over, the position holds it. */
  private fits({ account }: Seen): void {
    for (const order of account.live?.orders ?? []) {
      if (order.status !== "PENDING") continue;
      const held = account.positions.find(({ instrumentId }) => instrumentId === order.instrumentId)?.quantity ?? 0n;
      const room = order.side === "sell" ? held : -held;
      this.check(
        "I10",
        fixedOf(order.quantity) <= room,
        () => `${order.orderId}: waits with ${order.quantity} against a position of ${floatOf(held)}`,
      );
    }
  }

  private ordersOf(seen: Seen): void {
    const { commit, account } = seen;
    const own = commit.calls.filter(({ after }) => after.scope === seen.scope);
    const call = own.find(({ after }) => after.status === "LIQUIDATING")?.after ?? account.live?.call;
    const ids = new Set([call?.callId, ...own.map(({ after }) => after.callId)]);
    for (const { before, after } of commit.orders.filter((order) => ids.has(order.after.callId))) {
      // I08, R9: a liquidation trades what its scope margins, and nothing else.
      if (before === null) this.isOfScope(seen, after);
      if (before === null) {
        this.sized(seen, after, call?.liquidationReason ?? null);
        this.priced(seen, after, "decided");
      } else if (before.status === "PENDING" && after.status === "SENT") {
        this.priced(seen, after, "handed over");
      }
    }
  }

  /** I18: what is reserved for a withdrawal leaves the initial requirement covered, unrealised profit not counted. */
  private reserved(seen: Seen): void {
    const { commit, account } = seen;
    const [now, then] = [account.reserved.get("USDT") ?? 0n, commit.account?.before?.reserved.get("USDT") ?? 0n];
    if (now <= then || seen.isFlat) return;
    const margin = this.best(seen);
    this.check(
      "I18",
      !isBelow(margin, CAUTION_X, "surely"),
      () => `${account.accountId}: a withdrawal leaves equity ${margin.equity} under the initial margin of ${margin.initial}`,
    );
  }

  /** R9: an order belongs to the call of what margins its position. */
  private isOfScope({ scope, account }: Seen, order: OrderRow): void {
    const isOwn = account.positions.some(({ instrumentId }) => instrumentId === order.instrumentId);
    this.check("I10", isOwn, () => `${order.orderId}: trades what ${scope} does not margin`);
  }

  /**
   * I08, R9: what is credited to a pool's call came into that pool by facts of it, and no more than was moved in; a trade
   * of the pool's instrument and a snapshot may credit what they like.
   */
  private credited({ commit, scope }: Seen, { before, after }: Changed<CallRow>): void {
    if (scope === "CROSS" || before === null) return;
    const rise = fixedOf(after.metAmount) - fixedOf(before.metAmount);
    const facts = (commit.envelope?.entries ?? []).map(({ fact }) => fact);
    const isOther = facts.some(({ kind, instrumentId }) => kind === "snapshot" || (kind === "fill" && `ISO#${instrumentId}` === scope));
    const moved = facts
      .filter(({ kind, instrumentId }) => kind === "pool_transfer" && `ISO#${instrumentId}` === scope)
      .map(({ amount }) => fixedOf(amount ?? "0"))
      // What went out takes off what was credited, and never below nothing.
      .reduce((sum, amount) => (amount > 0n ? sum + amount + ROUNDED : sum), 0n);
    this.check(
      "I08",
      rise <= 0n || isOther || rise <= moved,
      () => `${after.callId}: credited ${floatOf(rise)} where ${floatOf(moved)} was moved into ${scope}`,
    );
  }

  judge(commit: Commit): void {
    const { account } = commit;
    if (account === null) return;
    const scopes = new Set([...scopesIn(account.after), ...commit.calls.map(({ after }) => after.scope)]);
    for (const scope of scopes) this.judgeScope(commit, scope);
  }

  private judgeScope(commit: Commit, scope: string): void {
    const seen = this.seenBy(commit, scope);
    if (seen === null) return;
    const before = commit.account?.before;
    const levelBefore = before == null ? "HEALTHY" : rowIn(before, scope).level;
    for (const call of commit.calls.filter(({ after }) => after.scope === scope)) {
      this.credited(seen, call);
      const from = call.before?.status ?? "";
      const to = call.after.status;
      if (from === "" && to === "OPEN") this.opened(seen, call, levelBefore);
      if (from !== "LIQUIDATING" && to === "LIQUIDATING") this.escalated(seen, call);
      if (to === "MET") this.met(seen, call);
    }
    this.ordersOf(seen);
    this.fits(seen);
    this.reserved(seen);
  }
}
