import * as z from "zod";

import { eventMessage } from "./events.ts";
import { count, endpointId, schemaVersion } from "./scalars.ts";

/** A later attempt of one event at one endpoint, in the webhook queue beside the topic's own messages. */
export const webhookRetry = z.object({
  schemaVersion,
  kind: z.literal("webhook_retry"),
  endpointId,
  event: eventMessage,
  /** Attempts made when this one was planned. A record that counts more makes this message an echo. */
  attempts: count.min(1),
  /** Epoch milliseconds; before it, the message goes back for another hop. */
  dueAt: count,
  hops: count,
});
export type WebhookRetry = z.output<typeof webhookRetry>;

/** What the webhook queue carries: an event of the topic, or a later attempt. */
export const webhookMessage = z.union([webhookRetry, eventMessage]);
