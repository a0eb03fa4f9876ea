import type { Money, Ppm } from "../money.ts";
import { max, min, PPM } from "../money.ts";
import { multiplyRatio, type Ratio, ratio, roundRatio, subtractRatio } from "../ratio.ts";

/** A portfolio in a liquidation auction (M13, Derive). Margins are equity less requirement: negative is short of it. */
export interface Auctioned {
  readonly markToMarket: Money;
  /** Against the requirement with its buffer: what the auction restores to 0. */
  readonly bufferMargin: Money;
  readonly maintenanceMargin: Money;
}

/** How the price of a solvent auction falls: from `start` to `knee` in `fastMs`, then to 0 in `slowMs`. Both above 0. */
export interface AuctionSchedule {
  readonly start: Ppm;
  readonly knee: Ppm;
  readonly fastMs: number;
  readonly slowMs: number;
}

/** Share of the market value that is asked for at a time into the auction, whole ppm, rounded down. */
export const auctionPrice = (elapsedMs: number, { start, knee, fastMs, slowMs }: AuctionSchedule): Ppm => {
  const elapsed = Math.max(0, elapsedMs);
  if (elapsed < fastMs) return start - Math.ceil(((start - knee) * elapsed) / fastMs);
  return knee - Math.ceil((knee * Math.min(elapsed - fastMs, slowMs)) / slowMs);
};

/**
 * Largest share of a portfolio that may be bought at a price (M13): `f = −BM / (d·MtM − BM)`, exact, which leaves the
 * buffer margin at 0. 0 for one that needs no auction. Null for one worth nothing: the fund pays for it instead.
 */
export const auctionShare = ({ markToMarket, bufferMargin }: Auctioned, pricePpm: Ppm): Ratio | null => {
  if (bufferMargin >= 0n) return ratio(0n);
  if (markToMarket <= 0n) return null;
  const owed = -bufferMargin * PPM;
  return ratio(owed, BigInt(pricePpm) * markToMarket + owed);
};

/** The portfolio after a share of it was bought: what stays, and the bid in cash (rounded up; margins rounded down). */
export const afterSale = (portfolio: Auctioned, share: Ratio, pricePpm: Ppm): Auctioned & { readonly bid: Money } => {
  const kept = subtractRatio(ratio(1n), share);
  const bid = roundRatio(multiplyRatio(share, ratio(BigInt(pricePpm) * portfolio.markToMarket, PPM)), "up");
  const left = (figure: Money): Money => (roundRatio(multiplyRatio(kept, ratio(figure)), "down") + bid) as Money;
  return {
    bid: bid as Money,
    markToMarket: left(portfolio.markToMarket),
    bufferMargin: left(portfolio.bufferMargin),
    maintenanceMargin: left(portfolio.maintenanceMargin),
  };
};

/** What the fund pays for a whole insolvent portfolio at a time into its auction: from 0 to its maintenance shortage. Rounded down. */
export const insolventPayment = (elapsedMs: number, durationMs: number, maintenanceMargin: Money): Money => {
  const shortage = max(-maintenanceMargin, 0n);
  return ((shortage * min(BigInt(Math.max(0, Math.floor(elapsedMs))), BigInt(durationMs))) / BigInt(durationMs)) as Money;
};
