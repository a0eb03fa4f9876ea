/** Why a model gives no figure. The words in `detail` say what, where and how to mend it. */
export type Fault =
  /** A parameter is outside its range. */
  | "BAD_TERMS"
  /** A number that is not finite, or a price that its kind of return has no value for. */
  | "BAD_NUMBER"
  /** Instants that repeat or go back, or series that do not belong together. */
  | "DISORDER"
  /** A date inside the common span that a series does not have. */
  | "GAP"
  /** Fewer observations than the answer needs. */
  | "NO_HISTORY"
  /** A series that never moves, where its volatility is divided by. */
  | "ZERO_VOLATILITY"
  /** A market in which nothing is traded. */
  | "NO_VOLUME"
  /** A stress weight without a stress scenario. */
  | "NO_STRESS"
  /** An equation without a root in its range. */
  | "NO_SOLUTION";

/** A figure that was not given, by name. It never stands in a record as NaN. */
export interface Refused {
  readonly ok: false;
  readonly fault: Fault;
  readonly detail: string;
}
export interface Given<Value> {
  readonly ok: true;
  readonly value: Value;
}
/** What an estimate answers: its value, or the fault by name. Estimates are float64 in whole units. */
export type Answer<Value> = Given<Value> | Refused;

export const given = <Value>(value: Value): Given<Value> => ({ ok: true, value });
export const refused = (fault: Fault, detail: string): Refused => ({ ok: false, fault, detail });

/** True for a whole number of parts per million from `least` to `most` (R23). */
export const isPpm = (value: number, least = 0, most = 1_000_000): boolean => Number.isInteger(value) && value >= least && value <= most;
/** True for a whole number from `least` up. */
export const isCount = (value: number, least = 0): boolean => Number.isSafeInteger(value) && value >= least;

/** The first entry of a list that is not finite, as a refusal; null when all are. */
export const notFinite = (name: string, values: ArrayLike<number>): Refused | null => {
  for (let index = 0; index < values.length; index += 1) {
    if (!Number.isFinite(values[index])) {
      return refused("BAD_NUMBER", `${name}, entry ${index}: ${values[index]} is no finite number. Correct or leave out the entry`);
    }
  }
  return null;
};

/** The first named figure that is not finite or is below `least`, as a refusal; null when all are right. */
export const notAtLeast = (least: number, figures: Readonly<Record<string, number>>): Refused | null => {
  for (const [name, value] of Object.entries(figures)) {
    if (!Number.isFinite(value)) return refused("BAD_NUMBER", `${name} ${value} is no finite number. Correct it`);
    if (value < least) return refused("BAD_TERMS", `${name} ${value} is below ${least}. Correct it`);
  }
  return null;
};
