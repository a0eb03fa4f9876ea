import "./environment.ts";

import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createOutbound, type Outbound } from "../../adapters/dynamodb/outbound.ts";
import { EgressRefused } from "../../adapters/webhook/egress.ts";
import type { EventMessage } from "../../adapters/wire/events.ts";
import type { WebhookRetry } from "../../adapters/wire/retries.ts";
import { deliverWebhook } from "../../functions/deliver-webhook.ts";
import { callOf, eventOf } from "../adapters/email/events.ts";
import { startTables, type TestTables } from "../engine.ts";
import { NONE_FAILED, one, POISON, type Stage, stageOn } from "./stage.ts";

/** Some time before the deadline of the sample call. */
const NOW = Date.parse("2020-03-12T08:48:00Z");

let tables: TestTables;
let stage: Stage;
let outbound: Outbound;
let brokerId = "";
let serial = 0;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(() => {
  serial += 1;
  brokerId = `B${serial}`;
  stage = stageOn(tables, { at: NOW });
  outbound = createOutbound(stage.world);
});

const endpoint = async (name: string, over: { types?: EventMessage["type"][] | null; enabled?: boolean } = {}): Promise<string> => {
  const body = { url: `https://${name}.example/hooks`, types: over.types ?? null, enabled: over.enabled ?? true };
  return (await outbound.putEndpoint(brokerId, `ep_${name}_${serial}`, body)).secret?.reveal() ?? "";
};
const event = (over: Partial<EventMessage> = {}): EventMessage => {
  serial += 1;
  const call = callOf({ callId: `MC-ABCDEFGHIJ23-${serial}` });
  return eventOf({ id: `evt_${`${serial}`.padStart(16, "0")}`, accountId: `acct-${brokerId}`, brokerId, call, ...over });
};
const deliver = (body: unknown) => deliverWebhook(stage.world)(one(body));
const status =
  (code: number, retryAfterS: number | null = null) =>
  () =>
    Promise.resolve({ status: code, body: "", retryAfterS });
const retries = () => stage.queued("webhook") as WebhookRetry[];
const hosts = () => stage.posts.map(({ url }) => new URL(url).hostname);

describe("N1 a delivery", () => {
  test("N1 N5 is signed under the endpoint's own secret, over the bytes that are sent", async () => {
    const secret = await endpoint("one");
    const told = event();
    await expect(deliver(told)).resolves.toEqual(NONE_FAILED);
    const [{ headers, body, timeoutMs } = { headers: {}, body: "", timeoutMs: 0 }] = stage.posts;
    const timestamp = `${NOW / 1_000}`;
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const signature = createHmac("sha256", key).update(`${told.id}.${timestamp}.${body}`).digest("base64");
    expect(headers).toEqual({
      "content-type": "application/json",
      "webhook-id": told.id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    });
    expect(timeoutMs).toBe(15_000);
    expect(JSON.parse(body)).toEqual({ ...told, sequence: 1, previousSequence: 0 });
  });

  test("R27 places count by endpoint and account, so that a filter leaves no gap that looks like loss", async () => {
    await endpoint("all");
    await endpoint("met", { types: ["margin_call.met"] });
    for (const type of ["margin_call.issued", "margin_call.met", "margin_call.issued", "margin_call.met"] as const)
      await deliver(event({ type }));
    await deliver(event({ type: "margin_call.met", accountId: "another" }));
    const places = stage.posts.map(({ url, body }) => {
      const { sequence, previousSequence } = JSON.parse(body) as { sequence: number; previousSequence: number };
      return [new URL(url).hostname, previousSequence, sequence];
    });
    expect(places.filter(([host]) => host === "all.example")).toEqual([
      ["all.example", 0, 1],
      ["all.example", 1, 2],
      ["all.example", 2, 3],
      ["all.example", 3, 4],
      ["all.example", 0, 1],
    ]);
    expect(places.filter(([host]) => host === "met.example")).toEqual([
      ["met.example", 0, 1],
      ["met.example", 1, 2],
      ["met.example", 0, 1],
    ]);
  });

  test("I19 goes to the endpoints of its own broker that are enabled", async () => {
    await endpoint("on");
    await endpoint("off", { enabled: false });
    brokerId = `other-${serial}`;
    await endpoint("foreign");
    await deliver(event({ brokerId: `B${serial - 1}` }));
    await deliver(event({ brokerId: "B-nobody" }));
    brokerId = brokerId.replace("other-", "B");
    await deliver(event());
    expect(hosts()).toEqual(["on.example"]);
  });

  test("R12 its acceptance as the first of a call is told to the timer, once", async () => {
    await endpoint("one");
    await endpoint("two");
    const told = event();
    await deliver(told);
    await deliver({ ...told, id: "evt_another-notice-01", type: "margin_call.updated" });
    const accepted = stage.queued("timer") as { callId: string; kind: string }[];
    expect(new Set(accepted.map(({ callId }) => callId))).toEqual(new Set([told.call?.callId]));
    expect(await outbound.noticedAt(told.call?.callId ?? "", "webhook")).toBe(NOW);
    const before = accepted.length;
    await deliver({ ...told, id: "evt_another-notice-02", type: "margin_call.updated" });
    expect(stage.queued("timer")).toHaveLength(before);
  });

  test("R28 nothing is posted in observe", async () => {
    await endpoint("one");
    await deliver(event({ mode: "observe" }));
    expect(stage.posts).toEqual([]);
  });
});

describe("N4 attempts that fail", () => {
  test("N4 the next one is planned for that endpoint alone, and carries the same id and place", async () => {
    await endpoint("bad");
    await endpoint("good");
    stage.replies.http = ({ url }) => status(url.includes("bad") ? 500 : 200)();
    const told = event();
    await expect(deliver(told)).resolves.toEqual(NONE_FAILED);
    expect(hosts().sort()).toEqual(["bad.example", "good.example"]);
    const [retry] = retries();
    expect(retry).toMatchObject({ endpointId: expect.stringContaining("ep_bad"), attempts: 1, hops: 0 });
    const delayS = stage.sent.find(({ queue }) => queue === "webhook")?.delayS ?? 0;
    expect(delayS).toBeGreaterThanOrEqual(3);
    expect(delayS).toBeLessThanOrEqual(7);
    stage.replies.http = status(200);
    stage.clock.set(retry?.dueAt ?? 0);
    await deliver(retry);
    expect(hosts().at(-1)).toBe("bad.example");
    const [first, , last] = stage.posts.map(({ body, headers }) => ({ body, id: headers["webhook-id"] }));
    const bad = hosts()[0] === "bad.example" ? first : stage.posts[1];
    expect(last?.body).toBe(bad?.body);
    expect(last?.id).toBe(told.id);
    expect(await outbound.delivery(retry?.endpointId ?? "", told.id)).toMatchObject({
      attempts: 2,
      lastOutcome: "200",
      deliveredAt: retry?.dueAt,
    });
  });

  test.each([
    ["a refused address", () => Promise.reject(new EgressRefused("not public")), "EgressRefused"],
    ["a time-out", () => Promise.reject(Object.assign(new Error("late"), { name: "TimeoutError" })), "TimeoutError"],
    ["a redirect", status(302), "302"],
    ["throttling", status(429), "429"],
    ["a fault", status(503), "503"],
  ])("N4 %s is recorded and tried again", async (_, reply, outcome) => {
    await endpoint("bad");
    stage.replies.http = reply;
    const told = event();
    await expect(deliver(told)).resolves.toEqual(NONE_FAILED);
    expect(retries()).toHaveLength(1);
    expect(await outbound.delivery(retries()[0]?.endpointId ?? "", told.id)).toMatchObject({
      attempts: 1,
      lastOutcome: outcome,
      deliveredAt: null,
    });
  });

  test("N1 Retry-After is honoured within its clamp", async () => {
    await endpoint("busy");
    stage.replies.http = status(429, 9_999_999_999);
    await deliver(event());
    expect(retries()[0]?.dueAt).toBe(NOW + 10_000);
  });

  test("N4 a long wait takes several hops, each of at most 15 minutes", async () => {
    await endpoint("slow");
    const told = event({ type: "margin_call.met" });
    const waiting = {
      schemaVersion: 1,
      kind: "webhook_retry",
      endpointId: `ep_slow_${serial - 1}`,
      event: told,
      attempts: 5,
      dueAt: NOW + 3_600_000,
      hops: 2,
    };
    await deliver(waiting);
    expect(stage.posts).toEqual([]);
    expect(stage.sent).toEqual([{ queue: "webhook", body: JSON.stringify({ ...waiting, hops: 3 }), delayS: 900 }]);
    expect((await deliver({ ...waiting, hops: 1_001 })).batchItemFailures).toHaveLength(1);
  });

  test("N4 the last attempt is given up, counted", async () => {
    await endpoint("dead");
    stage.replies.http = status(500);
    const told = event();
    const last = {
      schemaVersion: 1,
      kind: "webhook_retry",
      endpointId: `ep_dead_${serial - 1}`,
      event: told,
      attempts: 19,
      dueAt: NOW,
      hops: 0,
    };
    await deliver(last);
    expect(stage.posts).toHaveLength(1);
    expect(retries()).toEqual([]);
    expect(stage.counted("webhook_exhausted")).toBe(1);
  });

  test("N1 410 disables the endpoint at once; what waits for it is dropped", async () => {
    await endpoint("gone");
    stage.replies.http = status(410);
    const told = event();
    await deliver(told);
    expect((await outbound.endpoints(brokerId)).map(({ enabled }) => enabled)).toEqual([false]);
    expect(retries()).toEqual([]);
    const waiting = {
      schemaVersion: 1,
      kind: "webhook_retry",
      endpointId: `ep_gone_${serial - 1}`,
      event: told,
      attempts: 1,
      dueAt: NOW,
      hops: 0,
    };
    await expect(deliver(waiting)).resolves.toEqual(NONE_FAILED);
    expect(stage.posts).toHaveLength(1);
  });
});

describe("S35 S36 messages that come again", () => {
  test("S36 an event that was accepted is not posted again", async () => {
    await endpoint("one");
    const told = event();
    await deliver(told);
    await deliver(told);
    expect(stage.posts).toHaveLength(1);
  });

  test("S36 an event whose next attempt is planned starts no second row of attempts, nor does an echo of one", async () => {
    await endpoint("bad");
    stage.replies.http = status(500);
    const told = event();
    await deliver(told);
    await deliver(told);
    expect(stage.posts).toHaveLength(1);
    const [retry] = retries();
    stage.clock.set(retry?.dueAt ?? 0);
    await deliver(retry);
    await deliver(retry);
    expect(stage.posts).toHaveLength(2);
    expect(retries()).toHaveLength(2);
  });

  test("S35 where the next attempt cannot be planned the message goes back, and the endpoints that took it are left alone", async () => {
    await endpoint("bad");
    await endpoint("good");
    stage.replies.http = ({ url }) => status(url.includes("bad") ? 500 : 200)();
    stage.replies.send = (queue) => (queue === "webhook" ? Promise.reject(new Error("no queue")) : Promise.resolve());
    const told = event();
    expect((await deliver(told)).batchItemFailures).toHaveLength(1);
    stage.replies.send = () => Promise.resolve();
    await expect(deliver(told)).resolves.toEqual(NONE_FAILED);
    expect(hosts().sort()).toEqual(["bad.example", "bad.example", "good.example"]);
    expect(retries()).toHaveLength(1);
  });

  test("I28 no log line holds a secret or a signature", async () => {
    const secret = await endpoint("gone");
    stage.replies.http = status(410);
    await deliver(event());
    expect(JSON.stringify(stage.log.lines)).not.toContain(secret);
    expect(JSON.stringify(stage.log.lines)).not.toContain("v1,");
  });

  test.each(POISON)("S43 %s goes back", async (_, body) => {
    expect((await deliver(body)).batchItemFailures).toHaveLength(1);
  });
});
