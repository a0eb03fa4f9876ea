import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { money } from "../../core/money.ts";
import { applyTerms, planTerms, readTermsFile } from "../../operator/policy-change.ts";
import { enactDue, listPending, sayShadows, withdrawPending } from "../../operator/policy-pending.ts";
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
  "  thin  called: WARNING to CALL, headroom 0.683 to 0.683, due 300 USDT, bound by BTC-PERP: bracket 1",
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
        "to have people decide: --accept-newly-called 1 --accept-newly-closed-out 0",
      ],
    });
    const waits = await heard((say) => applyTerms(stage.world, file, { called: 1, closedOut: 0 }, say));
    const changeId = waits.lines.at(-1)?.match(/CH-[A-Za-z0-9_-]{24}/)?.[0] ?? "none";
    expect(waits).toEqual({
      code: 1,
      lines: [
        "policy standard, version 2",
        ...PLAN,
        `${changeId}  policy standard, effective 2020-03-12T10:00:00.000Z: held since 2020-03-12T10:00:00.000Z (share)`,
        `  two different principals release it: POST /changes/${changeId}/approval (S19)`,
      ],
    });
  });

  it("S18 what waits is listed, shown in its shadow, put in force at its instant, or taken back", async () => {
    const effectiveAt = "2020-03-12T11:00:00.000Z";
    const easier = { ...policy, levels: { ...policy.levels, call: 400_000 }, effectiveAt };
    const given = await heard((say) => applyTerms(stage.world, readTermsFile(fileOf(easier)), { called: 0, closedOut: 0 }, say));
    const changeId = given.lines.at(-1)?.slice(0, 27) ?? "none";
    const title = `${changeId}  policy standard, effective ${effectiveAt}: in shadow`;
    expect([given.code, given.lines.at(-1)]).toEqual([0, title]);
    expect(await heard((say) => listPending(stage.world, say))).toEqual({ code: 0, lines: [title] });
    const said = new Map<string, string>();
    const { lines } = await heard((say) => sayShadows(stage.world, said, say));
    expect([lines[0], lines.includes("newly called      0")]).toEqual([title, true]);
    expect(await heard((say) => sayShadows(stage.world, said, say))).toEqual({ code: 0, lines: [] });
    expect(await heard((say) => enactDue(stage.world, say))).toEqual({ code: 0, lines: [] });
    stage.clock.set(Date.parse(effectiveAt));
    expect(await heard((say) => enactDue(stage.world, say))).toEqual({
      code: 0,
      lines: [`${changeId}  policy standard: in force within 30 seconds`],
    });
    expect((await stage.desk.book.policy("standard", 2)).levels.call).toBe(400_000);
    await expect(withdrawPending(stage.world, changeId, () => undefined)).rejects.toThrow("npm run policy -- pending lists those that are");
  });

  it("a change is taken back by its id", async () => {
    const file = readTermsFile(fileOf({ ...strict, effectiveAt: "2020-03-12T11:00:00.000Z" }));
    const { lines } = await heard((say) => applyTerms(stage.world, file, { called: 0, closedOut: 0 }, say));
    const changeId = lines.at(-1)?.slice(0, 27) ?? "none";
    expect(await heard((say) => withdrawPending(stage.world, changeId, say))).toEqual({
      code: 0,
      lines: [`${changeId}  policy standard: withdrawn; the terms in force go on`],
    });
    expect(await heard((say) => listPending(stage.world, say))).toEqual({ code: 0, lines: ["no change of terms is pending"] });
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
    expect(lines.slice(0, 3)).toEqual([
      "instrument BTC-PERP, version 2",
      "refused without 24 h of notice (M3): name effectiveAt or an emergency with its reason",
      "  tiers from 0: rateIm: from 100000 to 200000 ppm",
    ]);
    expect(code).toBe(0);
    await expect(applyTerms(stage.world, file, { called: 0, closedOut: 0 }, () => undefined)).rejects.toThrow(
      "Name effectiveAt 2020-03-13T10:00:00.000Z or later in the file, or emergency with its reason.",
    );
    // MM 505 with the fee, IM 2,000: x of 700 is 0.130, of 1,000 0.331.
    expect(lines.slice(-2)).toEqual([
      "  thin  called: WARNING to RESTRICTED, headroom 0.683 to 0.130, due 1300 USDT, bound by BTC-PERP: bracket 1",
      "  well  called: HEALTHY to CALL, headroom 1.000 to 0.331, due 1000 USDT, bound by BTC-PERP: bracket 1",
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
    ["a margin model that there is none of", { ...policy, model: { kind: "clairvoyant" } }, "model.kind: unknown margin model"],
    ["an emergency without a reason", { ...instrument, emergency: { reason: "" } }, "emergency.reason"],
    ["an id that is none", { ...policy, policyId: "a b" }, "1-64 characters"],
  ])("%s", (_words, content, says) => {
    expect(() => readTermsFile(fileOf(content))).toThrow(says);
  });

  it("a file that is not there", () => expect(() => readTermsFile("nowhere.json")).toThrow("The file nowhere.json cannot be read"));
});
