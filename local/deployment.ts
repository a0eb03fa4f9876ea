import { join } from "node:path";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";

import { startEngine } from "./engines/dynamodb.ts";
import { createLambda, type Lambda } from "./engines/lambda.ts";
import type { Hold } from "./engines/messages.ts";
import { type Messages, type Received, startMessages } from "./engines/messages.ts";
import { createTemplateTables } from "./engines/template-tables.ts";
import { createApi, ROLE_HEADER, startGateway } from "./gateway.ts";
import { createEmail, type SentEmail } from "./services/email.ts";
import { createKeys } from "./services/keys.ts";
import { createScheduler, type Scheduler } from "./services/scheduler.ts";
import { startServices } from "./services/service.ts";
import { createAsynchronous } from "./sources/asynchronous.ts";
import { createLost } from "./sources/lost.ts";
import type { Source } from "./sources/source.ts";
import { createSources, type Sources } from "./sources/sources.ts";
import { createTap } from "./sources/tap.ts";
import { createFire, type Fire } from "./sources/targets.ts";
import { readAssembly } from "./template/assembly.ts";
import { readWiring, type Wiring } from "./template/wiring.ts";
import type { Time } from "./time/time.ts";
import { createMeter, type Meter, ofApi } from "./watch/meter.ts";

const ACCOUNT = "000000000000";

/** The queue through which this process hears every event. */
const TAP = "local-tap";

export interface DeploymentOptions {
  readonly assembly: string;
  /** Folder for the functions' logs. */
  readonly directory: string;
  readonly apiPort: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly time: Time;
  /** Stepped time: one constant instant for each invocation, and delayed messages held here. Null in real time. */
  readonly hold: Hold | null;
  /** What real time is ahead of the machine's, in milliseconds. */
  readonly offsetMs: number;
  readonly onEmail: (email: SentEmail) => void;
  readonly onEvent: (body: string) => void;
}

export interface Clients {
  readonly db: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
}

/** The template's resources, running. */
export interface Deployment {
  readonly wiring: Wiring;
  readonly messages: Messages;
  readonly lambda: Lambda;
  readonly scheduler: Scheduler;
  readonly clients: Clients;
  /** What the services and functions reported. */
  readonly meter: Meter;
  readonly enable: Sources["enable"];
  readonly sources: readonly Source[];
  readonly topicArn: string | null;
  readonly apiUrl: string;
  request(method: string, path: string, body: unknown, role: string | null): Promise<{ readonly status: number; readonly body: unknown }>;
  stop(): Promise<void>;
}

type Endpoints = { readonly db: string; readonly messages: string; readonly services: string };

const environmentOf = ({ db, messages, services }: Endpoints, region: string): Record<string, string> => ({
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_ENDPOINT_URL_DYNAMODB: db,
  AWS_ENDPOINT_URL_SQS: messages,
  AWS_ENDPOINT_URL_SNS: messages,
  AWS_ENDPOINT_URL_SCHEDULER: services,
  AWS_ENDPOINT_URL_SESV2: services,
  AWS_ENDPOINT_URL_KMS: services,
});

const clientsOf = ({ db, messages }: Endpoints, region: string): Clients => {
  const shared = { region, credentials: { accessKeyId: "local", secretAccessKey: "local" } };
  return {
    db: new DynamoDBClient({ ...shared, endpoint: db }),
    sqs: new SQSClient({ ...shared, endpoint: messages }),
    sns: new SNSClient({ ...shared, endpoint: messages }),
  };
};

/** Makes queues, topics and subscriptions; the tap hears all that queues of the template can hear. */
const declareMessages = async (wiring: Wiring, messages: Messages): Promise<string | null> => {
  const topicArn = wiring.subscriptions[0]?.TopicArn ?? null;
  const tap = {
    TopicArn: topicArn ?? "",
    Protocol: "sqs" as const,
    Endpoint: `arn:aws:sqs:${wiring.place.region}:${ACCOUNT}:${TAP}`,
    RawMessageDelivery: true,
    FilterPolicyScope: "MessageAttributes" as const,
  };
  await messages.declare({
    queues: [...wiring.queues, { name: TAP, attributes: {} }],
    topics: wiring.topics,
    subscriptions: topicArn === null ? [] : [...wiring.subscriptions, tap],
  });
  return topicArn;
};

/** Counts the API's answers as API Gateway does. */
const createCount =
  ({ apis: [api] }: Wiring, meter: Meter) =>
  (status: number): void => {
    if (api === undefined) return;
    meter.add(ofApi(api, "Count"), 1);
    if (status >= 400) meter.add(ofApi(api, status >= 500 ? "5xx" : "4xx"), 1);
  };

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

type Stops = (() => Promise<void> | void)[];

const stopAll = async (stops: Stops): Promise<void> => {
  for (const stop of stops.splice(0).reverse()) await stop();
};

const startEngines = async ({ assembly, apiPort, hold }: DeploymentOptions, stops: Stops) => {
  const stacks = readAssembly(assembly);
  const region = stacks[0]?.region;
  if (region === undefined) throw new Error(`${assembly} holds no stack`);
  const messages = await startMessages({ account: ACCOUNT, region, hold });
  stops.push(() => messages.stop());
  const gateway = await startGateway(apiPort);
  stops.push(() => gateway.stop());
  const wiring = readWiring(stacks, { account: ACCOUNT, region, queueUrl: messages.queueUrl, apiUrl: gateway.url });
  const engine = await startEngine();
  stops.push(() => engine.stop());
  return { messages, gateway, wiring, engine };
};

const startParts = async (options: DeploymentOptions, stops: Stops): Promise<Omit<Deployment, "stop">> => {
  const { time, hold } = options;
  const { messages, gateway, wiring, engine } = await startEngines(options, stops);
  const { region } = wiring.place;
  const meter = createMeter(time.now);
  const fire: Fire = createFire({ wiring, messages, asynchronous: () => asynchronous, meter, now: time.now });
  const scheduler = createScheduler(time, (group, name) => `arn:aws:scheduler:${region}:${ACCOUNT}:schedule/${group}/${name}`, fire);
  const services = await startServices([scheduler.service, createEmail(time.now, options.onEmail), createKeys(wiring.keys)]);
  stops.push(() => services.stop());
  const endpoints = { db: engine.endpoint, messages: messages.endpoint, services: services.endpoint };
  const clients = clientsOf(endpoints, region);
  stops.push(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  const streams = await createTemplateTables(clients.db, wiring.tables);
  engine.indexStreams();
  const topicArn = await declareMessages(wiring, messages);
  const lambda = createLambda({
    functions: wiring.functions,
    environment: { ...environmentOf(endpoints, region), ...options.environment },
    clock: hold === null ? { kind: "real", offsetMs: options.offsetMs } : { kind: "stepped" },
    now: time.now,
    logs: join(options.directory, "logs"),
    meter,
  });
  stops.push(() => lambda.stop());
  const asynchronous = createAsynchronous(wiring.queues, messages, lambda, hold === null);
  const mapped = await createSources({
    wiring,
    messages,
    lambda,
    streams,
    endpoint: engine.endpoint,
    now: time.now,
    stepped: hold !== null,
    meter,
    asynchronous: asynchronous.source,
  });
  stops.push(() => mapped.stop());
  const lost = createLost(wiring, messages, meter);
  const hear = async (message: Received): Promise<void> => {
    options.onEvent(message.Body);
    await lost(message);
  };
  for (const { everyMs, name, target, group } of wiring.schedules) time.every(everyMs, name, () => fire(target, group));
  const principals = (functionName: string) => wiring.functions.find(({ name }) => name === functionName)?.environment["PRINCIPALS"];
  const api = createApi({ routes: wiring.routes, lambda, now: time.now, principals, answered: createCount(wiring, meter) });
  gateway.open(api);
  return {
    wiring,
    messages,
    lambda,
    scheduler,
    clients,
    meter,
    enable: mapped.enable,
    sources: [mapped.source, createTap(TAP, messages, hear)],
    topicArn,
    apiUrl: gateway.url,
    request: async (method, path, body, role) => {
      const headers = { "content-type": "application/json", ...(role !== null && { [ROLE_HEADER]: role }) };
      const reply = await api({ method, path, headers, body: body === undefined || body === null ? null : JSON.stringify(body) });
      return { status: reply.status, body: parsed(reply.body) };
    },
  };
};

/**
 * Starts the engines and services on loopback ports and makes everything that the template declares.
 *
 * @throws Error in one line: no assembly, something in the template that has no local counterpart, a port
 * taken, no engine. Nothing is left running then.
 */
export const deploy = async (options: DeploymentOptions): Promise<Deployment> => {
  const stops: Stops = [];
  try {
    return { ...(await startParts(options, stops)), stop: () => stopAll(stops) };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
};
