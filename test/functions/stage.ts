import type { SQSEvent, SQSRecord } from "aws-lambda";

import { applyFeed } from "../../adapters/apply-feed.ts";
import { decideAccount, openDesk } from "../../adapters/decide-account.ts";
import { envelopeToMessages } from "../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../adapters/dynamodb/items.ts";
import { queryAll } from "../../adapters/dynamodb/pages.ts";
import type { EventMessage } from "../../adapters/wire/events.ts";
import type { BusMessage, Email, HttpReply, QueueMessage, Settings, World } from "../../adapters/world.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { Fact } from "../../core/ledger.ts";
import type { Mark } from "../../core/mark.ts";
import type { Mode } from "../../core/mode.ts";
import { money, price, quantity } from "../../core/money.ts";
import { instrument, policy, T0 } from "../adapters/samples.ts";
import { type TestTables, testClock, testLog, testWorld } from "../engine.ts";

export { T0 } from "../adapters/samples.ts";

type Post = Parameters<World["http"]["post"]>[0];

/** A world on a real engine, with recorders where messages leave. */
export const stageOn = (
  tables: TestTables,
  given: { readonly at?: number; readonly mode?: Mode; readonly settings?: Partial<Settings> } = {},
) => {
  const clock = testClock(given.at ?? T0);
  const log = testLog();
  const sent: (QueueMessage & { readonly queue: string })[] = [];
  const published: BusMessage[] = [];
  const emails: Email[] = [];
  const posts: Post[] = [];
  const timers: Parameters<World["timers"]["arm"]>[0][] = [];
  /** What the services answer; a test replaces them to let them fail. */
  const replies = {
    mail: (_: Email): Promise<string> => Promise.resolve("ses-1"),
    http: (_: Post): Promise<HttpReply> => Promise.resolve({ status: 204, body: "", retryAfterS: null }),
    publish: (_: readonly BusMessage[]): Promise<void> => Promise.resolve(),
    send: (_: string): Promise<void> => Promise.resolve(),
  };
  const world = testWorld(tables, {
    clock,
    log,
    queues: {
      send: async (queue, messages) => {
        await replies.send(queue);
        sent.push(...messages.map((message) => ({ ...message, queue })));
      },
    },
    bus: {
      publish: async (_, messages) => {
        await replies.publish(messages);
        published.push(...messages);
      },
    },
    mailer: {
      send: async (email) => {
        emails.push(email);
        return replies.mail(email);
      },
    },
    http: {
      post: async (request) => {
        posts.push(request);
        return replies.http(request);
      },
    },
    timers: { arm: async (timer) => void timers.push(timer) },
    settings: {
      modes: { default: given.mode ?? "enforce", brokers: {}, clientClasses: {} },
      eventsTopicArn: "topic",
      sweepQueueUrl: "sweep",
      shardsQueueUrl: "shards",
      timerQueueUrl: "timer",
      webhookQueueUrl: "webhook",
      venueQueueUrl: "venue",
      sweepStepPpm: 5_000,
      mailFrom: "calls@venue.example",
      appUrl: "https://app.venue.example",
      ...given.settings,
    },
  });
  const desk = openDesk(world);

  return {
    ...{ world, desk, clock, log, sent, published, emails, posts, timers, replies },
    /** Messages of a queue, read. */
    queued: (queue: string): unknown[] => sent.filter((message) => message.queue === queue).map(({ body }) => JSON.parse(body) as unknown),
    counted: (metric: string): number => log.counts.get(metric) ?? 0,
    load: async (accountId: string): Promise<MarginAccount> => {
      const account = await desk.book.load(accountId);
      if (account === null) throw new Error(`no account ${accountId}`);
      return account;
    },
    /** Sets the newest mark of the instrument as of now. */
    price: async (text: string, over: Partial<Mark> = {}): Promise<void> => {
      const before = await desk.marks.mark("BTC-PERP");
      const asOf = Math.max(clock.now(), (before?.asOf ?? 0) + 1);
      const next: Mark = { instrumentId: "BTC-PERP", price: price(text), asOf, source: "composite", candidate: null, ...over };
      await desk.marks.acceptMark(next, before?.asOf ?? null);
    },
    /** Rows of an account's journal as the stream shows them. */
    journalOf: (accountId: string): Promise<Item[]> =>
      queryAll(world.db, {
        TableName: world.settings.journalTable,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: `ACC#${accountId}` } },
        ConsistentRead: true,
      }),
    /** Published events of an account, in their order. */
    eventsOf: async function (accountId: string): Promise<EventMessage[]> {
      return (await this.journalOf(accountId)).flatMap((row) => envelopeToMessages(row));
    },
  };
};
export type Stage = ReturnType<typeof stageOn>;

/** Terms that every test's accounts trade under. Call it once for the tables of a file. */
export const putTerms = async (stage: Stage): Promise<void> => {
  await stage.desk.marks.putInstrument(instrument);
  await stage.desk.book.putPolicy(policy);
};

let messages = 0;

export const record = (
  body: unknown,
  over: { readonly group?: string; readonly receives?: number; readonly id?: string } = {},
): SQSRecord => {
  messages += 1;
  return {
    messageId: over.id ?? `message-${messages}`,
    receiptHandle: "handle",
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: `${over.receives ?? 1}`,
      SentTimestamp: "0",
      SenderId: "sender",
      ApproximateFirstReceiveTimestamp: "0",
      ...(over.group === undefined ? {} : { MessageGroupId: over.group }),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:111122223333:queue",
    awsRegion: "us-east-1",
  };
};
export const batch = (...records: readonly SQSRecord[]): SQSEvent => ({ Records: [...records] });
export const one = (body: unknown): SQSEvent => batch(record(body));
export const NONE_FAILED = { batchItemFailures: [] };
/** A context with all the time there is, unless told otherwise. */
export const remaining = (ms = 60_000) => ({ getRemainingTimeInMillis: () => ms });

/** Facts that open an account: 100 contracts long at 100 on 1,000 USDT, ten times levered (the example of R1, a hundredfold). */
export const opening = (accountId: string): Fact => ({
  kind: "snapshot",
  externalId: `${accountId}-open`,
  sequence: 1,
  occurredAt: T0,
  balances: new Map([["USDT", money("1000")]]),
  positions: [{ instrumentId: "BTC-PERP", quantity: quantity("100"), entryPrice: price("100") }],
});

/** Bodies that no function may take for a message (S43). */
export const POISON: readonly (readonly [string, string])[] = [
  ["no JSON", "{"],
  ["nothing", ""],
  ["null", "null"],
  ["a list", "[]"],
  ["an unknown version", '{"schemaVersion":2}'],
  ["a polluted prototype", '{"__proto__":{"schemaVersion":1}}'],
  ["deep JSON", `${"[".repeat(5_000)}${"]".repeat(5_000)}`],
  ["256 kB", JSON.stringify({ schemaVersion: 1, filler: "x".repeat(262_144) })],
];

/** Opens an account in the book by its first snapshot, on the newest marks. */
export const openAccount = async (
  stage: Stage,
  accountId: string,
  over: Partial<Extract<Fact, { kind: "snapshot" }>> = {},
): Promise<void> => {
  const message = {
    schemaVersion: 1 as const,
    accountId,
    account: { brokerId: "B1", clientClass: "retail", policyId: "standard" },
    entries: [{ ...opening(accountId), ...over } as Fact],
  };
  await applyFeed(stage.desk, [message], await stage.desk.marks.newest());
};

/** Marks one account at a price and an instant, as a sweep does. */
export const markAt = async (stage: Stage, accountId: string, price: string, secondsOn: number): Promise<MarginAccount> => {
  stage.clock.set(T0 + secondsOn * 1_000);
  await stage.price(price);
  await decideAccount(stage.desk, { accountId, causedBy: "test" }, await stage.desk.marks.newest());
  return stage.load(accountId);
};
