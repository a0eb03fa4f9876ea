import * as z from "zod";

import type { Position } from "../../core/account.ts";
import type { Asset } from "../../core/instrument.ts";
import type { Entry, Fact } from "../../core/ledger.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Money, ONE } from "../../core/money.ts";
import { scope } from "./calls.ts";
import { statedPools } from "./pools.ts";
import {
  accountId,
  asset,
  brokerId,
  clientClass,
  externalId,
  instant,
  instrumentId,
  moneyText,
  orderId,
  policyId,
  priceText,
  quantityText,
  schemaVersion,
} from "./scalars.ts";

const byKey = <Value>([a]: readonly [string, Value], [b]: readonly [string, Value]): number => (a < b ? -1 : a > b ? 1 : 0);

const positive = moneyText.refine((amount) => amount > 0n, "must be more than 0");

/** Amounts by asset; read sorted by asset. */
export const balances = z.codec(
  z.record(asset, moneyText),
  z.custom<ReadonlyMap<Asset, Money>>((value) => value instanceof Map),
  {
    decode: (record) => new Map(Object.entries(record).sort(byKey)),
    encode: (map) => Object.fromEntries(map),
  },
);

const position = z.strictObject({
  instrumentId,
  quantity: quantityText.refine((held) => held !== 0n, "must not be 0"),
  entryPrice: priceText,
});

/** Positions, one an instrument, never 0; read sorted by instrument. */
export const positions = z.codec(
  z
    .array(position)
    .max(LIMITS.positionsMax)
    .refine((held) => new Set(held.map((one) => one.instrumentId)).size === held.length, "an instrument appears twice"),
  z.custom<readonly Position[]>(Array.isArray),
  {
    decode: (held) => [...held].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)),
    encode: (held) => [...held],
  },
);

const common = { externalId, sequence: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER), occurredAt: instant };

const closedOrder = z.strictObject({ orderId, filled: quantityText.refine((filled) => filled >= 0n, "must not be negative") });

const contracts = quantityText.refine((open) => open >= 0n, "must not be negative");
const openOrders = { instrumentId, buys: contracts, sells: contracts };

/** Open orders of a statement of the venue, one entry an instrument. */
const statedOrders = z
  .array(z.strictObject(openOrders))
  .max(LIMITS.positionsMax)
  .refine((stated) => new Set(stated.map((one) => one.instrumentId)).size === stated.length, "an instrument appears twice")
  .readonly()
  .optional();

const chosen = quantityText.refine((leverage) => leverage >= ONE, "must be 1 or more");

/** Leverage of a statement of the venue, one entry an instrument. */
const statedLeverage = z
  .array(z.strictObject({ instrumentId, leverage: chosen }))
  .max(LIMITS.positionsMax)
  .refine((stated) => new Set(stated.map((one) => one.instrumentId)).size === stated.length, "an instrument appears twice")
  .readonly()
  .optional();

/** A fact of the venue's book (R16). Amounts of deposits, confirming ones too, and of withdrawals are positive; quantities of fills are signed, buy is positive. */
export const fact = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("deposit"), ...common, asset, amount: positive }),
  z.strictObject({ kind: z.literal("deposit_pending"), ...common, asset, amount: positive }),
  z.strictObject({ kind: z.literal("withdrawal"), ...common, asset, amount: positive }),
  z.strictObject({
    kind: z.literal("fill"),
    ...common,
    instrumentId,
    quantity: quantityText.refine((filled) => filled !== 0n, "must not be 0"),
    price: priceText,
    fee: moneyText,
    orderId: orderId.nullable(),
  }),
  /** Cash between CROSS and the isolated pool of an instrument, in the asset that it settles in: into the pool where positive (R9). */
  z.strictObject({
    kind: z.literal("pool_transfer"),
    ...common,
    instrumentId,
    amount: moneyText.refine((amount) => amount !== 0n, "must not be 0"),
  }),
  /** All of the holder's orders that are open in an instrument: these figures replace the ones before; 0 and 0 is none (M3). */
  z.strictObject({ kind: z.literal("open_orders"), ...common, ...openOrders }),
  /** The leverage that the holder chose in an instrument; null for none (M3). */
  z.strictObject({ kind: z.literal("leverage"), ...common, instrumentId, leverage: chosen.nullable() }),
  z.strictObject({
    kind: z.literal("order_closed"),
    ...common,
    orderId,
    filled: quantityText.refine((filled) => filled >= 0n, "must not be negative"),
  }),
  z.strictObject({
    kind: z.literal("snapshot"),
    ...common,
    balances,
    positions,
    /** What `balances` does not count: cash of isolated pools. Their positions stand in `positions`. Absent means no pool. */
    pools: statedPools,
    /** The holder's open orders; absent means none. */
    orders: statedOrders,
    /** What the holder chose; absent means nowhere. */
    leverage: statedLeverage,
    /** Orders that the venue has closed and whose facts the gap may have swallowed: without them a liquidation would wait for ever. */
    closedOrders: z.array(closedOrder).max(LIMITS.ordersPerAttemptMax).readonly().optional(),
  }),
  /** The venue's statement of the account after the fact `sequence`: a check of the book, which adds no number. */
  z.strictObject({
    kind: z.literal("reconciliation"),
    ...common,
    balances,
    positions,
    pools: statedPools,
    orders: statedOrders,
    leverage: statedLeverage,
  }),
]);

/** Whose account it is and on what terms; opens an account that the book does not have. */
export const accountTerms = z.strictObject({ brokerId, clientClass, policyId });
export type AccountTerms = z.output<typeof accountTerms>;

/** Facts of one account: the body of `POST /feed-entries` and of the feed queue (FIFO group `accountId`). */
export const feedMessage = z.strictObject({
  schemaVersion,
  accountId,
  account: accountTerms.optional(),
  entries: z.array(fact).min(1).max(LIMITS.factsPerChangeMax),
});
export type FeedMessage = z.output<typeof feedMessage>;

/** An applied fact as the journal keeps it. */
export const entry = z.object({
  fact,
  postings: z.array(z.object({ asset, amount: moneyText, scope: scope.optional() })),
  differences: z.array(z.object({ what: z.string(), book: z.string(), venue: z.string() })).optional(),
});

export const encodeFeed = (message: FeedMessage): string => JSON.stringify(z.encode(feedMessage, message));
export const encodeFact = (value: Fact): z.input<typeof fact> => z.encode(fact, value);
export const encodeEntry = (value: Entry): z.input<typeof entry> =>
  z.encode(entry, {
    fact: value.fact,
    postings: value.postings.map((posting) => ({ ...posting })),
    ...(value.differences !== undefined && { differences: value.differences.map((difference) => ({ ...difference })) }),
  });
