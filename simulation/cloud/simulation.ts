import type { MemoryTables } from "../db/memory-tables.ts";
import type { Faults } from "../faults/chance.ts";
import type { VirtualTime } from "../time/virtual-time.ts";

/** What the parts of a simulated cloud share: its time, its tables, its faults, its counters and its trace. */
export interface Simulation {
  readonly time: VirtualTime;
  readonly tables: MemoryTables;
  readonly faults: Faults;
  /** A number in [0, 1) for what is merely uncertain: latencies, the order of a poll. */
  readonly jitter: () => number;
  readonly counts: Counts;
  /** The request that is being carried out: when its function made it. */
  readonly request: { askedAt: number };
  /** Is told of every message that reached the topic, and of every log line. */
  readonly heard: {
    published(id: string): void;
    line(text: string): void;
    /** An error that no service gives: of the simulator itself, or of a store that asks for what no service answers. It ends the run. */
    fault(error: unknown): void;
  };
  /** Writes a line of the trace; null when nobody reads it. */
  readonly trace: ((line: string) => void) | null;
}

/** How much happened. */
export interface Counts {
  /** Requests of functions to services, whatever became of them. */
  calls: number;
  invocations: number;
  /** Counts of the functions' own metrics, by name. */
  readonly metrics: Map<string, number>;
}

/** A latency between two bounds, in whole milliseconds. */
export const latency = ({ jitter }: Simulation, least: number, most: number): number => least + Math.floor(jitter() * (most - least));
