import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTables, type TestTables } from "../engine.ts";
import { type Asked, ask, moveMark, openAccount, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;

beforeAll(async () => {
  tables = await startTables();
  venue = await openVenue(tables);
  await openAccount(venue, "A-1", "B1", "1000");
  await openAccount(venue, "A-2", "B2", "1000");
  await moveMark(venue, "7300", "A-1");
});
afterAll(() => tables.stop());

const whatIf = (body: unknown, as = "operator", accountId = "A-1"): Promise<Asked> =>
  ask(venue.world, { as, method: "POST", path: `/accounts/${accountId}/what-if`, body });

describe("POST /accounts/{accountId}/what-if", () => {
  test("one contract long at 8,000 with 1,000 of cash, on the mark 7,300: a deposit cures, a fall liquidates", async () => {
    const rows = await journal();
    const { status, body } = await whatIf({ deposits: [{ asset: "USDT", amount: "430" }], priceShocks: [{ asset: "BTC", ppm: -50_000 }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accountId: "A-1", policyId: "standard", policyVersion: 1 });
    expect(body.versions).toMatchObject({ release: "0.1.0", instruments: { "BTC-PERP": 1 } });
    // (300 − 40.15) / (730 − 40.15).
    expect(body.before).toMatchObject({ level: "CALL", headroomPpm: "376676", amountDue: "430", boundBy: "BTC-PERP: bracket 1" });
    expect(body.before.cures[0]).toMatchObject({ kind: "reduce", instrumentId: "BTC-PERP", side: "sell", amount: null });
    expect(body.before.cures[1]).toMatchObject({ kind: "deposit", asset: "USDT", amount: "430", cost: "430", quantity: null });
    // 6,935 after the fall: 730 − 365 of equity, 693.5 required.
    expect(body.after).toMatchObject({ level: "CALL", amountDue: "328.5" });
    expect(body.after.statement.high).toEqual({ equityInitial: "365", equityMaintenance: "365", initial: "693.5", maintenance: "38.1425" });
    expect(body.after.statement.legs[0]).toMatchObject({ price: "6935", unrealised: "-1065" });
    expect(body.after.statement.components).toEqual([{ name: "BTC-PERP: bracket 1", initial: "693.5", maintenance: "38.1425" }]);
    // Nothing is written: the journal is what it was.
    expect(await journal()).toEqual(rows);
  });

  test("without a question the account is explained as it is", async () => {
    const { body } = await whatIf({});
    expect(body.after).toEqual(body.before);
  });

  test.each([
    [{ trades: [{ instrumentId: "DOGE-PERP", quantity: "1" }] }, "body/trades/0", "there is no instrument DOGE-PERP"],
    [{ trades: [{ instrumentId: "BTC-PERP", quantity: "0" }] }, "body/trades/0/quantity", "must not be 0"],
    [{ trades: [{ instrumentId: "BTC-PERP", quantity: 1 }] }, "body/trades/0/quantity", /string/],
    [{ priceShocks: [{ asset: "BTC", ppm: -1_000_000 }] }, "body/priceShocks/0/ppm", /999999/],
    [
      {
        priceShocks: [
          { asset: "BTC", ppm: 1 },
          { asset: "BTC", ppm: 2 },
        ],
      },
      "body/priceShocks",
      "an asset stands twice",
    ],
    [{ deposits: [{ asset: "DOGE", amount: "-1" }] }, "body/deposits", /Add its collateral terms/],
    [{ question: 1 }, "body/question", "unknown field"],
  ])("%j is refused at its place", async (question, where, what) => {
    const { status, body } = await whatIf(question);
    expect(status).toBe(400);
    expect(body.faults[0]).toEqual({ where, what: typeof what === "string" ? what : expect.stringMatching(what) });
  });

  test("C2: a holder and a broker ask about their own, an auditor about any; nobody about what is not there", async () => {
    const statuses = async (as: string): Promise<number[]> => [(await whatIf({}, as, "A-1")).status, (await whatIf({}, as, "A-2")).status];
    expect(await statuses("holder-1")).toEqual([200, 403]);
    expect(await statuses("broker-2")).toEqual([403, 200]);
    expect(await statuses("auditor")).toEqual([200, 200]);
    expect(await statuses("marks")).toEqual([403, 403]);
    expect((await whatIf({}, "operator", "A-404")).status).toBe(404);
  });
});

test("GET /accounts/{accountId} says what binds, and on which versions", async () => {
  const { body } = await ask(venue.world, { as: "holder-1", path: "/accounts/A-1" });
  expect(body).toMatchObject({ boundBy: "BTC-PERP: bracket 1", versions: { release: "0.1.0", instruments: { "BTC-PERP": 1 } } });
  expect(body.versions.snapshotId).toMatch(/^NEWEST#\d+$/);
  expect(body.statement.components).toEqual([{ name: "BTC-PERP: bracket 1", initial: "730", maintenance: "40.15" }]);
});

const journal = async (): Promise<readonly unknown[]> =>
  (
    await venue.world.db.query({
      TableName: venue.world.settings.journalTable,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: "ACC#A-1" } },
    })
  ).Items ?? [];
