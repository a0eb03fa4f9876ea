import type { Position } from "./account.ts";
import type { Sided } from "./equity.ts";
import type { Money, Price } from "./money.ts";
import { abs, divide, max, min, ONE } from "./money.ts";
import { bandWidth } from "./quality.ts";
import type { PricedInstrument } from "./valuation.ts";
import { requirementAt, requirementPoint } from "./valuation.ts";

/**
 * Cash flow of closing part of a portfolio at its bankruptcy price (M4): the value given up, less the
 * share of the account's equity that belongs to it by maintenance requirement. Rounded up, against the closer.
 *
 * @param closing.value value of the closed contracts at the mark: positive for a long, negative for a short.
 * @param closing.equity total net collateral of the account; may be negative.
 * @param closing.relief maintenance requirement that the close frees, out of `closing.maintenance`, which is above 0.
 * @param closing.unit smallest amount that the venue moves, in 1e-8.
 */
export const closingProceeds = (closing: {
  readonly value: Money;
  readonly equity: Money;
  readonly relief: Money;
  readonly maintenance: Money;
  readonly unit?: Money;
}): Money => {
  const unit = closing.unit ?? 1n;
  const exact = closing.value * closing.maintenance - closing.equity * closing.relief;
  return (divide(exact, closing.maintenance * unit, "up") * unit) as Money;
};

/** Price per contract at which closing a whole position uses up its share of the equity; null when no price does. */
const zeroPrice = (position: Position, priced: PricedInstrument, mark: Price, sided: Sided, freed: Money | null): Price | null => {
  const { instrument, high } = priced;
  if (high === null || sided.maintenance <= 0n || instrument.option?.settlement === "inverse") return null;
  const long = position.quantity > 0n;
  const size = abs(position.quantity);
  const worth = size * instrument.multiplier;
  const relief = freed ?? requirementAt(requirementPoint(priced, high, position.entryPrice), size, "maintenance");
  // A leg that requires nothing, as a bought option in standard option margin, has no share of the equity to use up.
  if (relief <= 0n) return null;
  if (instrument.kind === "inverse") {
    const share = (sided.equityMaintenance * relief) / sided.maintenance;
    const divisor = long ? worth + share * mark : worth - share * mark;
    return divisor <= 0n ? null : (divide(mark * worth, divisor, long ? "up" : "down") as Price);
  }
  const value = divide(worth * mark, ONE * ONE, "up");
  const proceeds = closingProceeds({
    value: (long ? value : -value) as Money,
    equity: sided.equityMaintenance,
    relief,
    maintenance: sided.maintenance,
  });
  return divide((long ? proceeds : -proceeds) * ONE * ONE, worth, long ? "up" : "down") as Price;
};

/**
 * Limit price of a liquidation order (R20): between the bankruptcy price of the leg and the edge of
 * the mark's band, whichever is nearer to the mark; past bankruptcy (equity of 0 or less) the band's
 * edge. Rounded to a whole tick on the side that loses less, except that it stays a price at which
 * the market can trade: never beyond the mark itself.
 *
 * @param freed maintenance requirement that closing the whole leg frees, where a model margins it with others, 0 where it frees
 *   none and only the band bounds the price; null for a leg that is margined alone. The leg's share of the equity is its share of the requirement (M4).
 */
export const limitPriceOf = (position: Position, priced: PricedInstrument, sided: Sided, freed: Money | null = null): Price => {
  const { instrument } = priced;
  const mark = priced.high?.price ?? position.entryPrice;
  const sells = position.quantity > 0n;
  const width = bandWidth(mark, instrument);
  const edge = (sells ? mark - width : mark + width) as Price;
  const zero = sided.equityMaintenance <= 0n ? null : zeroPrice(position, priced, mark, sided, freed);
  const bound = zero === null ? edge : sells ? max(zero, edge) : min(zero, edge);
  const tick = instrument.tickSize;
  const rounded = divide(bound, tick, sells ? "up" : "down") * tick;
  // Where a tick is wider than what is left between bound and mark, the tick on the mark's other side would not trade.
  return (sells ? min(rounded, divide(mark, tick, "down") * tick) : max(rounded, divide(mark, tick, "up") * tick)) as Price;
};
