import "./environment.ts";

import { afterEach, beforeEach, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import type { Fact } from "../../core/ledger.ts";
import { money, price, quantity } from "../../core/money.ts";
import { verifyAccount } from "../../operator/verify-account.ts";
import { startTables, type TestTables } from "../engine.ts";
import { putTerms, type Stage, stageOn, T0 } from "./stage.ts";

const ACCOUNT = "with-orders";
let tables: TestTables;
let stage: Stage;
beforeEach(async () => {
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
});
afterEach(() => tables.stop());

const tell = async (...entries: readonly Fact[]): Promise<void> => {
  const account = { brokerId: "B1", clientClass: "retail", policyId: "standard" };
  await applyFeed(stage.desk, [{ schemaVersion: 1, accountId: ACCOUNT, account, entries: [...entries] }], await stage.desk.marks.newest());
};

test("M3 I27 stored, called for, decided again from the record byte for byte, and gone with their fact", async () => {
  stage.clock.set(T0);
  await stage.price("100");
  const held = { instrumentId: "BTC-PERP", quantity: quantity("100"), entryPrice: price("100") };
  const opening = { kind: "snapshot", externalId: "open", sequence: 1, occurredAt: T0, positions: [held] } as const;
  await tell({ ...opening, balances: new Map([["USDT", money("1200")]]) });
  expect((await stage.load(ACCOUNT)).live).toBeNull();
  const orders = { kind: "open_orders", instrumentId: "BTC-PERP", occurredAt: T0 } as const;
  await tell({ ...orders, externalId: "placed", sequence: 2, buys: quantity("0"), sells: quantity("400") });
  const called = await stage.load(ACCOUNT);
  expect(called.standing.get("BTC-PERP")).toMatchObject({ buys: quantity("0"), sells: quantity("400") });
  expect(called.live?.call).toMatchObject({ status: "OPEN", boundBy: "open orders of BTC-PERP" });
  const verified = await verifyAccount(stage.world, ACCOUNT);
  expect(verified?.envelopes.map(({ verdict }) => verdict.outcome)).toEqual(["unkept", "agrees"]);
  await tell({ ...orders, externalId: "cancelled", sequence: 3, buys: quantity("0"), sells: quantity("0") });
  expect((await stage.load(ACCOUNT)).standing.size).toBe(0);
});
