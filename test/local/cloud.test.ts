import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PublishBatchCommand } from "@aws-sdk/client-sns";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Cloud, startCloud } from "../../local/cloud.ts";
import { type Fixture, writeFixture } from "./fixture.ts";

const START = Date.UTC(2020, 2, 12);
const MINUTE = 60_000;

describe("the local cloud in stepped time", () => {
  let fixture: Fixture;
  let cloud: Cloud;

  beforeEach(async () => {
    fixture = writeFixture();
    cloud = await startCloud({ assembly: fixture.assembly, clock: "stepped", startAt: START, directory: fixture.directory });
  });

  afterEach(async () => {
    await cloud.stop();
    fixture.remove();
  });

  const send = async (...wishes: object[]) => {
    for (const wish of wishes) {
      await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl("work"), MessageBody: JSON.stringify(wish) }));
    }
  };

  const seen = async () => (await cloud.receive("seen")).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  it("gives every invocation of an instant the same time, and moves it to what is due next", async () => {
    await send({ name: "first" });
    cloud.at(START + 7 * MINUTE + 5, "tick", () => send({ name: "second" }));
    await cloud.run();
    const told = (await seen()).filter(({ name }) => name !== undefined);
    expect(told.map(({ name, at, made }) => [name, at, made])).toEqual([
      ["first", START, START],
      ["second", START + 7 * MINUTE + 5, START + 7 * MINUTE + 5],
    ]);
    expect(told[0]?.["remaining"]).toBeGreaterThan(0);
    expect(told[0]?.["remaining"]).toBeLessThanOrEqual(1_000);
    expect(cloud.now()).toBe(START + 7 * MINUTE + 5);
  });

  it("holds a delayed message until its instant, and passes its neighbours of the batch on at once", async () => {
    await send({ do: "delay" });
    await cloud.run();
    const told = (await seen()).filter(({ schedule }) => schedule === undefined);
    expect(told.find(({ accepted }) => accepted !== undefined)?.["accepted"]).toEqual(["later", "now"]);
    expect(told.filter(({ name }) => name !== undefined).map(({ name, at }) => [name, at])).toEqual([
      ["prompt", START],
      ["delayed", START + 90_000],
    ]);
  });

  it("S42: of ten records only the failed one returns, and it alone ends in the dead-letter queue", async () => {
    await send(...Array.from({ length: 10 }, (_, index) => (index === 3 ? { do: "fail" } : { name: `record ${index}` })));
    await cloud.run();
    expect((await seen()).map(({ name }) => name).sort()).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9].map((index) => `record ${index}`));
    expect(await cloud.deadLetters()).toEqual({
      "plimsoll-test-schedule-dead": 0,
      "plimsoll-test-work-dead": 1,
      "plimsoll-test-ordered-dead.fifo": 0,
      "plimsoll-test-relay-dead": 0,
    });
    // Once with its neighbours and twice alone: three tries.
    expect(cloud.invocations["plimsoll-test-work"]?.invocations).toBe(3);
  });

  it("S43: a message that is no JSON ends in the dead-letter queue while later ones go on", async () => {
    await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl("work"), MessageBody: "{broken" }));
    cloud.at(START + 1_000, "later", () => send({ name: "healthy" }));
    await cloud.run();
    expect((await seen()).map(({ name }) => name)).toEqual(["healthy"]);
    expect((await cloud.deadLetters())["plimsoll-test-work-dead"]).toBe(1);
  });

  it("kills a function at its timeout, and starts it anew for the next message", async () => {
    await send({ do: "hang" });
    cloud.at(START + 1_000, "later", () => send({ name: "after" }));
    await cloud.run();
    expect((await seen()).map(({ name }) => name)).toEqual(["after"]);
    expect(cloud.invocations["plimsoll-test-work"]).toMatchObject({ invocations: 4, errors: 3, timeouts: 3 });
    expect((await cloud.deadLetters())["plimsoll-test-work-dead"]).toBe(1);
    const log = readFileSync(join(fixture.directory, "logs", "plimsoll-test-work.log"), "utf8");
    expect(log).toContain("Task timed out after 1 seconds");
    expect(log).toContain("records 1");
  });

  it("S33: runs what is deployed meanwhile from the next invocation on, and keeps the variables that the release does not name", async () => {
    await send({ name: "before" });
    await cloud.run();
    const asset = join(fixture.directory, "release");
    const handler = readFileSync(join(fixture.assembly, "asset.abc", "index.mjs"), "utf8");
    mkdirSync(asset, { recursive: true });
    writeFileSync(join(asset, "index.mjs"), handler.replace("name: wish.name", "name: wish.name + process.env.RELEASE"));
    await cloud.deploy(["work"], () => ({ asset, environment: { RELEASE: " of release 2" } }));
    await send({ name: "after" });
    await cloud.run();
    await cloud.deploy(["work"], () => ({ environment: { RELEASE: " of release 3" } }));
    await send({ name: "last" });
    await cloud.run();
    expect((await seen()).map(({ name }) => name).filter(Boolean)).toEqual(["before", "after of release 2", "last of release 3"]);
    await expect(cloud.deploy(["nothing"], () => ({}))).rejects.toThrow("the template declares no function nothing");
  });

  it("fires a steady rate once with the next other event, however long that takes", async () => {
    for (const hours of [1, 2, 3]) cloud.at(START + hours * 3_600_000, "tick", () => Promise.resolve());
    await cloud.run({ until: START + 3 * 3_600_000 });
    expect((await seen()).map(({ schedule, at }) => [schedule, (Number(at) - START) / MINUTE])).toEqual([
      ["minutely", 60],
      ["minutely", 120],
      ["minutely", 180],
    ]);
  });

  it("delivers raw to the queues whose filter an event passes, and every event to the listener", async () => {
    const heard: string[] = [];
    cloud.onEvent((body) => heard.push(body));
    const attributes = (type: string) => ({ type: { DataType: "String", StringValue: type } });
    await cloud.clients.sns.send(
      new PublishBatchCommand({
        TopicArn: cloud.topicArn ?? "",
        PublishBatchRequestEntries: [
          { Id: "a", Message: '{"name":"wanted"}', MessageAttributes: attributes("wanted") },
          { Id: "b", Message: '{"name":"other"}', MessageAttributes: attributes("other") },
        ],
      }),
    );
    await cloud.run();
    expect((await seen()).map(({ name }) => name)).toEqual(["wanted"]);
    expect(heard).toEqual(['{"name":"wanted"}', '{"name":"other"}']);
  });

  it("reads a stream through its filter, in the order of each key, and parks what its function cannot take", async () => {
    const item = (pk: string, sk: string, extra: object = { publish: { BOOL: true } }) => ({ pk: { S: pk }, sk: { S: sk }, ...extra });
    await send({
      do: "put",
      items: [
        item("b", "1"),
        item("a", "1"),
        item("a", "2", { publish: { BOOL: false } }),
        item("b", "2", { publish: { BOOL: true }, poison: { BOOL: true } }),
        item("a", "3"),
        item("c", "1"),
      ],
    });
    await cloud.run();
    expect((await seen()).map(({ key }) => key)).toEqual(["a1", "a3", "b1", "c1"]);
    const [parked] = await cloud.receive("relay-dead");
    expect(JSON.parse(parked?.body ?? "{}")).toMatchObject({ DDBStreamBatchInfo: { batchSize: 1 } });
  });

  it("keeps the order of a FIFO group, and drains a queue that nothing consumes in its order", async () => {
    const to = async (queue: string, name: string) => {
      await cloud.clients.sqs.send(
        new SendMessageCommand({
          QueueUrl: cloud.queueUrl(queue),
          MessageBody: JSON.stringify({ name }),
          MessageGroupId: name.slice(0, 1),
          MessageDeduplicationId: name,
        }),
      );
    };
    for (const name of ["x1", "x2", "y1", "x3"]) await to("ordered.fifo", name);
    for (const name of ["v1", "v2", "w1"]) await to("venue.fifo", name);
    await cloud.run();
    const names = (await seen()).map(({ name }) => String(name));
    expect(names.filter((name) => name.startsWith("x"))).toEqual(["x1", "x2", "x3"]);
    expect(names).toHaveLength(4);
    const drained = await cloud.receive("venue.fifo");
    expect(drained.filter(({ groupId }) => groupId === "v").map(({ body }) => JSON.parse(body))).toEqual([{ name: "v1" }, { name: "v2" }]);
    expect(drained).toHaveLength(3);
    expect(await cloud.receive("venue.fifo")).toEqual([]);
  });

  it("handles what onStep sends before time moves on", async () => {
    cloud.at(START + MINUTE, "tick", () => Promise.resolve());
    const steps: number[] = [];
    await cloud.run({
      onStep: async (now) => {
        steps.push(now);
        if (steps.length === 1) await send({ name: "from the step" });
      },
    });
    expect(steps).toEqual([START, START + MINUTE]);
    expect((await seen()).filter(({ name }) => name !== undefined).map(({ at }) => at)).toEqual([START]);
  });

  it("routes a request to its function as the caller's role, without the header refuses it", async () => {
    expect(await cloud.request("PUT", "/things/a%20b", { size: 1 }, "operator")).toEqual({
      status: 201,
      body: { at: START, body: { size: 1 } },
    });
    expect(await cloud.request("PUT", "/things/1", {}, "auditor")).toMatchObject({ status: 201 });
    expect(await cloud.request("PUT", "/things/1", {}, null)).toEqual({ status: 403, body: { message: "Forbidden" } });
    expect(await cloud.request("GET", "/health", null, null)).toMatchObject({ status: 201 });
    expect(await cloud.request("GET", "/things", null, "operator")).toMatchObject({ status: 404 });
    expect((await seen()).map(({ route, parameters, caller }) => [route, parameters, caller])).toEqual([
      ["PUT /things/{thingId}", { thingId: "a b" }, "arn:aws:iam::1:role/op"],
      ["PUT /things/{thingId}", { thingId: "1" }, "arn:aws:iam::000000000000:role/plimsoll-auditor"],
      ["GET /health", undefined, null],
    ]);
  });

  it("names what the template has when asked for what it has not", () => {
    expect(cloud.tableName("journal")).toBe("plimsoll-test-journal");
    expect(cloud.outputs["WorkQueueUrl"]).toBe(cloud.queueUrl("work"));
    expect(cloud.outputs["ApiUrl"]).toBe(cloud.apiUrl);
    expect(() => cloud.queueUrl("nothing")).toThrow("the template declares no queue nothing: it has plimsoll-test-work-dead");
    expect(() => cloud.tableName("book")).toThrow("the template declares no table book");
  });
});

it("parks a schedule's event when its function fails at every try", async () => {
  const target = { Arn: { "Fn::GetAtt": ["Work", "Arn"] }, RoleArn: "none", Input: '{"name":"broken"}' };
  const fixture = writeFixture({
    Minutely: { Type: "AWS::Scheduler::Schedule", Properties: { ScheduleExpression: "rate(1 minute)", Target: target } },
  });
  const cloud = await startCloud({ assembly: fixture.assembly, clock: "stepped", startAt: START, directory: fixture.directory });
  try {
    await cloud.run({ until: START + MINUTE });
    expect(cloud.invocations["plimsoll-test-work"]).toMatchObject({ invocations: 2, errors: 2 });
    const [parked] = await cloud.receive("schedule-dead");
    expect(JSON.parse(parked?.body ?? "{}")).toMatchObject({ requestPayload: { name: "broken" } });
  } finally {
    await cloud.stop();
    fixture.remove();
  }
});

describe("the local cloud in real time", () => {
  it("hands over at once what is sent, and runs until nothing is left", async () => {
    const fixture = writeFixture();
    const cloud = await startCloud({ assembly: fixture.assembly, clock: "real", directory: fixture.directory });
    try {
      const began = Date.now();
      cloud.at(began + 50, "tick", async () => {
        await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl("work"), MessageBody: '{"name":"real"}' }));
      });
      await cloud.run();
      const told = (await cloud.receive("seen")).map(({ body }) => JSON.parse(body) as { name: string; at: number });
      expect(told.map(({ name }) => name)).toEqual(["real"]);
      expect(told[0]?.at).toBeGreaterThanOrEqual(began + 50);
    } finally {
      await cloud.stop();
      fixture.remove();
    }
  });
});

it("stops with one line where the template has something that does nothing here, and leaves nothing running", async () => {
  const fixture = writeFixture({ Rule: { Type: "AWS::Events::Rule", Properties: {} } });
  await expect(startCloud({ assembly: fixture.assembly, clock: "stepped", directory: fixture.directory })).rejects.toThrow(
    "test/Rule: the local cloud does not know AWS::Events::Rule",
  );
  fixture.remove();
});
