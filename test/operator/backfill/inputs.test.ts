import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import type { Script } from "../../../local/replay.ts";
import { writeScript } from "../../../local/script.ts";
import { checkScript, readHistory, readTerms } from "../../../operator/backfill/inputs.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples");
const TERMS = join(EXAMPLES, "backfill/terms.json");
const FACTS = join(EXAMPLES, "backfill/facts.jsonl");

const fileWith = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), "inputs-")), "file");
  writeFileSync(file, text);
  return file;
};
const options = {
  prices: [],
  book: join(EXAMPLES, "books/three-desks.json"),
  accounts: 1,
  seed: 1,
  mixed: false,
  realtime: false,
  once: true,
  json: true,
  port: null,
};
const example = (): Script => ({ ...writeScript(options, Date.UTC(2026, 0, 1), readTerms(TERMS)), history: readHistory(FACTS) });

describe("own terms", () => {
  test("the example takes the place of the venue's", () => {
    const { instruments, policies } = readTerms(TERMS);
    expect([...instruments.keys()]).toEqual(["BTC-PERP"]);
    expect(instruments.get("BTC-PERP")).toMatchObject({ feePpm: 600 });
    expect(instruments.get("BTC-PERP")).not.toHaveProperty("instrumentId");
    expect([...policies.keys()]).toEqual(["standard", "coin-btc"]);
    expect(() => checkScript(example())).not.toThrow();
  });

  test("a book may name no other policies than these", () => {
    const own = { ...readTerms(TERMS), policies: new Map([...readTerms(TERMS).policies].slice(0, 1)) };
    expect(() => writeScript(options, 0, own)).toThrow("account desk-coin: policy coin-btc is unknown; known are standard");
  });

  const changed = (change: (terms: { instruments: Record<string, unknown>[]; policies: Record<string, unknown>[] }) => void): string => {
    const terms = JSON.parse(readFileSync(TERMS, "utf8"));
    change(terms);
    return fileWith(JSON.stringify(terms));
  };
  test.each<[string, () => string, string]>([
    ["no JSON", () => fileWith("{"), "is no JSON"],
    ["no policy", () => fileWith('{"policies":[]}'), "policies: Too small"],
    [
      "a table that falls",
      () => changed(({ instruments }) => Object.assign(instruments[0] ?? {}, { tiers: [{ floor: "0", rateIm: 1, rateMm: 5 }] })),
      "BTC-PERP: tiers",
    ],
    ["a policy without a field", () => changed(({ policies }) => void delete policies[1]?.["graceMs"]), "coin-btc: graceMs"],
  ])("%s is refused", (_, file, words) => {
    expect(() => readTerms(file())).toThrow(words);
  });
});

describe("a history of facts", () => {
  test("every line that does not read is named", () => {
    const good = readFileSync(FACTS, "utf8").split("\n")[0] as string;
    const file = fileWith(`${good}\n{"schemaVersion":2}\n\nnot json\n${good.replace('"sequence":2', '"sequence":1')}\n`);
    expect(() => readHistory(file)).toThrow(
      /line 2: .*\n {2}line 4: not JSON\n {2}line 5: sequence 1 leaves no number for what the book held before/,
    );
  });

  test.each<[string, (script: Script) => Script, string]>([
    [
      "marks that are stale before the next price",
      (script) => {
        const [id, terms] = [...(script.own?.instruments ?? [])][0] as [string, never];
        const markRule = { ...(terms as { markRule: object }).markRule, ageMaxMs: 60_000 };
        return { ...script, own: { policies: new Map(), instruments: new Map([[id, { ...(terms as object), markRule } as never]]) } };
      },
      "BTC-PERP: its marks are good for 60 s and its prices come every 1200 s: give denser prices",
    ],
    [
      "an instrument without prices",
      (script) => ({ ...script, own: { policies: new Map(), instruments: new Map([["SOL-PERP", {} as never]]) } }),
      "SOL-PERP: no price file tells its price",
    ],
    [
      "facts outside the prices",
      (script) => ({ ...script, steps: script.steps.slice(-10) }),
      "3 messages of the history lie outside the prices, 2020-03-13T",
    ],
    [
      "facts of an account that nobody opens",
      (script) => ({ ...script, accounts: [] }),
      "accounts that neither the book nor a message opens: desk-long",
    ],
  ])("%s: the script is refused", (_, change, words) => {
    const script = example();
    const own = { policies: new Map(), instruments: new Map([["BTC-PERP", { markRule: { ageMaxMs: 2_400_000 } } as never]]) };
    expect(() => checkScript(change({ ...script, own: script.own ?? own }))).toThrow(words);
  });
});
