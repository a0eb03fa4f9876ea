import type { Asset } from "./instrument.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { Quantity } from "./money.ts";
import { priceOption, surfaceOf } from "./option-market.ts";
import type { Policy } from "./policy.ts";
import type { PricedUnit, PricedInstrument as RiskInstrument } from "./portfolio/priced-instrument.ts";
import type { VolatilitySurface } from "./pricing/surface.ts";
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
  readonly surfaces: Map<string, VolatilitySurface>;
  /** Instruments of a portfolio model in each scenario of their risk unit, under the policy's model. */
  readonly risk: Map<string, RiskInstrument>;
  /** Their risk units, by base asset. */
  readonly units: Map<Asset, PricedUnit>;
  /** Likewise in each joint scenario of the policy (M7); null for one without a price. */
  readonly history: Map<string, Float64Array | null>;
}

/** The volatilities of an underlying, worked out from the snapshot when first asked for. */
const surfaceIn = ({ surfaces, snapshot }: PricedMarket, underlyingId: string): VolatilitySurface => {
  const known = surfaces.get(underlyingId);
  if (known !== undefined) return known;
  const surface = surfaceOf(underlyingId, snapshot);
  surfaces.set(underlyingId, surface);
  return surface;
};

/**
 * An instrument on the market, priced once for all accounts and once for each leverage that they chose in it.
 *
 * @param leverage as the account's holder chose it (M3); null for none. An option has none.
 * @throws RangeError for an instrument that the snapshot does not know.
 */
export const pricedInstrument = (market: PricedMarket, instrumentId: string, leverage: Quantity | null = null): PricedInstrument => {
  const { now } = market;
  const key = leverage === null ? instrumentId : `${instrumentId} ${leverage}`;
  const known = market.instruments.get(key);
  if (known !== undefined && now >= known.validFrom && now < known.validUntil) return known;
  const instrument = market.snapshot.instruments.get(instrumentId);
  if (instrument === undefined) throw new RangeError(`unknown instrument ${instrumentId}`);
  const { option } = instrument;
  const priced =
    option === null
      ? priceInstrument(instrument, market.snapshot, now, leverage)
      : priceOption(instrument, option, market.snapshot, { surface: () => surfaceIn(market, option.underlyingId), now });
  market.instruments.set(key, priced);
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

/** What the accounts under one policy share of a snapshot: prices of accepted assets, and instruments in each scenario. */
type PolicyMemo = Pick<PricedMarket, "assets" | "risk" | "units" | "history">;

interface UnderPolicy {
  readonly collateral: Policy["collateral"];
  readonly model: Policy["model"];
  readonly memo: PolicyMemo;
}

/** Prices of one snapshot: its instruments, and what each policy adds by the identity of its terms. */
interface Remembered {
  readonly snapshot: MarketSnapshot;
  readonly instruments: Map<string, PricedInstrument>;
  readonly surfaces: Map<string, VolatilitySurface>;
  readonly policies: UnderPolicy[];
}

/** Accounts of a shard may be under several policies; more than these are priced again. */
const POLICIES_REMEMBERED = 8;
let remembered: Remembered | null = null;

/**
 * The market of these inputs. Prices of the snapshot last used are remembered by identity, so that
 * the accounts of a sweep share them: a memo, not a state, and forgetting it changes no answer.
 */
export const marketOf = (snapshot: MarketSnapshot, policy: Policy, now: number): PricedMarket => {
  if (remembered === null || remembered.snapshot !== snapshot) {
    remembered = { snapshot, instruments: new Map(), surfaces: new Map(), policies: [] };
  }
  const { instruments, surfaces, policies } = remembered;
  for (let index = 0; index < policies.length; index += 1) {
    const { collateral, model, memo } = policies[index] as UnderPolicy;
    if (collateral === policy.collateral && model === policy.model) return { snapshot, policy, now, instruments, surfaces, ...memo };
  }
  if (policies.length === POLICIES_REMEMBERED) policies.shift();
  const memo: PolicyMemo = { assets: new Map(), risk: new Map(), units: new Map(), history: new Map() };
  policies.push({ collateral: policy.collateral, model: policy.model, memo });
  return { snapshot, policy, now, instruments, surfaces, ...memo };
};
