import { money } from "../../core/money.ts";
import type { Findings } from "./finding.ts";
import { type Cell, placeOf, type Row } from "./table.ts";

/**
 * What a column holds.
 *
 * - `text`: as it is written.
 * - `decimal`: an amount, price or quantity as plain decimal text; in JSON a string, since a number loses digits (S43).
 * - `rate`: a fraction from 0 to 1 as decimal text: "0.005" is 0.5 %. Read to parts per million.
 * - `weight`: a factor from 1 to 10 as decimal text, likewise.
 * - `share`: whole parts per million, as the API has them: 5000 is 0.5 %.
 * - `whole`: a count, a duration in milliseconds or parts per million of a fee.
 * - `flag`: true or false.
 */
export type Kind = "text" | "decimal" | "rate" | "weight" | "share" | "whole" | "flag";

/** A fault of one value. */
export interface Fault {
  readonly what: string;
  readonly mend: string;
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 40));

const DECIMAL = /^-?\d{1,20}(\.\d{1,8}0*)?$/;
const PLAIN = "Write a plain decimal such as 1250.5";

const decimalFault = (text: string): Fault | null => {
  if (DECIMAL.test(text)) return null;
  if (/^-?\d{1,3}([,'_ \u00A0\u202F]\d{3})+(\.\d+)?$/.test(text)) return { what: `${shown(text)} has a thousands separator`, mend: PLAIN };
  if (/^-?\d+,\d+$/.test(text)) return { what: `${shown(text)} has a decimal comma`, mend: `${PLAIN}: the mark is a point` };
  if (text.trim() !== text) return { what: `${shown(text)} has blanks around it`, mend: "Remove them" };
  if (text.endsWith("%")) return { what: `${shown(text)} has a percent sign`, mend: "Write the fraction: 0.5 % is 0.005" };
  if (/^[+-]?[\d.]+e[+-]?\d+$/i.test(text)) return { what: `${shown(text)} has an exponent`, mend: `${PLAIN}, with all its digits` };
  if (/^-?[\d.,]+ ?[A-Za-z$€£]+$/.test(text) || /^[$€£]/.test(text)) {
    return { what: `${shown(text)} has a unit in it`, mend: `${PLAIN}: the unit is the column's, for every row the same` };
  }
  if (/^-?\d{1,20}\.\d{9,}$/.test(text))
    return { what: `${shown(text)} has more than 8 decimals`, mend: "Round it to 8 decimals: nothing is rounded here" };
  return { what: `${shown(text)} is no plain decimal`, mend: PLAIN };
};

/** A fraction in parts per million; exact, or rounded up where a requirement is made of it. @returns null for more than six decimals. */
export const ppmOf = (text: string, rounding: "exact" | "up" = "exact"): number | null => {
  const value = money(text);
  if (value % 100n === 0n) return Number(value / 100n);
  return rounding === "up" ? Number(value / 100n) + 1 : null;
};

const readRate = (text: string): number | Fault => decimalFault(text) ?? ppmOf(text) ?? SIX;
const SIX = { what: "a rate with more than 6 decimals", mend: "Rates are whole parts per million: round it, for a requirement up" };

const readWeight = (text: string): number | Fault => {
  const ppm = readRate(text);
  if (typeof ppm !== "number" || (ppm >= 1_000_000 && ppm <= 10_000_000)) return ppm;
  return { what: `weight ${shown(text)} is not from 1 to 10`, mend: "Write a factor: a debt that counts 5 % more weighs 1.05 (M2)" };
};

const readWhole = (text: string): number | Fault =>
  /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
    ? Number(text)
    : {
        what: `${shown(text)} is no whole number`,
        mend: "Write digits alone: one minute is 60000 (ms), 0.5 % is 5000 (parts per million)",
      };

/** Least share that is no percentage in disguise: nothing is required at 0.01 %. */
const SHARE_MIN = 100;

const readShare = (text: string): number | Fault => {
  const ppm = readWhole(text);
  if (typeof ppm !== "number" || ppm === 0 || ppm > SHARE_MIN) return ppm;
  return { what: `${text} parts per million are at most 0.01 %: this looks like percent`, mend: "50 % is 500000" };
};

const readFlag = (text: string): boolean | Fault =>
  text === "true" || text === "false" ? text === "true" : { what: `${shown(text)} is neither true nor false`, mend: "Write true or false" };

const asText = new Set<Kind>(["text", "decimal", "rate", "weight"]);

/** A JSON value of a type that the column does not take. */
const typeFault = (kind: Kind, { type }: Cell): Fault | null => {
  if (type === "null") return { what: "null", mend: "Give a value" };
  if (type === "empty") return { what: "an object or list where one value is due", mend: "Give one value" };
  if (asText.has(kind) === (type === "string")) return null;
  if (kind === "decimal" || kind === "rate" || kind === "weight") {
    return { what: "a JSON number where decimal text is due", mend: "Put it in quotes: a JSON number loses digits" };
  }
  return kind === "text"
    ? { what: `a JSON ${type} where text is due`, mend: "Put it in quotes" }
    : { what: "text where a JSON number or true or false is due", mend: "Write it without quotes" };
};

const READERS: Readonly<Record<Kind, (text: string) => unknown>> = {
  text: (text) => text,
  decimal: (text) => decimalFault(text) ?? text,
  rate: readRate,
  weight: readWeight,
  share: readShare,
  whole: readWhole,
  flag: readFlag,
};

const isFault = (value: unknown): value is Fault => typeof value === "object" && value !== null;

/** Reads one cell as its column has it. @returns undefined with a finding where it does not read. */
export const readCell = (row: Row, column: string, kind: Kind, findings: Findings): unknown => {
  const cell = row.cells.get(column);
  if (cell === undefined || findings.has(placeOf(row, column))) return undefined;
  const value = (row.form === "json" ? typeFault(kind, cell) : null) ?? READERS[kind](cell.text);
  if (!isFault(value)) return value;
  findings.fault(placeOf(row, column), value.what, value.mend);
  return undefined;
};

/**
 * Judges a whole column of fractions: rates above 1 are percent. Beside rates that are not, the column mixes both,
 * and nobody can say which of the small ones are percent too.
 */
export const judgeRates = (rows: readonly Row[], column: string, findings: Findings): void => {
  const given = rows.flatMap((row) => {
    const cell = row.cells.get(column);
    return cell === undefined || decimalFault(cell.text) !== null ? [] : [{ row, text: cell.text, value: money(cell.text) }];
  });
  const above = given.filter(({ value }) => value > 100_000_000n);
  const isMixed = given.some(({ value }) => value > 0n && value <= 100_000_000n);
  for (const { row, text } of above) {
    const what = isMixed
      ? `${text} is above 1 beside rates below: the column mixes percent and fractions`
      : `${text} is above 1: the column looks like percent`;
    findings.fault(placeOf(row, column), what, "Write every rate of the column as a fraction: 0.5 % is 0.005");
  }
  for (const { row, text, value } of given) {
    if (value < 0n) findings.fault(placeOf(row, column), `${text} is below 0`, "A rate is a fraction from 0 to 1");
  }
};
