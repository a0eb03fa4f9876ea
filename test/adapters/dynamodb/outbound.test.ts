import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createOutbound } from "../../../adapters/dynamodb/outbound.ts";
import { createReplies } from "../../../adapters/dynamodb/replies.ts";
import { startTables, type TestTables, testClock, testKms, testLog, testWorld } from "../../engine.ts";
import { T0 } from "../samples.ts";

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const setup = (given: Parameters<typeof testWorld>[1] = {}) => {
  const clock = testClock(T0);
  const world = testWorld(tables, { clock, ...given });
  return { clock, world, outbound: createOutbound(world) };
};

const contact = {
  accountId: "A-1",
  email: "holder@example.com",
  name: "Ada Lovelace",
  timeZone: "Asia/Singapore",
  locale: "en",
  antiPhishingCode: "blue teapot",
};

describe("contacts", () => {
  test("are one row an account; the last one stands", async () => {
    const { outbound } = setup();
    expect(await outbound.contact("A-1")).toBeNull();
    await outbound.putContact(contact);
    await outbound.putContact({ ...contact, timeZone: "Europe/London" });
    expect(await outbound.contact("A-1")).toEqual({ ...contact, timeZone: "Europe/London" });
  });
});

describe("webhook endpoints", () => {
  const body = { url: "https://broker.example/hooks", types: null, enabled: true };

  test("the secret is shown once, stored sealed, and opens for its own endpoint only", async () => {
    const { outbound, world } = setup();
    const made = await outbound.putEndpoint("B1", "ep_first", body);
    expect(made.endpoint).toEqual({ ...body, brokerId: "B1", endpointId: "ep_first", createdAt: "2020-03-12T10:00:00.000Z" });
    const plain = made.secret?.reveal() ?? "";
    expect(plain).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(plain.slice(6), "base64")).toHaveLength(32);
    const [stored] = await outbound.endpoints("B1");
    if (stored === undefined) throw new Error("no endpoint");
    expect(JSON.stringify(made)).not.toContain(plain);
    expect((await outbound.secretOf(stored)).reveal()).toBe(plain);
    await expect(createOutbound(world).secretOf({ ...stored, endpointId: "ep_other" })).rejects.toThrow("InvalidCiphertext");
  });

  test("changing an endpoint keeps its secret and its birth", async () => {
    const { outbound, clock } = setup();
    const made = await outbound.putEndpoint("B2", "ep_kept", body);
    clock.set(T0 + 1_000);
    const changed = await outbound.putEndpoint("B2", "ep_kept", { ...body, types: ["margin_call.issued"], enabled: false });
    expect(changed.secret).toBeNull();
    const [stored] = await outbound.endpoints("B2");
    expect(stored).toMatchObject({ types: ["margin_call.issued"], enabled: false, createdAt: "2020-03-12T10:00:00.000Z" });
    expect(stored && (await outbound.secretOf(stored)).reveal()).toBe(made.secret?.reveal());
  });

  test("two requests that make the same endpoint at once: one secret is shown, and it is the stored one", async () => {
    const { outbound } = setup();
    const made = await Promise.all([outbound.putEndpoint("B3", "ep_race", body), outbound.putEndpoint("B3", "ep_race", body)]);
    const shown = made.map((one) => one.secret?.reveal()).filter((one) => one !== undefined);
    expect(shown).toHaveLength(1);
    const [stored] = await outbound.endpoints("B3");
    expect(stored && (await outbound.secretOf(stored)).reveal()).toBe(shown[0]);
  });

  test("a broker sees its own endpoints only (I19)", async () => {
    const { outbound } = setup();
    await outbound.putEndpoint("B4", "ep_mine", body);
    await outbound.putEndpoint("B44", "ep_theirs", body);
    expect((await outbound.endpoints("B4")).map((one) => one.endpointId)).toEqual(["ep_mine"]);
  });

  test("a row that does not read is counted and stops no other", async () => {
    const log = testLog();
    const { outbound, world } = setup({ log });
    await outbound.putEndpoint("B6", "ep_good", body);
    await tables.db.put({
      TableName: world.settings.outboundTable,
      Item: { pk: { S: "BROKER#B6" }, sk: { S: "ENDPOINT#ep_bad" }, schema: { N: "2" }, body: { S: "{}" }, secret: { S: "x" } },
    });
    expect((await outbound.endpoints("B6")).map((one) => one.endpointId)).toEqual(["ep_good"]);
    expect(log.counts.get("endpoint_unreadable")).toBe(1);
    await expect(outbound.putEndpoint("B6", "bad id", body)).rejects.toThrow("endpointId");
  });

  test("a secret is opened once for many deliveries", async () => {
    let opened = 0;
    const kms = testKms();
    const { outbound } = setup({
      kms: {
        ...kms,
        decrypt: (sealed, context) => {
          opened += 1;
          return kms.decrypt(sealed, context);
        },
      },
    });
    await outbound.putEndpoint("B5", "ep_many", body);
    const [stored] = await outbound.endpoints("B5");
    if (stored === undefined) throw new Error("no endpoint");
    for (let delivery = 0; delivery < 5; delivery += 1) await outbound.secretOf(stored);
    expect(opened).toBe(1);
  });
});

describe("the sequence of deliveries (R27)", () => {
  test("counts per endpoint and account without a gap, and the same event keeps its place (S36)", async () => {
    const { outbound, clock } = setup();
    expect(await outbound.openDelivery("ep_1", "A-1", "evt_a")).toMatchObject({ sequence: 1 });
    expect(await outbound.openDelivery("ep_1", "A-1", "evt_b")).toMatchObject({ sequence: 2 });
    for (const after of [0, 6 * 60_000, 11 * 60_000, 25 * 3_600_000]) {
      clock.set(T0 + after);
      expect(await outbound.openDelivery("ep_1", "A-1", "evt_a")).toMatchObject({ sequence: 1 });
    }
    expect(await outbound.openDelivery("ep_1", "A-2", "evt_c")).toMatchObject({ sequence: 1 });
    expect(await outbound.openDelivery("ep_2", "A-1", "evt_b")).toMatchObject({ sequence: 1 });
    expect(await outbound.openDelivery("ep_1", "A-1", "evt_d")).toMatchObject({ sequence: 3 });
  });

  test("events of one batch get their places in its order", async () => {
    const { outbound } = setup();
    const events = ["evt_3", "evt_1", "evt_2"];
    const places = await Promise.all(events.map((event) => outbound.openDelivery("ep_batch", "A-1", event)));
    expect(places.map(({ eventId, sequence }) => [eventId, sequence])).toEqual([
      ["evt_3", 1],
      ["evt_1", 2],
      ["evt_2", 3],
    ]);
  });

  test("functions that race for a place get different ones, and none is left out", async () => {
    const racers = Array.from({ length: 6 }, () => setup().outbound);
    const events = ["evt_1", "evt_2", "evt_3", "evt_1", "evt_2", "evt_3"];
    const places = await Promise.all(racers.map((outbound, index) => outbound.openDelivery("ep_race", "A-1", events[index] as string)));
    expect(
      places
        .slice(0, 3)
        .map((place) => place.sequence)
        .sort(),
    ).toEqual([1, 2, 3]);
    expect(places.slice(3)).toEqual(places.slice(0, 3));
  });

  test("attempts are counted beside the place, and what was accepted stays accepted", async () => {
    const { outbound } = setup();
    await outbound.openDelivery("ep_log", "A-1", "evt_x");
    const attempt = { target: "ep_log", eventId: "evt_x", accountId: "A-1" };
    await outbound.recordAttempt({ ...attempt, at: T0 + 1, outcome: "503", accepted: false });
    expect(await outbound.delivery("ep_log", "evt_x")).toMatchObject({ sequence: 1, attempts: 1, lastOutcome: "503", deliveredAt: null });
    await outbound.recordAttempt({ ...attempt, at: T0 + 2, outcome: "200", accepted: true });
    await outbound.recordAttempt({ ...attempt, at: T0 + 3, outcome: "timeout", accepted: false });
    expect(await outbound.delivery("ep_log", "evt_x")).toEqual({
      ...attempt,
      sequence: 1,
      attempts: 3,
      lastAt: T0 + 3,
      lastOutcome: "timeout",
      deliveredAt: T0 + 2,
    });
    expect(await outbound.delivery("EMAIL", "evt_x")).toBeNull();
  });

  test("a delivery that was counted before it got its place still gets one", async () => {
    const { outbound } = setup();
    await outbound.recordAttempt({ target: "ep_early", eventId: "evt_y", accountId: "A-1", at: T0, outcome: "refused", accepted: false });
    expect(await outbound.openDelivery("ep_early", "A-1", "evt_y")).toMatchObject({ sequence: 1 });
    expect((await outbound.delivery("ep_early", "evt_y"))?.attempts).toBe(1);
  });
});

test("the first acceptance of a notice is recorded once a call and channel (R12)", async () => {
  const { outbound } = setup();
  expect(await outbound.noticedAt("MC-AAAAAAAAAAAA-1", "email")).toBeNull();
  expect(await outbound.firstNotice("MC-AAAAAAAAAAAA-1", "email", T0 + 5)).toBe(true);
  expect(await outbound.firstNotice("MC-AAAAAAAAAAAA-1", "email", T0 + 9)).toBe(false);
  expect(await outbound.firstNotice("MC-AAAAAAAAAAAA-1", "webhook", T0 + 9)).toBe(true);
  expect(await outbound.noticedAt("MC-AAAAAAAAAAAA-1", "email")).toBe(T0 + 5);
});

describe("replies by idempotency key (C4)", () => {
  const request = { principal: "arn:1", key: "key-00000001", method: "POST", path: "/marks", body: '{"a":1}' };
  const reply = { status: 202, body: '{"accepted":1}' };

  test("the same request gets the first reply, another one under the key is a mismatch, for 48 hours", async () => {
    const { world, clock } = setup();
    const replies = createReplies(world);
    expect(await replies.recall(request)).toBeNull();
    expect(await replies.remember(request, reply)).toEqual(reply);
    expect(await replies.remember(request, { status: 500, body: "" })).toEqual(reply);
    clock.set(T0 + 25 * 3_600_000);
    expect(await replies.recall(request)).toEqual(reply);
    expect(await replies.recall({ ...request, body: '{"a":2}' })).toBe("mismatch");
    expect(await replies.recall({ ...request, path: "/feed-entries" })).toBe("mismatch");
    expect(await replies.recall({ ...request, principal: "arn:2" })).toBeNull();
    clock.set(T0 + 48 * 3_600_000);
    expect(await replies.recall(request)).toBeNull();
    expect(await replies.remember({ ...request, body: "{}" }, { status: 200, body: "{}" })).toEqual({ status: 200, body: "{}" });
  });
});
