import type { Position } from "./account.ts";
import type { ValueSide } from "./equity.ts";
import { closingSteps } from "./equity.ts";
import type { PricedMarket } from "./market.ts";
import { pricedInstrument } from "./market.ts";
import type { Quantity } from "./money.ts";
import { abs } from "./money.ts";
import { isLiquidityCharged } from "./unit-liquidity.ts";
import type { PricedInstrument } from "./valuation.ts";

/** Rounds contracts up to whole lots, never above the position. */
const inLots = (contracts: bigint, lot: bigint, size: bigint): Quantity => {
  const lots = ((contracts + lot - 1n) / lot) * lot;
  return (lots < size ? lots : size) as Quantity;
};

/** Parts of a position that are tried where a model, not a bracket, says what closing frees. */
const PARTS = 8n;

/** Equal parts of a position in whole lots, ascending, the last one all of it. */
export const partsOf = (position: Position, market: PricedMarket): Quantity[] => {
  const { lotSize } = pricedInstrument(market, position.instrumentId).instrument;
  const size = abs(position.quantity);
  return Array.from({ length: Number(PARTS) }, (_, part) => inLots((size * BigInt(part + 1)) / PARTS, lotSize, size));
};

/**
 * Sizes between which what closing frees is taken to rise steadily, ascending: by brackets, by equal parts under a portfolio's
 * model, by both where the liquidity of the market is charged.
 */
const stepsOf = (priced: PricedInstrument, position: Position, market: PricedMarket, side: ValueSide): readonly bigint[] => {
  if (market.policy.model.kind !== "standard") return partsOf(position, market);
  const brackets = closingSteps(priced, position, side);
  if (!isLiquidityCharged(priced.instrument, market.policy)) return brackets;
  return [...brackets, ...partsOf(position, market)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
};

/**
 * The least closing of one position, in whole lots, after which a target is reached; null when none is.
 *
 * Tier by tier: between two brackets a requirement is linear in the size, so in the first stretch
 * whose far end reaches the target the answer is found by halving. The last step is the whole
 * position, lot or not. Under a portfolio's model closing part of a hedge may help where closing all of
 * it does not, so equal parts are tried in turn. So may it where the liquidity of the market is charged (M8): the
 * surplus rises while the net exposure falls and may fall once that has changed its side, each only once.
 *
 * @param turn contracts closed from which closing more helps no more, because orders of the other side outweigh what is left.
 */
export const leastClosing = (
  position: Position,
  market: PricedMarket,
  side: ValueSide,
  reached: (closed: Quantity) => boolean,
  turn: bigint | null = null,
): Quantity | null => {
  const priced = pricedInstrument(market, position.instrumentId);
  const size = abs(position.quantity);
  const lot = priced.instrument.lotSize;
  let from = 0n;
  const steps = stepsOf(priced, position, market, side);
  const turned = turn === null || turn <= 0n || turn >= size ? steps : [...steps, turn].sort((a, b) => (a < b ? -1 : 1));
  for (const step of turned) {
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
