import { FUNCTIONS } from "../../lib/flow.ts";
import type { FunctionName, Stage } from "../../lib/stage.ts";
import { readUnits } from "./capacity.ts";
import type { PriceList, PriceName } from "./prices.ts";
import { type RowBytes, rowBytes } from "./rows.ts";
import type { Things } from "./things.ts";
import { CALLED, factWork, groupsOf, LIQUIDATED, minuteWork, PAID, pagesOfShard, pricesWork, sweepWork, total, type Work } from "./work.ts";

/** What is asked: the size of the venue and its traffic. */
export interface Traffic {
  readonly accounts: number;
  /** Prices of every instrument, a minute. */
  readonly ticks: number;
  readonly positions: number;
  readonly instruments: number;
  /** Facts of the venue (fills, deposits, withdrawals) of an account, a day. */
  readonly facts: number;
  /** Share of the accounts that are called in a month, in percent. */
  readonly calledPercent: number;
}

/** What the estimate takes as given. Durations are of warm functions beside their services. */
export const ASSUMED = {
  minutesAMonth: 43_800,
  /** Of ten calls one is not met. */
  unmetShare: 0.1,
  /** Tables are as large as after a year of this traffic. */
  monthsKept: 12,
  snapshotDays: 35,
  /** Accounts of ten positions that one virtual processor reads and decides a second: half of the goal of the benchmark. */
  accountsPerS: 60_000,
  pageMs: 10,
  /** Milliseconds of one invocation, beside pages and accounts. */
  runMs: {
    "accept-marks": 40,
    "start-sweep": 40,
    "mark-accounts": 40,
    "publish-events": 30,
    "send-email": 100,
    "deliver-webhook": 300,
    "arm-deadline": 60,
    "expire-call": 60,
    "sweep-overdue": 120,
    "dispatch-orders": 60,
    "apply-book-feed": 40,
    operate: 40,
  } satisfies Record<FunctionName, number>,
  /** Lambda asks an idle queue this often: five pollers that wait 20 s each. */
  idlePollsAMinute: 15,
  /** A data key serves a queue, a topic or a table for five minutes. */
  keyMinutes: 5,
  /** About 30 counts of the functions' code, and five of each of three routes of the API in use. */
  metrics: 45,
  logBytesPerRun: 500,
  webhookBytes: 2_000,
  apiRequests: 100_000,
} as const;

export interface Line {
  readonly name: PriceName;
  readonly service: string;
  readonly unit: string;
  readonly units: number;
  /** US dollars for `per` units. */
  readonly usd: number;
  readonly per: number;
  readonly amount: number;
}

export interface Bill {
  readonly lines: readonly Line[];
  readonly total: number;
  /** Services with their sums, the largest first. */
  readonly services: readonly { readonly service: string; readonly amount: number }[];
  readonly sweepsAMinute: number;
  readonly rows: RowBytes;
}

const GB = 1_000_000_000;

/** Sweeps a minute: one whatever happens, one for each tick, no more than the stage's least interval lets through. */
export const sweepsAMinute = ({ sweepIntervalMinMs }: Stage, ticks: number): number =>
  Math.max(1, Math.min(ticks, 60_000 / sweepIntervalMinMs));

interface Month {
  readonly work: Work;
  readonly sweeps: number;
  readonly facts: number;
  readonly calls: number;
}

const monthOf = (stage: Stage, traffic: Traffic, rows: RowBytes, things: Things): Month => {
  const { minutesAMonth, unmetShare } = ASSUMED;
  const book = { accounts: traffic.accounts, shards: stage.shards, shardsPerGroup: stage.shardsPerGroup };
  const sweeps = sweepsAMinute(stage, traffic.ticks) * minutesAMonth;
  const facts = (traffic.accounts * traffic.facts * minutesAMonth) / 1_440;
  const calls = (traffic.accounts * traffic.calledPercent) / 100;
  const work = total([
    [traffic.ticks * minutesAMonth, pricesWork(traffic.instruments)],
    [sweeps, sweepWork(book, rows, groupsOf(book))],
    [minutesAMonth, minuteWork(stage.shards, rows)],
    [minutesAMonth, { ...total([]), scheduled: things.schedules, queueRequests: 1, invocations: { "start-sweep": 1 } }],
    [facts, factWork(rows)],
    [calls, CALLED],
    [calls * (1 - unmetShare), PAID],
    [calls * unmetShare, LIQUIDATED],
  ]);
  return { work, sweeps, facts, calls };
};

const gbSecondsOf = (stage: Stage, traffic: Traffic, rows: RowBytes, { work, sweeps }: Month): number => {
  const book = { accounts: traffic.accounts, shards: stage.shards, shardsPerGroup: stage.shardsPerGroup };
  const perSweepMs = (1_000 * traffic.accounts) / ASSUMED.accountsPerS + stage.shards * pagesOfShard(book, rows) * ASSUMED.pageMs;
  const runs = Object.entries(work.invocations) as [FunctionName, number][];
  const ms = (name: FunctionName, count: number): number =>
    count * ASSUMED.runMs[name] + (name === "mark-accounts" ? sweeps * perSweepMs : 0);
  return runs.reduce((sum, [name, count]) => sum + ((ms(name, count) / 1_000) * FUNCTIONS[name].memoryMb) / 1_024, 0);
};

/** Instruments are believed for half a minute: accept-marks, start-sweep and apply-book-feed look twice a minute. */
const refreshUnits = (rows: RowBytes): number => 3 * 2 * ASSUMED.minutesAMonth * readUnits(rows.instruments, true);

const storedBytes = (traffic: Traffic, rows: RowBytes, { sweeps, facts, calls }: Month): number => {
  const { monthsKept, snapshotDays, minutesAMonth } = ASSUMED;
  const kept = facts * (rows.envelope + rows.entry) + calls * 6 * 2_000;
  return traffic.accounts * rows.account + monthsKept * kept + ((sweeps * 1_440 * snapshotDays) / minutesAMonth) * rows.snapshot;
};

/** Invocations whose source is a standard queue: each message is received and deleted. */
const CONSUMERS: readonly FunctionName[] = [
  "accept-marks",
  "start-sweep",
  "mark-accounts",
  "send-email",
  "deliver-webhook",
  "arm-deadline",
  "expire-call",
  "dispatch-orders",
];

/** The bill of one month, by service. */
export const billOf = (stage: Stage, traffic: Traffic, things: Things, { prices }: PriceList): Bill => {
  const rows = rowBytes(traffic.positions, traffic.instruments);
  const month = monthOf(stage, traffic, rows, things);
  const { work } = month;
  const runs = Object.values(work.invocations).reduce((sum, count) => sum + count, 0);
  const consumed = CONSUMERS.reduce((sum, name) => sum + 2 * (work.invocations[name] ?? 0), 0);
  const polls = things.polledQueues * ASSUMED.idlePollsAMinute * ASSUMED.minutesAMonth;
  const gb = storedBytes(traffic, rows, month) / GB;
  const units: Record<PriceName, number> = {
    readUnits: work.readUnits + refreshUnits(rows),
    writeUnits: work.writeUnits,
    tableGb: gb,
    backupGb: gb,
    invocations: runs,
    gbSeconds: gbSecondsOf(stage, traffic, rows, month),
    queueRequests: work.queueRequests + consumed + polls,
    fifoRequests: work.fifoRequests + 2 * (work.invocations["apply-book-feed"] ?? 0),
    published: work.published,
    scheduled: work.scheduled,
    emails: work.emails,
    keys: things.keys,
    keyRequests: ((2 * things.queues + things.tables) * ASSUMED.minutesAMonth) / ASSUMED.keyMinutes,
    alarms: things.alarms,
    dashboards: things.dashboards,
    metrics: ASSUMED.metrics,
    logGb: (runs * ASSUMED.logBytesPerRun) / GB,
    apiRequests: ASSUMED.apiRequests,
    natHours: (things.natGateways * ASSUMED.minutesAMonth) / 60,
    addressHours: (things.natGateways * ASSUMED.minutesAMonth) / 60,
    outGb: ((work.invocations["deliver-webhook"] ?? 0) * ASSUMED.webhookBytes) / GB,
  };
  const lines = (Object.keys(units) as PriceName[]).map((name): Line => {
    const { service, unit, usd, per } = prices[name];
    return { name, service, unit, units: units[name], usd, per, amount: (units[name] * usd) / per };
  });
  const sums = new Map<string, number>();
  for (const { service, amount } of lines) sums.set(service, (sums.get(service) ?? 0) + amount);
  const services = [...sums].map(([service, amount]) => ({ service, amount })).sort((a, b) => b.amount - a.amount);
  return {
    lines,
    services,
    rows,
    sweepsAMinute: sweepsAMinute(stage, traffic.ticks),
    total: lines.reduce((sum, { amount }) => sum + amount, 0),
  };
};
