import "./environment.ts";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { applyFeed } from "../../adapters/apply-feed.ts";
import type { MarginCall } from "../../core/call.ts";
import { money } from "../../core/money.ts";
import { armDeadline } from "../../functions/arm-deadline.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, markAt, NONE_FAILED, one, openAccount, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
let serial = 0;
let accountId = "";
afterEach(() => tables.stop());

const liveCall = async (): Promise<MarginCall> => {
  const call = (await stage.load(accountId)).live?.call;
  if (call === undefined) throw new Error("no live call");
  return call;
};
/** An account with an open call, issued about T0 + 20 s. */
beforeEach(async () => {
  serial += 1;
  accountId = `armed-${serial}`;
  tables = await startTables();
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
  await openAccount(stage, accountId);
  await markAt(stage, accountId, "94.5", 10);
});

const arm = (body: unknown) => armDeadline(stage.world)(one(body));
const lastEvent = async () => (await stage.eventsOf(accountId)).at(-1);
const accepted = (callId: string, secondsOn: number) => ({
  schemaVersion: 1,
  kind: "notice_accepted",
  accountId,
  callId,
  acceptedAt: new Date(T0 + secondsOn * 1_000).toISOString(),
});

describe("R12 the timer of a deadline", () => {
  test("R12 S39 is set past the deadline by twice the skew, on the call as stored", async () => {
    const { callId, deadlineAt } = await liveCall();
    // 10 s after T0, plus the write budget of 10 s, the allowance of 60 s and the grace of 30 min.
    expect(deadlineAt).toBe(T0 + 1_880_000);
    await expect(arm(await lastEvent())).resolves.toEqual(NONE_FAILED);
    expect(stage.timers).toEqual([
      {
        name: `${callId}-1`,
        at: T0 + 1_890_000,
        body: JSON.stringify({ schemaVersion: 1, accountId, callId, deadlineVersion: 1 }),
      },
    ]);
  });

  test("S36 an event that comes again arms the same timer", async () => {
    const event = await lastEvent();
    await arm(event);
    await arm(event);
    expect(new Set(stage.timers.map(({ name }) => name)).size).toBe(1);
  });

  test("nothing but the ids of the message is believed", async () => {
    const event = await lastEvent();
    if (event === undefined || event.call === null) throw new Error("no event");
    await arm({ ...event, call: { ...event.call, deadlineAt: new Date(T0 + 11_000).toISOString() } });
    expect(stage.timers.map(({ at }) => at)).toEqual([T0 + 1_890_000]);
    await arm({ ...event, call: { ...event.call, callId: "MC-AAAAAAAAAAAA-9" } });
    await arm({ ...event, accountId: "nobody" });
    expect(stage.timers).toHaveLength(1);
  });

  test("R15 an extension for a deposit that still confirms arms the new version", async () => {
    const fact = { kind: "deposit_pending" as const, externalId: "seen", sequence: 2, occurredAt: T0, asset: "USDT", amount: money("495") };
    await applyFeed(stage.desk, [{ schemaVersion: 1, accountId, entries: [fact] }], await stage.desk.marks.newest());
    expect(await liveCall()).toMatchObject({ metAmount: 0n, confirmingAmount: money("495"), extendedAt: null });
    await markAt(stage, accountId, "94.5", 1_890);
    expect(await liveCall()).toMatchObject({ status: "OPEN", deadlineAt: T0 + 2_480_000, deadlineVersion: 2, extendedAt: T0 + 1_890_000 });
    const event = await lastEvent();
    expect(event?.type).toBe("margin_call.extended");
    await arm(event);
    expect(stage.timers).toMatchObject([{ name: `${(await liveCall()).callId}-2`, at: T0 + 2_490_000 }]);
  });

  test("S37 an event of a call that ended since arms nothing", async () => {
    const event = await lastEvent();
    await markAt(stage, accountId, "100.5", 20);
    await markAt(stage, accountId, "100.5", 81);
    expect((await stage.load(accountId)).live).toBeNull();
    await expect(arm(event)).resolves.toEqual(NONE_FAILED);
    expect(stage.timers).toEqual([]);
  });

  test("a deadline that has passed is the sweep's: the scheduler takes no instant of the past", async () => {
    const event = await lastEvent();
    stage.clock.set(T0 + 1_890_000);
    await expect(arm(event)).resolves.toEqual(NONE_FAILED);
    expect(stage.timers).toEqual([]);
    expect(stage.counted("timer_too_late")).toBe(1);
  });

  test("S42 where the scheduler refuses, that message goes back and no other", async () => {
    const bad = record(await lastEvent());
    const { callId } = await liveCall();
    const down = { ...stage.world, timers: { arm: () => Promise.reject(new Error("throttled")) } };
    stage.clock.set(T0 + 30_000);
    await expect(armDeadline(down)(batch(bad, record(accepted(callId, 25))))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: bad.messageId }],
    });
    expect((await liveCall()).noticeAcceptedAt).toBe(T0 + 25_000);
  });

  test.each(POISON)("S43 %s goes back", async (_, body) => {
    expect((await arm(body)).batchItemFailures).toHaveLength(1);
  });
});

describe("R12 the first accepted notice", () => {
  test("R12 within the allowance is recorded and moves nothing", async () => {
    const { callId } = await liveCall();
    stage.clock.set(T0 + 70_000);
    await arm(accepted(callId, 65));
    expect(await liveCall()).toMatchObject({ noticeAcceptedAt: T0 + 65_000, deadlineAt: T0 + 1_880_000, deadlineVersion: 1 });
  });

  test("R12 I05 later than that it moves the deadline later, once, with an event that arms the new version", async () => {
    const { callId } = await liveCall();
    stage.clock.set(T0 + 200_000);
    await arm(accepted(callId, 190));
    expect(await liveCall()).toMatchObject({ deadlineAt: T0 + 1_990_000, deadlineVersion: 2 });
    await arm(accepted(callId, 199));
    await arm(accepted(callId, 80));
    expect(await liveCall()).toMatchObject({ deadlineAt: T0 + 1_990_000, deadlineVersion: 2, noticeAcceptedAt: T0 + 190_000 });
    const event = await lastEvent();
    expect(event?.type).toBe("margin_call.deadline_changed");
    await arm(event);
    expect(stage.timers).toMatchObject([{ name: `${callId}-2`, at: T0 + 2_000_000 }]);
  });

  test("S37 of another call, or after the end, it is harmless", async () => {
    await expect(arm(accepted("MC-AAAAAAAAAAAA-9", 190))).resolves.toEqual(NONE_FAILED);
    await expect(arm({ ...accepted("MC-AAAAAAAAAAAA-9", 190), accountId: "nobody" })).resolves.toEqual(NONE_FAILED);
    expect((await liveCall()).noticeAcceptedAt).toBeNull();
  });
});
