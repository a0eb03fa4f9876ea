import type { Money } from "./money.ts";
import { divide, max, ZERO } from "./money.ts";

/** The terms of a credit support annex, in one currency (M10). */
export interface CreditSupportTerms {
  readonly exposure: Money;
  /** Independent amounts of the taker and of the giver. */
  readonly independentOfTaker: Money;
  readonly independentOfGiver: Money;
  readonly threshold: Money;
}

/** Collateral that the giver must post in all: `max(0, exposure + IA_taker − (IA_giver + threshold))`. */
export const supportAmount = ({ exposure, independentOfTaker, independentOfGiver, threshold }: CreditSupportTerms): Money =>
  max(ZERO, (exposure + independentOfTaker - independentOfGiver - threshold) as Money);

/**
 * What moves to get from what is held to what is due: 0 below the minimum transfer amount; a
 * delivery (positive) rounds up, a return (negative) rounds down, to a multiple of `unit`.
 */
export const transferAmount = (due: Money, held: Money, minimumTransfer: Money, unit: Money): Money => {
  const difference = due - held;
  if ((difference < 0n ? -difference : difference) < minimumTransfer) return ZERO;
  const units = difference > 0n ? divide(difference, unit, "up") : -divide(-difference, unit, "down");
  return (units * unit) as Money;
};
