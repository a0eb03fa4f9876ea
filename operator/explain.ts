import { readFileSync } from "node:fs";
import * as z from "zod";

import { createWorld } from "../adapters/aws.ts";
import { openDesk } from "../adapters/decide-account.ts";
import { answerWhatIf, viewAccount } from "../adapters/explain-account.ts";
import { whatIfBody, whatIfReply } from "../adapters/wire/api.ts";
import { placesOf } from "../adapters/wire/parse.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { linesOfWhatIf } from "./explain-lines.ts";
import { enterStage } from "./stage-world.ts";

/** The question of a file, in the form of the API's body. @throws Refusal for a file that cannot be read, or asks nothing that is known. */
const questionIn = (file: string): z.output<typeof whatIfBody> => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Refusal(`--what-if ${file}: ${error instanceof SyntaxError ? "not JSON" : "no file that can be read"}`);
  }
  const read = whatIfBody.safeParse(content);
  if (!read.success) throw new Refusal(`--what-if ${file}: ${placesOf(read.error)}. docs/reference/what-if.md has the form`);
  return read.data;
};

/** `npm run explain`: an account's margin statement, what binds it, and what a payment, a trade or a move would make of it. Writes nothing. */
process.exitCode = await runCommand({
  usage: `npm run explain -- --stage NAME|FILE.json --account ID [--what-if FILE.json] [--json]

  Every part of the account's requirement on the newest marks, what binds it, prices and versions, and the cheapest
  cures; with a question, the same as it would be. Reads only.
  Uses this shell's AWS credentials: dynamodb:GetItem and Query on book and marks, and their key.

  --what-if FILE   a question in JSON: deposits, trades, priceShocks, volatilityShockPpm
  --json           one JSON object, as POST /accounts/{accountId}/what-if answers`,
  options: {
    stage: { type: "string" },
    account: { type: "string" },
    "what-if": { type: "string" },
    json: { type: "boolean", default: false },
  },
  carryOut: async ({ stage: named, account: accountId, "what-if": file, json }) => {
    const stage = stageOf(named);
    if (accountId === undefined) throw new Refusal("--account is missing: name the account that is to be explained");
    const question = file === undefined ? null : questionIn(file);
    await enterStage(stage, []);
    const desk = openDesk(createWorld(["bookTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"]));
    const account = await desk.book.load(accountId);
    if (account === null) throw new Refusal(`the book has no account ${accountId}: check the id and the stage`);
    const answer = answerWhatIf(await viewAccount(desk, account), question ?? whatIfBody.parse({}));
    if (!answer.ok) throw new Refusal(`--what-if ${file}: ${answer.where}: ${answer.what} (${answer.fault})`);
    const reply = z.encode(whatIfReply, answer.reply);
    if (json === true) say(JSON.stringify(reply));
    else for (const line of linesOfWhatIf(reply, question !== null)) say(line);
    return 0;
  },
});
