import type { InitialPrice } from "./collateral.ts";
import { raisedInstrument } from "./initial-rates.ts";
import type { Asset, Instrument, OptionTerms } from "./instrument.ts";
import type { Mark, MarketSnapshot, MarkQuality } from "./mark.ts";
import type { Money, Ppm, Price, Quantity } from "./money.ts";
import { abs, divide, max, min, ONE, PPM } from "./money.ts";
import type { CollateralTerms, Policy } from "./policy.ts";
import { bandWidth, qualityAt, qualityUntil, sourceBoundOf, worseQuality } from "./quality.ts";
import { slowPrice } from "./slow-average.ts";
import { TermsError } from "./terms-error.ts";

/**
 * One instrument at one price, with all that does not depend on the position worked out.
 *
 * The requirement of `|q|` contracts in bracket k is `|q|·rate_k / divisor − amount_k`; `sizes[k]`
 * is the least `|q|` that reaches the floor of bracket k+1. All integers are exact.
 */
export interface PricePoint {
  readonly price: Price;
  readonly sizes: readonly bigint[];
  readonly ratesIm: readonly bigint[];
  readonly ratesMm: readonly bigint[];
  readonly amountsIm: readonly Money[];
  readonly amountsMm: readonly Money[];
  readonly divisor: bigint;
  /** Least requirement of one contract at scale 1e-8 (R5); 0 where there is none. */
  readonly leastIm: bigint;
  readonly leastMm: bigint;
}

/** The same in float64, for the pass of `screen.ts` only; money in 1e-8. */
export interface Estimate {
  readonly price: number;
  /** Profit of one contract for one unit of price (linear), or the value of one contract (inverse), so that profit is in 1e-8. */
  readonly multiplier: number;
  readonly sizes: readonly number[];
  readonly ratesIm: readonly number[];
  readonly ratesMm: readonly number[];
  readonly amountsIm: readonly number[];
  readonly amountsMm: readonly number[];
  readonly leastIm: number;
  readonly leastMm: number;
  /** Share of the notional that the long side pays next, and the part of it that has accrued; null without funding. */
  readonly funding: { readonly rate: number; readonly accrued: number } | null;
}

/** An instrument on a snapshot at an instant: its quality, and its price on either side (R3). */
export interface PricedInstrument {
  /** With initial rates as they are raised on this market. */
  readonly instrument: Instrument;
  readonly quality: MarkQuality;
  /** A linear contract of one unit, margined on its mark, without a least margin: sums over it need no division. Its rates are at scale 1e-22. */
  readonly plain: boolean;
  /** Last accepted mark; null when there is none. */
  readonly high: PricePoint | null;
  /** Adverse edges of the band for a long and for a short; equal to `high` when the mark is GOOD. */
  readonly lowLong: PricePoint | null;
  readonly lowShort: PricePoint | null;
  /** Null unless the mark is GOOD and the basis of the requirement. */
  readonly estimate: Estimate | null;
  /** The quality holds from the instant of pricing to this one, itself excluded. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** What the models need of an option beside its price; null for everything else. */
  readonly option: PricedOption | null;
  /** What its mark tells beside the price; null where that is nothing. */
  readonly told: Told | null;
}

/** Funding of a perpetual at the snapshot's instant (M1). */
export interface PricedFunding {
  /** Share of the notional that the long side pays, in 1e-8. */
  readonly rate: Price;
  /** Since the last settlement; 0 once the next one is due, which the feed then tells as a fact. */
  readonly elapsedMs: number;
  readonly intervalMs: number;
}

/** What marks tell beside the price. */
export interface Told {
  /** The least of the marks that price the instrument. */
  readonly confidencePpm: Ppm;
  readonly funding: PricedFunding | null;
}

/** An option on a snapshot, in whole units of its underlying's quote asset: estimates, not money. */
export interface PricedOption {
  readonly terms: OptionTerms;
  /** Mark of the underlying; null where it has none, or one of 0 and below, and the option is worth what its own mark says. */
  readonly forward: number | null;
  /** From the snapshot's instant to the expiry, by 365 days (M0); never below 0. */
  readonly years: number;
  /** A year, as a share; null where neither its own mark nor those of its neighbours tell one. */
  readonly volatility: number | null;
}

/** The price of an asset in the valuation asset, on either side. */
export interface PricedAsset {
  readonly terms: CollateralTerms;
  readonly quality: MarkQuality;
  /** Last accepted index price; 0 when there is none. */
  readonly high: Price;
  /** Edges of the band: assets count at the lower one, debts and requirements at the upper one. */
  readonly lower: Price;
  readonly upper: Price;
  /** Prices of E_i on either side; null where they are those of E_m. */
  readonly initial: { readonly low: InitialPrice; readonly high: InitialPrice } | null;
  /** Price of a stable asset by its peg, at the lower edge where that is not GOOD; null without a peg or a price. */
  readonly pegged: Price | null;
  /** Null where the asset has no peg or keeps it: the price by the peg on either side, the threshold s* and the factor f (M2). */
  readonly depeg: { readonly low: Price; readonly high: Price; readonly threshold: Price; readonly factor: Ppm } | null;
  readonly validFrom: number;
  readonly validUntil: number;
}

/** Scale of `|q|·m·|P|·rate` against money: 1e8·1e8·1e8·1e6 over 1e8. */
const LINEAR_DIVISOR = ONE * ONE * PPM;

/** Linear: the notional of one contract at scale 1e-16. Inverse: see {@link pointAt}. */
const linearUnit = (instrument: Instrument, price: Price): bigint => instrument.multiplier * abs(price);

const isPlain = ({ kind, multiplier, marginMinPerUnit, basis }: Instrument): boolean =>
  kind === "linear" && multiplier === ONE && marginMinPerUnit === 0n && basis === undefined;

/** Works an instrument out at a price. @throws RangeError for an inverse contract at a price of 0 or below. */
export const pointAt = (instrument: Instrument, price: Price): PricePoint => {
  const { tiers, feePpm, multiplier, marginMinPerUnit } = instrument;
  const inverse = instrument.kind === "inverse";
  if (inverse && price <= 0n) throw new RangeError(`${instrument.instrumentId}: an inverse contract has no value at ${price}`);
  const plain = isPlain(instrument);
  const unit = inverse ? multiplier : plain ? abs(price) : linearUnit(instrument, price);
  const divisor = inverse ? price * PPM : plain ? ONE * PPM : LINEAR_DIVISOR;
  const first = tiers[0];
  return {
    price,
    // At a price of 0 there is no notional, and no size leaves the first bracket.
    sizes: unit === 0n ? [] : tiers.slice(1).map((tier) => divide(tier.floor * (divisor / PPM), unit, "up")),
    ratesIm: tiers.map((tier) => unit * BigInt(tier.rateIm)),
    ratesMm: tiers.map((tier) => unit * BigInt(tier.rateMm + feePpm)),
    amountsIm: tiers.map((tier) => tier.amountIm),
    amountsMm: tiers.map((tier) => tier.amountMm),
    divisor,
    leastMm: marginMinPerUnit,
    // The least initial margin stands to the least maintenance margin as the first bracket's rates do: IM stays above MM (R1).
    leastIm:
      first === undefined || marginMinPerUnit === 0n
        ? marginMinPerUnit
        : divide(marginMinPerUnit * BigInt(first.rateIm), BigInt(first.rateMm + feePpm), "up"),
  };
};

/** Point at which the brackets ask their rates of a position: that of its price, or of its entry where the terms say so (M3). */
export const requirementPoint = ({ instrument }: PricedInstrument, point: PricePoint, entry: Price): PricePoint =>
  instrument.basis === undefined ? point : pointAt(instrument, entry);

/** Null where the mark is in doubt or the entry is the basis: what that costs is the exact pass's to say. */
const estimateOf = (instrument: Instrument, point: PricePoint, told: Told | null): Estimate | null => {
  if (instrument.basis !== undefined) return null;
  if (told !== null && told.confidencePpm < Number(PPM)) return null;
  const funding = told?.funding ?? null;
  const divisor = Number(point.divisor);
  const multiplier = Number(instrument.multiplier);
  return {
    price: Number(point.price),
    multiplier: instrument.kind === "inverse" ? multiplier : multiplier / Number(ONE * ONE),
    sizes: point.sizes.map(Number),
    ratesIm: point.ratesIm.map((rate) => Number(rate) / divisor),
    ratesMm: point.ratesMm.map((rate) => Number(rate) / divisor),
    amountsIm: point.amountsIm.map(Number),
    amountsMm: point.amountsMm.map(Number),
    leastIm: Number(point.leastIm) / Number(ONE),
    leastMm: Number(point.leastMm) / Number(ONE),
    funding:
      funding === null
        ? null
        : {
            rate: Number(funding.rate) / Number(ONE),
            accrued: ((Number(funding.rate) / Number(ONE)) * funding.elapsedMs) / funding.intervalMs,
          },
  };
};

/** An adverse price never falls to 0 where the instrument's price cannot. */
export const atLeastTick = ({ allowNonPositive }: Instrument, price: bigint): Price =>
  (allowNonPositive || price > 0n ? price : 1n) as Price;

/** What these marks tell beside the price; null where that is nothing, as of most. The instant is the snapshot's: one market, one figure. */
export const toldBy = (marks: readonly (Mark | undefined)[], takenAt: number): Told | null => {
  const confidencePpm = Math.min(Number(PPM), ...marks.map((mark) => mark?.confidencePpm ?? Number(PPM)));
  const funding = marks[0]?.funding;
  if (funding === undefined) return confidencePpm === Number(PPM) ? null : { confidencePpm, funding: null };
  const { rate, intervalMs, nextAt } = funding;
  const since = takenAt - (nextAt - intervalMs);
  return { confidencePpm, funding: { rate, intervalMs, elapsedMs: takenAt >= nextAt ? 0 : Math.max(0, since) } };
};

/** An instrument on a snapshot at an instant (R3), with the initial rates that open interest and leverage raise (M3). */
export const priceInstrument = (
  terms: Instrument,
  snapshot: MarketSnapshot,
  now: number,
  leverage: Quantity | null = null,
): PricedInstrument => {
  const mark = snapshot.marks.get(terms.instrumentId);
  const instrument = raisedInstrument(terms, mark, leverage);
  const quality = qualityAt(mark, instrument, now);
  const shared = {
    instrument,
    quality,
    plain: isPlain(instrument),
    validFrom: now,
    validUntil: qualityUntil(mark, instrument, now),
    option: null,
    told: toldBy([mark], snapshot.takenAt),
  };
  if (mark === undefined) return { ...shared, high: null, lowLong: null, lowShort: null, estimate: null };
  const high = pointAt(instrument, mark.price);
  if (quality === "GOOD") return { ...shared, high, lowLong: high, lowShort: high, estimate: estimateOf(instrument, high, shared.told) };
  const width = bandWidth(mark.price, instrument);
  return {
    ...shared,
    high,
    estimate: null,
    lowLong: pointAt(instrument, atLeastTick(instrument, mark.price - width)),
    lowShort: pointAt(instrument, (mark.price + width) as Price),
  };
};

/**
 * The prices at which a position whose instrument never had a mark is valued: E_high at its entry
 * price, E_low as far against it as the jump guard's ceiling would ever let a price move (R3).
 */
const pointWithoutMark = (instrument: Instrument, quantity: Quantity, entry: Price, side: "low" | "high"): PricePoint => {
  if (side === "high") return pointAt(instrument, entry);
  const reach = (abs(entry) * BigInt(instrument.markRule.jumpPpmMax)) / PPM;
  const price = quantity > 0n ? entry - reach : entry + reach;
  return pointAt(instrument, atLeastTick(instrument, price));
};

/** The price point of a position on one side (R3). */
export const pointOf = (priced: PricedInstrument, quantity: Quantity, entry: Price, side: "low" | "high"): PricePoint => {
  const point = side === "high" ? priced.high : quantity > 0n ? priced.lowLong : priced.lowShort;
  return point ?? pointWithoutMark(priced.instrument, quantity, entry, side);
};

/** True for an option whose price is paid when it changes hands (M1). */
export const isPremium = ({ option }: Instrument): boolean => option !== null && option.style === "premium";

/** Profit of a position against its entry, in money at scale 1e-8, rounded down (M1); with an entry of 0 the value of an option. */
export const profitOf = (instrument: Instrument, quantity: Quantity, entry: Price, price: Price): Money =>
  (instrument.kind === "inverse"
    ? divide(quantity * instrument.multiplier * (price - entry), entry * price, "down")
    : divide(quantity * instrument.multiplier * (price - entry), ONE * ONE, "down")) as Money;

/** Notional `|q|·m·|P|` (linear, and an option's premium) or `|q|·V/P` (inverse) in the settlement asset, rounded up (R5, M1). */
export const notionalOf = (instrument: Instrument, quantity: Quantity, price: Price): Money =>
  (instrument.kind === "inverse"
    ? divide(abs(quantity) * instrument.multiplier, price, "up")
    : divide(abs(quantity) * linearUnit(instrument, price), ONE * ONE, "up")) as Money;

/** Index of the bracket that a size falls into at a price. */
export const bracketOf = (point: PricePoint, size: bigint): number => {
  let index = 0;
  while (index < point.sizes.length && size >= (point.sizes[index] as bigint)) index += 1;
  return index;
};

/** Requirement of a size at a price (M3, R5), rounded up. */
export const requirementAt = (point: PricePoint, size: bigint, schedule: "initial" | "maintenance"): Money => {
  const bracket = bracketOf(point, size);
  const initial = schedule === "initial";
  const rate = (initial ? point.ratesIm : point.ratesMm)[bracket] as bigint;
  const amount = (initial ? point.amountsIm : point.amountsMm)[bracket] as Money;
  const required = divide(size * rate, point.divisor, "up") - amount;
  const least = divide(size * (initial ? point.leastIm : point.leastMm), ONE, "up");
  return (required > least ? required : least) as Money;
};

/** The terms of an asset that positions settle in. @throws TermsError when the policy has none. */
export const termsOf = (policy: Policy, asset: Asset): CollateralTerms => {
  const terms = policy.collateral.get(asset);
  if (terms === undefined) {
    throw new TermsError(
      `policy ${policy.policyId} v${policy.version}`,
      `collateral ${asset}`,
      "an account owes or settles in an asset without terms",
      "Add its collateral terms",
    );
  }
  return terms;
};

type Scale = InitialPrice["scale"];

/** What the deposits of all leave of an asset's weight (M2). A figure that was never told leaves nothing on E_low and takes nothing on E_high. */
const scalesOf = ({ deposits: terms }: CollateralTerms, { deposits }: Mark): { readonly low: Scale; readonly high: Scale } => {
  if (terms === undefined) return { low: null, high: null };
  if (deposits === undefined) return { low: { numerator: 0n, denominator: 1n }, high: null };
  const scale = deposits.total <= terms.scaleStart ? null : { numerator: terms.scaleStart, denominator: deposits.total };
  return { low: scale, high: scale };
};

/** Prices of E_i: `min(index, slow average)` for what is held, `max` of them for what is owed (M2); null where they are those of E_m. */
const initialOf = (terms: CollateralTerms, mark: Mark, lower: Price, upper: Price): PricedAsset["initial"] => {
  const { price, slow } = mark;
  if (slow === undefined && terms.deposits === undefined) return null;
  const scale = scalesOf(terms, mark);
  const held = (index: Price): Price => (slow === undefined ? index : min(index, slowPrice(slow, "down")));
  const owed = (index: Price): Price => (slow === undefined ? index : max(index, slowPrice(slow, "up")));
  return {
    low: { asset: held(lower), debt: owed(upper), scale: scale.low },
    high: { asset: held(price), debt: owed(price), scale: scale.high },
  };
};

/** The quality of the figure of the deposits, and until when it holds: an old or a missing one is STALE, and the last figure counts. */
const depositsQuality = (
  { deposits: terms }: CollateralTerms,
  { deposits }: Mark,
  now: number,
): { quality: MarkQuality; until: number } => {
  if (terms === undefined) return { quality: "GOOD", until: Number.POSITIVE_INFINITY };
  const until = deposits === undefined ? now : deposits.asOf + terms.ageMaxMs + 1;
  return until > now ? { quality: "GOOD", until } : { quality: "STALE", until: Number.POSITIVE_INFINITY };
};

/** The prices of an asset in E_i on one side of R3. */
export const initialPrice = ({ initial, high, lower, upper }: PricedAsset, side: "low" | "high"): InitialPrice =>
  initial?.[side] ?? (side === "high" ? { asset: high, debt: high, scale: null } : { asset: lower, debt: upper, scale: null });

/** An accepted asset by its own price. */
const pricedAlone = (terms: CollateralTerms, snapshot: MarketSnapshot, now: number): PricedAsset => {
  const one = ONE as Price;
  const always = { terms, pegged: null, depeg: null, validFrom: Number.NEGATIVE_INFINITY, validUntil: Number.POSITIVE_INFINITY };
  if (terms.priceId === null) return { ...always, quality: "GOOD", high: one, lower: one, upper: one, initial: null };
  const none = 0n as Price;
  const instrument = snapshot.instruments.get(terms.priceId);
  const mark = snapshot.marks.get(terms.priceId);
  // An asset that never had a price never counted: nothing is taken away from anybody when it counts 0 on both sides.
  if (instrument === undefined || mark === undefined) {
    return { ...always, quality: "MISSING", high: none, lower: none, upper: none, initial: null };
  }
  const quality = qualityAt(mark, instrument, now);
  const width = quality === "GOOD" ? 0n : bandWidth(mark.price, instrument);
  // At its source's least answer an asset may be worth anything below (S05).
  const lower = (sourceBoundOf(mark.price, instrument) === "least" ? 0n : mark.price - width) as Price;
  const upper = (mark.price + width) as Price;
  const deposits = depositsQuality(terms, mark, now);
  return {
    terms,
    quality: worseQuality(quality, deposits.quality),
    high: mark.price,
    lower,
    upper,
    initial: initialOf(terms, mark, lower, upper),
    pegged: null,
    depeg: null,
    validFrom: now,
    validUntil: Math.min(deposits.until, qualityUntil(mark, instrument, now)),
  };
};

/**
 * An accepted asset on a snapshot at an instant (M2, R3). A stable asset is as good as the price by its peg: without one
 * its quality is MISSING, and what it is worth stays what its own price says.
 */
export const priceAsset = (terms: CollateralTerms, snapshot: MarketSnapshot, now: number): PricedAsset => {
  const alone = pricedAlone(terms, snapshot, now);
  const { peg } = terms;
  if (peg === undefined) return alone;
  const instrument = snapshot.instruments.get(peg.priceId);
  const mark = snapshot.marks.get(peg.priceId);
  if (instrument === undefined || mark === undefined) return { ...alone, quality: "MISSING" };
  const own = qualityAt(mark, instrument, now);
  const threshold = ((BigInt(peg.threshold) * ONE) / PPM) as Price;
  const low = (own === "GOOD" ? mark.price : mark.price - bandWidth(mark.price, instrument)) as Price;
  return {
    ...alone,
    quality: worseQuality(alone.quality, own),
    pegged: low,
    depeg: low < threshold ? { low, high: mark.price, threshold, factor: peg.factor } : null,
    validFrom: now,
    validUntil: Math.min(alone.validUntil, qualityUntil(mark, instrument, now)),
  };
};
