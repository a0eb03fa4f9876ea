import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const VITEST = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const STOP_WAIT_MS = 5_000;

/** Waits until `answers`. @throws Error when the program has ended or the time is over. */
export const awaitAnswer = async (program: ChildProcess, answers: () => Promise<boolean>, waitMs: number): Promise<void> => {
  const giveUpAt = Date.now() + waitMs;
  while (!(await answers())) {
    if (program.exitCode !== null) throw new Error(`it ended with code ${program.exitCode}`);
    if (Date.now() > giveUpAt) throw new Error(`it did not answer within ${waitMs / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** Ends a program that leads a process group of its own, with everything that it started. */
export const stopGroup = async (leader: ChildProcess): Promise<void> => {
  if (leader.pid === undefined) return;
  const { pid } = leader;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // The group has ended.
    }
  };
  const gone = new Promise<void>((resolve) => (leader.exitCode === null ? leader.once("exit", () => resolve()) : resolve()));
  signal("SIGTERM");
  const timer = setTimeout(() => signal("SIGKILL"), STOP_WAIT_MS);
  await gone;
  clearTimeout(timer);
  signal("SIGKILL");
};

/** Runs vitest with these arguments and variables in front of the reader. @returns its exit code. */
export const runVitest = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> =>
  new Promise((resolve, reject) => {
    const vitest = spawn(process.execPath, [VITEST, "run", ...args], { stdio: "inherit", env: { ...process.env, ...env } });
    vitest.once("error", reject);
    vitest.once("exit", (code) => resolve(code ?? 1));
  });
