import type { MarginAccount } from "./account.ts";
import { sidedOf, valuedOf } from "./equity.ts";
import type { MarketSnapshot } from "./mark.ts";
import { marketOf } from "./market.ts";
import { divide, type Price } from "./money.ts";
import type { Policy } from "./policy.ts";
import { type Ratio, ratio } from "./ratio.ts";
import { type Shock, shockedSnapshot } from "./shock.ts";

/** Steps of the bracketing: 5 % of the price each, down to a hundredth of it and up to twenty times. */
const STEP_PERCENT = 5n;
const STEPS_DOWN = 90;
const STEPS_UP = 62;

/** What is searched: the account with one instrument's price moved, by the price. */
export interface Search {
  readonly account: MarginAccount;
  readonly instrumentId: string;
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
  readonly now: number;
  /** Whether the requirement is taken off: the liquidation price; without it the bankruptcy price. */
  readonly lessRequirement: boolean;
}

/** The instrument at a price, with the index pair of its base asset in the same quote, and the options on both. */
const movedTo = ({ snapshot, instrumentId }: Search, from: Price, to: Price): MarketSnapshot => {
  const moved = snapshot.instruments.get(instrumentId);
  const priceOf: Shock["priceOf"] = (instrument, price) => {
    if (instrument.instrumentId === instrumentId) return to;
    const isIndex = instrument.kind === "spot" && instrument.baseAsset === moved?.baseAsset && instrument.quoteAsset === moved?.quoteAsset;
    return isIndex ? (divide(price * to, from, "down") as Price) : price;
  };
  return shockedSnapshot(snapshot, { priceOf, volatilityFactor: 1 }, `${instrumentId} at ${to}`);
};

/** The nearest price in a direction at which the account changes sides, exact to one unit of 1e-8; null within the steps. */
const nearest = (isSafe: (price: Price) => boolean, from: Price, direction: 1 | -1): Ratio | null => {
  const safe = isSafe(from);
  let near = from;
  for (let step = 0; step < (direction === 1 ? STEPS_UP : STEPS_DOWN); step += 1) {
    const far = (near + (BigInt(direction) * near * STEP_PERCENT) / 100n) as Price;
    if (far === near || far <= 0n) return null;
    if (isSafe(far) === safe) {
      near = far;
      continue;
    }
    let [inside, outside] = [near as bigint, far as bigint];
    while (outside - inside > 1n || inside - outside > 1n) {
      const middle = (inside + outside) / 2n;
      if (isSafe(middle as Price) === safe) inside = middle;
      else outside = middle;
    }
    return ratio(inside);
  }
  return null;
};

/**
 * Liquidation or bankruptcy price where no closed form is (M4): accounts with options, and portfolio margin. The
 * account is revalued at each price; between two steps of 5 % one crossing is found, two that cancel are not.
 *
 * Held fixed: every other mark and all volatilities. Moving with the price: the index pair, collateral and debts in
 * the base asset, and options on the instrument.
 *
 * @returns the nearest root on either side to one unit of 1e-8, on the side of the mark.
 */
export const searchRoots = (search: Search): { readonly lower: Ratio | null; readonly upper: Ratio | null; readonly breached: boolean } => {
  const { account, snapshot, policy, now, lessRequirement } = search;
  const from = snapshot.marks.get(search.instrumentId)?.price;
  if (from === undefined || from <= 0n) return { lower: null, upper: null, breached: false };
  const isSafe = (to: Price): boolean => {
    const market = marketOf(to === from ? snapshot : movedTo(search, from, to), policy, now);
    const { equityMaintenance, maintenance } = sidedOf(valuedOf(account, market, "high"), market, "high");
    return equityMaintenance >= (lessRequirement ? maintenance : 0n);
  };
  return { lower: nearest(isSafe, from, -1), upper: nearest(isSafe, from, 1), breached: !isSafe(from) };
};
