import type { Asset } from "../instrument.ts";
import type { Money, Ppm, Price } from "../money.ts";
import { divide, min, minus, ONE, PPM, ZERO } from "../money.ts";

/** Collateral that may be sold for debts. */
export interface Sellable {
  readonly asset: Asset;
  /** Free units, above 0. */
  readonly balance: Money;
  /** In the debt's asset, above 0. */
  readonly price: Price;
  /** What a sale loses against the price, below 1,000,000. */
  readonly lossPpm: Ppm;
}

export interface Sale {
  readonly asset: Asset;
  readonly amount: Money;
  /** After the loss, rounded down. */
  readonly proceeds: Money;
}

/**
 * Collateral to convert until a debt is covered (R21): the asset that loses least by its sale first, each as little
 * as covers the rest. Assets that lose equally go by their symbol.
 *
 * @returns the sales, and what of the debt they leave.
 */
export const convertCollateral = (
  debt: Money,
  held: readonly Sellable[],
): { readonly sales: readonly Sale[]; readonly uncovered: Money } => {
  const sales: Sale[] = [];
  let left = debt;
  const order = [...held].sort((a, b) => a.lossPpm - b.lossPpm || (a.asset < b.asset ? -1 : 1));
  for (const { asset, balance, price, lossPpm } of order) {
    if (left <= 0n) break;
    const kept = price * (PPM - BigInt(lossPpm));
    if (kept <= 0n) continue;
    const amount = min(balance, divide(left * ONE * PPM, kept, "up") as Money);
    const proceeds = ((amount * kept) / (ONE * PPM)) as Money;
    sales.push({ asset, amount, proceeds });
    left = minus(left, proceeds);
  }
  return { sales, uncovered: left > 0n ? left : ZERO };
};
