import type { Position } from "./account.ts";
import type { ValueSide } from "./equity.ts";
import { closingSteps } from "./equity.ts";
import type { PricedMarket } from "./market.ts";
import { pricedInstrument } from "./market.ts";
import type { Quantity } from "./money.ts";
import { abs } from "./money.ts";

/** Rounds contracts up to whole lots, never above the position. */
const inLots = (contracts: bigint, lot: bigint, size: bigint): Quantity => {
  const lots = ((contracts + lot - 1n) / lot) * lot;
  return (lots < size ? lots : size) as Quantity;
};

/**
 * The least closing of one position, in whole lots, after which a target is reached; null when none is.
 *
 * Tier by tier: between two brackets a requirement is linear in the size, so in the first stretch
 * whose far end reaches the target the answer is found by halving. The last step is the whole
 * position, lot or not.
 */
export const leastClosing = (
  position: Position,
  market: PricedMarket,
  side: ValueSide,
  reached: (closed: Quantity) => boolean,
): Quantity | null => {
  const priced = pricedInstrument(market, position.instrumentId);
  const size = abs(position.quantity);
  const lot = priced.instrument.lotSize;
  let from = 0n;
  for (const step of closingSteps(priced, position, side)) {
    const to = inLots(step, lot, size);
    if (to <= from || !reached(to)) {
      from = to;
      continue;
    }
    let low = from / lot;
    let high = (to + lot - 1n) / lot;
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (reached(inLots(middle * lot, lot, size))) high = middle;
      else low = middle;
    }
    return inLots(high * lot, lot, size);
  }
  return null;
};
