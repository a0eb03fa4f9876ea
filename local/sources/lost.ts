import type { Messages, Received } from "../engines/messages.ts";
import type { Wiring } from "../template/wiring.ts";
import { type Meter, ofTopic } from "../watch/meter.ts";
import { matchesPattern } from "./filter.ts";

const nameOf = (arn: string): string => arn.split(":").at(-1) ?? arn;

/**
 * What the topic cannot deliver. The engine drops a message for a queue that is gone; SNS counts it and parks it
 * in the subscription's own dead-letter queue. Told of every event, this does what SNS does.
 */
export const createLost =
  ({ subscriptions }: Pick<Wiring, "subscriptions">, messages: Messages, meter: Meter) =>
  async ({ Body, MessageAttributes = {} }: Received): Promise<void> => {
    const attributes = Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));
    const there = await messages.depths();
    for (const { Endpoint, TopicArn, FilterPolicy, RedrivePolicy } of subscriptions) {
      if (there.has(nameOf(Endpoint)) || !matchesPattern(FilterPolicy ?? {}, attributes)) continue;
      meter.add(ofTopic(nameOf(TopicArn), "NumberOfNotificationsFailed"), 1);
      if (RedrivePolicy !== undefined) await messages.send(nameOf(RedrivePolicy.deadLetterTargetArn), { MessageBody: Body });
    }
  };
