import { unopenedAccount } from "../../adapters/dynamodb/account-codec.ts";
import { accountKey } from "../../adapters/dynamodb/keys.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { MarginCall } from "../../core/call.ts";
import type { Change } from "../../core/decision.ts";
import type { DomainEvent } from "../../core/event.ts";
import type { Fact } from "../../core/ledger.ts";
import type { Mark } from "../../core/mark.ts";
import { money, price, quantity } from "../../core/money.ts";
import type { LiquidationOrder } from "../../core/order.ts";

/** Small, valid pieces of the domain for tests of adapters. */

export const T0 = Date.parse("2020-03-12T10:00:00.000Z");

export const instrumentFixture = {
  instrumentId: "BTC-PERP",
  version: 1,
  kind: "linear" as const,
  expiryAt: null,
  baseAsset: "BTC",
  quoteAsset: "USDT",
  multiplier: "1",
  tiers: [
    { floor: "0", rateIm: 100_000, rateMm: 5_000 },
    { floor: "1000000", rateIm: 200_000, rateMm: 10_000 },
  ],
  feePpm: 500,
  liquidationFeePpm: 500,
  insuranceFeePpm: 500,
  allowNonPositive: false,
  marginMinPerUnit: "0",
  lotSize: "0.001",
  tickSize: "0.1",
  bandPpm: 50_000,
  markRule: { ageMaxMs: 60_000, jumpPpmPerMinute: 100_000, jumpPpmMax: 500_000, agreePpm: 20_000, suspectAfterMs: 60_000 },
};

export const policyFixture = {
  policyId: "standard",
  version: 1,
  valuationAsset: "USDT",
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  collateral: [
    { asset: "USDT", priceId: null, tiers: [{ floor: "0", haircutIm: 0, haircutMm: 0 }], liabilityWeight: 1_000_000 },
    {
      asset: "BTC",
      priceId: "BTC-SPOT",
      tiers: [
        { floor: "0", haircutIm: 50_000, haircutMm: 25_000 },
        { floor: "100000", haircutIm: 100_000, haircutMm: 50_000 },
      ],
      liabilityWeight: 1_050_000,
    },
  ],
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
  minimumTransfer: "10",
  attemptsMax: 3,
};

export const instrument = instrumentBody.parse(instrumentFixture);
export const policy = policyBody.parse(policyFixture);

export const mark = (instrumentId: string, at: string, asOf: number, candidate: Mark["candidate"] = null): Mark => ({
  instrumentId,
  price: price(at),
  asOf,
  source: "composite",
  candidate,
});

export const account = (accountId = "A-1"): MarginAccount =>
  unopenedAccount(accountId, { brokerId: "B1", clientClass: "retail", policyId: "standard" });

export const deposit = (externalId: string, sequence: number, amount = "100"): Fact => ({
  kind: "deposit",
  externalId,
  sequence,
  occurredAt: T0,
  asset: "USDT",
  amount: money(amount),
});

/** The change that applies deposits to an account, without a decision. */
export const deposited = (before: MarginAccount, facts: readonly Fact[]): Change => {
  const balances = new Map(before.balances);
  const entries = facts.map((fact) => {
    const amount = fact.kind === "deposit" ? fact.amount : money("0");
    balances.set("USDT", ((balances.get("USDT") ?? 0n) + amount) as typeof amount);
    return { fact, postings: [{ asset: "USDT", amount }] };
  });
  const after = { ...before, version: before.version + 1, balances, sourceSequence: before.sourceSequence + facts.length };
  return { before, after, calls: [], orders: [], entries, events: [] };
};

export const call = (over: Partial<MarginCall> & Pick<MarginCall, "accountId">): MarginCall => ({
  callId: `MC-${accountKey(over.accountId)}-1`,
  brokerId: "B1",
  scope: "CROSS",
  episodeId: "E-1",
  previousCallId: null,
  status: "OPEN",
  version: 1,
  policyId: "standard",
  policyVersion: 1,
  onUnmet: "reduce",
  snapshotId: "S1584007200000",
  asset: "USDT",
  amountDue: money("1250.5"),
  equity: money("10"),
  initialRequirement: money("100"),
  maintenanceRequirement: money("5"),
  cures: [
    { kind: "deposit", asset: "USDT", amount: money("1250.5") },
    { kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: quantity("0.5") },
  ],
  boundBy: "BTC-PERP: bracket 1",
  metAmount: money("0"),
  confirmingAmount: money("0"),
  onBadMarks: false,
  badMarksSince: null,
  issuedAt: T0,
  graceMs: 1_800_000,
  deadlineAt: T0 + 1_860_000,
  deadlineVersion: 1,
  topUps: 0,
  noticeAcceptedAt: null,
  deadlineMovedForNotice: false,
  extendedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  overdueAt: null,
  curedSince: null,
  metBy: null,
  liquidationReason: null,
  attempt: 0,
  ordersPlanned: 0,
  liquidatingAt: null,
  endedAt: null,
  ...over,
});

export const order = (of: MarginCall, index: number, over: Partial<LiquidationOrder> = {}): LiquidationOrder => ({
  orderId: `${of.callId}-${of.attempt}-BTC-PERP`,
  callId: of.callId,
  accountId: of.accountId,
  brokerId: of.brokerId,
  attempt: of.attempt,
  index,
  instrumentId: "BTC-PERP",
  side: "sell",
  quantity: quantity("0.5"),
  filled: quantity("0"),
  cancelled: quantity("0"),
  limitPrice: price("5000"),
  status: "PENDING",
  createdAt: T0,
  sentAt: null,
  ...over,
});

export const event = (type: DomainEvent["type"], of: MarginCall | null = null): DomainEvent => ({
  type,
  scope: of?.scope ?? "CROSS",
  level: "CALL",
  previousLevel: "WARNING",
  allowed: "no_increase",
  figures: { equity: money("10"), initialRequirement: money("100"), maintenanceRequirement: money("5") },
  call:
    of === null
      ? null
      : {
          callId: of.callId,
          scope: of.scope,
          version: of.version,
          status: of.status,
          asset: of.asset,
          amountDue: of.amountDue,
          metAmount: of.metAmount,
          outstanding: of.amountDue,
          issuedAt: of.issuedAt,
          deadlineAt: of.deadlineAt,
          graceMs: of.graceMs,
          onBadMarks: of.onBadMarks,
          previousCallId: of.previousCallId,
          cures: of.cures,
          boundBy: of.boundBy,
          onUnmet: of.onUnmet,
          liquidationReason: of.liquidationReason,
          metBy: of.metBy,
        },
  order: null,
  reason: "R1: below the call level",
});

/** The change that opens a call on an account. */
export const opened = (before: MarginAccount): Change => {
  const one = call({ accountId: before.accountId, callId: `MC-${before.key}-${before.callsOpened + 1}` });
  return {
    before,
    after: {
      ...before,
      version: before.version + 1,
      level: "CALL",
      openCalls: { CROSS: one.callId },
      callsOpened: before.callsOpened + 1,
      live: { call: one, orders: [] },
    },
    calls: [one],
    orders: [],
    entries: [],
    events: [event("margin_call.issued", one)],
  };
};

/** The change that takes the live call of an account to LIQUIDATING with one order. */
export const liquidating = (before: MarginAccount): Change => {
  if (before.live === null) throw new Error("no live call");
  const next: MarginCall = {
    ...before.live.call,
    status: "LIQUIDATING",
    version: before.live.call.version + 1,
    liquidationReason: "closeOut",
    liquidatingAt: T0 + 60_000,
    attempt: 1,
    ordersPlanned: 1,
  };
  const planned = order(next, 0);
  return {
    before,
    after: { ...before, version: before.version + 1, level: "CLOSE_OUT", live: { call: next, orders: [planned] } },
    calls: [next],
    orders: [planned],
    entries: [],
    events: [event("liquidation.started", next)],
  };
};

/** The change that ends the live call of an account. */
export const ended = (before: MarginAccount, status: MarginCall["status"]): Change => {
  if (before.live === null) throw new Error("no live call");
  const next: MarginCall = { ...before.live.call, status, version: before.live.call.version + 1, endedAt: T0 + 120_000 };
  return {
    before,
    after: { ...before, version: before.version + 1, level: "HEALTHY", openCalls: {}, live: null },
    calls: [next],
    orders: [],
    entries: [],
    events: [event("margin_call.met", next)],
  };
};
