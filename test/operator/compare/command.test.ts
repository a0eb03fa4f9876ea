import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

import { runCommand } from "../../../operator/command-line.ts";
import { COMPARE } from "../../../operator/compare.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples/compare");
const OURS = join(EXAMPLES, "ours.json");
const THEIRS = join(EXAMPLES, "theirs.csv");

const run = async (...args: string[]): Promise<{ code: number; out: string; error: string }> => {
  const [out, error]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(`${text}`) > 0),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => error.push(`${text}`) > 0),
  ];
  const code = await runCommand(COMPARE, args);
  for (const spy of spies) spy.mockRestore();
  return { code, out: out.join(""), error: error.join("") };
};

const fileWith = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), "theirs-")), "theirs.csv");
  writeFileSync(file, text);
  return file;
};

describe("npm run compare", () => {
  test("differences are exit code 1, with one line each, its evidence and the sums", async () => {
    const { code, out } = await run("--theirs", THEIRS, "--ours", OURS);
    expect(code).toBe(1);
    expect(out.split("\n")).toHaveLength(24);
    expect(out).toMatch(/^P-mark +call +only theirs +none +2026-01-05T12:10:03\.000Z +mark$/m);
    expect(out).toContain("14 accounts, 9 acts of ours, 11 of theirs: 4 equal, 10 different (1 mark, 1 book, 1 tier, 1 fee, 1 haircut,");
  });

  test("--json is one object with both sides of each difference", async () => {
    const { code, out } = await run("--theirs", THEIRS, "--ours", OURS, "--json", "--tolerance-s", "30");
    expect(code).toBe(1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ toleranceS: 30, accounts: 14, equal: 4, causes: { mark: 1, timing: 1 } });
    expect(report.differences[8]).toMatchObject({
      ...{ accountId: "P-timing", kind: "call", aspect: "time", cause: "timing" },
      ours: { at: "2026-01-05T12:10:00.000Z", accountSequence: 3, amountDue: "4.6" },
      theirs: { place: "line 29", amountDue: "4.6" },
    });
  });

  test("no difference is exit code 0", async () => {
    const theirs = fileWith("account,kind,at\nE-called,call,2026-01-05T12:10:00Z\n");
    const args = ["--theirs", theirs, "--ours", OURS, "--from", "2026-01-05T12:05:00Z", "--to", "2026-01-05T12:04:00Z"];
    expect(await run(...args)).toMatchObject({ code: 0, out: "14 accounts, 0 acts of ours, 0 of theirs: 0 equal, 0 different\n" });
  });

  test.each<[string, string[], string]>([
    ["no file of theirs", ["--ours", OURS], "--theirs is missing: name the other system's file"],
    ["neither side of ours", ["--theirs", THEIRS], "give our side once: --ours FILE or --stage NAME|FILE.json"],
    ["both sides of ours", ["--theirs", THEIRS, "--ours", OURS, "--stage", "sandbox"], "give our side once"],
    ["a file that is not there", ["--theirs", "no/such.csv", "--ours", OURS], "--theirs no/such.csv: cannot be read (ENOENT)"],
    ["a date for an instant", ["--theirs", THEIRS, "--ours", OURS, "--from", "2026-01-05"], "--from 2026-01-05: give an instant in UTC"],
    ["a tolerance of no number", ["--theirs", THEIRS, "--ours", OURS, "--tolerance-s", "1m"], "--tolerance-s 1m: give whole seconds"],
    [
      "a file with a bad line",
      ["--theirs", fileWith("account,kind,at\nA-1,call,now\n"), "--ours", OURS],
      "line 2: at: Invalid ISO datetime",
    ],
    ["a side of ours of another form", ["--theirs", THEIRS, "--ours", THEIRS], "is no JSON"],
  ])("%s is exit code 2, with the reason", async (_, args, words) => {
    const { code, error } = await run(...args);
    expect(code).toBe(2);
    expect(error).toContain(words);
  });
});
