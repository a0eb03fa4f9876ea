import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { createMarks } from "../adapters/dynamodb/marks.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { type ShardGroup, sweepMessage } from "../adapters/wire/sweep.ts";
import type { World } from "../adapters/world.ts";

/** The shards of each group of a sweep, in order. */
const groupsOf = (shards: number, perGroup: number): number[][] =>
  Array.from({ length: Math.ceil(shards / perGroup) }, (_, group) =>
    Array.from({ length: Math.min(perGroup, shards - group * perGroup) }, (_, index) => group * perGroup + index),
  );

/**
 * 2. Starts a sweep: one immutable snapshot of the newest marks, one message per group of shards.
 *
 * The state of the sweep decides, not the message: one sweep at a time, not more often than
 * `sweepIntervalMinMs`, and a sweep that did not end within `sweepTimeoutMs` stands in nobody's way. A
 * schedule only sees to it that none is missing: where one runs or began just now, it asks for nothing. A
 * message of a mark or of the last sweep's end has nothing left to ask for when another began a sweep
 * since; one that comes again goes on with the sweep that it claimed itself.
 * One message after another: the second finds the sweep that the first one started.
 */
export const startSweep = (world: World) => {
  const marks = createMarks(world);
  const { shards, shardsPerGroup, shardsQueueUrl, sweepQueueUrl } = world.settings;

  const sweep = async (record: SQSRecord): Promise<void> => {
    const message = parseMessage(sweepMessage, record.body);
    const state = await marks.sweepState();
    if (message.reason !== "schedule" && !state.wanted && state.token !== record.messageId) return;
    const groups = groupsOf(shards, shardsPerGroup);
    const start = await marks.startSweep(world.clock.now(), groups.length, record.messageId, state);
    world.log.count(`sweep_${start.outcome}`);
    if (start.outcome === "tooSoon" && message.reason !== "schedule") {
      await world.queues.send(sweepQueueUrl, [{ body: record.body, delayS: Math.ceil(start.waitMs / 1_000) }]);
    }
    if (start.outcome !== "started") return;
    const { snapshotId } = start.snapshot;
    const bodies = groups.map((of, group): ShardGroup => ({ schemaVersion: 1, snapshotId, group, shards: of, cursor: null, hops: 0 }));
    await world.queues.send(
      shardsQueueUrl,
      bodies.map((body) => ({ body: JSON.stringify(body) })),
    );
  };

  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failures: SQSBatchResponse["batchItemFailures"] = [];
    for (const record of event.Records) failures.push(...(await independent([record], world.log, sweep)).batchItemFailures);
    return { batchItemFailures: failures };
  };
};

const world = createWorld([
  "marksTable",
  "shards",
  "shardsPerGroup",
  "shardsQueueUrl",
  "sweepIntervalMinMs",
  "sweepTimeoutMs",
  "sweepQueueUrl",
]);

export const handler = lambdaHandler(world, startSweep(world));
