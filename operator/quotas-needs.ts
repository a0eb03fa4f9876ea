import type { TableName } from "../adapters/dynamodb/schema.ts";
import { CONCURRENCY_MAX } from "../lib/flow.ts";
import { FUNCTION_NAMES, nameOf, type Stage } from "../lib/stage.ts";
import { rowBytes } from "./cost/rows.ts";
import { CALLED, groupsOf, pricesWork, sweepWork } from "./cost/work.ts";

/** The size and the worst minute that the stage must bear. */
export interface Size {
  readonly accounts: number;
  readonly positions: number;
  readonly instruments: number;
  /** Prices of every instrument, a minute. */
  readonly ticks: number;
  /** Share of the accounts that are called within one minute of a crash, in percent (S45). */
  readonly breachPercent: number;
}

/** Where a value is asked: of a service's own API, or of Service Quotas by a part of the quota's name. */
export type Source =
  | { readonly api: "ses"; readonly field: "productionAccess" | "sendRate" | "dailySends" }
  | { readonly api: "table"; readonly table: TableName; readonly unit: "read" | "write" }
  | { readonly api: "limits"; readonly unit: "read" | "write" }
  | { readonly api: "serviceQuotas"; readonly serviceCode: string; readonly quotaName: string };

export interface Need {
  /** As `--known` names it. */
  readonly name: string;
  readonly unit: string;
  readonly need: number;
  /** What breaks when it is too low. */
  readonly protects: string;
  readonly raise: string;
  readonly source: Source;
}

/** A sweep of the whole book should take no longer: the goal of the benchmark for 100,000 accounts. */
const SWEEP_S = 10;
/** Within this time each holder who is called in a crash is told: the notice allowance (R12). */
const TELL_S = 60;
/** Lambda keeps so many executions for functions that reserve none. */
const UNRESERVED_MIN = 100;
/** Executions beside the sweep's of a stage that reserves none: two for each other function. */
const OTHERS = 2 * (FUNCTION_NAMES.length - 1);

const concurrencyOf = (stage: Stage): number => {
  if (stage.reservedConcurrency === "off")
    return Math.min(groupsOf({ ...stage, accounts: 0 }), CONCURRENCY_MAX["mark-accounts"] ?? 2) + OTHERS;
  return Object.values(stage.reservedConcurrency).reduce((sum, one) => sum + one, 0) + UNRESERVED_MIN;
};

/** Units a second of the busiest table, in the minute of the crash. */
const throughputOf = (stage: Stage, size: Size, called: number) => {
  const rows = rowBytes(size.positions, size.instruments);
  const book = { accounts: size.accounts, shards: stage.shards, shardsPerGroup: stage.shardsPerGroup };
  const ticksPerS = Math.max(1, size.ticks) / 60;
  return {
    bookReads: Math.ceil(sweepWork(book, rows, groupsOf(book)).readUnits / SWEEP_S),
    bookWrites: Math.ceil((called * CALLED.writeUnits) / TELL_S),
    marksReads: Math.ceil(pricesWork(size.instruments).readUnits * ticksPerS),
    marksWrites: Math.ceil(pricesWork(size.instruments).writeUnits * ticksPerS),
  };
};

const quota = (name: string, unit: string, need: number, asked: readonly [code: string, quotaName: string], protects: string): Need => ({
  ...{ name, unit, need, protects },
  raise: `Service Quotas console, ${asked[0]}, "${asked[1]}"`,
  source: { api: "serviceQuotas", serviceCode: asked[0], quotaName: asked[1] },
});

const ses = (name: string, unit: string, need: number, field: "productionAccess" | "sendRate" | "dailySends", protects: string): Need => ({
  ...{ name, unit, need, protects },
  raise: "SES console, account dashboard: request production access, or an increase of sending limits",
  source: { api: "ses", field },
});

const limit = (unit: "read" | "write", need: number, protects: string): Need => ({
  ...{ name: `table-${unit}s`, unit: `${unit} units a second, a table`, need, protects },
  raise: `Service Quotas console, dynamodb, "Table-level ${unit} throughput limit"`,
  source: { api: "limits", unit },
});

const warm = (stage: Stage, table: TableName, unit: "read" | "write", need: number): Need => ({
  name: `${table}-warm-${unit}s`,
  unit: `${unit} units a second at once`,
  need,
  protects: `the first minute of a crash: above it the table ${table} throttles while it splits`,
  raise: `aws dynamodb update-table --table-name ${nameOf(stage, table)} --warm-throughput ${unit === "read" ? "Read" : "Write"}UnitsPerSecond=${need}`,
  source: { api: "table", table, unit },
});

/** What the stage needs of the cloud account at its size. */
export const needsOf = (stage: Stage, size: Size): readonly Need[] => {
  const called = Math.ceil((size.accounts * size.breachPercent) / 100);
  const perS = Math.ceil(called / TELL_S);
  const inFlight = 10 * (CONCURRENCY_MAX["deliver-webhook"] ?? 0);
  const executions = concurrencyOf(stage);
  const { bookReads, bookWrites, marksReads, marksWrites } = throughputOf(stage, size, called);
  const crypto = "Cryptographic operations (symmetric) request rate";
  return [
    quota("lambda-concurrency", "executions", executions, ["lambda", "Concurrent executions"], "every step: what finds none waits (C15)"),
    ses("ses-production", "(1: out of the sandbox)", 1, "productionAccess", "every email: the sandbox sends to verified addresses only"),
    ses("ses-rate", "emails a second", perS, "sendRate", "that a call is told within its notice allowance (R12)"),
    ses("ses-daily", "emails in 24 hours", 4 * called, "dailySends", "the rest of the day of a crash: a call sends up to four"),
    quota("sns-publish", "messages a second", 3 * perS, ["sns", "Messages Published per Second"], "events on their way to their readers"),
    quota("scheduler-create", "timers made a second", perS, ["scheduler", "CreateSchedule"], "arming; the sweep of overdue calls covers"),
    quota(
      "scheduler-invocations",
      "firings a second",
      perS,
      ["scheduler", "Invocations throttle"],
      "deadlines that fall into one minute (S40)",
    ),
    quota("scheduler-schedules", "schedules", called + 2, ["scheduler", "Number of schedules"], "a timer for each open call"),
    quota(
      "sqs-in-flight",
      "messages in flight, a queue",
      inFlight,
      ["sqs", "In-flight messages"],
      "webhooks: past it a queue hands out nothing",
    ),
    limit("read", bookReads, "the sweep: it reads every account"),
    limit("write", Math.max(bookWrites, marksWrites), "calls and facts: each is a transaction"),
    warm(stage, "book", "read", bookReads),
    warm(stage, "book", "write", bookWrites),
    warm(stage, "marks", "read", marksReads),
    warm(stage, "marks", "write", marksWrites),
    quota("kms-requests", "requests a second", 2 * executions, ["kms", crypto], "queues, tables and secrets under the stage's keys"),
    quota("api-rate", "requests a second", stage.apiRatePerS, ["apigateway", "Throttle rate"], "the API: all APIs of the account share it"),
  ];
};

export type Verdict = "enough" | "too low" | "unknown";

export interface Judged extends Need {
  /** Null where nobody could say. */
  readonly has: number | null;
  readonly verdict: Verdict;
}

/** Judges each need by what the account has. */
export const judge = (needs: readonly Need[], has: ReadonlyMap<string, number>): readonly Judged[] =>
  needs.map((need) => {
    const value = has.get(need.name) ?? null;
    return { ...need, has: value, verdict: value === null ? "unknown" : value >= need.need ? "enough" : "too low" };
  });

/** How a person asks for a value that this command cannot: the answer goes into `--known`. */
export const askOf = ({ source }: Need): string | null =>
  source.api === "serviceQuotas"
    ? `aws service-quotas list-service-quotas --service-code ${source.serviceCode} --query "Quotas[?contains(QuotaName,'${source.quotaName}')].[QuotaName,Value]" --output text`
    : null;
