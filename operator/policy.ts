import { setTimeout as pause } from "node:timers/promises";

import type { World } from "../adapters/world.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { applyTerms, planTerms, readTermsFile } from "./policy-change.ts";
import { enactDue, listPending, sayShadows, withdrawPending } from "./policy-pending.ts";
import { enterStage } from "./stage-world.ts";

const USAGE = `npm run policy -- plan     --stage NAME|FILE.json --file TERMS.json
npm run policy -- apply    --stage NAME|FILE.json --file TERMS.json
                           [--accept-newly-called N] [--accept-newly-closed-out N]
npm run policy -- pending  --stage NAME|FILE.json
npm run policy -- shadow   --stage NAME|FILE.json [--watch]
npm run policy -- enact    --stage NAME|FILE.json
npm run policy -- withdraw --stage NAME|FILE.json --change ID

  plan      reads the book and the newest marks, and shows whom the terms would newly warn, call or close out.
  apply     stores them as the next version, or puts them in shadow until their effectiveAt. Held where more accounts than
            the stage's share would breach at once (R17); with at least as many named they wait for two approvals (S19).
  pending   lists the changes that wait for their instant or for people.
  shadow    shows whom each of them would newly affect on the newest marks; with --watch each minute, what changed.
  enact     judges those whose instant has come, as sweep-overdue does each minute: for a book that is too large for it.
  withdraw  takes one back.

  TERMS.json is the body of PUT /policies/{policyId} with its policyId, or of PUT /instruments/{instrumentId} with its
  instrumentId. Approvals go through the API, which knows who sends them: POST /changes/{changeId}/approval.
  Uses this shell's AWS credentials: dynamodb:GetItem and Query on book and marks, and for all that stores PutItem on
  both, under the data key.`;

/** How often --watch looks. */
const WATCH_EVERY_MS = 60_000;

const countOf = (option: string, given: string | undefined): number => {
  if (given === undefined) return 0;
  if (!/^\d{1,9}$/.test(given)) throw new Refusal(`--${option} takes a count of accounts: the figure that the plan showed`);
  return Number(given);
};

interface Asked {
  readonly file?: string | undefined;
  readonly change?: string | undefined;
  readonly watch: boolean;
  readonly "accept-newly-called"?: string | undefined;
  readonly "accept-newly-closed-out"?: string | undefined;
}

type Act = (world: World) => Promise<number>;

const watching = async (world: World): Promise<number> => {
  const said = new Map<string, string>();
  for (;;) {
    await sayShadows(world, said, say);
    await pause(WATCH_EVERY_MS);
  }
};

/** What the command line asks for. @throws Refusal before anything is read of the stage. */
const actOf = (asked: string | undefined, given: Asked): Act => {
  if (asked === "pending") return (world) => listPending(world, say);
  if (asked === "shadow") return given.watch ? watching : (world) => sayShadows(world, new Map(), say);
  if (asked === "enact") return (world) => enactDue(world, say);
  if (asked === "withdraw") {
    const { change } = given;
    if (change === undefined) throw new Refusal("--change is missing: name the id that npm run policy -- pending shows");
    return (world) => withdrawPending(world, change, say);
  }
  if (asked !== "plan" && asked !== "apply") throw new Refusal("Say plan, apply, pending, shadow, enact or withdraw first");
  if (given.file === undefined) throw new Refusal("--file is missing: name the JSON file of the terms");
  const accepted = {
    called: countOf("accept-newly-called", given["accept-newly-called"]),
    closedOut: countOf("accept-newly-closed-out", given["accept-newly-closed-out"]),
  };
  const file = readTermsFile(given.file);
  return asked === "plan" ? (world) => planTerms(world, file, say) : (world) => applyTerms(world, file, accepted, say);
};

const [verb, ...rest] = process.argv.slice(2);

/** `npm run policy`: a change of terms with positions and calls open, shown before it is made (S19). */
process.exitCode = await runCommand(
  {
    usage: USAGE,
    options: {
      stage: { type: "string" },
      file: { type: "string" },
      change: { type: "string" },
      watch: { type: "boolean", default: false },
      "accept-newly-called": { type: "string" },
      "accept-newly-closed-out": { type: "string" },
    },
    carryOut: async (given) => {
      const act = actOf(verb, given);
      await enterStage(stageOf(given.stage), []);
      const { createWorld } = await import("../adapters/aws.ts");
      return act(createWorld(["bookTable", "marksTable", "shards", "modes", "defaultPolicy", "breachShareMaxPpm"]));
    },
  },
  verb?.startsWith("-") === true ? [verb, ...rest] : rest,
);
