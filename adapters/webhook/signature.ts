import { Webhook } from "standardwebhooks";

/** What is signed: `id.timestamp.body` (N1). */
export interface Signed {
  /** The event's id: the same over all retries and endpoints, so that a receiver can drop duplicates. */
  readonly id: string;
  /** Instant of this attempt in epoch milliseconds; receivers refuse more than 300 s of difference. */
  readonly at: number;
  readonly body: string;
}

/**
 * The three headers of Standard Webhooks with a `v1` signature (HMAC-SHA256).
 *
 * @param secret `whsec_` and base64, as shown to the endpoint's owner once. @throws when it is empty.
 */
export const signedHeaders = (secret: string, { id, at, body }: Signed): Record<string, string> => ({
  "webhook-id": id,
  "webhook-timestamp": Math.floor(at / 1_000).toString(),
  "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
});
