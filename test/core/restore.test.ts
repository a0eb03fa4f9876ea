import { describe, expect, test } from "vitest";

import type { MarginAccount } from "../../core/account.ts";
import { restore } from "../../core/restore.ts";
import { deskOf, MINUTE, POLICY, SECOND, T0, tenTimesLong, typesOf } from "./call-fixtures.ts";

const RESTORED = { restoredAt: T0 + 12 * MINUTE, key: "KKKKKKKKKKKK", version: 176_762_232_001 };
const called = () => {
  const desk = deskOf(tenTimesLong());
  desk.at(T0, "94");
  return desk;
};

describe("S54: an account whose rows were put back from a backup", () => {
  test("is out of sync until a snapshot from after the restore, under a new key and above every sequence", () => {
    const account = tenTimesLong();
    const { before, after, calls, orders, entries, events } = restore(account, POLICY, RESTORED, T0 + 12 * MINUTE);
    expect(before).toBe(account);
    expect(after).toEqual({ ...account, ...RESTORED, outOfSync: true });
    expect([calls, orders, entries, events]).toEqual([[], [], [], []]);
  });

  test.each([
    {
      name: "the whole grace from now",
      over: {},
      at: T0 + 12 * MINUTE,
      deadline: T0 + 12 * MINUTE + 10 * SECOND + 16 * MINUTE,
      told: true,
    },
    { name: "a longer top-up", over: { topUpGraceMs: 40 * MINUTE }, at: T0, deadline: T0 + 10 * SECOND + 41 * MINUTE, told: true },
    {
      name: "the extension, where grace is shorter",
      over: { graceMs: MINUTE, topUpGraceMs: 0 },
      grace: MINUTE,
      at: T0 + 12 * MINUTE,
      deadline: T0 + 12 * MINUTE + 10 * SECOND + 11 * MINUTE,
      told: true,
    },
    { name: "what it was, where that is later", over: {}, at: T0 - MINUTE, deadline: T0 + 10 * SECOND + 16 * MINUTE, told: false },
  ])("keeps every deadline that may have been promised: $name (I05)", ({ over, grace, at, deadline, told }) => {
    const account = called().account();
    const { live } = account;
    if (live === null) throw new Error("no call");
    const held: MarginAccount = grace === undefined ? account : { ...account, live: { ...live, call: { ...live.call, graceMs: grace } } };
    const change = restore(held, { ...POLICY, ...over }, RESTORED, at);
    expect(change.after.live?.call).toMatchObject({ callId: live.call.callId, deadlineAt: deadline, version: told ? 2 : 1 });
    expect(change.calls).toEqual(told ? [change.after.live?.call] : []);
    expect(typesOf(change)).toEqual(told ? ["margin_call.deadline_changed"] : []);
  });

  test("leaves a call in liquidation and its orders to the venue's word", () => {
    const desk = deskOf(tenTimesLong());
    desk.at(T0, "90");
    const account = desk.account();
    expect(account.live?.call.status).toBe("LIQUIDATING");
    const { after, calls, events } = restore(account, POLICY, RESTORED, T0 + MINUTE);
    expect([after.live, calls, events]).toEqual([account.live, [], []]);
  });

  test("gives the next call the whole grace, whatever the last one had left (R11)", () => {
    const desk = called();
    desk.at(T0 + 2 * MINUTE, "100");
    desk.at(T0 + 4 * MINUTE, "100");
    const account = desk.account();
    expect(account.episode).toMatchObject({ lastEndedAt: T0 + 4 * MINUTE });
    expect(account.episode?.graceLeftMs).toBeLessThan(POLICY.graceMs);
    expect(restore(account, POLICY, RESTORED, T0 + 5 * MINUTE).after.episode).toEqual({ ...account.episode, graceLeftMs: POLICY.graceMs });
  });

  test("plans under ids that no attempt of before had (I09)", () => {
    const desk = called();
    const blocked = desk.commit(restore(desk.account(), POLICY, { ...RESTORED, restoredAt: T0 }, T0));
    expect(blocked?.after.live?.call.callId).toBe("MC-ABCDEFGHIJKL-1");
    expect(desk.at(T0 + MINUTE, "90")).toMatchObject({ orders: [], after: { level: "BACKSTOP", live: { call: { status: "OPEN" } } } });
    const { balances, positions } = desk.account();
    const told = { kind: "snapshot" as const, externalId: "s", sequence: 9, occurredAt: T0 + MINUTE, balances, positions };
    const change = desk.at(T0 + MINUTE, "90", [told]);
    expect(change?.orders.map(({ orderId, callId }) => [orderId, callId])).toEqual([["MC-KKKKKKKKKKKK-1-1-BTC-PERP", "MC-ABCDEFGHIJKL-1"]]);
  });
});
