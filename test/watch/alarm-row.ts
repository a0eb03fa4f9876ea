import type { Exchange } from "./exchange.ts";

/** How an alarm is made to fire, and what its entry of the runbook does about it. */
export interface AlarmRow {
  /** What happened, in words. */
  readonly name: string;
  /** Alarms that this accounts for, without the stage. */
  readonly alarms: readonly string[];
  /** What goes wrong. */
  readonly fault: (x: Exchange) => Promise<void>;
  /** The ordinary work of each minute that shows it; it goes on after the mend. */
  readonly load?: (x: Exchange) => Promise<void>;
  /** Minutes until the alarm must be on. */
  readonly minutes: number;
  /** What the runbook says to do. */
  readonly mend: (x: Exchange) => Promise<void>;
  /** What "over when" says, where an alarm that ends by itself proves nothing: false before the mend, true after it. */
  readonly over?: (x: Exchange) => Promise<boolean>;
}

/** Below a requirement of 400 by enough for a call; below maintenance. */
export const CALLED = "280";
export const CLOSED_OUT = "150";

/** Accounts that were called, in all rows so far. */
const calledSoFar: string[] = [];
export const called = async (x: Exchange): Promise<void> => void calledSoFar.push(await x.open({ cash: CALLED }));
/** Whether the brokers of all of them were told. */
export const allTold = async ({ webhooks }: Exchange): Promise<boolean> =>
  calledSoFar.every((accountId) => webhooks.some(({ body }) => body.includes(`"${accountId}"`)));
export const closedOut = async (x: Exchange): Promise<void> => void (await x.open({ cash: CLOSED_OUT }));
