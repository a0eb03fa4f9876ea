import { unopenedAccount } from "../adapters/dynamodb/account-codec.ts";
import { instrumentBody } from "../adapters/wire/instrument.ts";
import { policyBody } from "../adapters/wire/policy.ts";
import type { MarginAccount, Position } from "../core/account.ts";
import { decide } from "../core/decide.ts";
import type { Instrument } from "../core/instrument.ts";
import type { Mark, MarketSnapshot } from "../core/mark.ts";
import type { PolicyInMode } from "../core/mode.ts";
import { type Money, type Price, price, type Quantity } from "../core/money.ts";
import { assess } from "../core/statement.ts";
import { type Draw, draws } from "../local/random.ts";

const COINS = 40;
/** Instruments that only one cohort of accounts holds: a fall of its price breaches that cohort and nobody else. */
export const COHORTS = 24;
const POSITIONS = 10;
/** How far the price of a cohort's instrument falls. */
const FALL_PPM = 100_000n;

const numbered = (name: string, number: number): string => `${name}${number.toString().padStart(2, "0")}`;
export const cohortInstrument = (cohort: number): string => `${numbered("HOT", cohort)}-PERP`;

/** Body of `PUT /instruments/{instrumentId}`: a linear perpetual with four brackets, and marks that stay good for an hour. */
export const instrumentTerms = (baseAsset: string) => ({
  kind: "linear" as const,
  expiryAt: null,
  baseAsset,
  quoteAsset: "USDT",
  multiplier: "1",
  tiers: [
    { floor: "0", rateIm: 50_000, rateMm: 20_000 },
    { floor: "50000", rateIm: 100_000, rateMm: 40_000 },
    { floor: "250000", rateIm: 200_000, rateMm: 80_000 },
    { floor: "1000000", rateIm: 400_000, rateMm: 160_000 },
  ],
  feePpm: 500,
  liquidationFeePpm: 5_000,
  insuranceFeePpm: 0,
  allowNonPositive: false,
  marginMinPerUnit: "0",
  lotSize: "0.001",
  tickSize: "0.01",
  bandPpm: 50_000,
  markRule: { ageMaxMs: 3_600_000, jumpPpmPerMinute: 300_000, jumpPpmMax: 500_000, agreePpm: 20_000, suspectAfterMs: 60_000 },
});

/** Body of `PUT /policies/{policyId}`: the levels of R1, cash only. */
export const policyTerms = {
  valuationAsset: "USDT",
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  collateral: [{ asset: "USDT", priceId: null, tiers: [{ floor: "0", haircutIm: 0, haircutMm: 0 }], liabilityWeight: 1_000_000 }],
  unrealisedProfitIm: 1_000_000,
  unrealisedProfitWithdrawal: 0,
  graceMs: 1_800_000,
  graceMinMs: 60_000,
  topUpGraceMs: 600_000,
  topUpsMax: 3,
  noticeAllowanceMs: 60_000,
  noticeWaitMaxMs: 120_000,
  coolDownMs: 600_000,
  episodeEndMs: 600_000,
  cureDwellMs: 60_000,
  badMarkWaitMs: 600_000,
  onUnmet: "reduce" as const,
  closeOutBuffer: 100_000,
  minimumTransfer: "1",
  attemptsMax: 3,
};

/** What accounts are decided on, at an instant. */
export interface BenchMarket {
  readonly policy: PolicyInMode;
  readonly snapshot: MarketSnapshot;
  readonly now: number;
}

const symbols = [
  ...Array.from({ length: COINS }, (_, number) => numbered("COIN", number)),
  ...Array.from({ length: COHORTS }, (_, number) => numbered("HOT", number)),
];
/** Every instrument by its base asset. */
export const BASE_ASSETS: readonly string[] = symbols;

export const benchMarket = (seed: number, now: number): BenchMarket => {
  const draw = draws(seed, "marks");
  const instruments = new Map<string, Instrument>();
  const marks = new Map<string, Mark>();
  for (const symbol of symbols) {
    const instrumentId = `${symbol}-PERP`;
    instruments.set(instrumentId, instrumentBody.parse({ ...instrumentTerms(symbol), instrumentId, version: 1 }));
    const level = symbol.startsWith("HOT") ? "1000" : (10 ** (draw() * 5 - 1)).toFixed(2);
    marks.set(instrumentId, { instrumentId, price: price(level), asOf: now - 1_000, source: "composite", candidate: null });
  }
  const policy: PolicyInMode = { ...policyBody.parse({ ...policyTerms, policyId: "standard", version: 1 }), mode: "enforce" };
  return { policy, snapshot: { snapshotId: "S1", takenAt: now, marks, instruments }, now };
};

/** The mark of a cohort's instrument after its fall. */
export const fallen = (mark: Mark, asOf: number): Mark => ({
  ...mark,
  price: (mark.price - (mark.price * FALL_PPM) / 1_000_000n) as Price,
  asOf,
});

const afterFall = (market: BenchMarket, cohort: number): BenchMarket => {
  const marks = new Map(market.snapshot.marks);
  const mark = marks.get(cohortInstrument(cohort));
  if (mark !== undefined) marks.set(mark.instrumentId, fallen(mark, market.now));
  return { ...market, snapshot: { ...market.snapshot, snapshotId: `S1-${cohort}`, marks } };
};

const positionOf = (mark: Mark, notional: number, side: bigint, draw: Draw): Position => {
  const lots = Math.max(1, Math.round((notional / (Number(mark.price) / 1e8)) * 1_000));
  const entry = (mark.price * BigInt(Math.round(950_000 + draw() * 100_000))) / 1_000_000n;
  return {
    instrumentId: mark.instrumentId,
    quantity: (BigInt(lots) * 100_000n * side) as Quantity,
    entryPrice: (entry - (entry % 1_000_000n)) as Price,
  };
};

/** With cash for a headroom of x (R1) on this market, and the level that goes with it. */
const withHeadroom = (account: MarginAccount, x: number, { snapshot, policy, now }: BenchMarket): MarginAccount => {
  const { high } = assess(account, snapshot, policy, now);
  const target = high.maintenance + (BigInt(Math.round(x * 1_000_000)) * (high.initial - high.maintenance)) / 1_000_000n;
  const cash = target - high.equityMaintenance;
  const rich = { ...account, balances: new Map([["USDT", (cash - (cash % 1_000_000n)) as Money]]) };
  const after = decide(rich, snapshot, policy, now)?.after ?? rich;
  return { ...rich, level: after.level, episode: after.episode };
};

export interface BookWish {
  readonly count: number;
  readonly seed: number;
  /** Headroom of the accounts, drawn for each. */
  readonly headroom: (draw: Draw) => number;
  /** The cohort whose instrument the accounts hold too, so that its fall opens a call on each of them. */
  readonly cohort?: number;
}

/**
 * Accounts of ten linear positions, settled by their last decision: another one on the same market changes
 * nothing, which is what a sweep finds of 99 accounts in 100.
 */
export const benchAccounts = (market: BenchMarket, { count, seed, headroom, cohort }: BookWish): MarginAccount[] => {
  const marks = [...market.snapshot.marks.values()];
  const hot = cohort === undefined ? undefined : market.snapshot.marks.get(cohortInstrument(cohort));
  const after = cohort === undefined ? null : afterFall(market, cohort);
  const name = cohort === undefined ? "A" : numbered("C", cohort);
  const accounts: MarginAccount[] = [];
  for (let number = 0; accounts.length < count; number += 1) {
    const draw = draws(seed, `account ${name} ${number}`);
    const from = Math.floor(draw() * (COINS - POSITIONS));
    const coins = marks.slice(from, from + POSITIONS - (hot === undefined ? 0 : 1));
    const sizes = coins.map(() => 200 * 10 ** (draw() * (hot === undefined ? 2.5 : 1.5)));
    const positions = coins.map((mark, index) => positionOf(mark, sizes[index] ?? 0, draw() < 0.5 ? -1n : 1n, draw));
    if (hot !== undefined) positions.push(positionOf(hot, 0.2 * sizes.reduce((sum, size) => sum + size, 0), 1n, draw));
    const terms = { brokerId: `B${number % 7}`, clientClass: "retail", policyId: "standard" };
    const bare = { ...unopenedAccount(`${name}-${number.toString().padStart(7, "0")}`, terms), version: 1, sourceSequence: 1, positions };
    const account = withHeadroom(bare, headroom(draw), market);
    const called = after === null ? null : decide(account, after.snapshot, after.policy, after.now)?.after.live?.call.status;
    if (account.live === null && (called === null || called === "OPEN")) accounts.push(account);
  }
  return accounts;
};
