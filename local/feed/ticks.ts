import { abs, type Price } from "../../core/money.ts";
import type { Bar, PriceSeries } from "./bar.ts";

/** Steps from a bar's open to its close. */
const STEPS_PER_BAR = 3;

/** What the market showed at one instant: a price of each symbol that ticked. */
export interface TickStep {
  readonly at: number;
  readonly prices: ReadonlyMap<string, Price>;
}

/** Time between two ticks of a bar of this length. */
export const tickSpacingMs = (barMs: number): number => Math.floor(barMs / STEPS_PER_BAR);

/** Open, the extreme nearer to it, the other extreme, close: the shortest path through the bar. */
export const ticksOfBar = (bar: Bar): readonly [Price, Price, Price, Price] =>
  abs(bar.high - bar.open) <= abs(bar.open - bar.low) ? [bar.open, bar.high, bar.low, bar.close] : [bar.open, bar.low, bar.high, bar.close];

/**
 * All ticks of all series in order of time; symbols that tick at the same instant share a step. A bar closes
 * where the next one opens: of the two prices of that instant the later one, the open, is played. A gap
 * gives no tick: nothing is filled forward (S24).
 */
export const ticksOf = (series: readonly PriceSeries[]): TickStep[] => {
  const steps = new Map<number, Map<string, Price>>();
  for (const { symbol, barMs, bars } of series) {
    for (const bar of bars) {
      for (const [index, value] of ticksOfBar(bar).entries()) {
        const at = bar.openAt + index * tickSpacingMs(barMs);
        const step = steps.get(at) ?? new Map<string, Price>();
        step.set(symbol, value);
        steps.set(at, step);
      }
    }
  }
  return [...steps].map(([at, prices]) => ({ at, prices })).sort((a, b) => a.at - b.at);
};
