import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { policyBody } from "../../adapters/wire/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import type { StatisticalTerms } from "../../core/statistical-model.ts";
import { runCommand } from "../../operator/command-line.ts";
import { SCENARIOS } from "../../operator/scenarios.ts";
import { modelTable } from "../core/models-page.ts";
import { EXAMPLE, written } from "./validate/files.ts";

const BTC = ["--prices", join(EXAMPLE, "made-up_BTCUSDT_1d.csv")];
const ETH = ["--prices", join(EXAMPLE, "made-up_ETHUSDT_1d.csv")];

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

const run = async (args: readonly string[]): Promise<{ code: number; text: string }> => {
  const out = join(dirname(written({ it: "" })("it")), "scenarios.json");
  const code = await runCommand(SCENARIOS, [...args, "--out", out]);
  return { code, text: code === 0 ? readFileSync(out, "utf8") : "" };
};
const termsOf = (text: string): StatisticalTerms => JSON.parse(text);

/** Daily prices from a first day, by a rule. */
const pricesFrom = (first: string, days: number, priceOn: (day: number) => number): string =>
  `date,price\n${Array.from(
    { length: days },
    (_, day) => `${new Date(Date.parse(first) + day * 86_400_000).toISOString().slice(0, 10)},${priceOn(day).toFixed(4)}`,
  ).join("\n")}\n`;
const wave = (day: number): number => 100 + 5 * Math.sin(day * 1.7);

describe("joint scenarios of price files (M7)", () => {
  it("are those of the page, the same bytes again, and fit into a policy", async () => {
    const [one, other] = [await run([...BTC, ...ETH]), await run([...BTC, ...ETH])];
    expect([one.code, other.text]).toEqual([0, one.text]);
    const terms = termsOf(one.text);
    expect([terms.units, terms.horizonDays, terms.history.length, terms.stress.length]).toEqual([["BTC", "ETH"], 1, 900, 5]);
    expect([terms.history[0]?.name, terms.history.at(-1)?.name]).toEqual(["2023-01-02", "2025-06-19"]);
    const rows = new Map([...terms.history, ...terms.stress].map(({ name, movesPpm }) => [name, movesPpm.map(String)]));
    const page = modelTable("joint-scenarios.md", "row");
    expect(page).toHaveLength(7);
    expect(page).toEqual(page.map(([name = ""]) => [name, ...(rows.get(name) ?? [])]));
    // By hand from the files' closes of 2024-12-01 and 2024-12-02: the worst day of both, as it was.
    expect(rows.get("correlation 1, all fall")).toEqual(["-236620", "-288227"]);
    const [policy] = JSON.parse(readFileSync(join(EXAMPLE, "../import/policies.json"), "utf8"));
    const model = { kind: "portfolio", terms: STANDARD_TERMS, statistical: JSON.parse(one.text) };
    expect(policyBody.safeParse({ ...policy, version: 1, model }).error).toBeUndefined();
    expect(said).toContain("made-up_BTCUSDT_1d.csv: 901 days, 2023-01-01 to 2025-06-19, sha256 629272fd08221b39");
    expect(said).toContain("stress Mar-2020 (2020-03-08 to 2020-03-16) is left out: no row of the files lies in it");
  });

  it("keep a named stress as it was, and the quote asset's own", async () => {
    const at = written({ "BTCUSDT.csv": pricesFrom("2019-06-01", 400, (day) => (day === 285 ? 50 : wave(day))) });
    const { text } = await run(["--prices", at("BTCUSDT.csv")]);
    const named = termsOf(text).stress.filter(({ name }) => name.startsWith("Mar-2020"));
    expect(named.map(({ name }) => name)).toContain("Mar-2020, 2020-03-12");
    const fall = named.find(({ name }) => name === "Mar-2020, 2020-03-12")?.movesPpm[0] as number;
    expect(fall).toBe(Math.round((50 / Number(wave(284).toFixed(4)) - 1) * 1e6));
    expect(termsOf(text).stress.at(-1)).toEqual({ name: "USDT at 0.9, all prices in it rise", movesPpm: [111_111] });
  });

  it("give a young unit the dates of its proxy, and say how many", async () => {
    const at = written({
      "SOLUSDT.csv": pricesFrom("2023-01-01", 400, wave),
      "SUIUSDT.csv": pricesFrom("2023-11-01", 96, (day) => wave(day + 304) ** 2 / 1000),
    });
    const files = ["--prices", at("SOLUSDT.csv"), "--prices", at("SUIUSDT.csv")];
    const { code, text } = await run([...files, "--proxy", "SUI=SOL"]);
    expect(code).toBe(0);
    expect([termsOf(text).units, termsOf(text).history.length]).toEqual([["SOL", "SUI"], 399]);
    expect(said).toContain("SUI: 304 of 399 rows are made up: 2.0000 times SOL and a residual");
    expect((await run(files)).code).toBe(2);
    expect(said).toContain("95 joint returns of 1 steps, 250 needed");
  });

  it("name what is left out: lines, gaps, days that not every file has, and rows beyond a policy's limit", async () => {
    const long = pricesFrom("2016-01-01", 2_700, wave)
      .replace(/^2018-03-04.*\n/m, "")
      .replace(/^(2018-05-05),.*$/m, "$1,none");
    const at = written({ "BTCUSDT.csv": long, "ETHUSDT.csv": pricesFrom("2016-01-11", 2_690, wave) });
    const { code, text } = await run(["--prices", at("BTCUSDT.csv"), "--prices", at("ETHUSDT.csv"), "--horizon", "2", "--lambda", "0.94"]);
    expect([code, termsOf(text).history.length, termsOf(text).horizonDays]).toEqual([0, 2_500, 2]);
    expect(said).toContain("BTC: 1 days are missing, 2018-03-04 to 2018-03-04");
    expect(said).toMatch(/BTC: line \d+ is left out: /);
    expect(said).toContain("BTC: 10 days are left out: not every file has them");
    expect(said).toMatch(/184 rows, 2016-01-13 to 2016-07-\d\d, are left out: a policy holds 2500 of 2 units/);
    expect(text).not.toMatch(/null|NaN/);
  });

  it.each([
    ["no file", [], "--prices is missing"],
    ["a file twice", [...BTC, ...BTC], "two files tell BTC: give one"],
    ["another quote asset", [...BTC, "--quote", "USDC"], "BTCUSDT is not quoted in USDC"],
    ["a horizon of nothing", [...BTC, "--horizon", "0"], "--horizon 0: give a whole number from 1 to 30"],
    ["a decay of 1", [...BTC, "--lambda", "1"], "--lambda 1: give a share between 0 and 1"],
    ["a proxy of itself", [...BTC, "--proxy", "BTC=BTC"], "--proxy BTC=BTC: give YOUNG=OLD"],
    ["a proxy without a file", [...BTC, "--proxy", "SUI=BTC"], "no --prices file tells SUI"],
    ["a price that never moves", ["--prices", "STILL"], "BTC cannot be filtered (ZERO_VOLATILITY)"],
  ])("end with 2 for %s", async (_, args, words) => {
    const at = written({ "BTCUSDT.csv": pricesFrom("2023-01-01", 400, () => 100) });
    expect((await run(args.map((arg) => (arg === "STILL" ? at("BTCUSDT.csv") : arg)))).code).toBe(2);
    expect(said).toContain(words);
  });
});
