import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes small files into a folder of their own. @returns the path of a name in it. */
export const written = (files: Readonly<Record<string, string>>): ((name: string) => string) => {
  const folder = mkdtempSync(join(tmpdir(), "validate-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
};

/** The folder of the worked example. */
export const EXAMPLE = join(import.meta.dirname, "../../../examples/validate");
/** Recorded prices, where this machine has them beside the project. */
export const RECORDED = join(import.meta.dirname, "../../../../shared/data");
