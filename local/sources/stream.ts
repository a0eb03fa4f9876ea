import type { Lambda, Outcome } from "../engines/lambda.ts";
import type { Messages } from "../engines/messages.ts";
import type { StreamReader, StreamRecord } from "../engines/stream-reader.ts";
import type { Mapping } from "../template/wiring.ts";
import { type Meter, ofFunction } from "../watch/meter.ts";
import { matchesPattern } from "./filter.ts";
import type { Source } from "./source.ts";

const BATCH_SIZE_DEFAULT = 100;

/** Where the template sets no bound, the cloud retries until the record is a day old; here that would stop time. */
const RETRIES_UNBOUNDED = 100;

/** Real time: between two looks at the stream, and before a failed batch is tried again. */
const LOOK_MS = 25;
const RETRY_MS = 250;

export interface StreamSourceOptions {
  readonly mapping: Mapping;
  readonly reader: StreamReader;
  readonly lambda: Lambda;
  readonly messages: Messages;
  readonly realTime: boolean;
  readonly meter: Meter;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
  /** Whether the mapping is enabled: what it does not hand over waits. */
  readonly enabled: () => boolean;
}

const sequenceOf = (record: StreamRecord | undefined): string => record?.dynamodb.SequenceNumber ?? "";

/** The place of the first record that failed: null when none did, 0 when the function failed as a whole. */
export const firstFailure = (records: readonly StreamRecord[], outcome: Outcome, reportsFailures: boolean): number | null => {
  if (!outcome.ok) return 0;
  if (!reportsFailures) return null;
  const { batchItemFailures } = (outcome.result ?? {}) as { batchItemFailures?: readonly { readonly itemIdentifier?: string }[] | null };
  const places = (batchItemFailures ?? []).map(({ itemIdentifier }) =>
    records.findIndex((record) => sequenceOf(record) === itemIdentifier),
  );
  return places.length === 0 ? null : Math.max(0, Math.min(...places));
};

const keyOf = (record: StreamRecord): string => JSON.stringify(record.dynamodb.Keys["pk"] ?? record.dynamodb.Keys);

/**
 * A stream keeps the order of each key and of nothing else. In stepped time records of one wave are
 * put in order of their keys, so that the same writes always arrive in the same order.
 */
const inKeyOrder = (records: readonly StreamRecord[]): readonly StreamRecord[] => {
  const keyed = records.map((record) => ({ key: keyOf(record), record }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ record }) => record);
};

/** An event source mapping from a table's stream to a function: filtered, in order, stuck on a failure until it is given up. */
export const createStreamSource = (options: StreamSourceOptions): Source => {
  const { mapping, reader, lambda, messages, realTime, meter, now, enabled } = options;
  const batchSize = mapping.BatchSize ?? BATCH_SIZE_DEFAULT;
  const reports = mapping.FunctionResponseTypes.includes("ReportBatchItemFailures");
  const retries = mapping.MaximumRetryAttempts < 0 ? RETRIES_UNBOUNDED : mapping.MaximumRetryAttempts;

  const wanted = (record: StreamRecord): boolean =>
    mapping.patterns.length === 0 || mapping.patterns.some((pattern) => matchesPattern(pattern, record));

  const giveUp = async (records: readonly StreamRecord[], outcome: Outcome): Promise<void> => {
    const destination = mapping.DestinationConfig?.OnFailure.Destination;
    if (destination === undefined) return;
    const body = {
      requestContext: { functionArn: mapping.functionName, condition: "RetryAttemptsExhausted", approximateInvokeCount: retries + 1 },
      responseContext: { functionError: outcome.ok ? null : outcome.error.name },
      version: "1.0",
      DDBStreamBatchInfo: {
        streamArn: reader.streamArn,
        shardId: reader.shardId,
        batchSize: records.length,
        startSequenceNumber: sequenceOf(records[0]),
        endSequenceNumber: sequenceOf(records.at(-1)),
      },
    };
    await messages.send(destination.split(":").at(-1) ?? destination, { MessageBody: JSON.stringify(body) });
  };

  const deliver = async (records: readonly StreamRecord[], retriesLeft: number): Promise<void> => {
    const outcome = await lambda.invoke(mapping.functionName, { Records: records });
    const failed = firstFailure(records, outcome, reports);
    if (failed === null) return;
    const rest = records.slice(failed);
    if (failed > 0) return deliver(rest, retries);
    if (mapping.BisectBatchOnFunctionError && rest.length > 1) {
      const middle = Math.ceil(rest.length / 2);
      await deliver(rest.slice(0, middle), retriesLeft);
      return deliver(rest.slice(middle), retriesLeft);
    }
    if (retriesLeft === 0) return giveUp(rest, outcome);
    if (realTime) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return deliver(rest, retriesLeft - 1);
  };

  /** @param arrivedAt when the stream got the last of them, as far as somebody looked. */
  const hand = async (records: readonly StreamRecord[], arrivedAt: number): Promise<void> => {
    const passed = records.filter(wanted);
    for (let start = 0; start < passed.length; start += batchSize) {
      meter.add(ofFunction(mapping.functionName, "IteratorAge"), now() - arrivedAt);
      await deliver(passed.slice(start, start + batchSize), retries);
    }
  };

  /** Read and not yet handed over, with the instant of the first look that saw them. */
  const backlog: { readonly records: readonly StreamRecord[]; readonly at: number }[] = [];

  /** Invocations before the last look: only functions write to a table with a stream. */
  let seen = -1;
  const invocations = (): number => Object.values(lambda.counters).reduce((sum, each) => sum + each.invocations, 0);

  return {
    wave: async () => {
      if (invocations() !== seen) {
        seen = invocations();
        const records = await reader.readToEnd();
        if (records.length > 0) backlog.push({ records: inKeyOrder(records), at: now() });
      }
      if (!enabled()) return false;
      const waiting = backlog.splice(0);
      for (const { records, at } of waiting) await hand(records, at);
      return waiting.length > 0;
    },
    follow: async (stopped) => {
      while (!stopped()) {
        const records = await reader.readToEnd();
        if (records.length > 0) await hand(records, now());
        else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
  };
};
