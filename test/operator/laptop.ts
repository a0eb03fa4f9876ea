import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Cloud, startCloud } from "../../local/cloud.ts";
import { localStage } from "../../local/stage.ts";
import { synthesize } from "../../local/synthesize.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of operators as npm runs it, in a process of its own. Nothing of this shell's AWS settings reaches it. */
export const command = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const own = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("AWS_")));
    execFile(
      join(ROOT, "node_modules/.bin/node"),
      [`operator/${name}.ts`, ...args],
      { cwd: ROOT, env: { ...own, AWS_EC2_METADATA_DISABLED: "true", ...env } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });

/** The local cloud, and a laptop beside it that knows the stage by its file. */
export interface Laptop {
  readonly cloud: Cloud;
  readonly stageFile: string;
  /** What the laptop's shell is set to. Scheduler, Lambda and SNS are nowhere. */
  readonly env: Readonly<Record<string, string>>;
  run(name: string, ...args: readonly string[]): Promise<Ended>;
  stop(): Promise<void>;
}

const addressOf = async (client: Cloud["clients"]["db" | "sqs"]): Promise<string> => {
  const { protocol, hostname, port } = (await client.config.endpoint?.()) ?? {};
  return `${protocol}//${hostname}:${port}`;
};

/** A synthesis with bundles on a machine that does other things too. */
export const OPENS_WITHIN_MS = 300_000;

/** Starts the local stage's cloud. It takes some seconds: once for a test file. */
export const openLaptop = async (startAt: number): Promise<Laptop> => {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-laptop-"));
  const cloud = await startCloud({ assembly: await synthesize(join(directory, "cdk.out")), clock: "stepped", startAt, directory });
  const stageFile = join(directory, "stage.json");
  writeFileSync(stageFile, JSON.stringify({ preset: "sandbox", ...localStage() }));
  const env = {
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB: await addressOf(cloud.clients.db),
    AWS_ENDPOINT_URL_SQS: await addressOf(cloud.clients.sqs),
    AWS_ENDPOINT_URL_SNS: "http://127.0.0.1:9",
    AWS_ENDPOINT_URL_SCHEDULER: "http://127.0.0.1:9",
  };
  return {
    cloud,
    stageFile,
    env,
    run: (name, ...args) => command(name, ["--stage", stageFile, ...args], env),
    stop: async () => {
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
