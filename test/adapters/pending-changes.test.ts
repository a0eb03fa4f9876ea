import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { applyChange, ChangePending, instrumentChange, NoticeTooShort, type Proposal, policyChange } from "../../adapters/change-terms.ts";
import { Contended } from "../../adapters/decide-account.ts";
import { createChanges } from "../../adapters/dynamodb/changes.ts";
import { queryAll } from "../../adapters/dynamodb/pages.ts";
import { approveChange, judgeChanges, shadowOf, UnknownChange, withdrawChange } from "../../adapters/pending-changes.ts";
import type { Instrument } from "../../core/instrument.ts";
import { money } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { loadTiers } from "../../core/tiers.ts";
import { startTables, type TestTables } from "../engine.ts";
import { markAt, openAccount, putTerms, type Stage, stageOn, T0 } from "../functions/stage.ts";
import { instrument, mark, policy } from "./samples.ts";

/*
 * Ten accounts of 100 contracts long at 100, marked at 100: IM 1,000, MM 55 (with its fee). Eight have 1,000 (x = 1), B-1 has
 * 700 (x = 0.68), B-2 has 690 (x = 0.67): a call level of 70 % calls two of ten.
 */
let tables: TestTables;
let own: TestTables;
let stage: Stage;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const HOUR = 3_600_000;
const DAY = 86_400_000;
const cash = (amount: string) => ({ balances: new Map([["USDT", money(amount)]]) });

beforeEach(async () => {
  own = await tables.fresh();
  stage = stageOn(own, { at: T0 });
  await putTerms(stage);
  await stage.price("100");
  for (let index = 0; index < 8; index += 1) await openAccount(stage, `A-${index}`);
  await openAccount(stage, "B-1", cash("700"));
  await openAccount(stage, "B-2", cash("690"));
});

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

/** A proposal of Ada's for an instant, by default an hour ahead. */
const by = (over: Partial<Proposal> = {}): Proposal => ({ by: "ada", called: 0, closedOut: 0, effectiveAt: T0 + HOUR, ...over });
const proposeStricter = async (over: Partial<Proposal> = {}): Promise<string> => {
  const { pending } = await applyChange(policyChange(stage.world, "standard", withCallAt(700_000)), by(over));
  if (pending === null) throw new Error("it does not wait");
  return pending.changeId;
};
const approval = (who: string, called: number, closedOut = 0) => ({ by: who, accepted: { called, closedOut } });

/** What sweep-overdue does at an instant, on a fresh price of it. */
const minuteAt = async (at: number, price: string | null = "100"): Promise<void> => {
  stage.clock.set(at);
  if (price !== null) await stage.price(price);
  await judgeChanges(stage.world, 100_000, () => true);
};
/** As a function finds it that has read nothing before. */
const versionNow = async (): Promise<number> => (await stageOn(own).desk.book.policy("standard")).version;
const waiting = async () => (await createChanges(stage.world).list()).map(({ change }) => change);
const past = async (): Promise<unknown[]> =>
  (
    await queryAll(stage.world.db, {
      TableName: stage.world.settings.bookTable,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: "CHANGE#PAST" } },
    })
  ).map(({ end }) => JSON.parse(end?.S ?? "null"));

describe("S19 a change with an effective time", () => {
  test("waits until its instant, and from then on decides without anybody doing anything", async () => {
    await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), by());
    expect(await versionNow()).toBe(1);
    await minuteAt(T0 + HOUR - 1);
    expect([await versionNow(), (await waiting()).length]).toEqual([1, 1]);
    await minuteAt(T0 + HOUR);
    expect([await versionNow(), (await waiting()).length]).toEqual([2, 0]);
    expect(await past()).toEqual([{ outcome: "enacted", version: 2, at: T0 + HOUR }]);
    // A decision names the version that it was made under: the account is called below 40 % now.
    const called = await markAt(stageOn(own), "B-1", "95.6", HOUR / 1_000 + 5);
    expect(called.live?.call.policyVersion).toBe(2);
  });

  test("of an instrument becomes its version, which a snapshot names", async () => {
    await applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(50_000, 5_000)), by());
    expect((await stage.desk.marks.newest()).instruments.get("BTC-PERP")?.version).toBe(1);
    await minuteAt(T0 + HOUR);
    const { instruments } = await stageOn(own, { at: T0 + HOUR }).desk.marks.takeSnapshot(T0 + HOUR);
    expect(instruments.get("BTC-PERP")?.version).toBe(2);
  });

  test("tells beforehand whom it would call, sweeps no account meanwhile, and renews that each ten minutes", async () => {
    await proposeStricter();
    expect((await waiting())[0]?.shadow).toMatchObject({ at: T0, atRisk: 10, counts: { called: 2 } });
    // Eight accounts of 690 to 969: the change would call them, the market calls the other two.
    await minuteAt(T0 + 600_000, "96.9");
    const [change] = await waiting();
    expect(change?.shadow).toMatchObject({ at: T0 + 600_000, counts: { called: 8 } });
    expect(change === undefined ? null : (await shadowOf(stage.world, change))?.counts.called).toBe(8);
    expect((await stage.load("A-0")).live).toBe(null);
  });

  test("can be taken back before it holds, and is nobody's then", async () => {
    const changeId = await proposeStricter();
    await withdrawChange(stage.world, changeId, "grace");
    await minuteAt(T0 + HOUR);
    expect([await versionNow(), await past()]).toEqual([1, [{ outcome: "withdrawn", by: "grace", at: T0 }]]);
    await expect(approveChange(stage.world, changeId, approval("ada", 2), 100_000)).rejects.toThrow(UnknownChange);
    await expect(withdrawChange(stage.world, changeId, "grace")).rejects.toThrow(UnknownChange);
    // Another may be proposed.
    expect(await proposeStricter({ effectiveAt: T0 + 2 * HOUR })).not.toBe(changeId);
  });

  test("that is being stored cannot be taken back: a run that stopped there goes on with it", async () => {
    await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), by());
    stage.clock.set(T0 + HOUR);
    await stage.price("100");
    const { db } = stage.world;
    const put: typeof db.put = (input) =>
      input.Item?.["pk"]?.S === "POLICY" ? Promise.reject(new Error("the table is away")) : db.put(input);
    await judgeChanges({ ...stage.world, db: { ...db, put } }, 100_000, () => true);
    const [change] = await waiting();
    expect([change?.enactingAt, await versionNow()]).toEqual([T0 + HOUR, 1]);
    await expect(withdrawChange(stage.world, change?.changeId ?? "", "grace")).rejects.toThrow(UnknownChange);
    await minuteAt(T0 + HOUR + 60_000);
    expect([await versionNow(), await waiting()]).toEqual([2, []]);
  });

  test("is one at a time: the same again is there already, another is refused by the id of the first", async () => {
    const changeId = await proposeStricter();
    expect(await proposeStricter()).toBe(changeId);
    const other = applyChange(policyChange(stage.world, "standard", withCallAt(600_000)), by());
    await expect(other).rejects.toThrow(new ChangePending(changeId));
  });

  test("a version that was stored by hand meanwhile is kept: the change becomes the one after it", async () => {
    await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), by());
    await applyChange(policyChange(stage.world, "standard", withCallAt(450_000)), by({ effectiveAt: T0 }));
    await minuteAt(T0 + HOUR);
    expect((await stageOn(own).desk.book.policy("standard")).levels.call).toBe(400_000);
    expect(await versionNow()).toBe(3);
  });

  test("a run that stopped between the version and the end of its change finds it stored", async () => {
    await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), by());
    await stage.desk.book.putPolicy(withCallAt(400_000)(2));
    await minuteAt(T0 + HOUR);
    expect([await versionNow(), await waiting(), await past()]).toEqual([2, [], [{ outcome: "enacted", version: 2, at: T0 + HOUR }]]);
  });

  test("without time, or with a book too large to judge, it waits and is told of", async () => {
    await applyChange(policyChange(stage.world, "standard", withCallAt(400_000)), by());
    stage.clock.set(T0 + HOUR);
    await judgeChanges(stage.world, 100_000, () => false);
    await judgeChanges(stage.world, 9, () => true);
    expect([await versionNow(), stage.counted("pending_change_held")]).toEqual([1, 2]);
    expect(stage.log.lines.map(({ fields }) => (fields as { reason?: string }).reason)).toContain("book-too-large");
  });
});

describe("S19 R17 what the breaker holds goes through with two people", () => {
  test("held at its instant: the version before goes on, it pages each minute, and two different principals release it", async () => {
    const changeId = await proposeStricter();
    await minuteAt(T0 + HOUR);
    await minuteAt(T0 + HOUR + 60_000);
    expect([await versionNow(), stage.counted("pending_change_held")]).toEqual([1, 2]);
    expect((await waiting())[0]?.held).toEqual({ at: T0 + HOUR, why: "share" });

    // Ada, who proposed it, is one of the two and not both, however often she approves.
    for (const called of [2, 3]) {
      expect((await approveChange(stage.world, changeId, approval("ada", called), 100_000)).outcome).toBe("waits");
    }
    expect(await versionNow()).toBe(1);
    expect((await approveChange(stage.world, changeId, approval("grace", 2), 100_000)).outcome).toBe("enacted");
    expect([await versionNow(), await waiting()]).toEqual([2, []]);
  });

  test("approved by two beforehand, it holds from its instant on, if no more would breach than both named", async () => {
    const changeId = await proposeStricter();
    await approveChange(stage.world, changeId, approval("ada", 5), 100_000);
    await approveChange(stage.world, changeId, approval("grace", 2), 100_000);
    expect(await versionNow()).toBe(1);
    // Eight would breach now: more than Grace took on.
    await minuteAt(T0 + HOUR, "96.9");
    expect([await versionNow(), (await waiting())[0]?.held?.why]).toEqual([1, "share"]);
    await approveChange(stage.world, changeId, approval("ada", 8), 100_000);
    expect((await approveChange(stage.world, changeId, approval("grace", 8), 100_000)).outcome).toBe("enacted");
  });

  test("for at once: who names the figures is the first of two, and nothing is stored before the second", async () => {
    const change = () => policyChange(stage.world, "standard", withCallAt(700_000));
    const { pending } = await applyChange(change(), by({ effectiveAt: undefined, called: 2 }));
    expect(pending).toMatchObject({ held: { why: "share" }, approvals: [{ by: "ada", accepted: { called: 2, closedOut: 0 } }] });
    expect(await versionNow()).toBe(1);
    const { outcome } = await approveChange(stage.world, pending?.changeId ?? "", approval("grace", 2), 100_000);
    expect([outcome, await versionNow()]).toEqual(["enacted", 2]);
    const later = stageOn(own);
    for (const id of ["A-0", "B-1", "B-2"]) await markAt(later, id, "100", 5);
    const due = await Promise.all(["A-0", "B-1", "B-2"].map(async (id) => (await later.load(id)).live?.call.amountDue ?? null));
    expect(due).toEqual([null, money("300"), money("310")]);
  });

  test("what nobody proved to have named is no approval", async () => {
    const change = policyChange(stage.world, "standard", withCallAt(700_000));
    const { pending } = await applyChange(change, { by: null, called: 2, closedOut: 0 });
    expect(pending?.approvals).toEqual([]);
  });

  test("an account that could not be decided is nobody's to take on", async () => {
    await stage.desk.marks.putInstrument({ ...instrument, instrumentId: "BTC-SPOT", kind: "spot", tiers: [] });
    await stage.desk.marks.acceptMark(mark("BTC-SPOT", "8000", T0), null);
    const owing = { balances: new Map([["BTC", money("-1")] as const, ["USDT", money("20000")] as const]) };
    await openAccount(stage, "C-1", owing);
    const collateral = new Map([...policy.collateral].filter(([asset]) => asset === "USDT"));
    const { pending } = await applyChange(policyChange(stage.world, "standard", withCallAt(500_000, { collateral })), by());
    const changeId = pending?.changeId ?? "";
    for (const who of ["ada", "grace"]) await approveChange(stage.world, changeId, approval(who, 99, 99), 100_000);
    await minuteAt(T0 + HOUR);
    expect([await versionNow(), (await waiting())[0]?.held?.why]).toEqual([1, "undecided"]);
  });

  test("others that write the change each time: an approval is given up, and none is lost", async () => {
    const changeId = await proposeStricter();
    const { db } = stage.world;
    const put: typeof db.put = async (input) => {
      const [read] = await createChanges(stage.world).list();
      if (read !== undefined)
        await createChanges(stage.world).put({ ...read.change, proposedAt: read.change.proposedAt + 1 }, read.revision);
      return db.put(input);
    };
    const raced = approveChange({ ...stage.world, db: { ...db, put } }, changeId, approval("ada", 2), 100_000);
    await expect(raced).rejects.toThrow(Contended);
  });
});

describe("S18 a new market's first price is 0.05 % of the last", () => {
  test("held at its instant, nobody is liquidated, a price that goes back does not release it, and two people do", async () => {
    const spot = { ...instrument, kind: "spot" as const, tiers: [] };
    for (const instrumentId of ["BTC-SPOT", "BTC-RATE"]) await stage.desk.marks.putInstrument({ ...spot, instrumentId });
    const prices = async (rate: string, at: number): Promise<void> => {
      for (const [id, price] of [
        ["BTC-SPOT", "8000"],
        ["BTC-RATE", rate],
      ] as const) {
        const before = await stage.desk.marks.mark(id);
        await stage.desk.marks.acceptMark(mark(id, price, at), before?.asOf ?? null);
      }
    };
    await prices("8000", T0);
    for (const id of ["C-1", "C-2"]) await openAccount(stage, id, { balances: new Map([["BTC", money("0.2")]]) });
    const collateral = new Map(
      [...policy.collateral].map(([asset, terms]) => [asset, { ...terms, priceId: asset === "BTC" ? "BTC-RATE" : terms.priceId }]),
    );
    // While the new source says what the old one says, the change touches nobody.
    const { pending, plan } = await applyChange(policyChange(stage.world, "standard", withCallAt(500_000, { collateral })), by());
    expect([plan?.counts.closedOut, pending?.held]).toEqual([0, null]);

    const sweep = async (at: number): Promise<(string | null)[]> => {
      const fresh = stageOn(own, { at });
      const ids = ["C-1", "C-2"];
      for (const id of ids) await markAt(fresh, id, "100", (at - T0) / 1_000);
      return Promise.all(ids.map(async (id) => (await fresh.load(id)).live?.call.status ?? null));
    };
    stage.clock.set(T0 + HOUR);
    await prices("4", T0 + HOUR);
    await minuteAt(T0 + HOUR);
    const [held] = await waiting();
    expect([held?.held?.why, held?.shadow?.counts.closedOut, await versionNow()]).toEqual(["share", 2, 1]);
    expect(await sweep(T0 + HOUR + 1_000)).toEqual([null, null]);

    await prices("8000", T0 + HOUR + 660_000);
    await minuteAt(T0 + HOUR + 660_000);
    expect([(await waiting())[0]?.shadow?.counts.closedOut, await versionNow()]).toEqual([0, 1]);
    const changeId = held?.changeId ?? "";
    await approveChange(stage.world, changeId, approval("grace", 0), 100_000);
    expect(await versionNow()).toBe(1);
    expect((await approveChange(stage.world, changeId, approval("ada", 0), 100_000)).outcome).toBe("enacted");
    expect(await versionNow()).toBe(2);
  });
});

describe("M3 a rate that rises by more than 25 % needs 24 h of notice", () => {
  const dearer = (over: Partial<Proposal>) => applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(126_000, 10_000)), by(over));

  test.each([
    ["at once", { effectiveAt: undefined }],
    ["an hour ahead", {}],
    ["a millisecond short", { effectiveAt: T0 + DAY - 1 }],
  ])("%s is refused, naming the rates and the earliest instant", async (_words, over) => {
    const error = await dearer(over).catch((thrown: unknown) => thrown);
    if (!(error instanceof NoticeTooShort)) throw new Error(`not refused: ${String(error)}`);
    expect(error.rises).toEqual([
      { place: "tiers from 0: rateIm", from: 100_000, to: 126_000 },
      { place: "tiers from 0: rateMm", from: 5_000, to: 10_000 },
    ]);
    expect([error.earliest, await waiting()]).toEqual([T0 + DAY, []]);
  });

  test("24 h ahead it waits, and holds after them", async () => {
    await dearer({ effectiveAt: T0 + DAY });
    await minuteAt(T0 + DAY);
    expect((await stageOn(own).desk.marks.instruments()).get("BTC-PERP")?.version).toBe(2);
  });

  test("an emergency with its reason holds at once, and the reason is kept", async () => {
    // IM 1,050 and MM of 0.65 % are a rise of 30 %: nobody is called by it.
    const change = instrumentChange(stage.world, "BTC-PERP", tiered(105_000, 6_500));
    const outcome = await applyChange(change, by({ effectiveAt: undefined, emergency: "the market has halved" }));
    expect(outcome).toMatchObject({ version: 2, pending: null, rises: [{ place: "tiers from 0: rateMm", from: 5_000, to: 6_500 }] });
    expect(await past()).toEqual([{ outcome: "enacted", version: 2, at: T0 }]);
  });

  test("small rises in a row within a day are one large rise", async () => {
    stage.clock.set(T0 + 2 * DAY);
    await stage.price("100");
    await applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(100_000, 6_000)), by({ effectiveAt: undefined }));
    stage.clock.set(T0 + 2 * DAY + HOUR);
    await stage.price("100");
    const second = () => applyChange(instrumentChange(stage.world, "BTC-PERP", tiered(100_000, 7_000)), by({ effectiveAt: undefined }));
    await expect(second()).rejects.toThrow(NoticeTooShort);
    stage.clock.set(T0 + 3 * DAY);
    await stage.price("100");
    expect((await second()).version).toBe(3);
  });
});
