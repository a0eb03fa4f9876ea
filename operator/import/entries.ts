import type * as z from "zod";

import type { Findings, Place } from "./finding.ts";
import { FORMS, type Form, type FormName } from "./forms.ts";
import { knownColumn, placeOf, type Row, readTable } from "./table.ts";
import { judgeRates, type Kind, readCell } from "./values.ts";

/** A file of an import as it was read from the disk. */
export interface SourceFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A row with its values read by their columns; a value that did not read is left out, with a finding. */
export interface Entry {
  readonly row: Row;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Puts a value where a path with dots leads: objects by key, lists by index. */
const put = (root: Record<string, unknown>, path: string, value: unknown): void => {
  const parts = path.split(".");
  let held: Record<string, unknown> = root;
  for (const [index, part] of parts.slice(0, -1).entries()) {
    const next = /^\d+$/.test(parts[index + 1] as string) ? [] : {};
    held[part] ??= next;
    held = held[part] as Record<string, unknown>;
  }
  held[parts.at(-1) as string] = value;
};

interface Reading {
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly nullable: readonly string[];
  /** The form's name of each column that was met; null for one that holds `{}` or `[]`. */
  readonly known: Map<string, string | null>;
  readonly findings: Findings;
}

const knownAs = (column: string, { kinds, known }: Reading): string | null => {
  const kept = known.get(column);
  if (kept !== undefined) return kept;
  const name = knownColumn(column, { required: Object.keys(kinds), optional: [] });
  known.set(column, name);
  return name;
};

const entryOf = (row: Row, reading: Reading): Entry => {
  const { kinds, nullable, findings } = reading;
  const value: Record<string, unknown> = {};
  for (const name of nullable) put(value, name, null);
  for (const [column, { type, text }] of row.cells) {
    const name = knownAs(column, reading);
    if (name === null) put(value, column, text === "[]" ? [] : {});
    else if (type === "null" && isNullable(name, nullable)) put(value, column, null);
    else {
      const cell = readCell(row, column, kinds[name] as Kind, findings);
      if (cell !== undefined) put(value, column, cell);
    }
  }
  return { row, value };
};

/** A nullable column, and the price of the valuation asset, which has none. */
const isNullable = (known: string, nullable: readonly string[]): boolean => nullable.includes(known) || known === "collateral.*.priceId";

/** Reads a file as one of the forms: every line and value that does not read is a finding. */
export const readEntries = (source: SourceFile | undefined, name: FormName, findings: Findings): readonly Entry[] => {
  if (source === undefined) return [];
  const form: Form = FORMS[name];
  const kinds = { ...form.required, ...form.optional, ...form.nullable };
  const optional = [...Object.keys(form.optional), ...Object.keys(form.nullable)];
  const rows = readTable(source.file, source.bytes, { required: Object.keys(form.required), optional }, findings);
  for (const column of Object.keys(kinds).filter((one) => kinds[one] === "rate")) judgeRates(rows, column, findings);
  const reading = { kinds, nullable: Object.keys(form.nullable), known: new Map<string, string | null>(), findings };
  return rows.map((row) => entryOf(row, reading));
};

/**
 * Judges a row by the schema that the API and the stores read the same thing with: one definition of each form. Values
 * that did not read are not told again.
 *
 * @returns null with a finding for each value that the schema does not take.
 */
export const judged = <Schema extends z.ZodType>(
  { row }: Entry,
  schema: Schema,
  value: unknown,
  findings: Findings,
  elsewhere: (path: readonly string[]) => Place | null = () => null,
): z.output<Schema> | null => {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  for (const { path, message } of read.error.issues) {
    const names = path.map(String);
    const column = names.join(".");
    const near = row.cells.has(column) ? column : ([...row.cells.keys()].find((name) => name.startsWith(`${column}.`)) ?? column);
    const place = elsewhere(names) ?? { ...placeOf(row, near), column };
    // A column that the header lacks was told once, at the header.
    const isTold = findings.has(place) || findings.has({ ...place, line: 1 });
    if (!isTold) findings.fault(place, message, "Correct it; docs/reference/import.md has the form");
  }
  return null;
};

/** Entries by the id in a column; one that is there twice is a finding at its second line, which is left out. */
export const byId = (entries: readonly Entry[], what: string, idOf: (entry: Entry) => string, findings: Findings): Map<string, Entry> => {
  const found = new Map<string, Entry>();
  for (const entry of entries) {
    const id = idOf(entry);
    // Without its id a row is faulty already.
    if (id === "") continue;
    const first = found.get(id);
    if (first === undefined) found.set(id, entry);
    else findings.fault(placeOf(entry.row), `${what} ${id} is there twice: the first is on line ${first.row.line}`, "Keep one of them");
  }
  return found;
};

/** A text value of an entry, "" where it has none. */
export const textIn = ({ value }: Entry, column: string): string => {
  const held = value[column];
  return typeof held === "string" ? held : "";
};
