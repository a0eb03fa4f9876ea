import { existsSync, writeFileSync } from "node:fs";

import { UnusableEngine } from "../local/engines/dynamodb.ts";
import { UnusablePrices } from "../local/feed/layout.ts";
import { Refusal as LocalRefusal } from "../local/options.ts";
import type { Script } from "../local/replay.ts";
import { writeScript } from "../local/script.ts";
import { checkScript, readHistory, readTerms } from "./backfill/inputs.ts";
import { playObserved } from "./backfill/play.ts";
import { type Command, Refusal, runCommand, say } from "./command-line.ts";
import { actsOf, envelopesOf } from "./compare/history.ts";
import { writeOurs } from "./compare/ours.ts";

const OPTIONS = {
  prices: { type: "string", multiple: true },
  book: { type: "string" },
  facts: { type: "string" },
  terms: { type: "string" },
  out: { type: "string" },
} as const;

const scriptOf = (book: string, given: { prices?: string[]; facts?: string; terms?: string }): Script => {
  const own = given.terms === undefined ? undefined : readTerms(given.terms);
  const options = {
    prices: given.prices ?? [],
    book,
    accounts: 1,
    seed: 1,
    mixed: false,
    realtime: false,
    once: true,
    json: true,
    port: null,
  };
  try {
    const script = writeScript(options, Date.now(), own);
    return given.facts === undefined ? script : { ...script, history: readHistory(given.facts) };
  } catch (error) {
    if (error instanceof LocalRefusal || error instanceof UnusablePrices) throw new Refusal(error.message);
    throw error;
  }
};

/** `npm run backfill`: what we would have done over a history of prices and facts, written for `npm run compare`. */
const BACKFILL: Command<typeof OPTIONS> = {
  usage: `npm run backfill -- --book FILE --out FILE [--prices FILE]... [--facts FILE] [--terms FILE]

  --book FILE     accounts as they stood before the history, as npm start takes them
  --prices FILE   prices of the history, as npm start takes them; repeatable (default: 12-13 March 2020)
  --facts FILE    what happened to the accounts: one message of POST /feed-entries a line
  --terms FILE    own instruments and policies: {"instruments": [...], "policies": [...]}
  --out FILE      where our side is written, for npm run compare -- --ours FILE

  Plays the history in mode observe on a cloud of its own on this machine. Nothing is sent, no deployment is touched.
  Exit code 0: written. 2: a file or an option cannot be used.`,
  options: OPTIONS,
  carryOut: async (given) => {
    const { book, out } = given;
    if (book === undefined) throw new Refusal("--book is missing: name the file with the accounts");
    if (out === undefined) throw new Refusal("--out is missing: name the file to write");
    if (existsSync(out)) throw new Refusal(`--out ${out}: exists already; name another file`);
    const script = scriptOf(book, given);
    checkScript(script);
    for (const { file, line, reason } of script.path.refused) say(`refused ${file}:${line}: ${reason}`);
    say(`playing ${script.path.source}: ${script.accounts.length} accounts, ${script.steps.length} ticks, mode observe`);
    try {
      const ours = await playObserved(script);
      writeFileSync(out, writeOurs(ours), { flag: "wx" });
      const acts = ours.accounts.flatMap((our) => actsOf(our, envelopesOf(our), ours.instruments));
      const calls = acts.filter(({ kind }) => kind === "call").length;
      say(`${out}: ${ours.accounts.length} accounts, ${calls} calls, ${acts.length - calls} liquidations that would have been`);
      return 0;
    } catch (error) {
      if (error instanceof UnusableEngine) throw new Refusal(error.message);
      throw error;
    }
  },
};

if (import.meta.main) process.exit(await runCommand(BACKFILL));
