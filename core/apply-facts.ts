import type { LiveCall, MarginAccount, Position } from "./account.ts";
import { type Measure, withCredit } from "./call-credit.ts";
import { fillPosition } from "./fill.ts";
import type { Asset, Instruments } from "./instrument.ts";
import type { ClosedOrder, Entry, Fact } from "./ledger.ts";
import { LIMITS } from "./limits.ts";
import { abs, type Money, max, min, minus, type Price, type Quantity, ZERO } from "./money.ts";
import { isLiveOrder, type LiquidationOrder } from "./order.ts";
import { differencesOf } from "./reconcile.ts";

type FillFact = Fact & { readonly kind: "fill" };
type Posting = Entry["postings"][number];

/** A fill of one of our orders, for its event. */
export interface OrderFill {
  readonly order: LiquidationOrder;
  readonly price: Price;
}

/** The account with the facts in it, and what they were. `version` is left to the caller. */
export interface Applied {
  readonly account: MarginAccount;
  readonly entries: readonly Entry[];
  readonly fills: readonly OrderFill[];
}

interface Step {
  readonly account: MarginAccount;
  readonly postings: readonly Posting[];
  readonly fill?: OrderFill;
}

const sortedByAsset = (amounts: ReadonlyMap<Asset, Money>): ReadonlyMap<Asset, Money> =>
  new Map([...amounts].filter(([, amount]) => amount !== 0n).sort(([a], [b]) => (a < b ? -1 : 1)));

const posted = (balances: ReadonlyMap<Asset, Money>, { asset, amount }: Posting): ReadonlyMap<Asset, Money> =>
  sortedByAsset(new Map(balances).set(asset, ((balances.get(asset) ?? ZERO) + amount) as Money));

const placed = (positions: readonly Position[], instrumentId: string, position: Position | null): readonly Position[] => {
  const others = positions.filter((each) => each.instrumentId !== instrumentId);
  return position === null ? others : checkedPositions([...others, position]);
};

/** Sorted by instrument. @throws RangeError above the limit of positions of an account. */
const checkedPositions = (positions: readonly Position[]): readonly Position[] => {
  if (positions.length > LIMITS.positionsMax) throw new RangeError(`more than ${LIMITS.positionsMax} positions in one account`);
  return [...positions].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1));
};

const withOrder = (live: LiveCall, order: LiquidationOrder): LiveCall => ({
  call: live.call,
  orders: live.orders.map((each) => (each.orderId === order.orderId ? order : each)),
});

/** The order with its totals; terminal once nothing of it is open (I11). A fill shows that it had been sent. */
const tallied = (order: LiquidationOrder, totals: { filled: bigint; cancelled: bigint }, at: number): LiquidationOrder => {
  const open = order.quantity - totals.filled - totals.cancelled;
  const status = open > 0n ? "SENT" : totals.cancelled > 0n ? "CANCELLED" : "FILLED";
  const { filled, cancelled } = totals as { filled: Quantity; cancelled: Quantity };
  return { ...order, filled, cancelled, status, sentAt: order.sentAt ?? at };
};

/** Books a fill of one of our orders. More than was ordered cannot be ours alone: the account is out of sync. */
const bookOrderFill = (account: MarginAccount, fact: FillFact): { account: MarginAccount; fill?: OrderFill } => {
  const order = account.live?.orders.find((each) => each.orderId === fact.orderId);
  if (account.live === null || order === undefined) return { account };
  const room = minus(order.quantity as bigint as Money, (order.filled + order.cancelled) as Money);
  const filled = order.filled + min(abs(fact.quantity) as bigint, room as bigint);
  const next = tallied(order, { filled, cancelled: order.cancelled }, fact.occurredAt);
  const over = abs(fact.quantity) > (room as bigint);
  return {
    account: { ...account, live: withOrder(account.live, next), outOfSync: account.outOfSync || over },
    fill: { order: next, price: fact.price },
  };
};

const applyFill = (account: MarginAccount, fact: FillFact, instruments: Instruments): Step => {
  const instrument = instruments.get(fact.instrumentId);
  if (instrument === undefined) throw new RangeError(`fill in an unknown instrument: ${fact.instrumentId}`);
  const held = account.positions.find((position) => position.instrumentId === fact.instrumentId) ?? null;
  const { position, realised } = fillPosition(instrument, held, fact.quantity, fact.price);
  const posting = { asset: instrument.settleAsset, amount: minus(realised, fact.fee) };
  const booked = bookOrderFill(account, fact);
  return {
    account: {
      ...booked.account,
      balances: posted(account.balances, posting),
      positions: placed(account.positions, fact.instrumentId, position),
    },
    postings: posting.amount === 0n ? [] : [posting],
    ...(booked.fill === undefined ? {} : { fill: booked.fill }),
  };
};

/**
 * The venue's last word on an order: what it did not fill is returned. Fills that it counts and we have
 * not seen are still open here; fewer than we have seen contradicts the feed (OUT_OF_SYNC).
 */
const applyOrderClosed = (account: MarginAccount, fact: Fact & { readonly kind: "order_closed" }): MarginAccount => {
  const order = account.live?.orders.find((each) => each.orderId === fact.orderId);
  if (account.live === null || order === undefined || !isLiveOrder(order)) return account;
  const filledInAll = max(order.filled, min(fact.filled, order.quantity));
  const next = tallied(order, { filled: order.filled, cancelled: order.quantity - filledInAll }, fact.occurredAt);
  const contradicts = fact.filled < order.filled || fact.filled > order.quantity;
  return { ...account, live: withOrder(account.live, next), outOfSync: account.outOfSync || contradicts };
};

/** Live orders that a snapshot names as closed: what they filled stands in its balances and positions already. */
const withClosed = (live: LiveCall, closed: readonly ClosedOrder[], at: number): LiveCall => {
  const filledOf = new Map(closed.map(({ orderId, filled }) => [orderId, filled]));
  const orders = live.orders.map((order) => {
    const told = filledOf.get(order.orderId);
    if (told === undefined || !isLiveOrder(order)) return order;
    const filled = max(order.filled, min(told, order.quantity));
    return tallied(order, { filled, cancelled: order.quantity - filled }, at);
  });
  return { call: live.call, orders };
};

const applySnapshot = (account: MarginAccount, fact: Fact & { readonly kind: "snapshot" }): Step => {
  const assets = [...new Set([...account.balances.keys(), ...fact.balances.keys()])].sort();
  const postings = assets
    .map((asset) => ({ asset, amount: minus(fact.balances.get(asset) ?? ZERO, account.balances.get(asset) ?? ZERO) }))
    .filter(({ amount }) => amount !== 0n);
  const positions = checkedPositions(fact.positions.filter(({ quantity }) => quantity !== 0n));
  const live = account.live === null ? null : withClosed(account.live, fact.closedOrders ?? [], fact.occurredAt);
  // A snapshot from before a restore does not know what happened since the backup (S54): it heals nothing.
  const heals = account.restoredAt === null || fact.occurredAt >= account.restoredAt;
  const synced = heals ? { outOfSync: false, restoredAt: null } : {};
  return { account: { ...account, balances: sortedByAsset(fact.balances), positions, live, ...synced }, postings };
};

/** A fact that moves the venue's sequence on; a reconciliation only looks. */
type Booked = Exclude<Fact, { readonly kind: "reconciliation" }>;

const applyOne = (account: MarginAccount, fact: Booked, instruments: Instruments): Step => {
  switch (fact.kind) {
    case "deposit": {
      const posting = { asset: fact.asset, amount: fact.amount };
      return { account: { ...account, balances: posted(account.balances, posting) }, postings: [posting] };
    }
    case "withdrawal": {
      const posting = { asset: fact.asset, amount: minus(ZERO, fact.amount) };
      const reserved = max(minus(account.reserved.get(fact.asset) ?? ZERO, fact.amount), ZERO);
      const reservations = sortedByAsset(new Map(account.reserved).set(fact.asset, reserved));
      return { account: { ...account, balances: posted(account.balances, posting), reserved: reservations }, postings: [posting] };
    }
    case "fill":
      return applyFill(account, fact, instruments);
    case "deposit_pending":
      return { account, postings: [] };
    case "order_closed":
      return { account: applyOrderClosed(account, fact), postings: [] };
    case "snapshot":
      return applySnapshot(account, fact);
  }
};

/** The account with the sequence counted: a number left out marks it OUT_OF_SYNC, unless the fact heals it. */
const sequenced = (account: MarginAccount, fact: Booked): MarginAccount => {
  const gap = fact.sequence > account.sourceSequence + 1 && fact.kind !== "snapshot";
  const sourceAt = Math.max(account.sourceAt, fact.occurredAt);
  return { ...account, sourceSequence: fact.sequence, sourceAt, outOfSync: account.outOfSync || gap };
};

/**
 * Folds facts of the venue into an account, in the order of their sequence (R16).
 *
 * A fact whose sequence was passed already is recorded with no posting: a snapshot holds it, or the next
 * one will (the account is OUT_OF_SYNC until then). An id that stands twice counts once. Payments are credited to the live call
 * (R10); what still confirms is counted beside it (R15). A reconciliation leaves no trace where the book agrees;
 * where it differs the account is OUT_OF_SYNC, and the entry names the differences.
 *
 * @throws RangeError for a fill in an unknown instrument or a spot pair, and for more positions than an account may hold.
 */
export const applyFacts = (account: MarginAccount, facts: readonly Fact[], instruments: Instruments, measure: Measure): Applied => {
  const entries: Entry[] = [];
  const fills: OrderFill[] = [];
  const seen = new Set<string>();
  let held = account;
  for (const fact of [...facts].sort((a, b) => a.sequence - b.sequence)) {
    if (seen.has(fact.externalId)) continue;
    seen.add(fact.externalId);
    if (fact.kind === "reconciliation") {
      const differences = differencesOf(held, fact);
      if (differences.length === 0) continue;
      held = { ...held, outOfSync: true };
      entries.push({ fact, postings: [], differences });
      continue;
    }
    if (fact.sequence <= held.sourceSequence) {
      entries.push({ fact, postings: [] });
      continue;
    }
    const before = held;
    const step = applyOne(sequenced(before, fact), fact, instruments);
    held = withCredit(fact, before, step.account, measure);
    entries.push({ fact, postings: step.postings });
    if (step.fill !== undefined) fills.push(step.fill);
  }
  return { account: held, entries, fills };
};
