import { readCorpus } from "./corpus.ts";
import { workOff } from "./crew.ts";
import { emptyTally, merge } from "./tally.ts";
import { say } from "./terminal.ts";
import type { Task } from "./work.ts";

/** Plays every seed that ever failed. @returns 1 when one fails again. */
export const replayCorpus = async ({ assembly, hands, json }: { assembly: string; hands: number; json: boolean }): Promise<number> => {
  const entries = readCorpus();
  const tasks = entries.map(
    ({ seed, profile, faults, accounts }): Task => ({ kind: "cases", cases: [{ seed, profile, faults, accounts }] }),
  );
  const tally = emptyTally();
  await workOff(assembly, Math.min(hands, Math.max(1, tasks.length)), tasks, (answer) => {
    if ("tally" in answer) merge(tally, answer.tally);
  });
  const broken = tally.broken.map(({ id, words, failing }) => ({ id, seed: failing.seed, profile: failing.profile, words }));
  if (json) say(JSON.stringify({ entries: entries.length, violations: broken }));
  else {
    say(`${entries.length} seeds of the corpus, ${broken.length} broken`);
    for (const { id, seed, profile, words } of broken) say(`BROKEN ${id}: seed ${seed}, profile ${profile}: ${words}`);
  }
  return broken.length === 0 ? 0 : 1;
};
