import { STARTS_AT } from "../actors/plan.ts";
import type { ProfileName } from "../profiles.ts";
import { playCase, wholeCase } from "./case.ts";
import { loadDeployment } from "./deployment.ts";
import { say } from "./terminal.ts";

/** What every name of the simulated stage begins with. */
const STAGE = "plimsoll-local-";

/** Writes one seed's steps: the instant in seconds since the start, the function's place, what it asked for, what went wrong. */
export const traceSeed = async ({ assembly, seed, profile }: { assembly: string; seed: number; profile: ProfileName }): Promise<number> => {
  const deployment = await loadDeployment(assembly);
  const { violation, calls, struck, reached } = await playCase(deployment, wholeCase(seed, profile), (line) => {
    const space = line.indexOf(" ");
    say(`${(Number(line.slice(0, space)) / 1_000).toFixed(3).padStart(9)} ${line.slice(space + 1).replaceAll(STAGE, "")}`);
  });
  say(`seed ${seed}: ${calls} requests, ${struck.length} faults; ${[...reached].map(([name, times]) => `${name} ${times}`).join(", ")}`);
  if (violation === null) {
    say("every property held");
    return 0;
  }
  say(`${violation.id} broken after ${(violation.at - STARTS_AT) / 1_000} s: ${violation.message}`);
  return 1;
};
