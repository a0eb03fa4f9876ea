import { Duration } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { nameOf, type Stage } from "../stage.ts";
import { acknowledge } from "./acknowledge.ts";
import { pascal } from "./named-stack.ts";
import type { PipelineFunction } from "./pipeline-function.ts";

/** Tries before a message is parked: the first, and two for what passes by itself. */
const RECEIVES_MAX = 3;

/** AWS's rule for a queue that feeds a function: a throttled batch must not reappear while it still waits. */
export const VISIBILITY_PER_TIMEOUT = 6;

/** Longest that SQS keeps a message: parked ones wait for a human. */
const PARKED_DAYS = 14;

/** L07: nothing waits longer than this without an alarm. */
const WAIT_MAX_S = 300;

const FIFO = ".fifo";

/** The physical name of a queue of this stage. */
const queueName = (stage: Stage, thing: string, fifo: boolean): string => `${nameOf(stage, thing)}${fifo ? FIFO : ""}`;

const DEAD = "-dead";

/** The dead-letter queue of a thing: `email-subscription-dead`. */
export const deadName = (thing: string): string => `${thing}${DEAD}`;

/** Whether a physical name is that of a dead-letter queue. */
export const isDeadLetterName = (name: string): boolean => name.endsWith(DEAD) || name.endsWith(`${DEAD}${FIFO}`);

/** A queue where what failed is parked. An alarm watches every one of them. */
const deadLetterQueue = (scope: Construct, id: string, props: { stage: Stage; thing: string; key: IKey; fifo?: boolean }): Queue =>
  new Queue(scope, id, {
    queueName: queueName(props.stage, deadName(props.thing), props.fifo ?? false),
    ...(props.fifo === true ? { fifo: true } : {}),
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: props.key,
    enforceSSL: true,
    retentionPeriod: Duration.days(PARKED_DAYS),
  });

/** The dead-letter queue of a hop that is not a queue: a subscription, a schedule, a stream, an asynchronous call. */
export const parkingQueue = (scope: Construct, id: string, props: { stage: Stage; thing: string; key: IKey }): Queue => {
  const queue = deadLetterQueue(scope, id, props);
  acknowledge(queue, "AwsSolutions-SQS3", {
    reason: "It is a dead-letter queue, of a hop that is not a queue; the rule knows only queues' redrive policies.",
    until: "2027-11-01",
  });
  return queue;
};

export interface WorkerQueueProps {
  readonly stage: Stage;
  /** `marks`, or with the suffix of an ordered queue `venue.fifo`. */
  readonly name: string;
  readonly key: IKey;
  /** Timeout of the function that consumes the queue; its visibility timeout follows from it. */
  readonly consumerTimeoutS: number;
  readonly retention?: Duration;
  /** Longest that a message of the queue is delayed on purpose. */
  readonly delayMaxS?: number;
}

/** A queue and its dead-letter queue, both encrypted and closed to anything but TLS. */
export class WorkerQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;
  readonly thing: string;
  readonly physicalName: string;
  readonly deadName: string;
  /** Age of the oldest message, in seconds, at which the queue is late: well before a price is dropped for its age. */
  readonly lateS: number;

  constructor(scope: Construct, props: WorkerQueueProps) {
    const fifo = props.name.endsWith(FIFO);
    const thing = fifo ? props.name.slice(0, -FIFO.length) : props.name;
    super(scope, `${pascal(thing)}Queue`);
    this.thing = thing;
    this.physicalName = queueName(props.stage, thing, fifo);
    this.deadName = queueName(props.stage, deadName(thing), fifo);
    this.lateS = props.retention === undefined ? WAIT_MAX_S + (props.delayMaxS ?? 0) : props.retention.toSeconds() / 5;
    this.dead = deadLetterQueue(this, "Dead", { stage: props.stage, thing, key: props.key, fifo });
    this.queue = new Queue(this, "Resource", {
      queueName: this.physicalName,
      // Groups are accounts: each is ordered, and none waits for another.
      ...(fifo
        ? { fifo, deduplicationScope: DeduplicationScope.MESSAGE_GROUP, fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID }
        : {}),
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: props.key,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(VISIBILITY_PER_TIMEOUT * props.consumerTimeoutS),
      ...(props.retention === undefined ? {} : { retentionPeriod: props.retention }),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: RECEIVES_MAX },
    });
  }

  /** Lets one topic of the same account send to the queue. */
  admitTopic(topic: ITopic): void {
    admitTopic(this.queue, topic);
  }

  /** Feeds the queue to a function. @param maximumConcurrency at least 2, at most the function's reservation. */
  consumedBy(consumer: PipelineFunction, options: { readonly batchSize: number; readonly maximumConcurrency: number }): void {
    consumer.allowConsuming(this.queue);
    new CfnEventSourceMapping(consumer, "Mapping", {
      functionName: consumer.function.functionName,
      eventSourceArn: this.queue.queueArn,
      batchSize: options.batchSize,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: options.maximumConcurrency },
    });
  }
}

/** The queue's policy for SNS: one topic, nothing else. */
export const admitTopic = (queue: Queue, topic: ITopic): void => {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: "EventsTopicSends",
      principals: [new ServicePrincipal("sns.amazonaws.com")],
      actions: ["sqs:SendMessage"],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { "aws:SourceArn": topic.topicArn } },
    }),
  );
};
