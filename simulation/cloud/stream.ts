import type { DynamoDBBatchResponse } from "aws-lambda";

import { matchesPattern } from "../../local/sources/filter.ts";
import type { Item } from "../db/expressions.ts";
import type { Written } from "../db/memory-tables.ts";
import type { Outcome } from "./lambda.ts";
import { copyDelayMs } from "./queue.ts";
import { latency, type Simulation } from "./simulation.ts";

/** A mapping from a table's stream to a function, as the template declares it. */
export interface StreamTerms {
  readonly table: string;
  readonly batchMax: number;
  readonly retriesMax: number;
  readonly bisects: boolean;
  readonly patterns: readonly unknown[];
}

interface StreamRecord {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY";
  readonly dynamodb: { readonly Keys: Item; readonly NewImage: Item; readonly SequenceNumber: string };
}

type Invoke = (records: readonly StreamRecord[], settle: (outcome: Outcome) => void) => void;

/** Two are enough for records of different keys to overtake each other. */
const SHARDS = 2;
const RETRY_MS = 1_000;

const shardOf = (pk: string): number => {
  let sum = 0;
  for (let index = 0; index < pk.length; index += 1) sum = (sum * 31 + pk.charCodeAt(index)) | 0;
  return Math.abs(sum) % SHARDS;
};

/** One shard: its records in order, one batch at a time. */
class Shard {
  private readonly simulation: Simulation;
  private readonly terms: StreamTerms;
  private readonly invoke: Invoke;
  private readonly park: (records: readonly StreamRecord[]) => void;
  private waiting: StreamRecord[] = [];
  private busy = false;

  constructor(simulation: Simulation, terms: StreamTerms, invoke: Invoke, park: (records: readonly StreamRecord[]) => void) {
    this.simulation = simulation;
    this.terms = terms;
    this.invoke = invoke;
    this.park = park;
  }

  push(record: StreamRecord): void {
    this.waiting.push(record);
    if (!this.busy) this.look();
  }

  private look(): void {
    this.busy = true;
    const { time } = this.simulation;
    time.at(time.now() + latency(this.simulation, 50, 400), () => {
      const batch = this.waiting.splice(0, this.terms.batchMax);
      if (batch.length === 0) {
        this.busy = false;
        return;
      }
      this.deliver(batch, this.terms.retriesMax, () => this.look());
    });
  }

  private deliver(batch: readonly StreamRecord[], retriesLeft: number, then: () => void): void {
    this.invoke(batch, (outcome) => {
      const failed = firstFailure(batch, outcome);
      if (failed === null) return then();
      const rest = batch.slice(failed);
      if (failed > 0) return this.later(() => this.deliver(rest, this.terms.retriesMax, then));
      if (this.terms.bisects && rest.length > 1) {
        const middle = Math.ceil(rest.length / 2);
        return this.later(() =>
          this.deliver(rest.slice(0, middle), retriesLeft, () => this.deliver(rest.slice(middle), retriesLeft, then)),
        );
      }
      if (retriesLeft === 0) {
        this.park(rest);
        return then();
      }
      this.later(() => this.deliver(rest, retriesLeft - 1, then));
    });
  }

  private later(act: () => void): void {
    const { time } = this.simulation;
    time.at(time.now() + RETRY_MS, act);
  }
}

const firstFailure = (batch: readonly StreamRecord[], outcome: Outcome): number | null => {
  if (!outcome.ok) return 0;
  const { batchItemFailures = [] } = (outcome.result ?? {}) as Partial<DynamoDBBatchResponse>;
  const places = batchItemFailures.map(({ itemIdentifier }) =>
    batch.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === itemIdentifier),
  );
  return places.length === 0 ? null : Math.max(0, Math.min(...places));
};

/** DynamoDB Streams with its event source mapping: in the order of each key, at least once, stuck on what fails until it is given up. Gives what to tell of each write. */
export const createStream = (
  simulation: Simulation,
  terms: StreamTerms,
  invoke: Invoke,
  park: (records: readonly StreamRecord[]) => void,
) => {
  const shards = Array.from({ length: SHARDS }, () => new Shard(simulation, terms, invoke, park));
  let sequence = 0;

  const recordOf = ({ before, after }: Written): StreamRecord | null => {
    if (after === undefined) return null;
    sequence += 1;
    const Keys = { pk: after["pk"], sk: after["sk"] } as Item;
    const eventName = before === undefined ? "INSERT" : "MODIFY";
    return { eventID: `${sequence}`, eventName, dynamodb: { Keys, NewImage: after, SequenceNumber: `${sequence}`.padStart(12, "0") } };
  };

  return (written: readonly Written[]): void => {
    for (const one of written) {
      if (one.table !== terms.table) continue;
      const record = recordOf(one);
      if (record === null || !terms.patterns.some((pattern) => matchesPattern(pattern, record))) continue;
      const shard = shards[shardOf(record.dynamodb.Keys["pk"]?.S ?? "")] as Shard;
      shard.push(record);
      const copy = copyDelayMs(simulation.faults.atDelivery("stream"));
      if (copy !== null) simulation.time.at(simulation.time.now() + copy, () => shard.push(record));
    }
  };
};
