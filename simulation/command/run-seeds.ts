import type { ProfileName } from "../profiles.ts";
import { JUDGED, NOT_APPLICABLE } from "./applicability.ts";
import { keep } from "./corpus.ts";
import { hire, workOff } from "./crew.ts";
import { type Broken, emptyTally, median, merge, reachedOf, type Tally } from "./tally.ts";
import { progressBar, say } from "./terminal.ts";
import type { Task } from "./work.ts";

/** Seeds that a worker plays before it reports. */
const CHUNK = 50;
/** Failing seeds that are made smaller and kept; more of them say nothing new. */
const SHRUNK_MAX = 3;
/** Failing seeds that are shown; --json has them all. */
const SHOWN_MAX = 10;

interface SeedsAsked {
  readonly assembly: string;
  readonly hands: number;
  readonly from: number;
  readonly seeds: number;
  readonly profile: ProfileName;
  readonly json: boolean;
  /** Whether failing seeds go into the corpus. */
  readonly keeps: boolean;
}

function* chunks({ from, seeds, profile }: SeedsAsked): Generator<Task> {
  for (let at = from; at < from + seeds; at += CHUNK) {
    yield { kind: "seeds", from: at, seeds: Math.min(CHUNK, from + seeds - at), profile, stopsAtFirst: false };
  }
}

/** The command that shows a failing seed. */
const commandOf = ({ failing }: Broken): string =>
  `npm run simulate -- --seed ${failing.seed}${failing.profile === "standard" ? "" : ` --profile ${failing.profile}`} --trace`;

const shrinkAndKeep = async (asked: SeedsAsked, broken: readonly Broken[]): Promise<string[]> => {
  if (!asked.keeps || broken.length === 0) return [];
  const hand = await hire(asked.assembly);
  const kept: string[] = [];
  for (const one of broken.slice(0, SHRUNK_MAX)) {
    const answer = await hand.do({ kind: "shrink", failing: one.failing, id: one.id });
    const small = "small" in answer ? answer.small : one.failing;
    const path = keep(small, one.id, one.words);
    kept.push(
      `seed ${one.failing.seed}: ${small.accounts?.length ?? "all"} accounts, ${small.faults?.length ?? "all"} faults are enough, kept in ${path}`,
    );
  }
  await hand.stop();
  return kept;
};

/** Facts by property. L12 is not a fact but a whole run: what every other property says where the sweep is all there is. */
const judgedOf = ({ judged, seeds }: Tally, profile: ProfileName): Record<string, number> =>
  Object.fromEntries(Object.keys(JUDGED).map((id) => [id, id === "L12" ? (profile === "sweeper" ? seeds : 0) : (judged[id] ?? 0)]));

const reportOf = (tally: Tally, wallS: number, profile: ProfileName) => ({
  seeds: tally.seeds,
  violations: tally.broken.map((one) => ({
    id: one.id,
    seed: one.failing.seed,
    profile: one.failing.profile,
    atMs: one.atMs,
    words: one.words,
    command: commandOf(one),
  })),
  seedsPerS: Math.round((10 * tally.seeds) / wallS) / 10,
  callsPerSeed: median(tally.calls),
  faultsPerSeed: median(tally.faults),
  /** Requests a second of one core. */
  callsPerS: Math.round((1_000 * tally.calls.reduce((sum, calls) => sum + calls, 0)) / Math.max(1, tally.busyMs)),
  reached: reachedOf(tally),
  judged: judgedOf(tally, profile),
  notApplicable: Object.entries(NOT_APPLICABLE).map(([id, reason]) => ({ id, reason })),
});

/** Plays seeds on all cores. @returns 1 when any of them broke a property. */
export const runSeeds = async (asked: SeedsAsked): Promise<number> => {
  const tally = emptyTally();
  const bar = progressBar(asked.seeds, "seeds");
  const startedAt = process.hrtime.bigint();
  await workOff(asked.assembly, Math.min(asked.hands, Math.ceil(asked.seeds / CHUNK)), chunks(asked), (answer) => {
    if ("tally" in answer) merge(tally, answer.tally);
    bar.at(tally.seeds, tally.broken.length === 0 ? "" : `${tally.broken.length} broken`);
  });
  bar.end();
  const wallS = Number(process.hrtime.bigint() - startedAt) / 1e9;
  tally.broken.sort((a, b) => a.failing.seed - b.failing.seed);
  const report = reportOf(tally, wallS, asked.profile);
  const kept = await shrinkAndKeep(asked, tally.broken);
  if (asked.json) say(JSON.stringify(report));
  else tellPlainly(report, kept);
  return tally.broken.length === 0 ? 0 : 1;
};

const tellPlainly = (report: ReturnType<typeof reportOf>, kept: readonly string[]): void => {
  say(
    `${report.seeds} seeds, ${report.violations.length} broken; ${report.seedsPerS} seeds a second, ${report.callsPerS} requests a second of a core`,
  );
  say(`a seed: ${report.callsPerSeed} requests, ${report.faultsPerSeed} faults (medians)`);
  const { transitions, faults, ...milestones } = report.reached;
  for (const [what, counts] of Object.entries({ "seeds that reached": milestones, transitions, faults, "facts judged": report.judged })) {
    say(
      `${what}: ${Object.entries(counts as object)
        .map(([name, times]) => `${name} ${times}`)
        .join(", ")}`,
    );
  }
  for (const { id, reason } of report.notApplicable) say(`not applicable: ${id}, ${reason}`);
  for (const { id, words, command } of report.violations.slice(0, SHOWN_MAX)) say(`BROKEN ${id}: ${words}\n  ${command}`);
  for (const line of kept) say(line);
};
