import type { Instrument } from "./instrument.ts";
import type { Mark, MarketSnapshot } from "./mark.ts";
import { ONE, type Price } from "./money.ts";
import { modelPrice, optionOn, surfaceOf } from "./option-market.ts";
import type { VolatilitySurface } from "./pricing/surface.ts";

/** A market that is not there: prices moved, and with them the options on what moved. */
export interface Shock {
  /** The price of an instrument that is no option, given the present one; the same where it does not move. */
  readonly priceOf: (instrument: Instrument, price: Price) => Price;
  /** Every volatility times this, above 0; 1 leaves them. */
  readonly volatilityFactor: number;
}

const whole = (price: Price): number => Number(price) / Number(ONE);

/** Options move by what the model makes of it: their own mark plus the difference of two model values, at least 0. */
const shockedOption = (
  instrument: Instrument,
  mark: Mark,
  { from, forward, volatilityFactor }: { readonly from: MarketSnapshot; readonly forward: number; readonly volatilityFactor: number },
  surface: () => VolatilitySurface,
): Mark => {
  const { option } = instrument;
  if (option === null) return mark;
  const priced = optionOn(instrument, option, from, surface);
  if (priced.forward === null) return mark;
  const volatility = priced.volatility ?? 0;
  const before = modelPrice(option, priced.forward, priced.years, volatility);
  const after = modelPrice(option, forward, priced.years, volatility * volatilityFactor);
  if (before === null || after === null) return mark;
  const moved = mark.price + after - before;
  return { ...mark, price: (moved > 0n ? moved : 1n) as Price };
};

/**
 * A snapshot after a shock: every other mark, its instant and its quality as they were. Options whose underlying or
 * volatility moves are revalued (M1); one whose volatility nobody tells moves by its intrinsic value.
 *
 * @param name tells the shocked snapshot from the true one in whatever is made of it.
 */
export const shockedSnapshot = (snapshot: MarketSnapshot, shock: Shock, name: string): MarketSnapshot => {
  const marks = new Map(snapshot.marks);
  for (const [instrumentId, mark] of snapshot.marks) {
    const instrument = snapshot.instruments.get(instrumentId);
    if (instrument === undefined || instrument.option !== null) continue;
    const price = shock.priceOf(instrument, mark.price);
    if (price !== mark.price) marks.set(instrumentId, { ...mark, price });
  }
  const surfaces = new Map<string, VolatilitySurface>();
  for (const [instrumentId, mark] of snapshot.marks) {
    const instrument = snapshot.instruments.get(instrumentId);
    const underlyingId = instrument?.option?.underlyingId;
    if (instrument === undefined || underlyingId === undefined) continue;
    const underlying = marks.get(underlyingId);
    const unmoved = underlying === snapshot.marks.get(underlyingId) && shock.volatilityFactor === 1;
    if (underlying === undefined || unmoved) continue;
    const surface = (): VolatilitySurface => {
      const known = surfaces.get(underlyingId) ?? surfaceOf(underlyingId, snapshot);
      surfaces.set(underlyingId, known);
      return known;
    };
    const forward = Math.max(whole(underlying.price), Number.MIN_VALUE);
    marks.set(
      instrumentId,
      shockedOption(instrument, mark, { from: snapshot, forward, volatilityFactor: shock.volatilityFactor }, surface),
    );
  }
  return { ...snapshot, snapshotId: `${snapshot.snapshotId} ${name}`, marks };
};
