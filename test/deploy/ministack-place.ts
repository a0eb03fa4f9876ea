import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

import { type EventMessage, eventMessage } from "../../adapters/wire/events.ts";
import { parseMessage } from "../../adapters/wire/parse.ts";
import { isDeadLetterName } from "../../lib/constructs/worker-queue.ts";
import { readFinalTables } from "../../local/final-tables.ts";
import type { MiniStack } from "./ministack.ts";
import type { Place } from "./place.ts";
import { type Keys, signedRequest } from "./signed-request.ts";
import { ACCOUNT } from "./stage.ts";

const STEP_MS = 500;
const BATCH = 10;
const STAGE = "plimsoll-local-";
const TAP = "comparison-tap";
/** Prices and sweeps never end: a mark wakes a sweep, the end of one wakes the next. What they bring about is seen in the tables. */
const ENDLESS = new Set(["marks", "sweep", "shards"].map((queue) => `${STAGE}${queue}`));
const COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"] as const;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Takes and deletes all that waits in a queue. */
const drain = async (sqs: SQSClient, QueueUrl: string): Promise<string[]> => {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 0 }));
    if (Messages.length === 0) return bodies;
    for (const { Body = "", ReceiptHandle } of Messages) {
      bodies.push(Body);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
};

/** Every queue of the stage with all that is in it, seen or not. */
const depths = async (sqs: SQSClient): Promise<Map<string, number>> => {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: STAGE }));
  const counted = QueueUrls.map(async (QueueUrl) => {
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }));
    return [QueueUrl.slice(QueueUrl.lastIndexOf("/") + 1), COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0)] as const;
  });
  return new Map(await Promise.all(counted));
};

interface Mail {
  readonly To: readonly string[];
  readonly Subject: string;
  readonly BodyText: string;
}

/** A queue of its own on the topic: what it hears is what every subscriber can hear. */
const tapTopic = async (sqs: SQSClient, sns: SNSClient, region: string): Promise<string> => {
  const Resource = `arn:aws:sqs:${region}:${ACCOUNT}:${TAP}`;
  const statement = { Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage", Resource };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: TAP, Attributes: { Policy } }));
  await sns.send(
    new SubscribeCommand({
      TopicArn: `arn:aws:sns:${region}:${ACCOUNT}:${STAGE}events`,
      Protocol: "sqs",
      Endpoint: Resource,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  return QueueUrl;
};

/** The stage on MiniStack, in real time. Each caller signs with its own role; only what looks on is the account's root. */
export const startMiniStackPlace = async (engine: MiniStack): Promise<Place> => {
  const { endpoint, region } = engine;
  const clientOf = (keys: Keys) => ({ endpoint, region, credentials: keys });
  const root = new SQSClient(clientOf(engine.root));
  const sns = new SNSClient(clientOf(engine.root));
  const db = new DynamoDBClient(clientOf(engine.root));
  const writers = { marks: new SQSClient(clientOf(engine.keysOf("marks"))), "feed.fifo": new SQSClient(clientOf(engine.keysOf("feed"))) };
  const gateway = new SQSClient(clientOf(engine.keysOf("venue")));
  const urlOf = (queue: string): string => `${endpoint}/${ACCOUNT}/${STAGE}${queue}`;
  const tap = await tapTopic(root, sns, region);
  const events: EventMessage[] = [];
  return {
    name: "MiniStack",
    now: Date.now,
    request: async (method, path, body, role) => {
      const text = body === null || body === undefined ? "" : JSON.stringify(body);
      const wish = {
        method,
        url: `${engine.apiUrl}${path}`,
        body: text,
        headers: { "content-type": "application/json" },
        service: "execute-api",
        region,
      };
      const reply = await signedRequest(wish, engine.keysOf(role));
      return { status: reply.status, body: parsed(reply.text) };
    },
    send: async (queue, letters) => {
      for (const { body, groupId, dedupId } of letters) {
        const ordered = groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: dedupId };
        await writers[queue].send(new SendMessageCommand({ QueueUrl: urlOf(queue), MessageBody: body, ...ordered }));
      }
    },
    takeOrders: () => drain(gateway, urlOf("venue.fifo")),
    step: async () => {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      events.push(...(await drain(root, tap)).map((body) => parseMessage(eventMessage, body)));
    },
    onItsWay: async () =>
      [...(await depths(root))]
        .filter(([name, waiting]) => waiting > 0 && !ENDLESS.has(name) && !isDeadLetterName(name))
        .map(([name, waiting]) => `${waiting} in ${name}`),
    tables: () => readFinalTables(db, { book: `${STAGE}book`, journal: `${STAGE}journal` }),
    events: () => events,
    emails: async () => {
      const { messages } = (await engine.inspect(`/_ministack/ses/messages?account=${ACCOUNT}`)) as { messages: Record<string, Mail[]> };
      return (messages[ACCOUNT] ?? []).map(({ To, Subject, BodyText }) => ({ to: To.join(", "), subject: Subject, text: BodyText }));
    },
    deadLetters: async () => Object.fromEntries([...(await depths(root))].filter(([name]) => isDeadLetterName(name))),
    stop: async () => {
      for (const client of [root, sns, db, gateway, ...Object.values(writers)]) client.destroy();
      await engine.stop();
    },
  };
};
