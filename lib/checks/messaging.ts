import { EVENT_TYPES } from "../../core/event.ts";
import { isDeadLetterName, VISIBILITY_PER_TIMEOUT } from "../constructs/worker-queue.ts";
import { at, type Check, type Declared, type Deployment, each, listed } from "./template.ts";

const QUEUE = "AWS::SQS::Queue";
const TOPIC = "AWS::SNS::Topic";
const SUBSCRIPTION = "AWS::SNS::Subscription";
const SCHEDULE = "AWS::Scheduler::Schedule";
const MAPPING = "AWS::Lambda::EventSourceMapping";
const ASYNC = "AWS::Lambda::EventInvokeConfig";

const nameOfQueue = (queue: Declared): string => String(at(queue.properties, "QueueName"));

/** Where each asynchronous hop parks what it cannot deliver. */
const PARKING: Readonly<Record<string, readonly string[]>> = {
  [QUEUE]: ["RedrivePolicy", "deadLetterTargetArn"],
  [SUBSCRIPTION]: ["RedrivePolicy", "deadLetterTargetArn"],
  [SCHEDULE]: ["Target", "DeadLetterConfig", "Arn"],
  [ASYNC]: ["DestinationConfig", "OnFailure", "Destination"],
  [MAPPING]: ["DestinationConfig", "OnFailure", "Destination"],
};

const parkedAt = (deployment: Deployment, hop: Declared): Declared | undefined =>
  deployment.follow(hop.stack, at(hop.properties, ...(PARKING[hop.type] ?? [])));

const isOnQueue = (deployment: Deployment, mapping: Declared): boolean =>
  deployment.follow(mapping.stack, at(mapping.properties, "EventSourceArn"))?.type === QUEUE;

/** C19: what an asynchronous hop cannot deliver is parked, never lost. */
const hopHasDeadLetterQueue: Check = (deployment) =>
  Object.keys(PARKING).flatMap((type) =>
    each(deployment, type, (hop) => {
      if (type === QUEUE && isDeadLetterName(nameOfQueue(hop))) return null;
      if (type === MAPPING && isOnQueue(deployment, hop)) return null;
      return parkedAt(deployment, hop)?.type === QUEUE ? null : "has no dead-letter queue";
    }),
  );

/** Design §4: one bad message never takes its neighbours with it. */
const mappingReportsPartialFailures: Check = (deployment) =>
  each(deployment, MAPPING, (mapping) =>
    listed(at(mapping.properties, "FunctionResponseTypes")).includes("ReportBatchItemFailures")
      ? null
      : "does not report partial batch failures",
  );

/** Design §4: a mapping that runs more than its function may fills the queue's receives with throttles. */
const mappingFitsReservation: Check = (deployment) =>
  each(deployment, MAPPING, (mapping) => {
    if (!isOnQueue(deployment, mapping)) return null;
    const maximum = at(mapping.properties, "ScalingConfig", "MaximumConcurrency");
    if (typeof maximum !== "number") return "has no maximum concurrency";
    const reserved = at(
      deployment.follow(mapping.stack, at(mapping.properties, "FunctionName"))?.properties,
      "ReservedConcurrentExecutions",
    );
    return typeof reserved === "number" && maximum > reserved ? `runs ${maximum} at once, but its function reserves ${reserved}` : null;
  });

/** A record that cannot be published neither blocks its shard for ever nor takes its batch along. */
const streamMappingGivesUp: Check = (deployment) =>
  each(deployment, MAPPING, (mapping) => {
    if (isOnQueue(deployment, mapping)) return null;
    const retries = at(mapping.properties, "MaximumRetryAttempts");
    if (typeof retries !== "number" || retries < 0) return "retries for ever";
    return at(mapping.properties, "BisectBatchOnFunctionError") === true ? null : "does not split a failed batch";
  });

const visibilityCoversTimeout: Check = (deployment) =>
  each(deployment, MAPPING, (mapping) => {
    const source = deployment.follow(mapping.stack, at(mapping.properties, "EventSourceArn"));
    if (source?.type !== QUEUE) return null;
    const timeout = Number(at(deployment.follow(mapping.stack, at(mapping.properties, "FunctionName"))?.properties, "Timeout"));
    const visibility = Number(at(source.properties, "VisibilityTimeout"));
    const least = VISIBILITY_PER_TIMEOUT * timeout;
    return visibility >= least
      ? null
      : `hides a message for ${visibility} s, but needs ${least} s (${VISIBILITY_PER_TIMEOUT} x ${timeout} s)`;
  });

const messagesAreEncrypted: Check = (deployment) =>
  [QUEUE, TOPIC].flatMap((type) =>
    each(deployment, type, (place) => (at(place.properties, "KmsMasterKeyId") === undefined ? "is not under a key of ours" : null)),
  );

const deniesPlainText = (policy: Declared): boolean =>
  listed(at(policy.properties, "PolicyDocument", "Statement")).some(
    (statement) => at(statement, "Effect") === "Deny" && at(statement, "Condition", "Bool", "aws:SecureTransport") === "false",
  );

const onlyTls: Check = (deployment) => {
  const closed = new Set(
    (
      [
        ["AWS::SQS::QueuePolicy", "Queues"],
        ["AWS::SNS::TopicPolicy", "Topics"],
      ] as const
    ).flatMap(([type, property]) =>
      deployment
        .all(type)
        .filter(deniesPlainText)
        .flatMap((policy) => listed(at(policy.properties, property)).map((place) => deployment.follow(policy.stack, place))),
    ),
  );
  return [QUEUE, TOPIC].flatMap((type) => each(deployment, type, (place) => (closed.has(place) ? null : "answers without TLS")));
};

/** C19: a notice leaves over TLS or not at all. */
const mailNeedsTls: Check = (deployment) =>
  each(deployment, "AWS::SES::ConfigurationSet", (settings) =>
    at(settings.properties, "DeliveryOptions", "TlsPolicy") === "REQUIRE" ? null : "sends mail without TLS where the receiver has none",
  );

/** The types that a subscription lets through; all of them without a filter. */
const admitted = (subscription: Declared): readonly unknown[] =>
  at(subscription.properties, "FilterPolicy") === undefined ? EVENT_TYPES : listed(at(subscription.properties, "FilterPolicy", "type"));

/** An event that nobody is subscribed to is a notice that nobody gets. */
const eventReachesSomebody: Check = (deployment) => {
  const subscriptions = deployment.all(SUBSCRIPTION).filter((subscription) => at(subscription.properties, "Protocol") === "sqs");
  const reached = new Set(subscriptions.flatMap(admitted));
  const lost = EVENT_TYPES.filter((type) => !reached.has(type));
  const unknown = [...reached].filter((type) => !(EVENT_TYPES as readonly unknown[]).includes(type));
  const [first] = deployment.all(TOPIC);
  if (first === undefined || lost.length + unknown.length === 0) return [];
  const says = [
    lost.length === 0 ? "" : `nobody hears ${lost.join(", ")}`,
    unknown.length === 0 ? "" : `no event is called ${unknown.join(", ")}`,
  ];
  return [{ stack: first.stack, id: first.id, says: says.filter((part) => part !== "").join("; ") }];
};

export const messagingChecks = {
  hopHasDeadLetterQueue,
  mappingReportsPartialFailures,
  mappingFitsReservation,
  streamMappingGivesUp,
  visibilityCoversTimeout,
  messagesAreEncrypted,
  onlyTls,
  mailNeedsTls,
  eventReachesSomebody,
} as const satisfies Record<string, Check>;
