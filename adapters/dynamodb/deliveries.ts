import type { World } from "../world.ts";
import { checkSchema, type Item, SCHEMA, text, textOr, whole } from "./items.ts";
import { isConditionFailed } from "./pages.ts";

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
   * The place of an event among those that this endpoint gets of this account, without gaps (R27).
   * The same event has the same place for ever; `previousSequence` is 0 for the first.
   */
  nextSequence(
    endpointId: string,
    accountId: string,
    eventId: string,
  ): Promise<{ readonly sequence: number; readonly previousSequence: number }>;
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

const createSequences = (world: World, delivery: Deliveries["delivery"]): Deliveries["nextSequence"] => {
  const table = (): string => world.settings.outboundTable;

  const take = async (endpointId: string, accountId: string, eventId: string): Promise<number | null> => {
    const Key = counterKey(endpointId, accountId);
    const got = await world.db.get({ TableName: table(), Key, ConsistentRead: true });
    const last = got.Item === undefined ? 0 : whole(got.Item, "last");
    const count = { N: `${last + 1}` };
    const expiresAt = { N: `${Math.floor(world.clock.now() / 1_000) + KEPT_FOR_S}` };
    const counter = { TableName: table(), Item: { ...Key, schema: SCHEMA, last: count } };
    try {
      await world.db.transactWrite({
        TransactItems: [
          {
            Put:
              last === 0
                ? { ...counter, ConditionExpression: "attribute_not_exists(pk)" }
                : {
                    ...counter,
                    ConditionExpression: "#last = :last",
                    ExpressionAttributeNames: { "#last": "last" },
                    ExpressionAttributeValues: { ":last": { N: `${last}` } },
                  },
          },
          {
            Update: {
              TableName: table(),
              Key: deliveryKey(endpointId, eventId),
              UpdateExpression: "SET #schema = :one, accountId = :account, #sequence = :sequence, expiresAt = :expires",
              ConditionExpression: "attribute_not_exists(#sequence)",
              ExpressionAttributeNames: { "#schema": "schema", "#sequence": "sequence" },
              ExpressionAttributeValues: { ":one": SCHEMA, ":account": { S: accountId }, ":sequence": count, ":expires": expiresAt },
            },
          },
        ],
      });
      return last + 1;
    } catch (error) {
      if (error instanceof Error && error.name === "TransactionCanceledException") return null;
      throw error;
    }
  };

  return async (endpointId, accountId, eventId) => {
    for (let race = 1; race <= RACES_MAX; race += 1) {
      const known = await delivery(endpointId, eventId);
      const sequence = known === null || known.sequence === 0 ? await take(endpointId, accountId, eventId) : known.sequence;
      if (sequence !== null) return { sequence, previousSequence: sequence - 1 };
    }
    throw new Error("a delivery's sequence was raced for too often");
  };
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
  const delivery: Deliveries["delivery"] = async (target, eventId) => {
    const got = await world.db.get({ TableName: table(), Key: deliveryKey(target, eventId), ConsistentRead: true });
    return got.Item === undefined ? null : decodeDelivery(got.Item);
  };
  return {
    delivery,
    nextSequence: createSequences(world, delivery),
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
