import type { AttributeValue } from "@aws-sdk/client-dynamodb";

import type { World } from "../world.ts";
import { checkSchema, SCHEMA, text } from "./items.ts";
import { hashOf } from "./keys.ts";
import { isConditionFailed } from "./pages.ts";
import type { KeyedRequest } from "./replies.ts";

/**
 * Answers that commit in the same transaction as their effect (C4, R16), for requests whose effects add
 * up. Kept for ever: an outage is longer than any window, and a reservation made twice locks money.
 */
export interface BoundAnswers {
  /** The answer that this request has; "mismatch" when its key belongs to another request, null when it is new. */
  find(request: KeyedRequest): Promise<string | "mismatch" | null>;
  /** Binds the answer of a request without an effect. @returns false when the key was bound before. */
  bind(request: KeyedRequest, answer: string): Promise<boolean>;
  /**
   * The same world, in which each transaction binds the answer as one more row: effect and answer are
   * stored together or not at all, and a twin's transaction under the same key fails as a conflict.
   *
   * @param answer read when the transaction is written.
   */
  alongside(request: KeyedRequest, answer: () => string): World;
}

/** In the outbound table: `BOUND#<hash of caller and key>` / `ANSWER`. */
export const createBoundAnswers = (world: World): BoundAnswers => {
  const table = (): string => world.settings.outboundTable;
  const keyOf = ({ principal, key }: KeyedRequest): Record<"pk" | "sk", AttributeValue> => ({
    pk: { S: `BOUND#${hashOf(`${principal}\n${key}`)}` },
    sk: { S: "ANSWER" },
  });
  const fingerprint = (request: KeyedRequest): string => hashOf(`${request.method}\n${request.path}\n${request.body}`);
  const put = (request: KeyedRequest, answer: string) => ({
    TableName: table(),
    Item: { ...keyOf(request), schema: SCHEMA, request: { S: fingerprint(request) }, body: { S: answer } },
    ConditionExpression: "attribute_not_exists(pk)",
  });

  return {
    find: async (request) => {
      const { Item } = await world.db.get({ TableName: table(), Key: keyOf(request), ConsistentRead: true });
      if (Item === undefined) return null;
      checkSchema(Item);
      return text(Item, "request") === fingerprint(request) ? text(Item, "body") : "mismatch";
    },
    bind: async (request, answer) => {
      try {
        await world.db.put(put(request, answer));
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
    alongside: (request, answer) => ({
      ...world,
      db: {
        ...world.db,
        transactWrite: (input) =>
          world.db.transactWrite({ ...input, TransactItems: [...(input.TransactItems ?? []), { Put: put(request, answer()) }] }),
      },
    }),
  };
};
