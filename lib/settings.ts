import type { IRole } from "aws-cdk-lib/aws-iam";
import type { ITopic } from "aws-cdk-lib/aws-sns";

import type { WorkerQueue } from "./constructs/worker-queue.ts";
import type { DataStack } from "./data-stack.ts";
import type { Stage } from "./stage.ts";

export interface Places {
  readonly stage: Stage;
  readonly data: DataStack;
  readonly topic: ITopic;
  readonly queues: Readonly<Record<"marks" | "sweep" | "shards" | "timer" | "webhook" | "venue" | "feed" | "expiry", WorkerQueue>>;
  readonly scheduleGroup: string;
  readonly schedulerRole: IRole;
  readonly mailConfigurationSet: string;
}

/** Every variable that a function may find in its environment. Each function is given only those that it names. */
export const settingsOf = ({ stage, data, topic, queues, ...names }: Places) => ({
  BOOK_TABLE: data.tables.book.tableName,
  MARKS_TABLE: data.tables.marks.tableName,
  JOURNAL_TABLE: data.tables.journal.tableName,
  OUTBOUND_TABLE: data.tables.outbound.tableName,
  SHARDS: String(stage.shards),
  SHARDS_PER_GROUP: String(stage.shardsPerGroup),
  ROW_SCHEMA: String(stage.rowSchema),
  MODES: JSON.stringify(stage.modes),
  DEFAULT_POLICY: stage.defaultPolicy,
  EVENTS_TOPIC_ARN: topic.topicArn,
  MARKS_QUEUE_URL: queues.marks.queue.queueUrl,
  SWEEP_QUEUE_URL: queues.sweep.queue.queueUrl,
  SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
  TIMER_QUEUE_URL: queues.timer.queue.queueUrl,
  WEBHOOK_QUEUE_URL: queues.webhook.queue.queueUrl,
  VENUE_QUEUE_URL: queues.venue.queue.queueUrl,
  FEED_QUEUE_URL: queues.feed.queue.queueUrl,
  EXPIRY_QUEUE_ARN: queues.expiry.queue.queueArn,
  SCHEDULE_GROUP: names.scheduleGroup,
  SCHEDULER_ROLE_ARN: names.schedulerRole.roleArn,
  SWEEP_INTERVAL_MIN_MS: String(stage.sweepIntervalMinMs),
  SWEEP_TIMEOUT_MS: String(stage.sweepTimeoutMs),
  SWEEP_STEP_PPM: String(stage.sweepStepPpm),
  BREACH_SHARE_MAX_PPM: String(stage.breachShareMaxPpm),
  COMPOSITE_SOURCES: JSON.stringify(stage.compositeSources),
  MAIL_FROM: stage.mailFrom,
  MAIL_CONFIGURATION_SET: names.mailConfigurationSet,
  APP_URL: stage.appUrl,
  DATA_KEY_ARN: data.dataKey.keyArn,
  PRINCIPALS: JSON.stringify(stage.principals),
  WEBHOOK_LOOPBACK: stage.webhookLoopback,
});

export type SettingName = keyof ReturnType<typeof settingsOf>;
