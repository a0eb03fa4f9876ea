import { createHash, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";

import { buildApp } from "fauxqs";

import type { Place } from "../template/resources.ts";
import type { Queue, Topic, Wiring } from "../template/wiring.ts";

/** A message as SQS hands it to a receiver. */
export interface Received {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MD5OfBody: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<
    Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
  >;
}

/** A message for SQS. */
export interface Outgoing {
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

/** A message where it lies. */
export interface Held {
  readonly messageId: string;
  readonly body: string;
}

export interface Depth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** What there is to send to. */
export interface Declared {
  readonly queues: readonly Pick<Queue, "name" | "attributes">[];
  readonly topics: readonly Topic[];
  readonly subscriptions: Wiring["subscriptions"];
}

/** SQS and SNS of the local cloud: the engine in this process, and its loopback port for everybody else. */
export interface Messages {
  readonly endpoint: string;
  queueUrl(name: string): string;
  /** Makes queues, topics and subscriptions as the wiring has them. */
  declare(wiring: Declared): Promise<void>;
  send(queue: string, message: Outgoing): Promise<void>;
  /** At most ten. @param waitS how long to wait for the first. */
  receive(queue: string, max: number, waitS?: number): Promise<readonly Received[]>;
  remove(queue: string, receipts: readonly string[]): Promise<void>;
  /** Makes received messages visible again at once. */
  release(queue: string, receipts: readonly string[]): Promise<void>;
  /** What each queue holds. In stepped time nothing changes but by requests, so without one the last answer stands. */
  depths(): Promise<ReadonlyMap<string, Depth>>;
  /** Everything that a queue holds, received or not, without taking it; nothing for a queue that does not exist. */
  inspect(queue: string): Promise<readonly Held[]>;
  /** Messages of a queue that may be received now. */
  visible(queue: string): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Takes a message that is to be delivered later. In stepped time the engine's own delay would
 * run in machine time, so the local runtime holds the message until its instant.
 */
export type Hold = (delayS: number, deliver: () => Promise<void>) => void;

export interface MessagesOptions {
  readonly account: string;
  readonly region: string;
  readonly hold: Hold | null;
}

interface Entry extends Outgoing {
  readonly Id?: string;
  readonly DelaySeconds?: number;
}

interface SendRequest extends Entry {
  readonly QueueUrl: string;
  readonly Entries?: readonly Entry[];
}

const JSON_TYPE = "application/x-amz-json-1.0";
const FORM_TYPE = "application/x-www-form-urlencoded";

const nameOf = (queueUrl: string): string => queueUrl.split("/").at(-1) ?? queueUrl;

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

type App = ReturnType<typeof buildApp>;

/** The engine's two protocols without a socket between. */
const createCalls = (app: App, region: string) => {
  const authorization = `AWS4-HMAC-SHA256 Credential=local/20200101/${region}/local/aws4_request, SignedHeaders=host, Signature=0`;
  const post = async (headers: Record<string, string>, payload: string): Promise<string> => {
    const reply = await app.inject({ method: "POST", url: "/", headers: { authorization, ...headers }, payload });
    if (reply.statusCode !== 200) throw new Error(`the message engine answered ${reply.statusCode}: ${reply.payload}`);
    return reply.payload;
  };
  return {
    sqs: async <T = unknown>(action: string, body: object): Promise<T> =>
      JSON.parse((await post({ "content-type": JSON_TYPE, "x-amz-target": `AmazonSQS.${action}` }, JSON.stringify(body))) || "null") as T,
    /** Whether a queue is there. */
    exists: async (queueUrl: string): Promise<boolean> =>
      (await app.inject({ url: `/_fauxqs/queues/${nameOf(queueUrl)}` })).statusCode === 200,
    sns: (action: string, parameters: Readonly<Record<string, string>>): Promise<string> =>
      post({ "content-type": FORM_TYPE }, new URLSearchParams({ Action: action, ...parameters }).toString()),
  };
};

type Calls = ReturnType<typeof createCalls>;

const attributeForm = (attributes: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value], index) => [
      [`Attributes.entry.${index + 1}.key`, key],
      [`Attributes.entry.${index + 1}.value`, value],
    ]),
  );

/** Answers for a delayed message as SQS would, and keeps it back. */
const heldReply = (calls: Calls, hold: Hold, queueUrl: string, { Id, DelaySeconds = 0, ...message }: Entry) => {
  hold(DelaySeconds, async () => {
    // A delayed message goes with its queue.
    if (await calls.exists(queueUrl)) await calls.sqs("SendMessage", { QueueUrl: queueUrl, ...message });
  });
  return { ...(Id !== undefined && { Id }), MessageId: randomUUID(), MD5OfMessageBody: md5(message.MessageBody) };
};

const isDelayed = ({ DelaySeconds }: Entry): boolean => (DelaySeconds ?? 0) > 0;

interface BatchReply {
  readonly Successful?: readonly object[];
  readonly Failed?: readonly object[];
}

/** @returns the answer to a request that delays a message; null for every other request, which the engine gets untouched. */
const intercept = async (calls: Calls, hold: Hold, target: string, body: SendRequest): Promise<object | null> => {
  if (target === "AmazonSQS.SendMessage") return isDelayed(body) ? heldReply(calls, hold, body.QueueUrl, messageOf(body)) : null;
  const entries = body.Entries ?? [];
  if (target !== "AmazonSQS.SendMessageBatch" || !entries.some(isDelayed)) return null;
  const prompt = entries.filter((entry) => !isDelayed(entry));
  const sent: BatchReply = prompt.length === 0 ? {} : await calls.sqs<BatchReply>("SendMessageBatch", { ...body, Entries: prompt });
  const held = entries.filter(isDelayed).map((entry) => heldReply(calls, hold, body.QueueUrl, entry));
  return { Successful: [...(sent.Successful ?? []), ...held], Failed: sent.Failed ?? [] };
};

const messageOf = ({ QueueUrl: _, Entries: __, ...message }: SendRequest): Entry => message;

const holdDelayed = (app: App, calls: Calls, hold: Hold): void => {
  app.addHook("preHandler", async (request, reply) => {
    const target = request.headers["x-amz-target"];
    if (typeof target !== "string" || !target.startsWith("AmazonSQS.SendMessage")) return;
    const answer = await intercept(calls, hold, target, request.body as SendRequest);
    if (answer !== null) return reply.header("content-type", JSON_TYPE).send(JSON.stringify(answer));
  });
};

const declareQueue = async (calls: Calls, { name, attributes }: Pick<Queue, "name" | "attributes">): Promise<void> => {
  await calls.sqs("CreateQueue", { QueueName: name, Attributes: attributes });
};

const declareTopic = async (calls: Calls, { name, fifo }: Topic): Promise<void> => {
  await calls.sns("CreateTopic", { Name: name, ...(fifo && attributeForm({ FifoTopic: "true" })) });
};

const subscribe = async (calls: Calls, subscription: Wiring["subscriptions"][number]): Promise<void> => {
  await calls.sns("Subscribe", {
    TopicArn: subscription.TopicArn,
    Protocol: subscription.Protocol,
    Endpoint: subscription.Endpoint,
    ...attributeForm({
      RawMessageDelivery: String(subscription.RawMessageDelivery),
      ...(subscription.FilterPolicy !== undefined && {
        FilterPolicy: JSON.stringify(subscription.FilterPolicy),
        FilterPolicyScope: subscription.FilterPolicyScope,
      }),
    }),
  });
};

interface Inspected {
  readonly name: string;
  readonly approximateMessageCount: number;
  readonly approximateInflightCount: number;
  readonly approximateDelayedCount: number;
}

const inspect = async (app: App): Promise<ReadonlyMap<string, Depth>> => {
  const inspected = JSON.parse((await app.inject({ url: "/_fauxqs/queues" })).payload) as Inspected[];
  return new Map(
    inspected.map((queue) => [
      queue.name,
      { visible: queue.approximateMessageCount, inFlight: queue.approximateInflightCount, delayed: queue.approximateDelayedCount },
    ]),
  );
};

/** The engine's own view of a queue: messages by their state. */
const inspectQueue = async (app: App, queue: string): Promise<readonly Held[]> => {
  const reply = await app.inject({ url: `/_fauxqs/queues/${queue}` });
  if (reply.statusCode !== 200) return [];
  const { messages } = JSON.parse(reply.payload) as { readonly messages: Readonly<Record<string, readonly unknown[]>> };
  return Object.values(messages).flatMap((held) =>
    held.map((one) => {
      const { messageId, body } = ((one as { readonly message?: unknown }).message ?? one) as Held;
      return { messageId, body };
    }),
  );
};

/** Looks at the queues anew only after a request that may have changed them. */
const inspectOnChange = (app: App): (() => Promise<ReadonlyMap<string, Depth>>) => {
  let known: Promise<ReadonlyMap<string, Depth>> | null = null;
  app.addHook("onSend", async (request) => {
    if (request.method === "POST") known = null;
  });
  return () => {
    known ??= inspect(app);
    return known;
  };
};

/** Starts the message engine, in memory, on a free loopback port. */
export const startMessages = async ({ account, region, hold }: MessagesOptions): Promise<Messages> => {
  const app = buildApp({ logger: false, defaultRegion: region });
  const calls = createCalls(app, region);
  if (hold !== null) holdDelayed(app, calls, hold);
  const depths = hold === null ? () => inspect(app) : inspectOnChange(app);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const endpoint = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const queueUrl: Place["queueUrl"] = (name) => `${endpoint}/${account}/${nameOf(name)}`;
  const batch = async (action: string, queue: string, entries: readonly object[]): Promise<void> => {
    for (let start = 0; start < entries.length; start += 10) {
      await calls.sqs(action, { QueueUrl: queueUrl(queue), Entries: entries.slice(start, start + 10) });
    }
  };
  return {
    endpoint,
    queueUrl,
    declare: async ({ queues, topics, subscriptions }) => {
      for (const queue of queues) await declareQueue(calls, queue);
      for (const topic of topics) await declareTopic(calls, topic);
      for (const subscription of subscriptions) await subscribe(calls, subscription);
    },
    send: async (queue, message) => {
      await calls.sqs("SendMessage", { QueueUrl: queueUrl(queue), ...message });
    },
    receive: async (queue, max, waitS = 0) => {
      const { Messages: received } = await calls.sqs<{ Messages?: Received[] }>("ReceiveMessage", {
        QueueUrl: queueUrl(queue),
        MaxNumberOfMessages: Math.min(max, 10),
        WaitTimeSeconds: waitS,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      });
      return received ?? [];
    },
    remove: (queue, receipts) =>
      batch(
        "DeleteMessageBatch",
        queue,
        receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
      ),
    release: (queue, receipts) =>
      batch(
        "ChangeMessageVisibilityBatch",
        queue,
        receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 })),
      ),
    depths,
    inspect: (queue) => inspectQueue(app, queue),
    visible: async (queue) => (await depths()).get(queue)?.visible ?? 0,
    stop: () => app.close(),
  };
};
