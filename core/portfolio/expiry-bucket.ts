import type { CloseOutValue } from "./portfolio-terms.ts";
import type { PricedInstrument } from "./priced-instrument.ts";
import type { Scenario, ScenarioSet } from "./scenario-set.ts";

const PPM = 1_000_000;
const YEAR_MS = 365 * 86_400_000;

/** A leg that has a price and is in the grid. */
export interface PricedLeg {
  readonly quantity: number;
  readonly instrument: PricedInstrument;
  readonly value: number;
  readonly delta: number;
  readonly vector: Float64Array;
}

/** The options of one expiry, the futures of one, or all that does not expire: what is closed out together. */
export interface Bucket {
  readonly kind: "option" | "future";
  /** Time to expiry in ms; null for what does not expire. */
  readonly timeMs: number | null;
  readonly legs: readonly PricedLeg[];
  /** Present value of the options. */
  readonly value: number;
  readonly factors: CloseOutFactors;
  /** Profit and loss in each row, as valued: neither weighted nor marked for close-out. */
  readonly raw: Float64Array;
  /** The same closed out, weighted, and moves of the smile as losses. */
  readonly settled: Float64Array;
}

/** `into += vector · quantity`, row by row; nothing is allocated. */
export const addProduct = (into: Float64Array, vector: Float64Array, quantity: number): void => {
  for (let row = 0; row < into.length; row++) into[row] = (into[row] as number) + (vector[row] as number) * quantity;
};

/** Factors on a value that is closed out: of a net long expiry, and of a net short one. */
export interface CloseOutFactors {
  readonly long: number;
  readonly short: number;
}
const NONE: CloseOutFactors = { long: 1, short: 1 };

const growth = ({ rateMultiplePpm, rateAddPpm }: CloseOutValue, rate: number, years: number): number =>
  Math.exp((years * (Math.max(0, rate) * rateMultiplePpm + rateAddPpm)) / PPM);

/** The static factors of an expiry (M6); 1 where the terms have none. An expiry has one rate and one discount: those of its first option. */
const closeOutFactors = (legs: readonly PricedLeg[], { terms }: ScenarioSet): CloseOutFactors => {
  const first = legs[0]?.instrument.leg;
  if (terms.closeOut === null || first?.kind !== "option") return NONE;
  const { long, short } = terms.closeOut;
  const years = first.timeMs / YEAR_MS;
  return {
    long: long.basePpm / PPM / growth(long, first.rate, years),
    short: Math.min(1 / first.discount, (short.basePpm / PPM) * growth(short, first.rate, years)),
  };
};

/** What a row makes of a bucket: its factor on the shocked value, and its weight, below 0 where a profit is turned to a loss. */
interface RowRule {
  readonly factor: number;
  readonly weight: number;
}

/** How profit and loss of a bucket in a row come from its raw vector; the same rule holds for each of its legs. */
const rowRule = (bucket: Pick<Bucket, "kind" | "value" | "factors" | "raw">, row: number, set: ScenarioSet): RowRule => {
  const { factors } = bucket;
  const { weight, volatility } = set.scenarios[row] as Scenario;
  if (bucket.kind !== "option") return { factor: 1, weight };
  const shocked = bucket.value + (bucket.raw[row] as number);
  const factor = shocked >= 0 ? factors.long : factors.short;
  const isSmile = volatility === "tilt" || volatility === "smile";
  return { factor, weight: isSmile && shocked * factor > bucket.value ? -weight : weight };
};

const bucketOf = (legs: readonly PricedLeg[], set: ScenarioSet): Bucket => {
  const first = legs[0]?.instrument.leg;
  const kind = first?.kind === "option" ? "option" : "future";
  const raw = new Float64Array(set.scenarios.length);
  let value = 0;
  for (const leg of legs) {
    addProduct(raw, leg.vector, leg.quantity);
    if (kind === "option") value += leg.quantity * leg.value;
  }
  const bucket = { kind, timeMs: first?.timeMs ?? null, legs, value, factors: closeOutFactors(legs, set), raw } as const;
  const settled = new Float64Array(raw.length);
  for (let row = 0; row < raw.length; row++) {
    const { factor, weight } = rowRule(bucket, row, set);
    settled[row] = ((value + (raw[row] as number)) * factor - value) * weight;
  }
  return { ...bucket, settled };
};

/** Legs by what is closed out together, in the order of the legs; each bucket's vector is a sum of products. */
export const bucketsOf = (legs: readonly PricedLeg[], set: ScenarioSet): readonly Bucket[] => {
  const buckets = new Map<string, PricedLeg[]>();
  for (const leg of legs) {
    const { kind, timeMs } = leg.instrument.leg;
    const key = `${kind === "option" ? "option" : "future"} ${timeMs}`;
    const together = buckets.get(key);
    if (together === undefined) buckets.set(key, [leg]);
    else together.push(leg);
  }
  return [...buckets.values()].map((together) => bucketOf(together, set));
};

/** What one leg has in its bucket's profit and loss of a row. The parts of all legs add up to it. */
export const partOf = (leg: PricedLeg, bucket: Bucket, row: number, set: ScenarioSet): number => {
  const { factor, weight } = rowRule(bucket, row, set);
  const raw = (leg.vector[row] as number) * leg.quantity;
  if (bucket.kind !== "option") return raw * weight;
  const value = leg.value * leg.quantity;
  return ((value + raw) * factor - value) * weight;
};

/** A row is worse than an earlier one by more than rounding: a future loses the same at the range and in every damped tail. */
const ROUNDING = 1e-12;

/** The largest loss among rows `from … from + count − 1`, at least 0, and the first row that has it; −1 where none loses. */
export const worstOf = (pnl: Float64Array, from: number, count: number): { readonly loss: number; readonly row: number } => {
  let worst = 0;
  let at = -1;
  for (let row = from; row < from + count; row++) {
    const each = pnl[row] as number;
    if (each < worst * (1 + ROUNDING)) {
      worst = each;
      at = row;
    }
  }
  return { loss: -worst, row: at };
};
