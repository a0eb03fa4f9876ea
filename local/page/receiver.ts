import { timingSafeEqual } from "node:crypto";

import { Webhook } from "standardwebhooks";

/** One request that the webhook receiver of a broker got. */
export interface Delivery {
  readonly number: number;
  readonly endpointId: string;
  readonly receivedAt: number;
  readonly webhookId: string;
  readonly type: string;
  readonly accountId: string;
  readonly callId: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  /** True when the signature and the time are right. */
  readonly verified: boolean;
  /** True when this id was received before: a receiver ignores it. */
  readonly repeated: boolean;
  /** Why it was refused, or "". */
  readonly reason: string;
}

/** Both ways, as the standard's own libraries have it. */
const TOLERANCE_S = 300;

export interface SignedRequest {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
}

/**
 * Verifies a Standard Webhooks request with the standard's own library, against the clock of the replay
 * instead of the machine's: a replay of 2020 is signed in 2020.
 *
 * @returns why it is refused; null when it is right.
 */
export const refusalOf = (secret: string, request: SignedRequest, now: number): string | null => {
  const seconds = /^\d{1,12}$/.test(request.timestamp) ? Number(request.timestamp) : Number.NaN;
  if (request.id === "" || Number.isNaN(seconds)) return "a signature header is missing";
  if (Math.abs(Math.floor(now / 1_000) - seconds) > TOLERANCE_S) return "its time is more than 300 s away";
  const expected = Buffer.from(new Webhook(secret).sign(request.id, new Date(seconds * 1_000), request.body));
  const right = request.signature
    .split(" ")
    .map((signature) => Buffer.from(signature))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  return right ? null : "no signature matches";
};

export interface Receiver {
  /** Says which secret an endpoint got when it was made. */
  trust(endpointId: string, secret: string): void;
  /** Takes a request and writes it down. */
  take(endpointId: string, request: SignedRequest, now: number): Delivery;
  readonly deliveries: readonly Delivery[];
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const wholeOf = (value: unknown): number | null => (typeof value === "number" && Number.isSafeInteger(value) ? value : null);

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

const bodyOf = (body: string): Fields => {
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return {};
  }
};

/** A receiver as a broker would write one: verifies, answers, and ignores what it has seen. */
export const createReceiver = (): Receiver => {
  const secrets = new Map<string, string>();
  const seen = new Set<string>();
  const deliveries: Delivery[] = [];
  return {
    trust: (endpointId, secret) => {
      secrets.set(endpointId, secret);
    },
    take: (endpointId, request, now) => {
      const secret = secrets.get(endpointId);
      const reason = secret === undefined ? "no such endpoint" : refusalOf(secret, request, now);
      const body = bodyOf(request.body);
      // The event is the body itself, or stands in it beside the sequence numbers.
      const event = "data" in body ? { ...body, ...fieldsOf(body["data"]) } : body;
      const key = `${endpointId} ${request.id}`;
      const delivery: Delivery = {
        number: deliveries.length + 1,
        endpointId,
        receivedAt: now,
        webhookId: request.id,
        type: textOf(body["type"]),
        accountId: textOf(event["accountId"]),
        callId: textOf(fieldsOf(event["call"])["callId"]) || null,
        sequence: wholeOf(event["sequence"]),
        previousSequence: wholeOf(event["previousSequence"]),
        verified: reason === null,
        repeated: reason === null && seen.has(key),
        reason: reason ?? "",
      };
      if (reason === null) seen.add(key);
      deliveries.push(delivery);
      return delivery;
    },
    deliveries,
  };
};
