import type { Instrument, OptionTerms } from "./instrument.ts";
import type { MarketSnapshot } from "./mark.ts";
import { max, min, ONE, type Price } from "./money.ts";
import { impliedVolatility } from "./pricing/implied-volatility.ts";
import { type OptionContract, optionValue } from "./pricing/option-value.ts";
import { type OptionQuote, surfaceFromQuotes } from "./pricing/quotes.ts";
import { type VolatilitySurface, volatilityAt } from "./pricing/surface.ts";
import { bandWidth, qualityAt, qualityUntil } from "./quality.ts";
import { atLeastTick, type PricedInstrument, type PricedOption, pointAt, toldBy } from "./valuation.ts";

/** A year by 365 days (M0), in milliseconds. */
const YEAR_MS = 31_536_000_000;

const whole = (price: Price): number => Number(price) / Number(ONE);

/** A quote-asset or coin price as it is booked, rounded to the nearest 1e-8; null where it is no price. */
const booked = (value: number): Price | null => {
  const units = Math.round(value * Number(ONE));
  return Number.isSafeInteger(units) && units >= 0 ? (BigInt(units) as Price) : null;
};

/** One unit of the underlying, as the pricing functions take it. */
const contractOf = ({ right, strike, settlement, style, averagingMs }: OptionTerms): OptionContract => ({
  right,
  strike: whole(strike),
  multiplier: 1,
  settlement,
  style,
  averagingYears: averagingMs / YEAR_MS,
});

/** Time to expiry at the snapshot's instant, in years; 0 from the expiry on. A valuation runs on one snapshot and its time (M0). */
const yearsOf = ({ expiryAt }: Instrument, { takenAt }: MarketSnapshot): number => Math.max(0, (expiryAt ?? takenAt) - takenAt) / YEAR_MS;

/** The forward of an option on a snapshot; null where its underlying has no price above 0. */
const forwardOf = ({ underlyingId }: OptionTerms, { marks }: MarketSnapshot): number | null => {
  const mark = marks.get(underlyingId);
  return mark === undefined || mark.price <= 0n ? null : whole(mark.price);
};

/** An option's mark in the quote asset: an inverse option is priced in the coin (M1). */
const inQuote = ({ settlement }: OptionTerms, price: Price, forward: number): number =>
  settlement === "inverse" ? whole(price) * forward : whole(price);

/** The mark of an option as a quote of its underlying's surface; null where it is no good one at the snapshot's instant. */
const quoteOf = (instrument: Instrument, terms: OptionTerms, snapshot: MarketSnapshot): OptionQuote | null => {
  const mark = snapshot.marks.get(instrument.instrumentId);
  const forward = forwardOf(terms, snapshot);
  if (mark === undefined || forward === null || qualityAt(mark, instrument, snapshot.takenAt) !== "GOOD") return null;
  const price = inQuote(terms, mark.price, forward);
  const { strike, right } = contractOf(terms);
  return { strike, years: yearsOf(instrument, snapshot), forward, discount: 1, bid: price, ask: price, right };
};

/**
 * The volatilities that the good option marks of a snapshot imply, for one underlying (S15): what prices an option
 * whose own mark is old or missing. A function of the snapshot alone; marks that no volatility explains are left out.
 */
export const surfaceOf = (underlyingId: string, snapshot: MarketSnapshot): VolatilitySurface => {
  const quotes: OptionQuote[] = [];
  for (const instrument of snapshot.instruments.values()) {
    const { option } = instrument;
    const quote = option === null || option.underlyingId !== underlyingId ? null : quoteOf(instrument, option, snapshot);
    if (quote !== null) quotes.push(quote);
  }
  return surfaceFromQuotes(quotes).surface;
};

/** The volatility that the option's own good mark implies; null where it has none, or one that no volatility explains. */
export const ownVolatility = (instrument: Instrument, terms: OptionTerms, snapshot: MarketSnapshot): number | null => {
  const own = quoteOf(instrument, terms, snapshot);
  if (own?.bid == null) return null;
  const implied = impliedVolatility({ ...own, price: own.bid });
  return implied.ok ? implied.volatility : null;
};

/** Of an option without time value: any small one gives its price, and a scenario moves it by its payoff. */
const LEAST_VOLATILITY = 1e-4;

/**
 * True for a good mark that is the payoff at the forward, or below it by no more than the band of the underlying: the two
 * marks are not of one instant, and near expiry or deep in the money that is enough to leave no time value.
 */
const hasNoTimeValue = (instrument: Instrument, terms: OptionTerms, snapshot: MarketSnapshot): boolean => {
  const own = quoteOf(instrument, terms, snapshot);
  const [underlying, mark] = [snapshot.instruments.get(terms.underlyingId), snapshot.marks.get(terms.underlyingId)];
  if (own?.bid == null || underlying === undefined || mark === undefined) return false;
  const payoff = Math.max(0, terms.right === "call" ? own.forward - own.strike : own.strike - own.forward);
  return own.bid > 0 && own.bid <= payoff && payoff - own.bid <= whole(bandWidth(mark.price, underlying));
};

/**
 * The volatility that the option's own good mark implies, else that of its neighbours, else the least where its mark has
 * no time value; null where nothing tells.
 */
const volatilityOf = (
  instrument: Instrument,
  terms: OptionTerms,
  snapshot: MarketSnapshot,
  surface: () => VolatilitySurface,
): number | null => {
  const own = ownVolatility(instrument, terms, snapshot);
  if (own !== null) return own;
  const forward = forwardOf(terms, snapshot);
  if (forward === null) return null;
  const answer = volatilityAt(surface(), whole(terms.strike), forward, yearsOf(instrument, snapshot));
  if (answer.ok) return answer.volatility;
  return hasNoTimeValue(instrument, terms, snapshot) ? LEAST_VOLATILITY : null;
};

/** What the models need of an option on a snapshot. The surface is asked for only where its own mark tells no volatility. */
export const optionOn = (
  instrument: Instrument,
  terms: OptionTerms,
  snapshot: MarketSnapshot,
  surface: () => VolatilitySurface,
): PricedOption => ({
  terms,
  forward: forwardOf(terms, snapshot),
  years: yearsOf(instrument, snapshot),
  volatility: volatilityOf(instrument, terms, snapshot, surface),
});

/** What an option is worth by the model, for one unit of its underlying; null inside an averaging window of which nobody tells the average. */
export const modelPrice = (terms: OptionTerms, forward: number, years: number, volatility: number): Price | null => {
  const value = optionValue(contractOf(terms), { forward, volatility, years, discount: 1, averageFixed: null });
  return value.ok ? booked(value.value) : null;
};

/** The model's price of an option on a snapshot, where its underlying's own mark is good; else null. */
const modelled = (instrument: Instrument, option: PricedOption, snapshot: MarketSnapshot, now: number): Price | null => {
  const { terms, forward, years, volatility } = option;
  const underlying = snapshot.instruments.get(terms.underlyingId);
  if (underlying === undefined || forward === null || volatility === null) return null;
  if (qualityAt(snapshot.marks.get(terms.underlyingId), underlying, now) !== "GOOD") return null;
  const price = modelPrice(terms, forward, years, volatility);
  return price === null ? null : atLeastTick(instrument, price);
};

/**
 * An option on a snapshot at an instant (R3, S15): its own mark while that is good. Else E_high keeps the last accepted
 * mark, so that nobody is liquidated on a model, and E_low takes what the volatility of its neighbours makes of it, with
 * the band, where that is worse (quality MODEL); without a model the band around the old mark. One that never had a mark
 * is worth its model on both sides.
 */
export const priceOption = (
  instrument: Instrument,
  terms: OptionTerms,
  snapshot: MarketSnapshot,
  { surface, now }: { readonly surface: () => VolatilitySurface; readonly now: number },
): PricedInstrument => {
  const mark = snapshot.marks.get(instrument.instrumentId);
  const own = qualityAt(mark, instrument, now);
  const option = optionOn(instrument, terms, snapshot, surface);
  const underlying = snapshot.instruments.get(terms.underlyingId);
  const turns = [qualityUntil(mark, instrument, now)];
  if (underlying !== undefined) turns.push(qualityUntil(snapshot.marks.get(terms.underlyingId), underlying, now));
  const told = toldBy([mark, snapshot.marks.get(terms.underlyingId)], snapshot.takenAt);
  const shared = {
    instrument,
    plain: false,
    option,
    told: told === null ? null : { ...told, funding: null },
    estimate: null,
    validFrom: now,
    validUntil: Math.min(...turns),
  };
  const model = own === "GOOD" ? null : modelled(instrument, option, snapshot, now);
  const last = mark?.price ?? model;
  if (last === undefined || last === null) return { ...shared, quality: own, high: null, lowLong: null, lowShort: null };
  const high = pointAt(instrument, last);
  if (own === "GOOD") return { ...shared, quality: own, high, lowLong: high, lowShort: high };
  const width = bandWidth(model ?? last, instrument);
  return {
    ...shared,
    quality: model === null ? own : "MODEL",
    high,
    lowLong: pointAt(instrument, min(last, atLeastTick(instrument, (model ?? last) - width))),
    lowShort: pointAt(instrument, max(last, ((model ?? last) + width) as Price)),
  };
};
