import type { CancellationReason, TransactWriteItem } from "@aws-sdk/client-dynamodb";

import type { MarginCall } from "../../core/call.ts";
import type { Change } from "../../core/decision.ts";
import { LIMITS } from "../../core/limits.ts";
import type { LiquidationOrder } from "../../core/order.ts";
import { livesOf } from "../../core/scope.ts";
import type { World } from "../world.ts";
import { encodeAccount } from "./account-codec.ts";
import { callItem, orderItem } from "./call-codec.ts";
import { type CommitMeta, isSameCommit, sealEnvelope } from "./envelope.ts";
import { type Item, SCHEMA } from "./items.ts";
import { accountPk, entrySk } from "./keys.ts";
import { packOpenCalls } from "./packed.ts";

/**
 * - `committed`: every row of the change is stored, by this request or by an earlier one of the same change.
 * - `conflict`: somebody else changed the account since it was read; nothing was stored. Read and decide again.
 * - `duplicate`: one of the facts was applied before; nothing was stored. Leave it out and decide again (I17).
 */
export type CommitOutcome = "committed" | "conflict" | "duplicate";

type Put = NonNullable<TransactWriteItem["Put"]>;

const absent = (table: string, item: Item): Put => ({ TableName: table, Item: item, ConditionExpression: "attribute_not_exists(pk)" });

/** The account: its version, and the calls that were open, in one condition (I01, I03). */
const accountPut = (table: string, change: Change, item: Item): Put => {
  if (change.before.headHash === "") return absent(table, item);
  const open = packOpenCalls(change.before.openCalls);
  return {
    TableName: table,
    Item: item,
    ConditionExpression: `#version = :version AND ${open === "" ? "attribute_not_exists(#open)" : "#open = :open"}`,
    ExpressionAttributeNames: { "#version": "version", "#open": "open" },
    ExpressionAttributeValues: { ":version": { N: `${change.before.version}` }, ...(open !== "" && { ":open": { S: open } }) },
  };
};

/** Where rows of the book go. */
type Place = Pick<World["settings"], "bookTable" | "shards">;

/** A call: absent if new, else still as it was read, so that no ended call ever changes (I02). */
const callPut = ({ bookTable: table, shards }: Place, change: Change, call: MarginCall): Put => {
  const item = callItem(call, shards);
  const read = livesOf(change.before).find((live) => live.call.callId === call.callId)?.call;
  if (read === undefined) return absent(table, item);
  return {
    TableName: table,
    Item: item,
    ConditionExpression: "#version = :version AND #status = :status",
    ExpressionAttributeNames: { "#version": "version", "#status": "status" },
    ExpressionAttributeValues: { ":version": { N: `${read.version}` }, ":status": { S: read.status } },
  };
};

const orderPut = ({ bookTable: table, shards }: Place, change: Change, order: LiquidationOrder): Put => {
  const item = orderItem(order, shards);
  const read = livesOf(change.before)
    .flatMap(({ orders }) => orders)
    .find((one) => one.orderId === order.orderId);
  if (read === undefined) return absent(table, item);
  return {
    TableName: table,
    Item: item,
    ConditionExpression: "#status = :status",
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":status": { S: read.status } },
  };
};

const entryItem = (change: Change, externalId: string): Item => ({
  pk: { S: accountPk(change.after.accountId) },
  sk: { S: entrySk(externalId) },
  schema: SCHEMA,
  written: { N: `${change.after.version}` },
});

/** Bugs assert: a change that breaks its own contract is not a world error. */
const assertChange = (change: Change, { follows }: CommitMeta, rows: number): void => {
  const { before, after } = change;
  const isNext = follows === undefined ? after.version === before.version + 1 : after.version > Math.max(before.version, follows.seq);
  if (!isNext || after.accountId !== before.accountId) throw new Error("a change must raise the version of its account by one");
  if (rows > LIMITS.transactionRowsMax) throw new Error(`a change of ${rows} rows, at most ${LIMITS.transactionRowsMax} fit a transaction`);
};

/** Why the transaction was cancelled, row by row; null for any other error. */
const reasonsOf = (error: unknown): readonly CancellationReason[] | null => {
  if (!(error instanceof Error) || error.name !== "TransactionCanceledException") return null;
  const reasons = (error as Error & { CancellationReasons?: CancellationReason[] }).CancellationReasons;
  return reasons ?? null;
};

const LOST_RACES: ReadonlySet<string> = new Set(["None", "ConditionalCheckFailed", "TransactionConflict"]);

const storedRow = async (world: World, row: Item): Promise<Item | null> => {
  const { pk, sk } = row as { pk: { S: string }; sk: { S: string } };
  const got = await world.db.get({ TableName: world.settings.journalTable, Key: { pk, sk }, ConsistentRead: true });
  return got.Item ?? null;
};

/**
 * Writes a change as one transaction: account, journal envelope, calls, orders, applied entries.
 *
 * A failed condition is an outcome, not an error. Throttling, a lost connection and the like throw:
 * then the change may or may not be stored, and committing it again is safe.
 */
export const createCommit =
  (world: World) =>
  async (change: Change, meta: CommitMeta): Promise<CommitOutcome> => {
    const { bookTable, journalTable, shards, rowSchema } = world.settings;
    const { row, hash } = sealEnvelope(change, meta, world.clock.now());
    const puts: Put[] = [
      accountPut(bookTable, change, encodeAccount(change.after, hash, shards, rowSchema)),
      absent(journalTable, row),
      ...change.entries.map(({ fact }) => absent(bookTable, entryItem(change, fact.externalId))),
      ...change.calls.map((call) => callPut({ bookTable, shards }, change, call)),
      ...change.orders.map((order) => orderPut({ bookTable, shards }, change, order)),
    ];
    assertChange(change, meta, puts.length);
    try {
      await world.db.transactWrite({ TransactItems: puts.map((put) => ({ Put: put })) });
      return "committed";
    } catch (error) {
      const codes = reasonsOf(error)?.map((reason) => reason.Code ?? "None");
      if (codes === undefined || codes.some((code) => !LOST_RACES.has(code))) throw error;
      const failed = (index: number): boolean => codes[index] === "ConditionalCheckFailed";
      if (failed(1)) {
        const stored = await storedRow(world, row);
        if (stored !== null && isSameCommit(stored, row)) return "committed";
      }
      return change.entries.some((_, index) => failed(index + 2)) ? "duplicate" : "conflict";
    }
  };
