import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "../../local/engines/free-port.ts";
import { awaitAnswer, runVitest, stopGroup } from "./processes.ts";

const FOLDER = fileURLToPath(new URL("../../.plimsoll/dynamodb-local", import.meta.url));
const FILES = fileURLToPath(new URL("./dynamodb-local.sha256", import.meta.url));
const MAVEN_CENTRAL = process.env["MAVEN_CENTRAL"] ?? "https://repo1.maven.org/maven2";
const MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
const START_WAIT_MS = 60_000;
const WIDTH = 8;
const JAVA_LEAST = 17;

/** Version of the host's Java; null where there is none. */
const javaVersion = (): number | null => {
  const { status, stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const [, version] = /version "(\d+)/.exec(stderr ?? "") ?? [];
  return status === 0 && version !== undefined ? Number(version) : null;
};

const isRight = (content: Buffer, hash: string): boolean => createHash("sha256").update(content).digest("hex") === hash;

/** Fetches what is not there yet. @throws Error for a file that cannot be had or is not the one that is named. */
const fetchFiles = async (): Promise<void> => {
  mkdirSync(FOLDER, { recursive: true });
  const wanted = readFileSync(FILES, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/ +/) as [string, string]);
  const fetchOne = async ([hash, path]: [string, string]): Promise<void> => {
    const file = join(FOLDER, basename(path));
    if (existsSync(file) && isRight(readFileSync(file), hash)) return;
    const reply = await fetch(`${MAVEN_CENTRAL}/${path}`);
    if (!reply.ok) throw new Error(`${path}: Maven Central answered ${reply.status}`);
    const content = Buffer.from(await reply.arrayBuffer());
    if (!isRight(content, hash)) throw new Error(`${path}: its SHA-256 is not the one of dynamodb-local.sha256`);
    writeFileSync(file, content);
  };
  const lane = async (): Promise<void> => {
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) await fetchOne(next);
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
};

/** Plays the contract tests of the stores against AWS's own emulator. @returns the exit code. */
const main = async (): Promise<number> => {
  const java = javaVersion();
  if (java === null || java < JAVA_LEAST) {
    process.stdout.write(`skipped: no Java ${JAVA_LEAST} or later\n`);
    return 0;
  }
  await fetchFiles();
  const port = await freePort();
  const args = [`-Djava.library.path=${FOLDER}`, "-cp", join(FOLDER, "*"), MAIN, "-inMemory", "-disableTelemetry", "-port", `${port}`];
  const engine = spawn("java", args, { stdio: "ignore", detached: true });
  // As a shell has it for Ctrl-C. The engine is a group of its own and would stay.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stopGroup(engine).then(() => process.exit(130)));
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    // It answers a request that is none with an error: it is there.
    await awaitAnswer(
      engine,
      () =>
        fetch(endpoint).then(
          () => true,
          () => false,
        ),
      START_WAIT_MS,
    );
    const env = { DYNAMODB_ENDPOINT: endpoint };
    return await runVitest(["--project", "engine", "test/adapters/dynamodb", ...process.argv.slice(2)], env);
  } finally {
    await stopGroup(engine);
  }
};

process.exitCode = await main();
