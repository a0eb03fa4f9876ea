import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { SourceFile } from "../../../operator/import/entries.ts";
import { lineOf } from "../../../operator/import/finding.ts";
import { type ImportFiles, importFiles } from "../../../operator/import/import.ts";
import type { TierFormat } from "../../../operator/import/instruments.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples/import");
export const textOf = (name: string): string => readFileSync(join(EXAMPLES, name), "utf8");
export const source = (file: string, text: string): SourceFile => ({ file, bytes: Buffer.from(text) });
export const example = (name: string): SourceFile => source(name, textOf(name));
export const tiers = (text: string, format: TierFormat = "plimsoll", symbols: readonly [string, string][] = []) => ({
  ...source(format === "plimsoll" ? "tiers.csv" : `${format}.json`, text),
  format,
  symbols: new Map(symbols),
});

const GOOD: ImportFiles = {
  policies: example("policies.csv"),
  haircuts: example("haircuts.csv"),
  instruments: example("instruments.csv"),
  tiers: tiers(textOf("tiers.csv")),
  contacts: example("contacts.csv"),
  accounts: example("accounts.csv"),
  positions: example("positions.csv"),
  brokers: [],
};
/** Findings of the good files with some of them replaced. */
export const found = async (over: Partial<ImportFiles>) => (await importFiles({ ...GOOD, ...over }, null, false)).findings.map(lineOf);

/** A file of the examples with a text in it replaced; the text must be there. */
export const changed = (name: string, from: string, to: string): SourceFile => {
  const text = textOf(name);
  if (!text.includes(from)) throw new Error(`${name} does not hold ${from}`);
  return source(name, text.replace(from, to));
};
