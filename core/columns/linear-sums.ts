import { LINEAR_SUMS_WASM } from "./linear-sums-wasm.ts";
import { compiled, growTo, memoryOf, type Room, runEnd } from "./wasm.ts";

/** `sums` of linear-sums.wat. */
type Kernel = (...args: [accounts: number, terms: number, offsets: number, instruments: number, quantities: number, sums: number]) => void;

/** Copied at a time, so that it stays in the processor's cache. An account of the columns has at most 500 positions: it fits. */
const ROOM: Room = { accounts: 1_024, positions: 8_192 };
/** Numbers of an instrument in the terms, the last two of them unused: a row is a line of the processor's cache. */
export const TERMS_WIDTH = 8;

const QUANTITIES = 0;
const SUMS = QUANTITIES + ROOM.positions * 8;
const INSTRUMENTS = SUMS + ROOM.accounts * 16;
const OFFSETS = INSTRUMENTS + ROOM.positions * 4;
/** The next multiple of a row. */
const TERMS = Math.ceil((OFFSETS + (ROOM.accounts + 1) * 4) / (TERMS_WIDTH * 8)) * TERMS_WIDTH * 8;

/**
 * One memory for all books: a pass copies a run of accounts into it, sums, and goes on to the next, so that no book has
 * anything to give back. It is 116 KiB and 64 bytes for each instrument of the largest book so far, in whole pages. Columns
 * that lived in a memory of their own would save the copying, a sixth of a pass, but each such memory reserves gigabytes
 * of addresses until the collector finds it.
 */
const memory = memoryOf(TERMS);
const { sums: kernel } = compiled<{ readonly sums: Kernel }>(LINEAR_SUMS_WASM)(memory);

/** Positions of many accounts: those of account a stand from `offsets[a]` up to `offsets[a + 1]`, itself excluded. */
interface Positions {
  readonly offsets: Int32Array;
  readonly instrument: Int32Array;
  readonly quantity: Float64Array;
}

/**
 * Sums `Σ q·unit` and `Σ max(|q|·first, |q|·second − less)` of every account, a run of accounts at a time, each in the order of
 * its positions and rounded as a plain loop rounds it.
 *
 * @param terms of each instrument `[unit, first, unit, second, 0, less]` and two numbers more that nobody reads.
 * @param visit takes the two sums of each account from `first` up to `last`, itself excluded; they are gone when it returns.
 *   It must not ask for sums itself: there is one memory.
 */
export const eachRun = (
  { offsets, instrument, quantity }: Positions,
  terms: Float64Array,
  visit: (sums: Float64Array, first: number, last: number) => void,
): void => {
  growTo(memory, TERMS + terms.byteLength);
  const { buffer } = memory;
  new Float64Array(buffer, TERMS).set(terms);
  const run = {
    quantities: new Float64Array(buffer, QUANTITIES, ROOM.positions),
    sums: new Float64Array(buffer, SUMS, ROOM.accounts * 2),
    instruments: new Int32Array(buffer, INSTRUMENTS, ROOM.positions),
    offsets: new Int32Array(buffer, OFFSETS, ROOM.accounts + 1),
  };
  for (let first = 0; first < offsets.length - 1; ) {
    const last = runEnd(offsets, first, ROOM);
    const from = offsets[first] as number;
    const end = offsets[last] as number;
    run.offsets.set(offsets.subarray(first, last + 1));
    run.instruments.set(instrument.subarray(from, end));
    run.quantities.set(quantity.subarray(from, end));
    // Offsets count from the book's first position, so the columns are said to start as far before the run: addresses wrap.
    kernel(last - first, TERMS, OFFSETS, INSTRUMENTS - from * 4, QUANTITIES - from * 8, SUMS);
    visit(run.sums, first, last);
    first = last;
  }
};
