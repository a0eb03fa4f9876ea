import type {
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  GetItemCommandInput,
  GetItemCommandOutput,
  PutItemCommandInput,
  PutItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  TransactWriteItemsCommandInput,
  TransactWriteItemsCommandOutput,
  UpdateItemCommandInput,
  UpdateItemCommandOutput,
} from "@aws-sdk/client-dynamodb";

import type { Modes } from "../core/mode.ts";
import type { RowSchema } from "./dynamodb/items.ts";
import type { LogFields } from "./lambda/log-fields.ts";

/** DynamoDB with the plain client's own inputs, outputs and errors. The only port with two implementations. */
export interface Db {
  get(input: GetItemCommandInput): Promise<GetItemCommandOutput>;
  batchGet(input: BatchGetItemCommandInput): Promise<BatchGetItemCommandOutput>;
  query(input: QueryCommandInput): Promise<QueryCommandOutput>;
  put(input: PutItemCommandInput): Promise<PutItemCommandOutput>;
  update(input: UpdateItemCommandInput): Promise<UpdateItemCommandOutput>;
  transactWrite(input: TransactWriteItemsCommandInput): Promise<TransactWriteItemsCommandOutput>;
}

/** A message for the topic: attributes are strings and are what subscriptions filter on. */
export interface BusMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** SNS. */
export interface Bus {
  /** Publishes up to any number of messages in batches of ten. @throws when any entry was not accepted, naming it. */
  publish(topicArn: string, messages: readonly BusMessage[]): Promise<void>;
}

/** A message for a queue. `groupId` and `dedupId` are for FIFO queues. */
export interface QueueMessage {
  readonly body: string;
  readonly delayS?: number;
  readonly groupId?: string;
  readonly dedupId?: string;
}

/** SQS. */
export interface Queues {
  /** Sends any number of messages in batches of ten. @throws when any entry was not accepted. */
  send(queueUrl: string, messages: readonly QueueMessage[]): Promise<void>;
}

/** EventBridge Scheduler, one-off schedules that delete themselves. */
export interface Timers {
  /** Creates or moves the timer `name` to `at` (rounded up to the second). Idempotent. */
  arm(timer: { readonly name: string; readonly at: number; readonly body: string }): Promise<void>;
}

export interface Email {
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** SES v2. */
export interface Mailer {
  /** @returns the service's message id. @throws MailRefused for a permanent refusal; other errors may be retried. */
  send(email: Email): Promise<string>;
}

export interface HttpReply {
  readonly status: number;
  /** At most 1 kB, never logged raw. */
  readonly body: string;
  readonly retryAfterS: number | null;
}

/** Requests to addresses that a consumer chose: https, no redirects, public addresses only (N3). */
export interface Http {
  post(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly timeoutMs: number;
  }): Promise<HttpReply>;
}

/** KMS under the data key; the context binds a secret to what it belongs to. */
export interface Kms {
  encrypt(plaintext: string, context: Readonly<Record<string, string>>): Promise<string>;
  decrypt(ciphertext: string, context: Readonly<Record<string, string>>): Promise<string>;
}

export interface Clock {
  /** UTC epoch milliseconds. */
  now(): number;
}

/** Structured logs and metrics. Fields are those of the list, ids, counts and reasons; never personal data or secrets (C9). */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Adds to a count metric of the namespace Plimsoll. */
  count(metric: string, value?: number): void;
}

/** The one bundle of ports that a function gets. */
export interface World {
  readonly db: Db;
  readonly bus: Bus;
  readonly queues: Queues;
  readonly timers: Timers;
  readonly mailer: Mailer;
  readonly http: Http;
  readonly kms: Kms;
  readonly clock: Clock;
  readonly log: Log;
  /** The function's configuration from its environment, parsed once at the cold start. */
  readonly settings: Settings;
}

/**
 * Where things are and what this stage allows, from the environment (adapters/settings.ts). Each
 * function names the settings it needs; one that is missing or malformed fails at load, by the
 * variable's name. Reading a setting that was not named throws.
 */
export interface Settings {
  readonly bookTable: string;
  readonly marksTable: string;
  readonly journalTable: string;
  readonly outboundTable: string;
  /** Number of account shards, fixed when a stage is created. */
  readonly shards: number;
  /** Shards that one message of a sweep covers. */
  readonly shardsPerGroup: number;
  /** Version in which accounts' rows are written; this one and its neighbour are read (S33). */
  readonly rowSchema: RowSchema;
  readonly modes: Modes;
  readonly defaultPolicy: string;
  readonly eventsTopicArn: string;
  readonly marksQueueUrl: string;
  readonly sweepQueueUrl: string;
  readonly shardsQueueUrl: string;
  readonly timerQueueUrl: string;
  readonly webhookQueueUrl: string;
  readonly venueQueueUrl: string;
  readonly feedQueueUrl: string;
  readonly expiryQueueArn: string;
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  readonly sweepIntervalMinMs: number;
  readonly sweepTimeoutMs: number;
  /** Move of a mark that starts a sweep at once, in parts per million. */
  readonly sweepStepPpm: number;
  /** Share of the accounts at risk that a change of terms may breach at once before the breaker holds it (R17), in parts per million. */
  readonly breachShareMaxPpm: number;
  /** Sources of marks that stand for several by themselves: what they say is confirmed (R17). */
  readonly compositeSources: readonly string[];
  readonly mailFrom: string;
  readonly mailConfigurationSet: string;
  /** The exchange's own site: the only place that a notice links to. */
  readonly appUrl: string;
  readonly dataKeyArn: string;
  /** Caller ARN to principal, for `authorize`. */
  readonly principals: Readonly<
    Record<
      string,
      {
        readonly role: "operator" | "auditor" | "marks" | "feed" | "broker" | "holder";
        readonly brokerId?: string;
        readonly accountId?: string;
      }
    >
  >;
  /** "local" lets webhooks go to loopback addresses over http; "never" everywhere else. */
  readonly webhookLoopback: "never" | "local";
}
