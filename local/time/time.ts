/** Takes back something that was to come. */
export type Cancel = () => void;

/** The local cloud's time: who acts when. UTC epoch milliseconds. */
export interface Time {
  now(): number;
  /** Something that happens once. An instant that has passed is due at once. */
  at(instant: number, label: string, act: () => Promise<void>): Cancel;
  /** Something that happens at a steady rate, first one period from now. */
  every(periodMs: number, label: string, act: () => Promise<void>): void;
  stop(): void;
}
