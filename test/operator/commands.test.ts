import { execFile } from "node:child_process";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

const answerOf = (file: string, args: readonly string[]): Promise<{ readonly code: unknown; readonly error: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [`operator/${file}.ts`, ...args], { cwd: ROOT }, (failure, _, error) =>
      resolve({ code: failure === null ? 0 : failure.code, error }),
    );
  });

describe("a command that cannot be carried out says why, shows its usage and ends with 2", () => {
  it.each([
    ["migrate", [], "--stage is missing: name the preset or the .json file that was deployed"],
    ["migrate", ["--stage", "sandbox", "--to", "2"], "Unknown option '--to'"],
    ["restored", ["--backup", "2020-03-12T10:00:00Z"], "--stage is missing"],
    ["restored", ["--stage", "sandbox"], "--backup is missing or no instant"],
    ["restored", ["--stage", "sandbox", "--backup", "yesterday"], "--backup is missing or no instant"],
    ["restored", ["--stage", "sandbox", "--backup", "2020-03-12T10:00:00+01:00"], "--backup is missing or no instant"],
    ["restored", ["--stage", "sandbox", "--backup", "2999-01-01T00:00:00Z"], "lies ahead of this machine's clock"],
  ])("%s %j: %s", async (command, args, words) => {
    const { code, error } = await answerOf(command, args);
    expect(code).toBe(2);
    expect(error).toContain(words);
    expect(error).toContain(`npm run ${command} -- --stage`);
  });
});
