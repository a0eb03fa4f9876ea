import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";

import { signedHeaders } from "../../../adapters/webhook/signature.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("N5 signatures", () => {
  test("N5 the published vector", () => {
    expect(signedHeaders(SECRET, { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1_614_265_330_000, body: '{"test": 2432232314}' })).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("N5 an empty secret throws", () => {
    expect(() => signedHeaders("", { id: "evt_1", at: 0, body: "{}" })).toThrow("empty");
    expect(() => signedHeaders("whsec_", { id: "evt_1", at: 0, body: "{}" })).toThrow("empty");
  });

  test("N1 the signature is the HMAC of id.timestamp.body by another implementation, any body", async () => {
    await fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.stringMatching(/^evt_[a-z0-9]{8}$/),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        (body, id, at) => {
          const headers = signedHeaders(SECRET, { id, at, body });
          const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
          const content = `${id}.${Math.floor(at / 1_000)}.${Buffer.from(body, "utf8").toString("utf8")}`;
          expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(content).digest("base64")}`);
        },
      ),
    );
  });

  test("N5 the reference verifier takes it now and refuses it under another secret", () => {
    const headers = signedHeaders(SECRET, { id: "evt_1", at: Date.now(), body: '{"a":"1"}' });
    expect(new Webhook(SECRET).verify('{"a":"1"}', headers)).toEqual({ a: "1" });
    expect(() => new Webhook("whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify('{"a":"1"}', headers)).toThrow("No matching signature");
    expect(() => new Webhook(SECRET).verify('{"a":"2"}', headers)).toThrow("No matching signature");
  });
});
