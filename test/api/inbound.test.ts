import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { feedMessage } from "../../adapters/wire/feed.ts";
import { marksMessage } from "../../adapters/wire/marks.ts";
import { startTables, type TestTables } from "../engine.ts";
import { type Asked, ask, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  venue = await openVenue(tables);
});

describe("POST /marks", () => {
  const good = { instrumentId: "BTC-PERP", price: "7935.00000001", asOf: "2020-03-12T10:00:00.000Z", source: "composite" };
  const post = (marks: unknown[]): Promise<Asked> =>
    ask(venue.world, { as: "marks", method: "POST", path: "/marks", body: { schemaVersion: 1, marks } });

  test("are queued digit for digit", async () => {
    const { status, body } = await post([good, { ...good, instrumentId: "WTI-2020K", price: "-36.98" }]);
    expect([status, body]).toEqual([202, { accepted: 2, refused: [] }]);
    expect(venue.sent.map(({ queueUrl }) => queueUrl)).toEqual(["marks"]);
    const message = marksMessage.parse(JSON.parse(venue.sent[0]?.message.body ?? ""));
    expect(message.marks.map(({ price }) => price)).toEqual([793_500_000_001n, -3_698_000_000n]);
  });

  test.each([
    ["null", null],
    ['""', ""],
    ["NaN", "NaN"],
    ["a JSON number", 7935],
    ["an exponent", "1e4"],
    ["nine decimals", "1.123456789"],
  ])("S21: a price of %s is refused by its place and counted, its neighbours go on", async (_name, price) => {
    const { status, body } = await post([good, { ...good, price }, good]);
    expect([status, body.accepted]).toEqual([202, 2]);
    expect(body.refused[0].where).toBe("body/marks/1/price");
    expect(venue.log.counts.get("marks_refused")).toBe(1);
    expect(marksMessage.parse(JSON.parse(venue.sent[0]?.message.body ?? "")).marks).toHaveLength(2);
  });

  test("when none reads nothing is queued", async () => {
    expect((await post([{ ...good, asOf: "yesterday" }])).status).toBe(400);
    expect(venue.sent).toEqual([]);
  });

  test.each([
    ["none", []],
    ["more than a message holds", Array.from({ length: 251 }, () => good)],
  ])("C14: %s", async (_name, marks) => {
    expect((await post(marks)).status).toBe(400);
  });
});

describe("POST /feed-entries", () => {
  const entry = {
    kind: "deposit",
    externalId: "dep-1",
    sequence: 1,
    occurredAt: "2020-03-12T10:00:00.000Z",
    asset: "USDT",
    amount: "100.5",
  };
  const post = (body: unknown): Promise<Asked> => ask(venue.world, { as: "feed", method: "POST", path: "/feed-entries", body });
  const message = {
    schemaVersion: 1,
    accountId: "A-1",
    account: { brokerId: "B1", clientClass: "retail", policyId: "standard" },
    entries: [entry],
  };

  test("are queued in the account's group, each request by itself", async () => {
    expect((await post(message)).body).toEqual({ accepted: 1 });
    expect((await post(message)).status).toBe(202);
    expect(venue.sent.map(({ queueUrl, message }) => [queueUrl, message.groupId])).toEqual([
      ["feed", "A-1"],
      ["feed", "A-1"],
    ]);
    // Facts that were parked come in again when they are posted again: the queue must not take them for a duplicate.
    expect(new Set(venue.sent.map(({ message }) => message.dedupId)).size).toBe(2);
    expect(feedMessage.parse(JSON.parse(venue.sent[0]?.message.body ?? "")).entries[0]).toMatchObject({ amount: 10_050_000_000n });
  });

  test("C4: a replay under a key queues once", async () => {
    const send = (): Promise<Asked> =>
      ask(venue.world, { as: "feed", method: "POST", path: "/feed-entries", body: message, headers: { "idempotency-key": "feed-key-1" } });
    const first = await send();
    expect([(await send()).text, venue.sent.length]).toEqual([first.text, 1]);
  });

  test.each([
    ["an unknown version (I26)", { ...message, schemaVersion: 2 }, "body/schemaVersion"],
    ["an unknown kind", { ...message, entries: [{ ...entry, kind: "gift" }] }, "body/entries/0/kind"],
    ["a negative deposit", { ...message, entries: [{ ...entry, amount: "-1" }] }, "body/entries/0/amount"],
    ["a sequence of 0", { ...message, entries: [{ ...entry, sequence: 0 }] }, "body/entries/0/sequence"],
    ["a key that breaks rows", { ...message, accountId: "A#1" }, "body/accountId"],
    ["an unknown field", { ...message, admin: true }, "body/admin"],
    ["more facts than one transaction takes", { ...message, entries: Array.from({ length: 21 }, () => entry) }, "body/entries"],
  ])("%s is refused and nothing is queued", async (_name, body, where) => {
    const reply = await post(body);
    expect([reply.status, reply.body.faults[0].where]).toEqual([400, where]);
    expect(venue.sent).toEqual([]);
  });
});

describe("PUT /accounts/{accountId}/contact", () => {
  const contact = { email: "anna@example.com", name: "Anna", timeZone: "Asia/Singapore", locale: "en", antiPhishingCode: "heron" };
  const put = (body: unknown): Promise<Asked> => ask(venue.world, { as: "operator", method: "PUT", path: "/accounts/A-1/contact", body });

  test("replaces the contact, and the reply repeats nothing personal", async () => {
    const reply = await put(contact);
    expect([reply.status, reply.body]).toEqual([200, { accountId: "A-1" }]);
    await put({ ...contact, name: null });
    expect(await createOutbound(venue.world).contact("A-1")).toEqual({ ...contact, name: null, accountId: "A-1" });
  });

  test.each([
    ["a header's end in a name (C8)", { name: "Anna\r\nBcc: all@example.com" }, "body/name"],
    ["reversed text (C8)", { antiPhishingCode: "ab\u202ecd" }, "body/antiPhishingCode"],
    ["two addresses", { email: "a@example.com,b@example.com" }, "body/email"],
    ["a zone that there is not", { timeZone: "Mars/Base" }, "body/timeZone"],
  ])("%s is refused", async (_name, patch, where) => {
    const reply = await put({ ...contact, ...patch });
    expect([reply.status, reply.body.faults[0].where]).toEqual([400, where]);
  });
});

describe("PUT /brokers/{brokerId}/endpoints/{endpointId}", () => {
  const body = { url: "https://hooks.example.com/margin", types: ["margin_call.issued"], enabled: true };
  const put = (body: unknown, endpointId = "ep_main", given = venue): Promise<Asked> =>
    ask(given.world, { as: "broker-1", method: "PUT", path: `/brokers/B1/endpoints/${endpointId}`, body });

  test("the secret is shown when the endpoint is made, and never again", async () => {
    const made = await put(body);
    expect(made.body).toMatchObject({ ...body, brokerId: "B1", endpointId: "ep_main", createdAt: "2020-03-12T10:00:00.000Z" });
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const changed = await put({ ...body, enabled: false });
    expect([changed.body.enabled, changed.body.secret]).toEqual([false, null]);
    const [stored] = await createOutbound(venue.world).endpoints("B1");
    expect(JSON.stringify(stored)).not.toContain(made.body.secret);
    expect(JSON.stringify([...venue.log.lines])).not.toContain(made.body.secret);
  });

  test.each([
    ["http://hooks.example.com/x", "not https"],
    ["https://127.0.0.1/x", "host is an address, not a name"],
    ["https://169.254.169.254/latest/meta-data", "host is an address, not a name"],
    ["https://0x7f.1/x", "host is an address, not a name"],
    ["https://[::1]/x", "host is an address, not a name"],
    ["https://localhost/x", "host is not a public name"],
    ["https://user:pass@hooks.example.com/x", "carries credentials"],
    ["https://hooks.example.com:22/x", "port not allowed"],
  ])("N3: %s is refused", async (url, what) => {
    const reply = await put({ ...body, url });
    expect([reply.status, reply.body.faults]).toEqual([400, [{ where: "body/url", what }]]);
    expect(await createOutbound(venue.world).endpoints("B1")).toEqual([]);
  });

  test("loopback is for the local cloud alone", async () => {
    const local = await openVenue(tables, { webhookLoopback: "local" });
    expect((await put({ ...body, url: "http://127.0.0.1:8080/x" }, "ep_main", local)).status).toBe(200);
    expect((await put({ ...body, url: "http://127.0.0.1:8080/x" })).status).toBe(400);
  });
});
