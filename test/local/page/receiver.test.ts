import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { createReceiver, refusalOf, type SignedRequest } from "../../../local/page/receiver.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
const NOW = Date.UTC(2020, 2, 12, 10);
const SECONDS = NOW / 1_000;
const BODY = '{"type":"margin_call.issued","accountId":"A1"}';

const signed = (changes: Partial<SignedRequest> = {}, seconds = SECONDS, secret = SECRET): SignedRequest => ({
  id: "evt_1",
  timestamp: String(seconds),
  signature: new Webhook(secret).sign("evt_1", new Date(seconds * 1_000), BODY),
  body: BODY,
  ...changes,
});

describe("verifying a webhook (N1, C6)", () => {
  it.each([
    ["a right one, by the clock of the replay", signed(), null],
    ["a right one among others, as in a rotation", signed({ signature: `v1,AAAA ${signed().signature}` }), null],
    ["300 s old", signed({}, SECONDS - 300), null],
    ["300 s ahead", signed({}, SECONDS + 300), null],
    ["301 s old", signed({}, SECONDS - 301), "its time is more than 300 s away"],
    ["301 s ahead", signed({}, SECONDS + 301), "its time is more than 300 s away"],
    ["another body", signed({ body: BODY.replace("A1", "A2") }), "no signature matches"],
    ["another id", signed({ id: "evt_2" }), "no signature matches"],
    ["another secret", signed({}, SECONDS, OTHER), "no signature matches"],
    ["no signature", signed({ signature: "" }), "no signature matches"],
    ["no id", signed({ id: "" }), "a signature header is missing"],
    ["no time", signed({ timestamp: "soon" }), "a signature header is missing"],
  ])("%s", (_, request, reason) => {
    expect(refusalOf(SECRET, request, NOW)).toBe(reason);
  });

  it("agrees with the standard's own verification at the present", () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const request = signed({}, seconds);
    const headers = { "webhook-id": request.id, "webhook-timestamp": request.timestamp, "webhook-signature": request.signature };
    expect(refusalOf(SECRET, request, seconds * 1_000)).toBeNull();
    expect(new Webhook(SECRET).verify(BODY, headers)).toEqual(JSON.parse(BODY));
  });
});

describe("the receiver's log", () => {
  it("writes down what came, once more for a repeat, and what it refused", () => {
    const receiver = createReceiver();
    receiver.trust("ep_meridian", SECRET);
    receiver.take("ep_meridian", signed(), NOW);
    receiver.take("ep_meridian", signed(), NOW);
    receiver.take("ep_meridian", signed({ body: "{" }), NOW);
    receiver.take("ep_harbour", signed(), NOW);
    expect(receiver.deliveries.map(({ number, type, verified, repeated, reason }) => [number, type, verified, repeated, reason])).toEqual([
      [1, "margin_call.issued", true, false, ""],
      [2, "margin_call.issued", true, true, ""],
      [3, "", false, false, "no signature matches"],
      [4, "margin_call.issued", false, false, "no such endpoint"],
    ]);
  });
});
