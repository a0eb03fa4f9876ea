import type { DynamoDBRecord, SQSRecord } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { independent, ordered, orderedStream } from "../../../adapters/lambda/batches.ts";
import { Malformed } from "../../../adapters/wire/parse.ts";
import { testLog } from "../../engine.ts";

const record = (messageId: string, group = ""): SQSRecord =>
  ({ messageId, body: messageId, attributes: group === "" ? {} : { MessageGroupId: group } }) as unknown as SQSRecord;
const failures = (reply: { batchItemFailures: { itemIdentifier: string }[] }): string[] =>
  reply.batchItemFailures.map((failure) => failure.itemIdentifier);

/** Work that fails for the named messages, and remembers what it did. */
const worker = (bad: readonly string[]) => {
  const done: string[] = [];
  return {
    done,
    work: async ({ messageId }: SQSRecord): Promise<void> => {
      if (bad.includes(messageId)) throw new Error(`no ${messageId}`);
      done.push(messageId);
    },
  };
};

const ten = Array.from({ length: 10 }, (_, index) => `m${index + 1}`);

describe("independent messages (S42)", () => {
  test.each<[name: string, ids: string[], bad: string[], returned: string[]]>([
    ["none fails", ten, [], []],
    ["record 4 of 10 fails: only it returns", ten, ["m4"], ["m4"]],
    ["all fail", ["m1", "m2"], ["m1", "m2"], ["m1", "m2"]],
    ["an empty batch", [], [], []],
  ])("%s", async (_, ids, bad, returned) => {
    const log = testLog();
    const { done, work } = worker(bad);
    const reply = await independent(
      ids.map((id) => record(id)),
      log,
      work,
    );
    expect(failures(reply)).toEqual(returned);
    expect(done.sort()).toEqual(ids.filter((id) => !bad.includes(id)).sort());
    expect(log.counts.get("message_failed") ?? 0).toBe(bad.length);
  });

  test("a slow message does not hold its neighbours back", async () => {
    const order: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reply = independent([record("slow"), record("quick")], testLog(), async ({ messageId }) => {
      if (messageId === "slow") await held;
      order.push(messageId);
      if (messageId === "quick") release();
    });
    expect(failures(await reply)).toEqual([]);
    expect(order).toEqual(["quick", "slow"]);
  });

  test("the log names the message and the error, and nothing of the body", async () => {
    const log = testLog();
    await independent([record("m1")], log, () => Promise.reject(new Malformed("not JSON")));
    expect(log.lines).toEqual([
      { level: "error", message: "message failed", fields: { messageId: "m1", error: "Malformed", reason: "not JSON" } },
    ]);
  });
});

describe("messages of a FIFO queue (S42)", () => {
  const batch = [record("a1", "A"), record("b1", "B"), record("a2", "A"), record("b2", "B"), record("a3", "A")];
  test.each<[name: string, bad: string[], returned: string[], done: string[]]>([
    ["none fails", [], [], ["a1", "a2", "a3", "b1", "b2"]],
    ["a group stops after the failed one, the other goes on", ["a2"], ["a2", "a3"], ["a1", "b1", "b2"]],
    ["the first of a group fails: the whole group returns", ["b1"], ["b1", "b2"], ["a1", "a2", "a3"]],
    ["the last fails: only it returns", ["a3"], ["a3"], ["a1", "a2", "b1", "b2"]],
  ])("%s", async (_, bad, returned, done) => {
    const works = worker(bad);
    expect(failures(await ordered(batch, testLog(), works.work))).toEqual(returned);
    expect(works.done.sort()).toEqual(done);
  });

  test.each([
    ["the world fails it once: it is tried again at once, and its group goes on", new Error("timeout"), [], ["a1 1", "a1 2", "a2 1"]],
    ["it cannot be read: it is not tried again, and its group goes back", new Malformed("not JSON"), ["a1", "a2"], ["a1 1"]],
  ])("%s", async (_, error, returned, tried) => {
    const tries: string[] = [];
    const reply = await ordered([record("a1", "A"), record("a2", "A")], testLog(), async ({ messageId }) => {
      tries.push(`${messageId} ${tries.filter((one) => one.startsWith(messageId)).length + 1}`);
      if (tries.length === 1) throw error;
    });
    expect(failures(reply)).toEqual(returned);
    expect(tries).toEqual(tried);
  });

  test("a group is worked in its order", async () => {
    const works = worker([]);
    await ordered(batch, testLog(), works.work);
    expect(works.done.filter((id) => id.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
  });
});

describe("records of a stream", () => {
  const stream = ["101", "102", "103"].map((SequenceNumber) => ({
    eventID: `e${SequenceNumber}`,
    dynamodb: { SequenceNumber },
  })) as DynamoDBRecord[];
  test.each<[name: string, bad: string, returned: string[], done: string[]]>([
    ["none fails", "", [], ["101", "102", "103"]],
    ["the first failure is reported and nothing after it is tried", "102", ["102"], ["101"]],
  ])("%s", async (_, bad, returned, done) => {
    const seen: string[] = [];
    const reply = await orderedStream(stream, testLog(), async ({ dynamodb }) => {
      if (dynamodb?.SequenceNumber === bad) throw new Error("no");
      seen.push(dynamodb?.SequenceNumber ?? "");
    });
    expect([failures(reply), seen]).toEqual([returned, done]);
  });
});
