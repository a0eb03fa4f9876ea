import type { MarginAccount, Position } from "../../core/account.ts";
import { newAccount } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import { STANDARD_MODEL } from "../../core/margin-model.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import { type Money, money, price, quantity } from "../../core/money.ts";
import type { CollateralTerms, HaircutTier, Policy } from "../../core/policy.ts";

/** The instant of these tests. */
export const NOW = Date.UTC(2026, 0, 5, 12, 0, 0);

const markRule = { ageMaxMs: 60_000, jumpPpmPerMinute: 100_000, jumpPpmMax: 500_000, agreePpm: 10_000, suspectAfterMs: 30_000 };

/** A linear perpetual on the terms of the worked example of R1: IM 10 %, MM 0.5 % of the mark's notional, no fee. */
export const contract = (instrumentId: string, patch: Partial<Instrument> = {}): Instrument => ({
  instrumentId,
  version: 1,
  kind: "linear",
  expiryAt: null,
  baseAsset: "BTC",
  quoteAsset: "USDT",
  settleAsset: "USDT",
  multiplier: quantity("1"),
  tiers: [{ floor: 0n as Money, rateIm: 100_000, rateMm: 5_000, amountIm: 0n as Money, amountMm: 0n as Money }],
  feePpm: 0,
  liquidationFeePpm: 0,
  insuranceFeePpm: 0,
  allowNonPositive: false,
  marginMinPerUnit: 0n as Money,
  lotSize: quantity("0.00000001"),
  tickSize: price("0.00000001"),
  bandPpm: 50_000,
  markRule,
  option: null,
  ...patch,
});

export const spot = (instrumentId: string, baseAsset: string, quoteAsset = "USDT"): Instrument =>
  contract(instrumentId, { kind: "spot", baseAsset, quoteAsset, settleAsset: quoteAsset, tiers: [] });

/** Bare terms of an asset: no haircut, debts at their value. */
export const bare = (asset: string, priceId: string | null = null, patch: Partial<CollateralTerms> = {}): CollateralTerms => ({
  asset,
  priceId,
  tiers: [{ floor: 0n as Money, haircutIm: 0, haircutMm: 0 }],
  liabilityWeight: 1_000_000,
  ...patch,
});

export const slices = (...given: readonly (readonly [floor: string, haircutIm: number, haircutMm: number])[]): readonly HaircutTier[] =>
  given.map(([floor, haircutIm, haircutMm]) => ({ floor: money(floor), haircutIm, haircutMm }));

export const policyWith = (collateral: readonly CollateralTerms[], patch: Partial<Policy> = {}): Policy => ({
  policyId: "standard",
  version: 1,
  valuationAsset: collateral[0]?.asset ?? "USDT",
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  collateral: new Map(collateral.map((terms) => [terms.asset, terms])),
  model: STANDARD_MODEL,
  unrealisedProfitIm: 1_000_000,
  unrealisedProfitWithdrawal: 0,
  graceMs: 900_000,
  graceMinMs: 60_000,
  topUpGraceMs: 300_000,
  topUpsMax: 3,
  noticeAllowanceMs: 60_000,
  noticeWaitMaxMs: 120_000,
  coolDownMs: 600_000,
  episodeEndMs: 600_000,
  cureDwellMs: 60_000,
  badMarkWaitMs: 600_000,
  onUnmet: "reduce",
  closeOutBuffer: 0,
  minimumTransfer: 0n as Money,
  attemptsMax: 3,
  ...patch,
});

export const markOf = (instrumentId: string, text: string, patch: Partial<Mark> = {}): Mark => ({
  instrumentId,
  price: price(text),
  asOf: NOW,
  source: "test",
  candidate: null,
  ...patch,
});

/** A snapshot of these instruments at these prices; a price may be a whole mark, and null leaves it MISSING. */
export const snapshotOf = (
  instruments: readonly Instrument[],
  prices: Readonly<Record<string, string | Partial<Mark> | null>>,
): MarketSnapshot => ({
  snapshotId: "S-1",
  takenAt: NOW,
  instruments: new Map(instruments.map((instrument) => [instrument.instrumentId, instrument])),
  marks: new Map(
    Object.entries(prices).flatMap(([id, given]): [string, Mark][] =>
      given === null ? [] : [[id, typeof given === "string" ? markOf(id, given) : { ...markOf(id, "1"), ...given }]],
    ),
  ),
});

export const leg = (instrumentId: string, size: string, entry: string): Position => ({
  instrumentId,
  quantity: quantity(size),
  entryPrice: price(entry),
});

export const accountOf = (
  balances: Readonly<Record<string, string>>,
  positions: readonly Position[] = [],
  patch: Partial<MarginAccount> = {},
): MarginAccount => ({
  ...newAccount({ accountId: "a-1", key: "ABCDEFGHIJKL", brokerId: "b-1", clientClass: "retail", policyId: "standard" }),
  balances: new Map(Object.entries(balances).map(([asset, amount]) => [asset, money(amount)])),
  positions,
  ...patch,
});
