import type { LiveCall, MarginAccount, Pool, Position, Scope, Standing } from "./account.ts";
import { withCredit } from "./call-credit.ts";
import { fillPosition } from "./fill.ts";
import type { Asset, Instruments } from "./instrument.ts";
import type { ClosedOrder, Entry, Fact, Posting } from "./ledger.ts";
import { LIMITS } from "./limits.ts";
import { abs, type Money, max, min, minus, type Price, type Quantity, ZERO } from "./money.ts";
import { isLiveOrder, type LiquidationOrder } from "./order.ts";
import { differencesOf } from "./reconcile.ts";
import { fundedScope, livesOf, newPool, scopeOf, scopesOf, viewOf, withView } from "./scope.ts";
import { withStanding } from "./standing.ts";
import type { Sided } from "./statement.ts";

type FillFact = Fact & { readonly kind: "fill" };
type SnapshotFact = Fact & { readonly kind: "snapshot" };
type TransferFact = Fact & { readonly kind: "pool_transfer" };
/** A fact that moves the venue's sequence on; a reconciliation only looks. */
type Booked = Exclude<Fact, { readonly kind: "reconciliation" }>;

/** Measures a scope's view of the account: under the scope's own policy. */
type MeasureIn = (view: MarginAccount, scope: Scope) => Sided;

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

/** A posting names its scope where that is not CROSS. */
const postingIn = (scope: Scope, asset: Asset, amount: Money): Posting => ({ asset, amount, ...(scope !== "CROSS" && { scope }) });

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

/** The scope whose live call has the order; CROSS where none has. */
const scopeOfOrder = (account: MarginAccount, orderId: string | null): Scope =>
  livesOf(account).find(({ orders }) => orders.some((each) => each.orderId === orderId))?.call.scope ?? "CROSS";

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
  const scope = fundedScope(account, fact.instrumentId);
  const view = viewOf(account, scope);
  const held = view.positions.find((position) => position.instrumentId === fact.instrumentId) ?? null;
  const { position, realised } = fillPosition(instrument, held, fact.quantity, fact.price);
  const posting = postingIn(scope, instrument.settleAsset, minus(realised, fact.fee));
  const after: MarginAccount = {
    ...view,
    balances: posted(view.balances, posting),
    positions: placed(view.positions, fact.instrumentId, position),
  };
  const traded = withView(account, scope, after);
  const ordering = scopeOfOrder(traded, fact.orderId);
  const booked = bookOrderFill(viewOf(traded, ordering), fact);
  return {
    account: withView(traded, ordering, booked.account),
    postings: posting.amount === 0n ? [] : [posting],
    ...(booked.fill === undefined ? {} : { fill: booked.fill }),
  };
};

/**
 * The venue's last word on an order: what it did not fill is returned. Fills that it counts and we have
 * not seen are still open here; fewer than we have seen contradicts the feed (OUT_OF_SYNC).
 */
const applyOrderClosed = (whole: MarginAccount, fact: Fact & { readonly kind: "order_closed" }): MarginAccount => {
  const scope = scopeOfOrder(whole, fact.orderId);
  const account = viewOf(whole, scope);
  const order = account.live?.orders.find((each) => each.orderId === fact.orderId);
  if (account.live === null || order === undefined || !isLiveOrder(order)) return whole;
  const filledInAll = max(order.filled, min(fact.filled, order.quantity));
  const next = tallied(order, { filled: order.filled, cancelled: order.quantity - filledInAll }, fact.occurredAt);
  const contradicts = fact.filled < order.filled || fact.filled > order.quantity;
  return withView(whole, scope, { ...account, live: withOrder(account.live, next), outOfSync: account.outOfSync || contradicts });
};

/** The account with an empty pool for the instrument. @throws RangeError for an unknown instrument, and above the limit of pools. */
const withPool = (account: MarginAccount, instrumentId: string, instruments: Instruments): MarginAccount => {
  const instrument = instruments.get(instrumentId);
  if (instrument === undefined || instrument.kind === "spot") throw new RangeError(`no pool is held in ${instrumentId}`);
  if (account.pools.size >= LIMITS.poolsMax) throw new RangeError(`more than ${LIMITS.poolsMax} pools in one account`);
  return { ...account, pools: new Map(account.pools).set(instrumentId, newPool(instrumentId, instrument.settleAsset)) };
};

/**
 * Moves cash between CROSS and a pool. What is moved into a pool that was not there takes the position of CROSS along;
 * what comes out of one that was not there contradicts the feed (OUT_OF_SYNC).
 */
const applyTransfer = (account: MarginAccount, fact: TransferFact, instruments: Instruments): Step => {
  const { instrumentId, amount } = fact;
  const scope = scopeOf(instrumentId);
  const isNew = fundedScope(account, instrumentId) === "CROSS";
  const whole = account.pools.has(instrumentId) ? account : withPool(account, instrumentId, instruments);
  const { asset, position } = whole.pools.get(instrumentId) as Pool;
  const taken = isNew && amount > 0n ? (whole.positions.find((each) => each.instrumentId === instrumentId) ?? null) : null;
  const [out, into] = [postingIn("CROSS", asset, minus(ZERO, amount)), postingIn(scope, asset, amount)];
  const view = viewOf(whole, scope);
  const funded = withView(whole, scope, {
    ...view,
    balances: posted(view.balances, into),
    positions: [taken ?? position].filter((each) => each !== null),
    outOfSync: view.outOfSync || (isNew && amount < 0n),
  });
  const balances = posted(funded.balances, out);
  const positions = taken === null ? funded.positions : placed(funded.positions, instrumentId, null);
  return { account: { ...funded, balances, positions }, postings: [out, into] };
};

/** What the venue tells of one instrument beside the position. */
type Beside = Partial<Pick<Standing, "buys" | "sells" | "leverage">>;

/** The account with the venue's figures of orders or leverage in an instrument. @throws RangeError as for a position there. */
const beside = (account: MarginAccount, instrumentId: string, told: Beside, instruments: Instruments): MarginAccount => {
  const instrument = instruments.get(instrumentId);
  if (instrument === undefined || instrument.kind === "spot") throw new RangeError(`no orders are margined in ${instrumentId}`);
  const after = withStanding(account, instrumentId, told);
  if (after.standing.size <= LIMITS.positionsMax) return after;
  throw new RangeError(`orders or leverage in more than ${LIMITS.positionsMax} instruments in one account`);
};

/** The account with the orders and the leverage of a snapshot and no others. */
const withStated = (account: MarginAccount, { orders = [], leverage = [] }: SnapshotFact, instruments: Instruments): MarginAccount => {
  const none = { buys: 0n as Quantity, sells: 0n as Quantity, leverage: null };
  const cleared = [...account.standing.keys()].reduce((held, id) => withStanding(held, id, none), account);
  const ordered = orders.reduce((held, { instrumentId, ...each }) => beside(held, instrumentId, each, instruments), cleared);
  return leverage.reduce((held, { instrumentId, ...each }) => beside(held, instrumentId, each, instruments), ordered);
};

/** Scopes whose live call a fact may pay: a deposit is CROSS's alone, so that no pool's call is met by it (R9). */
const payable = (fact: Booked, before: MarginAccount): readonly Scope[] => {
  if (before.pools.size === 0 || fact.kind === "deposit" || fact.kind === "withdrawal" || fact.kind === "deposit_pending") return ["CROSS"];
  return fact.kind === "fill" ? [fundedScope(before, fact.instrumentId)] : scopesOf(before);
};

const credited = (fact: Booked, before: MarginAccount, after: MarginAccount, measureIn: MeasureIn): MarginAccount =>
  payable(fact, before).reduce((held, scope) => {
    const view = viewOf(held, scope);
    const paid = withCredit(fact, viewOf(before, scope), view, (each) => measureIn(each, scope));
    return paid === view ? held : withView(held, scope, paid);
  }, after);

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

/** What a scope's balances become, and the postings that make them so. */
const moved = (scope: Scope, before: ReadonlyMap<Asset, Money>, after: ReadonlyMap<Asset, Money>): readonly Posting[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((asset) => postingIn(scope, asset, minus(after.get(asset) ?? ZERO, before.get(asset) ?? ZERO)))
    .filter(({ amount }) => amount !== 0n);

const applySnapshot = (account: MarginAccount, fact: SnapshotFact, instruments: Instruments): Step => {
  const listed = new Map((fact.pools ?? []).map(({ instrumentId, cash }) => [instrumentId, cash]));
  const held = fact.positions.filter(({ quantity }) => quantity !== 0n);
  const opened = [...listed.keys()].filter((instrumentId) => !account.pools.has(instrumentId));
  let next: MarginAccount = opened.reduce((before, instrumentId) => withPool(before, instrumentId, instruments), account);
  const postings = moved("CROSS", account.balances, fact.balances).slice();
  for (const scope of scopesOf(next)) {
    const view = viewOf(next, scope);
    const live = view.live === null ? null : withClosed(view.live, fact.closedOrders ?? [], fact.occurredAt);
    if (scope === "CROSS") {
      const positions = checkedPositions(held.filter(({ instrumentId }) => !listed.has(instrumentId)));
      next = withView(next, scope, { ...view, balances: sortedByAsset(fact.balances), positions, live });
      continue;
    }
    const { instrumentId, asset } = next.pools.get(scope.slice(4)) as Pool;
    const balances = sortedByAsset(new Map([[asset, listed.get(instrumentId) ?? ZERO]]));
    const positions = listed.has(instrumentId) ? held.filter((position) => position.instrumentId === instrumentId) : [];
    postings.push(...moved(scope, view.balances, balances));
    next = withView(next, scope, { ...view, balances, positions, live });
  }
  // A snapshot from before a restore does not know what happened since the backup (S54): it heals nothing.
  const heals = account.restoredAt === null || fact.occurredAt >= account.restoredAt;
  const synced = heals ? { outOfSync: false, restoredAt: null } : {};
  return { account: { ...withStated(next, fact, instruments), ...synced }, postings };
};

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
    case "open_orders":
      return { account: beside(account, fact.instrumentId, { buys: fact.buys, sells: fact.sells }, instruments), postings: [] };
    case "leverage":
      return { account: beside(account, fact.instrumentId, { leverage: fact.leverage }, instruments), postings: [] };
    case "pool_transfer":
      return applyTransfer(account, fact, instruments);
    case "snapshot":
      return applySnapshot(account, fact, instruments);
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
 * @throws RangeError for a fill or orders in an unknown instrument or a spot pair, and for more positions than an account may hold.
 */
export const applyFacts = (account: MarginAccount, facts: readonly Fact[], instruments: Instruments, measureIn: MeasureIn): Applied => {
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
    held = credited(fact, before, step.account, measureIn);
    entries.push({ fact, postings: step.postings });
    if (step.fill !== undefined) fills.push(step.fill);
  }
  return { account: held, entries, fills };
};
