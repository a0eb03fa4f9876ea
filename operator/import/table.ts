import { parse } from "csv-parse/sync";

import { Refusal } from "../command-line.ts";
import type { Findings, Place } from "./finding.ts";
import { type JsonLeaf, placesInJson } from "./json-places.ts";
import { textOf } from "./text.ts";

/** One value of a row with its line. From CSV each is a "string". */
export interface Cell {
  readonly text: string;
  readonly type: JsonLeaf["type"];
  readonly line: number;
}

/** A row of a table: its cells by column. An empty CSV cell is not there. */
export interface Row {
  readonly file: string;
  readonly form: "csv" | "json";
  /** Line on which it starts. */
  readonly line: number;
  readonly cells: ReadonlyMap<string, Cell>;
}

/** Columns that a table may have. "*" in a name stands for any asset or list index: "balances.*". */
export interface Columns {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The name of a column as the form knows it: list indexes and assets are "*". Null for none of them. */
export const knownColumn = (name: string, { required, optional }: Columns): string | null => {
  const parts = name.split(".");
  const fits = (known: string): boolean => {
    const own = known.split(".");
    return own.length === parts.length && own.every((part, index) => part === parts[index] || (part === "*" && isWild(parts[index])));
  };
  return required.find(fits) ?? optional.find(fits) ?? null;
};
const isWild = (part: string | undefined): boolean => part !== undefined && /^[A-Za-z0-9-]{1,20}$/.test(part);

/** The place of a cell, or of its row where the cell is not there. */
export const placeOf = (row: Row, column = ""): Place => ({ file: row.file, line: row.cells.get(column)?.line ?? row.line, column });

const list = (names: readonly string[]): string => names.join(",");

interface Source {
  readonly file: string;
  readonly text: string;
  readonly columns: Columns;
  readonly findings: Findings;
}

/** Judges the first line of a CSV. @returns the column of each cell, null for one to leave out; or null for no header at all. */
const readHeader = ({ file, columns, findings }: Source, names: readonly string[], line: number): (string | null)[] | null => {
  const at = (column: string): Place => ({ file, line, column });
  if (!names.some((name) => knownColumn(name, columns) !== null)) {
    const other = names.length === 1 ? /[;\t|]/.exec(names[0] as string)?.[0] : undefined;
    const what =
      other === undefined
        ? "the header is missing: the first line names no known column"
        : `cells are separated by ${JSON.stringify(other)}`;
    const mend = other === undefined ? `Start the file with ${list(columns.required)}` : "Save it with commas between cells";
    findings.fault(at(""), what, mend);
    return null;
  }
  const seen = new Set<string>();
  const kept = names.map((name) => {
    if (seen.has(name)) findings.fault(at(name), "the column is there twice", "Keep one of them");
    else if (knownColumn(name, columns) === null) {
      findings.fault(at(name), "an unknown column", `Remove it; known are ${list([...columns.required, ...columns.optional])}`);
    } else {
      seen.add(name);
      return name;
    }
    return null;
  });
  for (const name of columns.required.filter((required) => !required.includes("*") && !seen.has(required))) {
    findings.fault(at(name), "the column is missing", "Add it to the header and to each row");
  }
  return kept;
};

interface CsvRecord {
  readonly record: readonly string[];
  readonly line: number;
}

const recordsOf = ({ file, text, findings }: Source): CsvRecord[] => {
  const parsed = parse(text, {
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      const line = Number(error?.["lines"] ?? 0);
      findings.fault(
        { file, line, column: "" },
        `not CSV (${error?.code ?? "unreadable"})`,
        "Close each quote, and double a quote inside quotes",
      );
      return undefined;
    },
    // The typings of csv-parse do not follow the option `info`.
  }) as unknown as { record: string[]; info: { lines: number } }[];
  const breaks = (record: readonly string[]): number => record.reduce((sum, cell) => sum + cell.split("\n").length - 1, 0);
  return parsed.map(({ record, info }) => ({ record, line: info.lines - breaks(record) }));
};

const csvRows = (source: Source): Row[] => {
  const { file, findings } = source;
  const [first, ...others] = recordsOf(source);
  if (first === undefined) return [];
  const header = readHeader(source, first.record, first.line);
  if (header === null) return [];
  return others.flatMap(({ record, line }) => {
    const whole = { file, line, column: "" };
    if (record.join() === first.record.join()) {
      findings.fault(whole, "the header again", "Remove the line: files that were joined keep one header");
      return [];
    }
    if (record.length !== header.length) {
      const mend = "Give each row one cell a column; a comma inside a cell stands in quotes, a number has none";
      findings.fault(whole, `${record.length} cells where the header has ${header.length}`, mend);
      return [];
    }
    const cells = new Map<string, Cell>();
    for (const [index, name] of header.entries()) {
      const text = record[index] ?? "";
      if (name !== null && text !== "") cells.set(name, { text, type: "string", line });
    }
    return [{ file, form: "csv", line, cells }];
  });
};

/** The content of a JSON text; undefined with a finding that names the line where it is none. */
export const contentOf = ({ file, text, findings }: Pick<Source, "file" | "text" | "findings">): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0] as string;
    const told = /position (\d+)/.exec(reason);
    const line = told === null ? text.split("\n").length : text.slice(0, Number(told[1])).split("\n").length;
    findings.fault({ file, line, column: "" }, `not JSON: ${reason.replace(/ in JSON.*/, "")}`, "Correct the text from there on");
    return undefined;
  }
};

const jsonRows = (source: Source): Row[] => {
  const { file, text, columns, findings } = source;
  const content = contentOf(source);
  if (content === undefined) return [];
  if (!Array.isArray(content)) {
    findings.fault({ file, line: 1, column: "" }, "not a list", "Give one JSON list, [ {...}, {...} ], with an object a row");
    return [];
  }
  const { leaves, itemLines, twice } = placesInJson(text);
  for (const { path, line } of twice) {
    findings.fault({ file, line, column: path.replace(/^\d+\./, "") }, "the key is there twice in one object", "Keep one of them");
  }
  const cells = content.map(() => new Map<string, Cell>());
  for (const { path, text: written, type, line } of leaves) {
    const [index = "", ...rest] = path.split(".");
    const column = rest.join(".");
    const place = { file, line, column };
    if (column === "") {
      if (type !== "empty" || written === "[]") findings.fault(place, "a row that is no object", "Give each row as { ... }");
    } else if (knownColumn(column, columns) === null && !isEmptyOf(column, type, columns)) {
      findings.fault(place, "an unknown key", `Remove it; known are ${list([...columns.required, ...columns.optional])}`);
    } else cells[Number(index)]?.set(column, { text: written, type, line });
  }
  return cells.map((own, index) => ({ file, form: "json", line: itemLines[index] ?? 0, cells: own }));
};

/** True for `{}` or `[]` where the form has something inside: "balances": {} is an account without balances. */
const isEmptyOf = (column: string, type: Cell["type"], { required, optional }: Columns): boolean =>
  type === "empty" && [...required, ...optional].some((known) => known.startsWith(`${column}.`));

/** A table with nothing in it reads like one without rows. */
const missingIn = (row: Row, columns: Columns, findings: Findings): void => {
  for (const name of columns.required.filter((required) => !required.includes("*") && !row.cells.has(required))) {
    if (!findings.has(placeOf(row, name)) && !findings.has({ file: row.file, line: 1, column: name })) {
      findings.fault(placeOf(row, name), "no value", "Give one");
    }
  }
};

/**
 * Reads a table strictly: CSV with a header line, or JSON as one list of objects, told by the file's name. Keys of
 * objects inside a JSON row are joined by dots, so that both forms have the same columns: "balances.USDT".
 *
 * Every line that does not read is a finding; the others are read all the same.
 *
 * @param columns what the table may hold; anything else is a finding, as is a row without a required one.
 * @throws Refusal for a file whose name ends neither with .csv nor with .json.
 */
export const readTable = (file: string, bytes: Uint8Array, columns: Columns, findings: Findings): readonly Row[] => {
  const form = /\.(csv|json)$/i.exec(file)?.[1]?.toLowerCase();
  if (form === undefined) throw new Refusal(`${file}: is neither .csv nor .json; the name's ending says how it is read`);
  const text = textOf(file, bytes, findings);
  if (text === null) return [];
  const source = { file, text, columns, findings };
  const rows = form === "csv" ? csvRows(source) : jsonRows(source);
  for (const row of rows) missingIn(row, columns, findings);
  return rows;
};
