import { encodeFeed, type FeedMessage } from "../../adapters/wire/feed.ts";
import { type VenueOrder, venueOrder } from "../../adapters/wire/venue.ts";
import type { Fact } from "../../core/ledger.ts";
import { abs, decimal, divide, type Money, min, money, ONE, type Price, price, type Quantity, quantity } from "../../core/money.ts";
import { draws } from "../../local/random.ts";
import type { SimulatedQueue } from "../cloud/queue.ts";
import type { VirtualTime } from "../time/virtual-time.ts";
import { type AccountPlan, isWithin, type VenuePlan } from "./plan.ts";
import { FEE_PPM, LISTINGS, listingOf, MODEL_LISTINGS } from "./terms.ts";

/** What the venue holds of an account: the truth that the book follows. */
export interface Holding {
  readonly accountId: string;
  readonly brokerId: string;
  readonly policyId: string;
  cash: Money;
  readonly positions: Map<string, { quantity: Quantity; entryPrice: Price }>;
  /** Cash of isolated pools by instrument; `cash` counts none of it. */
  readonly pools: Map<string, Money>;
  sequence: number;
}

/** An order as the venue took it. */
export interface TakenOrder {
  readonly order: VenueOrder;
  readonly at: number;
  /** Position of the account when it was executed, before it. */
  readonly position: Quantity;
  readonly filled: Quantity;
  readonly fillPrice: Price | null;
}

/** The exchange's own core and gateway: it trades, it keeps the truth, and it writes the book feed. */
export interface SimulatedVenue {
  open(account: AccountPlan): void;
  /** The market price at which it trades from now on. */
  show(instrumentId: string, at: Price): void;
  /** Takes an order off the queue; what it does with it comes later. */
  take(body: string): void;
  deposit(accountId: string, amount: Money, confirmsMs: number): void;
  /** Books a withdrawal that was allowed. */
  withdraw(accountId: string, amount: Money): void;
  /** The holder moves up to so much into the isolated pool of an instrument, out of it where negative. The first opens it. */
  transfer(accountId: string, instrumentId: string, amount: Money): void;
  /** The holder closes up to `size` at the market. */
  close(accountId: string, instrumentId: string, size: Quantity): void;
  /** Sends the whole account: what heals a gap. */
  snapshot(accountId: string): void;
  /** Sends statements of every account, for the book to be checked by: from now on steadily, where this venue sends any. */
  reconcile(): void;
  readonly holdings: ReadonlyMap<string, Holding>;
  readonly orders: ReadonlyMap<string, TakenOrder>;
  /** External ids that were sent, by account. */
  readonly facts: ReadonlyMap<string, ReadonlySet<string>>;
  onOrder(listener: (taken: TakenOrder) => void): void;
  /** Lost messages whose snapshot is still to come. */
  unsaid(): number;
}

type Dateless<One> = One extends Fact ? Omit<One, "sequence" | "occurredAt"> : never;
/** What has happened, which takes the next number; a statement for a check only says which one was the last. */
type FactBody = Dateless<Exclude<Fact, { readonly kind: "reconciliation" }>>;

const feeOf = (size: Quantity, at: Price): Money => divide(abs(size) * abs(at) * BigInt(FEE_PPM), ONE * 1_000_000n, "up") as Money;
const notionalOf = (size: Quantity, at: Price): Money => divide(size * at, ONE, "down") as Money;
/** What an option's trade pays, rounded against the holder: negative for what is bought. */
const premiumOf = (size: Quantity, at: Price): Money => divide(-size * at, ONE, "down") as Money;
const SNAPSHOT_AFTER_MS = 45_000;
/** Half of the venues send statements to check the book by. Each wakes its account, which a venue without them would not. */
const RECONCILING_SHARE = 0.5;
/** Odd, so that no two rounds of a run fall on the same phase of its other clocks. */
const RECONCILED_EVERY_MS = 71_300;

/** What a venue's luck is drawn from, and who hears what it does. */
interface VenueRun {
  readonly seed: number;
  readonly say: (words: string) => void;
}

class Venue implements SimulatedVenue {
  readonly holdings = new Map<string, Holding>();
  readonly orders = new Map<string, TakenOrder>();
  readonly facts = new Map<string, Set<string>>();
  private readonly time: VirtualTime;
  private readonly feed: SimulatedQueue;
  private readonly plan: VenuePlan;
  private readonly seed: number;
  private readonly say: (words: string) => void;
  private readonly prices = new Map<string, Price>();
  private readonly listeners: ((taken: TakenOrder) => void)[] = [];
  private messages = 0;
  private losses = 0;
  private checks = 0;

  constructor(time: VirtualTime, feed: SimulatedQueue, plan: VenuePlan, { seed, say }: VenueRun) {
    this.say = say;
    this.time = time;
    this.feed = feed;
    this.plan = plan;
    this.seed = seed;
    for (const { instrumentId, openingPrice, priceDecimals } of [...LISTINGS, ...MODEL_LISTINGS])
      this.prices.set(instrumentId, price(openingPrice.toFixed(priceDecimals)));
  }

  onOrder(listener: (taken: TakenOrder) => void): void {
    this.listeners.push(listener);
  }

  show(instrumentId: string, at: Price): void {
    this.prices.set(instrumentId, at);
  }

  open({ accountId, brokerId, policyId, cash, positions }: AccountPlan): void {
    const held = positions.map((one) => ({ ...one, quantity: quantity(one.quantity), entryPrice: price(one.entryPrice) }));
    const holding: Holding = {
      accountId,
      brokerId,
      policyId,
      cash: money(cash),
      positions: new Map(held.map(({ instrumentId, quantity: size, entryPrice }) => [instrumentId, { quantity: size, entryPrice }])),
      pools: new Map(),
      sequence: 0,
    };
    this.holdings.set(accountId, holding);
    this.facts.set(accountId, new Set());
    this.tell(holding, [this.whole(holding, `open-${accountId}`)], true);
  }

  private whole(holding: Holding, externalId: string): FactBody {
    const positions = [...holding.positions].map(([instrumentId, held]) => ({ instrumentId, ...held }));
    const ours = [...this.orders.values()].filter(({ order }) => order.accountId === holding.accountId);
    const closedOrders = ours.map(({ order, filled }) => ({ orderId: order.orderId, filled })).slice(-20);
    const balances = new Map([["USDT", holding.cash]]);
    return { kind: "snapshot", externalId, balances, positions, closedOrders, ...this.poolsOf(holding) };
  }

  /** A statement names pools only where there are any. */
  private poolsOf({ pools }: Holding): { pools?: { instrumentId: string; cash: Money }[] } {
    return pools.size === 0 ? {} : { pools: [...pools].map(([instrumentId, cash]) => ({ instrumentId, cash })) };
  }

  /** Sends facts as one message of the book feed; now and then twice, or not at all until a snapshot. */
  private tell(holding: Holding, bodies: readonly FactBody[], isSure = false): void {
    const now = this.time.now();
    const entries = bodies.map((body) => {
      holding.sequence += 1;
      this.facts.get(holding.accountId)?.add(body.externalId);
      return { ...body, sequence: holding.sequence, occurredAt: now } as Fact;
    });
    const { accountId, brokerId, policyId } = holding;
    const terms = { brokerId, clientClass: "retail", policyId };
    const message: FeedMessage = { schemaVersion: 1, accountId, entries, ...(isSure && { account: terms }) };
    this.messages += 1;
    const draw = draws(this.seed, `feed ${this.messages}`);
    const send = (copy: string): void =>
      this.feed.send({ body: encodeFeed(message), groupId: accountId, dedupId: `${entries[0]?.externalId}${copy}` });
    if (!isSure && draw() < this.plan.lossShare) {
      this.losses += 1;
      this.say(`the venue's message of ${accountId} is lost: ${bodies.map(({ kind }) => kind).join(", ")}`);
      this.time.at(now + SNAPSHOT_AFTER_MS, () => {
        this.losses -= 1;
        this.snapshot(accountId);
      });
      return;
    }
    send("");
    if (draw() < this.plan.repeatShare) this.time.at(now + Math.floor(draw() * 400_000), () => send("again"));
  }

  unsaid(): number {
    return this.losses;
  }

  snapshot(accountId: string): void {
    const holding = this.holdings.get(accountId);
    if (holding !== undefined) this.tell(holding, [this.whole(holding, `snapshot-${accountId}-${holding.sequence + 1}`)], true);
  }

  reconcile(): void {
    if (draws(this.seed, "reconciles")() >= RECONCILING_SHARE) return;
    for (const holding of this.holdings.values()) this.state(holding);
    this.time.at(this.time.now() + RECONCILED_EVERY_MS, () => this.reconcile());
  }

  /** Sends what the account is after the last fact that was told, lost or not; the statement itself may be lost, or come again late. */
  private state(holding: Holding): void {
    const { accountId, cash, positions, sequence } = holding;
    this.checks += 1;
    const [externalId, occurredAt] = [`check-${this.checks}`, this.time.now()];
    const held = [...positions].map(([instrumentId, one]) => ({ instrumentId, ...one }));
    const balances = new Map([["USDT", cash]]);
    const fact: Fact = { kind: "reconciliation", externalId, sequence, occurredAt, balances, positions: held, ...this.poolsOf(holding) };
    const body = encodeFeed({ schemaVersion: 1, accountId, entries: [fact] });
    // A stream of its own: what the venue's other messages draw stays as it was without checks.
    const draw = draws(this.seed, `check ${this.checks}`);
    const send = (copy: string): void => this.feed.send({ body, groupId: accountId, dedupId: `${externalId}${copy}` });
    if (draw() < this.plan.lossShare) return;
    send("");
    if (draw() < this.plan.repeatShare) this.time.at(occurredAt + Math.floor(draw() * 400_000), () => send("again"));
  }

  /** What a trade earns goes to the pool of its instrument, or else to the account's cash. */
  private settle(holding: Holding, instrumentId: string, amount: Money): void {
    const pool = holding.pools.get(instrumentId);
    if (pool === undefined) holding.cash = (holding.cash + amount) as Money;
    else holding.pools.set(instrumentId, (pool + amount) as Money);
  }

  private dropEmpty({ pools, positions }: Holding, instrumentId: string): void {
    if (pools.get(instrumentId) === 0n && !positions.has(instrumentId)) pools.delete(instrumentId);
  }

  transfer(accountId: string, instrumentId: string, amount: Money): void {
    const holding = this.holdings.get(accountId);
    if (holding === undefined) return;
    const pool = holding.pools.get(instrumentId) ?? (0n as Money);
    const [into, out] = [min(amount, holding.cash), min(-amount as Money, pool)];
    const moved = amount > 0n ? into : (-out as Money);
    if (amount > 0n ? into <= 0n : out <= 0n) return;
    holding.cash = (holding.cash - moved) as Money;
    holding.pools.set(instrumentId, (pool + moved) as Money);
    this.dropEmpty(holding, instrumentId);
    this.say(`${accountId} moves ${decimal(moved)} into the pool of ${instrumentId}`);
    const externalId = `transfer-${accountId}-${holding.sequence + 1}`;
    this.tell(holding, [{ kind: "pool_transfer", externalId, instrumentId, amount: moved }]);
  }

  /** Books a trade of a signed quantity that reduces a position, and says so. */
  private trade(holding: Holding, instrumentId: string, size: Quantity, at: Price): Money {
    const position = holding.positions.get(instrumentId);
    const fee = feeOf(size, at);
    const isPremium = listingOf(instrumentId).option !== undefined;
    // What is bought is paid for, what is sold is paid; the position itself earns nothing more.
    if (isPremium) this.settle(holding, instrumentId, premiumOf(size, at));
    if (position === undefined) {
      this.settle(holding, instrumentId, -fee as Money);
      holding.positions.set(instrumentId, { quantity: size, entryPrice: at });
      return fee;
    }
    const wasLong = position.quantity > 0n;
    const profit = notionalOf(
      (abs(size) > abs(position.quantity) ? position.quantity : -size) as Quantity,
      (at - position.entryPrice) as Price,
    );
    this.settle(holding, instrumentId, ((isPremium ? 0n : profit) - fee) as Money);
    position.quantity = (position.quantity + size) as Quantity;
    if (position.quantity !== 0n && position.quantity > 0n !== wasLong) position.entryPrice = at;
    if (position.quantity === 0n) holding.positions.delete(instrumentId);
    this.dropEmpty(holding, instrumentId);
    return fee;
  }

  take(body: string): void {
    const order = venueOrder.parse(JSON.parse(body));
    if (this.orders.has(order.orderId)) return;
    const draw = draws(this.seed, `order ${order.orderId}`);
    const holding = this.holdings.get(order.accountId);
    const position = (holding?.positions.get(order.instrumentId)?.quantity ?? 0n) as Quantity;
    const mark = this.prices.get(order.instrumentId) ?? (0n as Price);
    const slip = divide(mark * BigInt(Math.floor(draw() * 2_000)), 1_000_000n, "up") as Price;
    const at = this.onTick(order.instrumentId, (order.side === "sell" ? mark - slip : mark + slip) as Price);
    const limit = price(order.limitPrice);
    const isInLimit = order.side === "sell" ? at >= limit : at <= limit;
    const room = order.side === "sell" ? (position > 0n ? position : 0n) : position < 0n ? -position : 0n;
    const wanted =
      isInLimit && !isWithin(this.plan.noBids, this.time.now())
        ? order.reduceOnly
          ? min(quantity(order.quantity), room as Quantity)
          : quantity(order.quantity)
        : (0n as Quantity);
    const filled = draw() < this.plan.partialShare ? this.part(order.instrumentId, wanted, draw()) : wanted;
    this.execute(order, { holding, position, filled, at, split: draw() < 0.3 });
  }

  private execute(
    order: VenueOrder,
    {
      holding,
      position,
      filled,
      at,
      split,
    }: { holding: Holding | undefined; position: Quantity; filled: Quantity; at: Price; split: boolean },
  ): void {
    const taken: TakenOrder = { order, at: this.time.now(), position, filled, fillPrice: filled === 0n ? null : at };
    this.orders.set(order.orderId, taken);
    for (const listener of this.listeners) listener(taken);
    if (holding === undefined) return;
    const bodies: FactBody[] = [];
    const { instrumentId, orderId } = order;
    if (filled > 0n) {
      const size = (order.side === "sell" ? -filled : filled) as Quantity;
      const fee = this.trade(holding, instrumentId, size, at);
      bodies.push({ kind: "fill", externalId: `fill-${orderId}`, instrumentId, quantity: size, price: at, fee, orderId });
    }
    const closed: FactBody = { kind: "order_closed", externalId: `closed-${orderId}`, orderId, filled };
    if (split && bodies.length > 0) {
      this.tell(holding, bodies);
      this.tell(holding, [closed]);
    } else this.tell(holding, [...bodies, closed]);
  }

  private onTick(instrumentId: string, at: Price): Price {
    const tick = 10n ** BigInt(8 - listingOf(instrumentId).priceDecimals);
    return ((at / tick) * tick) as Price;
  }

  private part(instrumentId: string, size: Quantity, share: number): Quantity {
    const lot = 10n ** BigInt(8 - listingOf(instrumentId).lotDecimals);
    return ((((size / lot) * BigInt(Math.floor(share * 1_000))) / 1_000n) * lot) as Quantity;
  }

  deposit(accountId: string, amount: Money, confirmsMs: number): void {
    const holding = this.holdings.get(accountId);
    if (holding === undefined) return;
    const externalId = `deposit-${accountId}-${this.time.now() + confirmsMs}-${decimal(amount)}`;
    this.say(`${accountId} deposits ${decimal(amount)}${confirmsMs === 0 ? "" : `, confirmed in ${Math.round(confirmsMs / 1_000)} s`}`);
    const credit = (): void => {
      holding.cash = (holding.cash + amount) as Money;
      this.tell(holding, [{ kind: "deposit", externalId, asset: "USDT", amount }]);
    };
    if (confirmsMs === 0) {
      credit();
      return;
    }
    this.tell(holding, [{ kind: "deposit_pending", externalId: `${externalId}-seen`, asset: "USDT", amount }]);
    this.time.at(this.time.now() + confirmsMs, credit);
  }

  withdraw(accountId: string, amount: Money): void {
    const holding = this.holdings.get(accountId);
    if (holding === undefined) return;
    holding.cash = (holding.cash - amount) as Money;
    this.say(`${accountId} withdraws ${decimal(amount)}`);
    this.tell(holding, [{ kind: "withdrawal", externalId: `withdrawal-${accountId}-${this.time.now()}`, asset: "USDT", amount }]);
  }

  close(accountId: string, instrumentId: string, size: Quantity): void {
    const holding = this.holdings.get(accountId);
    const position = holding?.positions.get(instrumentId);
    const mark = this.prices.get(instrumentId);
    if (holding === undefined || position === undefined || mark === undefined) return;
    const most = min(size, abs(position.quantity));
    if (most <= 0n) return;
    const signed = (position.quantity > 0n ? -most : most) as Quantity;
    this.say(`${accountId} closes ${decimal(signed)} of ${instrumentId}`);
    const externalId = `trade-${accountId}-${holding.sequence + 1}`;
    const at = this.onTick(instrumentId, mark);
    const fee = this.trade(holding, instrumentId, signed, at);
    this.tell(holding, [{ kind: "fill", externalId, instrumentId, quantity: signed, price: at, fee, orderId: null }]);
  }
}

export const createVenue = (time: VirtualTime, feed: SimulatedQueue, plan: VenuePlan, run: VenueRun): SimulatedVenue =>
  new Venue(time, feed, plan, run);
