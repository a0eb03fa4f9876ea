import type { EventText } from "../../adapters/wire/events.ts";
import { decimal } from "../../core/money.ts";
import type { TakenOrder } from "../actors/venue.ts";
import type { Clocks } from "../cloud/lambda.ts";
import type { MemoryTables, Written } from "../db/memory-tables.ts";
import { instantOf } from "../time/instants.ts";
import type { VirtualTime } from "../time/virtual-time.ts";
import { BookChecks, type Check } from "./book-checks.ts";
import { DecisionChecks } from "./decision-checks.ts";
import { createMarkHistory, type MarkHistory } from "./mark-history.ts";
import { createNoticeChecks, type NoticeChecks } from "./notice-checks.ts";
import { createOrderChecks } from "./order-checks.ts";
import { createPromptnessChecks } from "./promptness-checks.ts";
import { createReplayChecks } from "./replay-checks.ts";
import { type AccountRow, type CallRow, type Commit, commitOf, type OrderRow, Violation } from "./witness.ts";

/** Every property of one run, fed with what happens, and what was reached. */
export interface Checks {
  readonly check: Check;
  readonly marks: MarkHistory;
  readonly notices: NoticeChecks;
  hearWrites(written: readonly Written[], askedAt: number): void;
  hearOrder(taken: TakenOrder): void;
  /** An error that nobody should have seen breaks the run as well. */
  hearFault(error: unknown): void;
  /** Hears every event as it is committed. */
  onEvent(listener: (accountId: string, event: EventText) => void): void;
  /** Writes a line of the trace under those of the present step. */
  tell(words: string): void;
  /** Throws the first violation, once it is there: after a step, never in the middle of a function's request. */
  afterEach(): void;
  /** What is judged of a whole run only: its decisions, made again from their records. */
  judgeRecords(): Promise<void>;
  isViolation(error: unknown): error is Violation;
  accounts(): AccountRow[];
  calls(): CallRow[];
  orders(): OrderRow[];
  /** What happened, each with how often. */
  readonly reached: ReadonlyMap<string, number>;
  /** Facts on which each property was judged. */
  readonly judged: ReadonlyMap<string, number>;
}

interface Options {
  readonly time: VirtualTime;
  readonly tables: MemoryTables;
  /** Names of the tables in the template. */
  readonly names: { readonly book: string; readonly marks: string };
  readonly clocks: Clocks;
  /** When the last fault could begin, and when the run is over but for copies of a day later. */
  readonly span: { readonly startsAt: number; readonly calmSince: number; readonly endsAt: number };
  readonly trace: ((line: string) => void) | null;
  readonly eventId: (accountId: string, seq: number, index: number) => string;
}

/**
 * A host whose clock is minutes behind counts from the newest price that it knows: one that was good to it, from a
 * snapshot that may be a minute old, written within the request's budget.
 */
const WILD_SLACK_MS = 120_000;

const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

const reachedBy = (reached: Map<string, number>, commit: Commit): void => {
  for (const { before, after } of commit.calls) {
    const from = before?.status ?? "none";
    if (from === after.status) continue;
    count(reached, `${from}>${after.status}`);
    if (after.scope !== "CROSS") count(reached, `pool ${from}>${after.status}`);
    if (after.status === "MET" && after.metBy === "payment") count(reached, "metByPayment");
    if (after.status === "MET" && after.metBy === "payment" && commit.entries.some(({ externalId }) => externalId.startsWith("deposit-"))) {
      count(reached, "metByDeposit");
    }
    if (after.status === "LIQUIDATING") count(reached, `liquidating:${after.liquidationReason}`);
  }
  for (const { externalId } of commit.entries) if (externalId.startsWith("check-")) count(reached, "checkDiffered");
};

/** An event in a trace: its call, what is due by when, and why. */
const wordsOf = ({ call, level, reason }: EventText, startsAt: number): string => {
  const by = call?.deadlineAt == null ? "" : ` by ${((instantOf(call.deadlineAt) - startsAt) / 1_000).toFixed(1)}`;
  return `${call?.callId ?? "-"} ${level}${call?.status === "OPEN" ? ` due ${call.outstanding} ${call.asset}${by}` : ""}: ${reason}`;
};

export const createChecks = ({ time, tables, names, clocks, span, trace, eventId }: Options): Checks => {
  const reached = new Map<string, number>();
  const judged = new Map<string, number>();
  const listeners: ((accountId: string, event: EventText) => void)[] = [];
  const calls = new Map<string, CallRow>();
  const orders = new Map<string, OrderRow>();
  const accounts = new Map<string, AccountRow>();
  let broken: Violation | null = null;
  /** Lines of a step's consequences: they stand under the request that had them. */
  const told: string[] = [];
  const tell = (words: string): void => {
    if (trace !== null) told.push(words);
  };

  const check: Check = (id, holds, words) => {
    count(judged, id);
    if (holds || broken !== null) return;
    broken = new Violation(id, time.now(), words());
    tell(`BROKEN ${id} ${broken.message}`);
  };
  const marks = createMarkHistory(check, clocks.skewMs);
  const notices = createNoticeChecks(check);
  const book = new BookChecks(check, (clocks.wildShare ?? 0) > 0 ? WILD_SLACK_MS : 0);
  const decisions = new DecisionChecks(check, marks, clocks);
  const replay = createReplayChecks(check, tables, names);
  const judgePromptness = createPromptnessChecks(check, span);
  const judgeOrder = createOrderChecks(
    check,
    (accountId) => accounts.get(accountId) ?? null,
    (callId) => calls.get(callId)?.status ?? "none",
  );

  const hearCommit = (commit: Commit): void => {
    book.judge(commit);
    decisions.judge(commit);
    judgePromptness(commit);
    replay.hear(commit);
    for (const { after } of commit.calls) calls.set(after.callId, after);
    for (const { after } of commit.orders) orders.set(after.orderId, after);
    if (commit.account !== null) accounts.set(commit.account.after.accountId, commit.account.after);
    notices.hearCommit(commit, eventId);
    reachedBy(reached, commit);
    for (const event of commit.envelope?.events ?? []) {
      tell(`* ${event.type} ${commit.envelope?.accountId} ${wordsOf(event, span.startsAt)}`);
      for (const listener of listeners) listener(commit.envelope?.accountId ?? "", event);
    }
  };

  return {
    check,
    marks,
    notices,
    hearWrites: (written, askedAt) => {
      marks.hear(written, time.now());
      const commit = commitOf(written, time.now(), askedAt);
      if (commit !== null) hearCommit(commit);
    },
    hearOrder: (taken) => {
      tell(`* venue takes ${taken.order.orderId} ${taken.order.side} ${taken.order.quantity}, fills ${decimal(taken.filled)}`);
      judgeOrder(taken);
    },
    hearFault: (error) => {
      broken ??= new Violation("fault", time.now(), error instanceof Error ? `${error.name}: ${error.message}` : "unknown");
      tell(`BROKEN ${broken.id} ${broken.message}`);
    },
    onEvent: (listener) => void listeners.push(listener),
    tell,
    afterEach: () => {
      if (told.length > 0) for (const words of told.splice(0)) trace?.(words);
      if (broken !== null) throw broken;
    },
    judgeRecords: replay.judgeRecords,
    isViolation: (error): error is Violation => error instanceof Violation,
    accounts: () => [...accounts.values()],
    calls: () => [...calls.values()],
    orders: () => [...orders.values()],
    reached,
    judged,
  };
};
