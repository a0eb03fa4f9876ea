import { CfnOutput, Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, Dashboard, type IWidget, type Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { CfnQueue, type Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

import { TABLES, type TableName } from "../adapters/dynamodb/schema.ts";
import { LIMITS } from "../core/limits.ts";
import { encryptedTopic } from "./constructs/messaging.ts";
import { NamedStack, pascal } from "./constructs/named-stack.ts";
import {
  apiWidgets,
  functionWidgets,
  parkedWidget,
  queueWidgets,
  streamWidget,
  sweepWidgets,
  tableWidgets,
  titleWidget,
} from "./constructs/widgets.ts";
import { deadName, isDeadLetterName, parkingQueue } from "./constructs/worker-queue.ts";
import type { QueueName } from "./flow.ts";
import { counted, ofApi, ofFunction, ofQueue, ofScheduleGroup, ofTable, ofTopic, SWEEP_CURRENT } from "./metrics.ts";
import type { PipelineStack } from "./pipeline-stack.ts";
import { FUNCTION_NAMES, type FunctionName, nameOf, type Stage } from "./stage.ts";

/** Whom an alarm wakes: `page` now, `ticket` in working hours. */
type Urgency = "page" | "ticket";

/** Who acts on an alarm. docs/operating/watching.md says what each of them answers for. */
type Owner = "risk desk" | "platform" | "integration";

interface AlarmTerms {
  readonly thing: string;
  readonly metric: Metric;
  readonly urgency: Urgency;
  readonly owner: Owner;
  readonly means: string;
  /** Heading of the runbook's entry; the alarm's own name unless it shares one with its kind. */
  readonly entry?: string;
  readonly threshold?: number;
  readonly minutes?: number;
  readonly below?: boolean;
  /** What silence means: for a heartbeat it is the alarm itself. */
  readonly silence?: TreatMissingData;
}

/** Without a full sweep for this long nobody is watched. */
const NO_CURRENT_MIN = LIMITS.unwatchedAfterMs / 60_000;
/** The relay stands between a commit and every notice. */
const RELAY_AGE_MAX_MS = 60_000;
/** An order that the venue's gateway leaves lying is a liquidation that does not happen. */
const VENUE_WAIT_MAX_S = 60;

/** Counts of the code that wake somebody. A test finds each of them in the code. */
const COUNTS: readonly (readonly [metric: string, urgency: Urgency, owner: Owner, means: string])[] = [
  ["undecided_account", "page", "risk desk", "An account was set aside: its own rows or terms do not read, so nobody decides it."],
  [
    "account_out_of_sync",
    "page",
    "integration",
    "Entries of an account are missing: it may be called, but is not liquidated before a snapshot heals it.",
  ],
  [
    "book_differs",
    "page",
    "integration",
    "The venue's statement of an account differs from the book: no order leaves before a snapshot heals it.",
  ],
  [
    "change_held",
    "page",
    "risk desk",
    "The breaker holds a change of terms: more accounts than the stage allows would breach at once (R17).",
  ],
  [
    "pending_change_held",
    "page",
    "risk desk",
    "The instant of a change of terms has come and it is not in force: the breaker holds it, or could not judge it (R17, S18).",
  ],
  [
    "price_let_through",
    "page",
    "risk desk",
    "A price that no second source confirms, and that breaches many accounts, was held for 60 s and decides now (R17).",
  ],
  [
    "notice_unaccepted",
    "page",
    "risk desk",
    "No channel has accepted a notice of a live call within the wait of its policy: its holder knows nothing.",
  ],
  ["overdue_left", "page", "platform", "A minute did not suffice for what is overdue."],
  ["orders_unanswered", "page", "integration", "The venue has not answered liquidation orders within 30 seconds."],
  ["orders_held", "ticket", "integration", "Liquidation orders wait for a fresh price."],
  ["email_refused", "ticket", "risk desk", "SES refused an email for good: the holder was not told by email."],
  ["email_without_contact", "ticket", "risk desk", "An account has no contact: its holder was not told by email."],
  ["webhook_exhausted", "ticket", "integration", "A webhook endpoint did not take an event within all its attempts."],
];

/** Dead-letter queues whose messages do not simply go back to a queue have entries of their own. */
const PARKED: Readonly<Record<string, string>> = {
  "publish-events-dead": "parked-records",
  "schedules-dead": "parked-ticks",
  "sweep-overdue-dead": "parked-ticks",
  "alarms-dead": "parked-alarms",
};

const parkedEntry = (thing: string): string =>
  PARKED[thing] ?? (thing.endsWith("-subscription-dead") ? "parked-deliveries" : "parked-messages");

/** Queues at whose other end is the venue: its core system writes one, its gateway reads the other. */
const OF_THE_VENUE: ReadonlySet<string> = new Set(["venue", "feed", "venue-dead", "feed-dead"]);
const ownerOf = (thing: string): Owner => (OF_THE_VENUE.has(thing) ? "integration" : "platform");

interface Row {
  readonly title: string;
  readonly step?: FunctionName;
  readonly queue?: QueueName;
  /** Where what the row's other hops give up is parked: a subscription, a stream, a schedule. */
  readonly parked?: readonly string[];
}

/** One row per step, in flow order. */
const ROWS: readonly Row[] = [
  { title: "1 accept-marks: prices become marks", step: "accept-marks", queue: "marks" },
  { title: "2 start-sweep: a snapshot for all", step: "start-sweep", queue: "sweep", parked: ["schedules"] },
  { title: "3 mark-accounts: every account is decided", step: "mark-accounts", queue: "shards" },
  { title: "4 publish-events: what was committed is told", step: "publish-events", parked: ["publish-events"] },
  { title: "5a send-email", step: "send-email", queue: "email", parked: ["email-subscription"] },
  { title: "5b deliver-webhook", step: "deliver-webhook", queue: "webhook", parked: ["webhook-subscription"] },
  { title: "5c arm-deadline", step: "arm-deadline", queue: "timer", parked: ["timer-subscription"] },
  { title: "6 expire-call: the deadline", step: "expire-call", queue: "expiry" },
  { title: "7 sweep-overdue: the guarantee", step: "sweep-overdue", parked: ["sweep-overdue"] },
  { title: "8 dispatch-orders: orders leave", step: "dispatch-orders", queue: "orders", parked: ["orders-subscription"] },
  { title: "8 venue: orders wait for the gateway", queue: "venue" },
  { title: "9 apply-book-feed: facts come back", step: "apply-book-feed", queue: "feed" },
  { title: "10 operate: the API", step: "operate" },
];

/** What to look at, and what wakes somebody. */
export class WatchStack extends NamedStack {
  private readonly stage: Stage;
  private readonly pipeline: PipelineStack;
  private readonly topics: Readonly<Record<Urgency, Topic>>;

  constructor(scope: Construct, { stage, pipeline }: { readonly stage: Stage; readonly pipeline: PipelineStack }) {
    super(scope, "watch", stage, `Plimsoll ${stage.name}: dashboard and alarms`);
    this.stage = stage;
    this.pipeline = pipeline;
    this.topics = { page: this.alarmTopic("page"), ticket: this.alarmTopic("ticket") };
    this.reader();
    this.sweepAlarms();
    this.countAlarms();
    this.functionAlarms();
    this.queueAlarms();
    this.serviceAlarms();
    this.deadLetterAlarms();
    this.dashboard();
  }

  private alarmTopic(urgency: Urgency): Topic {
    const topic = encryptedTopic(this, pascal(urgency), nameOf(this.stage, urgency), this.pipeline.messagingKey);
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
    new CfnOutput(this, `${pascal(urgency)}TopicArn`, { value: topic.topicArn });
    return topic;
  }

  /** The stage's alarm address, if it names one, reads both topics. */
  private reader(): void {
    if (this.stage.alarmEmail === undefined) return;
    const dead: Queue = parkingQueue(this, "AlarmsDead", { stage: this.stage, thing: "alarms", key: this.pipeline.messagingKey });
    // The subscription admits its topic to the queue itself.
    for (const topic of Object.values(this.topics)) {
      topic.addSubscription(new EmailSubscription(this.stage.alarmEmail, { deadLetterQueue: dead }));
    }
  }

  private alarm(terms: AlarmTerms): void {
    const { thing, metric, urgency, owner, means, threshold = 0, minutes = 1, below = false, silence, entry = thing } = terms;
    const alarm = new Alarm(this, `${pascal(thing)}Alarm`, {
      alarmName: nameOf(this.stage, thing),
      alarmDescription: `${means} Owner: ${owner}. Runbook: docs/operating/runbook.md#${entry}`,
      metric,
      threshold,
      evaluationPeriods: minutes,
      datapointsToAlarm: minutes,
      comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: silence ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topics[urgency]));
    alarm.addOkAction(new SnsAction(this.topics[urgency]));
  }

  private sweepAlarms(): void {
    this.alarm({
      thing: "no-current-sweep",
      metric: counted(this.stage, SWEEP_CURRENT),
      urgency: "page",
      owner: "platform",
      means: "No sweep has marked every account for three minutes: calls may be missing.",
      threshold: 1,
      minutes: NO_CURRENT_MIN,
      below: true,
      silence: TreatMissingData.BREACHING,
    });
    this.alarm({
      thing: "no-overdue-sweep",
      metric: ofFunction(nameOf(this.stage, "sweep-overdue"), "Invocations"),
      urgency: "page",
      owner: "platform",
      means: "The sweep of overdue calls has not run for three minutes: a lost timer would not be found.",
      threshold: 1,
      minutes: NO_CURRENT_MIN,
      below: true,
      silence: TreatMissingData.BREACHING,
    });
    if (this.stage.reconciliationMin !== undefined) {
      this.alarm({
        thing: "no-reconciliation",
        metric: counted(this.stage, "accounts_reconciled"),
        urgency: "page",
        owner: "integration",
        means: `No account has agreed with a statement of the venue for ${this.stage.reconciliationMin} minutes: the book is unchecked.`,
        threshold: 1,
        minutes: this.stage.reconciliationMin,
        below: true,
        silence: TreatMissingData.BREACHING,
      });
    }
    this.alarm({
      thing: "events-late",
      metric: ofFunction(nameOf(this.stage, "publish-events"), "IteratorAge", "Maximum"),
      urgency: "page",
      owner: "platform",
      means: "Committed events wait for more than a minute to be published: notices are late.",
      threshold: RELAY_AGE_MAX_MS,
    });
  }

  /** What the code counts and a human must know of: an account or an order that the flow itself cannot help. */
  private countAlarms(): void {
    for (const [metric, urgency, owner, means] of COUNTS) {
      this.alarm({ thing: metric.replaceAll("_", "-"), metric: counted(this.stage, metric), urgency, owner, means });
    }
  }

  private functionAlarms(): void {
    for (const name of FUNCTION_NAMES) {
      this.alarm({
        thing: `${name}-errors`,
        entry: "function-errors",
        metric: ofFunction(nameOf(this.stage, name), "Errors"),
        urgency: "ticket",
        owner: "platform",
        means: `${name} failed as a whole, by a crash, its timeout or its memory.`,
      });
      this.alarm({
        thing: `${name}-throttles`,
        entry: "function-throttles",
        metric: ofFunction(nameOf(this.stage, name), "Throttles"),
        urgency: "ticket",
        owner: "platform",
        means: `${name} found no free execution: raise its reservation or the account's.`,
        minutes: 3,
      });
    }
  }

  private queueAlarms(): void {
    for (const [name, { physicalName, lateS }] of Object.entries(this.pipeline.queues)) {
      const venue = name === "venue";
      this.alarm({
        thing: `${name}-late`,
        entry: venue ? "venue-late" : "queue-late",
        metric: ofQueue(physicalName, "ApproximateAgeOfOldestMessage"),
        urgency: venue ? "page" : "ticket",
        owner: ownerOf(name),
        means: venue ? "The venue's gateway does not take its orders." : `Messages of the queue ${name} wait too long.`,
        threshold: venue ? VENUE_WAIT_MAX_S : lateS,
      });
    }
  }

  private serviceAlarms(): void {
    for (const group of ["recurring", "deadlines"]) {
      this.alarm({
        thing: `${group}-dropped`,
        entry: "schedule-dropped",
        metric: ofScheduleGroup(nameOf(this.stage, group), "InvocationDroppedCount"),
        urgency: "page",
        owner: "platform",
        means: `Scheduler gave up a schedule of the group ${group}; the sweep of overdue calls covers for it.`,
      });
    }
    this.alarm({
      thing: "events-undelivered",
      metric: ofTopic(nameOf(this.stage, "events"), "NumberOfNotificationsFailed"),
      urgency: "page",
      owner: "platform",
      means: "The topic could not deliver an event to a queue.",
    });
    this.alarm({
      thing: "api-faults",
      metric: ofApi(this.pipeline.api.apiId, "5xx"),
      urgency: "ticket",
      owner: "platform",
      means: "The API answered with a fault of its own.",
    });
    for (const table of Object.keys(TABLES) as TableName[]) {
      this.alarm({
        thing: `${table}-throttled`,
        entry: "table-throttled",
        metric: ofTable(nameOf(this.stage, table), "WriteThrottleEvents"),
        urgency: "ticket",
        owner: "platform",
        means: `The table ${table} refused writes for their rate: look for a hot key.`,
        minutes: 3,
      });
    }
  }

  /** Every dead-letter queue of the app: found, not listed, so that none is forgotten. */
  private deadLetterAlarms(): void {
    const names = [this.pipeline, this].flatMap((stack) =>
      stack.node
        .findAll()
        .flatMap((construct) => (construct instanceof CfnQueue && construct.queueName !== undefined ? [construct.queueName] : [])),
    );
    for (const name of names.filter(isDeadLetterName)) {
      const thing = name.slice(nameOf(this.stage, "").length).replace(/\.fifo$/, "");
      this.alarm({
        thing,
        entry: parkedEntry(thing),
        metric: ofQueue(name, "ApproximateNumberOfMessagesVisible"),
        urgency: "page",
        owner: ownerOf(thing),
        means: `Messages are parked in ${name}: find out why, mend it, then send them back.`,
      });
    }
  }

  private dashboard(): void {
    const dashboard = new Dashboard(this, "Flow", { dashboardName: nameOf(this.stage, "flow"), defaultInterval: Duration.hours(3) });
    dashboard.addWidgets(...sweepWidgets(this.stage));
    for (const { title, step, queue, parked = [] } of ROWS) {
      const row: IWidget[] = [titleWidget(title)];
      const dead = parked.map((thing) => nameOf(this.stage, deadName(thing)));
      if (queue !== undefined) row.push(...queueWidgets(this.pipeline.queues[queue], dead));
      else if (step === "publish-events") row.push(streamWidget(nameOf(this.stage, step), dead));
      else if (dead.length > 0) row.push(parkedWidget(dead));
      if (step !== undefined) row.push(...functionWidgets(nameOf(this.stage, step)));
      if (step === "operate") row.push(...apiWidgets(this.pipeline.api.apiId));
      dashboard.addWidgets(...row);
    }
    dashboard.addWidgets(titleWidget("Tables"), ...tableWidgets(this.stage));
  }
}
