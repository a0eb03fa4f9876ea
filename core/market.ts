import type { Asset } from "./instrument.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { Policy } from "./policy.ts";
import type { PricedAsset, PricedInstrument } from "./valuation.ts";
import { priceAsset, priceInstrument } from "./valuation.ts";

/**
 * A snapshot under a policy at an instant, with what accounts share worked out once.
 *
 * Instruments and assets are priced when the first account needs them, and again once time has
 * changed the quality of their mark. The maps hold nothing but results of pure functions.
 */
export interface PricedMarket {
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
  readonly now: number;
  readonly instruments: Map<string, PricedInstrument>;
  readonly assets: Map<Asset, PricedAsset | null>;
}

/** @throws RangeError for an instrument that the snapshot does not know. */
export const pricedInstrument = (market: PricedMarket, instrumentId: string): PricedInstrument => {
  const { now } = market;
  const known = market.instruments.get(instrumentId);
  if (known !== undefined && now >= known.validFrom && now < known.validUntil) return known;
  const instrument = market.snapshot.instruments.get(instrumentId);
  if (instrument === undefined) throw new RangeError(`unknown instrument ${instrumentId}`);
  const priced = priceInstrument(instrument, market.snapshot, now);
  market.instruments.set(instrumentId, priced);
  return priced;
};

/** Null for an asset that the policy does not accept. */
export const pricedAsset = (market: PricedMarket, asset: Asset): PricedAsset | null => {
  const { now } = market;
  const known = market.assets.get(asset);
  if (known === null || (known !== undefined && now >= known.validFrom && now < known.validUntil)) return known;
  const terms = market.policy.collateral.get(asset);
  const priced = terms === undefined ? null : priceAsset(terms, market.snapshot, now);
  market.assets.set(asset, priced);
  return priced;
};

/** Prices of one snapshot: its instruments, and the accepted assets of each policy by the identity of its terms. */
interface Remembered {
  readonly snapshot: MarketSnapshot;
  readonly instruments: Map<string, PricedInstrument>;
  readonly assets: { readonly collateral: Policy["collateral"]; readonly priced: Map<Asset, PricedAsset | null> }[];
}

/** Accounts of a shard may be under several policies; more than these are priced again. */
const POLICIES_REMEMBERED = 8;
let remembered: Remembered | null = null;

/**
 * The market of these inputs. Prices of the snapshot last used are remembered by identity, so that
 * the accounts of a sweep share them: a memo, not a state, and forgetting it changes no answer.
 */
export const marketOf = (snapshot: MarketSnapshot, policy: Policy, now: number): PricedMarket => {
  if (remembered === null || remembered.snapshot !== snapshot) remembered = { snapshot, instruments: new Map(), assets: [] };
  const { instruments, assets } = remembered;
  for (let index = 0; index < assets.length; index += 1) {
    const known = assets[index] as Remembered["assets"][number];
    if (known.collateral === policy.collateral) return { snapshot, policy, now, instruments, assets: known.priced };
  }
  const priced = new Map<Asset, PricedAsset | null>();
  if (assets.length === POLICIES_REMEMBERED) assets.shift();
  assets.push({ collateral: policy.collateral, priced });
  return { snapshot, policy, now, instruments, assets: priced };
};
