import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { createOutbound, type Endpoint } from "../adapters/dynamodb/outbound.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { eachOf } from "../adapters/parallel.ts";
import { attemptDelivery, sendRetry } from "../adapters/webhook/attempt.ts";
import type { EventMessage } from "../adapters/wire/events.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { type WebhookRetry, webhookMessage } from "../adapters/wire/retries.ts";
import type { World } from "../adapters/world.ts";
import { LIMITS } from "../core/limits.ts";

/** Endpoints of a broker that are posted to at a time: all that there may be (N1), so that a slow one delays none. */
const ENDPOINTS_WIDE = 10;

/** Endpoints of a broker, read once for all messages of an invocation. */
type Endpoints = (brokerId: string) => Promise<readonly Endpoint[]>;

const remembering = (read: Endpoints): Endpoints => {
  const known = new Map<string, ReturnType<Endpoints>>();
  return (brokerId) => {
    const endpoints = known.get(brokerId) ?? read(brokerId);
    known.set(brokerId, endpoints);
    return endpoints;
  };
};

const wants = ({ enabled, types }: Endpoint, { type }: EventMessage): boolean => enabled && (types === null || types.includes(type));

/**
 * 5b. Delivers an event to the webhook endpoints of its broker, signed (N1, N3, N4).
 *
 * A message of the topic is the first attempt at every endpoint that wants the event. An attempt that
 * fails plans the next one for its endpoint alone, as a new message that may wait through several hops.
 */
export const deliverWebhook = (world: World) => {
  const outbound = createOutbound(world);

  const fanOut = async (event: EventMessage, endpoints: Endpoints): Promise<void> => {
    const wanting = (await endpoints(event.brokerId)).filter((endpoint) => wants(endpoint, event));
    await eachOf(wanting, ENDPOINTS_WIDE, (endpoint) => attemptDelivery(world, outbound, endpoint, event, 0));
  };

  const retry = async (message: WebhookRetry, endpoints: Endpoints): Promise<void> => {
    const { event, endpointId, attempts, dueAt, hops } = message;
    if (hops > LIMITS.hopsMax) throw new Error("a webhook attempt went round too often");
    if (world.clock.now() < dueAt) return sendRetry(world, { ...message, hops: hops + 1 });
    const endpoint = (await endpoints(event.brokerId)).find((one) => one.endpointId === endpointId);
    if (endpoint?.enabled === true) await attemptDelivery(world, outbound, endpoint, event, attempts);
  };

  return (event: SQSEvent): Promise<SQSBatchResponse> => {
    const endpoints = remembering(outbound.endpoints);
    return independent(event.Records, world.log, async ({ body }) => {
      const message = parseMessage(webhookMessage, body);
      const isRetry = "kind" in message;
      if ((isRetry ? message.event : message).mode === "observe") return;
      await (isRetry ? retry(message, endpoints) : fanOut(message, endpoints));
    });
  };
};

const world = createWorld(["outboundTable", "dataKeyArn", "timerQueueUrl", "webhookQueueUrl", "webhookLoopback", "appUrl"]);

export const handler = lambdaHandler(world, deliverWebhook(world));
