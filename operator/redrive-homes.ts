import * as z from "zod";

import { eventMessage } from "../adapters/wire/events.ts";
import { feedMessage } from "../adapters/wire/feed.ts";
import { marksEnvelope } from "../adapters/wire/marks.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { webhookMessage } from "../adapters/wire/retries.ts";
import { shardGroup, sweepMessage } from "../adapters/wire/sweep.ts";
import { expiryMessage, noticeAccepted } from "../adapters/wire/timers.ts";
import { venueOrder } from "../adapters/wire/venue.ts";
import type { QueueName } from "../lib/flow.ts";
import { nameOf, type Stage } from "../lib/stage.ts";
import { isOrdered, queueNameOf } from "./stage-world.ts";

/** A dead-letter queue of a stage and where what is parked in it belongs. */
export interface Parking {
  /** As `--queue` names it: `feed`, `email-subscription`. */
  readonly thing: string;
  readonly deadName: string;
  /** Null where the queue holds no messages of a queue: `instead` says what they are, and what to do. */
  readonly home: { readonly queue: QueueName; readonly name: string; readonly ordered: boolean } | null;
  readonly instead: string;
}

/** What each queue's consumer reads; the same schemas as in the functions. */
const READS: Readonly<Record<QueueName, z.ZodType>> = {
  marks: marksEnvelope,
  sweep: sweepMessage,
  shards: shardGroup,
  email: eventMessage,
  webhook: webhookMessage,
  timer: z.union([noticeAccepted, eventMessage]),
  expiry: expiryMessage,
  orders: eventMessage,
  venue: venueOrder,
  feed: feedMessage,
};

const QUEUES = Object.keys(READS) as QueueName[];
/** Queues that the topic sends to. What it could not deliver is parked beside what the queue's function could not do. */
const SUBSCRIBED: readonly QueueName[] = ["email", "webhook", "timer", "orders"];

const HOMELESS: Readonly<Record<string, string>> = {
  schedules: "ticks that Scheduler could not deliver: the next minute has replaced each of them; mend the schedule's role, then purge",
  "sweep-overdue": "runs of sweep-overdue that failed: the next minute did their work; mend, then purge",
  "publish-events": "places in the journal's stream whose events were not told",
  alarms: "emails of alarms that could not be delivered: read them here, then purge",
};

/** Every dead-letter queue that a stage has. */
export const parkingsOf = (stage: Stage): readonly Parking[] => {
  const parked = (thing: string, queue: QueueName, deadName: string): Parking => ({
    thing,
    deadName,
    home: { queue, name: queueNameOf(stage, queue), ordered: isOrdered(queue) },
    instead: "",
  });
  const homeless = Object.entries(HOMELESS).filter(([thing]) => thing !== "alarms" || stage.alarmEmail !== undefined);
  return [
    ...QUEUES.map((queue) => parked(queue, queue, nameOf(stage, `${queue}-dead${isOrdered(queue) ? ".fifo" : ""}`))),
    ...SUBSCRIBED.map((queue) => parked(`${queue}-subscription`, queue, nameOf(stage, `${queue}-subscription-dead`))),
    ...homeless.map(([thing, instead]): Parking => ({ thing, deadName: nameOf(stage, `${thing}-dead`), home: null, instead })),
  ];
};

/** Names that may be shown: they name things, never a person, an address or an amount. */
const SHOWN = ["schemaVersion", "type", "kind", "reason", "id", "accountId", "callId", "orderId", "snapshotId", "group"];

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The ids of a message, for an operator's eyes. */
export const sampleOf = (body: string): string => {
  const content = parsed(body);
  if (!isObject(content)) return `${Buffer.byteLength(body)} bytes that are no message`;
  const shown = SHOWN.flatMap((name) => {
    const value = content[name];
    const fits = typeof value === "number" || (typeof value === "string" && /^[\w.:#-]{1,80}$/.test(value));
    return fits ? [`${name} ${value}`] : [];
  });
  return shown.length > 0 ? shown.join(", ") : "a message without ids";
};

/** The body as its consumer takes it: SNS wraps what it could not deliver where a subscription is not raw. */
export const bodyFor = (thing: string, body: string): string => {
  const content = thing.endsWith("-subscription") ? parsed(body) : null;
  const wrapped = isObject(content) && content["Type"] === "Notification" ? content["Message"] : null;
  return typeof wrapped === "string" ? wrapped : body;
};

/** Why no version of the consumer in this checkout reads the message; null for one that it reads. The words name places, never values. */
export const whyPoison = (queue: QueueName, body: string): string | null => {
  try {
    parseMessage(READS[queue], body);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "unreadable";
  }
};
