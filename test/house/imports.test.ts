import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
let house: string;
/** What the linter says of each planted file, by its path. */
const complaints = new Map<string, string>();

const planted: readonly [path: string, source: string, complaint: string][] = [
  ["core/planted.ts", 'import { z } from "zod";\nexport const x = z;\n', "core/ imports nothing outside core/"],
  [
    "core/planted.ts",
    'import { createBook } from "../adapters/dynamodb/book.ts";\nexport const x = createBook;\n',
    "core/ imports nothing outside core/",
  ],
  [
    "core/pricing/planted.ts",
    'import { createBook } from "../../adapters/dynamodb/book.ts";\nexport const x = createBook;\n',
    "core/ imports nothing outside core/",
  ],
  ["core/planted.ts", "export const x = Date.now();\n", "global variable Date"],
  ["core/planted.ts", "export const x = process.env;\n", "global variable process"],
  ["core/planted.ts", "export const x = Math.random();\n", "randomness is an argument"],
  ["core/planted.ts", "export const x = async () => await Promise.resolve(1);\n", "core/ is synchronous"],
  [
    "adapters/planted.ts",
    'import { markAccounts } from "../functions/mark-accounts.ts";\nexport const x = markAccounts;\n',
    "adapters/ imports only",
  ],
  [
    "adapters/wire/planted.ts",
    'import { startCloud } from "../../local/cloud.ts";\nexport const x = startCloud;\n',
    "adapters/ imports only",
  ],
  ["adapters/dynamodb/planted.ts", "export const x = Date.now();\n", "ask world.clock"],
  ["adapters/planted.ts", "export const x = new Date();\n", "ask world.clock"],
  ["adapters/email/planted.ts", "export const x = Math.random();\n", "cannot be replayed"],
  ["adapters/planted.ts", "export const x = setTimeout;\n", "global variable setTimeout"],
  [
    "adapters/dynamodb/planted.ts",
    'import { DynamoDBClient } from "@aws-sdk/client-dynamodb";\nexport const x = DynamoDBClient;\n',
    "only adapters/aws/ loads a client",
  ],
  [
    "functions/planted.ts",
    'import { SQSClient } from "@aws-sdk/client-sqs";\nexport const x = SQSClient;\n',
    "Only adapters/ talks to AWS",
  ],
  ["functions/planted.ts", "export const x = Date.now();\n", "global variable Date"],
  [
    "functions/planted.ts",
    'import { startCloud } from "../local/cloud.ts";\nexport const x = startCloud;\n',
    "import only adapters/ and core/",
  ],
  ["api/planted.ts", 'import { buildApp } from "../lib/app.ts";\nexport const x = buildApp;\n', "import only adapters/ and core/"],
  ["lib/planted.ts", 'import { createBook } from "../adapters/dynamodb/book.ts";\nexport const x = createBook;\n', "lib/ imports core/"],
  [
    "lib/planted.ts",
    'import { markAccounts } from "../functions/mark-accounts.ts";\nexport const x = markAccounts;\n',
    "lib/ imports core/",
  ],
  ["local/planted.ts", 'import { x } from "../bench/bench.ts";\nexport const y = x;\n', "local/ is a product"],
  ["simulation/planted.ts", "export const x = Math.random();\n", "a run is a function of its seed"],
  ["simulation/planted.ts", "export const x = Date.now();\n", "global variable Date"],
  ["simulation/planted.ts", 'import { buildApp } from "../lib/app.ts";\nexport const x = buildApp;\n', "simulation/ plays the product"],
  ["functions/planted.ts", `${"// a line\n".repeat(71)}export const x = 1;\n`, "noExcessiveLinesPerFile"],
];

const fileOf = (index: number): string => (planted[index]?.[0] ?? "").replace("planted", `planted-${index}`);

beforeAll(() => {
  house = realpathSync(mkdtempSync(join(tmpdir(), "plimsoll-house-")));
  for (const part of ["biome.json", ".gitignore", "lint"]) cpSync(join(root, part), join(house, part), { recursive: true });
  const allowed = 'import { TABLES } from "../adapters/dynamodb/schema.ts";\n\nexport const x = TABLES;\n';
  const types = 'import type { AttributeValue } from "@aws-sdk/client-dynamodb";\n\nexport const x: AttributeValue = { S: "x" };\n';
  for (const [path, source] of [
    ...planted.map(([, source], index) => [fileOf(index), source] as const),
    ["lib/allowed.ts", allowed] as const,
    ["adapters/allowed.ts", types] as const,
  ]) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), source);
  }
  const run = spawnSync(
    join(root, "node_modules/.bin/biome"),
    ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none"],
    {
      cwd: house,
      encoding: "utf8",
    },
  );
  for (const line of `${run.stdout}${run.stderr}`.split("\n")) {
    const at = /file=([^,]+),/.exec(line)?.[1];
    if (at === undefined) continue;
    const file = relative(house, at);
    complaints.set(file, `${complaints.get(file) ?? ""}${line}\n`);
  }
});
afterAll(() => rmSync(house, { recursive: true, force: true }));

describe("the directions of imports are enforced by the linter", () => {
  test.each(planted.map(([path, , complaint], index) => ({ path, complaint, index })))(
    "$path is refused: $complaint",
    ({ index, complaint }) => {
      expect(complaints.get(fileOf(index))).toContain(complaint);
    },
  );

  test("what the house allows passes", () => {
    expect(complaints.get("lib/allowed.ts")).toBeUndefined();
    expect(complaints.get("adapters/allowed.ts")).toBeUndefined();
  });
});
