import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createJournal } from "../../adapters/dynamodb/journal.ts";
import { startTables, type TestTables } from "../engine.ts";
import { type Asked, ask, moveMark, openAccount, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;
let accountId = "";
let callId = "";
let opened = 0;

const as = "operator";
const get = (path: string, query?: Record<string, string>): Promise<Asked> =>
  ask(venue.world, { as, path, ...(query !== undefined && { query }) });
const post = (path: string, body?: unknown, by = as): Promise<Asked> => ask(venue.world, { as: by, method: "POST", path, body });

beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  opened += 1;
  accountId = `C-${opened}`;
  venue = await openVenue(tables);
  await openAccount(venue, accountId, "B1", "1000");
  await moveMark(venue, "7300", accountId);
  callId = (await get(`/accounts/${accountId}`)).body.call.callId;
});

describe("a call and its timeline", () => {
  test("the journal's own words, in order, with their instants", async () => {
    const { status, body } = await get(`/accounts/${accountId}/calls/${callId}`);
    expect(status).toBe(200);
    // R12: issued at the clock and the write's budget of 10 s; the deadline a minute and the grace of 30 minutes later.
    expect(body.call).toMatchObject({
      callId,
      status: "OPEN",
      amountDue: "430",
      issuedAt: "2020-03-12T10:00:11.000Z",
      deadlineAt: "2020-03-12T10:31:11.000Z",
    });
    expect(body.timeline.map((step: { type: string }) => step.type)).toContain("margin_call.issued");
    expect(body.timeline[0]).toMatchObject({ occurredAt: "2020-03-12T10:00:01.000Z", accountSequence: 2, mode: "enforce" });
    expect(body.timeline[0].id).toMatch(/^evt_/);
    expect(JSON.stringify(body)).not.toContain("causedBy");
  });

  test("a call far back in a long journal is found, and only its own steps are told", async () => {
    await post(`/accounts/${accountId}/calls/${callId}/cancellation`, { reason: "wrong price" });
    await moveMark(venue, "8000", accountId);
    for (let turn = 0; turn < 20; turn += 1) await moveMark(venue, turn % 2 === 0 ? "7450" : "8000", accountId);
    const later = (await createJournal(venue.world).timeline(accountId)).length;
    expect(later).toBeGreaterThan(20);
    const { body } = await get(`/accounts/${accountId}/calls/${callId}`);
    const types = body.timeline.map((step: { type: string }) => step.type);
    expect(types.at(0)).toBe("account.level_changed");
    expect(types).toContain("margin_call.issued");
    expect(types.at(-1)).toBe("margin_call.cancelled");
  });

  test("another account's call is not found under this one", async () => {
    await openAccount(venue, `${accountId}-other`, "B1", "1000", "0");
    expect((await get(`/accounts/${accountId}-other/calls/${callId}`)).status).toBe(404);
  });
});

describe("lists of calls", () => {
  test("an account's calls come newest first, page by page", async () => {
    await post(`/accounts/${accountId}/calls/${callId}/cancellation`, { reason: "wrong price" });
    await moveMark(venue, "7300", accountId);
    const all = (await get(`/accounts/${accountId}/calls`)).body;
    expect(all.calls.map((call: { callId: string }) => call.callId)).toEqual([callId.replace(/-1$/, "-2"), callId]);
    expect(all.next).toBeNull();
    const first = (await get(`/accounts/${accountId}/calls`, { limit: "1" })).body;
    expect(first.next).toBe(callId.replace(/-1$/, "-2"));
    const second = (await get(`/accounts/${accountId}/calls`, { limit: "1", before: first.next })).body;
    expect([second.calls[0].callId, second.next]).toEqual([callId, null]);
    expect((await get(`/accounts/${accountId}/calls`, { limit: "101" })).status).toBe(400);
  });

  test("live calls of all accounts stand in the index of deadlines, and leave it when they end", async () => {
    const live = async (dueBefore?: string): Promise<string[]> => {
      const found: string[] = [];
      let shard: number | null = 0;
      while (shard !== null) {
        const query: Record<string, string> = { status: "open", shard: String(shard), ...(dueBefore !== undefined && { dueBefore }) };
        const { body } = await get("/calls", query);
        found.push(...body.calls.map((call: { callId: string }) => call.callId));
        shard = body.nextShard;
      }
      return found;
    };
    expect(await live()).toContain(callId);
    expect(await live("2020-03-12T10:31:11Z")).toContain(callId);
    expect(await live("2020-03-12T10:31:10Z")).not.toContain(callId);
    await post(`/accounts/${accountId}/calls/${callId}/cancellation`, { reason: "wrong price" });
    expect(await live()).not.toContain(callId);
  });

  test.each([
    ["an unknown status", { status: "met" }],
    ["a shard that there is not", { shard: "16" }],
    ["an instant without its zone", { dueBefore: "2020-03-12" }],
  ])("%s is refused", async (_name, query) => {
    expect((await get("/calls", query as Record<string, string>)).status).toBe(400);
  });
});

describe("acknowledgement (R8: a fact that stops no clock)", () => {
  test("is recorded once, with the role and not the name of who did it", async () => {
    const path = `/accounts/${accountId}/calls/${callId}/acknowledgement`;
    const before = (await get(`/accounts/${accountId}/calls/${callId}`)).body.call;
    const first = await post(path, undefined, "broker-1");
    expect([first.status, first.body.acknowledgedAt, first.body.acknowledgedBy]).toEqual([200, "2020-03-12T10:00:01.000Z", "broker"]);
    expect(first.body.deadlineAt).toBe(before.deadlineAt);
    venue.clock.set(venue.clock.now() + 5_000);
    expect((await post(path, undefined, "operator")).body).toEqual(first.body);
  });

  test("of a call that has ended unacknowledged is refused", async () => {
    await post(`/accounts/${accountId}/calls/${callId}/cancellation`, { reason: "wrong price" });
    const late = await post(`/accounts/${accountId}/calls/${callId}/acknowledgement`);
    expect([late.status, late.body.type]).toEqual([409, "urn:plimsoll:problem:conflict"]);
  });
});

describe("cancellation (R8)", () => {
  const path = (): string => `/accounts/${accountId}/calls/${callId}/cancellation`;

  test("ends an open call with its reason, and again changes nothing", async () => {
    const first = await post(path(), { reason: "opened on a wrong price" });
    expect([first.status, first.body.status]).toEqual([200, "CANCELLED"]);
    const journal = await createJournal(venue.world).timeline(accountId);
    expect(journal.at(-1)?.events.at(-1)).toMatchObject({ type: "margin_call.cancelled", reason: "R8: opened on a wrong price" });
    expect(journal.at(-1)?.causedBy).toMatch(/^api cancellation by arn:aws:sts::111122223333:assumed-role\/operator request request-\d+$/);
    expect((await post(path(), { reason: "opened on a wrong price" })).body).toEqual(first.body);
    expect(await createJournal(venue.world).timeline(accountId)).toHaveLength(journal.length);
  });

  test("of a call in LIQUIDATING is refused: it ends by its orders", async () => {
    await moveMark(venue, "6990", accountId);
    const reply = await post(path(), { reason: "please not" });
    expect([reply.status, reply.body.detail]).toEqual([409, "the call is LIQUIDATING"]);
  });

  test.each([
    ["a header's end", "x\r\nBcc: all"],
    ["nothing", ""],
    ["a reversal of text", "abc\u202edef"],
  ])("a reason with %s is refused (C8)", async (_name, reason) => {
    expect((await post(path(), { reason })).status).toBe(400);
  });
});

describe("C4: an idempotency key binds its body", () => {
  test("a replay gets the first reply, another body under the key 422, and after 48 hours the key is free", async () => {
    const path = `/accounts/${accountId}/calls/${callId}/cancellation`;
    const send = (reason: string, as = "operator"): Promise<Asked> =>
      ask(venue.world, { as, method: "POST", path, body: { reason }, headers: { "idempotency-key": `key-of-${accountId}` } });
    const first = await send("first");
    expect((await send("first")).body).toEqual(first.body);
    const other = await send("second");
    expect([other.status, other.body.type]).toEqual([422, "urn:plimsoll:problem:key-reused"]);
    venue.clock.set(venue.clock.now() + 48 * 3_600_000 + 1_000);
    expect((await send("second")).status).toBe(200);
  });

  test("a malformed key is refused", async () => {
    const path = `/accounts/${accountId}/calls/${callId}/acknowledgement`;
    const reply = await ask(venue.world, { as, method: "POST", path, headers: { "idempotency-key": "short" } });
    expect([reply.status, reply.body.faults[0].where]).toEqual([400, "header/idempotency-key"]);
  });
});
