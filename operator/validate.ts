import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Command, Refusal, runCommand, say } from "./command-line.ts";
import { readBook } from "./validate/book.ts";
import { strictJson } from "./validate/figure.ts";
import { readPrices } from "./validate/lineage.ts";
import { pageOf } from "./validate/page.ts";
import { type Progress, progressOf } from "./validate/progress.ts";
import { type Report, reportOf } from "./validate/report.ts";
import { TERMS, TOOLS, type Tool } from "./validate/terms.ts";

const OPTIONS = {
  prices: { type: "string", multiple: true },
  macro: { type: "string", multiple: true },
  book: { type: "string" },
  tools: { type: "string", default: TOOLS.join(",") },
  out: { type: "string" },
} as const;

const write = (folder: string, files: Readonly<Record<string, string>>): void => {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  } catch (error) {
    throw new Refusal(`--out ${folder}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unwritable"})`);
  }
};

/** The tools that an option names, in the order of the three. */
const toolsOf = (text: string): readonly Tool[] => {
  const named = text === "none" ? [] : text.split(",");
  const stranger = named.find((name, index) => !TOOLS.some((tool) => tool === name) || named.indexOf(name) < index);
  if (stranger !== undefined) throw new Refusal(`--tools ${text}: give ${TOOLS.join(", ")}, each once, with commas between, or none`);
  return TOOLS.filter((tool) => named.includes(tool));
};

/** `npm run validate`: whether the margin models would have covered a book through a history of prices (M14, M15). */
export const VALIDATE: Command<typeof OPTIONS> = {
  usage: `npm run validate -- --prices FILE ... --book FILE --out FOLDER [--macro FILE ...]

  --prices FILE   daily prices of one asset of the book, CSV; one for each asset
  --book FILE     accounts, positions and terms as JSON, as in examples/validate/book.json
  --macro FILE    daily prices of a series that the assets are correlated with
  --tools LIST    tools against procyclicality that are on together: buffer,stressed-weight,floor (default all three), or none
  --out FOLDER    writes report.html and report.json there

  Exit code 0: written, nothing speaks against the house's model. 1: written, with findings.
  2: a file or an option cannot be used.`,
  options: OPTIONS,
  carryOut: async ({ prices, macro, book, tools, out }) => {
    if (prices === undefined) throw new Refusal("--prices is missing: name a price file for each asset of the book");
    if (book === undefined) throw new Refusal("--book is missing: name the file with the accounts");
    if (out === undefined) throw new Refusal("--out is missing: name the folder that the report is written to");
    const terms = { ...TERMS, procyclicality: { ...TERMS.procyclicality, on: toolsOf(tools) } };
    const inputs = {
      book: readBook(book),
      assets: prices.map((path) => readPrices("prices", path)),
      macro: (macro ?? []).map((path) => readPrices("macro", path)),
    };
    let bar: Progress | null = null;
    const begun = (steps: number): (() => void) => {
      bar = progressOf("validating", steps);
      return bar.step;
    };
    let report: Report;
    try {
      report = reportOf(inputs, terms, begun);
    } finally {
      (bar as Progress | null)?.end();
    }
    write(out, { "report.json": `${strictJson(report)}\n`, "report.html": pageOf(report) });
    for (const { portfolio, words } of report.findings) say(`finding: ${portfolio}: ${words}`);
    say(`${join(out, "report.html")} and report.json: ${report.coverage.length} portfolios, ${report.days.length} days`);
    return report.findings.length === 0 ? 0 : 1;
  },
};

if (import.meta.main) process.exitCode = await runCommand(VALIDATE);
