import * as z from "zod";

import { LEVELS } from "../../core/level.ts";
import { MODES } from "../../core/mode.ts";
import { liquidationOrder, marginCall } from "./calls.ts";
import { changePlan } from "./change-plan.ts";
import { eventMessage } from "./events.ts";
import { instrumentBody } from "./instrument.ts";
import { changeId, pendingChange, schedule } from "./pending-change.ts";
import { policyBody } from "./policy.ts";
import {
  accountId,
  asset,
  brokerId,
  callId,
  clientClass,
  count,
  endpointId,
  instant,
  instrumentId,
  moneyText,
  policyId,
  priceText,
  quantityText,
} from "./scalars.ts";

/** What requests of the HTTP API carry in their paths, queries and bodies, and what its replies hold. */

export const accountPath = z.strictObject({ accountId });
export const callPath = z.strictObject({ accountId, callId });
export const instrumentPath = z.strictObject({ instrumentId });
export const policyPath = z.strictObject({ policyId });
export const endpointPath = z.strictObject({ brokerId, endpointId });

const PAGE_MAX = 100;
const limit = z
  .string()
  .regex(/^\d{1,3}$/, `1-${PAGE_MAX}`)
  .transform(Number)
  .pipe(z.number().min(1).max(PAGE_MAX))
  .default(50);

/** Newest first; `before` is the last id of the page before. */
export const callsQuery = z.strictObject({ limit, before: callId.optional() });
export const ordersQuery = z.strictObject({ callId: callId.optional() });

/** One page is one shard of the deadline index: `shard` goes from 0 to 15, the reply names the next. */
export const liveCallsQuery = z.strictObject({
  status: z.literal("open").default("open"),
  dueBefore: instant.optional(),
  shard: z
    .string()
    .regex(/^(\d|1[0-5])$/, "0-15")
    .transform(Number)
    .default(0),
});

const accepted = z
  .string()
  .regex(/^\d{1,9}$/, "a count of accounts")
  .transform(Number)
  .default(0);

/** Figures of the plan of a change of terms that its sender takes on (R17): at most so many. */
export const changeQuery = z.strictObject({ acceptNewlyCalled: accepted, acceptNewlyClosedOut: accepted });

/** Body of a cancellation. The words are published with the event. */
export const cancellationBody = z.strictObject({
  reason: z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{3,200}$/u, "3-200 characters, no control characters"),
});

/** Body of `POST /withdrawal-checks` (R16). The header Idempotency-Key is the request's id. */
export const withdrawalCheckBody = z.strictObject({
  accountId,
  asset,
  amount: moneyText.refine((amount) => amount > 0n, "must be more than 0"),
});

/** Body of `PUT /instruments/{instrumentId}`: the id is the path's, the version the deployment's; and when it is to hold. */
export const instrumentTerms = instrumentBody.in.omit({ instrumentId: true, version: true }).extend(schedule);
/** Body of `PUT /policies/{policyId}`: each change makes the next version. */
export const policyTerms = policyBody.in.omit({ policyId: true, version: true }).extend(schedule);

export const changePath = z.strictObject({ changeId });
/** Body of `POST /changes/{changeId}/approval` (S19): at most so many newly called and closed out. */
export const approvalBody = z.strictObject({ newlyCalled: count, newlyClosedOut: count });

/**
 * What of a call is shown: its words, and no bookkeeping of the pipeline. `acknowledgedBy` is the role.
 */
export const callReply = marginCall.omit({ badMarksSince: true, curedSince: true, deadlineMovedForNotice: true, ordersPlanned: true });

/** One step in the life of a call: an event of its account's journal. */
const step = eventMessage.omit({ accountId: true, brokerId: true, schemaVersion: true });

export const callWithTimelineReply = z.object({ call: callReply, timeline: z.array(step) });
export const callsReply = z.object({ calls: z.array(callReply), next: callId.nullable() });
export const ordersReply = z.object({ orders: z.array(liquidationOrder) });
export const liveCallsReply = z.object({
  calls: z.array(z.object({ accountId, callId, dueAt: instant })),
  nextShard: z.number().int().nullable(),
});

const quality = z.enum(["GOOD", "MODEL", "STALE", "SUSPECT", "MISSING"]);

const sided = z.object({ equityInitial: moneyText, equityMaintenance: moneyText, initial: moneyText, maintenance: moneyText });

const leg = z.object({
  instrumentId,
  quantity: quantityText,
  entryPrice: priceText,
  price: priceText,
  priceLow: priceText,
  quality,
  settleAsset: asset,
  notional: moneyText,
  unrealised: moneyText,
  /** Of a perpetual, since the last settlement; negative is owed (M1). */
  funding: moneyText,
  /** Of the position alone; null where the policy's model margins it with others: see `components`. */
  initial: moneyText.nullable(),
  maintenance: moneyText.nullable(),
  /** Price of this instrument alone, all other marks held, at which equity reaches MM (M4); null where there is none. */
  liquidationPrice: priceText.nullable(),
  /** Likewise, at which equity reaches 0. */
  bankruptcyPrice: priceText.nullable(),
});

const holding = z.object({
  asset,
  quality,
  price: priceText.nullable(),
  wallet: moneyText,
  reserved: moneyText,
  unrealised: moneyText,
});

const cure = marginCall.shape.cures.element;

/** What the figures were made of: prices stand in the legs and the collateral, the policy's version beside them. */
const versions = z.object({
  snapshotId: z.string(),
  /** Release of the code. */
  release: z.string(),
  /** Version of each instrument that the statement may have looked at. */
  instruments: z.record(z.string(), count),
});

const statementReply = z.object({
  at: instant,
  valuationAsset: asset,
  quality,
  allGood: z.boolean(),
  low: sided,
  high: sided,
  legs: z.array(leg),
  collateral: z.array(holding),
  /** Every part of the requirement on the cautious side, by name; together they are `low`. */
  components: z.array(z.object({ name: z.string(), initial: moneyText, maintenance: moneyText })),
  /** Under a portfolio's model: each scenario's profit, which one bound, and what each instrument has in it (M6, M7). Losses are below 0. */
  scenarios: z.array(
    z.object({
      kind: z.enum(["grid", "history"]),
      /** Base asset of the risk unit; null for all together. */
      unit: asset.nullable(),
      binding: z.string().nullable(),
      rows: z.array(z.object({ name: z.string(), profit: moneyText })),
      parts: z.array(z.object({ instrumentId, profit: moneyText })),
    }),
  ),
});

/** How far the maintenance requirement is, by the joint scenarios of the policy (M4, M11). Probabilities in ppm, rounded up. */
const distanceReply = z.object({
  scenariosId: z.string(),
  scenariosVersion: count,
  distance: moneyText,
  /** Of a day. */
  volatility: moneyText,
  deviations: z.number(),
  worstDay: z.object({ name: z.string(), loss: moneyText, multiple: z.number().nullable() }).nullable(),
  breachWithinGrace: count,
  breachWithinPeriod: count,
  periodMs: count,
  breachAfterMs: count.nullable(),
  /** Base assets that the scenarios do not know. */
  heldFixed: z.array(asset),
});

/** What of an account is margined by itself: its level, its figures, what returns it to IM and its live call (R9). */
const scopeReply = z.object({
  /** Level of the last decision, and of this statement: they differ until the next sweep. */
  level: z.enum(LEVELS),
  levelNow: z.enum(LEVELS),
  statement: statementReply,
  /** What returns it to IM on these marks, and the ways to pay it (R4). */
  amountDue: moneyText,
  cures: z.array(cure),
  /** The part of the requirement that is the largest: what binds. Null without a requirement. */
  boundBy: z.string().nullable(),
  distance: distanceReply.nullable(),
  /** Why there is no distance; null where there is one. */
  noDistance: z.string().nullable(),
  call: callReply.nullable(),
});

/** An isolated pool. Only cash moved into it, a reduction of its position or the market cures its call: a deposit does not. */
const poolReply = scopeReply.extend({ instrumentId, asset, cash: moneyText, policyVersion: count });

/** Its own level, statement and call are those of CROSS: they count nothing of a pool. */
export const accountReply = scopeReply.extend({
  accountId,
  brokerId,
  clientClass,
  policyId,
  policyVersion: count,
  version: count,
  mode: z.enum(MODES),
  outOfSync: z.boolean(),
  versions,
  /** Open orders and the holder's leverage by instrument, as the venue last told; of pools too (M3). */
  beside: z.array(z.object({ instrumentId, buys: quantityText, sells: quantityText, leverage: quantityText.nullable() })),
  /** Isolated pools by instrument; none where every position is margined together. */
  pools: z.array(poolReply),
});

const nonZero = (value: bigint): boolean => value !== 0n;
const shock = z.number().int().min(-999_999).max(10_000_000);

/** Body of `POST /accounts/{accountId}/what-if`: payments and trades on the present marks, and then a move of the market. */
export const whatIfBody = z.strictObject({
  /** A negative amount is a withdrawal. */
  deposits: z
    .array(z.strictObject({ asset, amount: moneyText.refine(nonZero, "must not be 0") }))
    .max(20)
    .default([]),
  /** Signed quantities, buy is positive; without a price at the last accepted mark. */
  trades: z
    .array(
      z.strictObject({ instrumentId, quantity: quantityText.refine(nonZero, "must not be 0"), price: priceText.nullable().default(null) }),
    )
    .max(50)
    .default([]),
  /** By base asset: every price of it times 1 + ppm / 1,000,000. */
  priceShocks: z
    .array(z.strictObject({ asset, ppm: shock }))
    .max(50)
    .refine((shocks) => new Set(shocks.map((one) => one.asset)).size === shocks.length, "an asset stands twice")
    .default([]),
  /** Every volatility times 1 + ppm / 1,000,000. */
  volatilityShockPpm: shock.default(0),
});

const pricedCure = z.object({
  /**
   * `hedge`: a trade in a contract that need not be held, where the policy's model gives relief for it (M6).
   * `cancel_orders`: every open order taken back.
   */
  kind: z.enum(["deposit", "reduce", "hedge", "cancel_orders"]),
  asset: asset.nullable(),
  amount: moneyText.nullable(),
  instrumentId: instrumentId.nullable(),
  side: z.enum(["buy", "sell"]).nullable(),
  quantity: quantityText.nullable(),
  /** In the valuation asset: a deposit its value at the index, a trade its taker fee. */
  cost: moneyText,
});

const explained = z.object({
  level: z.enum(LEVELS),
  /** `(E_i − MM) / (IM − MM)` in ppm on the cautious side (R1), as a decimal string; null without a requirement. */
  headroomPpm: z.string().nullable(),
  boundBy: z.string().nullable(),
  amountDue: moneyText,
  /** Each alone is enough; the cheapest first. */
  cures: z.array(pricedCure),
  statement: statementReply.extend({ legs: z.array(leg.omit({ liquidationPrice: true, bankruptcyPrice: true })) }),
});

/** The account as it is and as it would be; nothing is written. */
export const whatIfReply = z.object({
  accountId,
  policyId,
  policyVersion: count,
  versions,
  before: explained,
  after: explained,
  /** Isolated pools: the question's move counts, its payments and trades do not (R9). */
  pools: z.array(z.object({ instrumentId, before: explained, after: explained })),
});

export const withdrawalReply = z.object({
  accountId,
  asset,
  amount: moneyText,
  allowed: z.boolean(),
  /** A rule id and words. */
  reason: z.string(),
  /** Most that would have been allowed, before this request. */
  available: moneyText,
});

/** What was taken into a queue, and what of it was refused here, by its place in the body. */
export const marksReply = z.object({ accepted: count, refused: z.array(z.object({ where: z.string(), what: z.string() })) });
export const feedReply = z.object({ accepted: count });

/** `version` holds the terms, or will: `pending` is there while they wait for their instant or for people (S18, S19). */
export const versionReply = z.object({ id: z.string(), version: count, pending: pendingChange.optional() });
export const changesReply = z.object({ changes: z.array(pendingChange) });
/** What became of a change. `waits`: for its instant, or held; the plan is there where it was judged. */
export const changeReply = z.object({ outcome: z.enum(["waits", "enacted", "withdrawn"]), change: pendingChange });
export const contactReply = z.object({ accountId });

/** `sweptAt` is when the last sweep reached every account; null before the first. Nothing of any account. */
export const healthReply = z.object({ status: z.enum(["ok", "unwatched"]), sweptAt: instant.nullable() });
/** The document of GET /openapi.json: it describes itself. */
export const contractReply = z.record(z.string(), z.unknown());

/** Every refusal (RFC 9457): what, where and how to mend it. */
export const problemReply = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  mend: z.string(),
  faults: z.array(z.object({ where: z.string(), what: z.string() })).optional(),
  /** What the change would do, where the breaker holds it. */
  plan: changePlan.optional(),
  requestId: z.string(),
});
