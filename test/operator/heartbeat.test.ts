import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { type Beat, createHeartbeat, lookAt } from "../../operator/heartbeat-watch.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Seconds after the begin: when it was looked, what was seen (the sweep's own second; null for nothing), what it means. */
type Row = readonly [lookedAt: number, sweptAt: number | null, beat: Beat];

describe("S32: silence is counted from the last sweep that is known to have reached every account", () => {
  test.each<[name: string, rows: Row[]]>([
    [
      "a deployment that watches",
      [
        [0, -30, "beats"],
        [20, -30, "beats"],
        [40, 31, "beats"],
        [200, 150, "beats"],
      ],
    ],
    [
      "one lost answer is no silence",
      [
        [0, -30, "beats"],
        [20, null, "quiet"],
        [40, 31, "beats"],
      ],
    ],
    [
      "nothing answers any more",
      [
        [0, -30, "beats"],
        [100, null, "quiet"],
        [150, null, "quiet"],
        [151, null, "silent"],
      ],
    ],
    [
      "it answers, and no sweep ends any more",
      [
        [0, -30, "beats"],
        [150, -30, "beats"],
        [151, -30, "silent"],
        [200, -30, "silent"],
      ],
    ],
    ["it was silent before anybody looked", [[0, -181, "silent"]]],
    [
      "nothing ever answered",
      [
        [0, null, "quiet"],
        [180, null, "quiet"],
        [181, null, "silent"],
      ],
    ],
    [
      "it comes back",
      [
        [0, -181, "silent"],
        [20, 10, "back"],
        [40, 10, "beats"],
      ],
    ],
    [
      "a deployment whose clock is ahead hides no silence",
      [
        [0, 5, "beats"],
        [185, 5, "beats"],
        [186, 5, "silent"],
      ],
    ],
  ])("%s", (_, rows) => {
    const judge = createHeartbeat(180_000, 0);
    const beats = rows.map(([at, swept]) => judge({ sweptAt: swept === null ? null : swept * 1_000, fault: "" }, at * 1_000));
    expect(beats).toEqual(rows.map(([, , beat]) => beat));
  });
});

let stop: (() => void) | null = null;
afterEach(() => stop?.());

/** A deployment's front door. @returns its address. */
const serve = async (status: number, body: () => string, asked: string[] = []): Promise<string> => {
  const server = createServer((request, reply) => {
    asked.push(request.url ?? "");
    reply.writeHead(status, { location: "/elsewhere" }).end(body());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const reply = (sweptAt: string | null) => () => JSON.stringify({ status: "ok", sweptAt });

describe("a look at a deployment", () => {
  test.each<[name: string, status: number, body: string, seen: object]>([
    ["a sweep's instant", 200, reply("2020-03-12T10:00:00.000Z")(), { sweptAt: Date.UTC(2020, 2, 12, 10), fault: "" }],
    ["no sweep yet", 200, reply(null)(), { sweptAt: null, fault: "no sweep has ever reached every account" }],
    ["an error", 503, "", { sweptAt: null, fault: "answered 503" }],
    ["another page", 200, "{}", { sweptAt: null, fault: "answered something else than a health reply" }],
    ["no JSON", 200, "<html>", { sweptAt: null, fault: "no answer: SyntaxError" }],
    ["a page elsewhere", 302, "", { sweptAt: null, fault: expect.stringMatching(/^no answer: /) }],
  ])("%s", async (_, status, body, seen) => {
    expect(await lookAt(await serve(status, () => body))).toEqual(seen);
  });

  test("nobody there", async () => {
    expect(await lookAt("http://127.0.0.1:1")).toEqual({ sweptAt: null, fault: expect.stringMatching(/^no answer: /) });
  });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run heartbeat -- args`, ended once `until` stands in its output, or by itself. */
const heartbeat = (args: readonly string[], until?: string): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(join(ROOT, "node_modules/.bin/node"), ["operator/heartbeat.ts", ...args], { cwd: ROOT });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (until !== undefined && stdout.includes(until)) child.kill();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });

describe("npm run heartbeat", () => {
  test("exits 1 and says since when nobody watches", async () => {
    const url = await serve(200, reply("2020-03-12T10:00:00.000Z"));
    const { code, stdout } = await heartbeat(["--url", url]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/ silent: last sweep 2020-03-12T10:00:00\.000Z\n$/)]);
  });

  test("calls its hook when silence begins and when it is over, and tells a dead man's switch of each beat", async () => {
    const asked: string[] = [];
    let looks = 0;
    const url = await serve(200, () => reply(looks++ === 0 ? "2020-03-12T10:00:00.000Z" : new Date().toISOString())(), asked);
    const args = ["--url", url, "--interval", "1", "--hook", "echo hook says $HEARTBEAT", "--ping", `${url}/ping/1`];
    const { stdout } = await heartbeat(args, "hook says back");
    expect(stdout).toMatch(/ silent: .*[\s\S]*hook says silent[\s\S]* back: .*[\s\S]*hook says back/);
    expect(asked.slice(0, 2)).toEqual(["/health", "/health"]);
    expect(asked.filter((path) => path === "/health").length).toBeGreaterThan(asked.filter((path) => path.startsWith("/ping")).length);
  });

  test.each([
    [["--interval", "20"], "--url: give an http or https address"],
    [["--url", "ftp://example.com"], "--url: give an http or https address"],
    [["--url", "http://127.0.0.1:1", "--after", "1.5"], "--after: give whole seconds, 1 to 86400"],
    [["--url", "http://127.0.0.1:1", "--every", "5"], "Unknown option '--every'"],
  ])("refuses %j", async (args, words) => {
    const { code, stdout, stderr } = await heartbeat(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
  });
});
