import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { PurgeQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";

import { encodeFeed, type FeedMessage } from "../../adapters/wire/feed.ts";
import { encodeMarks } from "../../adapters/wire/marks.ts";
import { parseMessage } from "../../adapters/wire/parse.ts";
import type { ContactBody } from "../../adapters/wire/parties.ts";
import { iso } from "../../adapters/wire/scalars.ts";
import { venueOrder } from "../../adapters/wire/venue.ts";
import { type Money, money, type Price, price, quantity } from "../../core/money.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { startEngine } from "../../local/engines/dynamodb.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { type Market, marketOf } from "../../local/market.ts";
import { ServiceError } from "../../local/services/service.ts";
import { localStage } from "../../local/stage.ts";
import { synthesize } from "../../local/synthesize.ts";
import { readAssembly } from "../../local/template/assembly.ts";
import { DEFAULT_POLICY_ID, instrumentTermsOf, policyTerms, STEPPED_CLOCKS } from "../../local/terms.ts";
import { createVenue, type Venue } from "../../local/venue.ts";
import { parkingsOf } from "../../operator/redrive-homes.ts";
import { redriveQueue } from "../../operator/redrive-queue.ts";
import { type Publish, retell } from "../../operator/redrive-relay.ts";
import { startTableGate, type TableGate } from "./table-gate.ts";

export const START = Date.UTC(2020, 2, 12);
export const MINUTE = 60_000;
/** The broker with an endpoint, the one whose endpoint is broken, and the one without. */
export const BROKER = { good: "meridian", broken: "northstar", none: "harbour" } as const;
const PRICE = price("8000");
/** A mark is good for twice this: 3 minutes 20. */
const MARK_SPACING_MS = 100_000;
/** A short grace: a deadline comes within few minutes. */
const CLOCKS = { ...STEPPED_CLOCKS, graceMs: 5 * MINUTE, topUpGraceMs: 5 * MINUTE };
const STAGE = localStage();

export interface Opened {
  /** Cash in USDT against one BTC at 8,000: a requirement of 400, maintenance 200. 280 is a call, 150 is closed out. */
  readonly cash: string;
  readonly brokerId?: string;
  readonly contact?: ContactBody | null;
}

/** A small exchange on the local cloud: one market, a venue, brokers' receivers, and whatever goes wrong. */
export interface Exchange {
  readonly cloud: Cloud;
  readonly gate: TableGate;
  readonly venue: Venue;
  /** Folder of the functions' logs. */
  readonly logs: string;
  /** What the feed says: everything that is worth BTC is worth 8,000 by default; the rest 100. */
  readonly quotes: { btc: Price };
  /** The market's feed is silent while true; the venue's gateway takes nothing while true. */
  readonly away: { feed: boolean; venue: boolean };
  /** What each broker's receiver answers. */
  readonly answers: Record<string, number>;
  /** Requests that receivers got. */
  readonly webhooks: {
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
    readonly answer: number;
  }[];
  /** What receivers say with it. */
  words: string;
  /** Addresses that SES refuses, and for which it fails: with the address in its words, as SES has it. */
  readonly refused: Set<string>;
  readonly failing: Set<string>;
  /** Where a broker's receiver listens. */
  receiverUrl(brokerId: string): string;
  /** Secrets of the brokers' endpoints, as the API showed them once. */
  readonly secrets: Record<string, string>;
  ask(role: string, method: string, path: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  send(queue: string, body: string, groupId?: string): Promise<void>;
  /** Opens an account of a number of its own. @returns its id. */
  open(opened: Opened): Promise<string>;
  deposit(accountId: string, amount: string): Promise<void>;
  /** Every account opened since the last time gets more than it could need: no call of one row lives on in the next. */
  cure(): Promise<void>;
  tell(message: FeedMessage): Promise<void>;
  putContact(accountId: string, contact: ContactBody): Promise<void>;
  putPolicies(): Promise<void>;
  /** The accounts' policy with a warning below 80 % of the headroom and a call below 70 %, at once or in so long. @returns the answer's status. */
  putStricterPolicy(inMs?: number): Promise<number>;
  putEndpoint(brokerId: string, url?: string): Promise<void>;
  /** Replaces a function's asset by one that fails, or puts it back. */
  deploy(functionName: string, asset: "broken" | "good"): Promise<void>;
  /** What `npm run redrive` does, in this process; purges what the next minute did again. */
  redrive(thing: string): Promise<void>;
  /** Lets all work of this instant be done. */
  settle(): Promise<void>;
  /** Lets whole minutes pass. @param each happens at the begin of each. */
  minutes(count: number, each?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export const contactOf = (name: string): ContactBody => ({
  email: `${name}@holder.example`,
  name,
  timeZone: "UTC",
  locale: "en",
  antiPhishingCode: null,
});

const BROKEN = 'export const handler = () => Promise.reject(new Error("a deployment that does not work"));\n';

const assetsOf = (assembly: string): ReadonlyMap<string, string> =>
  new Map(
    readAssembly(assembly).flatMap(({ template, assets }) =>
      Object.values(template.Resources)
        .filter(({ Type }) => Type === "AWS::Lambda::Function")
        .map(({ Properties = {} }): [string, string] => {
          const hash = String((Properties["Code"] as { S3Key: string }).S3Key).replace(/\.zip$/, "");
          return [String(Properties["FunctionName"]), assets[hash] ?? ""];
        }),
    ),
  );

const listen = async (x: Pick<Exchange, "answers" | "webhooks" | "words">): Promise<{ url: string; stop: () => Promise<void> }> => {
  const server = createServer((request, reply) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const broker = (request.url ?? "").split("/")[1] ?? "";
      const answer = x.answers[broker] ?? 200;
      x.webhooks.push({ url: request.url ?? "", headers: request.headers, body, answer });
      reply.writeHead(answer).end(x.words);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const series = blackThursday().series;
const market: Market = {
  ...marketOf(series),
  listings: marketOf(series).listings.map((listing) => ({ ...listing, spacingMs: MARK_SPACING_MS })),
};

/** @param environment further variables of every function. */
export const openExchange = async (environment: Readonly<Record<string, string>> = {}): Promise<Exchange> => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-watch-"));
  const assembly = await synthesize(join(folder, "cdk.out"));
  const engine = await startEngine();
  const gate = await startTableGate(engine.endpoint);
  process.env["DYNAMODB_ENDPOINT"] = gate.endpoint;
  // As on an operator's laptop: what runs in this process talks to the same services.
  Object.assign(process.env, {
    AWS_REGION: STAGE.region,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: gate.endpoint,
  });
  const cloud = await startCloud({ assembly, clock: "stepped", startAt: START, directory: folder, environment });
  delete process.env["DYNAMODB_ENDPOINT"];
  process.env["EVENTS_TOPIC_ARN"] = cloud.topicArn ?? "";
  process.env["AWS_ENDPOINT_URL_SNS"] = new URL(cloud.queueUrl("email")).origin;
  const assets = assetsOf(assembly);
  const venue = createVenue(market, 1);
  const refused = new Set<string>();
  const failing = new Set<string>();
  const answers: Record<string, number> = {};
  const webhooks: Exchange["webhooks"] = [];
  const secrets: Record<string, string> = {};
  const away = { feed: false, venue: false };
  const quotes = { btc: PRICE };
  const priceOf = (baseAsset: string): Price => (baseAsset === "BTC" ? quotes.btc : price("100"));
  const receiving = { answers, webhooks, words: "" };
  const receiver = await listen(receiving);
  let opened = 0;
  const uncured: string[] = [];

  gate.onThrottle((table) =>
    cloud.meter.add({ namespace: "AWS/DynamoDB", name: "WriteThrottleEvents", dimension: "TableName", of: table }, 1),
  );
  cloud.onEmail(({ to }) => {
    for (const address of to) {
      if (refused.has(address)) throw new ServiceError("MessageRejected", `Email address is not verified: ${address}`);
      if (failing.has(address))
        throw new ServiceError("AccessDeniedException", `not authorized to perform ses:SendEmail on identity/${address}`, 403);
    }
  });

  const ask: Exchange["ask"] = async (role, method, path, body) => {
    const reply = await cloud.request(method, path, body, role);
    if (reply.status >= 300) throw new Error(`${method} ${path} was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply;
  };
  const send: Exchange["send"] = async (queue, MessageBody, MessageGroupId) => {
    const ordered = MessageGroupId === undefined ? {} : { MessageGroupId, MessageDeduplicationId: `${cloud.now()}-${Math.random()}` };
    await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl(queue), MessageBody, ...ordered }));
  };
  const tell: Exchange["tell"] = (message) => send("feed.fifo", encodeFeed(message), message.accountId);
  const deposit: Exchange["deposit"] = (accountId, amount) => tell(venue.deposit(accountId, "USDT", money(amount) as Money, cloud.now()));
  const postMarks = async (): Promise<void> => {
    const ticks = market.listings.map(({ instrumentId, baseAsset }) => ({
      instrumentId,
      price: priceOf(baseAsset),
      asOf: cloud.now(),
      source: "test",
    }));
    venue.show(new Map(ticks.map((tick) => [tick.instrumentId, tick.price])));
    await send("marks", encodeMarks(ticks));
  };
  const tendVenue = async (): Promise<void> => {
    for (const { body } of await cloud.receive("venue.fifo")) {
      const facts = venue.accept(parseMessage(venueOrder, body), cloud.now());
      if (facts !== null) await tell(facts);
    }
  };
  const settle = (): Promise<void> => cloud.run({ until: cloud.now() });
  const minutes: Exchange["minutes"] = async (count, each = async () => undefined) => {
    for (let minute = 0; minute < count; minute += 1) {
      const endAt = (Math.floor(cloud.now() / MINUTE) + 1) * MINUTE;
      if (!away.feed) await postMarks();
      await each();
      await settle();
      if (!away.venue) await tendVenue();
      // The last instant of the minute is looked at, so that it counts for this one.
      await cloud.run({ until: endAt - 1 });
      if (!away.venue) await tendVenue();
      await settle();
      await cloud.watch.sample();
      await cloud.run({ until: endAt });
      cloud.watch.evaluate();
    }
  };
  const putEndpoint: Exchange["putEndpoint"] = async (brokerId, url = `${receiver.url}/${brokerId}`) => {
    const made = await ask("operator", "PUT", `/brokers/${brokerId}/endpoints/ep_${brokerId}`, { url, types: null, enabled: true });
    secrets[brokerId] ??= String((made.body as { secret?: unknown }).secret);
  };
  const putPolicies = async (): Promise<void> => {
    for (const [policyId, terms] of policyTerms(market, CLOCKS)) await ask("operator", "PUT", `/policies/${policyId}`, terms);
  };
  const putContact: Exchange["putContact"] = async (accountId, contact) => {
    await ask("operator", "PUT", `/accounts/${accountId}/contact`, contact);
  };
  const originals = new Map<string, string>();
  const deploy: Exchange["deploy"] = async (functionName, asset) => {
    const folderOf = assets.get(`plimsoll-local-${functionName}`) ?? "";
    const file = join(folderOf, readdirSync(folderOf).find((name) => name === "index.mjs") ?? "");
    if (asset === "broken") {
      originals.set(file, readFileSync(file, "utf8"));
      writeFileSync(file, BROKEN);
    } else writeFileSync(file, originals.get(file) ?? "");
    await cloud.deploy([functionName], () => ({}));
  };

  for (const listing of market.listings)
    await ask("operator", "PUT", `/instruments/${listing.instrumentId}`, instrumentTermsOf(listing, priceOf(listing.baseAsset), CLOCKS));
  await putPolicies();
  await putEndpoint(BROKER.good);
  await putEndpoint(BROKER.broken);

  return {
    cloud,
    gate,
    venue,
    logs: join(folder, "logs"),
    away,
    quotes,
    answers,
    webhooks,
    set words(words: string) {
      receiving.words = words;
    },
    refused,
    failing,
    receiverUrl: (brokerId) => `${receiver.url}/${brokerId}`,
    secrets,
    ask,
    send,
    tell,
    putContact,
    putPolicies,
    putStricterPolicy: async (inMs) => {
      const terms = policyTerms(market, CLOCKS).get(DEFAULT_POLICY_ID);
      const stricter = {
        ...terms,
        levels: { ...terms?.levels, warning: 800_000, call: 700_000 },
        ...(inMs !== undefined && { effectiveAt: iso(cloud.now() + inMs) }),
      };
      return (await cloud.request("PUT", `/policies/${DEFAULT_POLICY_ID}`, stricter, "operator")).status;
    },
    putEndpoint,
    deploy,
    settle,
    minutes,
    open: async ({ cash, brokerId = BROKER.good, contact }) => {
      opened += 1;
      const accountId = `A${String(opened).padStart(4, "0")}`;
      uncured.push(accountId);
      const whose = contact === undefined ? contactOf(accountId) : contact;
      if (whose !== null) await putContact(accountId, whose);
      const positions = [{ instrumentId: "BTC-PERP", quantity: quantity("1"), entryPrice: PRICE }];
      const account = { accountId, brokerId, clientClass: "retail", policyId: "default", positions, contact: contactOf(accountId) };
      await tell(venue.open({ ...account, balances: new Map([["USDT", money(cash)]]) }, cloud.now()));
      await settle();
      return accountId;
    },
    deposit,
    cure: async () => {
      for (const accountId of uncured.splice(0)) await deposit(accountId, "10000");
      await settle();
    },
    redrive: async (thing) => {
      const parking = parkingsOf(STAGE).find((one) => one.thing === thing);
      if (parking === undefined) throw new Error(`the stage has no dead-letter queue of ${thing}`);
      const isRelay = thing === "publish-events";
      if (parking.home === null && !isRelay) {
        await cloud.clients.sqs.send(new PurgeQueueCommand({ QueueUrl: cloud.queueUrl(parking.deadName) }));
        return;
      }
      const { handler } = await import("../../functions/publish-events.ts");
      const publish: Publish = (event) => handler(event, { awsRequestId: "laptop" } as Context);
      const streams = new DynamoDBStreamsClient({});
      const act = (body: string) => retell(streams, () => Promise.resolve(publish), body);
      await redriveQueue(cloud.clients.sqs, parking, { dryRun: false, all: false, ...(isRelay && { act }) });
    },
    stop: async () => {
      await cloud.stop();
      await receiver.stop();
      await gate.stop();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
