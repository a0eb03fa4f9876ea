import type { Endpoint, Outbound } from "../dynamodb/outbound.ts";
import { tellAccepted } from "../first-notice.ts";
import { type EventMessage, severityOf } from "../wire/events.ts";
import type { WebhookRetry } from "../wire/retries.ts";
import { SCHEMA_VERSION } from "../wire/scalars.ts";
import type { World } from "../world.ts";
import { hopDelayS, nextAttemptAt } from "./retry.ts";
import { signedHeaders } from "./signature.ts";

/** Total time of one attempt (N4). */
const ATTEMPT_TIMEOUT_MS = 15_000;

interface Outcome {
  /** Status code, or the name of an error where there was no reply. */
  readonly words: string;
  readonly kind: "accepted" | "gone" | "failed";
  readonly retryAfterS: number | null;
}

const post = async (world: World, url: string, request: { headers: Record<string, string>; body: string }): Promise<Outcome> => {
  try {
    const { status, retryAfterS } = await world.http.post({ url, ...request, timeoutMs: ATTEMPT_TIMEOUT_MS });
    const kind = status >= 200 && status < 300 ? "accepted" : status === 410 ? "gone" : "failed";
    return { words: `${status}`, kind, retryAfterS };
  } catch (error) {
    // Whatever keeps the receiver from answering is an attempt that failed: recorded, and tried again.
    return { words: error instanceof Error ? error.name : "unknown", kind: "failed", retryAfterS: null };
  }
};

const planRetry = async (
  world: World,
  retry: Omit<WebhookRetry, "schemaVersion" | "kind" | "dueAt" | "hops">,
  asked: number | null,
): Promise<void> => {
  const { event, endpointId, attempts } = retry;
  const now = world.clock.now();
  const dueAt = nextAttemptAt({
    eventId: event.id,
    endpointId,
    severity: severityOf(event.type),
    attempts,
    now,
    deadlineAt: event.call === null || event.call.deadlineAt === null ? null : Date.parse(event.call.deadlineAt),
    retryAfterS: asked,
  });
  if (dueAt === null) {
    world.log.count("webhook_exhausted");
    world.log.error("webhook given up", { endpointId, eventId: event.id, attempts });
    return;
  }
  await sendRetry(world, { ...retry, schemaVersion: SCHEMA_VERSION, kind: "webhook_retry", dueAt, hops: 0 });
};

/** Puts a later attempt, or its next hop towards it, into the webhook queue. */
export const sendRetry = (world: World, retry: WebhookRetry): Promise<void> =>
  world.queues.send(world.settings.webhookQueueUrl, [{ body: JSON.stringify(retry), delayS: hopDelayS(retry.dueAt, world.clock.now()) }]);

/**
 * One attempt to deliver an event to one endpoint (N1): signed, with its place among the deliveries of
 * this account to this endpoint, recorded; where it fails, the next one is planned for this endpoint alone.
 *
 * @param made attempts that the message knows of. Where the record counts more, or the event was
 *   accepted, the message is an echo and nothing happens (S36).
 */
export const attemptDelivery = async (
  world: World,
  outbound: Outbound,
  endpoint: Endpoint,
  event: EventMessage,
  made: number,
): Promise<void> => {
  const { endpointId } = endpoint;
  const { sequence, attempts, deliveredAt } = await outbound.openDelivery(endpointId, event.accountId, event.id);
  if (deliveredAt !== null || attempts > made) return;
  const body = JSON.stringify({ ...event, sequence, previousSequence: sequence - 1 });
  const secret = await outbound.secretOf(endpoint);
  const signed = signedHeaders(secret.reveal(), { id: event.id, at: world.clock.now(), body });
  const outcome = await post(world, endpoint.url, { headers: { "content-type": "application/json", ...signed }, body });
  world.log.count(`webhook_${outcome.kind}`);
  if (outcome.kind === "accepted") await tellAccepted(world, outbound, event, "webhook");
  if (outcome.kind === "gone") {
    const { url, types } = endpoint;
    await outbound.putEndpoint(endpoint.brokerId, endpointId, { url, types, enabled: false });
    world.log.error("endpoint gone and disabled", { endpointId, brokerId: endpoint.brokerId });
  }
  // Planned first, recorded after: a crash between the two makes an echo, the other order could end the retries.
  if (outcome.kind === "failed") await planRetry(world, { endpointId, event, attempts: made + 1 }, outcome.retryAfterS);
  await outbound.recordAttempt({
    target: endpointId,
    eventId: event.id,
    accountId: event.accountId,
    at: world.clock.now(),
    outcome: outcome.words,
    accepted: outcome.kind === "accepted",
  });
};
