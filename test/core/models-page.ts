import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Rows of the table of a model's page whose first heading is `heading`: figures that readers see are the ones that tests judge. */
export const modelTable = (page: string, heading: string): string[][] => {
  const lines = readFileSync(resolve(import.meta.dirname, "../../docs/reference/models", page), "utf8").split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  if (start < 0) throw new RangeError(`${page} has no table that begins with ${heading}`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end < 0 ? rows.length : end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
};
