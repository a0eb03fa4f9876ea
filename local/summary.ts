import { KINDS, type Kind } from "./book.ts";
import type { RefusedLine } from "./feed/bar.ts";
import type { CallRow, FinalTables } from "./final-tables.ts";
import type { InvariantId } from "./invariants.ts";
import type { Verdict } from "./verdict.ts";

/** How the calls of a replay ended. `opened` is the sum of the others. */
export interface CallCounts {
  readonly opened: number;
  readonly met: number;
  /** Ended by the deadline. */
  readonly expired: number;
  /** Ended by the close-out level. */
  readonly closedOut: number;
  readonly closedFlat: number;
  readonly cancelled: number;
  readonly open: number;
}

type End = Exclude<keyof CallCounts, "opened">;

type Standing = Pick<CallRow, "status" | "liquidationReason">;

const endOf = (call: Standing): End => {
  if (call.status === "MET") return "met";
  if (call.status === "CANCELLED") return "cancelled";
  if (call.status === "CLOSED_FLAT") return "closedFlat";
  if (call.status !== "LIQUIDATED" && call.status !== "LIQUIDATION_FAILED") return "open";
  return call.liquidationReason === "closeOut" ? "closedOut" : "expired";
};

/** Counts calls by how they ended. */
export const countCalls = (calls: readonly Standing[]): CallCounts => {
  const counts = { opened: calls.length, met: 0, expired: 0, closedOut: 0, closedFlat: 0, cancelled: 0, open: 0 };
  for (const call of calls) counts[endOf(call)] += 1;
  return counts;
};

/** What came of the accounts of one kind. */
export interface KindCounts {
  readonly accounts: number;
  readonly calls: number;
  readonly orders: number;
  /** Of liquidation orders. */
  readonly fills: number;
}

/** What `--json` prints: one object, its names binding for those who read it. */
export interface Summary {
  readonly calls: CallCounts;
  readonly notices: { readonly email: number; readonly webhook: number };
  readonly orders: number;
  readonly fills: number;
  /** The same by what the accounts hold. */
  readonly kinds: Readonly<Record<Kind, KindCounts>>;
  readonly invariants: Readonly<Record<InvariantId, boolean>>;
  readonly checked: Readonly<Record<InvariantId, number>>;
  readonly durationMs: number;
  readonly seed: number;
  readonly accounts: number;
  readonly ticks: number;
  /** Lines of the price files that were not used. */
  readonly refusedLines: readonly RefusedLine[];
  /** Messages in dead-letter queues, by queue; empty when there are none. */
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly source: string;
}

export interface Ended {
  readonly tables: FinalTables;
  readonly verdicts: Readonly<Record<InvariantId, Verdict>>;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly notices: Summary["notices"];
  readonly fills: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly ticks: number;
  readonly refused: readonly RefusedLine[];
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly source: string;
}

const eachVerdict = <T>(verdicts: Ended["verdicts"], of: (verdict: Verdict) => T): Record<InvariantId, T> =>
  Object.fromEntries(Object.entries(verdicts).map(([id, verdict]) => [id, of(verdict)])) as Record<InvariantId, T>;

const kindCounts = ({ tables, kinds }: Ended): Record<Kind, KindCounts> => {
  const fills = [...tables.journals.values()].flatMap((rows) =>
    rows.flatMap(({ envelope }) =>
      envelope.entries.filter(({ fact }) => fact.kind === "fill" && typeof fact.orderId === "string").map(() => envelope),
    ),
  );
  const of = (kind: Kind, rows: readonly { readonly accountId: string }[]): number =>
    rows.filter(({ accountId }) => kinds.get(accountId) === kind).length;
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      {
        accounts: of(kind, tables.accounts),
        calls: of(kind, tables.calls),
        orders: of(kind, tables.orders),
        fills: of(kind, fills),
      },
    ]),
  ) as Record<Kind, KindCounts>;
};

/** Sums a replay up from its final tables. */
export const summaryOf = (ended: Ended): Summary => ({
  calls: countCalls(ended.tables.calls),
  notices: ended.notices,
  orders: ended.tables.orders.length,
  fills: ended.fills,
  kinds: kindCounts(ended),
  invariants: eachVerdict(ended.verdicts, (verdict) => verdict.holds),
  checked: eachVerdict(ended.verdicts, (verdict) => verdict.checked),
  durationMs: ended.durationMs,
  seed: ended.seed,
  accounts: ended.tables.accounts.length,
  ticks: ended.ticks,
  refusedLines: ended.refused,
  deadLetters: ended.deadLetters,
  source: ended.source,
});

/** True when every invariant holds: the exit code. */
export const allHold = (summary: Summary): boolean => Object.values(summary.invariants).every(Boolean);

/** A line for each kind of account, where there are several. */
const kindLines = ({ kinds }: Summary): string[] => {
  const there = KINDS.filter((kind) => kinds[kind].accounts > 0);
  if (there.length < 2) return [];
  return there.map((kind) => {
    const { accounts, calls, orders, fills } = kinds[kind];
    return `${kind.padEnd(11)} ${accounts} accounts, ${calls} calls, ${orders} orders, ${fills} fills`;
  });
};

/** The summary for people. */
export const summaryLines = (summary: Summary, verdicts: Ended["verdicts"]): string[] => {
  const { calls, notices } = summary;
  const dead = Object.entries(summary.deadLetters);
  return [
    "",
    `${summary.accounts} accounts, ${summary.ticks} ticks, seed ${summary.seed}, ${(summary.durationMs / 1_000).toFixed(1)} s`,
    `calls     ${calls.opened} opened = ${calls.met} met + ${calls.expired} expired + ${calls.closedOut} closed out + ${calls.closedFlat} closed flat + ${calls.cancelled} cancelled + ${calls.open} open`,
    `notices   ${notices.email} emails, ${notices.webhook} webhooks`,
    `orders    ${summary.orders}, fills ${summary.fills}`,
    ...kindLines(summary),
    ...(summary.refusedLines.length === 0 ? [] : [`prices    ${summary.refusedLines.length} lines refused`]),
    ...(dead.length === 0 ? [] : [`parked    ${dead.map(([queue, messages]) => `${queue} ${messages}`).join(", ")}`]),
    "",
    ...Object.entries(verdicts).flatMap(([id, { holds, checked, faults }]) => [
      `${id}  ${holds ? "holds" : "BROKEN"}  (${checked} checked)`,
      ...faults.map((fault) => `       ${fault}`),
    ]),
  ];
};
