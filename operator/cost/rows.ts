import { encodeAccount, unopenedAccount } from "../../adapters/dynamodb/account-codec.ts";
import { sealEnvelope } from "../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import { accountPk, entrySk, hashOf } from "../../adapters/dynamodb/keys.ts";
import { instrumentItem, markItem, packMarks } from "../../adapters/dynamodb/mark-codec.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import type { MarginAccount, Position } from "../../core/account.ts";
import type { Change } from "../../core/decision.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import { money, price, quantity } from "../../core/money.ts";
import { itemBytes } from "./capacity.ts";

/** Rows of a typical book, made by the product's own codecs, so that their bytes are those of the table. */

const AT = Date.parse("2026-01-15T10:00:00.123Z");
const numbered = (name: string, index: number): string => `${name}${index.toString().padStart(3, "0")}`;
const instrumentIdOf = (index: number): string => `${numbered("COIN", index)}-PERP`;

/** An account of a class of clients, two balances and so many positions; version 1,000. */
export const typicalAccount = (positions: number, accountId = "A0000001"): MarginAccount => ({
  ...unopenedAccount(accountId, { brokerId: "meridian", clientClass: "retail", policyId: "standard" }),
  version: 1_000,
  headHash: hashOf("head"),
  balances: new Map([
    ["BTC", money("0.12345678")],
    ["USDT", money("12345.67")],
  ]),
  positions: Array.from(
    { length: positions },
    (_, index): Position => ({ instrumentId: instrumentIdOf(index), quantity: quantity("-123.456"), entryPrice: price("7935.25") }),
  ),
  sourceSequence: 1_000,
});

/** A linear perpetual with four brackets. */
export const typicalInstrument = (index: number): Instrument =>
  instrumentBody.parse({
    instrumentId: instrumentIdOf(index),
    version: 1,
    kind: "linear",
    expiryAt: null,
    baseAsset: numbered("COIN", index),
    quoteAsset: "USDT",
    multiplier: "1",
    tiers: ["0", "50000", "250000", "1000000"].map((floor, tier) => ({ floor, rateIm: 50_000 << tier, rateMm: 20_000 << tier })),
    feePpm: 500,
    liquidationFeePpm: 5_000,
    insuranceFeePpm: 0,
    allowNonPositive: false,
    marginMinPerUnit: "0",
    lotSize: "0.001",
    tickSize: "0.01",
    bandPpm: 50_000,
    markRule: { ageMaxMs: 60_000, jumpPpmPerMinute: 100_000, jumpPpmMax: 500_000, agreePpm: 20_000, suspectAfterMs: 60_000 },
  });

export const typicalMark = (index: number, asOf = AT): Mark => ({
  instrumentId: instrumentIdOf(index),
  price: price("7935.25"),
  asOf,
  source: "composite",
  candidate: null,
});

const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The change of one deposit, without a decision. */
const depositOn = (before: MarginAccount): Change => ({
  before,
  after: { ...before, version: before.version + 1, sourceSequence: before.sourceSequence + 1 },
  calls: [],
  orders: [],
  entries: [
    {
      fact: {
        kind: "deposit",
        externalId: "dep-2026-01-15-00000001",
        sequence: before.sourceSequence + 1,
        occurredAt: AT,
        asset: "USDT",
        amount: money("1250.5"),
      },
      postings: [{ asset: "USDT", amount: money("1250.5") }],
    },
  ],
  events: [],
});

/** Bytes of the rows that a month of traffic reads, writes and keeps. */
export interface RowBytes {
  readonly account: number;
  /** All newest marks together, and all newest instruments: one query each. */
  readonly marks: number;
  readonly instruments: number;
  readonly snapshot: number;
  /** Journal envelope and applied entry of one fact: both are kept for ever. */
  readonly envelope: number;
  readonly entry: number;
}

const snapshotItem = (instruments: number): Item => ({
  pk: { S: `SNAPSHOT#S${AT}` },
  sk: { S: "META" },
  schema: { N: "1" },
  expiresAt: { N: "1771582800" },
  takenAt: { N: `${AT}` },
  parts: { S: "[]" },
  instruments: { S: JSON.stringify(Object.fromEntries(indices(instruments).map((index) => [instrumentIdOf(index), 1]))) },
  marks: { S: packMarks(indices(instruments).map((index) => typicalMark(index))) },
});

/** The newest marks of the venue. */
const typicalSnapshot = (instruments: number): MarketSnapshot => ({
  snapshotId: `NEWEST#${AT}`,
  takenAt: AT,
  instruments: new Map(indices(instruments).map((index) => [instrumentIdOf(index), typicalInstrument(index)])),
  marks: new Map(indices(instruments).map((index) => [instrumentIdOf(index), typicalMark(index)])),
});

/** Collateral that needs no price: what a record keeps of a policy is its version and its hash. */
const TYPICAL_POLICY: PolicyInMode = {
  ...policyBody.parse({
    policyId: "standard",
    version: 1,
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
    onUnmet: "reduce",
    closeOutBuffer: 100_000,
    minimumTransfer: "10",
    attemptsMax: 3,
  }),
  mode: "enforce",
};

/** @param positions of an account. @param instruments of the venue. */
export const rowBytes = (positions: number, instruments: number): RowBytes => {
  const account = typicalAccount(positions);
  const change = depositOn(account);
  const meta = {
    ...{ causedBy: "feed dep-2026-01-15-00000001", snapshotId: `NEWEST#${AT}`, mode: "enforce" as const },
    decided: { snapshot: typicalSnapshot(instruments), policy: TYPICAL_POLICY, now: AT },
  };
  const sum = (items: readonly Item[]): number => items.reduce((bytes, item) => bytes + itemBytes(item), 0);
  return {
    account: itemBytes(encodeAccount(account, account.headHash, 256)),
    marks: sum(indices(instruments).map((index) => markItem(typicalMark(index)))),
    instruments: sum(
      indices(instruments).map((index) => instrumentItem(typicalInstrument(index), { pk: "INSTRUMENT", sk: instrumentIdOf(index) })),
    ),
    snapshot: itemBytes(snapshotItem(instruments)),
    envelope: itemBytes(sealEnvelope(change, meta, AT).row),
    entry: itemBytes({
      pk: { S: accountPk(account.accountId) },
      sk: { S: entrySk("dep-2026-01-15-00000001") },
      schema: { N: "1" },
      written: { N: "1001" },
    }),
  };
};
