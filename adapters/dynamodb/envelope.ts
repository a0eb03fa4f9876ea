import * as z from "zod";

import type { MarginAccount } from "../../core/account.ts";
import { CALL_STATUSES } from "../../core/call.ts";
import type { Change } from "../../core/decision.ts";
import { LEVELS } from "../../core/level.ts";
import { MODES, type Mode } from "../../core/mode.ts";
import { decimal } from "../../core/money.ts";
import { ORDER_STATUSES } from "../../core/order.ts";
import { type EventMessage, encodeEvent, eventText } from "../wire/events.ts";
import { encodeEntry, entry } from "../wire/feed.ts";
import { Malformed, placesOf } from "../wire/parse.ts";
import { count, decimalText, instantText, iso, SCHEMA_VERSION, schemaVersion } from "../wire/scalars.ts";
import { canonical } from "./canonical.ts";
import { type Decided, decisionRecord, recordOf } from "./decision-record.ts";
import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow } from "./items.ts";
import { accountPk, eventIdOf, hashOf, sequenceSk } from "./keys.ts";
import { packAmounts } from "./packed.ts";

/**
 * Envelopes: the outbox and the audit log in one row of the same transaction (I20). The row keeps
 * the exact text that was hashed, so that anyone verifies the chain with SHA-256 and a JSON parser.
 */
const envelopeBody = z.object({
  schemaVersion,
  accountId: z.string(),
  brokerId: z.string(),
  /** Version of the account that this transaction wrote. */
  seq: count,
  at: instantText,
  /** What led to it: the id of a message, of a request or of a sweep. */
  causedBy: z.string(),
  snapshotId: z.string().nullable(),
  mode: z.enum(MODES),
  publish: z.boolean(),
  level: z.enum(LEVELS),
  /** Reserved for allowed withdrawals after the transaction, packed. */
  reserved: z.string(),
  calls: z.array(z.object({ callId: z.string(), version: count, status: z.enum(CALL_STATUSES), deadlineAt: instantText.nullable() })),
  orders: z.array(
    z.object({
      orderId: z.string(),
      status: z.enum(ORDER_STATUSES),
      quantity: decimalText,
      filled: decimalText,
      cancelled: decimalText,
    }),
  ),
  entries: z.array(entry),
  events: z.array(eventText),
  /**
   * Only after a restore (S54): the sequence of the envelope that this one follows, 0 for none. Those between have
   * gone with the tables that were replaced.
   */
  follows: count.optional(),
  /** What a decision was made on; null for an act that is none. Envelopes from before the record existed have no such member. */
  decision: decisionRecord.nullable().optional(),
  /** Hash of the account's previous envelope; "" for the first. */
  prevHash: z.string(),
});
type EnvelopeText = z.input<typeof envelopeBody>;

/** An envelope as read back, with its own hash. */
export type Envelope = z.output<typeof envelopeBody> & { readonly hash: string };

/** Why and on what a change is committed. */
export interface CommitMeta {
  readonly causedBy: string;
  readonly snapshotId: string | null;
  readonly mode: Mode;
  /** What `decide` was given; absent for any other act: an acknowledgement, a notice, an order that was sent. */
  readonly decided?: Decided;
  /** After a restore: the newest envelope that the journal has of the account, wherever its row stands. */
  readonly follows?: { readonly seq: number; readonly hash: string };
}

/** What an envelope must say of its predecessor where that does not follow from its own number (S54). */
const followedBy = ({ before }: Change, { follows }: CommitMeta): { readonly follows?: number; readonly prevHash: string } => {
  if (follows !== undefined) return { follows: follows.seq, prevHash: follows.hash };
  const opensAfterRestore = before.headHash === "" && before.version > 0;
  return { ...(opensAfterRestore && { follows: 0 }), prevHash: before.headHash };
};

const envelopeOf = (change: Change, meta: CommitMeta, at: number): EnvelopeText => {
  const after: MarginAccount = change.after;
  return {
    schemaVersion: SCHEMA_VERSION,
    accountId: after.accountId,
    brokerId: after.brokerId,
    seq: after.version,
    at: iso(at),
    causedBy: meta.causedBy,
    snapshotId: meta.snapshotId,
    mode: meta.mode,
    publish: change.events.length > 0 && meta.mode !== "observe",
    level: after.level,
    reserved: packAmounts(after.reserved),
    calls: change.calls.map((call) => ({
      callId: call.callId,
      version: call.version,
      status: call.status,
      deadlineAt: call.deadlineAt === null ? null : iso(call.deadlineAt),
    })),
    orders: change.orders.map((order) => ({
      orderId: order.orderId,
      status: order.status,
      quantity: decimal(order.quantity),
      filled: decimal(order.filled),
      cancelled: decimal(order.cancelled),
    })),
    entries: change.entries.map(encodeEntry),
    events: change.events.map(encodeEvent),
    decision: meta.decided === undefined ? null : recordOf(change, meta.decided),
    ...followedBy(change, meta),
  };
};

/** The journal row of a change, and the hash that the account keeps as its head. */
export const sealEnvelope = (change: Change, meta: CommitMeta, at: number): { readonly row: Item; readonly hash: string } => {
  const envelope = envelopeOf(change, meta, at);
  const body = canonical(envelope);
  const hash = hashOf(body);
  return {
    hash,
    row: {
      pk: { S: accountPk(envelope.accountId) },
      sk: { S: sequenceSk(envelope.seq) },
      schema: SCHEMA,
      /** Beside the body, so that the stream's filter sees it: only `true` reaches publish-events. */
      publish: { BOOL: envelope.publish },
      body: { S: body },
      hash: { S: hash },
    },
  };
};

/**
 * True when `stored` is what this change would write: the same content on the same predecessor, at
 * whatever instant and on whatever inputs. That is the mark of a commit whose reply was lost.
 */
export const isSameCommit = (stored: Item, row: Item): boolean => {
  const timeless = (item: Item): string => {
    const body = json(item, "body") as Record<string, unknown>;
    return canonical({ ...body, at: undefined, decision: undefined });
  };
  return timeless(stored) === timeless(row);
};

/** @throws UnreadableRow for a row of another form or schema version. */
export const decodeEnvelope = (item: Item): Envelope => {
  checkSchema(item);
  const read = envelopeBody.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`envelope: ${placesOf(read.error)}`);
  return { ...read.data, hash: text(item, "hash") };
};

/**
 * The messages of a journal row, for the topic: none when the row is not to be published.
 *
 * @throws Malformed for a row that does not read: it is parked, its neighbours go on.
 */
export const envelopeToMessages = (row: Item): EventMessage[] => {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(row);
  } catch (error) {
    throw new Malformed(error instanceof Error ? error.message : "unreadable envelope");
  }
  if (!envelope.publish) return [];
  return envelope.events.map((event, index) => ({
    id: eventIdOf(envelope.accountId, envelope.seq, index),
    schemaVersion: SCHEMA_VERSION,
    occurredAt: envelope.at,
    accountId: envelope.accountId,
    brokerId: envelope.brokerId,
    accountSequence: envelope.seq,
    mode: envelope.mode,
    ...event,
  }));
};

export type ChainVerdict =
  | { readonly valid: true; readonly head: string }
  | { readonly valid: false; readonly seq: number; readonly fault: string };

const faultOf = (
  row: Item,
  expected: { readonly seq: number; readonly prevHash: string; readonly accountId: string | null },
): string | null => {
  if (hashOf(text(row, "body")) !== text(row, "hash")) return "its body is not what was hashed";
  const envelope = decodeEnvelope(row);
  if (row["pk"]?.S !== accountPk(envelope.accountId) || row["sk"]?.S !== sequenceSk(envelope.seq)) return "it stands under another key";
  if (row["publish"]?.BOOL !== envelope.publish) return "its publish flag was changed";
  if (expected.accountId !== null && envelope.accountId !== expected.accountId) return "it is another account's";
  const isAfterRestore = envelope.follows === expected.seq - 1 && envelope.seq >= expected.seq;
  if (envelope.seq !== expected.seq && !isAfterRestore) return `it is number ${envelope.seq}, number ${expected.seq} was due`;
  if (envelope.prevHash !== expected.prevHash) return "it does not follow its predecessor";
  return null;
};

/**
 * Verifies one account's whole journal, in order (I20, I21): a row that was changed, deleted, inserted
 * or moved is found at its place. Only a restore may leave numbers out, and says so itself (S54). With `head` (the account's `headHash`) a cut end is found too.
 */
export const verifyChain = (rows: readonly Item[], head?: string): ChainVerdict => {
  let prevHash = "";
  let accountId: string | null = null;
  let seq = 0;
  for (const row of rows) {
    seq += 1;
    try {
      const fault = faultOf(row, { seq, prevHash, accountId });
      if (fault !== null) return { valid: false, seq, fault };
      prevHash = text(row, "hash");
      ({ accountId, seq } = decodeEnvelope(row));
    } catch (error) {
      return { valid: false, seq, fault: error instanceof Error ? error.message : "unreadable" };
    }
  }
  if (head !== undefined && head !== prevHash) return { valid: false, seq: seq + 1, fault: "the journal ends before the account's head" };
  return { valid: true, head: prevHash };
};
