import type { SQSRecord } from "aws-lambda";
import { describe, expect, test } from "vitest";

import type { Outcome } from "../../simulation/cloud/lambda.ts";
import { SimulatedQueue } from "../../simulation/cloud/queue.ts";
import type { Simulation } from "../../simulation/cloud/simulation.ts";
import { createMemoryTables } from "../../simulation/db/memory-tables.ts";
import type { DeliveryFault } from "../../simulation/faults/alphabet.ts";
import { type Faults, scriptedFaults } from "../../simulation/faults/chance.ts";
import { createVirtualTime } from "../../simulation/time/virtual-time.ts";

const START = 1_000_000;

/** A queue of 30 s visibility and three receives, and what its consumer was given at which second. */
const queueOf = (given: { fifo?: boolean; faults?: readonly (DeliveryFault | null)[]; answer?: (bodies: string[]) => Outcome }) => {
  const time = createVirtualTime(START);
  const deliveries = [...(given.faults ?? [])];
  const faults: Faults = { ...scriptedFaults(new Map()), atDelivery: () => deliveries.shift() ?? null };
  const simulation: Simulation = {
    time,
    tables: createMemoryTables({}),
    faults,
    jitter: () => 0,
    counts: { calls: 0, invocations: 0, metrics: new Map() },
    request: { askedAt: START },
    heard: { published: () => undefined, line: () => undefined, fault: () => undefined },
    trace: null,
  };
  const parked: string[] = [];
  const taken: string[] = [];
  const queue = new SimulatedQueue(
    simulation,
    { name: "q", url: "url", arn: "arn", fifo: given.fifo ?? false, visibilityMs: 30_000, retentionMs: 300_000, receivesMax: 3 },
    ({ body }) => parked.push(body),
  );
  queue.consume({
    batchMax: 2,
    concurrencyMax: 5,
    take: (records: readonly SQSRecord[], settle) => {
      const second = Math.floor((time.now() - START) / 1_000);
      taken.push(`${second}: ${records.map(({ body }) => body).join(" ")}`);
      settle(given.answer?.(records.map(({ body }) => body)) ?? { ok: true, result: {} });
    },
  });
  return { time, queue, parked, taken, runTo: (second: number) => time.run(START + second * 1_000) };
};

const failing =
  (bad: string) =>
  (bodies: string[]): Outcome =>
    bodies.includes(bad) ? { ok: false, error: "no" } : { ok: true, result: {} };

describe("the simulated queue (SQS)", () => {
  test("hands out batches, and what was handled is gone", async () => {
    const { queue, taken, runTo } = queueOf({});
    for (const body of ["a", "b", "c"]) queue.send({ body });
    await runTo(100);
    expect(taken).toEqual(["0: a b", "0: c"]);
    expect(queue.depth()).toBe(0);
  });

  test("shows what failed again after its visibility timeout, three times, and parks it", async () => {
    const { queue, taken, parked, runTo } = queueOf({ answer: failing("bad") });
    queue.send({ body: "bad" });
    await runTo(200);
    expect(taken).toEqual(["0: bad", "30: bad", "60: bad"]);
    expect(parked).toEqual(["bad"]);
  });

  test("takes back only what the function names", async () => {
    const { queue, taken, runTo } = queueOf({
      answer: (bodies) => ({
        ok: true,
        result: { batchItemFailures: bodies.includes("b") && bodies.length === 2 ? [{ itemIdentifier: "q-2" }] : [] },
      }),
    });
    for (const body of ["a", "b"]) queue.send({ body });
    await runTo(100);
    expect(taken).toEqual(["0: a b", "30: b"]);
  });

  test("waits for a delay, forgets after its retention", async () => {
    const { queue, taken, parked, runTo } = queueOf({ answer: () => ({ ok: false, error: "no" }) });
    queue.send({ body: "late", delayS: 290 });
    await runTo(400);
    expect(taken).toEqual(["290: late"]);
    expect([queue.depth(), parked]).toEqual([0, []]);
  });

  test("gives a copy under the same id at once, after 6 and 11 minutes and after a day", async () => {
    const { queue, taken, runTo } = queueOf({ faults: ["duplicateNow", "duplicate6min", "duplicate11min", "duplicate25h"] });
    for (const body of ["a", "b", "c", "d"]) queue.send({ body });
    await runTo(90_001);
    expect(taken.slice(-3)).toEqual(["360: b", "660: c", "90000: d"]);
    expect(taken.join(" ").match(/a/g)).toHaveLength(2);
  });
});

describe("the simulated queue with order (SQS FIFO)", () => {
  test("holds a group back behind what failed, and no other group", async () => {
    let failures = 0;
    const { queue, taken, runTo } = queueOf({
      fifo: true,
      answer: (bodies) => (bodies[0] === "a1" && failures++ === 0 ? { ok: false, error: "no" } : { ok: true, result: {} }),
    });
    queue.send({ body: "a1", groupId: "A" });
    await runTo(1);
    queue.send({ body: "a2", groupId: "A" });
    queue.send({ body: "b1", groupId: "B" });
    await runTo(100);
    expect(taken).toEqual(["0: a1", "1: b1", "30: a1 a2"]);
  });

  test("takes a deduplication id once in five minutes, and again after them", async () => {
    const { queue, taken, runTo } = queueOf({ fifo: true });
    for (const second of [0, 299, 301]) {
      await runTo(second);
      queue.send({ body: `at ${second}`, groupId: "A", dedupId: "order-1" });
    }
    await runTo(400);
    expect(taken).toEqual(["0: at 0", "301: at 301"]);
  });
});
