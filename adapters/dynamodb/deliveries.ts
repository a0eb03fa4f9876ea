import { createTurns } from "../parallel.ts";
import type { World } from "../world.ts";
import { checkSchema, type Item, SCHEMA, text, textOr, whole } from "./items.ts";
import { getAll, isConditionFailed } from "./pages.ts";

/** Where an event goes: a webhook endpoint's id, or EMAIL. */
export type Target = string;

/** What became of one event at one target. */
export interface Delivery {
  readonly target: Target;
  readonly eventId: string;
  readonly accountId: string;
  /** Its place among the deliveries of this account to this target; 0 where places are not counted. */
  readonly sequence: number;
  readonly attempts: number;
  readonly lastAt: number;
  /** Outcome of the last attempt: a status code or the name of an error. */
  readonly lastOutcome: string;
  /** When it was accepted; null while it was not. */
  readonly deliveredAt: number | null;
}

export interface Attempt {
  readonly target: Target;
  readonly eventId: string;
  readonly accountId: string;
  readonly at: number;
  readonly outcome: string;
  readonly accepted: boolean;
}

export interface Deliveries {
  /**
   * The delivery of an event to an endpoint, with its place among those that this endpoint gets of this
   * account, without gaps (R27). The same event has the same place for ever; it gets it here at first.
   */
  openDelivery(endpointId: string, accountId: string, eventId: string): Promise<Delivery>;
  /** What became of an event at a target; null before anything did. */
  delivery(target: Target, eventId: string): Promise<Delivery | null>;
  /** Counts an attempt. Once accepted, a delivery stays accepted. */
  recordAttempt(attempt: Attempt): Promise<void>;
  /** When a channel first accepted a notice of a call; null before. */
  noticedAt(callId: string, channel: string): Promise<number | null>;
  /**
   * Records the first acceptance of a notice of a call by a channel. @returns true for the first.
   * Record it after the timer queue was told: a crash between the two tells it twice, which is harmless.
   */
  firstNotice(callId: string, channel: string, at: number): Promise<boolean>;
}

/** How long deliveries and notice markers are kept (N1). */
const KEPT_FOR_S = 90 * 86_400;
/** Races for one counter before it is given up; each lost race means that another event got its place. */
const RACES_MAX = 20;

const deliveryKey = (target: Target, eventId: string) => ({ pk: { S: `DELIVERY#${target}` }, sk: { S: eventId } });
const counterKey = (endpointId: string, accountId: string) => ({ pk: { S: `SEQUENCE#${endpointId}` }, sk: { S: accountId } });
const noticeKey = (callId: string, channel: string) => ({ pk: { S: `NOTICE#${callId}` }, sk: { S: channel } });

const wholeOr = (item: Item, name: string, otherwise: number): number => (item[name] === undefined ? otherwise : whole(item, name));

const decodeDelivery = (item: Item): Delivery => {
  checkSchema(item);
  return {
    target: text(item, "pk").slice("DELIVERY#".length),
    eventId: text(item, "sk"),
    accountId: text(item, "accountId"),
    sequence: wholeOr(item, "sequence", 0),
    attempts: wholeOr(item, "attempts", 0),
    lastAt: wholeOr(item, "lastAt", 0),
    lastOutcome: textOr(item, "lastOutcome", ""),
    deliveredAt: item["deliveredAt"] === undefined ? null : whole(item, "deliveredAt"),
  };
};

/** Writes the next place of the counter and, in the same transaction, gives it to the event. @returns false when another was faster. */
const takePlace = async (world: World, opened: Delivery): Promise<boolean> => {
  const { target, accountId, eventId, sequence } = opened;
  const TableName = world.settings.outboundTable;
  const count = { N: `${sequence}` };
  const counter = { TableName, Item: { ...counterKey(target, accountId), schema: SCHEMA, last: count } };
  const expiresAt = { N: `${Math.floor(world.clock.now() / 1_000) + KEPT_FOR_S}` };
  try {
    await world.db.transactWrite({
      TransactItems: [
        {
          Put:
            sequence === 1
              ? { ...counter, ConditionExpression: "attribute_not_exists(pk)" }
              : {
                  ...counter,
                  ConditionExpression: "#last = :last",
                  ExpressionAttributeNames: { "#last": "last" },
                  ExpressionAttributeValues: { ":last": { N: `${sequence - 1}` } },
                },
        },
        {
          Update: {
            TableName,
            Key: deliveryKey(target, eventId),
            UpdateExpression: "SET #schema = :one, accountId = :account, #sequence = :sequence, expiresAt = :expires",
            ConditionExpression: "attribute_not_exists(#sequence)",
            ExpressionAttributeNames: { "#schema": "schema", "#sequence": "sequence" },
            ExpressionAttributeValues: { ":one": SCHEMA, ":account": { S: accountId }, ":sequence": count, ":expires": expiresAt },
          },
        },
      ],
    });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "TransactionCanceledException") return false;
    throw error;
  }
};

const openDelivery = async (world: World, target: Target, accountId: string, eventId: string): Promise<Delivery> => {
  const keys = [deliveryKey(target, eventId), counterKey(target, accountId)];
  for (let race = 1; race <= RACES_MAX; race += 1) {
    const rows = await getAll(world.db, world.settings.outboundTable, keys);
    const row = rows.find((item) => item["sk"]?.S === eventId);
    const known = row === undefined ? null : decodeDelivery(row);
    if (known !== null && known.sequence > 0) return known;
    const counter = rows.find((item) => item !== row);
    const opened = {
      ...(known ?? { target, eventId, accountId, attempts: 0, lastAt: 0, lastOutcome: "", deliveredAt: null }),
      sequence: counter === undefined ? 1 : whole(counter, "last") + 1,
    };
    if (await takePlace(world, opened)) return opened;
  }
  throw new Error("a delivery's sequence was raced for too often");
};

const recordAttempt = async (world: World, attempt: Attempt): Promise<void> => {
  await world.db.update({
    TableName: world.settings.outboundTable,
    Key: deliveryKey(attempt.target, attempt.eventId),
    UpdateExpression: `SET #schema = :one, accountId = :account, expiresAt = :expires, lastAt = :at, lastOutcome = :outcome${
      attempt.accepted ? ", deliveredAt = if_not_exists(deliveredAt, :at)" : ""
    } ADD attempts :count`,
    ExpressionAttributeNames: { "#schema": "schema" },
    ExpressionAttributeValues: {
      ":one": SCHEMA,
      ":account": { S: attempt.accountId },
      ":expires": { N: `${Math.floor(attempt.at / 1_000) + KEPT_FOR_S}` },
      ":at": { N: `${attempt.at}` },
      ":outcome": { S: attempt.outcome.slice(0, 200) },
      ":count": { N: "1" },
    },
  });
};

export const createDeliveries = (world: World): Deliveries => {
  const table = (): string => world.settings.outboundTable;
  const inTurn = createTurns();
  return {
    // Events of one account come in one batch: each waits for its place rather than race the others for it.
    openDelivery: (endpointId, accountId, eventId) =>
      inTurn(`${endpointId}\n${accountId}`, () => openDelivery(world, endpointId, accountId, eventId)),
    delivery: async (target, eventId) => {
      const got = await world.db.get({ TableName: table(), Key: deliveryKey(target, eventId), ConsistentRead: true });
      return got.Item === undefined ? null : decodeDelivery(got.Item);
    },
    recordAttempt: (attempt) => recordAttempt(world, attempt),
    noticedAt: async (callId, channel) => {
      const got = await world.db.get({ TableName: table(), Key: noticeKey(callId, channel), ConsistentRead: true });
      return got.Item === undefined ? null : whole(got.Item, "at");
    },
    firstNotice: async (callId, channel, at) => {
      try {
        await world.db.put({
          TableName: table(),
          Item: {
            ...noticeKey(callId, channel),
            schema: SCHEMA,
            at: { N: `${at}` },
            expiresAt: { N: `${Math.floor(at / 1_000) + KEPT_FOR_S}` },
          },
          ConditionExpression: "attribute_not_exists(pk)",
        });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
  };
};
