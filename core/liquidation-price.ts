import type { MarginAccount, Position } from "./account.ts";
import type { Affine, Piecewise } from "./affine.ts";
import { affine, nearestChange, reaches, valueAt } from "./affine.ts";
import { requiredMaintenance, unrealisedOf, valuedOf } from "./equity.ts";
import type { Asset, Instrument } from "./instrument.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedAsset, pricedInstrument } from "./market.ts";
import { isMarginedTogether } from "./model-requirement.ts";
import type { Price } from "./money.ts";
import { abs, ONE, PPM } from "./money.ts";
import type { CollateralTerms, Policy } from "./policy.ts";
import type { Ratio } from "./ratio.ts";
import { addRatio, compareRatio, divideRatio, multiplyRatio, negateRatio, ratio, ratioPrice, reduceRatio, subtractRatio } from "./ratio.ts";
import { type Search, searchRoots } from "./root-search.ts";

/**
 * Prices of one instrument at which the whole account changes between safe and breached, all other
 * marks held fixed (M4). Exact fractions of 1e-8; strictly beyond them the account is on the other side.
 */
export interface PriceRoots {
  /** Nearest root below the mark; null when there is none in the instrument's domain. */
  readonly lower: Ratio | null;
  readonly upper: Ratio | null;
  /** True when the account is already breached at the mark: then the roots are where it would be safe again. */
  readonly breached: boolean;
}

const NONE: PriceRoots = { lower: null, upper: null, breached: false };
const NIL = ratio(0n);
const flat = (value: Ratio): Affine => affine(value, NIL);
const steep = (slope: Ratio): Affine => affine(NIL, slope);

/**
 * The variable in which the account is piecewise straight: the price P, or u = 1/P where the account
 * is valued in the instrument's own base asset (coin-only accounts).
 */
interface Frame {
  readonly reciprocal: boolean;
  readonly mark: Ratio;
}

/** Factor by which an amount of an asset becomes value: its index price, moving with the instrument where it is the same thing. */
const priceLine = (asset: Asset, index: Price, instrument: Instrument, { reciprocal, mark }: Frame): Affine => {
  const factor = ratio(index, ONE);
  if (reciprocal) return asset === instrument.quoteAsset ? steep(multiplyRatio(factor, mark)) : flat(factor);
  return asset === instrument.baseAsset && mark.numerator !== 0n ? steep(divideRatio(factor, mark)) : flat(factor);
};

/** The position's profit and notional in its settlement asset: `constant + p·P + u·(1/P)`, of which one of the last two is 0. */
interface LegTerms {
  readonly profit: { readonly constant: Ratio; readonly perPrice: Ratio; readonly perReciprocal: Ratio };
  readonly notional: { readonly perPrice: Ratio; readonly perReciprocal: Ratio };
}

const legTerms = ({ quantity, entryPrice }: Position, { kind, multiplier }: Instrument): LegTerms => {
  const worth = quantity * multiplier;
  if (kind === "inverse") {
    const constant = ratio(worth, entryPrice);
    return {
      profit: { constant, perPrice: NIL, perReciprocal: ratio(-worth) },
      notional: { perPrice: NIL, perReciprocal: ratio(abs(worth)) },
    };
  }
  const scale = ONE * ONE;
  const constant = ratio(-worth * entryPrice, scale);
  return {
    profit: { constant, perPrice: ratio(worth, scale), perReciprocal: NIL },
    notional: { perPrice: ratio(abs(worth), scale), perReciprocal: NIL },
  };
};

/**
 * `(constant + p·P + u/P) · factor`, as a line in the frame's variable. The factor is flat or purely
 * steep; only the products that stay straight occur: see the four cases of `LegTerms` and `priceLine`.
 */
const inFrame = (terms: LegTerms["profit"], factor: Affine, { reciprocal }: Frame): Affine => {
  const [own, other] = reciprocal ? [terms.perReciprocal, terms.perPrice] : [terms.perPrice, terms.perReciprocal];
  if (factor.slope.numerator === 0n) {
    return affine(multiplyRatio(terms.constant, factor.constant), multiplyRatio(own, factor.constant));
  }
  return affine(multiplyRatio(other, factor.slope), multiplyRatio(terms.constant, factor.slope));
};

const plusLine = (a: Affine, b: Affine): Affine => affine(addRatio(a.constant, b.constant), addRatio(a.slope, b.slope));
const times = (line: Affine, factor: Ratio): Affine => affine(multiplyRatio(line.constant, factor), multiplyRatio(line.slope, factor));

/** Value after haircuts or debt weight, exactly (M2). */
const worthOf = (value: Ratio, terms: CollateralTerms): Ratio => {
  if (value.numerator < 0n) return multiplyRatio(value, ratio(BigInt(terms.liabilityWeight), PPM));
  let worth = NIL;
  for (const [index, tier] of terms.tiers.entries()) {
    const floor = ratio(tier.floor);
    if (compareRatio(value, floor) <= 0) break;
    const next = terms.tiers[index + 1];
    const top = next === undefined || compareRatio(value, ratio(next.floor)) < 0 ? value : ratio(next.floor);
    worth = addRatio(worth, multiplyRatio(subtractRatio(top, floor), ratio(PPM - BigInt(tier.haircutMm), PPM)));
  }
  return worth;
};

/** One asset's contribution to equity. */
const assetPiece = (line: Affine, terms: CollateralTerms): Piecewise => ({
  at: (s) => worthOf(valueAt(line, s), terms),
  breakpoints: [NIL, ...terms.tiers.map((tier) => ratio(tier.floor))].flatMap((level) => reaches(line, level) ?? []),
});

/** The position's own maintenance requirement, negative: bracket by bracket, with the least margin of R5. */
const requirementPiece = (position: Position, instrument: Instrument, factor: Affine, frame: Frame): Piecewise => {
  const { notional } = legTerms(position, instrument);
  const required = (sign: bigint): Affine =>
    inFrame(
      { constant: NIL, perPrice: multiplyRatio(notional.perPrice, ratio(sign)), perReciprocal: notional.perReciprocal },
      factor,
      frame,
    );
  const [above, below] = [required(1n), required(-1n)];
  const least = multiplyRatio(ratio(abs(position.quantity)), ratio(instrument.marginMinPerUnit, ONE));
  const brackets = instrument.tiers.map((tier) => ({ ...tier, rate: ratio(BigInt(tier.rateMm + instrument.feePpm), PPM) }));
  /** Price at which the notional reaches a level, in the frame's variable, positive. */
  const sizeAt = (level: Ratio): Ratio[] => {
    const per = instrument.kind === "inverse" ? notional.perReciprocal : notional.perPrice;
    if (level.numerator <= 0n) return [];
    const direct = (instrument.kind === "inverse") === frame.reciprocal;
    return [reduceRatio(direct ? divideRatio(level, per) : divideRatio(per, level))];
  };
  const levels = brackets.flatMap(({ floor, rate, amountMm }) => [
    ...sizeAt(ratio(floor)),
    ...(rate.numerator === 0n ? [] : sizeAt(divideRatio(addRatio(least, ratio(amountMm)), rate))),
  ]);
  return {
    at: (s) => {
      const value = valueAt(s.numerator < 0n ? below : above, s);
      const price = valueAt(factor, s);
      // The largest over brackets is the one that holds: rates rise and the requirement is continuous, so it is convex (M3).
      let most = multiplyRatio(least, price);
      for (const { rate, amountMm } of brackets) {
        const here = subtractRatio(multiplyRatio(value, rate), multiplyRatio(ratio(amountMm), price));
        if (compareRatio(here, most) > 0) most = here;
      }
      return negateRatio(most);
    },
    breakpoints: [NIL, ...levels, ...levels.map(negateRatio)],
  };
};

/** The account as a function of the instrument's price: E_m, less MM when asked. Null when the instrument has no mark. */
const accountPieces = (
  account: MarginAccount,
  instrumentId: string,
  market: PricedMarket,
  lessRequirement: boolean,
): { pieces: Piecewise[]; frame: Frame; instrument: Instrument } | null => {
  const { instrument, high } = pricedInstrument(market, instrumentId);
  const reciprocal = instrument.baseAsset === market.policy.valuationAsset;
  if (high === null || (high.price <= 0n && reciprocal)) return null;
  const frame: Frame = { reciprocal, mark: ratio(high.price) };
  const position = account.positions.find((held) => held.instrumentId === instrumentId);
  const others = { ...account, positions: account.positions.filter((held) => held !== position) };
  const { settlements } = valuedOf(others, market, "high");
  const pieces: Piecewise[] = [];
  const settled = instrument.settleAsset;
  const amounts = new Map<Asset, { readonly balance: bigint; readonly required: bigint }>();
  if (position !== undefined) amounts.set(settled, { balance: 0n, required: 0n });
  for (const held of settlements)
    amounts.set(held.asset, { balance: held.wallet + unrealisedOf(held), required: requiredMaintenance(held) });
  for (const [asset, { balance, required }] of amounts) {
    const priced = pricedAsset(market, asset);
    if (priced === null || priced.high === 0n) continue;
    const factor = priceLine(asset, priced.high, instrument, frame);
    let line = times(factor, ratio(balance));
    if (position !== undefined && asset === settled) {
      line = plusLine(line, inFrame(legTerms(position, instrument).profit, factor, frame));
      if (lessRequirement) pieces.push(requirementPiece(position, instrument, factor, frame));
    }
    pieces.push(assetPiece(line, priced.terms));
    if (lessRequirement) pieces.push({ at: (s) => negateRatio(valueAt(times(factor, ratio(required)), s)), breakpoints: [] });
  }
  return { pieces, frame, instrument };
};

const rootsOf = (account: MarginAccount, instrumentId: string, market: PricedMarket, lessRequirement: boolean): PriceRoots => {
  const built = accountPieces(account, instrumentId, market, lessRequirement);
  if (built === null) return NONE;
  const { pieces, frame, instrument } = built;
  const gap: Piecewise = {
    at: (s) => pieces.map((piece) => piece.at(s)).reduce((sum, value) => reduceRatio(addRatio(sum, value)), NIL),
    breakpoints: pieces.flatMap((piece) => piece.breakpoints),
  };
  const start = frame.reciprocal ? divideRatio(ratio(1n), frame.mark) : frame.mark;
  const whole = instrument.allowNonPositive && !frame.reciprocal;
  const towards = (direction: 1 | -1): Ratio | null => nearestChange(gap, start, direction, direction === 1 || whole ? null : NIL);
  const priceOf = (s: Ratio | null): Ratio | null => (s !== null && frame.reciprocal ? divideRatio(ratio(1n), s) : s);
  const [ahead, back] = [priceOf(towards(1)), priceOf(towards(-1))];
  return { lower: frame.reciprocal ? ahead : back, upper: frame.reciprocal ? back : ahead, breached: gap.at(start).numerator < 0n };
};

/** Solved exactly where the account is straight between its breakpoints, searched where a model, an option, funding, a basis of its own or the liquidity of its market bends it. */
const rootsFor = (search: Search): PriceRoots => {
  const { account, instrumentId, snapshot, policy, now, lessRequirement } = search;
  const market = marketOf(snapshot, policy, now);
  const isBent = account.positions.some(({ instrumentId: held }) => {
    const { instrument, told } = pricedInstrument(market, held);
    return instrument.basis !== undefined || isMarginedTogether(instrument, policy) || (told !== null && told.funding !== null);
  });
  return isBent ? searchRoots(search) : rootsOf(account, instrumentId, market, lessRequirement);
};

/**
 * Where `E_m = MM` for the whole account as one instrument's price moves (M4): linear and inverse
 * contracts, and spot pairs for accounts that hold or owe their base asset.
 *
 * Held fixed: every other mark. Moving with the price: collateral and debts in the instrument's base
 * asset. Solved exactly in each stretch between brackets, haircut slices and signs; over all real
 * prices where the instrument allows them (R5). Accounts with options and portfolio margin are searched by
 * revaluation, see {@link searchRoots}. A single-asset price misleads for a hedged book.
 */
export const liquidationRoots = (
  account: MarginAccount,
  instrumentId: string,
  snapshot: MarketSnapshot,
  policy: Policy,
  now: number,
): PriceRoots => rootsFor({ account, instrumentId, snapshot, policy, now, lessRequirement: true });

/** Where `E_m = 0` for the whole account as one instrument's price moves (M4): the bankruptcy or zero price. */
export const bankruptcyRoots = (
  account: MarginAccount,
  instrumentId: string,
  snapshot: MarketSnapshot,
  policy: Policy,
  now: number,
): PriceRoots => rootsFor({ account, instrumentId, snapshot, policy, now, lessRequirement: false });

/**
 * The root in the adverse direction: below for a long, above for a short; on the other side for an
 * account that is already breached. Rounded to 1e-8 on the side of the mark. Null when there is none.
 */
export const adverseRoot = (roots: PriceRoots, quantity: bigint): Price | null => {
  const below = quantity > 0n !== roots.breached;
  const root = below ? roots.lower : roots.upper;
  return root === null ? null : ratioPrice(root, below ? "up" : "down");
};
