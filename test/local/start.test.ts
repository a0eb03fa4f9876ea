import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm start -- args`, by the Node that npm scripts run. */
const start = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      join(ROOT, "node_modules/.bin/node"),
      ["local/start.ts", ...args],
      { cwd: ROOT, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr }),
    );
  });

/** Sixteen hours of BTC: quiet, a slow fall of 8 %, a fall of 30 % within an hour, and quiet again. */
const CRASH = ["100", "100", "99", "98", "96", "94", "92", "92", "80", "65", "65", "66", "67", "67", "67", "67", "67"].map(
  (share) => Number(share) * 80,
);

const crashFile = (): string => {
  const file = join(mkdtempSync(join(tmpdir(), "crash-")), "1h_BTCUSDT_made-up.csv");
  const bars = CRASH.slice(0, -1).map((open, hour) => {
    const close = CRASH[hour + 1] as number;
    const [high, low] = [Math.max(open, close) + 8, Math.min(open, close) - 8];
    return `2020-03-12T${String(hour).padStart(2, "0")}:00:00Z,${open},${high},${low},${close}`;
  });
  writeFileSync(file, ["timestamp,open,high,low,close", ...bars, "2020-03-12T16:00:00Z,0,1,0,1", ""].join("\n"));
  return file;
};

describe("npm start refuses in one line, with the way out, and exits 2", () => {
  it.each([
    ["an unknown option", ["--speed", "3"], /^Unknown option '--speed'.*; see npm start -- --help\n$/],
    [
      "a price file that is not there",
      ["--prices", "no/such.csv"],
      /^no\/such\.csv: cannot be read \(no such file\); give --prices the path of a CSV file\n$/,
    ],
    ["a file of another layout", ["--prices", "package.json"], /^package\.json: its first line is no known layout; known are: .*\n$/],
    [
      "a book that is not there",
      ["--book", "no/such.json"],
      /^no\/such\.json: cannot be read \(ENOENT\); give --book the path of a JSON file\n$/,
    ],
  ])("%s", async (_, args, words) => {
    expect(await start(...args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(words) });
  });

  it("a port taken", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
    );
    const ended = await start("--once", "--port", String(port));
    server.close();
    expect(ended).toMatchObject({ code: 2, stderr: `port ${port} is taken or not allowed; give another one with --port\n` });
  });
});

describe("npm start -- --json", () => {
  it("plays a crash through the whole pipeline to one JSON object with every invariant true", { timeout: 600_000 }, async () => {
    const file = crashFile();
    const { code, stdout, stderr } = await start("--json", "--prices", file, "--accounts", "120", "--seed", "7");
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const summary = JSON.parse(stdout);
    expect(Object.values(summary.invariants)).toEqual(Object.values(summary.invariants).map(() => true));
    expect(Object.values(summary.checked).every((count) => Number(count) > 0)).toBe(true);
    const { opened, met, expired, closedOut, closedFlat, cancelled, open } = summary.calls;
    expect(opened).toBe(met + expired + closedOut + closedFlat + cancelled + open);
    expect(closedOut).toBeGreaterThan(0);
    expect(summary).toMatchObject({ accounts: 120, seed: 7, ticks: 49, deadLetters: {} });
    expect(summary.refusedLines).toEqual([{ file, line: 18, reason: "open 0 is not above 0" }]);
    expect(summary.notices.email).toBeGreaterThan(0);
    expect(summary.notices.webhook).toBeGreaterThan(summary.notices.email);
    expect(summary.fills).toBeGreaterThanOrEqual(1);
    expect(code).toBe(0);
  });
});
