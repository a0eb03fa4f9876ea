import type { MarginAccount, Position } from "../../core/account.ts";
import { newAccount } from "../../core/account.ts";
import type { MarginCall } from "../../core/call.ts";
import { decide } from "../../core/decide.ts";
import type { Change } from "../../core/decision.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Fact } from "../../core/ledger.ts";
import { STANDARD_MODEL } from "../../core/margin-model.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { type Money, money, price, quantity } from "../../core/money.ts";

/** Noon of a day; every instant of these tests is told from it. */
export const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);
export const SECOND = 1_000;
export const MINUTE = 60_000;

const markRule = { ageMaxMs: 5 * MINUTE, jumpPpmPerMinute: 100_000, jumpPpmMax: 500_000, agreePpm: 10_000, suspectAfterMs: 30_000 };

export const perpetual = (instrumentId: string, patch: Partial<Instrument> = {}): Instrument => ({
  instrumentId,
  version: 1,
  kind: "linear",
  expiryAt: null,
  baseAsset: "BTC",
  quoteAsset: "USDT",
  settleAsset: "USDT",
  multiplier: quantity("1"),
  // The worked example of R1: IM 10 %, MM 0.5 % of the mark's notional.
  tiers: [{ floor: money("0"), rateIm: 100_000, rateMm: 5_000, amountIm: money("0"), amountMm: money("0") }],
  feePpm: 0,
  liquidationFeePpm: 0,
  insuranceFeePpm: 0,
  allowNonPositive: false,
  marginMinPerUnit: money("0"),
  lotSize: quantity("0.001"),
  tickSize: price("0.01"),
  bandPpm: 50_000,
  markRule,
  option: null,
  ...patch,
});

export const INSTRUMENTS: ReadonlyMap<string, Instrument> = new Map(
  [
    perpetual("BTC-PERP"),
    perpetual("ETH-PERP"),
    perpetual("DEAD-PERP"),
    perpetual("BTC-INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC", multiplier: quantity("100") }),
    perpetual("BTC-USDT", { kind: "spot", tiers: [] }),
  ].map((instrument) => [instrument.instrumentId, instrument]),
);

export const POLICY: PolicyInMode = {
  mode: "enforce",
  policyId: "standard",
  version: 1,
  valuationAsset: "USDT",
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  collateral: new Map([
    ["USDT", { asset: "USDT", priceId: null, tiers: [{ floor: money("0"), haircutIm: 0, haircutMm: 0 }], liabilityWeight: 1_000_000 }],
    [
      "BTC",
      {
        asset: "BTC",
        priceId: "BTC-USDT",
        tiers: [{ floor: money("0"), haircutIm: 200_000, haircutMm: 100_000 }],
        liabilityWeight: 1_100_000,
      },
    ],
  ]),
  model: STANDARD_MODEL,
  unrealisedProfitIm: 1_000_000,
  unrealisedProfitWithdrawal: 0,
  graceMs: 15 * MINUTE,
  graceMinMs: MINUTE,
  topUpGraceMs: 5 * MINUTE,
  topUpsMax: 3,
  noticeAllowanceMs: MINUTE,
  noticeWaitMaxMs: 2 * MINUTE,
  coolDownMs: 10 * MINUTE,
  episodeEndMs: 10 * MINUTE,
  cureDwellMs: MINUTE,
  badMarkWaitMs: 10 * MINUTE,
  onUnmet: "reduce",
  closeOutBuffer: 100_000,
  minimumTransfer: money("0.1"),
  attemptsMax: 3,
};

/** Prices as a snapshot taken at `now`; a price may be given its age in milliseconds. */
export const market = (now: number, prices: Readonly<Record<string, string | readonly [price: string, ageMs: number]>>): MarketSnapshot => {
  const marks = Object.entries(prices).map(([instrumentId, given]): [string, Mark] => {
    const [text, ageMs] = typeof given === "string" ? [given, 0] : given;
    return [instrumentId, { instrumentId, price: price(text), asOf: now - ageMs, source: "test", candidate: null }];
  });
  return { snapshotId: `S-${now}`, takenAt: now, marks: new Map(marks), instruments: INSTRUMENTS };
};

export const position = (instrumentId: string, size: string, entry: string): Position => ({
  instrumentId,
  quantity: quantity(size),
  entryPrice: price(entry),
});

export const accountWith = (balances: Readonly<Record<string, string>>, positions: readonly Position[] = []): MarginAccount => ({
  ...newAccount({ accountId: "a-1", key: "ABCDEFGHIJKL", brokerId: "b-1", clientClass: "retail", policyId: "standard" }),
  version: 1,
  sourceSequence: 1,
  balances: new Map(Object.entries(balances).map(([asset, amount]) => [asset, money(amount)])),
  positions,
});

/** The worked account of R1: one contract long at 100, 10x. */
export const tenTimesLong = (): MarginAccount => accountWith({ USDT: "10" }, [position("BTC-PERP", "1", "100")]);

type Words<K extends Fact["kind"]> = Omit<Fact & { readonly kind: K }, "externalId" | "sequence" | "kind">;

/** An account in a loop of decisions: what the book and the sweep do, without a store. */
export interface Desk {
  readonly account: () => MarginAccount;
  readonly live: () => MarginCall;
  /** Every change so far. */
  readonly changes: readonly Change[];
  /** Decides at a price of BTC-PERP (or at several prices), with facts; null where nothing changed. */
  readonly at: (
    now: number,
    prices: string | Readonly<Record<string, string | readonly [string, number]>>,
    facts?: readonly Fact[],
  ) => Change | null;
  readonly commit: (change: Change | null) => Change | null;
  readonly fact: <K extends Fact["kind"]>(kind: K, words: Words<K>) => Fact & { readonly kind: K };
}

export const deskOf = (start: MarginAccount, policy: PolicyInMode = POLICY): Desk => {
  let account = start;
  let sequence = start.sourceSequence;
  const changes: Change[] = [];
  const commit = (change: Change | null): Change | null => {
    if (change === null) return null;
    changes.push(change);
    account = change.after;
    return change;
  };
  return {
    account: () => account,
    live: () => {
      if (account.live === null) throw new Error("no live call");
      return account.live.call;
    },
    changes,
    commit,
    at: (now, prices, facts = []) => {
      const given = typeof prices === "string" ? { "BTC-PERP": prices, "BTC-USDT": prices } : prices;
      return commit(decide(account, market(now, given), policy, now, facts));
    },
    fact: (kind, words) => {
      sequence += 1;
      // The spread cannot be followed by the type checker through a mapped union.
      return { kind, externalId: `X-${sequence}`, sequence, ...words } as unknown as Fact & { readonly kind: typeof kind };
    },
  };
};

export const typesOf = (change: Change | null): readonly string[] => (change === null ? [] : change.events.map((event) => event.type));
export const usdt = (text: string): Money => money(text);
