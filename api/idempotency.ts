import { createBoundAnswers } from "../adapters/dynamodb/bound-answers.ts";
import { createReplies, type KeyedRequest } from "../adapters/dynamodb/replies.ts";
import { idempotencyKey } from "../adapters/wire/requests.ts";
import type { World } from "../adapters/world.ts";
import type { Principal } from "./authorize.ts";
import { Problem } from "./problem.ts";
import type { ApiEvent, ApiReply } from "./route.ts";

/**
 * What the header `Idempotency-Key` means on a route (C4).
 *
 * - `none`: nothing. The route only reads, or it puts: doing it twice is doing it once.
 * - `optional`: the ids in the body make it happen once. A key binds its body and keeps the reply for 48 hours.
 * - `required`: the effect adds up. Key, effect and answer are one transaction, kept for ever.
 */
export type KeyUse = "none" | "optional" | "required";

const HEADER = "idempotency-key";

const reused = (): Problem =>
  new Problem("key-reused", {
    detail: "this Idempotency-Key was used before with another method, path or body",
    mend: "Send a new key with a new request, or the first request's own body with this key.",
  });

const keyedRequestOf = (event: ApiEvent, principal: Principal | null, use: KeyUse): KeyedRequest | null => {
  const given = use === "none" ? undefined : event.headers[HEADER];
  if (given === undefined && use !== "required") return null;
  const key = idempotencyKey.safeParse(given);
  if (!key.success) {
    throw new Problem("invalid-request", {
      detail: given === undefined ? "the header Idempotency-Key is missing" : "the header Idempotency-Key is malformed",
      mend: "Send an Idempotency-Key of 8-128 printable ASCII characters: one for each request, the same when you try it again.",
      faults: [{ where: `header/${HEADER}`, what: "8-128 printable ASCII characters" }],
    });
  }
  const { method, path } = event.requestContext.http;
  return { principal: principal?.principalId ?? "", key: key.data, method, path, body: JSON.stringify(event.body ?? null) };
};

/** A reply of JSON. What an account holds is nobody's to cache. */
export const jsonReply = (statusCode: number, body: string): ApiReply => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body,
});

interface Once {
  readonly world: World;
  readonly event: ApiEvent;
  readonly principal: Principal | null;
  readonly use: KeyUse;
  /** Does what is asked. Where a key is required, it binds its answer itself, in the transaction of its effect. */
  readonly work: (keyed: KeyedRequest | null) => Promise<ApiReply>;
}

/**
 * Answers a request once per idempotency key: a replay gets the first reply, another body under the
 * same key is refused with 422. Refusals are not kept: what was refused has done nothing.
 */
export const answerOnce = async ({ world, event, principal, use, work }: Once): Promise<ApiReply> => {
  const keyed = keyedRequestOf(event, principal, use);
  if (keyed === null || use === "required") return work(keyed);
  const replies = createReplies(world);
  const known = await replies.recall(keyed);
  if (known === "mismatch") throw reused();
  if (known !== null) return jsonReply(known.status, known.body);
  const reply = await work(keyed);
  const kept = await replies.remember(keyed, { status: reply.statusCode, body: reply.body });
  if (kept === "mismatch") throw reused();
  return jsonReply(kept.status, kept.body);
};

/** The answer that a bound request has; null when it is new. @throws Problem when its key belongs to another request. */
export const boundAnswerOf = async (world: World, keyed: KeyedRequest): Promise<string | null> => {
  const answer = await createBoundAnswers(world).find(keyed);
  if (answer === "mismatch") throw reused();
  return answer;
};
