/** Where something stands: `column` is the name of a CSV column, or the path in a JSON row ("balances.USDT"); "" for the whole line. */
export interface Place {
  readonly file: string;
  /** The first line is 1; 0 is the file as a whole. */
  readonly line: number;
  readonly column: string;
}

/** Something wrong in a file: what, where, and how to mend it. */
export interface Finding extends Place {
  readonly what: string;
  readonly mend: string;
  /** A `fault` keeps everything from being applied. A `note` is only told: the file was read all the same. */
  readonly weight: "fault" | "note";
}

/** Gathers findings, so that one dry run lists them all. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #files: readonly string[];
  readonly #faulty = new Set<string>();

  /** @param files in the order in which their findings are listed. */
  constructor(files: readonly string[] = []) {
    this.#files = files;
  }

  fault({ file, line, column }: Place, what: string, mend: string): void {
    this.#all.push({ file, line, column, what, mend, weight: "fault" });
    this.#faulty.add(`${file}\n${line}`).add(`${file}\n${line}\n${column}`);
  }

  note({ file, line, column }: Place, what: string, mend: string): void {
    this.#all.push({ file, line, column, what, mend, weight: "note" });
  }

  /** By file, then by line; in a line as they were found. */
  get all(): readonly Finding[] {
    const files = [...new Set([...this.#files, ...this.#all.map(({ file }) => file)])];
    return [...this.#all].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
  }

  /** Those that keep everything from being applied. */
  get faults(): readonly Finding[] {
    return this.all.filter(({ weight }) => weight === "fault");
  }

  /** True where a fault was found at this place already: one is enough for an operator to look there. */
  has({ file, line, column }: Place): boolean {
    return this.#faulty.has(`${file}\n${line}\n${column}`);
  }

  /** True where a fault was found on this line. */
  hasLine({ file, line }: Pick<Place, "file" | "line">): boolean {
    return this.#faulty.has(`${file}\n${line}`);
  }
}

/** One line for a person: "accounts.csv:3 balances.USDT: ... Mend: ...". */
export const lineOf = ({ file, line, column, what, mend, weight }: Finding): string => {
  const place = `${file}${line === 0 ? "" : `:${line}`}${column === "" ? "" : ` ${column}`}`;
  return `${weight === "note" ? "note " : ""}${place}: ${what}. ${mend}`;
};
