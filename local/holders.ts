import type { EventMessage } from "../adapters/wire/events.ts";
import type { FeedMessage } from "../adapters/wire/feed.ts";
import { divide, type Money, money, type Quantity, quantity } from "../core/money.ts";
import { draws, pick } from "./random.ts";
import type { Venue } from "./venue.ts";

/** What a holder makes of a margin call, and when. */
export interface Reaction {
  readonly callId: string;
  readonly accountId: string;
  readonly at: number;
  /** pay: the outstanding amount; payPart: some of it; reduce: closes part of a position; leave: closes everything. */
  readonly kind: "pay" | "payPart" | "reduce" | "leave";
  /** Share of the outstanding amount that a part payment covers, in parts per million. */
  readonly sharePpm: number;
  /** True for a holder who pays in a coin where the call offers one. */
  readonly inCoin: boolean;
}

/** Four in ten pay in time, one pays too little, one trades down, one in twenty leaves the market, the rest do nothing. */
const BEHAVIOURS = [
  ["pay", 40],
  ["payPart", 10],
  ["reduce", 12],
  ["leave", 5],
  ["nothing", 33],
] as const;

/** One in ten acts within the last seconds before the deadline, where races are. */
const LAST_SECONDS_SHARE = 0.1;
const LAST_SECONDS_MS = 10_000;

type Call = NonNullable<EventMessage["call"]>;

/**
 * The reaction that the seed gives to a call, told by its first notice.
 *
 * @returns null for any other event, and for a holder who does nothing.
 */
export const reactionTo = (event: EventMessage, seed: number): Reaction | null => {
  if (event.type !== "margin_call.issued" || event.call === null) return null;
  const { callId, issuedAt, deadlineAt, graceMs } = event.call;
  const draw = draws(seed, `holder ${callId}`);
  const behaviour = pick(draw, BEHAVIOURS);
  if (behaviour === "nothing") return null;
  const from = Date.parse(issuedAt);
  const until = deadlineAt === null ? from + graceMs : Date.parse(deadlineAt);
  const lastSeconds = draw() < LAST_SECONDS_SHARE;
  const share = draw();
  const at = lastSeconds ? until - Math.ceil(share * LAST_SECONDS_MS) : from + Math.ceil((until - from) * (0.1 + 0.8 * share));
  return {
    callId,
    accountId: event.accountId,
    at,
    kind: behaviour,
    sharePpm: 200_000 + Math.floor(draw() * 600_000),
    inCoin: draw() < 0.3,
  };
};

interface Payment {
  readonly asset: string;
  readonly amount: Money;
}

/** What is still to pay, or the whole amount in a coin of the call's cures when nothing was paid yet. */
const payment = (reaction: Reaction, call: Call): Payment => {
  const outstanding = money(call.outstanding);
  if (reaction.kind === "payPart") {
    return { asset: call.asset, amount: divide(outstanding * BigInt(reaction.sharePpm), 1_000_000n, "up") as Money };
  }
  const coin = call.cures.find((cure) => cure.kind === "deposit" && cure.asset !== call.asset);
  return reaction.inCoin && coin?.kind === "deposit" && money(call.metAmount) === 0n
    ? { asset: coin.asset, amount: money(coin.amount) }
    : { asset: call.asset, amount: outstanding };
};

/** The instrument of a pool's call; null for a call of CROSS. */
const poolOf = ({ scope }: Call): string | null => (scope === "CROSS" ? null : scope.slice("ISO#".length));

/** Cash for a pool: out of CROSS where it has as much, else paid in first. One who pays in coin by habit pays in anyhow. */
const fund = (reaction: Reaction, instrumentId: string, { asset, amount }: Payment, venue: Venue, now: number): FeedMessage[] => {
  const { accountId, inCoin } = reaction;
  const has = (venue.cash(accountId).get(asset) ?? 0n) >= amount;
  const paidIn = has && !inCoin ? [] : [venue.deposit(accountId, asset, amount, now)];
  const moved = venue.transfer(accountId, instrumentId, amount, now);
  return moved === null ? paidIn : [...paidIn, moved];
};

/** What of the account the call is about: its pool's instrument, or everything that no pool has. */
const held = (reaction: Reaction, call: Call, venue: Venue): (readonly [string, Quantity])[] => {
  const pool = poolOf(call);
  const positions = [...venue.holding(reaction.accountId)].map(([id, size]) => [id, (size < 0n ? -size : size) as Quantity] as const);
  return positions.filter(([id]) => (pool === null ? !venue.isIsolated(reaction.accountId, id) : id === pool));
};

/**
 * Carries a reaction out at the venue.
 *
 * @param call The call as its newest event shows it.
 * @returns the facts that come of it, in order; none when the call has ended or nothing is left to do.
 */
export const react = (reaction: Reaction, call: Call, venue: Venue, now: number): FeedMessage[] => {
  if (call.status !== "OPEN") return [];
  const { accountId } = reaction;
  if (reaction.kind === "pay" || reaction.kind === "payPart") {
    const { asset, amount } = payment(reaction, call);
    if (amount <= 0n) return [];
    const pool = poolOf(call);
    return pool === null ? [venue.deposit(accountId, asset, amount, now)] : fund(reaction, pool, { asset, amount }, venue, now);
  }
  const wanted: readonly (readonly [string, Quantity])[] =
    reaction.kind === "leave"
      ? held(reaction, call, venue)
      : call.cures.flatMap((cure) => (cure.kind === "reduce" ? [[cure.instrumentId, quantity(cure.quantity)] as const] : [])).slice(0, 1);
  return wanted.map(([instrumentId, size]) => venue.close(accountId, instrumentId, size, now)).filter((message) => message !== null);
};

/** Event types that end a call or start its liquidation: its holder's plans are off. */
export const ENDING_TYPES: ReadonlySet<string> = new Set(["margin_call.met", "margin_call.cancelled", "liquidation.started"]);
