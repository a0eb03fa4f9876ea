import { createWorld } from "../adapters/aws.ts";
import { runCommand, say, stageOf } from "./command-line.ts";
import { LEFT_BEHIND, migrateBook } from "./migrate-book.ts";
import { enterStage } from "./stage-world.ts";

/**
 * `npm run migrate`: brings every account's row to the version that the stage writes, `rowSchema`, so that the other
 * one may be forgotten: forward after an upgrade, back before a rollback (docs/operating/change.md).
 */
process.exitCode = await runCommand({
  usage: `npm run migrate -- --stage NAME|FILE.json [--dry-run]

  Rewrites the rows of accounts in the version that the stage's rowSchema names. Deploy that first.
  Safe beside running functions; stopped half-way it goes on where it was when it is given again.
  Uses this shell's AWS credentials: dynamodb:Query, GetItem and PutItem on the book, and its key.

  --dry-run   count what would be rewritten, and write nothing`,
  options: { stage: { type: "string" }, "dry-run": { type: "boolean", default: false } },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const dryRun = given["dry-run"] === true;
    await enterStage(stage, []);
    const world = createWorld(["bookTable", "shards"]);
    say(`${dryRun ? "counting" : "rewriting"} the accounts of ${stage.name} in ${stage.region}: to version ${stage.rowSchema}`);
    const onPage = (place: { readonly shard: number }): void => {
      if (place.shard % 16 === 0) say(`  ${place.shard} of ${stage.shards} shards`);
    };
    const tally = await migrateBook(world, stage.rowSchema, { dryRun, onPage });
    say(JSON.stringify(tally));
    if (!dryRun) {
      // A walk that was stopped may lie behind rows that functions wrote in the other version meanwhile.
      const { rewritten = 0 } = await migrateBook(world, stage.rowSchema, { dryRun: true });
      if (rewritten > 0) {
        say(
          `${rewritten} accounts were written in the other version meanwhile: deploy rowSchema ${stage.rowSchema}, then give this command again`,
        );
        return 1;
      }
    }
    const left = LEFT_BEHIND.reduce((sum, outcome) => sum + (tally[outcome] ?? 0), 0);
    if (left > 0) say(`${left} accounts are not in version ${stage.rowSchema}: see docs/operating/change.md`);
    return left > 0 ? 1 : 0;
  },
});
