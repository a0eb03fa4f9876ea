import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { runCommand } from "../../operator/command-line.ts";
import { applyTerms, readTermsFile } from "../../operator/policy-change.ts";
import { RATES } from "../../operator/rates.ts";
import { instrumentFixture } from "../adapters/samples.ts";
import { modelTable } from "../core/models-page.ts";
import { startTables, type TestTables } from "../engine.ts";
import { openAccount, putTerms, stageOn } from "../functions/stage.ts";
import { EXAMPLE, written } from "./validate/files.ts";

const BTC = ["--prices", join(EXAMPLE, "made-up_BTCUSDT_1d.csv")];
const ETH = ["--prices", join(EXAMPLE, "made-up_ETHUSDT_1d.csv")];
const AT = ["--at", "2025-06-20T08:00:00Z"];
const EXAMPLE_TERMS = join(EXAMPLE, "../rates/terms.json");

interface Terms {
  volatility: { decayUp: number; decayDown: number };
  tools: Record<string, object | null>;
  instruments: { symbol: string; instrument: { instrumentId: string; tiers: { floor: string; rateIm: number; rateMm: number }[] } }[];
}
const OFF = { buffer: null, stressed: null, floor: null, stepCap: null };
const example = (): Terms => JSON.parse(readFileSync(EXAMPLE_TERMS, "utf8"));
/** The example's bitcoin alone, with this changed. */
const bitcoin = (patch: (terms: Terms) => Partial<Terms> = () => ({})): readonly string[] => {
  const { instruments, ...terms } = example();
  const alone = { ...terms, instruments: instruments.slice(0, 1) };
  return ["--terms", written({ "terms.json": JSON.stringify({ ...alone, ...patch(alone) }) })("terms.json")];
};
/** With these brackets. */
const tiered = (tiers: Terms["instruments"][number]["instrument"]["tiers"], tools?: Terms["tools"]): readonly string[] =>
  bitcoin(({ instruments, ...terms }) => ({
    tools: tools ?? terms.tools,
    instruments: instruments.map((each) => ({ ...each, instrument: { ...each.instrument, tiers } })),
  }));

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

const run = async (args: readonly string[]): Promise<{ code: number; file: (instrumentId: string) => string }> => {
  const out = mkdtempSync(join(tmpdir(), "rates-"));
  said = "";
  const code = await runCommand(RATES, [...args, "--out", out]);
  return { code, file: (instrumentId) => join(out, `${instrumentId}.json`) };
};
const bodyOf = (path: string) => JSON.parse(readFileSync(path, "utf8"));

describe("npm run rates: brackets that follow the market (M3, M9)", () => {
  it("are those of the page, in the form that npm run policy takes", async () => {
    const { code, file } = await run([...BTC, ...ETH, "--terms", EXAMPLE_TERMS, ...AT]);
    expect(code).toBe(1);
    const rows = modelTable("procyclicality.md", "instrument");
    expect(rows).toHaveLength(2);
    for (const [instrumentId = "", sigma, raw, charged, now, effectiveAt] of rows) {
      expect(said).toContain(`  volatility ${sigma} a day; rate ${raw} ppm raw, ${charged} ppm charged, ${now} ppm now`);
      const body = bodyOf(file(instrumentId));
      expect([String(body.tiers[0].rateIm), body.effectiveAt, body.version]).toEqual([charged, effectiveAt, undefined]);
      expect(readTermsFile(file(instrumentId))).toMatchObject({ kind: "instrument", id: instrumentId, emergency: null });
    }
    // Every bracket rises as the first one does, 90,000 over 60,000; floors stay.
    expect(bodyOf(file("BTC-PERP")).tiers).toEqual([
      { floor: "0", rateIm: 90_000, rateMm: 45_000 },
      { floor: "250000", rateIm: 120_000, rateMm: 60_000 },
      { floor: "1000000", rateIm: 180_000, rateMm: 90_000 },
    ]);
    expect(said).toContain("BTC-PERP from made-up_BTCUSDT_1d.csv: 901 days, 2023-01-01 to 2025-06-19, sha256 629272fd08221b39");
    expect(said).toContain("buffer drawn 24929 ppm; held back by the step cap 11828 ppm");
    expect(said).toContain("mean of the daily rises beyond 95 %: 14.46 % raw, 2.98 % charged");
    expect(said).toContain("24 h of notice (M3) for tiers from 0: rateIm 60000 to 90000, tiers from 0: rateMm 30000 to 45000");
  });

  it("each tool alone, switched off and all together, is what the page says", async () => {
    const named: Record<string, string> = { "stressed weight": "stressed", "step cap": "stepCap" };
    const rows = modelTable("procyclicality.md", "tools on");
    expect(rows.map(([on]) => on)).toEqual(["none", "buffer", "stressed weight", "floor", "step cap", "all"]);
    for (const [on = "", charged, peak, ...rises] of rows) {
      const key = named[on] ?? on;
      const { file } = await run([
        ...BTC,
        ...AT,
        ...bitcoin(({ tools }) => (on === "all" ? {} : { tools: { ...OFF, ...(key in tools && { [key]: tools[key] as object }) } })),
      ]);
      expect([on, String(bodyOf(file("BTC-PERP")).tiers[0].rateIm)]).toEqual([on, charged]);
      expect(said).toContain(`, ${peak} charged`);
      for (const [index, span] of [1, 5, 30].entries())
        expect(said).toMatch(new RegExp(`largest rise of ${span} days: .* raw, ${rises[index]} charged`));
      expect(said.match(/ off/g) ?? []).toHaveLength(on === "none" ? 4 : on === "all" ? 0 : 3);
    }
  });

  it("M3 an emergency passes over the step cap and the notice, with its reason; a smaller rise needs none", async () => {
    const large = await run([...BTC, "--terms", EXAMPLE_TERMS, ...ETH, ...AT, "--emergency", "an exchange has failed"]);
    const body = bodyOf(large.file("BTC-PERP"));
    // The tools ask for 101,827.52.
    expect([large.code, body.tiers[0].rateIm, body.emergency, body.effectiveAt]).toEqual([
      0,
      101_828,
      { reason: "an exchange has failed" },
      undefined,
    ]);
    expect(readTermsFile(large.file("BTC-PERP")).emergency).toBe("an exchange has failed");
    expect(said).toContain('an emergency, without 24 h of notice (M3), "an exchange has failed"');
    const small = await run([...BTC, ...AT, "--emergency", "an exchange has failed", ...bitcoin(() => ({ tools: OFF }))]);
    expect(small.code).toBe(0);
    expect(bodyOf(small.file("BTC-PERP"))).toEqual(
      expect.not.objectContaining({ emergency: expect.anything(), effectiveAt: expect.anything() }),
    );
    expect(said).toContain("for at once: no bracket rises by more than 25 % (M3)");
  });

  it("a fall holds at once, the same rate writes nothing, and brackets that meet at 1 become one", async () => {
    const at = (rateIm: number, above: number) =>
      tiered(
        [
          { floor: "0", rateIm, rateMm: 10_000 },
          { floor: "250000", rateIm: above, rateMm: 10_000 },
        ],
        OFF,
      );
    const fall = await run([...BTC, ...AT, ...at(133_170, 200_001)]);
    expect(bodyOf(fall.file("BTC-PERP")).tiers).toEqual([
      { floor: "0", rateIm: 66_585, rateMm: 5_000 },
      { floor: "250000", rateIm: 100_001, rateMm: 5_000 },
    ]);
    const same = await run([...BTC, ...AT, ...at(66_585, 200_000)]);
    expect([same.code, existsSync(same.file("BTC-PERP"))]).toEqual([0, false]);
    expect(said).toContain("the rate holds already");
    const many = [10_000, 200_000, 300_000].map((rateIm, index) => ({ floor: String(index), rateIm, rateMm: 100 }));
    const whole = await run([...BTC, ...AT, ...tiered(many, OFF)]);
    expect(bodyOf(whole.file("BTC-PERP")).tiers.map(({ rateIm }: { rateIm: number }) => rateIm)).toEqual([66_585, 1_000_000]);
  });

  const STILL = Array.from(
    { length: 400 },
    (_, day) => `${new Date(Date.UTC(2024, 4, 16) + day * 86_400_000).toISOString().slice(0, 10)},100`,
  );
  it.each<[string, readonly string[], string]>([
    ["no file", ["--terms", EXAMPLE_TERMS], "--prices is missing"],
    ["no terms", BTC, "--terms is missing"],
    ["terms that are no JSON", [...BTC, "--terms", "BROKEN"], "is no JSON"],
    ["a price file that no instrument is of", [...BTC, ...ETH, ...bitcoin()], "no instrument of"],
    ["an instrument without a price file", [...BTC, "--terms", EXAMPLE_TERMS], "ETH-PERP: no --prices file tells ETHUSDT"],
    ["two files of one symbol", [...BTC, ...BTC, ...bitcoin()], "both tell BTCUSDT: give one"],
    [
      "an instrument twice",
      [...BTC, ...bitcoin(({ instruments }) => ({ instruments: [...instruments, ...instruments] }))],
      "BTC-PERP stands there twice",
    ],
    [
      "a buffer of less than a quarter",
      [...BTC, ...bitcoin(({ tools }) => ({ tools: { ...tools, buffer: { ...tools["buffer"], buffer: 249_999 } } }))],
      "tools.buffer.buffer: at least 250000",
    ],
    [
      "a tool that there is none of",
      [...BTC, ...bitcoin(({ tools }) => ({ tools: { ...tools, damper: null } }))],
      "tools: unknown fields: damper",
    ],
    [
      "a volatility that is slow to rise",
      [...BTC, ...bitcoin(({ volatility }) => ({ volatility: { ...volatility, decayUp: 980_000 } }))],
      "volatility.decayUp is above decayDown",
    ],
    ["an instrument's own fault", [...BTC, ...tiered([])], "instruments.0.instrument cannot be used: tiers: spot pairs"],
    [
      "a rate that leaves no room above maintenance and fee",
      [...BTC, ...tiered([{ floor: "0", rateIm: 900_000, rateMm: 899_000 }])],
      "BTC-PERP at a rate of 126757 ppm cannot be used: tiers: tiers of BTC-PERP, bracket 1: initial rate 126757 is not above maintenance rate 126617 plus fee 500",
    ],
    [
      "prices that are old",
      [...BTC, ...bitcoin(), "--at", "2025-06-22T00:00:00.001Z"],
      "ends with 2025-06-19: no rate is made of old prices",
    ],
    [
      "prices of a day that has not ended",
      [...BTC, ...bitcoin(), "--at", "2025-06-19T23:59:59Z"],
      "2025-06-19, its last day, has not ended",
    ],
    ["an instant that is none", [...BTC, ...bitcoin(), "--at", "today"], "--at today: give an instant in UTC"],
    ["an emergency without words", [...BTC, ...bitcoin(), "--emergency", " "], "--emergency: give its reason"],
    [
      "too little history",
      ["--prices", "SHORT", ...bitcoin()],
      "no rate can be made of BTCUSDT.csv (NO_HISTORY): 199 joint returns of 1 steps, 250 needed",
    ],
    [
      "gaps that leave no sample",
      ["--prices", "GAPS", ...bitcoin()],
      "30 of 400 days are missing: no sample of the market\n  2024-08-24 to 2024-09-22: 30 days",
    ],
    ["a price that never moves", ["--prices", "STILL", ...bitcoin()], "no rate can be made of BTCUSDT.csv (ZERO_VOLATILITY)"],
  ])("ends with 2 for %s", async (_, args, words) => {
    const of = (rows: readonly string[]): string => written({ "BTCUSDT.csv": `date,price\n${rows.join("\n")}\n` })("BTCUSDT.csv");
    const files: Record<string, string> = {
      STILL: of(STILL),
      SHORT: of(STILL.slice(200)),
      GAPS: of([...STILL.slice(0, 100), ...STILL.slice(130)]),
      BROKEN: written({ "terms.json": "{" })("terms.json"),
    };
    const given = args.map((arg) => files[arg] ?? arg);
    const { code, file } = await run(given.includes("--at") ? given : [...given, ...AT]);
    expect(said).toContain(words);
    expect([code, existsSync(file("BTC-PERP"))]).toEqual([2, false]);
  });
});

describe("what it writes goes through npm run policy", () => {
  let tables: TestTables;
  beforeAll(async () => {
    tables = await startTables();
  });
  afterAll(() => tables.stop());

  it("a rise that needs notice waits in shadow for the instant that was written", async () => {
    const stage = stageOn(await tables.fresh());
    await putTerms(stage);
    await stage.price("100");
    await openAccount(stage, "well");
    const prices = Array.from(
      { length: 400 },
      (_, day) => `${new Date(Date.UTC(2020, 2, 11) - (399 - day) * 86_400_000).toISOString().slice(0, 10)},${day % 2 === 0 ? 100 : 107}`,
    );
    const { version: _, ...instrument } = instrumentFixture;
    const terms = {
      volatility: { decayUp: 970_000, decayDown: 970_000 },
      tools: OFF,
      instruments: [{ symbol: "BTCUSDT", floor: 20_000, confidence: 990_000, horizonDays: 1, impact: 0, instrument }],
    };
    const at = written({ "BTCUSDT.csv": `date,price\n${prices.join("\n")}\n`, "terms.json": JSON.stringify(terms) });
    const { file } = await run(["--prices", at("BTCUSDT.csv"), "--terms", at("terms.json"), "--at", "2020-03-12T10:00:00Z"]);
    // z at 99 % times ln 1.07, and every other rate in the same proportion: 157,397.56 ppm over 100,000.
    expect(bodyOf(file("BTC-PERP")).tiers).toEqual([
      { floor: "0", rateIm: 157_398, rateMm: 7_870 },
      { floor: "1000000", rateIm: 314_796, rateMm: 15_740 },
    ]);
    const lines: string[] = [];
    const code = await applyTerms(
      stage.world,
      readTermsFile(file("BTC-PERP")),
      { called: 0, closedOut: 0 },
      (line) => void lines.push(line),
    );
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatch(/instrument BTC-PERP, effective 2020-03-13T11:00:00\.000Z: in shadow$/);
  });
});
