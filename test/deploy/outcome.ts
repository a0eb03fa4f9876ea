import type { EventMessage } from "../../adapters/wire/events.ts";
import { decimal, type Money } from "../../core/money.ts";
import type { CallRow, EnvelopeEvent, FinalTables, OrderRow } from "../../local/final-tables.ts";
import { judgeInvariants } from "../../local/invariants.ts";
import type { Delivery } from "../../local/page/receiver.ts";
import type { Place } from "./place.ts";
import type { Played } from "./story.ts";

/** What came of a story, a line for each thing: its place, and what is there. Instants are left out: each cloud has its own. */
export type Outcome = ReadonlyMap<string, string>;

/**
 * Everything of a record but its instants, what only names a moment, and versions: they count writes, and facts that
 * wait together are written together.
 */
const timeless = (value: unknown): unknown => {
  if (typeof value === "bigint") return decimal(value as Money);
  if (Array.isArray(value)) return value.map(timeless);
  if (value instanceof Map) return timeless(Object.fromEntries([...value].sort(([a], [b]) => (a < b ? -1 : 1))));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !/At$|Since$|^(snapshotId|version|deadlineVersion)$/.test(name));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, timeless(one)]));
};

const line = (value: unknown): string => JSON.stringify(timeless(value));

const callLine = (call: CallRow): string =>
  line({ ...call, promisedMs: call.deadlineAt === null ? null : call.deadlineAt - call.issuedAt });

const orderLine = (order: OrderRow): string => line(order);

/** Events of one account in the order of its journal: `events/silent/03 margin_call.updated`. */
const eventLines = (accountId: string, events: readonly EnvelopeEvent[]): [string, string][] =>
  events.map((event, index) => [`events/${accountId}/${`${index + 1}`.padStart(2, "0")}`, line(event)]);

const counts = (prefix: string, names: readonly string[]): [string, string][] =>
  [...Map.groupBy(names, (name) => name)].map(([name, all]) => [`${prefix}/${name}`, `${all.length}`]);

const tableLines = ({ accounts, calls, orders, journals }: FinalTables): [string, string][] => [
  ...accounts.map(({ accountId, cash, positions }): [string, string] => [`accounts/${accountId}`, line({ cash, positions })]),
  ...calls.map((call): [string, string] => [`calls/${call.accountId}/${call.callId}`, callLine(call)]),
  ...orders.map((order): [string, string] => [`orders/${order.accountId}/${order.orderId}`, orderLine(order)]),
  ...[...journals].flatMap(([accountId, rows]) =>
    eventLines(
      accountId,
      rows.flatMap(({ envelope }) => envelope.events),
    ),
  ),
];

const publishedLines = (events: readonly EventMessage[]): [string, string][] => {
  const once = new Map(events.map((event) => [event.id, event]));
  return counts(
    "published",
    [...once.values()].map(({ accountId, type }) => `${accountId} ${type}`),
  );
};

const deliveryLines = (deliveries: readonly Delivery[]): [string, string][] => [
  ...counts(
    "webhooks",
    deliveries.filter(({ verified, repeated }) => verified && !repeated).map(({ endpointId, type }) => `${endpointId} ${type}`),
  ),
  ["webhooks/refused", `${deliveries.filter(({ verified }) => !verified).length}`],
];

/** Reads what came of a story that has been played. */
export const outcomeOf = async (place: Place, played: Played, deliveries: readonly Delivery[]): Promise<Outcome> => {
  const tables = await place.tables();
  const emails = await place.emails();
  const notices = [
    ...emails.map(({ subject, text }) => ({
      channel: "email" as const,
      callId: /MC-[A-Z2-7]{12}-\d+/.exec(`${subject}\n${text}`)?.[0] ?? null,
    })),
    ...deliveries.map(({ callId }) => ({ channel: "webhook" as const, callId })),
  ];
  const verdicts = judgeInvariants({ tables, venue: played.venue.record, notices, statements: [] });
  return new Map([
    ...tableLines(tables),
    ...publishedLines(place.events()),
    ...counts(
      "emails",
      emails.map(({ to, subject }) => `${to} ${subject.replace(/ by .*| until .*/, "")}`),
    ),
    ...deliveryLines(deliveries),
    ...Object.entries(await place.deadLetters())
      .filter(([, messages]) => messages > 0)
      .map(([queue, messages]): [string, string] => [`dead letters/${queue}`, `${messages}`]),
    ...Object.entries(verdicts).map(([id, { holds, faults }]): [string, string] => [
      `invariants/${id}`,
      holds ? "holds" : faults.join("; "),
    ]),
  ]);
};
