import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

/** The evaluator of policies is under the AGPL: a tool of these tests, and no part of anything that is deployed or run. */
const EVALUATOR = "@cloud-copilot/";

/** Files that take it in, of those that are given with their text. */
const takingIn = (files: readonly (readonly [path: string, text: string])[]): readonly string[] =>
  files.filter(([path, text]) => text.includes(EVALUATOR) && !path.startsWith("test/")).map(([path]) => path);

describe("the AGPL's evaluator", () => {
  test("is named by no source outside test/", () => {
    const paths = execFileSync("git", ["ls-files", "*.ts", "*.js", "*.mjs", "*.cjs"], { encoding: "utf8" }).trim().split("\n");
    expect(paths.length).toBeGreaterThan(300);
    expect(takingIn(paths.map((path) => [path, readFileSync(path, "utf8")]))).toEqual([]);
  });

  test("would be found where it is not allowed", () => {
    const line = `import { runSimulation } from "${EVALUATOR}iam-simulate";`;
    expect(
      takingIn([
        ["lib/planted.ts", line],
        ["core/clock.ts", ""],
        ["test/iam/judge.ts", line],
      ]),
    ).toEqual(["lib/planted.ts"]);
  });

  test("is a development dependency", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(Object.keys(dependencies).filter((name) => name.startsWith(EVALUATOR))).toEqual([]);
    expect(Object.keys(devDependencies)).toContain("@cloud-copilot/iam-simulate");
  });
});
