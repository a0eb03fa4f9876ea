import { createWorld } from "../adapters/aws.ts";
import { createBook } from "../adapters/dynamodb/book.ts";
import { UnknownPolicy } from "../adapters/dynamodb/policies.ts";
import { callId as callIdText } from "../adapters/wire/scalars.ts";
import type { World } from "../adapters/world.ts";
import type { Policy } from "../core/policy.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { enterStage } from "./stage-world.ts";
import { accountOfCall, verifyAccount } from "./verify-account.ts";
import { isFault, isRecomputed, linesOf } from "./verify-lines.ts";

/** The account that is asked about. @throws Refusal where there is none. */
const accountOf = async (world: World, callId: string | undefined, accountId: string | undefined): Promise<string> => {
  if (callId !== undefined && !callIdText.safeParse(callId).success)
    throw new Refusal(`--call ${callId} is no call id: as in MC-ABCDEFGHIJKL-1`);
  if (accountId !== undefined) return accountId;
  if (callId === undefined) throw new Refusal("give --call ID, --account ID or both");
  const found = await accountOfCall(world, callId);
  if (found === null) throw new Refusal(`no account of this book has the call ${callId}: check the id and the stage`);
  return found;
};

/** The policy of `--under ID#vN`. @throws Refusal where it is no version, or not stored. */
const policyOf = async (world: World, given: string | undefined): Promise<Policy | undefined> => {
  if (given === undefined) return undefined;
  const [, policyId, version] = /^(.+)#v(\d{1,9})$/.exec(given) ?? [];
  if (policyId === undefined) throw new Refusal(`--under ${given} is no version of a policy: as in standard#v2`);
  try {
    return await createBook(world).policy(policyId, Number(version));
  } catch (error) {
    if (error instanceof UnknownPolicy) throw new Refusal(`--under: ${error.message}`);
    throw error;
  }
};

/** `npm run verify`: decides again what the journal says was decided, on its own record, and compares byte for byte (I27). */
process.exitCode = await runCommand({
  usage: `npm run verify -- --stage NAME|FILE.json --call ID [--account ID] [--under POLICY#vN]
npm run verify -- --stage NAME|FILE.json --account ID

  Checks the account's chain of hashes (I20, I21), decides each change of the call again on its own record, and
  names the first difference by its place. Reads only. Ends with 1 where something differs.
  Uses this shell's AWS credentials: dynamodb:GetItem and Query on book, marks and journal, and their key.

  --call ID         the decisions in which this call changed; its account is looked for in the whole book
  --account ID      all of an account's decisions; with --call its account, so that nothing is looked for
  --under ID#vN     decide under another version of a policy, to see what would have changed`,
  options: { stage: { type: "string" }, call: { type: "string" }, account: { type: "string" }, under: { type: "string" } },
  carryOut: async ({ stage: named, call: callId, account, under: other }) => {
    const stage = stageOf(named);
    await enterStage(stage, []);
    const world = createWorld(["bookTable", "marksTable", "journalTable", "shards", "rowSchema"]);
    const accountId = await accountOf(world, callId, account);
    const under = await policyOf(world, other);
    const verified = await verifyAccount(world, accountId, { callId, under });
    if (verified === null) throw new Refusal(`the book has no account ${accountId}: check the id and the stage`);
    const { chain, envelopes } = verified;
    if (callId !== undefined && envelopes.every(({ envelope }) => envelope === null))
      throw new Refusal(`the journal of ${accountId} has no call ${callId}: check the id`);
    for (const line of linesOf(verified)) say(line);
    const faults = envelopes.filter(isFault).length + (chain.valid ? 0 : 1);
    say(
      `${accountId}: ${envelopes.filter(isRecomputed).length} decisions recomputed, ${faults === 0 ? "all as stored" : `${faults} faults`}`,
    );
    return faults === 0 ? 0 : 1;
  },
});
