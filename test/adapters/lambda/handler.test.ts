import type { Context } from "aws-lambda";
import { expect, test, vi } from "vitest";

import { lambdaHandler } from "../../../adapters/lambda/handler.ts";
import { createLog } from "../../../adapters/lambda/log.ts";
import { testLog, testWorld } from "../../engine.ts";

const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 10_000 } as unknown as Context;
const tables = { db: {}, names: {} } as Parameters<typeof testWorld>[0];

test("the use case gets the event and the platform's context", async () => {
  const handler = lambdaHandler(testWorld(tables), async (event: { a: number }, given) => [event.a, given.getRemainingTimeInMillis()]);
  expect(await handler({ a: 1 }, context)).toEqual([1, 10_000]);
});

test("a failure is named, counted and thrown on, so that the platform tries again", async () => {
  const log = testLog();
  const handler = lambdaHandler(testWorld(tables, { log }), async () => {
    throw new RangeError("not a plain decimal");
  });
  await expect(handler({}, context)).rejects.toThrow("not a plain decimal");
  expect(log.counts.get("invocation_failed")).toBe(1);
  expect(log.lines).toEqual([
    { level: "error", message: "invocation failed", fields: { error: "RangeError", reason: "not a plain decimal" } },
  ]);
});

test("lines carry the request, counts are written once an invocation, whatever happens", async () => {
  const lines: string[] = [];
  const write = (chunk: unknown): void => void lines.push(String(chunk));
  const spies = (["log", "info", "error"] as const).map((level) => vi.spyOn(console, level).mockImplementation(write));
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
  try {
    const world = testWorld(tables, { log: createLog() });
    let fail = false;
    const handler = lambdaHandler(world, async () => {
      world.log.info("swept", { accounts: 3 });
      world.log.count("sweep_current");
      if (fail) throw new Error("stop");
    });
    await handler({}, context);
    fail = true;
    await expect(handler({}, { ...context, awsRequestId: "request-2" })).rejects.toThrow(/^$/);
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed.filter((line) => line["message"] === "swept")).toMatchObject([
    { accounts: 3, requestId: "request-1" },
    { accounts: 3, requestId: "request-2" },
  ]);
  const counted = parsed.filter((line) => "_aws" in line);
  expect(counted).toMatchObject([{ sweep_current: 1 }, { sweep_current: 1, invocation_failed: 1 }]);
});
