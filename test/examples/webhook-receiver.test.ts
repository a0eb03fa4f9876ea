import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";

import { receive } from "../../examples/webhook-receiver/receiver.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const signed = (event: object): [Record<string, string>, string] => {
  const body = JSON.stringify(event);
  const at = new Date();
  const headers = {
    "webhook-id": "evt_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign("evt_1", at, body),
  };
  return [headers, body];
};

test("the example receiver verifies, drops repeats and notices a gap (C6, S36, R27)", () => {
  const first = signed({ id: "evt_1", type: "margin_call.issued", accountId: "a", sequence: 1, previousSequence: null });
  expect(receive(secret, ...first)).toEqual({ status: 200, line: "1 margin_call.issued a" });
  expect(receive(secret, ...first)).toEqual({ status: 200, line: "evt_1: seen before" });
  const third = signed({ id: "evt_3", type: "margin_call.met", accountId: "a", sequence: 3, previousSequence: 2 });
  expect(receive(secret, ...third)).toEqual({ status: 200, line: "3 margin_call.met a (one before it is still under way)" });
});

test("a body that was changed is refused", () => {
  const [headers, body] = signed({ id: "evt_9", type: "margin_call.met", accountId: "a", sequence: 1, previousSequence: null });
  expect(receive(secret, headers, body.replace("met", "issued"))).toMatchObject({ status: 401 });
});
