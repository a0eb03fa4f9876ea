import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { LIMITS } from "../core/limits.ts";
import { Refusal, runCommand, say } from "./command-line.ts";
import { type Beat, createHeartbeat, lookAt, seconds } from "./heartbeat-watch.ts";

const secondsOf = (option: string, given: string | undefined, otherwise: number): number => {
  const read = seconds.safeParse(given ?? otherwise);
  if (!read.success) throw new Refusal(`--${option}: give whole seconds, 1 to 86400`);
  return read.data;
};

const urlOf = (option: string, given: string | undefined): string => {
  if (given === undefined || !URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new Refusal(`--${option}: give an http or https address, for example https://abc.execute-api.eu-west-1.amazonaws.com`);
  }
  return given;
};

/** Runs the operator's own program. What it does and how it ends is its own affair: the watch goes on. */
const runHook = (hook: string, beat: Beat): void => {
  const child = spawn(hook, { shell: true, stdio: "inherit", env: { ...process.env, HEARTBEAT: beat } });
  child.on("error", () => say(`the hook could not be started: ${hook}`));
};

/** Tells a dead man's switch that this watch itself lives and sees a beat. */
const tick = async (ping: string): Promise<void> => {
  await fetch(ping, { signal: AbortSignal.timeout(10_000) }).catch(() => say("the ping did not get through"));
};

/** `npm run heartbeat`: somebody outside the cloud who notices that nobody watches (S32). */
process.exitCode = await runCommand({
  usage: `npm run heartbeat -- --url URL [--interval S] [--after S] [--hook COMMAND] [--ping URL]

  Asks URL/health each interval (20 s) whether a sweep has reached every account. Needs no AWS credentials.
  After ${LIMITS.unwatchedAfterMs / 1_000} s (--after) without one: runs COMMAND with HEARTBEAT=silent in its environment, and again with
  HEARTBEAT=back when it is over; without --hook it exits with 1.
  --ping is requested after each look that saw a beat: give it the address of a dead man's switch, which then
  also notices that this command itself has stopped.`,
  options: {
    url: { type: "string" },
    interval: { type: "string" },
    after: { type: "string" },
    hook: { type: "string" },
    ping: { type: "string" },
  },
  carryOut: async (given) => {
    const url = urlOf("url", given.url);
    const ping = given.ping === undefined ? null : urlOf("ping", given.ping);
    const intervalMs = secondsOf("interval", given.interval, 20) * 1_000;
    const afterS = secondsOf("after", given.after, LIMITS.unwatchedAfterMs / 1_000);
    const judge = createHeartbeat(afterS * 1_000, Date.now());
    for (let last: Beat | null = null; ; await sleep(intervalMs)) {
      const look = await lookAt(url);
      const beat = judge(look, Date.now());
      if (beat !== last) {
        const swept = look.sweptAt === null ? look.fault : `last sweep ${new Date(look.sweptAt).toISOString()}`;
        say(`${new Date().toISOString()} ${beat}: ${swept}`);
        if (beat === "silent" && given.hook === undefined) return 1;
        if (given.hook !== undefined && (beat === "silent" || beat === "back")) runHook(given.hook, beat);
      }
      if (ping !== null && (beat === "beats" || beat === "back")) await tick(ping);
      last = beat;
    }
  },
});
