import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { decideAccount, openDesk } from "../../adapters/decide-account.ts";
import { money } from "../../core/money.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { policyFixture } from "../adapters/samples.ts";
import { startTables, type TestTables } from "../engine.ts";
import { ask, moveMark, openAccount, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;

beforeAll(async () => {
  tables = await startTables();
  venue = await openVenue(tables);
  await openAccount(venue, "A-1", "B1", "1000");
  await openAccount(venue, "A-3", "B1", "250", "0");
});
afterAll(() => tables.stop());

describe("GET /accounts/{accountId}", () => {
  test("M4, R4: one contract long at 8,000 with 1,000 of cash, on the mark 7,300", async () => {
    await moveMark(venue, "7300", "A-1");
    const { status, body } = await ask(venue.world, { as: "operator", path: "/accounts/A-1" });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accountId: "A-1", brokerId: "B1", clientClass: "retail", policyId: "standard", policyVersion: 1 });
    expect(body).toMatchObject({ mode: "enforce", level: "CALL", levelNow: "CALL", outOfSync: false });
    // Equity 1,000 − 700; IM 10 % and MM 0.5 % + 0.05 % closing fee of 7,300.
    expect(body.statement.high).toEqual({ equityInitial: "300", equityMaintenance: "300", initial: "730", maintenance: "40.15" });
    expect(body.statement).toMatchObject({ at: "2020-03-12T10:00:01.000Z", valuationAsset: "USDT", quality: "GOOD", allGood: true });
    expect(body.statement.legs).toEqual([
      {
        instrumentId: "BTC-PERP",
        quantity: "1",
        entryPrice: "8000",
        price: "7300",
        priceLow: "7300",
        quality: "GOOD",
        settleAsset: "USDT",
        notional: "7300",
        unrealised: "-700",
        funding: "0",
        initial: "730",
        maintenance: "40.15",
        // 7,000 / (1 − 0.0055), rounded to the side of the mark.
        liquidationPrice: "7038.71292107",
        bankruptcyPrice: "7000",
      },
    ]);
    expect(body.amountDue).toBe("430");
    expect(body.cures).toContainEqual({ kind: "deposit", asset: "USDT", amount: "430" });
    expect(body.call).toMatchObject({ status: "OPEN", amountDue: "430", asset: "USDT" });
  });

  test("R9: an isolated pool is shown with figures and a call of its own, and the account's own count nothing of it", async () => {
    await openAccount(venue, "A-4", "B1", "3000");
    const desk = openDesk(venue.world);
    const fact = {
      kind: "pool_transfer",
      externalId: "A-4-isolate",
      sequence: 2,
      occurredAt: venue.clock.now(),
      instrumentId: "BTC-PERP",
      amount: money("1000"),
    } as const;
    await decideAccount(desk, { accountId: "A-4", causedBy: "test", facts: [fact] }, await desk.marks.newest());
    await moveMark(venue, "7300", "A-4");
    const { body } = await ask(venue.world, { as: "operator", path: "/accounts/A-4" });
    expect(body).toMatchObject({ level: "HEALTHY", amountDue: "0", cures: [], call: null });
    expect(body.statement.high).toEqual({ equityInitial: "2000", equityMaintenance: "2000", initial: "0", maintenance: "0" });
    expect(body.pools).toHaveLength(1);
    expect(body.pools[0]).toMatchObject({ instrumentId: "BTC-PERP", asset: "USDT", cash: "1000", policyVersion: 1, amountDue: "430" });
    expect(body.pools[0]).toMatchObject({ level: "CALL", levelNow: "CALL", call: { scope: "ISO#BTC-PERP", status: "OPEN" } });
    expect(body.pools[0].statement.high).toEqual({ equityInitial: "300", equityMaintenance: "300", initial: "730", maintenance: "40.15" });
    expect(body.pools[0].statement.legs).toMatchObject([{ liquidationPrice: "7038.71292107", bankruptcyPrice: "7000" }]);
    expect(body.pools[0].cures[0]).toEqual({ kind: "deposit", asset: "USDT", amount: "430" });
    // A fall by 5 % to 6,935 takes the pool's equity to −65; the deposit is cross's and helps it nothing.
    const question = { deposits: [{ asset: "USDT", amount: "10000" }], priceShocks: [{ asset: "BTC", ppm: -50_000 }] };
    const asked = await ask(venue.world, { as: "operator", method: "POST", path: `/accounts/${body.accountId}/what-if`, body: question });
    const [pool] = asked.body.pools;
    expect(pool.before).toMatchObject({ level: "CALL", amountDue: "430", boundBy: "BTC-PERP: bracket 1" });
    expect(pool.before.cures.find(({ kind }: { kind: string }) => kind === "deposit")).toMatchObject({
      asset: "USDT",
      amount: "430",
      cost: "430",
    });
    expect(pool.after).toMatchObject({ level: "DEFAULT", amountDue: "758.5" });
    expect(pool.after.statement.high).toEqual({ equityInitial: "-65", equityMaintenance: "-65", initial: "693.5", maintenance: "38.1425" });
  });

  test("an account without positions owes nothing and has no call", async () => {
    const { body } = await ask(venue.world, { as: "operator", path: "/accounts/A-3" });
    expect(body).toMatchObject({ level: "HEALTHY", amountDue: "0", cures: [], call: null });
    expect(body.statement.collateral).toMatchObject([{ asset: "USDT", wallet: "250" }]);
  });

  test("R3: on a stale mark the cautious value is shown beside the last accepted one", async () => {
    venue.clock.set(venue.clock.now() + 61_000);
    const { body } = await ask(venue.world, { as: "operator", path: "/accounts/A-1" });
    expect(body.statement).toMatchObject({ quality: "STALE", allGood: false });
    expect(body.statement.high.equityMaintenance).toBe("300");
    // The band is 5 % of 7,300.
    expect(body.statement.low.equityMaintenance).toBe("-65");
    expect(body.statement.legs[0]).toMatchObject({ quality: "STALE", price: "7300", priceLow: "6935" });
  });

  test("M4: the distance by the joint scenarios of the policy, and why there is none", async () => {
    const { body: without } = await ask(venue.world, { as: "operator", path: "/accounts/A-1" });
    expect(without).toMatchObject({
      distance: null,
      noDistance: expect.stringContaining("NO_HISTORY: policy standard version 1 holds no"),
    });
    const own = await openVenue(tables);
    const statistical = {
      ...{ scenariosId: "joint", version: 2, units: ["BTC"], confidence: 975_000, weight: 750_000 },
      history: Array.from({ length: 400 }, (_, day) => ({ name: `day ${day}`, movesPpm: [day % 2 === 0 ? 50_000 : -50_000] })),
      stress: [{ name: "halved", movesPpm: [-500_000] }],
    };
    const { policyId: _, version: __, ...policy } = policyFixture;
    const model = { kind: "portfolio", terms: STANDARD_TERMS, statistical };
    const put = await ask(own.world, { as: "operator", method: "PUT", path: "/policies/standard", body: { ...policy, model } });
    expect(put.status).toBe(200);
    await openAccount(own, "A-1", "B1", "4000");
    const { body } = await ask(own.world, { as: "operator", path: "/accounts/A-1" });
    expect(body.noDistance).toBeNull();
    // 4,000 less 3/4 of the shortfall of 400 and 1/4 of the stress of 4,000; 5 % of 8,000, and the requirement moves the other way.
    expect(body.distance).toMatchObject({
      scenariosId: "joint",
      scenariosVersion: 2,
      distance: "2700",
      periodMs: 86_400_000,
      heldFixed: [],
    });
    expect(Number(body.distance.volatility)).toBeGreaterThan(330);
    expect(Number(body.distance.volatility)).toBeLessThan(400);
    expect(body.distance.worstDay).toMatchObject({ name: "day 1", multiple: expect.any(Number) });
    // M6, M7: what the requirement rests on, scenario by scenario and instrument by instrument.
    const [grid, joint] = body.statement.scenarios;
    expect(grid).toMatchObject({ kind: "grid", unit: "BTC", parts: [{ instrumentId: "BTC-PERP", profit: "-1280" }] });
    expect(grid.rows.find(({ name }: { name: string }) => name === grid.binding)).toMatchObject({ profit: "-1280" });
    expect(joint).toMatchObject({ kind: "history", unit: null, parts: [{ instrumentId: "BTC-PERP", profit: "-1300" }] });
    expect(joint.rows.at(-1)).toEqual({ name: "halved", profit: "-4000" });
  });

  test("an account that is not in the book", async () => {
    const { status, body } = await ask(venue.world, { as: "auditor", path: "/accounts/A-404" });
    expect([status, body.type]).toEqual([404, "urn:plimsoll:problem:not-found"]);
  });
});

describe("GET /accounts/{accountId}/orders", () => {
  test("an account without liquidation orders, and one that does not exist", async () => {
    expect((await ask(venue.world, { as: "operator", path: "/accounts/A-3/orders" })).body).toEqual({ orders: [] });
    expect((await ask(venue.world, { as: "operator", path: "/accounts/A-404/orders" })).status).toBe(404);
  });

  test("R14: the orders of a close-out, by call", async () => {
    await openAccount(venue, "A-5", "B1", "1000");
    await moveMark(venue, "6990", "A-5");
    const { body } = await ask(venue.world, { as: "operator", path: "/accounts/A-5/orders" });
    expect(body.orders.length).toBeGreaterThan(0);
    expect(body.orders[0]).toMatchObject({ accountId: "A-5", instrumentId: "BTC-PERP", side: "sell", status: "PENDING", filled: "0" });
    const { callId } = body.orders[0];
    const own = await ask(venue.world, { as: "operator", path: "/accounts/A-5/orders", query: { callId } });
    expect(own.body).toEqual(body);
    const none = await ask(venue.world, { as: "operator", path: "/accounts/A-5/orders", query: { callId: `${callId}9` } });
    expect(none.body).toEqual({ orders: [] });
  });
});
