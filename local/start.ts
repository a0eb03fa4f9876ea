import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { kindOf } from "./book.ts";
import type { Cloud } from "./cloud.ts";
import { startCloud } from "./cloud.ts";
import { UnusableEngine } from "./engines/dynamodb.ts";
import { readStatements } from "./explained.ts";
import { UnusablePrices } from "./feed/layout.ts";
import { readFinalTables } from "./final-tables.ts";
import { PortTakenError } from "./gateway.ts";
import { judgeInvariants } from "./invariants.ts";
import { type Options, Refusal, readOptions, USAGE } from "./options.ts";
import { openPage, PAGE_PORT, type Page } from "./page/server.ts";
import { createReplay, type Replay, type Script } from "./replay.ts";
import { writeScript } from "./script.ts";
import { allHold, summaryLines, summaryOf } from "./summary.ts";
import { synthesize } from "./synthesize.ts";
import { markAgeMaxMs } from "./terms.ts";
import { createView, type View } from "./view.ts";

/** Each run has a folder of its own in here: two may run side by side. */
const FOLDER = fileURLToPath(new URL("../.plimsoll/", import.meta.url));

/** Exit codes: everything held, an invariant is broken, the request could not be carried out. */
const HELD = 0;
const BROKEN = 1;
const REFUSED = 2;
/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;

const minutes = (ms: number): string => (ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1_000} s`);

/** What the reader should know before it starts: what is played, by which rules, and what was refused. */
const announce = (view: View, script: Script, page: Page): void => {
  const spacings = [...new Set(script.market.listings.map(({ spacingMs }) => spacingMs))];
  view.say(`Plimsoll replay of ${script.path.source}`);
  view.say(`page: ${page.url}  (inbox, webhook receiver, calls)`);
  view.say(
    `${script.accounts.length} accounts, ${script.steps.length} ticks, seed ${script.seed}; marks are good for ${spacings.map((ms) => minutes(markAgeMaxMs(ms))).join(", ")}, grace ${minutes(script.clocks.graceMs)}`,
  );
  for (const { file, line, reason } of script.path.refused) view.say(`refused ${file}:${line}: ${reason}`);
};

interface Stage {
  readonly options: Options;
  readonly script: Script;
  readonly cloud: Cloud;
  readonly page: Page;
  readonly view: View;
  readonly beganAt: number;
}

const playOn = async (replay: Replay, { cloud, page, view }: Stage): Promise<void> => {
  const moment = () => ({
    now: cloud.now(),
    share: replay.share(),
    prices: replay.prices,
    tally: replay.tally,
    emails: page.emails.length,
    webhooks: page.receiver.deliveries.length,
    pageUrl: page.url,
  });
  await replay.load();
  view.say("the book is loaded");
  await replay.play(() => view.show(moment()));
  view.end();
};

/** Reads the final tables, judges them and prints what came out. @returns the exit code. */
const sumUp = async (replay: Replay, stage: Stage): Promise<number> => {
  const { cloud, page, script, options } = stage;
  const tables = await readFinalTables(cloud.clients.db, { book: cloud.tableName("book"), journal: cloud.tableName("journal") });
  const delivered = page.receiver.deliveries.filter(({ verified, repeated }) => verified && !repeated);
  const notices = [...replay.notices, ...delivered.map(({ callId }) => ({ channel: "webhook" as const, callId }))];
  const statements = await readStatements(cloud, new Set(tables.calls.map(({ accountId }) => accountId)));
  const verdicts = judgeInvariants({ tables, venue: replay.venue.record, notices, statements });
  const dead = Object.entries(await cloud.deadLetters()).filter(([, messages]) => messages > 0);
  const summary = summaryOf({
    tables,
    verdicts,
    notices: { email: page.emails.length, webhook: delivered.length },
    fills: replay.venue.record.fills,
    kinds: new Map(script.accounts.map((account) => [account.accountId, kindOf(account, script.market)])),
    durationMs: Math.round(performance.now() - stage.beganAt),
    seed: script.seed,
    ticks: script.steps.length,
    refused: script.path.refused,
    deadLetters: Object.fromEntries(dead),
    source: script.path.source,
  });
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else for (const line of summaryLines(summary, verdicts)) stage.view.say(line);
  return allHold(summary) ? HELD : BROKEN;
};

/** Resolves at Ctrl-C, whenever it comes: everything that was started is then stopped in order. */
const interruption = (): Promise<typeof INTERRUPTED> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(INTERRUPTED));
  });

/** What was started, so that it can be stopped. */
interface Running {
  /** The synthesized template and the functions' logs. */
  folder: string;
  cloud: Cloud | null;
  replay: Replay | null;
  playing: boolean;
}

const play = async (
  options: Options,
  script: Script,
  parts: { page: Page; view: View; running: Running; beganAt: number },
): Promise<number> => {
  const { page, view, running, beganAt } = parts;
  const directory = running.folder;
  announce(view, script, page);
  const assembly = await synthesize(join(directory, "cdk.out"));
  const cloud = await startCloud({ assembly, clock: options.realtime ? "real" : "stepped", startAt: startOf(script), directory });
  running.cloud = cloud;
  const replay = createReplay(cloud, script, page);
  running.replay = replay;
  const stage = { options, script, cloud, page, view, beganAt };
  await playOn(replay, stage);
  running.playing = false;
  return sumUp(replay, stage);
};

const startOf = (script: Script): number => script.steps[0]?.at ?? 0;

const start = async (options: Options, beganAt: number): Promise<number> => {
  const interrupted = interruption();
  const script = writeScript(options, Date.now());
  const view = createView(process.stdout, options.json);
  const running: Running = { folder: "", cloud: null, replay: null, playing: true };
  const page = await openPage({
    port: options.port ?? (options.json ? 0 : PAGE_PORT),
    progress: () => ({
      now: running.cloud?.now() ?? startOf(script),
      share: running.replay?.share() ?? 0,
      running: running.playing,
      source: script.path.source,
    }),
    timeline: (accountId, callId) =>
      running.cloud?.request("GET", `/accounts/${accountId}/calls/${callId}`, null, "operator") ??
      Promise.resolve({ status: 503, body: null }),
  });
  let code: number | null = null;
  try {
    mkdirSync(FOLDER, { recursive: true });
    running.folder = mkdtempSync(join(FOLDER, "run-"));
    code = await Promise.race([play(options, script, { page, view, running, beganAt }), interrupted]);
    if (options.once || code === INTERRUPTED) return code;
    view.say(`\nThe page stays at ${page.url} until Ctrl-C.`);
    await interrupted;
    return code;
  } finally {
    await page.stop();
    await running.cloud?.stop();
    // What went wrong is looked for in the functions' logs: only a sound run leaves nothing behind.
    if (code === HELD || code === INTERRUPTED) rmSync(running.folder, { recursive: true, force: true });
    if (code === BROKEN) console.error(`logs of the functions: ${join(running.folder, "logs")}`);
  }
};

/** What the one who started it can mend: a wrong option or file, a port in use, an engine that is not there. */
const isMendable = (error: unknown): error is Error =>
  error instanceof Refusal || error instanceof UnusablePrices || error instanceof PortTakenError || error instanceof UnusableEngine;

/** One line for what a user can mend, the whole trace for what only we can. */
const complain = (error: unknown): number => {
  console.error(isMendable(error) ? error.message : error);
  return REFUSED;
};

const main = async (): Promise<number> => {
  const beganAt = performance.now();
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === "help") {
      console.log(USAGE);
      return HELD;
    }
    return await start(options, beganAt);
  } catch (error) {
    return complain(error);
  }
};

process.exit(await main());
