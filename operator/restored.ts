import { createWorld } from "../adapters/aws.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { declareRestored, NOT_BLOCKED, unreconciled } from "./restored-book.ts";
import { enterStage } from "./stage-world.ts";

/** Accounts that are named at most by `--left`. */
const SHOWN_MAX = 20;

/** The instant of `--backup`, written one way: given again, it must name the same restore. @throws Refusal */
const backupOf = (given: string | undefined, now: number): string => {
  const instant = Date.parse(given ?? "");
  if (given === undefined || Number.isNaN(instant) || !/^\d{4}-\d\d-\d\dT.*Z$/.test(given))
    throw new Refusal("--backup is missing or no instant: name the one that the tables were put back to, as 2026-03-12T10:00:00Z");
  if (instant > now) throw new Refusal(`--backup ${given} lies ahead of this machine's clock`);
  return new Date(instant).toISOString();
};

/**
 * `npm run restored`: says that the tables of a stage were put back from a backup (S54). Given before functions run
 * again; see docs/operating/change.md.
 */
process.exitCode = await runCommand({
  usage: `npm run restored -- --stage NAME|FILE.json --backup INSTANT
npm run restored -- --stage NAME|FILE.json --left

  Blocks every account of a book that was put back from a backup: none is liquidated until a snapshot of the
  venue, made after this command, has told of it. Calls keep every deadline that may have been promised.
  No function may run meanwhile. Stopped half-way it goes on where it was when it is given again.
  Uses this shell's AWS credentials: dynamodb:Query, GetItem and PutItem on book and journal, and their key.

  --backup INSTANT   the instant that book and journal were put back to, in UTC
  --left             count the accounts that the venue has not told of yet, and name the first ${SHOWN_MAX}`,
  options: { stage: { type: "string" }, backup: { type: "string" }, left: { type: "boolean", default: false } },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const backup = given.left === true ? null : backupOf(given.backup, Date.now());
    await enterStage(stage, []);
    const world = createWorld(["bookTable", "journalTable", "shards", "rowSchema", "modes", "defaultPolicy"]);
    if (backup === null) {
      const { waiting, reconciled, shown } = await unreconciled(world, SHOWN_MAX);
      say(`${reconciled} accounts are reconciled, ${waiting} wait for a snapshot${waiting > 0 ? `: ${shown.join(" ")}` : ""}`);
      return waiting > 0 ? 1 : 0;
    }
    say(`blocking the accounts of ${stage.name} in ${stage.region}, put back to ${backup}`);
    const tally = await declareRestored(world, backup, ({ shard }) => {
      if (shard % 16 === 0) say(`  ${shard} of ${stage.shards} shards`);
    });
    say(JSON.stringify(tally));
    const open = NOT_BLOCKED.reduce((sum, outcome) => sum + (tally[outcome] ?? 0), 0);
    if (open > 0) say(`${open} accounts are not blocked: let no function run, mend what the lines above name, and give this command again`);
    return open > 0 ? 1 : 0;
  },
});
