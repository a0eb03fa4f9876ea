import { type Command, Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { compare, SAME_EVENT_MS, type Scope } from "./compare/compare.ts";
import { readStageBook } from "./compare/our-stage.ts";
import { type OurBook, readOurs } from "./compare/ours.ts";
import { reportJson, reportLines } from "./compare/report.ts";
import { readTheirs } from "./compare/theirs.ts";
import { contentOf } from "./files.ts";
import { enterStage } from "./stage-world.ts";

const TOLERANCE_S = 60;

const instantOf = (option: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise;
  const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) throw new Refusal(`--${option} ${text}: give an instant in UTC, as 2026-01-05T09:00:00Z`);
  return instant;
};

const toleranceOf = (text: string | undefined): number => {
  if (text === undefined) return TOLERANCE_S * 1_000;
  if (!/^\d{1,5}$/.test(text)) throw new Refusal(`--tolerance-s ${text}: give whole seconds`);
  return Number(text) * 1_000;
};

const ourBook = async (ours: string | undefined, stage: string | undefined, { from, to }: Scope): Promise<OurBook> => {
  if ((ours === undefined) === (stage === undefined)) throw new Refusal("give our side once: --ours FILE or --stage NAME|FILE.json");
  if (ours !== undefined) return readOurs(ours, contentOf("ours", ours));
  await enterStage(stageOf(stage), []);
  const { createWorld } = await import("../adapters/aws.ts");
  return readStageBook(createWorld(["bookTable", "marksTable", "journalTable", "shards", "defaultPolicy"]), {
    from: from - SAME_EVENT_MS,
    to: to + SAME_EVENT_MS,
  });
};

const OPTIONS = {
  theirs: { type: "string" },
  ours: { type: "string" },
  stage: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  "tolerance-s": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** `npm run compare`: our calls and liquidations against those of the system beside us, with the cause of each difference. */
export const COMPARE: Command<typeof OPTIONS> = {
  usage: `npm run compare -- --theirs FILE (--ours FILE | --stage NAME|FILE.json) [options]

  --theirs FILE       the other system's calls, liquidations and statements: .csv or .json
  --ours FILE         an export of our journal, as npm run backfill writes it
  --stage NAME        our journal in the tables of a stage, read only
  --from, --to        instants in UTC: acts outside are left out
  --tolerance-s N     acts that are no further apart happened at the same time (default ${TOLERANCE_S})
  --json              one JSON object

  Exit code 0: both sides did the same. 1: they differ. 2: a file or an option cannot be used.`,
  options: OPTIONS,
  carryOut: async (given) => {
    if (given.theirs === undefined) throw new Refusal("--theirs is missing: name the other system's file");
    const scope: Scope = {
      from: instantOf("from", given.from, Number.NEGATIVE_INFINITY),
      to: instantOf("to", given.to, Number.POSITIVE_INFINITY),
      toleranceMs: toleranceOf(given["tolerance-s"]),
    };
    const theirs = readTheirs(given.theirs, contentOf("theirs", given.theirs));
    const comparison = compare(await ourBook(given.ours, given.stage, scope), theirs, scope);
    if (given.json) say(reportJson(comparison, scope));
    else for (const line of reportLines(comparison)) say(line);
    return comparison.differences.length === 0 ? 0 : 1;
  },
};

if (import.meta.main) process.exitCode = await runCommand(COMPARE);
