import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { envelopeToMessages } from "../adapters/dynamodb/envelope.ts";
import type { Item } from "../adapters/dynamodb/items.ts";
import { orderedStream } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { attributesOf } from "../adapters/wire/events.ts";
import type { BusMessage, World } from "../adapters/world.ts";

/** The events of one envelope, in their order; none of one that is not to be published (R28). @throws Malformed */
const messagesOf = ({ dynamodb }: DynamoDBRecord): BusMessage[] =>
  // The platform's image has the attribute values of the SDK, typed a second time.
  envelopeToMessages((dynamodb?.NewImage ?? {}) as Item).map((message) => ({
    id: message.id,
    body: JSON.stringify(message),
    attributes: attributesOf(message),
  }));

/**
 * 4. Tells what was committed: each envelope of the journal's stream becomes its events on the topic.
 *
 * The batch is published in one go. Where that fails, its records are published one after another, so
 * that the first one that fails is named and the stream goes on from it. What was published twice
 * carries the same event id.
 */
export const publishEvents = (world: World) => {
  const { eventsTopicArn } = world.settings;
  const publish = async (messages: readonly BusMessage[]): Promise<void> => {
    if (messages.length > 0) await world.bus.publish(eventsTopicArn, messages);
    world.log.count("events_published", messages.length);
  };
  return async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    try {
      await publish(event.Records.flatMap(messagesOf));
      return { batchItemFailures: [] };
    } catch {
      return orderedStream(event.Records, world.log, (record) => publish(messagesOf(record)));
    }
  };
};

const world = createWorld(["eventsTopicArn"]);

export const handler = lambdaHandler(world, publishEvents(world));
