import { afterEach, expect, it } from "vitest";

import { readAssembly } from "../../../local/template/assembly.ts";
import { rateMs, readWiring } from "../../../local/template/wiring.ts";
import { type Fixture, writeFixture } from "../fixture.ts";

const place = { account: "000000000000", region: "eu-west-1", queueUrl: (name: string) => `queue:${name}`, apiUrl: "api" };

let fixture: Fixture;
afterEach(() => fixture.remove());

const wiringOf = (replaced: object = {}) => {
  fixture = writeFixture(replaced);
  return readWiring(readAssembly(fixture.assembly), place);
};

it("reads what runs out of the template", () => {
  const wiring = wiringOf();
  expect(wiring.queues.find(({ name }) => name === "plimsoll-test-work")).toMatchObject({
    url: "queue:plimsoll-test-work",
    fifo: false,
    attributes: {
      VisibilityTimeout: "60",
      RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:plimsoll-test-work-dead","maxReceiveCount":3}',
    },
  });
  expect(wiring.functions[0]).toMatchObject({
    name: "plimsoll-test-work",
    timeoutMs: 1_000,
    memoryMb: 256,
    environment: { WORK_QUEUE_URL: "queue:plimsoll-test-work", JOURNAL_TABLE: "plimsoll-test-journal" },
  });
  expect(wiring.mappings.map(({ functionName, sourceArn }) => [functionName, sourceArn.split(":").at(-1)])).toEqual([
    ["plimsoll-test-work", "plimsoll-test-work"],
    ["plimsoll-test-work", "plimsoll-test-heard"],
    ["plimsoll-test-work", "plimsoll-test-ordered.fifo"],
    ["plimsoll-test-work", "table/plimsoll-test-journal/stream/local"],
  ]);
  expect(wiring.schedules).toMatchObject([{ everyMs: 60_000 }]);
  expect(wiring.routes).toEqual([
    { method: "GET", path: "/health", functionName: "plimsoll-test-work", authorized: false },
    { method: "PUT", path: "/things/{thingId}", functionName: "plimsoll-test-work", authorized: true },
  ]);
  expect(wiring.keys).toEqual(["arn:aws:kms:eu-west-1:000000000000:key/DataKey"]);
});

it.each<[string, object, string]>([
  ["a type that does nothing here", { Rule: { Type: "AWS::Events::Rule" } }, "test/Rule: the local cloud does not know AWS::Events::Rule"],
  [
    "a cron schedule",
    { Minutely: { Type: "AWS::Scheduler::Schedule", Properties: { ScheduleExpression: "cron(0 * * * ? *)", Target: { Arn: "a" } } } },
    "test/Minutely: the local cloud runs rate(...) schedules, not cron(0 * * * ? *)",
  ],
  [
    "a queue that delays every message",
    { Seen: { Type: "AWS::SQS::Queue", Properties: { DelaySeconds: 5 } } },
    "test/Seen: DelaySeconds: the local cloud delays messages, not queues",
  ],
  [
    "code that is not in the assembly",
    { Work: { Type: "AWS::Lambda::Function", Properties: { Handler: "index.handler", Code: { S3Key: "gone.zip" } } } },
    "test/Work: the assembly holds no bundled asset for its code",
  ],
  [
    "an email address subscribed to the events",
    { HeardSubscription: { Type: "AWS::SNS::Subscription", Properties: { TopicArn: "t", Protocol: "https", Endpoint: "e" } } },
    "test/HeardSubscription: Protocol: only queues are subscribed to a topic here",
  ],
])("refuses %s by its name", (_, replaced, message) => {
  expect(() => wiringOf(replaced)).toThrow(message);
});

it.each([
  ["rate(1 minute)", 60_000],
  ["rate(5 minutes)", 300_000],
  ["rate(2 hours)", 7_200_000],
])("reads %s", (expression, expected) => {
  fixture = writeFixture();
  expect(rateMs("x", expression)).toBe(expected);
});

it("asks for a synthesis where there is no assembly", () => {
  fixture = writeFixture();
  expect(() => readAssembly(fixture.directory)).toThrow("holds no cloud assembly: run `npx cdk synth` first");
});
