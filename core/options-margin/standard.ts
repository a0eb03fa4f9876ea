import type { Money, Price } from "../money.ts";
import { max, ONE, PPM, ZERO } from "../money.ts";
import { addRatio, negateRatio, ratio, roundRatio } from "../ratio.ts";
import { faultOf, forUnits, type OptionLeg, type OptionMarginFault, type OptionMarket, unitsOf, worthOf } from "./leg.ts";
import { payoffAt, unpairedCalls, type WorstPayoff, worstPayoff } from "./payoff.ts";
import { type Schedule, shortUnit, straddleSaving } from "./singles.ts";
import type { OptionMarginTerms } from "./terms.ts";

/** What decided a requirement: each option alone, or the worst that the expiry can pay at settlement. */
export type Bound = "singles" | "worst payoff";

/** A requirement of one expiry with both of its bounds. */
export interface BoundedRequirement {
  readonly required: Money;
  readonly bound: Bound;
  /** Sum of the options alone, less what straddles save. */
  readonly singles: Money;
  /** Null where the payoff has no bound, or the terms give none. */
  readonly worstPayoff: Money | null;
}

/** What one option contributes. */
export interface OptionPart {
  readonly instrumentId: string;
  /** Requirement of the option alone, rounded up. */
  readonly initial: Money;
  readonly maintenance: Money;
  /** Units at its mark; negative for a short one. */
  readonly value: Money;
  /** What it pays at the price at which the expiry pays least; 0 where there is no such price. Rounded down. */
  readonly worstPayoff: Money;
}

export interface ExpiryMargin {
  readonly expiryAt: number;
  readonly initial: BoundedRequirement;
  readonly maintenance: BoundedRequirement;
  /** Settlement price at which the expiry pays least; null where it is without bound. */
  readonly worstAt: Price | "infinity" | null;
  readonly parts: readonly OptionPart[];
}

export interface OptionMargin {
  readonly ok: true;
  readonly initial: Money;
  readonly maintenance: Money;
  /** Value of all legs at their marks. No part of equity for premium style (R6). */
  readonly value: Money;
  readonly expiries: readonly ExpiryMargin[];
}

/** Requirement of one leg alone: nothing for an option bought and paid for, its value for one that is settled daily. */
const alone = (leg: OptionLeg, spot: Price, terms: OptionMarginTerms, schedule: Schedule): Money => {
  const settled = leg.style === "futures";
  const units = unitsOf(leg);
  if (units >= 0n) return settled ? forUnits(ratio(leg.value), units, "up") : ZERO;
  const unit = shortUnit(leg, spot, terms, schedule);
  return forUnits(settled ? addRatio(unit, ratio(-leg.value)) : unit, -units, "up");
};

/** Minus the worst payoff, with the charge on uncovered calls; for daily settled options from their value, which equity holds. */
const byPayoff = (
  legs: readonly OptionLeg[],
  worst: WorstPayoff | null,
  forward: Price,
  terms: OptionMarginTerms,
  schedule: Schedule,
): Money | null => {
  const unpaired = unpairedCalls(legs);
  if (worst === null || (unpaired > 0n && terms.unpairedCall === null)) return null;
  const rate = BigInt(terms.unpairedCall?.[schedule] ?? 0);
  const settled = legs.reduce((sum, leg) => (leg.style === "futures" ? sum + unitsOf(leg) * leg.value : sum), 0n);
  const loss = addRatio(negateRatio(worst.payoff), ratio(settled, ONE * ONE));
  return max(roundRatio(addRatio(loss, ratio(unpaired * forward * rate, ONE * ONE * PPM)), "up"), 0n) as Money;
};

const marginOfExpiry = (expiryAt: number, legs: readonly OptionLeg[], market: OptionMarket, terms: OptionMarginTerms): ExpiryMargin => {
  const { spot } = market;
  const forward = market.forwards.get(expiryAt) ?? spot;
  const worst = worstPayoff(legs);
  const parts = legs.map((leg) => ({
    instrumentId: leg.instrumentId,
    initial: alone(leg, spot, terms, "initial"),
    maintenance: alone(leg, spot, terms, "maintenance"),
    value: worthOf(leg),
    worstPayoff: (worst === null ? 0n : roundRatio(payoffAt(leg, worst.at), "down")) as Money,
  }));
  // Pairs of straddles are made for each schedule, so only the floor keeps IM from falling below MM.
  const bounded = (schedule: Schedule, floor: Money): BoundedRequirement => {
    const sum = parts.reduce((total, part) => total + part[schedule], 0n);
    const saving = terms.straddle ? straddleSaving(legs, (leg) => shortUnit(leg, spot, terms, schedule)) : ratio(0n);
    const singles = max((sum - roundRatio(saving, "down")) as Money, floor);
    const payoff = byPayoff(legs, worst, forward, terms, schedule);
    return payoff !== null && payoff < singles
      ? { required: payoff, bound: "worst payoff", singles, worstPayoff: payoff }
      : { required: singles, bound: "singles", singles, worstPayoff: payoff };
  };
  const maintenance = bounded("maintenance", ZERO);
  return { expiryAt, initial: bounded("initial", maintenance.singles), maintenance, worstAt: worst?.at ?? null, parts };
};

/**
 * Standard option margin of all options of an account on one underlying (M5, R6).
 *
 * For each expiry the requirement is the lesser of its options alone and of the worst that it can pay at
 * settlement, so a bounded strategy needs at most its greatest loss. Expiries add up: nothing is offset
 * between them. Requirements are in the settlement asset, exact, rounded up. For premium style equity leaves
 * option values out, and the requirement of a short option holds its value.
 *
 * @param legs options on one underlying, of one kind and one style; quantities of 0 count nothing.
 * @returns the requirement, or the first fault by name: no spot, no forward of an expiry, a strike or a
 *   multiplier of 0 or below, a negative value, legs that settle in different ways.
 */
export const standardOptionMargin = (
  legs: readonly OptionLeg[],
  market: OptionMarket,
  terms: OptionMarginTerms,
): OptionMargin | OptionMarginFault => {
  const fault = faultOf(legs, market);
  if (fault !== null) return fault;
  const expiries = [...Map.groupBy(legs, ({ expiryAt }) => expiryAt)]
    .sort(([a], [b]) => a - b)
    .map(([expiryAt, group]) => marginOfExpiry(expiryAt, group, market, terms));
  return {
    ok: true,
    initial: expiries.reduce((sum, { initial }) => sum + initial.required, 0n) as Money,
    maintenance: expiries.reduce((sum, { maintenance }) => sum + maintenance.required, 0n) as Money,
    value: legs.reduce((sum, leg) => sum + worthOf(leg), 0n) as Money,
    expiries,
  };
};
