import "./environment.ts";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { policyChange } from "../../adapters/change-terms.ts";
import { createBook } from "../../adapters/dynamodb/book.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { problemReply } from "../../adapters/wire/api.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import { throughBreaker } from "../../api/changes.ts";
import { operate } from "../../functions/operate.ts";
import { account, instrumentFixture, policyFixture } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { type Asked, ask, openAccount, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;
beforeAll(async () => {
  tables = await startTables();
  venue = await openVenue(tables);
  await openAccount(venue, "A-1", "B1", "1000");
});
afterAll(() => tables.stop());

const { instrumentId: _, version: __, ...instrument } = instrumentFixture;
const { policyId: ___, version: ____, ...policy } = policyFixture;
const put = (path: string, body: unknown): Promise<Asked> => ask(venue.world, { as: "operator", method: "PUT", path, body });
const [first, second] = instrument.tiers;

describe("PUT /instruments/{instrumentId}", () => {
  test("each change is a version, the same terms again are none", async () => {
    const path = "/instruments/SOL-PERP";
    const sol = { ...instrument, baseAsset: "SOL" };
    expect((await put(path, sol)).body).toEqual({ id: "SOL-PERP", version: 1 });
    expect((await put(path, sol)).body).toEqual({ id: "SOL-PERP", version: 1 });
    expect((await put(path, { ...sol, feePpm: 600 })).body).toEqual({ id: "SOL-PERP", version: 2 });
    expect((await put(path, sol)).body).toEqual({ id: "SOL-PERP", version: 3 });
    const stored = (await createMarks(venue.world).instruments()).get("SOL-PERP");
    expect(stored).toMatchObject({ version: 3, feePpm: 500, settleAsset: "USDT" });
    // M3: 1,000,000 x (1 % − 0.5 %), derived.
    expect(stored?.tiers[1]?.amountMm).toBe(500_000_000_000n);
  });

  test.each([
    [
      "M3: a requirement that jumps at a floor",
      [first, { ...second, amountMm: "5000.00000001" }],
      "tiers of BAD-PERP, bracket 2: amount 5000.00000001",
    ],
    ["a floor that does not rise", [first, { ...second, floor: "0" }], "tiers of BAD-PERP, bracket 2: floor 0"],
    ["R24: no room for the fee", [{ ...first, rateIm: 5_499 }], "tiers of BAD-PERP, bracket 1: initial rate 5499"],
    ["a table that starts above 0", [{ ...first, floor: "1" }], "tiers of BAD-PERP, bracket 1"],
  ])("%s is refused, naming table and bracket", async (_name, tiers, words) => {
    const reply = await put("/instruments/BAD-PERP", { ...instrument, tiers });
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body.faults)).toContain(words);
    expect((await createMarks(venue.world).instruments()).has("BAD-PERP")).toBe(false);
  });

  test.each([
    ["an id or a version of the caller's", { instrumentId: "ETH-PERP", version: 9 }, ["body/instrumentId", "body/version"]],
    ["an amount as a JSON number (S43)", { multiplier: 1 }, ["body/multiplier"]],
    ["R5: prices of 0 and below without a margin per unit", { allowNonPositive: true }, ["body/marginMinPerUnit"]],
    ["a spot pair with tiers", { kind: "spot" }, ["body/tiers"]],
  ])("%s is refused by its place", async (_name, patch, places) => {
    const reply = await put("/instruments/BAD-PERP", { ...instrument, ...patch });
    expect(reply.status).toBe(400);
    expect(reply.body.faults.map((fault: { where: string }) => fault.where).sort()).toEqual(places);
  });

  test("terms that another instance replaced a moment ago are stored again, not taken for the newest", async () => {
    const one = operate(venue.world);
    const other = operate(venue.world);
    const via = (function_: typeof one, feePpm: number) =>
      ask(venue.world, { as: "operator", method: "PUT", path: "/instruments/TWO-PERP", body: { ...instrument, feePpm } }, function_);
    expect((await via(one, 100)).body.version).toBe(1);
    await ask(venue.world, { as: "operator", path: "/accounts/A-1" }, one);
    expect((await via(other, 200)).body.version).toBe(2);
    expect((await via(one, 100)).body.version).toBe(3);
  });

  test("eight different tables at once become eight versions", async () => {
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, index) => put("/instruments/RACE-PERP", { ...instrument, feePpm: 500 + index })),
    );
    const stored = replies.filter(({ status }) => status === 200).map(({ body }) => body.version);
    expect(new Set(stored).size).toBe(stored.length);
    expect(replies.every(({ status }) => status === 200 || status === 503)).toBe(true);
  });
});

describe("R17 S19 a change that would breach more than the share", () => {
  /** A-1 holds 1 long at 8,000 on 1,000: E 1,000, IM 800. With IM of 20 % (1,600) and MM of 0.55 % (44) x is 0.614. */
  const dearer = { ...instrument, tiers: [{ floor: "0", rateIm: 200_000, rateMm: 5_000 }] };
  /** With IM of 30 % (2,400) x is 0.405: 1,400 are due. */
  const dearest = { ...instrument, tiers: [{ floor: "0", rateIm: 300_000, rateMm: 5_000 }] };
  const path = "/instruments/BTC-PERP";
  const emergency = { reason: "the market has halved" };
  const named = (query: Record<string, string>): Promise<Asked> =>
    ask(venue.world, { as: "operator", method: "PUT", path, query, body: { ...dearest, emergency } });

  test("is answered 409 with the plan, and stores nothing", async () => {
    const reply = await put(path, { ...dearest, emergency });
    expect([reply.status, reply.body.type, reply.headers["content-type"]]).toEqual([
      409,
      "urn:plimsoll:problem:held",
      "application/problem+json",
    ]);
    expect(reply.body.mend).toBe(
      "Read the plan. To have a second person decide, send it again with ?acceptNewlyCalled=1&acceptNewlyClosedOut=0.",
    );
    expect(reply.body.plan).toEqual({
      marksAt: "2020-03-12T10:00:00.000Z",
      // SOL-PERP, TWO-PERP and RACE-PERP of the tests above never had a price.
      notGood: 3,
      accounts: 1,
      atRisk: 1,
      withCall: 0,
      newly: { undecided: 0, closedOut: 0, called: 1, warned: 0, released: 0 },
      breachSharePpm: 1_000_000,
      due: [{ asset: "USDT", amount: "1400" }],
      worst: [
        {
          accountId: "A-1",
          effect: "called",
          levelBefore: "HEALTHY",
          levelAfter: "CALL",
          headroomBeforePpm: 1_264_550,
          headroomAfterPpm: 405_772,
          due: { asset: "USDT", amount: "1400" },
          boundBefore: "BTC-PERP: bracket 1",
          boundAfter: "BTC-PERP: bracket 1",
        },
      ],
    });
    expect(problemReply.safeParse(reply.body).success).toBe(true);
    expect((await createMarks(venue.world).instruments()).get("BTC-PERP")?.version).toBe(1);
    expect(venue.log.counts.get("change_held")).toBe(1);
  });

  test.each([
    ["one call too few", { acceptNewlyCalled: "0", acceptNewlyClosedOut: "5" }, 409],
    ["a figure that is none", { acceptNewlyCalled: "all" }, 400],
    ["another word", { force: "true" }, 400],
  ])("%s: %j", async (_name, query, status) => {
    expect((await named(query as Record<string, string>)).status).toBe(status);
  });

  test("a warning is no breach", async () => {
    expect((await put(path, { ...dearer, emergency })).body).toEqual({ id: "BTC-PERP", version: 2 });
    expect((await put(path, { ...instrument, emergency })).body).toEqual({ id: "BTC-PERP", version: 3 });
  });

  test("S19 who names the figures is one of two: another principal's approval puts it in force", async () => {
    const { status, body } = await named({ acceptNewlyCalled: "1" });
    expect([status, body.version, body.pending.held.why]).toEqual([200, 4, "share"]);
    const { changeId, approvals, terms } = body.pending;
    expect([approvals[0].by, terms.tiers[0].rateIm]).toEqual(["arn:aws:sts::111122223333:assumed-role/operator", 300_000]);
    const approve = (as: string): Promise<Asked> =>
      ask(venue.world, {
        as,
        method: "POST",
        path: `/changes/${changeId}/approval`,
        body: { newlyCalled: 1, newlyClosedOut: 0 },
      });
    expect((await approve("operator")).body.outcome).toBe("waits");
    expect((await ask(venue.world, { as: "auditor", path: "/changes" })).body.changes).toHaveLength(1);
    expect((await approve("auditor")).status).toBe(403);
    expect((await approve("operator-2")).body.outcome).toBe("enacted");
    expect((await createMarks(venue.world).instruments()).get("BTC-PERP")?.version).toBe(4);
    expect((await approve("operator-2")).body).toMatchObject({ status: 404, mend: "GET /changes lists what is pending." });
    expect((await put(path, { ...instrument, emergency })).body).toEqual({ id: "BTC-PERP", version: 5 });
  });

  test("S19 another change of the same terms waits: refused by its id; withdrawn, the next one may come", async () => {
    const later = { ...instrument, effectiveAt: "2020-03-14T00:00:00Z" };
    const { changeId } = (await put(path, { ...later, feePpm: 501 })).body.pending;
    const refused = await put(path, { ...later, feePpm: 502 });
    expect([refused.status, refused.body.mend]).toEqual([409, `Withdraw it first: POST /changes/${changeId}/withdrawal.`]);
    const withdrawal = await ask(venue.world, { as: "operator", method: "POST", path: `/changes/${changeId}/withdrawal` });
    expect([withdrawal.status, withdrawal.body.outcome]).toEqual([200, "withdrawn"]);
    expect((await ask(venue.world, { as: "operator", path: "/changes" })).body).toEqual({ changes: [] });
  });

  test("M3 a rise of more than 25 % without notice is refused, naming the rates and the earliest instant", async () => {
    const reply = await put(path, dearest);
    expect([reply.status, reply.body.type, reply.body.faults, reply.body.mend]).toEqual([
      409,
      "urn:plimsoll:problem:notice-too-short",
      [
        { where: "body/tiers from 0: rateIm", what: "rises from 100000 to 300000 ppm" },
        { where: "body/tiers from 1000000: rateIm", what: "rises from 200000 to 300000 ppm" },
      ],
      "Send it with effectiveAt 2020-03-13T10:00:00.000Z or later, or with emergency and its reason.",
    ]);
  });

  test("a policy is held the same: 25 % off cash leaves 750 of the 800 that it asks for", async () => {
    const [usdt, btc] = policy.collateral;
    const collateral = [{ ...usdt, tiers: [{ floor: "0", haircutIm: 250_000, haircutMm: 0 }] }, btc];
    const reply = await put("/policies/standard", {
      ...policy,
      levels: { ...policy.levels, warning: 1_000_000, call: 1_000_000 },
      collateral,
    });
    expect([reply.body.type, reply.body.plan.due]).toEqual(["urn:plimsoll:problem:held", [{ asset: "USDT", amount: "50" }]]);
    await expect(createBook(venue.world).policy("standard", 2)).rejects.toThrow("unknown policy standard version 2");
  });

  test("a book that is too large for one request is refused by name, with the command that reads it", async () => {
    const change = policyChange(venue.world, "elsewhere", (version) =>
      policyBody.parse({ ...policyFixture, policyId: "elsewhere", version }),
    );
    const many = Array.from({ length: 50_001 }, () => account());
    const book = { ...change.desk.book, pageOfShard: async () => ({ accounts: many }) };
    const request = throughBreaker(
      { ...change, desk: { ...change.desk, book } },
      { acceptNewlyCalled: 0, acceptNewlyClosedOut: 0 },
      { by: null },
    );
    await expect(request).rejects.toMatchObject({ kind: "book-too-large", status: 409, mend: expect.stringContaining("npm run policy") });
  });
});

describe("PUT /policies/{policyId}", () => {
  test("R11: a version stays as it was stored when the next one comes", async () => {
    const path = "/policies/strict";
    expect((await put(path, policy)).body).toEqual({ id: "strict", version: 1 });
    expect((await put(path, policy)).body).toEqual({ id: "strict", version: 1 });
    expect((await put(path, { ...policy, graceMs: 600_000 })).body).toEqual({ id: "strict", version: 2 });
    const book = createBook(venue.world);
    expect([(await book.policy("strict", 1)).graceMs, (await book.policy("strict")).graceMs]).toEqual([1_800_000, 600_000]);
  });

  test.each([
    ["R1: thresholds that do not fall", { levels: { ...policy.levels, restricted: 600_000 } }, "restricted"],
    ["R1: a call above IM", { levels: { ...policy.levels, warning: 1_200_000, call: 1_100_000 } }, "call"],
    ["R13: a least grace above the grace", { graceMinMs: 1_800_001 }, "grace"],
    ["M2: a debt that weighs less than it is", { collateral: [{ ...policy.collateral[0], liabilityWeight: 999_999 }] }, "M2"],
    ["no terms of the valuation asset", { collateral: [policy.collateral[1]] }, "valuation asset"],
    ["a margin model that there is none of", { model: { kind: "clairvoyant" } }, "unknown margin model"],
    ["a negative least transfer", { minimumTransfer: "-1" }, "negative"],
  ])("%s is refused", async (_name, patch, words) => {
    const reply = await put("/policies/refused", { ...policy, ...patch });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain(words);
    await expect(createBook(venue.world).policy("refused")).rejects.toThrow("unknown policy refused");
  });
});
