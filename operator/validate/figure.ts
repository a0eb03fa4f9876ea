import { decimal, type Money } from "../../core/money.ts";
import type { Answer } from "../../core/statistics/answer.ts";

/** A figure that may be missing: never NaN, always with the reason where it is not there. */
export type Figure = { readonly value: number; readonly reason: null } | { readonly value: null; readonly reason: string };

export const missing = (reason: string): Figure => ({ value: null, reason });

/** A number of a calculation. A number that is not finite becomes missing, with `otherwise` as the reason. */
export const figure = (value: number, otherwise = "the calculation has no finite result"): Figure =>
  Number.isFinite(value) ? { value, reason: null } : missing(otherwise);

/** What a model answered, or why it did not. */
export const answered = <Value>(answer: Answer<Value>, read: (value: Value) => number): Figure =>
  answer.ok ? figure(read(answer.value)) : missing(`${answer.fault}: ${answer.detail}`);

/** Whole units as a decimal string of at most 8 decimals: `up` for a requirement or a loss, `down` for what stands against it. */
export const moneyOf = (estimate: number, rounding: "up" | "down"): string => {
  const scaled = estimate * 1e8;
  return decimal(BigInt(rounding === "up" ? Math.ceil(scaled) : Math.floor(scaled)) as Money);
};

/** JSON in which every number is finite. @throws RangeError at a number that is not: null would hide it. */
export const strictJson = (content: unknown, indent?: number): string =>
  JSON.stringify(
    content,
    (key, value: unknown) => {
      if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`the report's field ${key} is no finite number`);
      return value;
    },
    indent,
  );
