import { Duration, RemovalPolicy, type Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import { CfnSubscription, Topic } from "aws-cdk-lib/aws-sns";

import type { EventType } from "../../core/event.ts";
import { nameOf, type Stage } from "../stage.ts";
import { pascal } from "./named-stack.ts";
import { admitTopic, parkingQueue, type WorkerQueue } from "./worker-queue.ts";

/** Days that a deleted key can still be brought back; nothing that lasts is under the messaging key. */
const KEY_WAIT_DAYS = 7;

/** The key of the topic, the queues and the alarm topics; the data key is another one (design §4). */
export const messagingKey = (stack: Stack, stage: Stage): Key => {
  const key = new Key(stack, "MessagingKey", {
    alias: nameOf(stage, "messaging"),
    description: `Plimsoll ${stage.name}: topics and queues`,
    enableKeyRotation: true,
    pendingWindow: Duration.days(KEY_WAIT_DAYS),
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const uses = (services: readonly string[], conditions: Record<string, unknown> = {}) =>
    new PolicyStatement({
      principals: services.map((service) => new ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ["kms:GenerateDataKey*", "kms:Decrypt"],
      resources: ["*"],
      conditions,
    });
  const topics = stack.formatArn({ service: "sns", resource: nameOf(stage, "*") });
  key.addToResourcePolicy(uses(["sns"], { ArnLike: { "aws:SourceArn": topics } }));
  // Without a condition, as both services document it: an alarm that cannot reach its topic is silent.
  // What they may send, and where, stands in the policies of the topics and in the schedules' roles.
  key.addToResourcePolicy(uses(["cloudwatch", "scheduler"]));
  return key;
};

/** An encrypted topic that only TLS reaches. */
export const encryptedTopic = (stack: Stack, id: string, name: string, key: IKey): Topic =>
  new Topic(stack, id, { topicName: name, masterKey: key, enforceSSL: true });

export interface Subscription {
  readonly stage: Stage;
  readonly topic: Topic;
  readonly to: WorkerQueue;
  readonly key: IKey;
  /** Types that the queue wants; all of them when it names none. */
  readonly types?: readonly EventType[];
}

/**
 * Subscribes a queue to the events. The body arrives raw, as it was published, and what SNS cannot
 * deliver is parked in the subscription's own dead-letter queue.
 */
export const subscribe = (stack: Stack, { stage, topic, to, key, types }: Subscription): void => {
  const id = `${pascal(to.thing)}Subscription`;
  const dead = parkingQueue(stack, `${id}Dead`, { stage, thing: `${to.thing}-subscription`, key });
  to.admitTopic(topic);
  admitTopic(dead, topic);
  new CfnSubscription(stack, id, {
    topicArn: topic.topicArn,
    protocol: "sqs",
    endpoint: to.queue.queueArn,
    rawMessageDelivery: true,
    redrivePolicy: { deadLetterTargetArn: dead.queueArn },
    ...(types === undefined ? {} : { filterPolicyScope: "MessageAttributes", filterPolicy: { type: types } }),
  });
};
