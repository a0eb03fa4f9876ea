import { CfnOutput } from "aws-cdk-lib";
import type { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import { CfnEventInvokeConfig, CfnEventSourceMapping, type Code } from "aws-cdk-lib/aws-lambda";
import type { ScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { ConfigurationSet, ConfigurationSetTlsPolicy } from "aws-cdk-lib/aws-ses";
import type { Topic } from "aws-cdk-lib/aws-sns";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

import type { TableName } from "../adapters/dynamodb/schema.ts";
import { acknowledgeWildcards } from "./constructs/acknowledge.ts";
import { callerPolicies } from "./constructs/callers.ts";
import { StaticEgress } from "./constructs/egress.ts";
import { httpApi } from "./constructs/http-api.ts";
import { encryptedTopic, messagingKey, subscribe } from "./constructs/messaging.ts";
import { NamedStack, pascal } from "./constructs/named-stack.ts";
import { PipelineFunction } from "./constructs/pipeline-function.ts";
import { everyMinute, scheduleGroup, schedulerRole } from "./constructs/schedules.ts";
import { parkingQueue, type WorkerQueue } from "./constructs/worker-queue.ts";
import type { DataStack } from "./data-stack.ts";
import { CONCURRENCY_MAX, EMAIL_TYPES, FUNCTIONS, ORDER_TYPES, type QueueName, TIMER_TYPES, workerQueues } from "./flow.ts";
import { onTables, sendsTo, type TableUse } from "./permissions.ts";
import { type SettingName, settingsOf } from "./settings.ts";
import { type FunctionName, nameOf, type Stage } from "./stage.ts";

export interface PipelineProps {
  readonly stage: Stage;
  readonly data: DataStack;
  /** The bundle of a function. */
  readonly code: (name: FunctionName) => Code;
}

/** Retries of the relay: enough for a fault of SNS of some minutes; one bad record is split off and parked. */
const RELAY_RETRIES_MAX = 20;
const RELAY_BATCH = 100;
/** Envelopes of one account keep their order; ten batches of a stream's shard run at a time. */
const RELAY_PARALLEL = 10;

/** The flow, declared in flow order: a price comes in at the top, an order goes out at the bottom. Nothing here is kept. */
export class PipelineStack extends NamedStack {
  readonly functions: Readonly<Record<FunctionName, PipelineFunction>>;
  readonly queues: Readonly<Record<QueueName, WorkerQueue>>;
  readonly messagingKey: Key;
  readonly topic: Topic;
  readonly api: HttpApi;

  private readonly stage: Stage;
  private readonly data: DataStack;
  private readonly code: (name: FunctionName) => Code;
  private readonly recurring: ScheduleGroup;
  private readonly deadlines: ScheduleGroup;
  private readonly expiryRole: Role;
  private readonly schedulesDead: Queue;
  private readonly mail: ConfigurationSet;
  private readonly settings: Readonly<Record<SettingName, string>>;

  constructor(scope: Construct, { stage, data, code }: PipelineProps) {
    super(scope, "pipeline", stage, `Plimsoll ${stage.name}: from a price to a liquidation order`);
    this.stage = stage;
    this.data = data;
    this.code = code;

    this.messagingKey = messagingKey(this, stage);
    this.topic = encryptedTopic(this, "Events", nameOf(stage, "events"), this.messagingKey);
    this.queues = workerQueues(this, stage, this.messagingKey);
    this.schedulesDead = parkingQueue(this, "SchedulesDead", { stage, thing: "schedules", key: this.messagingKey });
    this.recurring = scheduleGroup(this, stage, "recurring");
    this.deadlines = scheduleGroup(this, stage, "deadlines");
    const { queue: expiry, dead: expiryDead } = this.queues.expiry;
    this.expiryRole = schedulerRole(this, "ExpiryRole", this.deadlines, sendsTo(this.messagingKey, expiry, expiryDead));
    this.mail = this.mailSettings();
    this.settings = settingsOf({
      stage,
      data,
      topic: this.topic,
      queues: this.queues,
      scheduleGroup: nameOf(stage, "deadlines"),
      schedulerRole: this.expiryRole,
      mailConfigurationSet: nameOf(stage, "notices"),
    });

    this.functions = {
      "accept-marks": this.acceptMarks(),
      "start-sweep": this.startSweep(),
      "mark-accounts": this.markAccounts(),
      "publish-events": this.publishEvents(),
      "send-email": this.sendEmail(),
      "deliver-webhook": this.deliverWebhook(),
      "arm-deadline": this.armDeadline(),
      "expire-call": this.expireCall(),
      "sweep-overdue": this.sweepOverdue(),
      "dispatch-orders": this.dispatchOrders(),
      "apply-book-feed": this.applyBookFeed(),
      operate: this.operate(),
    };
    this.api = httpApi(this, { stage, handler: this.functions.operate, dataKey: data.dataKey });
    const { marks, feed, venue } = this.queues;
    callerPolicies(this, { stage, api: this.api, key: this.messagingKey, marks: marks.queue, feed: feed.queue, venue: venue.queue });
    this.outputs();
  }

  /** 1. A price becomes the newest mark of its instrument, if it is good enough. */
  private acceptMarks(): PipelineFunction {
    const step = this.step("accept-marks", {
      marks: { actions: ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"] },
      // To see whom a price would breach (R17). It writes no account.
      book: { actions: ["GetItem", "Query"] },
    });
    this.sends(step, "sweep");
    return this.consuming(step, "accept-marks", "marks", 10);
  }

  /** 2. Each minute, and when a mark moved: one snapshot for all, one message per group of shards. */
  private startSweep(): PipelineFunction {
    const { queue } = this.queues.sweep;
    everyMinute(this, {
      stage: this.stage,
      thing: "sweep",
      description: "Starts a sweep each minute, whether or not a mark moved",
      group: this.recurring,
      targetArn: queue.queueArn,
      input: { schemaVersion: 1, reason: "schedule" },
      allows: sendsTo(this.messagingKey, queue),
      dead: this.schedulesDead,
      key: this.messagingKey,
    });
    const step = this.step("start-sweep", {
      marks: { actions: ["GetItem", "Query", "PutItem", "UpdateItem"] },
    });
    this.sends(step, "shards", "sweep");
    return this.consuming(step, "start-sweep", "sweep", 10);
  }

  /** 3. Every account of a group of shards is decided on the sweep's snapshot. Feeds itself: a long group continues in a new message. */
  private markAccounts(): PipelineFunction {
    const step = this.step("mark-accounts", { ...COMMITS, marks: { actions: ["GetItem", "Query", "UpdateItem"] } });
    this.sends(step, "shards", "sweep");
    return this.consuming(step, "mark-accounts", "shards", 1);
  }

  /** 4. What was committed is told: the journal's stream, to the topic, to whom it concerns. */
  private publishEvents(): PipelineFunction {
    const { journal } = this.data.tables;
    const step = this.step("publish-events", {});
    const dead = parkingQueue(this, "PublishEventsDead", { stage: this.stage, thing: "publish-events", key: this.messagingKey });
    const stream = journal.tableStreamArn ?? "";
    step.allow(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], stream);
    step.allow(["dynamodb:ListStreams"], "*");
    acknowledgeWildcards(step, ["*"], {
      reason: "dynamodb:ListStreams has no resource: it names the account's streams, and Lambda refuses the mapping without it.",
      until: "2027-11-01",
    });
    step.allow(["sns:Publish"], this.topic.topicArn);
    step.allow(["sqs:SendMessage"], dead.queueArn);
    step.allowMessagingKey();
    new CfnEventSourceMapping(step, "Mapping", {
      functionName: step.function.functionName,
      eventSourceArn: stream,
      startingPosition: "TRIM_HORIZON",
      batchSize: RELAY_BATCH,
      parallelizationFactor: RELAY_PARALLEL,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: RELAY_RETRIES_MAX,
      functionResponseTypes: ["ReportBatchItemFailures"],
      destinationConfig: { onFailure: { destination: dead.queueArn } },
      filterCriteria: {
        filters: [{ pattern: JSON.stringify({ eventName: ["INSERT"], dynamodb: { NewImage: { publish: { BOOL: [true] } } } }) }],
      },
    });
    return step;
  }

  /** 5a. The holder reads it. */
  private sendEmail(): PipelineFunction {
    this.subscribed("email", EMAIL_TYPES);
    const step = this.step("send-email", { outbound: { actions: ["GetItem", "PutItem", "UpdateItem"] } });
    this.sends(step, "timer");
    const identities = [this.stage.mailFrom, this.stage.mailFrom.slice(this.stage.mailFrom.indexOf("@") + 1)].map((identity) =>
      this.formatArn({ service: "ses", resource: "identity", resourceName: identity }),
    );
    const settings = this.formatArn({ service: "ses", resource: "configuration-set", resourceName: this.mail.configurationSetName });
    step.allow(["ses:SendEmail"], ...identities, settings);
    return this.consuming(step, "send-email", "email", 10);
  }

  /** 5b. The holder's and the broker's systems read it. Feeds itself: a later attempt is a new message. */
  private deliverWebhook(): PipelineFunction {
    this.subscribed("webhook");
    const step = this.step("deliver-webhook", { outbound: { actions: ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"] } });
    this.sends(step, "timer", "webhook");
    step.allowSecrets("kms:Decrypt");
    if (this.stage.webhookEgress === "static") new StaticEgress(this, { stage: this.stage, dataKey: this.data.dataKey }).admit(step);
    return this.consuming(step, "deliver-webhook", "webhook", 10);
  }

  /** 5c. The deadline gets its timer; the first accepted notice may move it later, once (R12). */
  private armDeadline(): PipelineFunction {
    this.subscribed("timer", TIMER_TYPES);
    const step = this.step("arm-deadline", COMMITS);
    const schedules = this.formatArn({ service: "scheduler", resource: "schedule", resourceName: `${nameOf(this.stage, "deadlines")}/*` });
    step.allow(["scheduler:CreateSchedule", "scheduler:UpdateSchedule"], schedules);
    acknowledgeWildcards(step, [schedules], {
      reason: "A schedule is named after its call, so the role is for the group of the deadlines and for nothing else.",
      until: "2027-11-01",
    });
    step.allowPassing(this.expiryRole, "scheduler.amazonaws.com");
    return this.consuming(step, "arm-deadline", "timer", 10);
  }

  /** 6. At its deadline a call is judged again, on fresh marks. */
  private expireCall(): PipelineFunction {
    return this.consuming(this.step("expire-call", DECIDES), "expire-call", "expiry", 10);
  }

  /** 7. The guarantee behind 6 and 8: each minute, what is overdue, without a queue in between (L12). */
  private sweepOverdue(): PipelineFunction {
    const step = this.step("sweep-overdue", {
      ...DECIDES,
      book: { actions: [...DECIDES.book.actions, "BatchGetItem"], indexes: ["deadlines", "orders"] },
      // A change of an instrument's terms becomes a version at its instant (S19).
      marks: { actions: ["Query", "GetItem", "PutItem"] },
    });
    this.sends(step, "venue");
    const dead = parkingQueue(this, "SweepOverdueDead", { stage: this.stage, thing: "sweep-overdue", key: this.messagingKey });
    step.allow(["sqs:SendMessage"], dead.queueArn);
    new CfnEventInvokeConfig(step, "Async", {
      functionName: step.function.functionName,
      qualifier: "$LATEST",
      // The next minute sweeps again: a second try of this one would only run beside it.
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
      destinationConfig: { onFailure: { destination: dead.queueArn } },
    });
    everyMinute(this, {
      stage: this.stage,
      thing: "sweep-overdue",
      description: "Finds calls and orders that are overdue, each minute",
      group: this.recurring,
      targetArn: step.function.functionArn,
      input: { schemaVersion: 1, reason: "schedule" },
      allows: [new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [step.function.functionArn] })],
      dead: this.schedulesDead,
      key: this.messagingKey,
    });
    return step;
  }

  /** 8. Orders leave for the venue, if their call and their prices still allow it. */
  private dispatchOrders(): PipelineFunction {
    this.subscribed("orders", ORDER_TYPES);
    const step = this.step("dispatch-orders", DECIDES);
    this.sends(step, "venue");
    return this.consuming(step, "dispatch-orders", "orders", 10);
  }

  /** 9. What happened at the venue comes back: fills, deposits, withdrawals, snapshots. */
  private applyBookFeed(): PipelineFunction {
    const step = this.step("apply-book-feed", { ...DECIDES, book: { actions: [...DECIDES.book.actions, "BatchGetItem"] } });
    return this.consuming(step, "apply-book-feed", "feed", 10);
  }

  /** 10. Operators, brokers and holders ask, acknowledge and configure. */
  private operate(): PipelineFunction {
    const step = this.step("operate", {
      book: { actions: [...COMMITS.book.actions], indexes: ["deadlines"] },
      marks: { actions: ["GetItem", "Query", "PutItem"] },
      journal: { actions: [...COMMITS.journal.actions, "Query"] },
      outbound: { actions: ["GetItem", "PutItem", "UpdateItem"] },
    });
    this.sends(step, "marks", "feed");
    step.allowSecrets("kms:Encrypt");
    return step;
  }

  private step(name: FunctionName, uses: Partial<Record<TableName, TableUse>>): PipelineFunction {
    const { settings, ...terms } = FUNCTIONS[name];
    return new PipelineFunction(this, {
      ...terms,
      stage: this.stage,
      name,
      code: this.code(name),
      environment: Object.fromEntries(settings.map((setting) => [setting, this.settings[setting]])),
      statements: onTables(this.data, uses),
      dataKey: this.data.dataKey,
      messagingKey: this.messagingKey,
    });
  }

  private sends(step: PipelineFunction, ...to: readonly QueueName[]): void {
    step.allow(["sqs:SendMessage"], ...to.map((name) => this.queues[name].queue.queueArn));
    step.allowMessagingKey();
  }

  private consuming(step: PipelineFunction, name: FunctionName, from: QueueName, batchSize: number): PipelineFunction {
    const most = step.reserved ?? CONCURRENCY_MAX[name] ?? 2;
    this.queues[from].consumedBy(step, { batchSize, maximumConcurrency: Math.min(most, MAPPING_CONCURRENCY_MAX) });
    return step;
  }

  private subscribed(name: QueueName, types?: Parameters<typeof subscribe>[1]["types"]): void {
    subscribe(this, {
      stage: this.stage,
      topic: this.topic,
      to: this.queues[name],
      key: this.messagingKey,
      ...(types === undefined ? {} : { types }),
    });
  }

  /** Notices go out over TLS or not at all, and SES drops none in silence because an address once bounced (N13). */
  private mailSettings(): ConfigurationSet {
    return new ConfigurationSet(this, "Notices", {
      configurationSetName: nameOf(this.stage, "notices"),
      tlsPolicy: ConfigurationSetTlsPolicy.REQUIRE,
      reputationMetrics: true,
      disableSuppressionList: true,
    });
  }

  private outputs(): void {
    new CfnOutput(this, "ApiUrl", { value: this.api.apiEndpoint });
    new CfnOutput(this, "EventsTopicArn", { value: this.topic.topicArn });
    for (const [name, { queue }] of Object.entries(this.queues)) new CfnOutput(this, `${pascal(name)}QueueUrl`, { value: queue.queueUrl });
  }
}

/** The most that a mapping of a queue can be given. */
const MAPPING_CONCURRENCY_MAX = 1_000;

/** What a commit does: every row is put under a condition, and after a lost race the journal says whose row it is. */
const COMMITS = {
  book: { actions: ["GetItem", "Query", "PutItem"] },
  journal: { actions: ["GetItem", "PutItem"] },
} as const satisfies Partial<Record<TableName, TableUse>>;

/** What a function does with the tables that re-reads an account, decides it on fresh marks and commits. */
const DECIDES = { ...COMMITS, marks: { actions: ["Query"] } } as const satisfies Partial<Record<TableName, TableUse>>;
