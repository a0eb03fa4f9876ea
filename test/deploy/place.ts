import type { EventMessage } from "../../adapters/wire/events.ts";
import type { FinalTables } from "../../local/final-tables.ts";

/** A message for a queue. */
export interface Letter {
  readonly body: string;
  readonly groupId?: string;
  readonly dedupId?: string;
}

/** Where the story is played: the local cloud, or an engine that nobody here wrote. */
export interface Place {
  readonly name: string;
  /** UTC epoch milliseconds. */
  now(): number;
  /** Calls the API as the caller of a role. */
  request(method: string, path: string, body: unknown, role: string): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Sends to a queue as the caller whose queue it is. */
  send(queue: "marks" | "feed.fifo", letters: readonly Letter[]): Promise<void>;
  /** Takes what waits in the venue's queue, as the venue's gateway. */
  takeOrders(): Promise<readonly string[]>;
  /** Lets about a second pass, and the work of it be done. */
  step(): Promise<void>;
  /** What is still on its way, by the queue that holds it. */
  onItsWay(): Promise<readonly string[]>;
  /** The book and the journal as they stand. */
  tables(): Promise<FinalTables>;
  /** Everything that the topic published so far. */
  events(): readonly EventMessage[];
  /** Subjects and texts of the emails sent so far. */
  emails(): Promise<readonly { readonly to: string; readonly subject: string; readonly text: string }[]>;
  /** Messages in each dead-letter queue, by its name. */
  deadLetters(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}
