import type { MarginAccount, Position } from "./account.ts";
import { FUNDING_FACTOR } from "./charges.ts";
import type { Asset } from "./instrument.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedAsset, pricedInstrument } from "./market.ts";
import { ONE } from "./money.ts";
import type { CollateralTerms, Policy } from "./policy.ts";
import { hasAnyOrders, standingOf } from "./standing.ts";
import { isLiquidityCharged } from "./unit-liquidity.ts";
import { type Estimate, initialPrice } from "./valuation.ts";

/**
 * Relative error allowed to the float pass, of the sum S of the magnitudes of everything it adds.
 *
 * Proof. Let u = 2^-53. A number read from a bigint is off by at most u of itself, and so is each
 * product, quotient and sum of two. A position's profit is built from at most 8 such steps out of
 * terms whose magnitudes enter S (|q|·m·|P| and |q|·m·|P0|, or their reciprocals for inverse
 * contracts), its requirements from at most 8 out of |q|·rate and the bracket's amount: each is off by
 * at most 9u of its share of S. Naive summation of n terms adds at most n·u·S. Everything after the sums
 * (haircut slices, debt weights, least margins, brackets, the limited share of profit) is continuous,
 * and stretches a difference by at most the debt weight, by which S is multiplied too; a size
 * that float64 puts on the wrong side of a bracket's edge is within 9u of that edge, where the two
 * brackets agree. Indices and weights add at most 8 steps. With n ≤ 4 terms for each of 500 positions
 * and for each of as many assets, the total is below (4,000 + 25)·u·S < 4.5e-13·S. Twice that is taken.
 */
const ERROR_SHARE = 1e-12;
/** What the exact pass itself rounds away, in 1e-8: at most 4 units for each position and asset, and 6 more for its funding. */
const ROUNDING_UNITS = 10;

/** Sums of one settlement asset, in 1e-8 of it; `magnitude` is its share of S. */
interface Sums {
  readonly asset: Asset;
  profit: number;
  initial: number;
  maintenance: number;
  magnitude: number;
}

/** What a perpetual's funding adds: what accrued to the profit, a share of the next payment to what is required (M1). */
const addFunding = (to: Sums, signedNotional: number, { rate, accrued }: NonNullable<Estimate["funding"]>, factor: number): void => {
  const next = Math.max(0, signedNotional * rate) * factor;
  to.profit -= signedNotional * accrued;
  to.initial += next;
  to.maintenance += next;
  to.magnitude += 4 * Math.abs(signedNotional * rate);
};

const addPosition = (to: Sums, { quantity, entryPrice }: Position, estimate: Estimate, inverse: boolean): void => {
  const q = Number(quantity);
  const entry = Number(entryPrice);
  const size = q < 0 ? -q : q;
  const { price, multiplier, sizes } = estimate;
  const reach = size * multiplier;
  if (inverse) {
    to.profit += q * multiplier * (1 / entry - 1 / price);
    to.magnitude += reach / entry + reach / price;
  } else {
    to.profit += q * multiplier * (price - entry);
    to.magnitude += reach * (Math.abs(price) + Math.abs(entry));
  }
  let bracket = 0;
  while (bracket < sizes.length && size >= (sizes[bracket] as number)) bracket += 1;
  const grossIm = size * (estimate.ratesIm[bracket] as number);
  const grossMm = size * (estimate.ratesMm[bracket] as number);
  const initial = grossIm - (estimate.amountsIm[bracket] as number);
  const maintenance = grossMm - (estimate.amountsMm[bracket] as number);
  const leastIm = size * estimate.leastIm;
  to.initial += initial > leastIm ? initial : leastIm;
  to.maintenance += maintenance > size * estimate.leastMm ? maintenance : size * estimate.leastMm;
  to.magnitude += 2 * (grossIm + grossMm) + leastIm;
};

/** Value of a positive balance after its initial haircuts, in 1e-8. */
const afterHaircut = (value: number, { tiers }: CollateralTerms): number => {
  const first = tiers[0];
  if (tiers.length === 1 && first?.haircutIm === 0) return value;
  let worth = 0;
  for (let index = 0; index < tiers.length; index += 1) {
    const tier = tiers[index] as CollateralTerms["tiers"][number];
    const floor = Number(tier.floor);
    if (value <= floor) break;
    const next = tiers[index + 1];
    const top = next === undefined ? value : Math.min(value, Number(next.floor));
    worth += (top - floor) * (1 - tier.haircutIm / 1e6);
  }
  return worth;
};

/** Sums the positions by settlement asset; null where a mark is not GOOD or the liquidity of the market is charged, which is no sum over positions. */
const sumsOf = (account: MarginAccount, market: PricedMarket): Sums[] | null => {
  const all: Sums[] = [];
  let current: Sums | undefined;
  const standing = standingOf(account);
  for (const position of account.positions) {
    const { estimate, instrument } = pricedInstrument(market, position.instrumentId, standing.get(position.instrumentId)?.leverage);
    if (estimate === null || isLiquidityCharged(instrument, market.policy)) return null;
    const asset = instrument.settleAsset;
    if (current === undefined || current.asset !== asset) {
      current = all.find((sums) => sums.asset === asset);
      if (current === undefined) {
        current = { asset, profit: 0, initial: 0, maintenance: 0, magnitude: 0 };
        all.push(current);
      }
    }
    const inverse = instrument.kind === "inverse";
    addPosition(current, position, estimate, inverse);
    if (estimate.funding !== null) {
      const value = Number(position.quantity) * estimate.multiplier;
      const notional = inverse ? value / estimate.price : value * Math.abs(estimate.price);
      addFunding(current, notional, estimate.funding, (market.policy.fundingFactor ?? FUNDING_FACTOR) / 1e6);
    }
  }
  for (const asset of account.balances.keys()) {
    if (!all.some((sums) => sums.asset === asset)) all.push({ asset, profit: 0, initial: 0, maintenance: 0, magnitude: 0 });
  }
  return all;
};

/**
 * True only where the exact pass would surely find a HEALTHY account HEALTHY still, so that there is
 * nothing to decide: it has no live call, all its marks are GOOD, and float64 puts E_i clear of its
 * warning level by more than the pass can be wrong. False says nothing: `decide` answers.
 */
export const isSurelyQuiet = (account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, now: number): boolean => {
  if (account.level !== "HEALTHY" || account.live !== null || account.openCalls.CROSS !== undefined) return false;
  if (policy.model.kind !== "standard") return false;
  // Orders are for the exact pass.
  if (hasAnyOrders(account.standing)) return false;
  const market = marketOf(snapshot, policy, now);
  const all = sumsOf(account, market);
  if (all === null) return false;
  const share = policy.unrealisedProfitIm / 1e6;
  const warning = policy.levels.warning / 1e6;
  let headroom = 0;
  let magnitude = 0;
  for (const { asset, profit, initial, maintenance, magnitude: own } of all) {
    const wallet = Number(account.balances.get(asset) ?? 0n);
    const reserved = Number(account.reserved.get(asset) ?? 0n);
    if (wallet === 0 && reserved === 0 && own === 0) continue;
    const priced = pricedAsset(market, asset);
    if (priced === null || priced.quality !== "GOOD" || priced.depeg !== null) {
      // An asset that counts nothing is no doubt while it is held; anything else is for the exact pass.
      if (priced === null && own === 0 && wallet >= 0) continue;
      return false;
    }
    const price = Number(priced.high) / Number(ONE);
    const weight = priced.terms.liabilityWeight / 1e6;
    const balance = wallet - reserved + (profit > 0 ? profit * share : profit);
    const { asset: held, debt: owed, scale } = initialPrice(priced, "high");
    const kept = scale === null ? 1 : Number(scale.numerator) / Number(scale.denominator);
    const value = balance * (Number(balance < 0 ? owed : held) / Number(ONE));
    headroom += value < 0 ? value * weight : kept * afterHaircut(value, priced.terms);
    headroom -= (maintenance + warning * (initial - maintenance)) * price;
    const dearest = Number(owed) / Number(ONE);
    magnitude += (Math.abs(wallet) + reserved + own * (1 + warning)) * dearest * weight;
    // What is rounded in the asset is worth its price.
    magnitude += ((ROUNDING_UNITS * (1 + account.positions.length) * (1 + dearest) * (1 + warning)) / ERROR_SHARE) * weight;
  }
  if (account.positions.length === 0 && magnitude === 0) return true;
  return headroom > magnitude * ERROR_SHARE;
};
