import type { Money, Ppm, Price, Rounding } from "./money.ts";
import { divide, ONE, PPM } from "./money.ts";
import type { CollateralTerms, HaircutTier } from "./policy.ts";

/** Which of the two haircut schedules counts (M2, R2). */
export type Schedule = "initial" | "maintenance";

const haircutOf = (tier: HaircutTier, schedule: Schedule): Ppm => (schedule === "initial" ? tier.haircutIm : tier.haircutMm);

/** True when a schedule takes nothing off: the value is the balance at its price. */
const isPlain = (tiers: readonly HaircutTier[], schedule: Schedule): boolean => tiers.every((tier) => haircutOf(tier, schedule) === 0);

/** What a positive value is worth after the haircut of each slice (M2), at scale 1e-14 of the value's unit: exact, not yet rounded. */
const afterHaircut = (value16: bigint, tiers: readonly HaircutTier[], schedule: Schedule): bigint => {
  let worth = 0n;
  for (let index = 0; index < tiers.length; index += 1) {
    const tier = tiers[index] as HaircutTier;
    const floor16 = tier.floor * ONE;
    if (value16 <= floor16) break;
    const next = tiers[index + 1];
    const top16 = next === undefined || value16 < next.floor * ONE ? value16 : next.floor * ONE;
    worth += (top16 - floor16) * BigInt(Number(PPM) - haircutOf(tier, schedule));
  }
  return worth;
};

/**
 * What a balance counts in equity, in the valuation asset (M2).
 *
 * A positive balance counts slice by slice after its haircut, rounded down. A debt counts at its
 * price times its weight, rounded down too: away from 0.
 *
 * @param price price of one unit in the valuation asset, positive; `ONE` for the valuation asset itself.
 */
export const collateralValue = (balance: Money, price: Price, terms: CollateralTerms, schedule: Schedule): Money => {
  if (balance < 0n) return divide(balance * price * BigInt(terms.liabilityWeight), ONE * PPM, "down") as Money;
  if (isPlain(terms.tiers, schedule)) return ((balance * price) / ONE) as Money;
  return (afterHaircut(balance * price, terms.tiers, schedule) / (ONE * PPM)) as Money;
};

/** The prices at which a balance counts in E_i: an asset that is held may count at less than the index, a debt at more (M2). */
export interface InitialPrice {
  readonly asset: Price;
  readonly debt: Price;
  /** What is left of a held value's weight where the deposits of all are large: D0/D, below 1; null where all of it counts. */
  readonly scale: { readonly numerator: bigint; readonly denominator: bigint } | null;
}

/** As {@link collateralValue} for E_i, with a price for each sign of the balance; rounded down once more where it is scaled. */
export const initialValue = (balance: Money, { asset, debt, scale }: InitialPrice, terms: CollateralTerms): Money => {
  if (balance < 0n) return collateralValue(balance, debt, terms, "initial");
  const value = collateralValue(balance, asset, terms, "initial");
  return scale === null ? value : (((value * scale.numerator) / scale.denominator) as Money);
};

/**
 * The least deposit of an asset that raises what its balance counts by `need` (R4): the debt in it
 * is repaid first, then each slice after its haircut; rounded up.
 *
 * @returns null when no amount does, because the last slice counts nothing.
 */
export const depositFor = (need: Money, balance: Money, price: InitialPrice, terms: CollateralTerms): Money | null => {
  if (need <= 0n) return 0n as Money;
  const target = (initialValue(balance, price, terms) + need) as Money;
  const reached = (amount: bigint): boolean => initialValue((balance + amount) as Money, price, terms) >= target;
  // A bound that is surely enough: the debt, every slice before the last, and the rest in the last slice.
  const last = terms.tiers[terms.tiers.length - 1] as HaircutTier;
  const share = Number(PPM) - last.haircutIm;
  const debt = balance < 0n ? -balance : 0n;
  const { numerator, denominator } = price.scale ?? { numerator: 1n, denominator: 1n };
  if (numerator === 0n || price.asset === 0n) return null;
  // One unit more, for what the scale rounds away.
  const wanted = divide((target > 0n ? target + 1n : 0n) * denominator, numerator, "up") + 1n;
  const inValue = last.floor + (share === 0 ? 0n : divide(wanted * PPM, BigInt(share), "up"));
  let high = debt + divide(inValue * ONE, price.asset, "up") + 2n;
  if (!reached(high)) return null;
  let low = 0n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high as Money;
};

/** An amount at a price, in the named direction. */
export const atPrice = (amount: Money, price: Price, rounding: Rounding): Money => divide(amount * price, ONE, rounding) as Money;
