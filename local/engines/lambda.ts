import { randomUUID } from "node:crypto";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { handlerOf, type LambdaFunction } from "../template/wiring.ts";
import { type Meter, ofFunction, readEmbedded } from "../watch/meter.ts";

/** How a function sees time: one constant instant for each invocation, or a clock that runs. */
export type FunctionClock = { readonly kind: "stepped" } | { readonly kind: "real"; readonly offsetMs: number };

export interface LambdaWorkerData {
  readonly module: string;
  readonly exported: string;
  readonly clock: FunctionClock;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
}

export interface Invocation {
  readonly requestId: string;
  /** JSON, as a function gets it: nothing but data passes. */
  readonly event: string;
  readonly instant: number;
  readonly timeoutMs: number;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
}

export type Reply = { readonly result: string } | { readonly error: Failure };

export type Outcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: Failure };

/** What a function has done since the start. */
export interface Counters {
  invocations: number;
  errors: number;
  timeouts: number;
  throttles: number;
  logLines: number;
}

/** What a deployment changes of a function: its bundle, some of its variables, or both. */
export interface Release {
  /** The folder of the bundled asset. */
  readonly asset?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What Lambda's own API changes about a function that runs. */
export interface FunctionChange {
  /** Executions that are reserved for it: it gets no more. 0 stops it; null takes the reservation away. */
  readonly reserved?: number | null;
  readonly timeoutMs?: number;
}

export interface Lambda {
  /** Runs a function to its end. Never rejects for what the function does: see the outcome. */
  invoke(functionName: string, event: unknown): Promise<Outcome>;
  /** Replaces a function while it runs: what is under way ends in its old environment, what comes next begins in a new one. */
  deploy(functionName: string, release: Release): Promise<void>;
  /** @throws Error for a function that the template does not declare. */
  configure(functionName: string, change: FunctionChange): void;
  /** Invocations that are running now. */
  running(): number;
  readonly counters: Readonly<Record<string, Readonly<Counters>>>;
  stop(): Promise<void>;
}

export interface LambdaOptions {
  readonly functions: readonly LambdaFunction[];
  /** Variables of every function: where the services are. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: FunctionClock;
  readonly now: () => number;
  /** Folder of one log file for each function. */
  readonly logs: string;
  readonly meter: Meter;
}

/** Environments of one function at a time: more than the machine has cores would only wait for each other. */
const ENVIRONMENTS_MAX = Math.max(2, availableParallelism());

const NEWLINE = 10;

const linesIn = (chunk: Uint8Array): number => {
  let lines = 0;
  for (const byte of chunk) if (byte === NEWLINE) lines += 1;
  return lines;
};

interface Pool {
  fn: LambdaFunction;
  readonly terms: { reserved: number | null; timeoutMs: number };
  running: number;
  readonly counters: Counters;
  readonly idle: Worker[];
  readonly waiting: ((worker: Worker) => void)[];
  readonly all: Set<Worker>;
  /** Environments of a release before: each ends with the invocation that it runs. */
  readonly outdated: WeakSet<Worker>;
  readonly log: WriteStream;
}

/** Takes the metrics out of what a function prints, whole lines at a time. */
const createLineReader = (meter: Meter): ((chunk: Uint8Array) => void) => {
  const decoder = new TextDecoder();
  let rest = "";
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) for (const [metric, point] of readEmbedded(line)) meter.addAt(metric, point);
  };
};

const workerOf = (pool: Pool, options: LambdaOptions): Worker => {
  const { fn, log, counters } = pool;
  // Environments of a function share its log, so a line of one may be cut by another's: each reads its own.
  const readMetrics = createLineReader(options.meter);
  const workerData: LambdaWorkerData = {
    ...handlerOf(fn),
    clock: options.clock,
    functionName: fn.name,
    functionArn: fn.arn,
    memoryMb: fn.memoryMb,
  };
  const worker = new Worker(new URL("./lambda-worker.ts", import.meta.url), {
    workerData,
    env: {
      PATH: process.env["PATH"],
      TZ: "UTC",
      AWS_LAMBDA_FUNCTION_NAME: fn.name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMb),
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      ...options.environment,
      ...fn.environment,
    },
    execArgv: [],
    name: fn.name.slice(-15),
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: fn.memoryMb },
  });
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.on("data", (chunk: Uint8Array) => {
      counters.logLines += linesIn(chunk);
      log.write(chunk);
      if (stream === worker.stdout) readMetrics(chunk);
    });
  }
  pool.all.add(worker);
  return worker;
};

const acquire = (pool: Pool, options: LambdaOptions): Promise<Worker> => {
  const idle = pool.idle.pop();
  if (idle !== undefined) return Promise.resolve(idle);
  if (pool.all.size < ENVIRONMENTS_MAX) return Promise.resolve(workerOf(pool, options));
  return new Promise((resolve) => pool.waiting.push(resolve));
};

/** Ends a worker that can no longer be trusted, and gives whoever waits a new one. */
const discard = async (pool: Pool, worker: Worker, options: LambdaOptions): Promise<void> => {
  pool.all.delete(worker);
  await worker.terminate();
  const next = pool.waiting.shift();
  if (next !== undefined) next(workerOf(pool, options));
};

const release = async (pool: Pool, worker: Worker, options: LambdaOptions): Promise<void> => {
  if (pool.outdated.has(worker)) return discard(pool, worker, options);
  const next = pool.waiting.shift();
  if (next !== undefined) next(worker);
  else pool.idle.push(worker);
};

type Ending =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "timeout" }
  | { readonly kind: "crash"; readonly error: Error };

const endingOf = (worker: Worker, invocation: Invocation): Promise<Ending> =>
  new Promise((resolve) => {
    const end = (ending: Ending): void => {
      clearTimeout(timer);
      worker.removeAllListeners("message");
      worker.removeAllListeners("error");
      worker.removeAllListeners("exit");
      // What a terminated worker still throws belongs to no invocation.
      worker.on("error", () => undefined);
      resolve(ending);
    };
    const timer = setTimeout(() => end({ kind: "timeout" }), invocation.timeoutMs);
    worker.removeAllListeners("error");
    worker.on("message", (reply: Reply) => end({ kind: "reply", reply }));
    worker.on("error", (error) => end({ kind: "crash", error: error instanceof Error ? error : new Error(String(error)) }));
    worker.on("exit", (code) => end({ kind: "crash", error: new Error(`the environment exited with ${code}`) }));
    worker.postMessage(invocation);
  });

const invokeIn = async (pool: Pool, event: unknown, options: LambdaOptions): Promise<Outcome> => {
  const { fn, counters, log, terms } = pool;
  const report = (name: string): void => options.meter.add(ofFunction(fn.name, name), 1);
  if (terms.reserved !== null && pool.running > terms.reserved) {
    counters.throttles += 1;
    report("Throttles");
    return { ok: false, error: { name: "TooManyRequestsException", message: "Rate Exceeded." } };
  }
  const worker = await acquire(pool, options);
  counters.invocations += 1;
  report("Invocations");
  const ending = await endingOf(worker, {
    requestId: randomUUID(),
    event: JSON.stringify(event),
    instant: options.now(),
    timeoutMs: terms.timeoutMs,
  });
  if (ending.kind === "reply") {
    await release(pool, worker, options);
    if ("result" in ending.reply) return { ok: true, result: JSON.parse(ending.reply.result) };
    counters.errors += 1;
    report("Errors");
    return { ok: false, error: ending.reply.error };
  }
  counters.errors += 1;
  report("Errors");
  if (ending.kind === "timeout") counters.timeouts += 1;
  await discard(pool, worker, options);
  const message = ending.kind === "timeout" ? `Task timed out after ${terms.timeoutMs / 1_000} seconds` : ending.error.message;
  // An invocation that the stop cut short has no log any more.
  if (log.writable) log.write(`${message}\n`);
  return { ok: false, error: { name: ending.kind === "timeout" ? "Sandbox.Timedout" : "Runtime.ExitError", message } };
};

/**
 * Runs functions from their bundled assets, each environment a worker thread of its own with
 * the function's variables and memory limit; killed at its timeout, in machine time. What they
 * print goes to `<logs>/<function>.log`.
 */
export const createLambda = (options: LambdaOptions): Lambda => {
  mkdirSync(options.logs, { recursive: true });
  let running = 0;
  const pools = new Map(
    options.functions.map((fn): [string, Pool] => [
      fn.name,
      {
        fn,
        terms: { reserved: null, timeoutMs: fn.timeoutMs },
        running: 0,
        counters: { invocations: 0, errors: 0, timeouts: 0, throttles: 0, logLines: 0 },
        idle: [],
        waiting: [],
        all: new Set(),
        outdated: new WeakSet(),
        log: createWriteStream(join(options.logs, `${fn.name}.log`), { flags: "a" }),
      },
    ]),
  );
  const poolOf = (functionName: string): Pool => {
    const pool = pools.get(functionName);
    if (pool === undefined) throw new Error(`the template declares no function ${functionName}`);
    return pool;
  };
  return {
    deploy: async (functionName, { asset, environment }) => {
      const pool = poolOf(functionName);
      pool.fn = { ...pool.fn, asset: asset ?? pool.fn.asset, environment: { ...pool.fn.environment, ...environment } };
      for (const worker of pool.all) pool.outdated.add(worker);
      await Promise.all(pool.idle.splice(0).map((worker) => discard(pool, worker, options)));
    },
    invoke: async (functionName, event) => {
      const pool = poolOf(functionName);
      running += 1;
      pool.running += 1;
      try {
        return await invokeIn(pool, event, options);
      } finally {
        pool.running -= 1;
        running -= 1;
      }
    },
    configure: (functionName, change) => void Object.assign(poolOf(functionName).terms, change),
    running: () => running,
    counters: Object.fromEntries([...pools].map(([name, { counters }]) => [name, counters])),
    stop: async () => {
      for (const { all, log } of pools.values()) {
        await Promise.all([...all].map((worker) => worker.terminate()));
        await new Promise((resolve) => log.end(resolve));
      }
    },
  };
};
