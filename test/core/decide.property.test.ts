import fc from "fast-check";
import { expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { type CallStatus, isLiveCall, type MarginCall } from "../../core/call.ts";
import { acceptNotice, acknowledge, cancelCall, markOrdersSent } from "../../core/commands.ts";
import { waysToCure } from "../../core/cure.ts";
import { decide } from "../../core/decide.ts";
import type { Change } from "../../core/decision.ts";
import type { Fact } from "../../core/ledger.ts";
import { isBelowCall, isCloseOut } from "../../core/level.ts";
import { LIMITS } from "../../core/limits.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { abs, decimal, type Money, type Price, type Quantity } from "../../core/money.ts";
import { isLiveOrder, type LiquidationOrder } from "../../core/order.ts";
import { assess } from "../../core/statement.ts";
import { accountWith, market, POLICY, position, T0 } from "./call-fixtures.ts";

const EDGES: Readonly<Record<CallStatus, readonly CallStatus[]>> = {
  OPEN: ["OPEN", "MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATING"],
  LIQUIDATING: ["LIQUIDATING", "LIQUIDATED", "LIQUIDATION_FAILED", "MET"],
  MET: [],
  CANCELLED: [],
  CLOSED_FLAT: [],
  LIQUIDATED: [],
  LIQUIDATION_FAILED: [],
};

/** What the store would hold after some changes, and what must be true of it. */
interface Book {
  account: MarginAccount;
  readonly calls: Map<string, MarginCall>;
  readonly orders: Map<string, LiquidationOrder>;
  readonly sums: Map<string, bigint>;
  readonly topUps: Map<string, number>;
}

interface Scene {
  readonly now: number;
  readonly snapshot: MarketSnapshot;
  readonly policy: PolicyInMode;
  /** Whether the change is a decision; a command sees no prices. */
  readonly decided: boolean;
}

const checkCall = (book: Book, call: MarginCall, { now, snapshot, policy, decided }: Scene, after: MarginAccount): void => {
  const before = book.calls.get(call.callId);
  if (before === undefined) {
    expect(call.version).toBe(1);
    expect(["OPEN", "LIQUIDATING"]).toContain(call.status);
    expect(call.graceMs >= policy.graceMinMs || call.status === "LIQUIDATING").toBe(true);
    if (call.deadlineAt !== null) expect(call.deadlineAt).toBe(now + LIMITS.writeBudgetMs + policy.noticeAllowanceMs + call.graceMs);
  } else {
    expect(call.version).toBe(before.version + 1);
    // I02: only along the allowed edges; what has ended stays as it is.
    expect(EDGES[before.status]).toContain(call.status);
    // I05: never earlier, and it does not go away.
    if (before.deadlineAt !== null) expect(call.deadlineAt ?? 0).toBeGreaterThanOrEqual(before.deadlineAt);
    expect(call.deadlineVersion >= before.deadlineVersion).toBe(true);
    expect(call.deadlineAt !== before.deadlineAt).toBe(call.deadlineVersion !== before.deadlineVersion);
    book.topUps.set(call.episodeId, (book.topUps.get(call.episodeId) ?? 0) + call.topUps - before.topUps);
    expect(book.topUps.get(call.episodeId) ?? 0).toBeLessThanOrEqual(policy.topUpsMax);
    if (before.status === "LIQUIDATING" && call.status === "MET") {
      // R8: only while no order has left.
      const mine = [...book.orders.values()].filter((order) => order.callId === call.callId);
      expect(mine.every((order) => order.sentAt === null && order.filled === 0n)).toBe(true);
    }
  }
  expect(call.metAmount >= 0n && call.confirmingAmount >= 0n).toBe(true);
  if (call.extendedAt !== (before?.extendedAt ?? null)) {
    // R15: once, at the deadline, by 10 minutes, and never under MM.
    expect([before?.extendedAt, call.extendedAt]).toEqual([null, now]);
    expect(now - 2 * LIMITS.skewMs).toBeGreaterThanOrEqual(before?.deadlineAt ?? Number.POSITIVE_INFINITY);
    expect((call.deadlineAt ?? 0) - (before?.deadlineAt ?? 0)).toBe(600_000);
    expect(isCloseOut(after, assess(after, snapshot, policy, now), policy.levels)).toBe(false);
    seen.add("extended");
  }
  if (call.status === "LIQUIDATING" && before?.status !== "LIQUIDATING" && decided) {
    // I04: not before the promised deadline, unless E_high < MM.
    if (call.liquidationReason === "deadline")
      expect(now - 2 * LIMITS.skewMs).toBeGreaterThanOrEqual(call.deadlineAt ?? Number.POSITIVE_INFINITY);
    else expect(isCloseOut(after, assess(after, snapshot, policy, now), policy.levels)).toBe(true);
  }
};

const checkOrder = (book: Book, order: LiquidationOrder, { snapshot, policy, now }: Scene, change: Change): void => {
  const before = book.orders.get(order.orderId);
  // I11: filled + cancelled + open = ordered.
  expect(order.filled + order.cancelled <= order.quantity).toBe(true);
  expect(isLiveOrder(order)).toBe(order.filled + order.cancelled < order.quantity);
  if (before !== undefined) {
    expect(isLiveOrder(before)).toBe(true);
    expect(order.filled >= before.filled && order.quantity === before.quantity).toBe(true);
    return;
  }
  // I09, I10, R28: a pure id, at most the position, on its reducing side, in enforce, in sync, on a GOOD leg.
  expect(order.orderId).toBe(`${order.callId}-${order.attempt}-${order.instrumentId}`);
  const held = change.after.positions.find(({ instrumentId }) => instrumentId === order.instrumentId)?.quantity ?? 0n;
  expect(order.quantity > 0n && order.quantity <= abs(held as Quantity)).toBe(true);
  expect(order.side).toBe(held > 0n ? "sell" : "buy");
  expect(policy.mode).toBe("enforce");
  expect(change.after.outOfSync).toBe(false);
  const mark = snapshot.marks.get(order.instrumentId);
  expect(now - (mark?.asOf ?? 0)).toBeLessThanOrEqual(5 * 60_000);
  // I06: its call is in LIQUIDATING in the same change.
  expect(change.calls.find(({ callId }) => callId === order.callId)?.status).toBe("LIQUIDATING");
};

const commit = (book: Book, change: Change | null, scene: Scene): void => {
  if (change === null) return;
  expect(change.before).toBe(book.account);
  expect(change.after.version).toBe(change.before.version + 1);
  expect(4 + change.orders.length + change.entries.length).toBeLessThanOrEqual(LIMITS.transactionRowsMax);
  for (const call of change.calls) checkCall(book, call, scene, change.after);
  for (const order of change.orders) checkOrder(book, order, scene, change);
  for (const call of change.calls) book.calls.set(call.callId, call);
  for (const order of change.orders) book.orders.set(order.orderId, order);
  for (const { postings } of change.entries) {
    for (const { asset, amount } of postings) book.sums.set(asset, (book.sums.get(asset) ?? 0n) + amount);
  }
  book.account = change.after;
  // I01: at most one live call, and the account names it.
  const live = [...book.calls.values()].filter(isLiveCall);
  expect(live.map(({ callId }) => callId)).toEqual(Object.values(book.account.openCalls));
  expect(book.account.live?.call ?? null).toEqual(live[0] ?? null);
  // No live order without a live call in LIQUIDATING.
  const open = [...book.orders.values()].filter(isLiveOrder);
  expect(
    open.every(({ callId, attempt }) => live[0]?.callId === callId && live[0].status === "LIQUIDATING" && live[0].attempt === attempt),
  ).toBe(true);
  expect(open.every((order) => book.account.live?.orders.includes(order))).toBe(true);
  // I14: postings are balances.
  expect(new Map([...book.sums].filter(([, amount]) => amount !== 0n))).toEqual(new Map(book.account.balances));
  // I22: an event shows the committed version.
  for (const { call } of change.events) {
    if (call !== null)
      expect(book.calls.get(call.callId)).toMatchObject({ version: call.version, status: call.status, metAmount: call.metAmount });
  }
};

const decideAndCheck = (book: Book, scene: Scene, facts: readonly Fact[]): void => {
  const { snapshot, policy, now } = scene;
  commit(book, decide(book.account, snapshot, policy, now, facts), scene);
  // Deciding again at the same instant changes nothing.
  expect(decide(book.account, snapshot, policy, now)).toBeNull();
  // R1: nobody stays below the call level uncalled, but by less than the minimum transfer amount.
  const { account } = book;
  const statement = assess(account, snapshot, policy, now);
  if (account.live === null && account.positions.length > 0 && isBelowCall(account, statement.low, policy.levels)) {
    expect(waysToCure(account, statement, snapshot, policy).amountDue < policy.minimumTransfer).toBe(true);
  }
};

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(0, 1_000, 5_000, 60_000, 240_000, 960_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("move" as const),
      btc: fc.integer({ min: 930, max: 1_075 }),
      eth: fc.integer({ min: 930, max: 1_075 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stale" as const), ageMs: fc.constantFrom(0, 400_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pay" as const),
      percent: fc.integer({ min: 1, max: 130 }),
      lateMs: fc.integer({ min: 0, max: 1_200_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("announce" as const), percent: fc.integer({ min: 50, max: 130 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("take" as const), amount: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      eth: fc.boolean(),
      percent: fc.integer({ min: -130, max: 40 }),
      skip: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("heal" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("send" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("venue" as const), percent: fc.integer({ min: 0, max: 100 }), ends: fc.boolean() }),
  },
  // The holder closes everything at once; the venue returns every order unfilled, a few seconds later.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("flatten" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("refuse" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("notice" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

const seen = new Set<string>();

const walk = (policy: PolicyInMode, actions: readonly Action[]): void => {
  const start = accountWith({ USDT: "22" }, [position("BTC-PERP", "1", "100"), position("ETH-PERP", "-1", "100")]);
  const book: Book = { account: start, calls: new Map(), orders: new Map(), sums: new Map(start.balances), topUps: new Map() };
  let [now, btc, eth, ageMs, sequence] = [T0, 10_000_000_000n, 10_000_000_000n, 0, 1];
  const base = (occurredAt = now) => {
    sequence += 1;
    return { externalId: `X-${sequence}`, sequence, occurredAt };
  };
  const scene = (decided: boolean): Scene => {
    const prices = {
      "BTC-PERP": [decimal(btc as Price), ageMs],
      "ETH-PERP": decimal(eth as Price),
      "BTC-USDT": decimal(btc as Price),
    } as const;
    return { now, snapshot: market(now, prices), policy, decided };
  };
  const fillOf = (instrumentId: string, size: bigint, orderId: string | null): Fact => ({
    ...base(),
    kind: "fill",
    instrumentId,
    quantity: size as Quantity,
    price: (instrumentId === "BTC-PERP" ? btc : eth) as Price,
    fee: 1_000n as Money,
    orderId,
  });
  const factsOf = (each: Action): readonly Fact[] => {
    const live = book.account.live;
    switch (each.kind) {
      case "pay": {
        const due = live?.call.amountDue ?? 100_000_000n;
        return [
          { ...base(now - each.lateMs), kind: "deposit", asset: "USDT", amount: ((due * BigInt(each.percent)) / 100n + 1n) as Money },
        ];
      }
      case "announce": {
        const due = live?.call.amountDue ?? 100_000_000n;
        return [{ ...base(), kind: "deposit_pending", asset: "USDT", amount: ((due * BigInt(each.percent)) / 100n + 1n) as Money }];
      }
      case "take":
        return [{ ...base(), kind: "withdrawal", asset: "USDT", amount: (BigInt(each.amount) * 100_000_000n) as Money }];
      case "trade": {
        const instrumentId = each.eth ? "ETH-PERP" : "BTC-PERP";
        const held = book.account.positions.find((one) => one.instrumentId === instrumentId)?.quantity ?? 50_000_000n;
        if (each.skip) sequence += each.percent > 30 ? 1 : 0;
        return [fillOf(instrumentId, (held * BigInt(each.percent)) / 100n, null)];
      }
      case "flatten":
        return book.account.positions.map(({ instrumentId, quantity }) => fillOf(instrumentId, -quantity, null));
      case "refuse":
        return (live?.orders ?? [])
          .filter(isLiveOrder)
          .map(({ orderId, filled }): Fact => ({ ...base(), kind: "order_closed", orderId, filled }));
      case "heal":
        return [{ ...base(), kind: "snapshot", balances: book.account.balances, positions: book.account.positions }];
      case "venue": {
        const order = live?.orders.find(({ status }) => status === "SENT");
        if (order === undefined) return [];
        // The venue caps at the live position, as a reduce-only order does.
        const held = book.account.positions.find(({ instrumentId }) => instrumentId === order.instrumentId)?.quantity ?? 0n;
        const room = order.side === "sell" ? held : -held;
        const open = order.quantity - order.filled - order.cancelled;
        const most = room < 0n ? 0n : room < open ? room : open;
        const size = (most * BigInt(each.percent)) / 100n;
        const filled: Fact[] = size === 0n ? [] : [fillOf(order.instrumentId, order.side === "sell" ? -size : size, order.orderId)];
        return each.ends
          ? [...filled, { ...base(), kind: "order_closed", orderId: order.orderId, filled: (order.filled + size) as Quantity }]
          : filled;
      }
      default:
        return [];
    }
  };
  for (const each of actions) {
    if (each.kind === "wait") now += each.ms;
    if (each.kind === "refuse") now += LIMITS.attemptGapMs;
    if (each.kind === "move") [btc, eth] = [(btc * BigInt(each.btc)) / 1_000n, (eth * BigInt(each.eth)) / 1_000n];
    if (each.kind === "stale") ageMs = each.ageMs;
    const { live } = book.account;
    if (each.kind === "send")
      commit(book, markOrdersSent(book.account, live?.orders.map(({ orderId }) => orderId) ?? [], now), scene(false));
    if (each.kind === "cancel") commit(book, cancelCall(book.account, "test", now), scene(false));
    if (each.kind === "notice" && live !== null) {
      commit(book, acknowledge(book.account, "op", now), scene(false));
      commit(book, acceptNotice(book.account, policy, { callId: live.call.callId, acceptedAt: now }, now), scene(false));
    }
    decideAndCheck(book, scene(true), factsOf(each));
  }
  for (const call of book.calls.values()) seen.add(`${call.status}${call.metBy === null ? "" : ` by ${call.metBy}`}`);
};

test("I01, I02, I04-I06, I09-I11, I14, I22, R15: hold over any walk of facts, prices and time", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("observe" as const, "notify" as const, "enforce" as const, "enforce" as const, "enforce" as const),
      fc.constantFrom("reduce" as const, "reduce" as const, "restrict" as const),
      fc.boolean(),
      fc.array(action, { minLength: 10, maxLength: 60 }),
      (mode, onUnmet, inclusive, actions) => {
        walk({ ...POLICY, mode, onUnmet, levels: { ...POLICY.levels, inclusive } }, actions);
      },
    ),
    { numRuns: 1_500, seed: 20_260_105 },
  );
  // The walk is worth something only if it reaches every end.
  expect([...seen].sort()).toEqual([
    "CANCELLED",
    "CLOSED_FLAT",
    "LIQUIDATED",
    "LIQUIDATING",
    "LIQUIDATION_FAILED",
    "MET by market",
    "MET by payment",
    "OPEN",
    "extended",
  ]);
});
