import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { type Desk, openDesk } from "../adapters/decide-account.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { markPage } from "../adapters/mark-page.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { type ShardGroup, type SweepMessage, shardGroup } from "../adapters/wire/sweep.ts";
import type { World } from "../adapters/world.ts";
import { LIMITS } from "../core/limits.ts";
import type { MarketSnapshot } from "../core/mark.ts";

/** Time that the last page of an invocation needs; with less left, the rest goes into a new message. */
const PAGE_BUDGET_MS = 20_000;

/** The snapshot of the message, or the newest marks where its sweep timed out or another one followed. */
const snapshotFor = async ({ world, marks }: Desk, snapshotId: string): Promise<MarketSnapshot> => {
  const [state, taken] = await Promise.all([marks.sweepState(), marks.snapshot(snapshotId)]);
  const runs = state.snapshotId === snapshotId && world.clock.now() - state.startedAt < world.settings.sweepTimeoutMs;
  return (runs ? taken : null) ?? marks.newest();
};

/** Marks shards from the group's cursor on. @returns where to go on when the time is used up; null at the end. */
const markShards = async (desk: Desk, group: ShardGroup, remainingMs: () => number): Promise<ShardGroup["cursor"]> => {
  const snapshot = await snapshotFor(desk, group.snapshotId);
  const from = group.cursor;
  for (const shard of from === null ? group.shards : group.shards.slice(group.shards.indexOf(from.shard))) {
    let key = shard === from?.shard ? from.key : undefined;
    do {
      // An empty key is the beginning of a shard: keys of accounts are never empty.
      if (remainingMs() < PAGE_BUDGET_MS) return { shard, key: key ?? "" };
      const page = await desk.book.pageOfShard(shard, key === "" ? undefined : key);
      await markPage(desk, page.accounts, snapshot);
      key = page.cursor;
    } while (key !== undefined);
  }
  return null;
};

/** 3. Marks every account of a group of shards to market and decides it; reports the group done after its last page. */
export const markAccounts = (world: World) => {
  const desk = openDesk(world);
  const { shardsQueueUrl, sweepQueueUrl } = world.settings;
  return (event: SQSEvent, context: Pick<Context, "getRemainingTimeInMillis">): Promise<SQSBatchResponse> =>
    independent(event.Records, world.log, async (record) => {
      const group = parseMessage(shardGroup, record.body);
      if (group.hops > LIMITS.hopsMax) throw new Error("a group of shards went round too often");
      const cursor = await markShards(desk, group, () => context.getRemainingTimeInMillis());
      if (cursor !== null) {
        await world.queues.send(shardsQueueUrl, [{ body: JSON.stringify({ ...group, cursor, hops: group.hops + 1 }) }]);
        return;
      }
      const { current, wanted } = await desk.marks.groupDone(group.snapshotId, group.group);
      if (current) world.log.count("sweep_current");
      const done: SweepMessage = { schemaVersion: 1, reason: "done" };
      if (current && wanted) await world.queues.send(sweepQueueUrl, [{ body: JSON.stringify(done) }]);
    });
};

const DECIDES = ["bookTable", "journalTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"] as const;
const world = createWorld([...DECIDES, "shardsQueueUrl", "sweepQueueUrl", "sweepTimeoutMs", "shardsPerGroup"]);

export const handler = lambdaHandler(world, markAccounts(world));
