import "./environment.ts";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createBook } from "../../adapters/dynamodb/book.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { operate } from "../../functions/operate.ts";
import { instrumentFixture, policyFixture } from "../adapters/samples.ts";
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
    ["a negative least transfer", { minimumTransfer: "-1" }, "negative"],
  ])("%s is refused", async (_name, patch, words) => {
    const reply = await put("/policies/refused", { ...policy, ...patch });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain(words);
    await expect(createBook(venue.world).policy("refused")).rejects.toThrow("unknown policy refused");
  });
});
