import type { CallRow } from "../checks/witness.ts";
import type { Story, Told } from "./story.ts";

const words = (what: string, is: unknown, expected: unknown): readonly string[] => {
  const [a, b] = [JSON.stringify(is), JSON.stringify(expected)];
  return a === b ? [] : [`${what}: expected ${b}, came ${a}`];
};

/** A call in a line: `A-1: LIQUIDATED by closeOut`, `A-1: MET by payment`. */
export const lineOf = ({ accountId, status, metBy, liquidationReason }: CallRow): string =>
  `${accountId}: ${status}${metBy === null ? "" : ` by ${metBy}`}${liquidationReason === null ? "" : ` after ${liquidationReason}`}`;

const keyOf = ({ accountId, callId }: CallRow): string =>
  [accountId, callId].map((id) => id.replace(/\d+$/, (digits) => digits.padStart(6, "0"))).join(" ");
const compare = (a: string, b: string): number => (a < b ? -1 : 1);

/** Calls by account and number, in lines. */
export const callLines = ({ calls }: Told): readonly string[] => [...calls].sort((a, b) => compare(keyOf(a), keyOf(b))).map(lineOf);

/** What must have come of a story, to the last order and notice. */
export interface Expected {
  /** `A-1: LIQUIDATED by closeOut`, by account and number. */
  readonly calls: readonly string[];
  /** Orders that the venue took, and how many of them it filled at all. */
  readonly orders: number;
  readonly filled?: number;
  /** Different e-mails, and different webhooks of calls: what comes twice counts once, and a change of level, which a cent decides, not at all. */
  readonly emails?: number;
  readonly webhooks?: number;
  /** Counts of metrics that must be exactly these; 0 where nothing was counted. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Messages that are parked at the end. */
  readonly parked?: Readonly<Record<string, number>>;
  readonly more?: (told: Told) => readonly string[];
}

const distinct = (notices: readonly { readonly id: string }[]): number => new Set(notices.map(({ id }) => id)).size;

export const exactly =
  ({ calls, orders, filled, emails, webhooks, metrics = {}, parked = {}, more }: Expected): Story["expect"] =>
  (told) => [
    ...words("violation", told.result.violation?.message ?? null, null),
    ...words("calls", callLines(told), calls),
    ...words("orders that the venue took", told.taken.length, orders),
    ...words("orders that it filled", told.taken.filter((one) => one.filled > 0n).length, filled ?? orders),
    ...(emails === undefined ? [] : words("e-mails", distinct(told.emails), emails)),
    ...(webhooks === undefined
      ? []
      : words("webhooks", distinct(told.webhooks.filter(({ type }) => type !== "account.level_changed")), webhooks)),
    ...Object.entries(metrics).flatMap(([name, count]) => words(name, told.metrics.get(name) ?? 0, count)),
    ...words("parked", Object.fromEntries(told.parked), parked),
    ...(more?.(told) ?? []),
  ];

export const same = words;

/** Whatever one fault struck: these calls, ended like this, and no order that was taken twice. */
export const alwaysCalls =
  (calls: readonly string[]): NonNullable<Story["always"]> =>
  (told) =>
    words("calls", callLines(told), calls);

/** Whatever one fault struck: the calls ended in one of these ways. */
export const alwaysOneOf =
  (...outcomes: readonly (readonly string[])[]): NonNullable<Story["always"]> =>
  (told) => {
    const lines = callLines(told);
    return outcomes.some((one) => JSON.stringify(one) === JSON.stringify(lines)) ? [] : [`calls: ${lines.join(", ")}`];
  };

/** Whatever one fault struck: there was a call, each has ended, and no more orders left than attempts allow. */
export const alwaysEnded =
  (ordersMax: number): NonNullable<Story["always"]> =>
  ({ calls, taken }) => [
    ...words("ended", calls.length > 0 && calls.every(({ endedAt }) => endedAt !== null), true),
    ...words("within the orders allowed", taken.length <= ordersMax, true),
  ];
