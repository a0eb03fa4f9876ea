import { Duration, type Stack } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";

import type { EventType } from "../core/event.ts";
import { WorkerQueue } from "./constructs/worker-queue.ts";
import type { SettingName } from "./settings.ts";
import type { FunctionName, Stage } from "./stage.ts";

/** What differs from function to function. Timeouts leave room for the time budget of a write (LIMITS.writeBudgetMs). */
export interface FunctionTerms {
  readonly description: string;
  readonly timeoutS: number;
  readonly memoryMb: number;
  readonly feedsItself?: boolean;
  readonly settings: readonly SettingName[];
}

/** A full virtual processor: the sweep is bound by it. */
const ONE_CPU_MB = 1_769;
const SMALL_MB = 512;

const DECIDING = ["BOOK_TABLE", "JOURNAL_TABLE", "MARKS_TABLE", "SHARDS", "ROW_SCHEMA", "MODES", "DEFAULT_POLICY"] as const;

export const FUNCTIONS: Readonly<Record<FunctionName, FunctionTerms>> = {
  "accept-marks": {
    description: "1. Judges prices and keeps the newest mark of each instrument",
    // Six times this is less than the queue keeps a price: one that failed is tried again while it is worth it.
    timeoutS: 15,
    memoryMb: SMALL_MB,
    settings: [
      "MARKS_TABLE",
      "SWEEP_QUEUE_URL",
      "SWEEP_STEP_PPM",
      "BOOK_TABLE",
      "SHARDS",
      "MODES",
      "DEFAULT_POLICY",
      "BREACH_SHARE_MAX_PPM",
      "COMPOSITE_SOURCES",
    ],
  },
  "start-sweep": {
    description: "2. Takes a market snapshot and sends one message per group of shards",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    // The end of a sweep starts the next one: through mark-accounts the function feeds itself.
    feedsItself: true,
    settings: [
      "MARKS_TABLE",
      "SHARDS",
      "SHARDS_PER_GROUP",
      "SHARDS_QUEUE_URL",
      "SWEEP_INTERVAL_MIN_MS",
      "SWEEP_TIMEOUT_MS",
      "SWEEP_QUEUE_URL",
    ],
  },
  "mark-accounts": {
    description: "3. Marks the accounts of a group of shards and decides each",
    timeoutS: 60,
    memoryMb: ONE_CPU_MB,
    feedsItself: true,
    settings: [...DECIDING, "SHARDS_QUEUE_URL", "SWEEP_QUEUE_URL", "SWEEP_TIMEOUT_MS", "SHARDS_PER_GROUP"],
  },
  "publish-events": {
    description: "4. Publishes committed envelopes of the journal as events",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    settings: ["EVENTS_TOPIC_ARN"],
  },
  "send-email": {
    description: "5a. Sends notices by email",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    settings: ["OUTBOUND_TABLE", "TIMER_QUEUE_URL", "MAIL_FROM", "MAIL_CONFIGURATION_SET", "APP_URL"],
  },
  "deliver-webhook": {
    description: "5b. Delivers signed webhooks",
    timeoutS: 60,
    memoryMb: SMALL_MB,
    feedsItself: true,
    settings: ["OUTBOUND_TABLE", "DATA_KEY_ARN", "TIMER_QUEUE_URL", "WEBHOOK_QUEUE_URL", "WEBHOOK_LOOPBACK", "APP_URL"],
  },
  "arm-deadline": {
    description: "5c. Arms the timer of a call's deadline",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    settings: [
      "BOOK_TABLE",
      "JOURNAL_TABLE",
      "SHARDS",
      "ROW_SCHEMA",
      "DEFAULT_POLICY",
      "MODES",
      "EXPIRY_QUEUE_ARN",
      "SCHEDULE_GROUP",
      "SCHEDULER_ROLE_ARN",
    ],
  },
  "expire-call": {
    description: "6. Judges a call again at its deadline",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    settings: DECIDING,
  },
  "sweep-overdue": {
    description: "7. Finds what is overdue each minute, without a queue in between",
    // Below its period: two of them never run beside each other for long.
    timeoutS: 55,
    memoryMb: ONE_CPU_MB,
    settings: [...DECIDING, "VENUE_QUEUE_URL", "BREACH_SHARE_MAX_PPM"],
  },
  "dispatch-orders": {
    description: "8. Sends liquidation orders to the venue's queue",
    timeoutS: 30,
    memoryMb: SMALL_MB,
    settings: [...DECIDING, "VENUE_QUEUE_URL"],
  },
  "apply-book-feed": {
    description: "9. Applies facts of the venue, each once",
    // What a crash leaves behind comes again after six times this: before the shortest notice and grace are over
    // (60 s each, R12 and R13), or a deadline would pass over a deposit that was paid.
    timeoutS: 15,
    memoryMb: SMALL_MB,
    settings: DECIDING,
  },
  operate: {
    description: "10. The HTTP API of operators, brokers and holders",
    // The API gives up after 30 s.
    timeoutS: 25,
    memoryMb: ONE_CPU_MB,
    settings: [
      ...DECIDING,
      "OUTBOUND_TABLE",
      "MARKS_QUEUE_URL",
      "FEED_QUEUE_URL",
      "DATA_KEY_ARN",
      "PRINCIPALS",
      "WEBHOOK_LOOPBACK",
      "BREACH_SHARE_MAX_PPM",
    ],
  },
};

/** Executions that a queue's mapping runs at most, where the stage reserves none for its function. */
export const CONCURRENCY_MAX: Partial<Record<FunctionName, number>> = {
  "accept-marks": 10,
  // Two: one sweep at a time is the rule, and the state of the sweep in its table keeps it.
  "start-sweep": 2,
  "mark-accounts": 100,
  "send-email": 50,
  "deliver-webhook": 100,
  "arm-deadline": 20,
  "expire-call": 50,
  "dispatch-orders": 50,
  "apply-book-feed": 50,
};

/** Events that the holder of an account is told of by email. */
export const EMAIL_TYPES = [
  "margin_call.issued",
  "margin_call.updated",
  "margin_call.deadline_changed",
  "margin_call.extended",
  "margin_call.partially_met",
  "margin_call.met",
  "margin_call.cancelled",
  "margin_call.expired",
  "liquidation.started",
  "liquidation.completed",
  "liquidation.failed",
] as const satisfies readonly EventType[];

/** Events that give a call a deadline or another one. */
export const TIMER_TYPES = [
  "margin_call.issued",
  "margin_call.updated",
  "margin_call.deadline_changed",
  "margin_call.extended",
] as const satisfies readonly EventType[];

/** The event that leaves orders to be sent. */
export const ORDER_TYPES = ["liquidation.started"] as const satisfies readonly EventType[];

/** A price older than this is no price: the next one has long come. */
const MARKS_KEPT_MIN = 5;

/** The longest delay of a message that SQS offers: a late retry waits in several hops. */
const SQS_DELAY_MAX_S = 900;

/** Time that the venue's gateway has for an order before it appears again. */
const VENUE_TIMEOUT_S = 10;

export type QueueName = "marks" | "sweep" | "shards" | "email" | "webhook" | "timer" | "expiry" | "orders" | "venue" | "feed";

/** Every queue of the flow, in its order. */
export const workerQueues = (stack: Stack, stage: Stage, key: IKey): Readonly<Record<QueueName, WorkerQueue>> => {
  const queue = (name: string, consumer: FunctionName, terms: { retention?: Duration; delayMaxS?: number } = {}) =>
    new WorkerQueue(stack, { stage, name, key, consumerTimeoutS: FUNCTIONS[consumer].timeoutS, ...terms });
  return {
    marks: queue("marks", "accept-marks", { retention: Duration.minutes(MARKS_KEPT_MIN) }),
    sweep: queue("sweep", "start-sweep"),
    shards: queue("shards", "mark-accounts"),
    email: queue("email", "send-email"),
    webhook: queue("webhook", "deliver-webhook", { delayMaxS: SQS_DELAY_MAX_S }),
    timer: queue("timer", "arm-deadline"),
    expiry: queue("expiry", "expire-call"),
    orders: queue("orders", "dispatch-orders"),
    venue: new WorkerQueue(stack, { stage, name: "venue.fifo", key, consumerTimeoutS: VENUE_TIMEOUT_S }),
    feed: queue("feed.fifo", "apply-book-feed"),
  };
};
