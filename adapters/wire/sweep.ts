import * as z from "zod";

import { count, schemaVersion } from "./scalars.ts";

/** What wakes start-sweep: the clock, a mark that moved past the step, or the end of a sweep with another one wanted. */
export const sweepMessage = z.object({ schemaVersion, reason: z.enum(["schedule", "mark", "done"]) });
export type SweepMessage = z.output<typeof sweepMessage>;

/** One group of account shards to mark on one snapshot; `cursor` says where the last worker stopped. */
export const shardGroup = z.object({
  schemaVersion,
  snapshotId: z.string().min(1).max(80),
  group: count,
  shards: z.array(count).min(1).max(4096),
  cursor: z.object({ shard: count, key: z.string().max(200) }).nullable(),
  /** Times that this group went back into its queue; bounded by LIMITS.hopsMax. */
  hops: count,
});
export type ShardGroup = z.output<typeof shardGroup>;
