import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { applyChange, BookTooLarge, ChangeHeld, instrumentChange, planChange, policyChange } from "../../adapters/change-terms.ts";
import { Contended } from "../../adapters/decide-account.ts";
import { breachesOf } from "../../core/change-plan.ts";
import type { Instrument } from "../../core/instrument.ts";
import { money } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { loadTiers } from "../../core/tiers.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, putTerms, type Stage, stageOn, T0 } from "../functions/stage.ts";
import { instrument, mark, policy } from "./samples.ts";

/*
 * Ten accounts of 100 contracts long at 100, marked at 100: IM 1,000, MM 55 (with its fee). Cash of 700 is x = 0.68 (WARNING),
 * 1,000 is x = 1.
 */
let tables: TestTables;
let own: TestTables;
let stage: Stage;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const NOBODY = { by: null, called: 0, closedOut: 0 };
const cash = (amount: string) => ({ balances: new Map([["USDT", money(amount)]]) });

beforeEach(async () => {
  own = await tables.fresh();
  stage = stageOn(own);
  await putTerms(stage);
  await stage.price("100");
  for (let index = 0; index < 8; index += 1) await openAccount(stage, `A-${index}`);
  await openAccount(stage, "B-1", cash("700"));
  await openAccount(stage, "B-2", cash("690"));
});

/** The present policy with another call level. */
const withCallAt =
  (call: number, over: Partial<Policy> = {}) =>
  (version: number): Policy => ({ ...policy, ...over, version, levels: { ...policy.levels, warning: 750_000, call } });
const tiered =
  (rateIm: number, rateMm: number) =>
  (version: number): Instrument => ({
    ...instrument,
    version,
    tiers: loadTiers("test", [{ floor: money("0"), rateIm, rateMm }], instrument.feePpm),
  });
const heldBy = async (work: Promise<unknown>): Promise<ChangeHeld> => {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof ChangeHeld)) throw new Error(`it was not held: ${String(error)}`);
  return error;
};
/** As another function finds it, which has read nothing before. */
const newestPolicy = async (): Promise<number> => (await stageOn(own).desk.book.policy("standard")).version;

/** Prices BTC as collateral at 8,000, and lists a rate of BTC at 0.05 % of that. */
const putSpots = async (): Promise<void> => {
  const spot = { ...instrument, kind: "spot" as const, tiers: [] };
  await stage.desk.marks.putInstrument({ ...spot, instrumentId: "BTC-SPOT" });
  await stage.desk.marks.putInstrument({ ...spot, instrumentId: "BTC-RATE" });
  await stage.desk.marks.acceptMark(mark("BTC-SPOT", "8000", T0), null);
  await stage.desk.marks.acceptMark(mark("BTC-RATE", "4", T0), null);
};

describe("R17 S19 a change of a policy with positions open", () => {
  test("is held where more than the share would be called: nothing is stored, and an operator is paged", async () => {
    const error = await heldBy(applyChange(policyChange(stage.world, "standard", withCallAt(700_000)), NOBODY));
    expect([error.why, error.plan.atRisk, error.plan.counts.called, error.plan.due.get("USDT")]).toEqual(["share", 10, 2, money("610")]);
    expect(error.plan.worst.map(({ accountId, headroomBefore }) => [accountId, headroomBefore])).toEqual([
      ["B-2", 671_957],
      ["B-1", 682_539],
    ]);
    expect(stage.counted("change_held")).toBe(1);
    expect(await newestPolicy()).toBe(1);
  });

  test("waits for a second person where somebody names the figures", async () => {
    const change = policyChange(stage.world, "standard", withCallAt(700_000));
    const outcome = await applyChange(change, { by: "ada", called: 2, closedOut: 0 });
    expect(outcome).toMatchObject({ version: 2, plan: { counts: { called: 2 } }, pending: { held: { at: T0, why: "share" } } });
    expect(await newestPolicy()).toBe(1);
  });

  test("is held again where the market went on since the plan was read", async () => {
    const change = () => policyChange(stage.world, "standard", withCallAt(700_000));
    expect((await planChange(change())).plan?.counts.called).toBe(2);
    // Eight accounts of 690 to 969: x = 0.695. The other two have 380 and 390: the market calls them, whatever is changed.
    await stage.price("96.9");
    const error = await heldBy(applyChange(change(), { by: null, called: 2, closedOut: 0 }));
    expect(error.plan.counts).toMatchObject({ called: 8, closedOut: 0, warned: 0 });
  });

  test("is stored at once below the share, and the same terms again are the same version without a look at the book", async () => {
    const easier = () => policyChange(stage.world, "standard", withCallAt(400_000));
    expect((await applyChange(easier(), NOBODY)).version).toBe(2);
    const again = await applyChange(easier(), NOBODY);
    const stored = { version: 2, plan: null, pending: null, rises: [] };
    expect(again).toEqual(stored);
    expect(await planChange(easier())).toEqual(stored);
  });

  test("a plan writes nothing and pages nobody", async () => {
    const { version, plan } = await planChange(policyChange(stage.world, "standard", withCallAt(700_000)));
    expect([version, plan === null ? 0 : breachesOf(plan), plan?.marksAt]).toEqual([2, 2, T0]);
    expect(await newestPolicy()).toBe(1);
    expect(stage.log.counts.get("change_held")).toBeUndefined();
  });

  test("tells how many instruments have no good mark: on stale ones it is judged on their adverse edge (R3)", async () => {
    stage.clock.set(T0 + 60_001);
    const { plan } = await planChange(policyChange(stage.world, "standard", withCallAt(700_000)));
    // At the edge of 95: two have 200 and 190 and are called anyway, eight have 500 of 950: x = 0.499.
    expect([plan?.marksAt, plan?.notGood, plan?.counts.called]).toEqual([T0, 1, 0]);
  });

  test("S56 an open call keeps its policy: the change does not touch its account", async () => {
    await markAt(stage, "B-1", "97", 5);
    expect((await stage.load("B-1")).live?.call.policyVersion).toBe(1);
    const { plan } = await planChange(policyChange(stage.world, "standard", withCallAt(740_000)));
    expect(plan?.withCall).toBe(1);
    expect(plan?.worst.map(({ accountId }) => accountId)).not.toContain("B-1");
  });

  test("S18 a price source of the wrong unit: collateral that is priced at 0.05 % of what it was", async () => {
    await putSpots();
    await openAccount(stage, "C-1", { balances: new Map([["BTC", money("0.2")]]) });
    const collateral = new Map(
      [...policy.collateral].map(([asset, terms]) => [asset, { ...terms, priceId: asset === "BTC" ? "BTC-RATE" : null }]),
    );
    const change = policyChange(stage.world, "standard", withCallAt(500_000, { collateral }));
    const { why, plan } = await heldBy(applyChange(change, NOBODY));
    expect([why, plan.atRisk, plan.counts.closedOut, plan.worst[0]?.accountId]).toEqual(["share", 11, 1, "C-1"]);
  });

  test("terms without which accounts cannot be decided are held whatever is named", async () => {
    await putSpots();
    await openAccount(stage, "C-1", {
      balances: new Map([
        ["BTC", money("-1")],
        ["USDT", money("20000")],
      ]),
    });
    const collateral = new Map([...policy.collateral].filter(([asset]) => asset === "USDT"));
    const change = policyChange(stage.world, "standard", withCallAt(500_000, { collateral }));
    const { why, plan } = await heldBy(applyChange(change, { by: null, called: 100, closedOut: 100 }));
    expect([why, plan.counts.undecided, plan.worst[0]?.accountId]).toEqual(["undecided", 1, "C-1"]);
  });

  test("accounts of another policy, and those on default terms of another, are not touched", async () => {
    const { plan } = await planChange(policyChange(stage.world, "other", withCallAt(700_000, { policyId: "other" })));
    expect(plan).toMatchObject({ accounts: 10, atRisk: 10, worst: [] });
  });
});

describe("R17 S19 a change of an instrument's tiers", () => {
  test("holds for open calls too, and is held the same", async () => {
    await markAt(stage, "B-1", "97", 5);
    // MM of 9.05 % with its fee: B-1 has 700 − 300 = 400 of 9,700.
    const { why, plan } = await heldBy(
      applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(100_000, 90_000)), { ...NOBODY, emergency: "the test is short" }),
    );
    expect(why).toBe("share");
    expect(plan.worst.find(({ accountId }) => accountId === "B-1")).toMatchObject({ effect: "closedOut", levelBefore: "CALL" });
    expect((await stage.desk.marks.instruments()).get("BTC-PERP")?.version).toBe(1);
  });

  test("that eases it releases, and is stored at once", async () => {
    const outcome = await applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(50_000, 5_000)), NOBODY);
    expect(outcome).toMatchObject({ version: 2, plan: { counts: { released: 2, called: 0, closedOut: 0 } } });
  });

  test("of an instrument that nobody holds touches nobody", async () => {
    const make = (version: number): Instrument => ({ ...tiered(900_000, 500_000)(version), instrumentId: "ETH-PERP" });
    expect(await applyChange(instrumentChange(stage.world, "ETH-PERP", make), NOBODY)).toMatchObject({ version: 1, plan: { worst: [] } });
  });
});

test("a book of more accounts than a request can judge is refused by name, and nothing is stored", async () => {
  await expect(applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), NOBODY, 9)).rejects.toThrow(BookTooLarge);
  expect(await newestPolicy()).toBe(1);
  expect((await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), NOBODY, 10)).version).toBe(2);
});

test("others that store a version each time: it is tried again on theirs, and given up in the end", async () => {
  const change = policyChange(stage.world, "standard", withCallAt(400_000));
  let others = 1;
  const store: typeof change.store = async (next) => {
    others += 1;
    await stageOn(own).desk.book.putPolicy({ ...policy, version: others, graceMs: 1_800_000 + others });
    return change.store(next);
  };
  await expect(applyChange({ ...change, store }, NOBODY)).rejects.toThrow(Contended);
  expect(others).toBe(6);
});
