import { type Clients, type Deployment, deploy } from "./deployment.ts";
import type { Counters, FunctionChange, Release } from "./engines/lambda.ts";
import type { Held, Messages } from "./engines/messages.ts";
import { createRealPlay, createSteppedPlay, type Play, type RunOptions } from "./play.ts";
import type { SentEmail } from "./services/email.ts";
import type { Wiring } from "./template/wiring.ts";
import { createRealTime } from "./time/real.ts";
import { createSteppedTime, type SteppedTime } from "./time/stepped.ts";
import type { Cancel, Time } from "./time/time.ts";
import type { Meter } from "./watch/meter.ts";
import { createWatch, type Watch } from "./watch/watch.ts";

export type { RunOptions } from "./play.ts";
export type { SentEmail } from "./services/email.ts";

export interface CloudOptions {
  /** Folder of the synthesized cloud assembly. */
  readonly assembly: string;
  /** `stepped` for replays, `real` for latency. */
  readonly clock: "stepped" | "real";
  /** UTC epoch milliseconds at the start; the machine's time by default. */
  readonly startAt?: number;
  /** Folder for the functions' logs. */
  readonly directory: string;
  /** Port of the API; a free one by default. */
  readonly apiPort?: number;
  /** Further variables of every function, such as credentials. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A message of a queue that nothing in the template consumes. */
export interface OutboundMessage {
  readonly messageId: string;
  readonly groupId: string | null;
  readonly body: string;
}

/** The whole deployment on this machine, wired from its synthesized template. */
export interface Cloud {
  /** UTC epoch milliseconds. */
  now(): number;
  readonly clients: Clients;
  readonly outputs: Readonly<Record<string, string>>;
  /** The physical name of a table: `book`. @throws Error for one that the template does not declare. */
  tableName(name: string): string;
  /** The address of a queue: `venue.fifo`. @throws Error for one that the template does not declare. */
  queueUrl(name: string): string;
  /** The topic that queues are subscribed to; null in a template without one. */
  readonly topicArn: string | null;
  /** Something outside the deployment that happens at an instant: a tick, a deposit, a fill. */
  at(instant: number, label: string, act: () => Promise<void>): Cancel;
  /** Lets time pass. Stepped: until nothing is due but steady rates. Real: until nothing is running or to come. */
  run(options?: RunOptions): Promise<void>;
  /** Calls the API as its gateway would. @param role as in the header: `operator`, `broker:B1`; null for none. */
  request: Deployment["request"];
  /** Replaces functions while the cloud runs, by their names: `expire-call`. @throws Error for one that the template does not declare. */
  deploy(functionNames: readonly string[], release: (name: string) => Release): Promise<void>;
  /** Takes all that waits in a queue, in its order. */
  receive(queueName: string): Promise<readonly OutboundMessage[]>;
  onEmail(listener: (email: SentEmail) => void): void;
  /** Every message of the topic, as it was published. */
  onEvent(listener: (body: string) => void): void;
  /** Messages in each dead-letter queue. */
  deadLetters(): Promise<Readonly<Record<string, number>>>;
  /** Physical names of all queues. */
  readonly queueNames: readonly string[];
  /** Everything that a queue holds now, without taking it. */
  inspect(queueName: string): Promise<readonly Held[]>;
  /** Changes a running function or its sources, as Lambda's own API does; `enabled` is for stepped time. */
  configure(functionName: string, change: FunctionChange & { readonly enabled?: boolean }): void;
  /** What CloudWatch would make of the run. */
  readonly watch: Watch;
  readonly meter: Meter;
  /** Work of each function since the start, by its name. */
  readonly invocations: Readonly<Record<string, Readonly<Counters>>>;
  readonly apiUrl: string;
  stop(): Promise<void>;
}

/** The resource with the name, the logical id, or a name that ends in it: `book` for `plimsoll-local-book`. */
const find = <T extends { readonly name: string; readonly id: string }>(kind: string, all: readonly T[], name: string): T => {
  const found = all.find((one) => one.name === name || one.id === name) ?? all.find((one) => one.name.endsWith(`-${name}`));
  if (found === undefined) throw new Error(`the template declares no ${kind} ${name}: it has ${all.map((one) => one.name).join(", ")}`);
  return found;
};

const deadLetterNames = ({ queues, mappings, functions }: Wiring): ReadonlySet<string> => {
  const arns = new Set([
    ...queues.map(({ deadLetterArn }) => deadLetterArn),
    ...mappings.map(({ DestinationConfig }) => DestinationConfig?.OnFailure.Destination ?? null),
    ...functions.map(({ parkedIn }) => parkedIn),
  ]);
  return new Set(queues.filter(({ arn }) => arns.has(arn)).map(({ name }) => name));
};

const drain = async (messages: Messages, queue: string): Promise<OutboundMessage[]> => {
  const drained: OutboundMessage[] = [];
  for (;;) {
    const received = await messages.receive(queue, 10);
    if (received.length === 0) return drained;
    for (const { MessageId, Body, Attributes } of received) {
      drained.push({ messageId: MessageId, groupId: Attributes?.["MessageGroupId"] ?? null, body: Body });
    }
    await messages.remove(
      queue,
      received.map(({ ReceiptHandle }) => ReceiptHandle),
    );
  }
};

/** Whether nothing runs, waits in a queue that a function consumes, or is armed. */
const isIdle = async ({ wiring, messages, lambda, scheduler }: Deployment): Promise<boolean> => {
  if (lambda.running() > 0 || scheduler.pending() > 0) return false;
  const sources = new Set(wiring.mappings.map(({ sourceArn }) => sourceArn));
  const consumed = new Set(wiring.queues.filter(({ arn }) => sources.has(arn)).map(({ name }) => name));
  const depths = await messages.depths();
  return [...depths].every(([name, { visible, inFlight, delayed }]) => !consumed.has(name) || visible + inFlight + delayed === 0);
};

/** The first thing that went wrong where nobody waited for it. */
interface Trouble {
  first: unknown;
}

const playOf = (deployment: Deployment, time: Time, stepped: SteppedTime | null, trouble: Trouble, acts: ReadonlySet<object>): Play => {
  if (stepped !== null) return createSteppedPlay(stepped, deployment.sources);
  return createRealPlay({
    time,
    sources: deployment.sources,
    idle: async () => acts.size === 0 && (await isIdle(deployment)),
    failure: () => trouble.first,
    onError: (error) => {
      trouble.first ??= error;
    },
  });
};

/**
 * Starts the local cloud. Stepped time moves only inside `run`; real time from now on.
 *
 * @throws Error in one line, with nothing left running: see `deploy`.
 */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const trouble: Trouble = { first: null };
  const stepped = options.clock === "stepped" ? createSteppedTime(options.startAt ?? Date.now()) : null;
  const time =
    stepped ??
    createRealTime(options.startAt, (error) => {
      trouble.first ??= error;
    });
  const emailListeners: ((email: SentEmail) => void)[] = [];
  const eventListeners: ((body: string) => void)[] = [];
  const deployment = await deploy({
    assembly: options.assembly,
    directory: options.directory,
    apiPort: options.apiPort ?? 0,
    environment: options.environment ?? {},
    time,
    hold: stepped === null ? null : (delayS, deliver) => void stepped.at(stepped.now() + delayS * 1_000, "delayed message", deliver),
    offsetMs: options.startAt === undefined ? 0 : options.startAt - Date.now(),
    onEmail: (email) => {
      for (const listener of emailListeners) listener(email);
    },
    onEvent: (body) => {
      for (const listener of eventListeners) listener(body);
    },
  });
  const { wiring, messages, lambda, meter } = deployment;
  const acts = new Set<object>();
  const play = playOf(deployment, time, stepped, trouble, acts);
  const dead = deadLetterNames(wiring);
  return {
    now: time.now,
    clients: deployment.clients,
    outputs: wiring.outputs,
    tableName: (name) => find("table", wiring.tables, name).name,
    queueUrl: (name) => find("queue", wiring.queues, name).url,
    topicArn: deployment.topicArn,
    at: (instant, label, act) => {
      acts.add(act);
      const cancel = time.at(instant, label, () => act().finally(() => acts.delete(act)));
      return () => {
        acts.delete(act);
        cancel();
      };
    },
    run: (run = {}) => play.run(run),
    request: deployment.request,
    deploy: async (names, releaseOf) => {
      for (const name of names) await lambda.deploy(find("function", wiring.functions, name).name, releaseOf(name));
    },
    receive: (queueName) => drain(messages, find("queue", wiring.queues, queueName).name),
    onEmail: (listener) => void emailListeners.push(listener),
    onEvent: (listener) => void eventListeners.push(listener),
    deadLetters: async () => {
      const depths = await messages.depths();
      return Object.fromEntries([...depths].filter(([name]) => dead.has(name)).map(([name, { visible }]) => [name, visible]));
    },
    queueNames: wiring.queues.map(({ name }) => name),
    inspect: (queueName) => messages.inspect(find("queue", wiring.queues, queueName).name),
    configure: (functionName, { enabled, ...change }) => {
      const { name } = find("function", wiring.functions, functionName);
      lambda.configure(name, change);
      if (enabled !== undefined) deployment.enable(name, enabled);
    },
    watch: createWatch({ alarms: wiring.alarms, queues: wiring.queues.map(({ name }) => name), meter, messages, now: time.now }),
    meter,
    invocations: lambda.counters,
    apiUrl: deployment.apiUrl,
    stop: async () => {
      time.stop();
      const following = play.stop();
      await deployment.stop();
      await following;
    },
  };
};
