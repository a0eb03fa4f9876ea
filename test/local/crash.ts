import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll } from "vitest";

import { type EventMessage, eventMessage } from "../../adapters/wire/events.ts";
import type { Db } from "../../adapters/world.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { type FinalTables, readFinalTables } from "../../local/final-tables.ts";
import { type Evidence, judgeInvariants, type Notice } from "../../local/invariants.ts";
import { type Options, readOptions } from "../../local/options.ts";
import { openPage } from "../../local/page/server.ts";
import { createReplay, type Replay, type Script } from "../../local/replay.ts";
import { writeScript } from "../../local/script.ts";
import { synthesize } from "../../local/synthesize.ts";

export const MINUTE = 60_000;
export const START = Date.UTC(2020, 2, 12);

/** Nine hours of BTC: a fall that grows from 2 % to 10 % an hour, and quiet again. */
const PRICES = [8000, 7800, 7500, 7200, 6900, 6500, 6000, 5400, 4900, 4950];

const folder = mkdtempSync(join(tmpdir(), "plimsoll-crash-"));

const priceFile = (): string => {
  const file = join(folder, "1h_BTCUSDT_made-up.csv");
  const bars = PRICES.slice(0, -1).map((open, hour) => {
    const close = PRICES[hour + 1] as number;
    return `2020-03-12T${String(hour).padStart(2, "0")}:00:00Z,${open},${Math.max(open, close) + 8},${Math.min(open, close) - 8},${close}`;
  });
  writeFileSync(file, ["timestamp,open,high,low,close", ...bars, ""].join("\n"));
  return file;
};

/** The port `db` on the tables of a cloud, for what an operator's commands do. */
export const dbOf = (client: DynamoDBClient): Db => ({
  get: (input) => client.send(new GetItemCommand(input)),
  batchGet: (input) => client.send(new BatchGetItemCommand(input)),
  query: (input) => client.send(new QueryCommand(input)),
  put: (input) => client.send(new PutItemCommand(input)),
  update: (input) => client.send(new UpdateItemCommand(input)),
  transactWrite: (input) => client.send(new TransactWriteItemsCommand(input)),
});

let assembly: Promise<string> | null = null;

/** A play on the local cloud, and all that anybody saw of it. */
export interface CrashPlay {
  readonly cloud: Cloud;
  readonly replay: Replay;
  readonly script: Script;
  /** The folder of a function's bundle, as the template deploys it. */
  asset(name: string): string;
  /** Every event, as it was published, in that order. */
  readonly events: readonly EventMessage[];
  /** Notices that arrived: emails, and webhooks that were verified and new. */
  notices(): readonly Notice[];
  tables(): Promise<FinalTables>;
  verdicts(tables: FinalTables, statements?: Evidence["statements"]): ReturnType<typeof judgeInvariants>;
  stop(): Promise<void>;
}

const clouds = new Set<() => Promise<void>>();
afterAll(async () => {
  for (const stop of clouds) await stop();
});

/** Opens a book of `accounts` generated accounts on a cloud that stands at the first tick. @param more options of npm start. */
export const openCrash = async (accounts: number, seed = 7, ...more: string[]): Promise<CrashPlay> => {
  assembly ??= synthesize(join(folder, "cdk.out"));
  const built = await assembly;
  const options = readOptions(["--json", "--prices", priceFile(), "--accounts", `${accounts}`, "--seed", `${seed}`, ...more]) as Options;
  const script = writeScript(options, START + 24 * 60 * MINUTE);
  const page = await openPage({
    port: 0,
    progress: () => ({ now: cloud.now(), share: 0, running: true, source: "crash" }),
    timeline: () => Promise.resolve({ status: 503, body: null }),
  });
  const cloud = await startCloud({
    assembly: built,
    clock: "stepped",
    startAt: START,
    directory: mkdtempSync(join(folder, "run-")),
  });
  const events: EventMessage[] = [];
  cloud.onEvent((body) => void events.push(eventMessage.parse(JSON.parse(body))));
  const replay = createReplay(cloud, script, page);
  const notices = (): readonly Notice[] => {
    const delivered = page.receiver.deliveries.filter(({ verified, repeated }) => verified && !repeated);
    return [...replay.notices, ...delivered.map(({ callId }) => ({ channel: "webhook" as const, callId }))];
  };
  const stop = async (): Promise<void> => {
    clouds.delete(stop);
    await cloud.stop();
    await page.stop();
  };
  clouds.add(stop);
  await replay.load();
  return {
    cloud,
    replay,
    script,
    asset: (name) => join(built, "bundles", name),
    events,
    notices,
    tables: () => readFinalTables(cloud.clients.db, { book: cloud.tableName("book"), journal: cloud.tableName("journal") }),
    verdicts: (tables, statements = []) => judgeInvariants({ tables, venue: replay.venue.record, notices: notices(), statements }),
    stop,
  };
};
