import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { clientConfiguration, inBatches, lazily, REQUESTS } from "../../../adapters/aws/clients.ts";
import { createKms } from "../../../adapters/aws/kms.ts";
import { createMailer } from "../../../adapters/aws/mailer.ts";
import { createBus, createQueues } from "../../../adapters/aws/messaging.ts";
import { createTimers } from "../../../adapters/aws/timers.ts";
import { createWorld } from "../../../adapters/aws.ts";
import { MailRefused, PartlyRefused } from "../../../adapters/errors.ts";
import type { Settings } from "../../../adapters/world.ts";
import { LIMITS } from "../../../core/limits.ts";
import { type Messages, startMessages } from "../../../local/engines/messages.ts";
import { createKeys } from "../../../local/services/keys.ts";
import { type Service, ServiceError, startServices } from "../../../local/services/service.ts";
import { T0 } from "../samples.ts";

const KEY = "arn:aws:kms:eu-west-1:000000000000:key/data";
const settings = {
  scheduleGroup: "plimsoll-deadlines",
  expiryQueueArn: "arn:aws:sqs:eu-west-1:000000000000:expiry",
  schedulerRoleArn: "arn:aws:iam::000000000000:role/scheduler",
  mailFrom: "margin@venue.example",
  mailConfigurationSet: "margin",
  dataKeyArn: KEY,
} as Settings;

let messages: Messages;
let services: { readonly endpoint: string; readonly stop: () => Promise<void> };
let asked: { method: string; path: string; body: Readonly<Record<string, unknown>> }[] = [];
let refusal: ServiceError | null = null;

const recorder: Service = ({ method, path, body }) => {
  asked.push({ method, path, body });
  if (refusal !== null) throw refusal;
  return path.startsWith("/v2/email") ? { MessageId: "m-1" } : { ScheduleArn: "arn" };
};

beforeAll(async () => {
  messages = await startMessages({ account: "000000000000", region: "eu-west-1", hold: null });
  const topic = { name: "events", arn: "arn:aws:sns:eu-west-1:000000000000:events", fifo: false };
  await messages.declare({
    queues: [
      { name: "plain", attributes: {} },
      { name: "venue.fifo", attributes: { FifoQueue: "true" } },
    ],
    topics: [topic] as unknown as Parameters<Messages["declare"]>[0]["topics"],
    subscriptions: [],
  });
  services = await startServices([createKeys([KEY]), recorder]);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SNS", messages.endpoint);
  vi.stubEnv("AWS_ENDPOINT_URL_SQS", messages.endpoint);
  for (const service of ["SCHEDULER", "SESV2", "KMS"]) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, services.endpoint);
});
afterEach(() => {
  asked = [];
  refusal = null;
});
afterAll(async () => {
  await messages.stop();
  await services.stop();
  vi.unstubAllEnvs();
});

describe("requests end before the budget that a call's issue promises (R12, I07)", () => {
  test("all attempts and their waits fit the write budget", () => {
    expect(REQUESTS.connectMs).toBeLessThanOrEqual(REQUESTS.requestMs);
    expect(REQUESTS.attemptsMax * REQUESTS.requestMs + REQUESTS.backoffMs).toBeLessThanOrEqual(LIMITS.writeBudgetMs);
    expect(clientConfiguration.requestHandler.throwOnRequestTimeout).toBe(true);
  });
});

describe("SQS", () => {
  const taken = async (queue: string): Promise<string[]> => {
    const bodies: string[] = [];
    for (;;) {
      const some = await messages.receive(queue, 10);
      if (some.length === 0) return bodies;
      bodies.push(...some.map((one) => one.Body));
      await messages.remove(
        queue,
        some.map((one) => one.ReceiptHandle),
      );
    }
  };

  test("any number of messages goes out in batches of ten", async () => {
    const bodies = Array.from({ length: 23 }, (_, index) => `message ${index}`);
    await createQueues().send(
      messages.queueUrl("plain"),
      bodies.map((body) => ({ body })),
    );
    expect((await taken("plain")).sort()).toEqual([...bodies].sort());
    await createQueues().send(messages.queueUrl("plain"), []);
    expect(await taken("plain")).toEqual([]);
  });

  test("a FIFO queue gets group and deduplication id: the same order twice is one message (I09)", async () => {
    const order = { body: "{}", groupId: "A-1", dedupId: "MC-AAAAAAAAAAAA-1-1-BTC-PERP" };
    const queues = createQueues();
    await queues.send(messages.queueUrl("venue.fifo"), [order]);
    await queues.send(messages.queueUrl("venue.fifo"), [order]);
    expect(await taken("venue.fifo")).toEqual(["{}"]);
  });

  test("a queue that does not exist is an error", async () => {
    await expect(createQueues().send(messages.queueUrl("nowhere"), [{ body: "x" }])).rejects.toThrow();
  });
});

test("SNS: messages go out with the attributes that subscriptions filter on", async () => {
  await createBus().publish(
    "arn:aws:sns:eu-west-1:000000000000:events",
    Array.from({ length: 12 }, (_, index) => ({
      id: `evt_${index}`,
      body: "{}",
      attributes: { type: "margin_call.issued", severity: "urgent", broker: "B1" },
    })),
  );
  await expect(
    createBus().publish("arn:aws:sns:eu-west-1:000000000000:other", [{ id: "e", body: "{}", attributes: {} }]),
  ).rejects.toThrow();
});

test("batches hold at most ten entries and the bytes that a request takes", () => {
  const sizes = [100, 100, 50, 240, 10, ...Array.from({ length: 12 }, () => 1)];
  const batches = inBatches(sizes, (size) => size, 250);
  expect(batches).toEqual([[100, 100, 50], [240, 10], Array.from({ length: 10 }, () => 1), [1, 1]]);
  expect(inBatches([], () => 1, 10)).toEqual([]);
});

test("what a service takes only in part is an error that names the rest", () => {
  expect(new PartlyRefused("the topic did not accept evt_1: Throttled").name).toBe("PartlyRefused");
});

describe("EventBridge Scheduler", () => {
  const timers = createTimers(settings, { now: () => T0 });
  const timer = { name: "MC-AAAAAAAAAAAA-1", at: T0 + 60_001, body: "{}" };

  test("a timer is a one-off schedule at the next whole second, which deletes itself", async () => {
    await timers.arm(timer);
    expect(asked).toMatchObject([
      {
        method: "POST",
        path: "/schedules/MC-AAAAAAAAAAAA-1",
        body: {
          GroupName: "plimsoll-deadlines",
          ScheduleExpression: "at(2020-03-12T10:01:01)",
          ActionAfterCompletion: "DELETE",
          FlexibleTimeWindow: { Mode: "OFF" },
          Target: {
            Arn: settings.expiryQueueArn,
            RoleArn: settings.schedulerRoleArn,
            Input: "{}",
            DeadLetterConfig: { Arn: `${settings.expiryQueueArn}-dead` },
          },
        },
      },
    ]);
  });

  test("a timer that exists is moved", async () => {
    refusal = new ServiceError("ConflictException", "exists", 409);
    await expect(timers.arm(timer)).rejects.toThrow();
    expect(asked.map((one) => one.method)).toEqual(["POST", "PUT"]);
  });

  test("an instant that has passed becomes the next second", async () => {
    await timers.arm({ ...timer, at: T0 - 1 });
    expect(asked[0]?.body["ScheduleExpression"]).toBe("at(2020-03-12T10:00:01)");
  });
});

describe("SES", () => {
  const email = {
    to: "holder@example.com",
    subject: "Margin call",
    html: "<p>x</p>",
    text: "x",
    headers: { "X-Entity-Ref-ID": "evt_1" },
    tags: { type: "margin_call-issued" },
  };

  test("an email goes out in HTML and text with its headers and tags", async () => {
    expect(await createMailer(settings).send(email)).toBe("m-1");
    expect(asked[0]?.body).toMatchObject({
      FromEmailAddress: "margin@venue.example",
      ConfigurationSetName: "margin",
      Destination: { ToAddresses: ["holder@example.com"] },
      Content: { Simple: { Headers: [{ Name: "X-Entity-Ref-ID", Value: "evt_1" }] } },
      EmailTags: [{ Name: "type", Value: "margin_call-issued" }],
    });
  });

  test("a refusal for good is told apart, without the address in its words (I28)", async () => {
    refusal = new ServiceError("MessageRejected", "Email address is not verified: holder@example.com");
    const failure: unknown = await createMailer(settings)
      .send(email)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MailRefused);
    expect(String(failure)).not.toContain("holder@example.com");
  });

  test("a passing failure is thrown as it is, to be tried again", async () => {
    refusal = new ServiceError("AccountSuspendedException", "no");
    await expect(createMailer(settings).send(email)).rejects.not.toBeInstanceOf(MailRefused);
  });
});

test("KMS: a secret opens under its own context only", async () => {
  const kms = createKms(settings);
  const sealed = await kms.encrypt("whsec_x", { endpointId: "ep_1" });
  expect(sealed).not.toContain("whsec_x");
  expect(await kms.decrypt(sealed, { endpointId: "ep_1" })).toBe("whsec_x");
  await expect(kms.decrypt(sealed, { endpointId: "ep_2" })).rejects.toThrow();
});

describe("the world of a function", () => {
  test("is made from the settings that it names", () => {
    const world = createWorld(["bookTable", "shards"], { BOOK_TABLE: "book", SHARDS: "16" });
    expect([world.settings.bookTable, world.settings.shards]).toEqual(["book", 16]);
    expect(world.clock.now()).toBeGreaterThan(T0);
    expect(() => createWorld(["bookTable", "shards"], { SHARDS: "16" })).toThrow("BOOK_TABLE is missing");
  });

  test("a client is made once, when it is first used", async () => {
    let made = 0;
    const client = lazily(async () => {
      made += 1;
      return made;
    });
    expect(made).toBe(0);
    expect(await Promise.all([client(), client()])).toEqual([1, 1]);
  });

  test("its http refuses addresses inside (N3)", async () => {
    const world = createWorld(["webhookLoopback"], { WEBHOOK_LOOPBACK: "never" });
    const request = { url: "https://169.254.169.254/", headers: {}, body: "", timeoutMs: 500 };
    await expect(world.http.post(request)).rejects.toThrow();
  });
});
