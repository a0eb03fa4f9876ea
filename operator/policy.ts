import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { applyTerms, planTerms, readTermsFile } from "./policy-change.ts";
import { enterStage } from "./stage-world.ts";

const USAGE = `npm run policy -- plan  --stage NAME|FILE.json --file TERMS.json
npm run policy -- apply --stage NAME|FILE.json --file TERMS.json
                        [--accept-newly-called N] [--accept-newly-closed-out N]

  plan   reads the book and the newest marks, and shows whom the terms would newly warn, call or close out.
  apply  stores them as the next version; held where more accounts than the stage's share would breach at once (R17),
         unless at least as many are named.

  TERMS.json is the body of PUT /policies/{policyId} with its policyId, or of PUT /instruments/{instrumentId} with its
  instrumentId. Uses this shell's AWS credentials: dynamodb:GetItem and Query on book and marks, and for apply PutItem
  on both, under the data key.`;

const countOf = (option: string, given: string | undefined): number => {
  if (given === undefined) return 0;
  if (!/^\d{1,9}$/.test(given)) throw new Refusal(`--${option} takes a count of accounts: the figure that the plan showed`);
  return Number(given);
};

const [verb, ...rest] = process.argv.slice(2);

/** `npm run policy`: a change of terms with positions and calls open, shown before it is made (S19). */
process.exitCode = await runCommand(
  {
    usage: USAGE,
    options: {
      stage: { type: "string" },
      file: { type: "string" },
      "accept-newly-called": { type: "string" },
      "accept-newly-closed-out": { type: "string" },
    },
    carryOut: async (given) => {
      if (verb !== "plan" && verb !== "apply") throw new Refusal("Say plan or apply first");
      const stage = stageOf(given.stage);
      if (given.file === undefined) throw new Refusal("--file is missing: name the JSON file of the terms");
      const accepted = {
        called: countOf("accept-newly-called", given["accept-newly-called"]),
        closedOut: countOf("accept-newly-closed-out", given["accept-newly-closed-out"]),
      };
      const file = readTermsFile(given.file);
      await enterStage(stage, []);
      const { createWorld } = await import("../adapters/aws.ts");
      const world = createWorld(["bookTable", "marksTable", "shards", "modes", "defaultPolicy", "breachShareMaxPpm"]);
      return verb === "plan" ? planTerms(world, file, say) : applyTerms(world, file, accepted, say);
    },
  },
  verb?.startsWith("-") === true ? [verb, ...rest] : rest,
);
