import { MailRefused, PartlyRefused } from "../../adapters/errors.ts";
import type { BusMessage, Email, HttpReply, Log, QueueMessage, Settings, World } from "../../adapters/world.ts";
import { cancelled } from "../db/memory-tables.ts";
import type { CallFault, PortMethod } from "../faults/alphabet.ts";
import type { Place } from "./lambda.ts";
import { latency, type Simulation } from "./simulation.ts";

/** What stands behind the ports besides the tables. Each is carried out at the instant of its call. */
export interface Services {
  publish(topicArn: string, messages: readonly BusMessage[]): void;
  send(queueUrl: string, messages: readonly QueueMessage[]): void;
  arm(timer: { readonly name: string; readonly at: number; readonly body: string }): void;
  mail(email: Email): string;
  post(request: Parameters<World["http"]["post"]>[0]): HttpReply;
}

/** The client's own budget: three tries of three seconds and their waits (adapters/aws/clients.ts). */
const BUDGET_MS = 9_300;
/** How long after that a request may still be carried out. */
const LATE_MS = 30_000;
/** In a trace: a request that took longer than this says so. */
const LATE_SHOWN_MS = 5_000;
/** How long a partial answer, a stale read or a race takes at most. */
const ODD_MS = 1_500;

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/** Errors that a caller hears, by fault. */
const HEARD = {
  lostReply: () => named("TimeoutError", "socket hang up"),
  delayPastTimeout: () => named("TimeoutError", "no answer within the budget of the request"),
  throttle: () => named("ThrottlingException", "Rate exceeded"),
  serverError: () => named("InternalServerError", "Internal server error"),
  credentialExpired: () => named("ExpiredTokenException", "The security token included in the request is expired"),
  nameUnknown: () => named("Error", "getaddrinfo ENOTFOUND"),
} as const satisfies Partial<Record<CallFault, () => Error>>;

/** Errors that are answers: a function must be able to hear them. */
const ANSWERS: ReadonlySet<string> = new Set([
  "ConditionalCheckFailedException",
  "TransactionCanceledException",
  "TransactionConflictException",
  "InvalidCiphertextException",
  "PartlyRefused",
  "MailRefused",
]);

/** One request as the simulation sees it. */
interface Request<Reply> {
  readonly method: PortMethod;
  /** In a trace: what is asked for. */
  readonly words: () => string;
  /** Carries it out. */
  readonly act: () => Reply;
  /** The same for a read that lags, a batch that is done in part, a race. */
  readonly odd?: Partial<Record<CallFault, () => Reply>>;
}

/** A request under way. */
interface Sent<Reply> {
  readonly request: Request<Reply>;
  readonly fault: CallFault | null;
  readonly askedAt: number;
  readonly answer: (reply: Reply) => void;
  readonly refuse: (error: unknown) => void;
}

/** The same with nobody who hears the answer. */
const unheard = <Reply>(sent: Sent<Reply>): Sent<Reply> => ({ ...sent, answer: () => undefined, refuse: () => undefined });

const NEVER = new Promise<never>(() => undefined);

/** The ports of one place. Every request takes its time, and goes wrong where the faults say so. */
class Wire {
  private readonly simulation: Simulation;
  private readonly place: Place;
  constructor(simulation: Simulation, place: Place) {
    this.simulation = simulation;
    this.place = place;
  }

  call<Reply>(request: Request<Reply>): Promise<Reply> {
    const { simulation, place } = this;
    if (place.dead) return NEVER;
    simulation.counts.calls += 1;
    const fault = simulation.faults.atCall(request.method);
    return new Promise((resolve, reject) => {
      this.carryOut({
        request,
        fault,
        askedAt: simulation.time.now(),
        answer: (reply) => {
          if (!place.dead) resolve(reply);
        },
        refuse: (error) => {
          if (!place.dead) reject(error);
        },
      });
    });
  }

  /** Has a request arrive, answered or not, in time or not. */
  private carryOut<Reply>(sent: Sent<Reply>): void {
    const { time, faults } = this.simulation;
    const { fault, request } = sent;
    const soon = time.now() + latency(this.simulation, 2, 25);
    switch (fault) {
      case null:
      case "logLost":
        time.at(soon, () => this.arrive(sent, request.act));
        break;
      case "delay":
        time.at(time.now() + Math.floor(faults.size() * BUDGET_MS), () => this.arrive(sent, request.act));
        break;
      case "crashBefore":
        time.at(soon, () => this.place.die("crashed before a request"));
        break;
      case "hang":
        break;
      case "crashAfter":
        time.at(soon, () => {
          this.arrive(unheard(sent), request.act);
          this.place.die("crashed after a request");
        });
        break;
      case "clientRetry":
        time.at(soon, () => {
          this.arrive(unheard(sent), request.act);
          time.at(time.now() + latency(this.simulation, 100, 3_500), () => this.arrive(sent, request.act));
        });
        break;
      case "lostReply":
      case "delayPastTimeout":
      case "throttle":
      case "serverError":
      case "credentialExpired":
      case "nameUnknown":
        this.failToAnswer(sent, fault, soon);
        break;
      default:
        time.at(soon + Math.floor(faults.size() * ODD_MS), () => this.arrive(sent, request.odd?.[fault] ?? request.act));
    }
  }

  /** The caller hears an error; what the request asked for may be done all the same, even after that. */
  private failToAnswer<Reply>(sent: Sent<Reply>, fault: keyof typeof HEARD, soon: number): void {
    const { time, faults } = this.simulation;
    const isLate = fault === "delayPastTimeout";
    if (fault === "lostReply" || isLate) {
      const doneAt = isLate ? time.now() + BUDGET_MS + Math.floor(faults.size() * LATE_MS) : soon;
      time.at(doneAt, () => this.arrive(unheard(sent), sent.request.act));
    }
    const heardAt = isLate ? time.now() + BUDGET_MS : Math.max(soon, time.now() + latency(this.simulation, 100, BUDGET_MS));
    time.at(heardAt, () => {
      const error = HEARD[fault]();
      this.tell(sent, error, " (what the caller heard)");
      sent.refuse(error);
    });
  }

  private arrive<Reply>(sent: Sent<Reply>, act: () => Reply): void {
    const { askedAt, answer, refuse } = sent;
    this.simulation.request.askedAt = askedAt;
    let reply: Reply;
    try {
      reply = act();
    } catch (error) {
      if (!(error instanceof Error) || !ANSWERS.has(error.name)) this.simulation.heard.fault(error);
      this.tell(sent, error);
      refuse(error);
      return;
    }
    this.tell(sent, reply);
    answer(reply);
  }

  private tell<Reply>({ request, fault, askedAt }: Sent<Reply>, reply: unknown, who = ""): void {
    const { trace, time } = this.simulation;
    if (trace === null) return;
    const answer = reply instanceof Error ? ` = ${reply.name}${who}` : "";
    const late =
      time.now() - askedAt > LATE_SHOWN_MS && who === "" ? ` (asked for ${((time.now() - askedAt) / 1_000).toFixed(1)} s ago)` : "";
    trace(`${this.place.id} ${request.method} ${request.words()}${fault === null ? "" : ` [${fault}]`}${late}${answer}`);
  }
}

/** Half of a batch, rounded down: what a partial answer still does. */
const half = <Entry>(entries: readonly Entry[]): readonly Entry[] => entries.slice(0, Math.floor(entries.length / 2));

const shown = (value: unknown): string => {
  const text = (JSON.stringify(value) ?? "").replaceAll('\\"', '"');
  return text.length > 240 ? `${text.slice(0, 237)}...` : text;
};

const keysOf = (items: readonly { readonly Put?: unknown; readonly Update?: unknown }[]): string =>
  items
    .map(({ Put, Update }) => {
      const { Item, Key } = (Put ?? Update ?? {}) as { Item?: Record<string, { S?: string }>; Key?: Record<string, { S?: string }> };
      return `${(Item ?? Key)?.["pk"]?.S}/${(Item ?? Key)?.["sk"]?.S}`;
    })
    .join(" ");

/** How many writes a lagging read is behind. */
const lag = ({ faults }: Simulation): number => 1 + Math.floor(faults.size() * 24);

const tablesBehind = (simulation: Simulation, wire: Wire): World["db"] => {
  const { tables } = simulation;
  const stale = <Reply>(isConsistent: boolean | undefined, read: () => Reply): Partial<Record<CallFault, () => Reply>> =>
    isConsistent === true ? {} : { staleRead: () => tables.behind(lag(simulation), read) };
  const conflict = (items: number) => (): never => {
    throw items === 1 ? named("TransactionConflictException", "Transaction is ongoing for the item") : raced(items);
  };
  const raced = (items: number): Error => cancelled(["TransactionConflict", ...Array.from({ length: items - 1 }, () => "None")]);
  return {
    get: (input) => {
      const act = () => tables.get(input);
      const words = () => keysOf([{ Put: { Item: input.Key } }]);
      return wire.call({ method: "db.get", words, act, odd: stale(input.ConsistentRead, act) });
    },
    batchGet: (input) => {
      const act = () => tables.batchGet(input);
      const partial = () => {
        const [[table = "", asked] = [], ...others] = Object.entries(input.RequestItems ?? {});
        const Keys = asked?.Keys ?? [];
        if (others.length > 0 || Keys.length < 2) return { $metadata: {}, Responses: {}, UnprocessedKeys: input.RequestItems };
        const answered = tables.batchGet({ RequestItems: { [table]: { ...asked, Keys: [...half(Keys)] } } });
        return { ...answered, UnprocessedKeys: { [table]: { ...asked, Keys: Keys.slice(Math.floor(Keys.length / 2)) } } };
      };
      return wire.call({
        method: "db.batchGet",
        words: () => shown(Object.keys(input.RequestItems ?? {})),
        act,
        odd: { partialBatch: partial },
      });
    },
    query: (input) => {
      const act = () => tables.query(input);
      const words = () =>
        `${input.IndexName ?? input.TableName} ${shown(Object.values(input.ExpressionAttributeValues ?? {}).map(({ S }) => S))}`;
      return wire.call({ method: "db.query", words, act, odd: stale(input.ConsistentRead, act) });
    },
    put: (input) =>
      wire.call({
        method: "db.put",
        words: () => keysOf([{ Put: input }]),
        act: () => tables.put(input),
        odd: { conditionRace: conflict(1) },
      }),
    update: (input) =>
      wire.call({
        method: "db.update",
        words: () => keysOf([{ Update: input }]),
        act: () => tables.update(input),
        odd: { conditionRace: conflict(1) },
      }),
    transactWrite: (input) => {
      const items = input.TransactItems ?? [];
      const act = () => tables.transactWrite(input);
      return wire.call({
        method: "db.transactWrite",
        words: () => keysOf(items),
        act,
        odd: { conditionRace: conflict(Math.max(2, items.length)) },
      });
    },
  };
};

const silent = (simulation: Simulation, place: Place): Log => {
  const { faults, counts } = simulation;
  const line =
    (level: "info" | "warn" | "error"): Log["info"] =>
    (message, fields) => {
      simulation.heard.line(`${message} ${JSON.stringify(fields ?? {})}`);
      if (faults.atCall(`log.${level}`) === null) simulation.trace?.(`${place.id} log ${level} ${message} ${shown(fields ?? {})}`);
    };
  return {
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    count: (metric, value = 1) => {
      if (faults.atCall("log.count") === null) counts.metrics.set(metric, (counts.metrics.get(metric) ?? 0) + value);
    },
  };
};

/** A text as the simulated keys seal it: readable, and of no use under another context. */
export const sealed = (context: Readonly<Record<string, string>>, plaintext = ""): string =>
  `${JSON.stringify(Object.entries(context).sort())}${plaintext}`;

/** The world of one place, with the faults of the run. */
export const createPorts = (simulation: Simulation, place: Place, settings: Settings, services: Services): World => {
  const wire = new Wire(simulation, place);
  return {
    db: tablesBehind(simulation, wire),
    bus: {
      publish: (topicArn, messages) =>
        wire.call({
          method: "bus.publish",
          words: () => shown(messages.map(({ id, attributes }) => `${id} ${attributes["type"]}`)),
          act: () => services.publish(topicArn, messages),
          odd: {
            partialBatch: () => {
              services.publish(topicArn, half(messages));
              throw new PartlyRefused("the topic did not accept a part of a batch");
            },
          },
        }),
    },
    queues: {
      send: (queueUrl, messages) =>
        wire.call({
          method: "queues.send",
          words: () => `${queueUrl.split("/").at(-1)} ${shown(messages.map(({ body }) => body))}`,
          act: () => services.send(queueUrl, messages),
          odd: {
            partialBatch: () => {
              services.send(queueUrl, half(messages));
              throw new PartlyRefused("the queue did not accept a part of a batch");
            },
          },
        }),
    },
    timers: { arm: (timer) => wire.call({ method: "timers.arm", words: () => timer.name, act: () => services.arm(timer) }) },
    mailer: {
      send: (email) =>
        wire.call({
          method: "mailer.send",
          words: () => `${email.headers["X-Entity-Ref-ID"]} ${shown(email.subject)}`,
          act: () => services.mail(email),
          odd: {
            refused: () => {
              throw new MailRefused("MessageRejected");
            },
          },
        }),
    },
    http: {
      post: (request) =>
        wire.call({
          method: "http.post",
          words: () => request.url,
          act: () => services.post(request),
          odd: {
            refused: () => ({ status: 410, body: "", retryAfterS: null }),
            receiverError: () => ({ status: simulation.faults.size() < 0.5 ? 500 : 429, body: "", retryAfterS: null }),
          },
        }),
    },
    kms: {
      encrypt: (plaintext, context) =>
        wire.call({ method: "kms.encrypt", words: () => sealed(context), act: () => sealed(context, plaintext) }),
      decrypt: (ciphertext, context) =>
        wire.call({
          method: "kms.decrypt",
          words: () => sealed(context),
          act: () => {
            if (!ciphertext.startsWith(sealed(context))) throw named("InvalidCiphertextException", "another context");
            return ciphertext.slice(sealed(context).length);
          },
        }),
    },
    clock: { now: () => simulation.time.now() + place.skewMs },
    log: silent(simulation, place),
    settings,
  };
};
