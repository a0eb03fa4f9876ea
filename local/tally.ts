import type { EventMessage } from "../adapters/wire/events.ts";
import { LEVELS, type Level } from "../core/level.ts";
import { type CallCounts, countCalls } from "./summary.ts";

/** Running counts of a replay, from the events of the topic: what the view shows while it runs. */
export interface Tally {
  /** Takes one event; a second delivery of it changes nothing, nor does the order in which they come. */
  take(event: EventMessage): void;
  /** Accounts per level. */
  levels(): ReadonlyMap<Level, number>;
  /** Calls by how they stand. */
  calls(): CallCounts;
  readonly ordersSent: number;
  readonly fills: number;
  readonly liquidations: number;
}

interface Newest<T> {
  readonly sequence: number;
  readonly value: T;
}

/** Keeps what the account's newest transaction said. */
const keepNewest = <T>(known: Map<string, Newest<T>>, key: string, sequence: number, value: T): void => {
  if (sequence >= (known.get(key)?.sequence ?? 0)) known.set(key, { sequence, value });
};

/** Begins with `accounts` accounts, all HEALTHY. */
export const createTally = (accounts: number): Tally => {
  const seen = new Set<string>();
  const levels = new Map<string, Newest<Level>>();
  const calls = new Map<string, Newest<NonNullable<EventMessage["call"]>>>();
  const counts = { "liquidation.order_sent": 0, "liquidation.filled": 0, "liquidation.completed": 0 };
  return {
    take: (event) => {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      keepNewest(levels, event.accountId, event.accountSequence, event.level);
      if (event.call !== null) keepNewest(calls, event.call.callId, event.accountSequence, event.call);
      if (event.type in counts) counts[event.type as keyof typeof counts] += 1;
    },
    levels: () => {
      const perLevel = new Map<Level, number>(LEVELS.map((level) => [level, 0]));
      for (const { value } of levels.values()) perLevel.set(value, (perLevel.get(value) ?? 0) + 1);
      perLevel.set("HEALTHY", (perLevel.get("HEALTHY") ?? 0) + accounts - levels.size);
      return perLevel;
    },
    calls: () => countCalls([...calls.values()].map(({ value }) => value)),
    get ordersSent() {
      return counts["liquidation.order_sent"];
    },
    get fills() {
      return counts["liquidation.filled"];
    },
    get liquidations() {
      return counts["liquidation.completed"];
    },
  };
};
