import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Cloud } from "./cloud.ts";
import { startCloud } from "./cloud.ts";
import { UnusablePrices } from "./feed/layout.ts";
import { readFinalTables } from "./final-tables.ts";
import { judgeInvariants } from "./invariants.ts";
import { type Options, Refusal, readOptions, USAGE } from "./options.ts";
import { openPage, PAGE_PORT, type Page } from "./page/server.ts";
import { createReplay, type Replay, type Script } from "./replay.ts";
import { writeScript } from "./script.ts";
import { allHold, summaryLines, summaryOf } from "./summary.ts";
import { synthesize } from "./synthesize.ts";
import { markAgeMaxMs } from "./terms.ts";
import { createView, type View } from "./view.ts";

const FOLDER = fileURLToPath(new URL("../.plimsoll/", import.meta.url));

/** Exit codes: everything held, an invariant is broken, the request could not be carried out. */
const HELD = 0;
const BROKEN = 1;
const REFUSED = 2;

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
  const verdicts = judgeInvariants({ tables, venue: replay.venue.record, notices });
  const dead = Object.entries(await cloud.deadLetters()).filter(([, messages]) => messages > 0);
  const summary = summaryOf({
    tables,
    verdicts,
    notices: { email: page.emails.length, webhook: delivered.length },
    fills: replay.venue.record.fills,
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

/** Waits for Ctrl-C. */
const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });

const start = async (options: Options, beganAt: number): Promise<number> => {
  const script = writeScript(options, Date.now());
  const startAt = script.steps[0]?.at as number;
  const view = createView(process.stdout, options.json);
  let [cloud, replay]: [Cloud | null, Replay | null] = [null, null];
  let running = true;
  const page = await openPage({
    port: options.port ?? (options.json ? 0 : PAGE_PORT),
    progress: () => ({ now: cloud?.now() ?? startAt, share: replay?.share() ?? 0, running, source: script.path.source }),
    timeline: (accountId, callId) =>
      cloud?.request("GET", `/accounts/${accountId}/calls/${callId}`, null, "operator") ?? Promise.resolve({ status: 503, body: null }),
  });
  try {
    announce(view, script, page);
    const assembly = synthesize(`${FOLDER}cdk.out`);
    cloud = await startCloud({ assembly, clock: options.realtime ? "real" : "stepped", startAt, directory: FOLDER });
    replay = createReplay(cloud, script, page);
    const stage = { options, script, cloud, page, view, beganAt };
    await playOn(replay, stage);
    running = false;
    const code = await sumUp(replay, stage);
    if (options.once) return code;
    view.say(`\nThe page stays at ${page.url} until Ctrl-C.`);
    await untilInterrupted();
    return code;
  } finally {
    await page.stop();
    await cloud?.stop();
  }
};

/** One line for what a user can mend, the whole trace for what only we can. */
const complain = (error: unknown): number => {
  const mendable =
    error instanceof Refusal ||
    error instanceof UnusablePrices ||
    (error instanceof Error && /^(EngineMissing|PortTaken)/.test(error.name));
  if (!mendable) console.error(error);
  else console.error((error as Error).message);
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
    mkdirSync(FOLDER, { recursive: true });
    return await start(options, beganAt);
  } catch (error) {
    return complain(error);
  }
};

process.exitCode = await main();
