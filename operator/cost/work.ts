import { indexShardsOf } from "../../adapters/dynamodb/keys.ts";
import { MARKS_PER_MESSAGE_MAX } from "../../adapters/wire/marks.ts";
import type { FunctionName } from "../../lib/stage.ts";
import { PAGE_BYTES_MAX, readUnits, transactionUnits, writeUnits } from "./capacity.ts";
import type { RowBytes } from "./rows.ts";

/**
 * What the functions ask of the services, by unit of traffic. A test runs the functions over counted services and
 * finds the same figures, so a change of their requests shows there.
 */
export interface Work {
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Requests that senders make; what Lambda's pollers ask is `consumed`. */
  readonly queueRequests: number;
  readonly fifoRequests: number;
  readonly published: number;
  /** One-off schedules that are made, and will fire. */
  readonly scheduled: number;
  readonly emails: number;
  readonly invocations: Readonly<Partial<Record<FunctionName, number>>>;
}

const NONE: Work = {
  readUnits: 0,
  writeUnits: 0,
  queueRequests: 0,
  fifoRequests: 0,
  published: 0,
  scheduled: 0,
  emails: 0,
  invocations: {},
};

/** Work of several kinds, each so many times. */
export const total = (parts: readonly (readonly [times: number, work: Work])[]): Work => {
  const invocations: Partial<Record<FunctionName, number>> = {};
  const sum = { ...NONE };
  for (const [times, work] of parts) {
    for (const name of Object.keys(NONE) as (keyof Work)[]) if (name !== "invocations") sum[name] += times * work[name];
    for (const [name, count] of Object.entries(work.invocations) as [FunctionName, number][])
      invocations[name] = (invocations[name] ?? 0) + times * count;
  }
  return { ...sum, invocations };
};

/** One price for every instrument: 250 a message. Each mark is read, judged and put; each message asks for a sweep. */
export const pricesWork = (instruments: number): Work => {
  const messages = Math.ceil(instruments / MARKS_PER_MESSAGE_MAX);
  return {
    ...NONE,
    readUnits: instruments,
    writeUnits: instruments + messages,
    queueRequests: 2 * messages,
    invocations: { "accept-marks": messages, "start-sweep": messages },
  };
};

/** The book that a sweep reads. */
export interface BookSize {
  readonly accounts: number;
  readonly shards: number;
  readonly shardsPerGroup: number;
}

/** Pages of one shard: a query reads 1 MB at most, and an empty shard costs a page too. */
export const pagesOfShard = ({ accounts, shards }: BookSize, { account }: RowBytes): number =>
  Math.max(1, Math.ceil((accounts * account) / shards / PAGE_BYTES_MAX));

export const groupsOf = ({ shards, shardsPerGroup }: BookSize): number => Math.ceil(shards / shardsPerGroup);

/**
 * One sweep in which no account changes: state and marks are read, a snapshot is stored, each group reads the state,
 * its pages (at half price: eventually consistent) and, once in each of `environments`, the snapshot.
 */
export const sweepWork = (book: BookSize, rows: RowBytes, environments: number): Work => {
  const groups = groupsOf(book);
  const pages = pagesOfShard(book, rows);
  const pageBytes = (book.accounts * rows.account) / book.shards / pages;
  return {
    ...NONE,
    readUnits:
      1 +
      readUnits(rows.marks, true) +
      groups +
      environments * readUnits(rows.snapshot, true) +
      book.shards * pages * readUnits(pageBytes, false),
    // The claim, the snapshot, each group's report, and the last one's that the sweep is CURRENT.
    writeUnits: 1 + writeUnits(rows.snapshot) + groups + 1,
    queueRequests: Math.ceil(groups / 10),
    invocations: { "mark-accounts": groups },
  };
};

/** One fact of the venue, in a message of its own, that changes no level. */
export const factWork = (rows: RowBytes): Work => ({
  ...NONE,
  readUnits: readUnits(rows.account, true) + readUnits(rows.marks, true),
  writeUnits: transactionUnits(rows.account) + transactionUnits(rows.envelope) + transactionUnits(rows.entry),
  fifoRequests: 1,
  invocations: { "apply-book-feed": 1 },
});

/** Each minute's sweep of what is overdue, when nothing is: three queries for each shard of the indexes, and the newest marks. */
export const minuteWork = (shards: number, rows: RowBytes): Work => ({
  ...NONE,
  readUnits: 3 * indexShardsOf(shards) * readUnits(0, false) + readUnits(rows.marks, true) + readUnits(rows.instruments, true),
  invocations: { "sweep-overdue": 1 },
});

/** An account of ten positions is warned, called and told by one email and one webhook endpoint; its timer is armed. */
export const CALLED: Work = {
  ...NONE,
  readUnits: 17,
  writeUnits: 53,
  queueRequests: 2,
  published: 3,
  scheduled: 1,
  emails: 1,
  invocations: { "publish-events": 2, "deliver-webhook": 3, "send-email": 1, "arm-deadline": 3 },
};

/** One deposit meets the call, and its holder is told. */
export const PAID: Work = {
  ...NONE,
  readUnits: 10,
  writeUnits: 32,
  published: 2,
  emails: 1,
  fifoRequests: 1,
  invocations: { "apply-book-feed": 1, "publish-events": 1, "deliver-webhook": 2, "send-email": 1 },
};

/** The deadline passes: one order goes out, is filled and ends the call. */
export const LIQUIDATED: Work = {
  ...NONE,
  readUnits: 56,
  writeUnits: 98,
  fifoRequests: 2,
  published: 6,
  emails: 3,
  invocations: {
    "expire-call": 1,
    "publish-events": 3,
    "deliver-webhook": 6,
    "send-email": 3,
    "dispatch-orders": 1,
    "apply-book-feed": 1,
  },
};
