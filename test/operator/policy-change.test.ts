import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { money } from "../../core/money.ts";
import { applyTerms, planTerms, readTermsFile } from "../../operator/policy-change.ts";
import { instrumentFixture, policyFixture } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { openAccount, putTerms, type Stage, stageOn } from "../functions/stage.ts";

const fileOf = (content: unknown): string => {
  const path = join(mkdtempSync(join(tmpdir(), "plimsoll-terms-")), "terms.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const { version: _, ...policy } = policyFixture;
const { version: __, ...instrument } = instrumentFixture;
const strict = { ...policy, levels: { ...policy.levels, call: 700_000 } };

let tables: TestTables;
let stage: Stage;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

/** Two accounts of 100 contracts long at 100: "thin" on 700 has x = 0.68, "well" on 1,000 has x = 1. */
beforeEach(async () => {
  stage = stageOn(await tables.fresh());
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, "well");
  await openAccount(stage, "thin", { balances: new Map([["USDT", money("700")]]) });
});

const heard = async (work: (say: (line: string) => void) => Promise<number>): Promise<{ code: number; lines: string[] }> => {
  const lines: string[] = [];
  return { code: await work((line) => void lines.push(line)), lines };
};
const PLAN = [
  "on marks up to 2020-03-12T10:00:00.000Z; instruments without a GOOD mark: 0 (R3)",
  "2 accounts, 2 of them with a position or a debt",
  "0 with a live call, which keeps its policy (R11)",
  "newly closed out  0",
  "newly called      1",
  "newly warned      0",
  "released          0",
  "left undecided    0",
  "due from new calls: 300 USDT",
  "1 of 2 would breach at once: 50.00 %, and the stage lets 1.00 % through (R17)",
  "the most affected:",
  "  thin  called: WARNING to CALL, headroom 0.683 to 0.683, due 300 USDT",
];

describe("npm run policy", () => {
  it("plan shows who would newly be called, and writes nothing", async () => {
    const file = readTermsFile(fileOf(strict));
    expect(await heard((say) => planTerms(stage.world, file, say))).toEqual({ code: 0, lines: ["policy standard, version 2", ...PLAN] });
    expect(await heard((say) => planTerms(stage.world, readTermsFile(fileOf(policy)), say))).toEqual({
      code: 0,
      lines: ["policy standard: version 1 holds these terms already"],
    });
  });

  it("R17 apply is held, and says with which figures it goes through", async () => {
    const file = readTermsFile(fileOf(strict));
    expect(await heard((say) => applyTerms(stage.world, file, { called: 0, closedOut: 0 }, say))).toEqual({
      code: 1,
      lines: [
        "policy standard: held, nothing was stored: more than the stage's share of the accounts would breach at once",
        ...PLAN,
        "to go on: --accept-newly-called 1 --accept-newly-closed-out 0",
      ],
    });
    const done = await heard((say) => applyTerms(stage.world, file, { called: 1, closedOut: 0 }, say));
    expect(done).toEqual({
      code: 0,
      lines: ["policy standard, version 2", ...PLAN, "stored: every function decides on it within 30 seconds"],
    });
    const again = await heard((say) => applyTerms(stage.world, file, { called: 0, closedOut: 0 }, say));
    expect(again).toEqual({ code: 0, lines: ["policy standard: version 2 holds these terms already"] });
  });

  it("terms that would leave somebody undecided are held, and no figure is offered", async () => {
    const collateral = policy.collateral.map((terms) =>
      terms.asset === "USDT" ? { ...terms, priceId: "BTC-PERP" } : { ...terms, priceId: null },
    );
    const file = readTermsFile(fileOf({ ...policy, valuationAsset: "BTC", collateral: collateral.slice(1) }));
    const { code, lines } = await heard((say) => applyTerms(stage.world, file, { called: 9, closedOut: 9 }, say));
    expect([code, lines.at(-1)]).toEqual([1, "mend the terms: 2 accounts hold or owe what they have no terms for"]);
    expect(lines).toContain("  well  undecided: HEALTHY to undecided, headroom 1.000 to none");
  });

  it("takes an instrument's terms the same", async () => {
    const tiers = [{ floor: "0", rateIm: 200_000, rateMm: 50_000 }];
    const file = readTermsFile(fileOf({ ...instrument, tiers }));
    const { code, lines } = await heard((say) => planTerms(stage.world, file, say));
    expect([code, lines[0]]).toEqual([0, "instrument BTC-PERP, version 2"]);
    // MM 505 with the fee, IM 2,000: x of 700 is 0.130, of 1,000 0.331.
    expect(lines.slice(-2)).toEqual([
      "  thin  called: WARNING to RESTRICTED, headroom 0.683 to 0.130, due 1300 USDT",
      "  well  called: HEALTHY to CALL, headroom 1.000 to 0.331, due 1000 USDT",
    ]);
  });
});

describe("a file of terms that cannot be used is refused by its place", () => {
  it.each([
    ["no JSON", "{", "cannot be read"],
    ["neither id", { levels: {} }, "must hold a policy with its policyId or an instrument with its instrumentId"],
    ["both ids", { ...policy, instrumentId: "BTC-PERP" }, "must hold a policy with its policyId or an instrument"],
    ["nothing", "null", "must hold a policy"],
    ["a version of its own", { ...policy, version: 7 }, "unknown fields: version"],
    ["an amount as a number", { ...policy, minimumTransfer: 10 }, "minimumTransfer: "],
    [
      "R1: a call above IM",
      { ...policy, levels: { ...policy.levels, warning: 1_200_000, call: 1_100_000 } },
      "call threshold 1100000 is above IM",
    ],
    [
      "R24: no room for the fee",
      { ...instrument, tiers: [{ floor: "0", rateIm: 5_000, rateMm: 5_000 }] },
      "tiers: tiers of BTC-PERP, bracket 1",
    ],
    ["an id that is none", { ...policy, policyId: "a b" }, "1-64 characters"],
  ])("%s", (_words, content, says) => {
    expect(() => readTermsFile(fileOf(content))).toThrow(says);
  });

  it("a file that is not there", () => expect(() => readTermsFile("nowhere.json")).toThrow("The file nowhere.json cannot be read"));
});
