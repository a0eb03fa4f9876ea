import { spawn } from "node:child_process";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { at } from "../../lib/checks/template.ts";
import { type Messages, startMessages } from "../../local/engines/messages.ts";
import { WAYS } from "../../operator/parked.ts";
import { resourcesOf, stageWith, templatesOf } from "../lib/deployment.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NAMES = ["email", "email-dead", "email-subscription-dead", "feed.fifo", "feed-dead.fifo", "schedules-dead"];
const physical = (name: string): string => `plimsoll-sandbox-${name}`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let messages: Messages;

beforeAll(async () => {
  messages = await startMessages({ account: "000000000000", region: "eu-west-1", hold: null });
  const queues = NAMES.map((name) => ({ name: physical(name), attributes: name.endsWith(".fifo") ? { FifoQueue: "true" } : {} }));
  await messages.declare({ queues, topics: [], subscriptions: [] });
});
afterAll(() => messages.stop());

/** `npm run redrive -- args` against the queues here. */
const redrive = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_ENDPOINT_URL_SQS: messages.endpoint };
    const child = spawn(join(ROOT, "node_modules/.bin/node"), ["operator/redrive.ts", ...args], { cwd: ROOT, env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });

const held = async (name: string): Promise<string[]> => (await messages.inspect(physical(name))).map(({ body }) => body);

describe("npm run redrive", () => {
  test.each<[thing: string, from: string, to: string | null, words: string]>([
    ["email", "email-dead", "email", "2 sent back"],
    ["email-subscription", "email-subscription-dead", "email", "2 sent back"],
    ["feed", "feed-dead.fifo", "feed.fifo", "2 sent back"],
    ["schedules", "schedules-dead", null, "2 discarded"],
  ])("%s: what was parked goes where it belongs, once", async (thing, from, to, words) => {
    const bodies = [`${thing} 1`, `${thing} 2`];
    const ordered = (body: string) => (from.endsWith(".fifo") ? { MessageGroupId: "A1", MessageDeduplicationId: body } : {});
    for (const MessageBody of bodies) await messages.send(physical(from), { MessageBody, ...ordered(MessageBody) });
    const { code, stdout, stderr } = await redrive("--stage", "sandbox", "--from", thing);
    expect([code, stdout, stderr]).toEqual([0, `${words}; what fails again is parked again\n`, ""]);
    expect(await held(from)).toEqual([]);
    if (to !== null) expect((await held(to)).filter((body) => body.startsWith(`${thing} `))).toEqual(bodies);
  });

  test("nothing parked is nothing to do", async () => {
    expect(await redrive("--stage", "sandbox", "--from", "email")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 sent back/),
    });
  });

  test.each([
    [["--from", "email"], "--stage is missing"],
    [["--stage", "sandbox"], "--from: name one of marks, sweep,"],
    [["--stage", "sandbox", "--from", "emails"], "--from: name one of marks, sweep,"],
  ])("refuses %j", async (args, words) => {
    const { code, stdout, stderr } = await redrive(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
  });

  test("every dead-letter queue of a deployment has its way back, but the alarms' own", () => {
    const { Pipeline, Watch } = templatesOf(stageWith("sandbox", { alarmEmail: "risk@example.com" }));
    const dead = [Pipeline, Watch]
      .flatMap((template) => resourcesOf(template, "AWS::SQS::Queue"))
      .map(({ properties }) => String(at(properties, "QueueName")))
      .filter((name) => /-dead(\.fifo)?$/.test(name))
      .map((name) => name.replace(/^plimsoll-sandbox-|-dead(\.fifo)?$/g, ""));
    expect([...WAYS.keys(), "alarms"].toSorted()).toEqual(dead.toSorted());
  });
});
