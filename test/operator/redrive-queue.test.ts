import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";

import { PRESETS } from "../../lib/stages.ts";
import { type Parking, parkingsOf } from "../../operator/redrive-homes.ts";
import { redriveQueue } from "../../operator/redrive-queue.ts";

const SWEEP = parkingsOf(PRESETS.sandbox).find(({ thing }) => thing === "sweep") as Parking;
const HOMELESS = parkingsOf(PRESETS.sandbox).find(({ thing }) => thing === "schedules") as Parking;
const BODY = '{"schemaVersion":1,"reason":"mark"}';

/** A dead-letter queue and its home in memory; `fails` names the request that a crash or a refusal strikes. */
const queues = (bodies: readonly string[], fails: "delete" | "send" | null = null) => {
  const [dead, home, hidden] = [bodies.map((body, index) => ({ id: `m${index}`, body })), [] as string[], new Set<string>()];
  const send = (command: unknown): Promise<object> => {
    if (command instanceof GetQueueUrlCommand) return Promise.resolve({ QueueUrl: `https://sqs.example/1/${command.input.QueueName}` });
    if (command instanceof GetQueueAttributesCommand)
      return Promise.resolve({ Attributes: { ApproximateNumberOfMessages: `${dead.length}` } });
    if (command instanceof ReceiveMessageCommand) {
      const some = dead.filter(({ id }) => !hidden.has(id)).slice(0, 10);
      for (const { id } of some) hidden.add(id);
      return Promise.resolve({ Messages: some.map(({ id, body }) => ({ MessageId: id, ReceiptHandle: id, Body: body })) });
    }
    if (command instanceof SendMessageBatchCommand) {
      const entries = command.input.Entries ?? [];
      if (fails === "send") return Promise.resolve({ Failed: entries.map(({ Id }) => ({ Id })) });
      home.push(...entries.map(({ MessageBody }) => MessageBody ?? ""));
      return Promise.resolve({});
    }
    if (command instanceof DeleteMessageBatchCommand) {
      if (fails === "delete") return Promise.reject(new Error("the laptop's lid was closed"));
      const gone = new Set((command.input.Entries ?? []).map(({ ReceiptHandle }) => ReceiptHandle));
      for (let index = dead.length - 1; index >= 0; index -= 1) if (gone.has(dead[index]?.id)) dead.splice(index, 1);
      for (const id of gone) hidden.delete(id ?? "");
      return Promise.resolve({});
    }
    for (const { ReceiptHandle } of (command as { input: { Entries?: { ReceiptHandle?: string }[] } }).input.Entries ?? [])
      hidden.delete(ReceiptHandle ?? "");
    return Promise.resolve({});
  };
  return { sqs: { send } as unknown as SQSClient, dead, home, hidden };
};

const RUN = { dryRun: false, all: false };

test("S35 a crash between sending and deleting leaves the message parked: it goes again, and is never lost", async () => {
  const { sqs, dead, home } = queues([BODY], "delete");
  await expect(redriveQueue(sqs, SWEEP, RUN)).rejects.toThrow("lid was closed");
  expect(home).toEqual([BODY]);
  expect(dead).toHaveLength(1);
});

test("what the home queue does not take stays, and is in sight again", async () => {
  const { sqs, dead, home, hidden } = queues([BODY, BODY], "send");
  expect(await redriveQueue(sqs, SWEEP, RUN)).toMatchObject({ moved: 0, stays: new Map([["its queue did not take it", 2]]) });
  expect([dead.length, home.length, hidden.size]).toEqual([2, 0, 0]);
});

test("S43 poison among twenty-five stays, and is given back", async () => {
  const { sqs, dead, home, hidden } = queues([...Array<string>(12).fill(BODY), "{", ...Array<string>(12).fill(BODY)]);
  const { parked, moved, stays } = await redriveQueue(sqs, SWEEP, RUN);
  expect([parked, moved, [...stays]]).toEqual([25, 24, [["no version reads it: not JSON", 1]]]);
  expect([dead.map(({ body }) => body), home.length, hidden.size]).toEqual([["{"], 24, 0]);
});

test("a dry run looks at a sample and moves nothing", async () => {
  const { sqs, dead, home, hidden } = queues(Array<string>(30).fill(BODY));
  expect(await redriveQueue(sqs, SWEEP, { dryRun: true, all: true })).toMatchObject({ parked: 30, seen: 10, moved: 0 });
  expect([dead.length, home.length, hidden.size]).toEqual([30, 0, 0]);
});

test("what has no home stays even with --all, and says what to do instead", async () => {
  const { sqs, dead } = queues(["{}"]);
  const { moved, stays } = await redriveQueue(sqs, HOMELESS, { dryRun: false, all: true });
  expect([moved, dead.length]).toEqual([0, 1]);
  expect([...stays.keys()][0]).toContain("the next minute has replaced each of them");
});

test("what has no home but can be done is done one by one; what cannot stays, with the reason", async () => {
  const { sqs, dead, hidden } = queues(["one", "two", "three"]);
  const act = (body: string): Promise<string | null> => Promise.resolve(body === "two" ? "too old" : null);
  expect(await redriveQueue(sqs, HOMELESS, { ...RUN, act })).toMatchObject({ moved: 2, stays: new Map([["too old", 1]]) });
  expect([dead.map(({ body }) => body), hidden.size]).toEqual([["two"], 0]);
});
