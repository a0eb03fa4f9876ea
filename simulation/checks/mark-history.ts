import type { Written } from "../db/memory-tables.ts";
import { illegalMark, type MarkState, type PriceRange } from "../model/margin.ts";
import type { Check } from "./book-checks.ts";
import { type MarkSince, markStateOf } from "./witness.ts";

/** Every state that a mark was in, and from when. */
export interface MarkHistory {
  hear(written: readonly Written[], at: number): void;
  /** Prices in force at some instant of a window. An instrument that had none ranges over everything. */
  range(from: number, until: number): PriceRange;
  /** The states that a reader may have seen up to an instant: those of the last two minutes, oldest first. */
  states(instrumentId: string, until: number): readonly MarkState[];
  newest(instrumentId: string): MarkState | null;
}

const REMEMBERED_MS = 120_000;
const ANYTHING = { low: 0, high: Number.MAX_SAFE_INTEGER };

/** @param skewMs how far a clock may be ahead. */
export const createMarkHistory = (check: Check, skewMs: number): MarkHistory => {
  const histories = new Map<string, MarkSince[]>();

  const inForce = (instrumentId: string, from: number, until: number): MarkSince[] => {
    const history = histories.get(instrumentId) ?? [];
    return history.filter((since, index) => since.from <= until && (history[index + 1]?.from ?? Number.POSITIVE_INFINITY) >= from);
  };

  return {
    hear: (written, at) => {
      for (const { table, before, after } of written) {
        if (!table.endsWith("-marks") || after?.["pk"]?.S !== "MARK") continue;
        const instrumentId = after["sk"]?.S ?? "";
        const mark = markStateOf(after);
        const refusal = illegalMark(instrumentId, { before: before === undefined ? null : markStateOf(before), after: mark }, at, skewMs);
        check("I07", refusal === null, () => `${instrumentId}: the mark became ${mark.price} of ${mark.asOf}: ${refusal}`);
        const history = histories.get(instrumentId) ?? [];
        history.push({ from: at, mark });
        histories.set(instrumentId, history);
      }
    },
    range: (from, until) => (instrumentId) => {
      const prices = inForce(instrumentId, from, until).map(({ mark }) => mark.price);
      // Where the window begins before the first price, a decision may have seen none, and valued it as R3 has it.
      return (histories.get(instrumentId)?.[0]?.from ?? until) >= from ? ANYTHING : { low: Math.min(...prices), high: Math.max(...prices) };
    },
    states: (instrumentId, until) => inForce(instrumentId, until - REMEMBERED_MS, until).map(({ mark }) => mark),
    newest: (instrumentId) => histories.get(instrumentId)?.at(-1)?.mark ?? null,
  };
};
