import { parentPort, workerData } from "node:worker_threads";

import { STARTS_AT } from "../actors/plan.ts";
import type { ProfileName } from "../profiles.ts";
import { type Case, playCase, shrink, wholeCase } from "./case.ts";
import { loadDeployment } from "./deployment.ts";
import type { Strike, Swept } from "./sweep.ts";
import { count, emptyTally, type Tally } from "./tally.ts";

/** A piece of work for one worker. */
export type Task =
  | { readonly kind: "seeds"; readonly from: number; readonly seeds: number; readonly profile: ProfileName; readonly stopsAtFirst: boolean }
  | { readonly kind: "cases"; readonly cases: readonly Case[] }
  | { readonly kind: "strikes"; readonly strikes: readonly Strike[] }
  | { readonly kind: "shrink"; readonly failing: Case; readonly id: string };

export type Answer = { readonly tally: Tally } | { readonly swept: Swept } | { readonly small: Case } | { readonly error: string };

const MICROSECONDS = 1_000n;

const tallied = async (cases: Iterable<Case>, stopsAtFirst: boolean): Promise<Tally> => {
  const tally = emptyTally();
  const startedAt = process.hrtime.bigint();
  for (const one of cases) {
    count(tally, one, await playCase(deployment, one), STARTS_AT);
    if (stopsAtFirst && tally.broken.length > 0) break;
  }
  tally.busyMs = Number((process.hrtime.bigint() - startedAt) / MICROSECONDS) / 1_000;
  return tally;
};

function* seedsOf({ from, seeds, profile }: Task & { readonly kind: "seeds" }): Generator<Case> {
  for (let seed = from; seed < from + seeds; seed += 1) yield wholeCase(seed, profile);
}

const answerTo = async (task: Task): Promise<Answer> => {
  switch (task.kind) {
    case "seeds":
      return { tally: await tallied(seedsOf(task), task.stopsAtFirst) };
    case "cases":
      return { tally: await tallied(task.cases, false) };
    case "strikes":
      return { swept: await (await import("./sweep.ts")).strike(deployment, task.strikes) };
    case "shrink":
      return { small: await shrink(deployment, task.failing, task.id) };
  }
};

// Errors of the simulated services are values, made by the thousand: nobody reads where they were made.
Error.stackTraceLimit = 0;
const deployment = await loadDeployment((workerData as { readonly assembly: string }).assembly);

parentPort?.on("message", (task: Task) => {
  void answerTo(task)
    .catch((error: unknown): Answer => ({ error: error instanceof Error ? `${error.name}: ${error.message}` : "unknown" }))
    .then((answer) => parentPort?.postMessage(answer));
});
parentPort?.postMessage("ready");
