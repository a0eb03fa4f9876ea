import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { freePort } from "./free-port.ts";
import { startMemoryEngine } from "./memory-engine.ts";

/** A DynamoDB-compatible engine that answers on a loopback port. */
export interface DynamoDbEngine {
  readonly endpoint: string;
  /**
   * Adds the engine's missing index on stream records: without it each write to a table with a
   * stream slows down with the records kept. Call it after the tables exist; harmless twice.
   * Does nothing for another engine.
   */
  readonly indexStreams: () => void;
  readonly stop: () => Promise<void>;
}

/** An engine that this machine cannot have. The message is one line with the way out. */
export class UnusableEngine extends Error {
  override name = "UnusableEngine";
}

const STARTS_MAX = 5;
const START_WAIT_MS = 10_000;

const platformOf = (): string => `${process.platform}-${process.arch}`;

/** @returns null where no binary of this platform is installed. */
const binaryPath = (): string | null => {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@dynoxide/${platformOf()}/package.json`);
    return join(dirname(manifest), process.platform === "win32" ? "dynoxide.exe" : "dynoxide");
  } catch {
    return null;
  }
};

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** @returns false when the engine exited, which is what a port taken by someone else looks like. */
const awaitStart = async (engine: ChildProcess, port: number): Promise<boolean> => {
  const giveUpAt = Date.now() + START_WAIT_MS;
  while (Date.now() < giveUpAt) {
    if (engine.exitCode !== null || engine.signalCode !== null) return false;
    if (await answers(port)) return engine.exitCode === null;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the DynamoDB engine did not answer on port ${port} within ${START_WAIT_MS / 1000} s`);
};

const stopChild = (engine: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (engine.exitCode !== null || engine.signalCode !== null) return resolve();
    engine.once("exit", () => resolve());
    engine.kill("SIGKILL");
  });

const indexStreamRecords = (file: string): void => {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    database.exec("CREATE INDEX IF NOT EXISTS stream_seq ON _stream_records(table_name, CAST(sequence_number AS INTEGER))");
  } finally {
    database.close();
  }
};

const startBinary = async (binary: string): Promise<DynamoDbEngine> => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-dynamodb-"));
  const file = join(folder, "tables.db");
  for (let start = 1; start <= STARTS_MAX; start += 1) {
    const port = await freePort();
    const engine = spawn(binary, ["serve", "--host", "127.0.0.1", "--port", `${port}`, "--db-path", file], { stdio: "ignore" });
    const failed = new Promise<never>((_, reject) => engine.once("error", reject));
    if (!(await Promise.race([awaitStart(engine, port), failed]))) continue;
    const killWithUs = (): void => {
      engine.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    };
    process.once("exit", killWithUs);
    return {
      endpoint: `http://127.0.0.1:${port}`,
      indexStreams: () => indexStreamRecords(file),
      stop: async () => {
        process.removeListener("exit", killWithUs);
        await stopChild(engine);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
  rmSync(folder, { recursive: true, force: true });
  throw new Error(`the DynamoDB engine exited ${STARTS_MAX} times at its start`);
};

const ignore = (): void => undefined;

const startInMemory = async (): Promise<DynamoDbEngine> => ({ ...(await startMemoryEngine()), indexStreams: ignore });

/**
 * Starts an engine on a free loopback port: the native one of this platform, with its tables in a file of a
 * temporary folder that goes with it; where there is none, tables in the memory of this process.
 * `DYNAMODB_ENGINE`, "native" or "memory", chooses one of the two. With `DYNAMODB_ENDPOINT` set, uses that
 * endpoint instead.
 *
 * @throws UnusableEngine for another value, and for "native" where the platform has no such engine.
 */
export const startEngine = async (env: Readonly<Record<string, string | undefined>> = process.env): Promise<DynamoDbEngine> => {
  const { DYNAMODB_ENDPOINT: endpoint = "", DYNAMODB_ENGINE: engine = "" } = env;
  if (!["", "native", "memory"].includes(engine))
    throw new UnusableEngine(`DYNAMODB_ENGINE=${engine}: set it to native or memory, or leave it out`);
  if (endpoint !== "") return { endpoint, indexStreams: ignore, stop: async () => undefined };
  if (engine === "memory") return startInMemory();
  const binary = binaryPath();
  if (binary !== null) return startBinary(binary);
  if (engine === "native")
    throw new UnusableEngine(`no native DynamoDB engine for ${platformOf()}: leave DYNAMODB_ENGINE out for the one in memory`);
  return startInMemory();
};
