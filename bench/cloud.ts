import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand } from "@aws-sdk/client-sqs";

import { encodeAccount } from "../adapters/dynamodb/account-codec.ts";
import type { Item } from "../adapters/dynamodb/items.ts";
import { encodeMarks, MARKS_PER_MESSAGE_MAX } from "../adapters/wire/marks.ts";
import type { MarginAccount } from "../core/account.ts";
import type { Mark } from "../core/mark.ts";
import { type Cloud, startCloud } from "../local/cloud.ts";
import { localStage } from "../local/stage.ts";
import { synthesize } from "../local/synthesize.ts";
import { BASE_ASSETS, type BenchMarket, cohortInstrument, fallen, instrumentTerms, policyTerms } from "./book.ts";

/** Items of one batch write, and batches under way at a time. */
const BATCH = 25;
const LOAD_WIDTH = 8;
/** Longest wait for the last call of a sweep. */
const WAIT_MAX_MS = 120_000;
/** No event for this long: that was the last one. */
const QUIET_MS = 1_000;

/** An event as it came off the topic. */
interface Heard {
  readonly at: number;
  readonly accountId: string;
  readonly type: string;
}

/** The local cloud on the real clock, with a book in it and every event of its topic heard. */
export interface BenchCloud {
  /** Puts accounts into the book's table: loading is not measured. */
  load(accounts: readonly MarginAccount[]): Promise<void>;
  /**
   * Sends one price message in which a cohort's instrument falls, and waits for the calls that it opens.
   *
   * @returns milliseconds from the price message to each of the events that followed, in their order.
   */
  breach(cohort: number, accounts: readonly MarginAccount[]): Promise<readonly number[]>;
  /** Waits until nothing is under way and the next sweep may start at once. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

const waitMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const each = async <T>(items: readonly T[], width: number, work: (item: T) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
};

const put = async (cloud: Cloud, path: string, body: unknown): Promise<void> => {
  const { status } = await cloud.request("PUT", path, body, "operator");
  if (status !== 200) throw new Error(`PUT ${path} was answered ${status}`);
};

const postMarks = async (cloud: Cloud, marks: readonly Mark[]): Promise<void> => {
  const ticks = marks.map(({ instrumentId, price, asOf, source }) => ({ instrumentId, price, asOf, source }));
  for (let from = 0; from < ticks.length; from += MARKS_PER_MESSAGE_MAX) {
    const body = encodeMarks(ticks.slice(from, from + MARKS_PER_MESSAGE_MAX));
    await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl("marks"), MessageBody: body }));
  }
};

const loadAccounts = async (cloud: Cloud, accounts: readonly MarginAccount[]): Promise<void> => {
  const table = cloud.tableName("book");
  const { shards } = localStage();
  const batches: (readonly MarginAccount[])[] = [];
  for (let from = 0; from < accounts.length; from += BATCH) batches.push(accounts.slice(from, from + BATCH));
  await each(batches, LOAD_WIDTH, async (batch) => {
    const puts = batch.map((account): { PutRequest: { Item: Item } } => ({ PutRequest: { Item: encodeAccount(account, "", shards) } }));
    const { UnprocessedItems } = await cloud.clients.db.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
    if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("the engine left accounts unwritten");
  });
};

/** Waits for the calls of a cohort and then for silence. @throws Error that says how many are missing. */
const awaitCalls = async (heard: readonly Heard[], accounts: readonly MarginAccount[], sentAt: number): Promise<void> => {
  const missing = new Set(accounts.map(({ accountId }) => accountId));
  let read = 0;
  for (;;) {
    for (; read < heard.length; read += 1) {
      const event = heard[read];
      if (event?.type === "margin_call.issued") missing.delete(event.accountId);
    }
    const lastAt = heard.at(-1)?.at ?? sentAt;
    if (missing.size === 0 && performance.now() - lastAt > QUIET_MS) return;
    if (performance.now() - sentAt > WAIT_MAX_MS) throw new Error(`${missing.size} of ${accounts.length} calls did not come`);
    await waitMs(20);
  }
};

const invoked = (cloud: Cloud): number => Object.values(cloud.invocations).reduce((sum, { invocations }) => sum + invocations, 0);

/** Starts the cloud of the local stage with the market's terms and marks. */
export const openBenchCloud = async (market: BenchMarket): Promise<BenchCloud> => {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-bench-"));
  const cloud = await startCloud({ assembly: await synthesize(join(directory, "cdk.out")), clock: "real", directory });
  let heard: Heard[] = [];
  cloud.onEvent((body) => {
    const { accountId, type } = JSON.parse(body) as { readonly accountId: string; readonly type: string };
    heard.push({ at: performance.now(), accountId, type });
  });
  const { sweepIntervalMinMs } = localStage();
  let sweptAt = 0;

  const rest = async (): Promise<void> => {
    // Deadlines of half an hour are armed by now: idle is when no function was invoked for a while.
    for (let before = -1; before !== invoked(cloud); await waitMs(QUIET_MS)) before = invoked(cloud);
    await waitMs(Math.max(0, sweptAt + sweepIntervalMinMs + 500 - performance.now()));
  };

  await each(BASE_ASSETS, LOAD_WIDTH, (symbol) => put(cloud, `/instruments/${symbol}-PERP`, instrumentTerms(symbol)));
  await put(cloud, "/policies/standard", policyTerms);
  await postMarks(cloud, [...market.snapshot.marks.values()]);
  await rest();

  return {
    load: (accounts) => loadAccounts(cloud, accounts),
    breach: async (cohort, accounts) => {
      const mark = market.snapshot.marks.get(cohortInstrument(cohort));
      if (mark === undefined) throw new Error(`no cohort ${cohort}`);
      heard = [];
      const sentAt = performance.now();
      await postMarks(cloud, [fallen(mark, cloud.now())]);
      await awaitCalls(heard, accounts, sentAt);
      sweptAt = performance.now();
      return heard.map(({ at }) => at - sentAt);
    },
    rest,
    stop: async () => {
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
