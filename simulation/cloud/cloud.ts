import type { SQSRecord } from "aws-lambda";

import type { BusMessage, Email, HttpReply, World } from "../../adapters/world.ts";
import type { Mapping, Wiring } from "../../local/template/wiring.ts";
import type { Channel } from "../faults/alphabet.ts";
import { type Clocks, createLambda, type Lambda, type SimulatedFunction } from "./lambda.ts";
import type { Services } from "./ports.ts";
import { type Consumer, copyDelayMs, REORDER_MS, SimulatedQueue } from "./queue.ts";
import { latency, type Simulation } from "./simulation.ts";
import { createStream } from "./stream.ts";

/** Who receives what leaves the cloud. */
export interface Outside {
  /** @returns the mail service's id. */
  mail(email: Email): string;
  post(request: Parameters<World["http"]["post"]>[0]): HttpReply;
  /** Takes orders off the venue's queue. @returns false for a gateway that is down: they come again. */
  takeOrders(records: readonly SQSRecord[]): boolean;
}

/** The deployment of the template in virtual time. */
export interface SimulatedCloud {
  readonly lambda: Lambda;
  /** A queue by the end of its name: `feed.fifo`. */
  queue(name: string): SimulatedQueue;
  /** The whole name of a function by its end: `operate`. */
  functionName(name: string): string;
  /** Starts the template's schedules. */
  start(): void;
  /** Ends them: what is under way goes on, nothing begins by the clock. */
  stop(): void;
  /** What was parked, by queue. */
  parked(): ReadonlyMap<string, number>;
  /** True where a message with this text is in any queue, parked or not. */
  holds(text: string): boolean;
  /** Sends what was parked to where it came from, as far as an operator who read it wants: the rest stays. @returns how much. */
  redrive(isWanted: (body: string) => boolean): number;
  /** Messages of queues and of topics stop to be delivered where the predicate says so. */
  block(isBlocked: (queue: string) => boolean): void;
}

const DAY_MS = 86_400_000;
const RETENTION_DEFAULT_MS = 4 * DAY_MS;
/** A timer of the scheduler comes up to a minute late. */
const TIMER_LATE_MS = 60_000;

const shortName = (arnOrName: string): string => arnOrName.split(":").at(-1) ?? arnOrName;

/** A filter policy over message attributes: each name has one of its values. */
const passes = (policy: Readonly<Record<string, unknown>> | undefined, attributes: Readonly<Record<string, string>>): boolean =>
  policy === undefined || Object.entries(policy).every(([name, values]) => (values as readonly unknown[]).includes(attributes[name]));

class Deployed {
  readonly queues: Map<string, SimulatedQueue>;
  readonly parkedWhere: { readonly queue: SimulatedQueue; readonly home: SimulatedQueue | null }[] = [];
  readonly lambda: Lambda;
  private readonly simulation: Simulation;
  private readonly wiring: Wiring;
  private readonly outside: Outside;
  isBlocked: (queue: string) => boolean = () => false;
  isScheduled = false;
  private readonly timers = new Map<string, number>();

  constructor(simulation: Simulation, wiring: Wiring, functions: readonly SimulatedFunction[], outside: Outside, clocks: Clocks) {
    this.simulation = simulation;
    this.wiring = wiring;
    this.outside = outside;
    this.queues = new Map(wiring.queues.map((queue) => [queue.arn, this.makeQueue(queue)]));
    this.lambda = createLambda(simulation, functions, this.services(), clocks);
    this.mapAll();
  }

  private makeQueue({ name, url, arn, fifo, attributes, deadLetterArn }: Wiring["queues"][number]): SimulatedQueue {
    const redrive = JSON.parse(attributes["RedrivePolicy"] ?? "{}") as { maxReceiveCount?: number };
    const retentionS = attributes["MessageRetentionPeriod"];
    return new SimulatedQueue(
      this.simulation,
      {
        name: shortName(name),
        url,
        arn,
        fifo,
        visibilityMs: Number(attributes["VisibilityTimeout"] ?? 30) * 1_000,
        retentionMs: retentionS === undefined ? RETENTION_DEFAULT_MS : Number(retentionS) * 1_000,
        receivesMax: redrive.maxReceiveCount ?? Number.POSITIVE_INFINITY,
      },
      ({ body, group }) =>
        this.byArn(deadLetterArn ?? "").send({
          body,
          ...(group !== null && { groupId: group }),
          dedupId: `${this.simulation.time.steps()}${body}`,
        }),
    );
  }

  byArn(arn: string): SimulatedQueue {
    const queue = this.queues.get(arn);
    if (queue === undefined) throw new Error(`the template declares no queue ${arn}`);
    return queue;
  }

  private services(): Services {
    const { simulation, wiring, outside } = this;
    const target = wiring.functions.map(({ environment }) => environment["EXPIRY_QUEUE_ARN"]).find((arn) => arn !== undefined) ?? "";
    const byUrl = new Map([...this.queues.values()].map((queue) => [queue.terms.url, queue]));
    return {
      publish: (topicArn, messages) => {
        for (const { id } of messages) simulation.heard.published(id);
        for (const subscription of wiring.subscriptions) {
          if (subscription.TopicArn !== topicArn) continue;
          for (const message of messages) {
            if (passes(subscription.FilterPolicy, message.attributes)) this.fanOut(subscription.Endpoint, message);
          }
        }
      },
      send: (queueUrl, messages) => {
        const queue = byUrl.get(queueUrl);
        if (queue === undefined) throw new Error(`no queue ${queueUrl}`);
        for (const message of messages) queue.send(message);
      },
      arm: ({ name, at, body }) => {
        this.timers.set(name, at);
        simulation.time.at(at + latency(simulation, 0, TIMER_LATE_MS), () => {
          if (this.timers.get(name) !== at) return;
          this.timers.delete(name);
          this.hand("timer", `${target}-dead`, body, () => this.byArn(target).send({ body }));
        });
      },
      mail: outside.mail,
      post: outside.post,
    };
  }

  /** One message of the topic on its way to one queue. */
  private fanOut(endpoint: string, { body }: BusMessage): void {
    this.hand("topic", `${endpoint}-subscription-dead`, body, () => this.byArn(endpoint).send({ body }));
  }

  /** Hands something over a way on which services try for long, and park what they give up. */
  private hand(channel: Channel, parkArn: string, body: string, act: () => void): void {
    const { time, faults } = this.simulation;
    const fault = faults.atDelivery(channel);
    if (fault !== null) this.simulation.trace?.(`${channel} to ${shortName(parkArn).replace(/(-subscription)?-dead$/, "")} [${fault}]`);
    if (fault === "dropAfterRetries") {
      this.byArn(parkArn).send({ body });
      return;
    }
    const wait = fault === "reorder" ? Math.floor(faults.size() * REORDER_MS) : latency(this.simulation, 5, 80);
    time.at(time.now() + wait, act);
    const copy = copyDelayMs(fault);
    if (copy !== null) time.at(time.now() + copy + wait, act);
  }

  private mapAll(): void {
    for (const mapping of this.wiring.mappings) {
      if (mapping.sourceArn.includes(":sqs:")) this.byArn(mapping.sourceArn).consume(this.consumerOf(mapping));
      else this.mapStream(mapping);
    }
    this.queue("venue.fifo").consume({
      batchMax: 10,
      concurrencyMax: 1,
      take: (records, settle) => {
        const { time } = this.simulation;
        time.at(time.now() + latency(this.simulation, 5, 300), () =>
          settle(this.outside.takeOrders(records) ? { ok: true, result: {} } : { ok: false, error: "gateway down" }),
        );
      },
    });
  }

  private consumerOf(mapping: Mapping): Consumer {
    const [queue, name] = [shortName(mapping.sourceArn), shortName(mapping.functionName)];
    return {
      batchMax: mapping.BatchSize ?? 10,
      concurrencyMax: mapping.ScalingConfig?.MaximumConcurrency ?? 100,
      take: (Records, settle) => {
        if (this.isBlocked(queue)) return settle({ ok: false, error: "the poller is down" });
        this.lambda.invoke(name, { Records }, settle);
      },
    };
  }

  private mapStream(mapping: Mapping): void {
    const table = /table\/([^/]+)/.exec(mapping.sourceArn)?.[1] ?? "";
    const destination = mapping.DestinationConfig?.OnFailure.Destination ?? "";
    const tellOf = createStream(
      this.simulation,
      {
        table,
        batchMax: mapping.BatchSize ?? 100,
        retriesMax: mapping.MaximumRetryAttempts < 0 ? Number.POSITIVE_INFINITY : mapping.MaximumRetryAttempts,
        bisects: mapping.BisectBatchOnFunctionError,
        patterns: mapping.patterns,
      },
      (Records, settle) => this.lambda.invoke(shortName(mapping.functionName), { Records }, settle),
      (records) => this.byArn(destination).send({ body: JSON.stringify(records.map(({ eventID }) => eventID)) }),
    );
    this.simulation.tables.onWrite(tellOf);
  }

  queue(name: string): SimulatedQueue {
    for (const queue of this.queues.values()) if (queue.terms.name.endsWith(`-${name}`)) return queue;
    throw new Error(`the template declares no queue ${name}`);
  }

  /** Fires a schedule every so often, each time a little late. */
  startSchedule({ everyMs, target }: Wiring["schedules"][number]): void {
    const { simulation } = this;
    const { time } = simulation;
    const fire = (): void => {
      if (!this.isScheduled) return;
      time.at(time.now() + everyMs, fire);
      const queue = this.queues.get(target.Arn);
      const parkArn = this.queue("schedules-dead").terms.arn;
      this.hand("schedule", parkArn, target.Input, () => {
        if (queue !== undefined) queue.send({ body: target.Input });
        else this.lambda.invoke(shortName(target.Arn), JSON.parse(target.Input), () => undefined);
      });
    };
    time.at(time.now() + latency(simulation, 0, everyMs), fire);
  }
}

/** Where a dead-letter queue's messages came from; null for those that an operator reads and does not send again. */
const homeOf = (deployed: Deployed, wiring: Wiring, dead: SimulatedQueue): SimulatedQueue | null => {
  const home = wiring.queues.find(({ deadLetterArn }) => deadLetterArn === dead.terms.arn);
  if (home !== undefined) return deployed.byArn(home.arn);
  const subscribed = /^(.*)-subscription-dead$/.exec(dead.terms.name)?.[1];
  return subscribed === undefined ? null : deployed.byArn(dead.terms.arn.replace(dead.terms.name, subscribed));
};

/** Deploys what the template declares, on virtual time. */
export const deploySimulated = (
  simulation: Simulation,
  wiring: Wiring,
  functions: readonly SimulatedFunction[],
  outside: Outside,
  clocks: Clocks,
): SimulatedCloud => {
  const deployed = new Deployed(simulation, wiring, functions, outside, clocks);
  const all = [...deployed.queues.values()];
  const dead = all.filter(({ terms }) => /-dead(\.fifo)?$/.test(terms.name));
  return {
    lambda: deployed.lambda,
    queue: (name) => deployed.queue(name),
    functionName: (name) => wiring.functions.find((fn) => fn.name.endsWith(`-${name}`))?.name ?? name,
    start: () => {
      deployed.isScheduled = true;
      for (const schedule of wiring.schedules) deployed.startSchedule(schedule);
    },
    stop: () => {
      deployed.isScheduled = false;
    },
    parked: () => new Map(dead.filter((queue) => queue.depth() > 0).map((queue) => [queue.terms.name, queue.depth()])),
    holds: (text) => all.some((queue) => queue.holds(text)),
    redrive: (isWanted) => {
      let moved = 0;
      for (const queue of dead) {
        const home = homeOf(deployed, wiring, queue);
        if (home === null) continue;
        for (const { body, group } of queue.drain(isWanted)) {
          moved += 1;
          home.send({ body, ...(group !== null && { groupId: group, dedupId: `redrive${simulation.time.steps()}.${moved}` }) });
        }
      }
      return moved;
    },
    block: (isBlocked) => {
      deployed.isBlocked = isBlocked;
    },
  };
};
