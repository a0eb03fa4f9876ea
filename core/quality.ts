import type { Instrument } from "./instrument.ts";
import { LIMITS } from "./limits.ts";
import type { Funding, Mark, MarkQuality } from "./mark.ts";
import type { Ppm, Price, Quantity } from "./money.ts";
import { abs, ONE, PPM } from "./money.ts";
import { slowAfter, slowFrom } from "./slow-average.ts";

/** What a mark may be needed for. */
export type MarkAction = "openCall" | "startClock" | "meetByPayment" | "meetByMarket" | "closeOut" | "trade" | "withdraw";

/**
 * What each quality allows (R3). `conservative` means: on the account's worse value for whoever
 * would gain: E_low for calls and withdrawals, E_high for a liquidation.
 */
export const ACTIONS: Readonly<Record<MarkAction, Readonly<Record<MarkQuality, "allowed" | "conservative" | "refused">>>> = {
  /** Opening or topping up a call: on E_low. */
  openCall: { GOOD: "allowed", MODEL: "conservative", STALE: "conservative", SUSPECT: "conservative", MISSING: "conservative" },
  /** Starting the grace of a call that exists only on E_low: it waits for a GOOD mark. */
  startClock: { GOOD: "allowed", MODEL: "refused", STALE: "refused", SUSPECT: "refused", MISSING: "refused" },
  /** R10 a: what was paid counts at E_low. */
  meetByPayment: { GOOD: "allowed", MODEL: "conservative", STALE: "conservative", SUSPECT: "conservative", MISSING: "conservative" },
  /** R10 b: the market meets a call on GOOD marks only. */
  meetByMarket: { GOOD: "allowed", MODEL: "refused", STALE: "refused", SUSPECT: "refused", MISSING: "refused" },
  /** Deciding a liquidation: needs E_high < MM. */
  closeOut: { GOOD: "allowed", MODEL: "conservative", STALE: "conservative", SUSPECT: "conservative", MISSING: "conservative" },
  /** Trading a leg in a liquidation: only where its own mark is GOOD. */
  trade: { GOOD: "allowed", MODEL: "refused", STALE: "refused", SUSPECT: "refused", MISSING: "refused" },
  /** R16: a withdrawal is decided on E_low. */
  withdraw: { GOOD: "allowed", MODEL: "conservative", STALE: "conservative", SUSPECT: "conservative", MISSING: "refused" },
};

const RANK: Readonly<Record<MarkQuality, number>> = { GOOD: 0, MODEL: 1, STALE: 2, SUSPECT: 3, MISSING: 4 };

/** The worse of two qualities; MISSING is the worst. */
export const worseQuality = (a: MarkQuality, b: MarkQuality): MarkQuality => (RANK[a] >= RANK[b] ? a : b);

/**
 * Where a price stands against what its source can say at all (S05). At its least answer the truth may be anything
 * below, at its greatest anything above.
 */
export const sourceBoundOf = (price: Price, { markRule: { minAnswer, maxAnswer } }: Instrument): "least" | "greatest" | null => {
  if (minAnswer !== undefined && price <= minAnswer) return "least";
  return maxAnswer !== undefined && price >= maxAnswer ? "greatest" : null;
};

/**
 * What a mark is good for at an instant (R3).
 *
 * A price at a bound of its source is SUSPECT however new it is (S05).
 * A candidate that nothing confirmed or refuted for `suspectAfterMs` makes the mark SUSPECT: the
 * market may have moved and nobody says so. Age counts from the price's own instant.
 */
export const qualityAt = (mark: Mark | undefined, instrument: Instrument, now: number): MarkQuality => {
  if (mark === undefined) return "MISSING";
  const { ageMaxMs, suspectAfterMs } = instrument.markRule;
  if (sourceBoundOf(mark.price, instrument) !== null) return "SUSPECT";
  if (mark.candidate !== null && now - mark.candidate.asOf >= suspectAfterMs) return "SUSPECT";
  return now - mark.asOf > ageMaxMs ? "STALE" : "GOOD";
};

/** The first instant after `now` at which time alone changes the quality; infinity when it never does. */
export const qualityUntil = (mark: Mark | undefined, instrument: Instrument, now: number): number => {
  if (mark === undefined) return Number.POSITIVE_INFINITY;
  const { ageMaxMs, suspectAfterMs } = instrument.markRule;
  const turns = [mark.asOf + ageMaxMs + 1, mark.candidate === null ? now : mark.candidate.asOf + suspectAfterMs];
  return Math.min(...turns.filter((turn) => turn > now), Number.POSITIVE_INFINITY);
};

export interface Tick {
  readonly instrumentId: string;
  readonly price: Price;
  readonly asOf: number;
  readonly source: string;
  /** Of a spot pair: what everybody deposited of its base asset, in units; not negative. A tick without it leaves the last figure. */
  readonly totalDeposits?: Quantity | undefined;
  /** Of a contract: what is open of it in the market, not negative. A tick without it leaves the last figure. */
  readonly openInterest?: Quantity | undefined;
  /** How sure the feed is of this price, 0 to 1,000,000; absent is sure. */
  readonly confidencePpm?: Ppm;
  /** Of a perpetual, ignored elsewhere. A tick without it leaves the last one. */
  readonly funding?: Funding;
}

export interface MarkJudgement {
  readonly outcome: "accepted" | "candidate" | "rejected" | "duplicate";
  /** The mark as it stands after the tick; null only when there was none and the tick was rejected. */
  readonly mark: Mark | null;
  readonly reason: string;
}

/** `|to − from|` within `ppm` of `|from|`, without a division: the base may be 0 or negative (S20). */
const within = (from: Price, to: Price, ppm: Ppm, room: bigint): boolean => {
  const move = abs((to - from) as Price);
  return move <= room || move * PPM <= abs(from) * BigInt(ppm);
};

/** True where two prices of an instrument are near enough that one confirms the other. */
export const agrees = (one: Price, other: Price, { markRule }: Instrument): boolean => within(one, other, markRule.agreePpm, 0n);

/** The price move that the least margin of one contract covers: the room of a guard or band where |price| may be near 0. */
const roomOf = ({ allowNonPositive, marginMinPerUnit, multiplier }: Instrument): bigint =>
  allowNonPositive ? (marginMinPerUnit * ONE) / multiplier : 0n;

/** Half width of the band around a price (R3, R20), rounded down: `|P| · bandPpm`, or the room of the least margin. */
export const bandWidth = (price: Price, instrument: Instrument): Price => {
  const share = (abs(price) * BigInt(instrument.bandPpm)) / PPM;
  const room = roomOf(instrument);
  return (share > room ? share : room) as Price;
};

/** Why a tick can be no price of this instrument at this time, or null. */
const refusal = (previous: Mark | null, tick: Tick, instrument: Instrument, now: number): string | null => {
  if (tick.instrumentId !== instrument.instrumentId) return `tick of ${tick.instrumentId} offered to ${instrument.instrumentId}`;
  if (!Number.isSafeInteger(tick.asOf) || tick.asOf <= 0) return "no instant";
  if (tick.asOf > now + LIMITS.skewMs) return "from the future";
  if (!instrument.allowNonPositive && tick.price <= 0n) return tick.price === 0n ? "zero price" : "negative price";
  if (previous === null) return null;
  if (tick.asOf < previous.asOf) return "older than the last accepted price";
  if (tick.asOf === previous.asOf && tick.price !== previous.price) return "another value for the same instant";
  if (instrument.allowNonPositive || tick.asOf - previous.asOf >= LIMITS.unitMistakeAgeMs) return null;
  const [small, large] = tick.price < previous.price ? [tick.price, previous.price] : [previous.price, tick.price];
  return large >= small * BigInt(LIMITS.unitMistakeFactor) ? `off by a factor of ${LIMITS.unitMistakeFactor} or more` : null;
};

/** The mark that an accepted tick makes of the one before. */
const acceptedMark = (previous: Mark | null, tick: Tick, { markRule, kind, expiryAt }: Instrument): Mark => {
  const { instrumentId, price, asOf, source, totalDeposits, openInterest, confidencePpm } = tick;
  const isPerpetual = expiryAt === null && (kind === "linear" || kind === "inverse");
  const funding = isPerpetual ? (tick.funding ?? previous?.funding) : undefined;
  const { slowHalfLifeMs = 0 } = markRule;
  const deposits = totalDeposits === undefined ? previous?.deposits : { total: totalDeposits, asOf };
  const interest = openInterest === undefined ? previous?.interest : { total: openInterest, asOf };
  return {
    instrumentId,
    price,
    asOf,
    source,
    candidate: null,
    ...(slowHalfLifeMs > 0 && { slow: previous === null ? slowFrom(price) : slowAfter(previous, asOf, slowHalfLifeMs) }),
    ...(confidencePpm !== undefined && { confidencePpm }),
    ...(funding !== undefined && { funding }),
    ...(interest !== undefined && { interest }),
    ...(deposits !== undefined && { deposits }),
  };
};

/**
 * Judges one tick against the last accepted mark (S17, S20, S21).
 *
 * A move beyond the guard becomes a candidate: price and quality stay those of the last accepted
 * mark, so that a wick opens no call. A later tick near the candidate confirms it and is accepted; a
 * tick within the guard refutes and drops it; one that is neither replaces it. The guard widens with
 * the time since the last accepted price, up to its ceiling, and is measured against |price|: an
 * instrument that allows prices of 0 and below also gets the room of its least margin per unit.
 *
 * @returns `accepted` (the mark moves), `candidate` (it keeps its price and carries the jump),
 *   `duplicate` (the same value for the same instant) or `rejected` (nothing changes), each with a reason.
 */
export const judgeMark = (previous: Mark | null, tick: Tick, instrument: Instrument, now: number): MarkJudgement => {
  const refused = refusal(previous, tick, instrument, now);
  if (refused !== null) return { outcome: "rejected", mark: previous, reason: refused };
  const accepted = acceptedMark(previous, tick, instrument);
  if (previous === null) return { outcome: "accepted", mark: accepted, reason: "first price" };
  if (tick.asOf === previous.asOf) return { outcome: "duplicate", mark: previous, reason: "the same price again" };
  const { jumpPpmPerMinute, jumpPpmMax } = instrument.markRule;
  const minutes = Math.max(1, Math.floor((tick.asOf - previous.asOf) / 60_000));
  const room = roomOf(instrument);
  if (within(previous.price, tick.price, Math.min(jumpPpmMax, jumpPpmPerMinute * minutes), room)) {
    return { outcome: "accepted", mark: accepted, reason: previous.candidate === null ? "within the guard" : "the jump was refuted" };
  }
  const { candidate } = previous;
  if (candidate !== null && tick.asOf <= candidate.asOf) {
    const same = tick.asOf === candidate.asOf && tick.price === candidate.price;
    return same
      ? { outcome: "duplicate", mark: previous, reason: "the same jump again" }
      : { outcome: "rejected", mark: previous, reason: "not newer than the jump that waits" };
  }
  if (candidate !== null && agrees(candidate.price, tick.price, instrument)) {
    return { outcome: "accepted", mark: accepted, reason: "a second tick agrees with the jump" };
  }
  return {
    outcome: "candidate",
    mark: { ...previous, candidate: { price: tick.price, asOf: tick.asOf } },
    reason: "beyond the guard: waits for a second tick",
  };
};
