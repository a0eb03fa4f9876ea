import type { World } from "../world.ts";
import { checkSchema, SCHEMA, text, whole } from "./items.ts";
import { hashOf } from "./keys.ts";
import { isConditionFailed } from "./pages.ts";

/** A reply that was given to a request with an idempotency key. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** The request that a key stands for: who sent it, to where, with what. */
export interface KeyedRequest {
  readonly principal: string;
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/**
 * Replies by idempotency key (C4). They spare a repeated request its work; that nothing happens
 * twice is the effects' own guarantee, since their ids are pure functions of what they name.
 */
export interface Replies {
  /** The reply to the same request, "mismatch" when the key stood for another one, null when it is new. */
  recall(request: KeyedRequest): Promise<Reply | "mismatch" | null>;
  /** Keeps the reply for 48 hours. @returns the reply that stands: an earlier one wins. */
  remember(request: KeyedRequest, reply: Reply): Promise<Reply | "mismatch">;
}

const KEPT_FOR_S = 48 * 3_600;

const keyOf = (request: KeyedRequest) => ({ pk: { S: `REPLY#${hashOf(request.principal)}` }, sk: { S: hashOf(request.key) } });
const fingerprint = (request: KeyedRequest): string => hashOf(`${request.method}\n${request.path}\n${request.body}`);

export const createReplies = (world: World): Replies => {
  const table = (): string => world.settings.outboundTable;

  const recall: Replies["recall"] = async (request) => {
    const got = await world.db.get({ TableName: table(), Key: keyOf(request), ConsistentRead: true });
    if (got.Item === undefined) return null;
    checkSchema(got.Item);
    // Time to live deletes late: what has expired counts as gone.
    if (whole(got.Item, "expiresAt") * 1_000 <= world.clock.now()) return null;
    if (text(got.Item, "request") !== fingerprint(request)) return "mismatch";
    return { status: whole(got.Item, "status"), body: text(got.Item, "body") };
  };

  const remember: Replies["remember"] = async (request, reply) => {
    const nowS = Math.floor(world.clock.now() / 1_000);
    try {
      await world.db.put({
        TableName: table(),
        Item: {
          ...keyOf(request),
          schema: SCHEMA,
          request: { S: fingerprint(request) },
          status: { N: `${reply.status}` },
          body: { S: reply.body },
          expiresAt: { N: `${nowS + KEPT_FOR_S}` },
        },
        ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
        ExpressionAttributeValues: { ":now": { N: `${nowS}` } },
      });
      return reply;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      return (await recall(request)) ?? reply;
    }
  };

  return { recall, remember };
};
