import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { FORMS } from "../../../operator/import/forms.ts";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLES = join(ROOT, "examples/import");
const page = readFileSync(join(ROOT, "docs/reference/import.md"), "utf8");
const files = readdirSync(EXAMPLES);

test("each table of the page is the start of an example, which the tests import", () => {
  const blocks = [...page.matchAll(/```csv\n([\s\S]*?)```/g)].map(([, block]) => block as string);
  const known = files.filter((name) => name.endsWith(".csv")).map((name) => readFileSync(join(EXAMPLES, name), "utf8"));
  expect(blocks).toHaveLength(6);
  expect(blocks.filter((block) => !known.some((text) => text.startsWith(block)))).toEqual([]);
});

test("each example is a form, or a venue's", () => {
  const forms = [
    ...Object.keys(FORMS).flatMap((name) => [`${name}.csv`, `${name}.json`]),
    "binance-leverage-bracket.json",
    "bybit-risk-limit.json",
  ];
  expect(files.filter((name) => !forms.includes(name))).toEqual([]);
  expect(Object.keys(FORMS).filter((name) => !files.includes(`${name}.csv`))).toEqual([]);
});
