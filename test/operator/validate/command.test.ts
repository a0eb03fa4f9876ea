import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { runCommand } from "../../../operator/command-line.ts";
import { progressOf } from "../../../operator/validate/progress.ts";
import { VALIDATE } from "../../../operator/validate.ts";
import { EXAMPLE, written } from "./files.ts";

const BTC = ["--prices", join(EXAMPLE, "made-up_BTCUSDT_1d.csv")];
const ETH = ["--prices", join(EXAMPLE, "made-up_ETHUSDT_1d.csv")];
const BOOK = ["--book", join(EXAMPLE, "book.json")];

let said: string;
beforeEach(() => {
  said = "";
  const keep = (text: string | Uint8Array): boolean => {
    said += text;
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(keep as never);
  vi.spyOn(process.stderr, "write").mockImplementation(keep as never);
});
afterEach(() => vi.restoreAllMocks());

const run = async (args: readonly string[]): Promise<{ code: number; json: string; html: string; folder: string }> => {
  const folder = mkdtempSync(join(tmpdir(), "validate-command-"));
  const code = await runCommand(VALIDATE, [...args, "--out", folder]);
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  return code === 2 ? { code, json: "", html: "", folder } : { code, json: read("report.json"), html: read("report.html"), folder };
};

/** Every number and every missing figure of a report. */
const walkThrough = (value: unknown, path: string, seen: (path: string, value: unknown) => void): void => {
  seen(path, value);
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) walkThrough(part, `${path}.${key}`, seen);
};

describe("a report", () => {
  it("is the same bytes again, holds no NaN, and says why a figure is missing", { timeout: 120_000 }, async () => {
    const macro = written({ "WTI.csv": "date,price\n2025-06-16,70\n2025-06-17,71\n2025-06-18,72\n" })("WTI.csv");
    const args = [...BTC, ...ETH, ...BOOK, "--macro", macro];
    const [one, other] = [await run(args), await run(args)];
    expect(one.code).toBe(0);
    expect(one.json).toBe(other.json);
    expect(one.html).toBe(other.html);
    const missing: string[] = [];
    walkThrough(JSON.parse(one.json), "", (path, value) => {
      if (typeof value !== "object" || value === null || !("value" in value) || !("reason" in value)) return;
      expect([path, value.value === null]).toEqual([path, value.reason !== null]);
      if (value.value === null) missing.push(`${path}: ${value.reason}`);
    });
    expect(missing.join("\n")).toContain("analytics.macro.0.whole: NO_HISTORY: 2 joint returns of 1 steps, 30 needed");
    expect(one.json).not.toMatch(/NaN|Infinity|undefined/);
    expect(said).toContain("11 portfolios, 400 days");
  });

  it("is a page of its own, with what a reader without eyes or mouse needs", { timeout: 120_000 }, async () => {
    const { html } = await run([...BTC, ...ETH, ...BOOK]);
    expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)=/);
    expect(html).toContain('<html lang="en">');
    expect(html).toContain("Tools that are on, to be published with these figures: buffer, stressed-weight, floor.");
    expect(html).toContain("Content-Security-Policy\" content=\"default-src 'none'");
    expect(html.match(/<table>/g)?.length).toBe(html.match(/<caption>/g)?.length);
    const headings = [...html.matchAll(/<h([123])\b/g)].map(([, level]) => Number(level));
    expect(headings[0]).toBe(1);
    expect(headings.every((level, index) => index === 0 || level - (headings[index - 1] as number) <= 1)).toBe(true);
    for (const [, id] of html.matchAll(/aria-labelledby="([^"]+)"/g)) expect(html).toContain(`id="${id}"`);
    expect(html).not.toMatch(/>(?:NaN|undefined|null|Infinity)</);
  });

  it("ends with 1 where a test finds the house's model asking for too little", { timeout: 120_000 }, async () => {
    // Calm for 550 days, then a fall of 30 % on every tenth: no margin of the past covers them.
    let price = 1_000_000;
    const rows = Array.from({ length: 640 }, (_, day) => {
      price *= day > 550 && day % 10 === 0 ? 0.7 : 1 + 0.004 * Math.sin(day * 1.7);
      return `${new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10)},${price.toFixed(4)}`;
    });
    const book = {
      ...{ name: "<b>&", quoteAsset: "USDT", assets: { BTCUSDT: { initialRatePpm: 9, maintenanceRatePpm: 9, rangePpm: 9 } } },
      accounts: [{ accountId: "a", cash: "1", positions: { BTCUSDT: "1" } }],
    };
    const at = written({ "BTCUSDT.csv": `date,price\n${rows.join("\n")}\n`, "book.json": JSON.stringify(book) });
    const { code, html, json } = await run(["--prices", at("BTCUSDT.csv"), "--book", at("book.json"), "--tools", "floor,buffer"]);
    expect(code).toBe(1);
    expect(JSON.parse(json).procyclicalityTools).toEqual(["buffer", "floor"]);
    expect(html).toContain("the tools that are on: buffer, floor");
    expect(said).toContain("finding: book, net: ");
    expect(JSON.parse(json).findings.length).toBeGreaterThan(0);
    expect(html).toContain("&lt;b&gt;&amp;");
    expect(html).not.toContain("<b>&");
  });
});

describe("a command that cannot be carried out ends with 2 and says why", () => {
  it.each([
    ["no prices", [...BOOK], "--prices is missing"],
    ["no book", [...BTC], "--book is missing"],
    ["a tool that there is none of", [...BTC, ...BOOK, "--tools", "buffer,cap"], "--tools buffer,cap: give buffer, stressed-weight, floor"],
    ["a tool twice", [...BTC, ...BOOK, "--tools", "floor,floor"], "--tools floor,floor: give buffer, stressed-weight, floor"],
    ["an asset without a file", [...BTC, ...BOOK], "ETHUSDT is in the book and no --prices file tells it"],
    ["a file twice", [...BTC, ...BTC, ...ETH, ...BOOK], "made-up_BTCUSDT_1d.csv both tell BTCUSDT: give one"],
    ["a file too many", [...BTC, ...ETH, "--prices", "SOL", ...BOOK], "the book has no terms for SOLUSDT"],
    ["a short file", ["--prices", "SHORT", ...ETH, ...BOOK], "NO_HISTORY"],
    ["a price that never moves", ["--prices", "STILL", ...ETH, ...BOOK], "BTCUSDT cannot be computed (ZERO_VOLATILITY)"],
  ])("%s", async (_, args, words) => {
    const at = written({
      "SOLUSDT.csv": "date,price\n2024-01-01,1\n2024-01-02,2\n",
      "BTCUSDT.csv": "date,price\n2024-01-01,1\n2024-01-02,2\n",
      "still_BTCUSDT_1d.csv": readFileSync(join(EXAMPLE, "made-up_BTCUSDT_1d.csv"), "utf8").replace(/,\d.*$/gm, ",100"),
    });
    const files: Record<string, string> = { SOL: at("SOLUSDT.csv"), SHORT: at("BTCUSDT.csv"), STILL: at("still_BTCUSDT_1d.csv") };
    expect((await run(args.map((arg) => files[arg] ?? arg))).code).toBe(2);
    expect(said).toContain(words);
    expect(said).toContain("npm run validate -- --prices FILE");
  });

  it("a folder that cannot be written", { timeout: 120_000 }, async () => {
    const at = written({ file: "" });
    expect(await runCommand(VALIDATE, [...BTC, ...ETH, ...BOOK, "--out", join(at("file"), "deeper")])).toBe(2);
    expect(said).toContain("cannot be written (ENOTDIR)");
  });
});

describe("progress", () => {
  const terminal = (isTTY: boolean): { written: string[]; stream: NodeJS.WriteStream } => {
    const texts: string[] = [];
    return { written: texts, stream: { isTTY, write: (text: string) => texts.push(text) > 0 } as unknown as NodeJS.WriteStream };
  };

  it("is a bar on a terminal, drawn once a per cent, and goes away", () => {
    const { written: texts, stream } = terminal(true);
    const bar = progressOf("validating", 400, stream);
    for (let step = 0; step < 200; step += 1) bar.step();
    expect(texts).toHaveLength(51);
    expect(texts.at(-1)).toBe("\rvalidating [###############...............] 50 %");
    bar.end();
    expect(texts.at(-1)).toBe("\r\u001b[2K");
  });

  it("is nothing elsewhere", () => {
    const { written: texts, stream } = terminal(false);
    const bar = progressOf("validating", 1, stream);
    bar.step();
    bar.end();
    expect(texts).toEqual([]);
  });
});

it("is what npm run validate calls", () => {
  const script = JSON.parse(readFileSync(join(EXAMPLE, "../../package.json"), "utf8")).scripts.validate;
  expect(script).toBe("node operator/validate.ts");
  expect(execFileSync(process.execPath, ["operator/validate.ts", "--help"], { cwd: join(EXAMPLE, "../.."), encoding: "utf8" })).toContain(
    "report.html",
  );
});
