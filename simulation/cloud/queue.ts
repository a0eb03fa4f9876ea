import type { SQSBatchResponse, SQSRecord } from "aws-lambda";

import type { QueueMessage } from "../../adapters/world.ts";
import type { Outcome } from "./lambda.ts";
import { latency, type Simulation } from "./simulation.ts";

/** A queue as the template declares it. */
export interface QueueTerms {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly fifo: boolean;
  readonly visibilityMs: number;
  readonly retentionMs: number;
  /** Receives after which a message is parked; infinity where nothing parks it. */
  readonly receivesMax: number;
}

/** Whoever takes messages from a queue. */
export interface Consumer {
  readonly batchMax: number;
  readonly concurrencyMax: number;
  /** Handles a batch; tells how it ended. What failed comes back when its visibility timeout ends. */
  take(records: readonly SQSRecord[], settle: (outcome: Outcome) => void): void;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly group: string | null;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
  gone: boolean;
}

const FIFO_WINDOW_MS = 300_000;
const LATE: Partial<Record<string, number>> = { duplicate6min: 360_000, duplicate11min: 660_000, duplicate25h: 90_000_000 };

/** How much later a fault makes a copy of a message come; null where it makes none. */
export const copyDelayMs = (fault: string | null): number | null => (fault === "duplicateNow" ? 0 : (LATE[fault ?? ""] ?? null));
/** Most that a message is overtaken by. */
export const REORDER_MS = 45_000;

/** SQS: at least once, in no order; a FIFO queue in the order of each group, once within five minutes. */
export class SimulatedQueue {
  readonly terms: QueueTerms;
  private readonly simulation: Simulation;
  private readonly park: (message: { readonly body: string; readonly group: string | null }) => void;
  private messages: Message[] = [];
  private readonly seen = new Map<string, number>();
  private consumer: Consumer | null = null;
  private busy = 0;
  private sent = 0;
  private pollAt = Number.POSITIVE_INFINITY;

  constructor(
    simulation: Simulation,
    terms: QueueTerms,
    park: (message: { readonly body: string; readonly group: string | null }) => void,
  ) {
    this.simulation = simulation;
    this.terms = terms;
    this.park = park;
  }

  consume(consumer: Consumer): void {
    this.consumer = consumer;
  }

  /** Messages that are there, in flight or to come. */
  depth(): number {
    return this.messages.length;
  }

  /** Takes out what is wanted: an operator's redrive. */
  drain(isWanted: (body: string) => boolean): { readonly body: string; readonly group: string | null }[] {
    const taken = this.messages.filter(({ body }) => isWanted(body));
    this.messages = this.messages.filter(({ body }) => !isWanted(body));
    return taken;
  }

  /** Messages without this text. */
  depthWithout(text: string): number {
    return this.messages.filter(({ body }) => !body.includes(text)).length;
  }

  /** True where a message with this text is there, or on its way. */
  holds(text: string): boolean {
    return this.messages.some(({ body }) => body.includes(text));
  }

  send(message: QueueMessage): void {
    const { time, faults } = this.simulation;
    const group = this.terms.fifo ? (message.groupId ?? "") : null;
    if (this.terms.fifo) {
      const dedup = message.dedupId ?? message.body;
      const last = this.seen.get(dedup);
      if (last !== undefined && time.now() - last < FIFO_WINDOW_MS) return;
      this.seen.set(dedup, time.now());
    }
    const fault = faults.atDelivery("queue");
    this.sent += 1;
    const id = `${this.terms.name}-${this.sent}`;
    if (fault !== null) this.simulation.trace?.(`${id} on its way [${fault}]`);
    const delayMs = (message.delayS ?? 0) * 1_000 + latency(this.simulation, 1, 20);
    const late = fault === "reorder" && !this.terms.fifo ? Math.floor(faults.size() * REORDER_MS) : 0;
    this.enter({ id, body: message.body, group }, delayMs + late);
    const copy = copyDelayMs(fault);
    if (copy !== null) time.at(time.now() + copy, () => this.enter({ id, body: message.body, group }, 1));
  }

  private enter(message: Pick<Message, "id" | "body" | "group">, delayMs: number): void {
    const now = this.simulation.time.now();
    this.messages.push({ ...message, sentAt: now, visibleAt: now + delayMs, receives: 0, gone: false });
    this.pollBy(now + delayMs);
  }

  private pollBy(at: number): void {
    if (this.consumer === null || at >= this.pollAt) return;
    this.pollAt = at;
    this.simulation.time.at(at, () => {
      if (this.pollAt !== at) return;
      this.pollAt = Number.POSITIVE_INFINITY;
      this.poll();
    });
  }

  /** What may be received now. Of a group, only what nothing in flight or before it holds back. */
  private visible(max: number): Message[] {
    const now = this.simulation.time.now();
    const batch: Message[] = [];
    const held = new Set<string>();
    for (const message of this.messages) {
      if (batch.length === max) break;
      const { group } = message;
      if (message.visibleAt > now || (group !== null && held.has(group))) {
        if (group !== null) held.add(group);
        continue;
      }
      batch.push(message);
    }
    return batch;
  }

  private expire(): void {
    const now = this.simulation.time.now();
    const { retentionMs, receivesMax } = this.terms;
    const kept: Message[] = [];
    for (const message of this.messages) {
      const isOver = message.visibleAt <= now;
      if (isOver && message.receives >= receivesMax) {
        this.simulation.trace?.(`* ${message.id} is parked after ${message.receives} deliveries`);
        this.park(message);
      } else if (!isOver || now - message.sentAt < retentionMs) kept.push(message);
    }
    this.messages = kept;
  }

  private poll(): void {
    const { consumer, simulation, terms } = this;
    if (consumer === null) return;
    this.expire();
    while (this.busy < consumer.concurrencyMax) {
      const batch = this.visible(consumer.batchMax);
      if (batch.length === 0) break;
      const now = simulation.time.now();
      for (const message of batch) {
        message.visibleAt = now + terms.visibilityMs;
        message.receives += 1;
      }
      this.busy += 1;
      consumer.take(
        batch.map((message) => this.recordOf(message)),
        (outcome) => this.settle(batch, outcome),
      );
    }
    // What is visible and was not taken waits for a batch to settle; what is not yet visible for its time.
    const now = simulation.time.now();
    let next = Number.POSITIVE_INFINITY;
    for (const { visibleAt } of this.messages) if (visibleAt > now && visibleAt < next) next = visibleAt;
    if (next < Number.POSITIVE_INFINITY) this.pollBy(next);
  }

  private recordOf({ id, body, group, receives, sentAt }: Message): SQSRecord {
    return {
      messageId: id,
      receiptHandle: `${id}.${receives}`,
      body,
      attributes: {
        ApproximateReceiveCount: `${receives}`,
        SentTimestamp: `${sentAt}`,
        SenderId: "simulation",
        ApproximateFirstReceiveTimestamp: `${sentAt}`,
        ...(group !== null && { MessageGroupId: group }),
      },
      messageAttributes: {},
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: this.terms.arn,
      awsRegion: "eu-west-1",
    };
  }

  private settle(batch: readonly Message[], outcome: Outcome): void {
    this.busy -= 1;
    const failed = failedOf(batch, outcome);
    for (const message of batch) if (!failed.has(message.id)) message.gone = true;
    this.messages = this.messages.filter(({ gone }) => !gone);
    this.pollBy(this.simulation.time.now() + 1);
  }
}

const failedOf = (batch: readonly Message[], outcome: Outcome): ReadonlySet<string> => {
  if (!outcome.ok) return new Set(batch.map(({ id }) => id));
  const { batchItemFailures = [] } = (outcome.result ?? {}) as Partial<SQSBatchResponse>;
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
};
