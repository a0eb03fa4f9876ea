import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

import type { Invocation, LambdaWorkerData, Reply } from "./lambda.ts";

/**
 * One execution environment: loads the function's bundled asset unchanged and answers one invocation
 * at a time. Before the asset is loaded, Date is replaced where the local time is not the machine's:
 * each invocation has one constant instant in stepped time.
 */

const { module, exported, clock, functionName, functionArn, memoryMb } = workerData as LambdaWorkerData;

const MachineDate = Date;
let instant = 0;
const now = (): number => (clock.kind === "stepped" ? instant : MachineDate.now() + clock.offsetMs);

if (clock.kind === "stepped" || clock.offsetMs !== 0) {
  globalThis.Date = new Proxy(MachineDate, {
    construct: (target, values, newTarget) => Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget) as object,
    apply: () => new MachineDate(now()).toString(),
    get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver)),
  });
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

const load = async (): Promise<Handler> => {
  const file = [".mjs", ".js", ".cjs"].map((ending) => module + ending).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`no module at ${module}`);
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const handler = loaded[exported];
  if (typeof handler !== "function") throw new Error(`${file} exports no function ${exported}`);
  return handler as Handler;
};

const contextOf = ({ requestId, timeoutMs }: Invocation): object => {
  const endsAt = performance.now() + timeoutMs;
  return {
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - performance.now()),
  };
};

let loading: Promise<Handler> | null = null;

const answer = async (invocation: Invocation): Promise<Reply> => {
  instant = invocation.instant;
  try {
    loading ??= load();
    const handler = await loading;
    const result = await handler(JSON.parse(invocation.event), contextOf(invocation));
    return { result: JSON.stringify(result ?? null) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${stack ?? message}\n`);
    return { error: { name, message } };
  }
};

/** What was printed reaches the engine before the answer does: a metric belongs to the minute of its invocation. */
const flushed = (): Promise<void> => new Promise((resolve) => process.stdout.write("", () => resolve()));

parentPort?.on("message", (invocation: Invocation) => {
  void answer(invocation).then(async (reply) => {
    await flushed();
    parentPort?.postMessage(reply);
  });
});
