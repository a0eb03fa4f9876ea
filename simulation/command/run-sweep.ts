import { workOff } from "./crew.ts";
import { loadDeployment } from "./deployment.ts";
import { UsageError } from "./options.ts";
import { double, requestsOf, type Strike, type Swept, single, sweptStories } from "./sweep.ts";
import { progressBar, say } from "./terminal.ts";
import type { Task } from "./work.ts";

/** Strikes that a worker plays before it reports. */
const CHUNK = 100;
const SHOWN_MAX = 20;

const tasksOf = function* (strikes: readonly Strike[]): Generator<Task> {
  for (let from = 0; from < strikes.length; from += CHUNK) yield { kind: "strikes", strikes: strikes.slice(from, from + CHUNK) };
};

interface Row {
  readonly story: string;
  readonly title: string;
  readonly requests: number;
  readonly single: number;
  readonly double: number;
  broken: number;
}

const tellPlainly = (rows: readonly Row[], broken: Swept["broken"], runs: number): void => {
  for (const row of rows) {
    say(
      `${row.broken === 0 ? "holds " : "BROKEN"} ${row.story} ${row.title}: ${row.requests} requests, ${row.single} single faults, ${row.double} pairs`,
    );
  }
  for (const { story, title, faults, words } of broken.slice(0, SHOWN_MAX)) {
    say(`BROKEN ${story} ${title}, ${faults.map(([request, kind]) => `${kind} at request ${request}`).join(" and ")}: ${words}`);
  }
  say(`${rows.length} stories, ${runs} runs, ${broken.length} broken`);
};

interface SweepAsked {
  readonly assembly: string;
  readonly hands: number;
  /** Scenarios; all when there is none. */
  readonly only: readonly string[];
  readonly json: boolean;
}

/** Plays every swept story with each fault at each of its requests, and with two on the critical path. @returns 1 when one breaks. */
export const runSweep = async ({ assembly, hands, only, json }: SweepAsked): Promise<number> => {
  const stories = sweptStories();
  const unknown = only.find((id) => !stories.some((story) => story.id === id));
  if (unknown !== undefined)
    throw new UsageError(`no swept story tells ${unknown}: take some of ${[...new Set(stories.map(({ id }) => id))].join(", ")}`);
  const deployment = await loadDeployment(assembly);
  const strikes: Strike[] = [];
  const rows: Row[] = [];
  for (const story of stories.filter(({ id }) => only.length === 0 || only.includes(id))) {
    const methods = await requestsOf(deployment, story);
    const [alone, pairs] = [[...single(story, methods)], [...double(story, methods)]];
    strikes.push(...alone, ...pairs);
    rows.push({ story: story.id, title: story.title, requests: methods.length, single: alone.length, double: pairs.length, broken: 0 });
  }
  const bar = progressBar(strikes.length, "runs");
  const broken: Swept["broken"][number][] = [];
  let runs = 0;
  await workOff(assembly, hands, tasksOf(strikes), (answer) => {
    if (!("swept" in answer)) return;
    runs += answer.swept.runs;
    broken.push(...answer.swept.broken);
    bar.at(runs, broken.length === 0 ? "" : `${broken.length} broken`);
  });
  bar.end();
  for (const row of rows) row.broken = broken.filter(({ story, title }) => story === row.story && title === row.title).length;
  if (json) say(JSON.stringify({ stories: rows, runs, broken }));
  else tellPlainly(rows, broken, runs);
  return broken.length === 0 ? 0 : 1;
};
