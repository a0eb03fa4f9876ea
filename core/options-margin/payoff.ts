import { max, ONE, type Price } from "../money.ts";
import { compareRatio, type Ratio, ratio } from "../ratio.ts";
import type { OptionLeg } from "./leg.ts";
import { unitsOf } from "./leg.ts";

/** The settlement price at which an expiry pays least. Inverse options in coin pay least at a strike or beyond every price. */
export interface WorstPayoff {
  readonly at: Price | "infinity";
  /** Least payoff of the legs together, in 1e-8 of the settlement asset, exact; negative is owed. */
  readonly payoff: Ratio;
}

/** What one leg pays at a settlement price, in 1e-8 of the settlement asset, exact; negative is owed. */
export const payoffAt = (leg: OptionLeg, at: Price | "infinity"): Ratio => {
  const units = unitsOf(leg);
  if (at === "infinity") return ratio(leg.right === "call" ? units * ONE : 0n, ONE * ONE);
  const inner = max(leg.right === "call" ? at - leg.strike : leg.strike - at, 0n);
  if (leg.kind === "linear") return ratio(units * inner, ONE * ONE);
  // An inverse put at 0 owes without bound: prices of 0 are not among those that are asked for.
  return inner === 0n ? ratio(0n) : ratio(units * inner, ONE * at);
};

/** The sum at one settlement price. Every leg of one price has one denominator, so the sum stays short. */
const sumAt = (legs: readonly OptionLeg[], at: Price | "infinity"): Ratio => {
  const inverseAt = legs[0]?.kind === "inverse" && at !== "infinity";
  const denominator = inverseAt ? ONE * at : ONE * ONE;
  let numerator = 0n;
  for (const leg of legs) numerator += payoffAt(leg, at).numerator;
  return ratio(numerator, denominator);
};

const strikesOf = (legs: readonly OptionLeg[]): Price[] => [...new Set(legs.map(({ strike }) => strike))];

/**
 * The least that an expiry pays at settlement, whatever the price (M5). The payoff is straight between
 * strikes, so the price of 0 and every strike tell it; calls that are sold and not covered are another charge.
 * Of inverse options the payoff in coin is straight in 1/P, so the strikes and a price beyond all bounds tell it.
 *
 * @param legs of one expiry, one underlying and one kind.
 * @returns null where it has no bound: inverse puts sold and not covered, as the price goes to 0.
 */
export const worstPayoff = (legs: readonly OptionLeg[]): WorstPayoff | null => {
  const inverse = legs[0]?.kind === "inverse";
  if (inverse && legs.reduce((sum, leg) => (leg.right === "put" ? sum + unitsOf(leg) * leg.strike : sum), 0n) < 0n) return null;
  const prices: (Price | "infinity")[] = [inverse ? "infinity" : (0n as Price), ...strikesOf(legs)];
  let worst: WorstPayoff | null = null;
  for (const at of prices) {
    const payoff = sumAt(legs, at);
    if (worst === null || compareRatio(payoff, worst.payoff) < 0) worst = { at, payoff };
  }
  return worst;
};

/** Units of linear calls sold and not bought back by other calls, at scale 1e-16. Inverse calls owe at most 1 coin. */
export const unpairedCalls = (legs: readonly OptionLeg[]): bigint =>
  max(
    legs.reduce((sum, leg) => (leg.right === "call" && leg.kind === "linear" ? sum - unitsOf(leg) : sum), 0n),
    0n,
  );
