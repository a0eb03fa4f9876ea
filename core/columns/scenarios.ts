import { SCENARIOS_WASM } from "./scenarios-wasm.ts";
import { compiled, memoryOf, type Room, runEnd } from "./wasm.ts";

/** `worst` of scenarios.wat. */
type Kernel = (
  ...args: [
    accounts: number,
    stride: number,
    offsets: number,
    rows: number,
    quantities: number,
    worst: number,
    scenario: number,
    scratch: number,
  ]
) => void;

/** Scenarios that the kernel sums at a time: rows are padded to a multiple. */
const LANES = 16;
const ROW_UNIT = LANES * 8;
/** Accounts, and positions, that are copied at a time, so that they stay in the processor's cache. */
const CHUNK = 16_384;
/** Addresses of the kernel are signed 32-bit integers; half of them leave room for the accounts. */
const VECTOR_BYTES_MAX = 2 ** 30;
/** Largest magnitude of a value and of a quantity: no sum of their products can overflow. */
const MAGNITUDE_MAX = 1e150;

const kernelOver = compiled<{ readonly worst: Kernel }>(SCENARIOS_WASM);

/** What one unit of each instrument gains in each scenario, in whole units of one asset: instrument by instrument, `scenarios` values each. */
export interface ScenarioVectors {
  readonly values: Float64Array;
  readonly scenarios: number;
}

/** Positions of many accounts: those of account a stand from `offsets[a]` up to `offsets[a + 1]`, itself excluded. */
export interface PositionColumns {
  readonly offsets: Int32Array;
  /** Index of the instrument in the vectors. */
  readonly instruments: Int32Array;
  /** Signed: positive is long. */
  readonly quantities: Float64Array;
}

/** The worst scenario of each account: the least sum, and the first scenario that has it. An account without positions: 0, scenario 0. */
export interface Worst {
  readonly worst: Float64Array;
  readonly scenario: Int32Array;
}

/** The vectors at the start of the memory, each row padded with its first scenario, which a later one that ties never replaces. */
const load = ({ values, scenarios }: ScenarioVectors, memory: ArrayBuffer, stride: number): void => {
  const into = new Float64Array(memory);
  const width = stride / 8;
  for (let row = 0, from = 0, to = 0; from < values.length; row += 1, from += scenarios, to += width) {
    for (let scenario = 0; scenario < scenarios; scenario += 1) {
      const value = values[from + scenario] as number;
      if (!(Math.abs(value) <= MAGNITUDE_MAX)) {
        throw new RangeError(`instrument ${row}, scenario ${scenario}: ${value} is no value: give a number of at most 1e150`);
      }
      into[to + scenario] = value;
    }
    into.fill(into[to] as number, to + scenarios, to + width);
  }
};

const checkShape = ({ values, scenarios }: ScenarioVectors, { offsets, instruments, quantities }: PositionColumns): void => {
  if (!Number.isInteger(scenarios) || scenarios < 1) throw new RangeError(`${scenarios} scenarios: give at least one`);
  if (values.length % scenarios !== 0) {
    throw new RangeError(`${values.length} values are no whole number of rows of ${scenarios} scenarios`);
  }
  if (offsets.length === 0 || offsets[0] !== 0) throw new RangeError("offsets do not start at 0: give one for each account and one more");
  for (let account = 1; account < offsets.length; account += 1) {
    if ((offsets[account] as number) < (offsets[account - 1] as number)) throw new RangeError(`offsets fall at account ${account - 1}`);
  }
  const positions = offsets[offsets.length - 1] as number;
  if (positions !== instruments.length || positions !== quantities.length) {
    throw new RangeError(`offsets end at ${positions}, with ${instruments.length} instruments and ${quantities.length} quantities`);
  }
};

/**
 * The worst of S scenarios for each account: `min over s of Σ quantity · value[instrument][s]`, in float64.
 *
 * Each scenario is summed in the order of the positions and rounded as a plain loop rounds it: the
 * result is that loop's, bit for bit, and differs from the real sum by at most `(n + 1) · 2^-53 · Σ|q·v|` for n
 * positions. Runs in WebAssembly, sixteen scenarios at a time (docs/reference/models/fast-passes.md).
 *
 * @throws RangeError for what is no number or above 1e150, naming the instrument and scenario or the position; for an
 *   instrument without a row; for offsets that do not fit; for more than 1 GiB of vectors.
 */
export const worstOf = (vectors: ScenarioVectors, positions: PositionColumns): Worst => {
  checkShape(vectors, positions);
  const { offsets, instruments, quantities } = positions;
  const stride = Math.ceil(vectors.scenarios / LANES) * ROW_UNIT;
  const rows = vectors.values.length / vectors.scenarios;
  if (rows * stride > VECTOR_BYTES_MAX) throw new RangeError(`${rows} vectors of ${vectors.scenarios} scenarios are more than 1 GiB`);
  const accounts = offsets.length - 1;
  let most = CHUNK;
  for (let account = 0; account < accounts; account += 1) {
    most = Math.max(most, (offsets[account + 1] as number) - (offsets[account] as number));
  }
  const room: Room = { accounts: CHUNK, positions: most };
  const at = { scratch: rows * stride, quantities: 0, worst: 0, rows: 0, offsets: 0, scenario: 0, end: 0 };
  at.quantities = at.scratch + ROW_UNIT;
  at.worst = at.quantities + room.positions * 8;
  at.rows = at.worst + CHUNK * 8;
  at.offsets = at.rows + room.positions * 4;
  at.scenario = at.offsets + (CHUNK + 1) * 4;
  at.end = at.scenario + CHUNK * 4;
  const memory = memoryOf(at.end);
  load(vectors, memory.buffer, stride);
  const { worst: kernel } = kernelOver(memory);
  const chunk = {
    quantities: new Float64Array(memory.buffer, at.quantities, room.positions),
    rows: new Int32Array(memory.buffer, at.rows, room.positions),
    offsets: new Int32Array(memory.buffer, at.offsets, CHUNK + 1),
    worst: new Float64Array(memory.buffer, at.worst, CHUNK),
    scenario: new Int32Array(memory.buffer, at.scenario, CHUNK),
  };
  const result = { worst: new Float64Array(accounts), scenario: new Int32Array(accounts) };
  for (let first = 0; first < accounts; ) {
    const last = runEnd(offsets, first, room);
    const from = offsets[first] as number;
    const end = offsets[last] as number;
    for (let account = first; account <= last; account += 1) chunk.offsets[account - first] = (offsets[account] as number) - from;
    for (let position = from; position < end; position += 1) {
      const row = instruments[position] as number;
      const quantity = quantities[position] as number;
      if (row < 0 || row >= rows) throw new RangeError(`position ${position}: instrument ${row} has no vector among ${rows}`);
      if (!(Math.abs(quantity) <= MAGNITUDE_MAX)) {
        throw new RangeError(`position ${position}: ${quantity} is no quantity: give a number of at most 1e150`);
      }
      chunk.rows[position - from] = row * stride;
      chunk.quantities[position - from] = quantity;
    }
    kernel(last - first, stride, at.offsets, at.rows, at.quantities, at.worst, at.scenario, at.scratch);
    result.worst.set(chunk.worst.subarray(0, last - first), first);
    result.scenario.set(chunk.scenario.subarray(0, last - first), first);
    first = last;
  }
  return result;
};
