import { PartlyRefused } from "../errors.ts";
import type { Bus, BusMessage, QueueMessage, Queues } from "../world.ts";
import { clientConfiguration, inBatches, lazily } from "./clients.ts";

/** Quota of a batch in bytes, with room for what is not the body. */
const BATCH_BYTES_MAX = 250_000;

const attributesOf = (message: BusMessage) =>
  Object.fromEntries(Object.entries(message.attributes).map(([name, value]) => [name, { DataType: "String", StringValue: value }]));

/** SNS. */
export const createBus = (): Bus => {
  const client = lazily(async () => {
    const sdk = await import("@aws-sdk/client-sns");
    return { send: new sdk.SNSClient(clientConfiguration), PublishBatchCommand: sdk.PublishBatchCommand };
  });
  return {
    publish: async (topicArn, messages) => {
      const { send, PublishBatchCommand } = await client();
      for (const batch of inBatches(messages, (message) => Buffer.byteLength(message.body) + 500, BATCH_BYTES_MAX)) {
        const entries = batch.map((message, index) => ({
          Id: `${index}`,
          Message: message.body,
          MessageAttributes: attributesOf(message),
        }));
        const reply = await send.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries: entries }));
        const refused = (reply.Failed ?? []).map((entry) => `${batch[Number(entry.Id)]?.id}: ${entry.Code}`);
        if (refused.length > 0) throw new PartlyRefused(`the topic did not accept ${refused.join(", ")}`);
      }
    },
  };
};

const entryOf = (message: QueueMessage, index: number) => ({
  Id: `${index}`,
  MessageBody: message.body,
  ...(message.delayS !== undefined && { DelaySeconds: message.delayS }),
  ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
  ...(message.dedupId !== undefined && { MessageDeduplicationId: message.dedupId }),
});

/** SQS. */
export const createQueues = (): Queues => {
  const client = lazily(async () => {
    const sdk = await import("@aws-sdk/client-sqs");
    return { send: new sdk.SQSClient(clientConfiguration), SendMessageBatchCommand: sdk.SendMessageBatchCommand };
  });
  return {
    send: async (queueUrl, messages) => {
      const { send, SendMessageBatchCommand } = await client();
      for (const batch of inBatches(messages, (message) => Buffer.byteLength(message.body), BATCH_BYTES_MAX)) {
        const reply = await send.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch.map(entryOf) }));
        const refused = (reply.Failed ?? []).map((entry) => `${entry.Id}: ${entry.Code}`);
        if (refused.length > 0) throw new PartlyRefused(`the queue did not accept ${refused.join(", ")}`);
      }
    },
  };
};
