import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const ID = /(?<![\w-])(?:[RMN](?:0|[1-9]\d?)|[ILS]\d{2}|C[1-9]\d?)(?![\w-])/g;
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "docs/reference/*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && !path.endsWith("house/ids.test.ts"));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Ids with a heading of their own in docs/reference/. */
const paged = new Set(
  tracked
    .filter((path) => path.endsWith(".md"))
    .flatMap((path) => [...read(path).matchAll(/^### ([RMNILSC]\d+)$/gm)].map(([, id]) => id as string)),
);
/** Ids that code and tests quote in comments and names, with the files that do. */
const quoted = new Map<string, string[]>();
for (const path of tracked.filter((path) => path.endsWith(".ts"))) {
  for (const [id] of read(path).matchAll(ID)) quoted.set(id, [...(quoted.get(id) ?? []), path]);
}

test("every rule id that code or tests quote has its place in docs/reference/", () => {
  const homeless = [...quoted].filter(([id]) => !paged.has(id)).map(([id, paths]) => `${id} (${[...new Set(paths)].join(", ")})`);
  expect(homeless).toEqual([]);
});

test("every id in docs/reference/ is quoted by a test", () => {
  const inTests = new Set([...quoted].filter(([, paths]) => paths.some((path) => path.startsWith("test/"))).map(([id]) => id));
  expect([...paged].filter((id) => !inTests.has(id)).sort()).toEqual([]);
});
