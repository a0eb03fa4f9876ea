import { ChangeHeld, ChangePending, NoticeTooShort } from "../adapters/change-terms.ts";
import { type Given, Refusal, runCommand, say, stageOf } from "./command-line.ts";
import type { SourceFile } from "./import/entries.ts";
import { type ImportFiles, importFiles } from "./import/import.ts";
import { TIER_FORMATS, type TierFormat, type TierSource } from "./import/instruments.ts";
import { reportOf } from "./import/report.ts";
import { bytesOf } from "./import/text.ts";
import { enterStage } from "./stage-world.ts";

const FILE = { type: "string" } as const;
const OPTIONS = {
  stage: { type: "string" },
  check: { type: "boolean", default: false },
  apply: { type: "boolean", default: false },
  accounts: FILE,
  positions: FILE,
  instruments: FILE,
  tiers: FILE,
  format: { type: "string", default: "plimsoll" },
  symbol: { type: "string", multiple: true, default: [] as string[] },
  policies: FILE,
  haircuts: FILE,
  contacts: FILE,
  broker: { type: "string", multiple: true, default: [] as string[] },
} as const;

const formatOf = (asked: string): TierFormat => {
  const format = TIER_FORMATS.find((one) => one === asked);
  if (format !== undefined) return format;
  if (asked === "okx") {
    throw new Refusal(
      "--format okx: position-tiers cannot be converted. They count contracts, whose notional moves with the price, and " +
        "one rate holds for the whole position, so that the requirement jumps where M3 wants it continuous. Write the brackets as tiers.csv",
    );
  }
  throw new Refusal(`--format ${asked}: known are ${TIER_FORMATS.join(", ")}`);
};

const symbolsOf = (given: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    given.map((text) => {
      const [symbol, instrumentId, ...more] = text.split("=");
      if (!symbol || !instrumentId || more.length > 0) throw new Refusal(`--symbol ${text}: write it as BTCUSDT=BTC-PERP`);
      return [symbol, instrumentId];
    }),
  );

type Asked = Given<typeof OPTIONS>;

const filesOf = (given: Asked): ImportFiles => {
  const source = (option: string, file: string | undefined): SourceFile | undefined =>
    file === undefined ? undefined : { file, bytes: bytesOf(option, file) };
  if ((given.accounts === undefined) !== (given.positions === undefined)) {
    throw new Refusal(
      "--accounts and --positions go together: a snapshot is the whole account, and one without its positions would close them",
    );
  }
  const tiers = source("--tiers", given.tiers);
  const files = {
    policies: source("--policies", given.policies),
    haircuts: source("--haircuts", given.haircuts),
    instruments: source("--instruments", given.instruments),
    tiers: tiers && ({ ...tiers, format: formatOf(given.format), symbols: symbolsOf(given.symbol) } satisfies TierSource),
    contacts: source("--contacts", given.contacts),
    accounts: source("--accounts", given.accounts),
    positions: source("--positions", given.positions),
    brokers: given.broker,
  };
  const isAny = [files.policies, files.haircuts, files.instruments, files.tiers, files.contacts, files.accounts].some(Boolean);
  if (!isAny) throw new Refusal("no file was given");
  return files;
};

/** The world that an import needs: tables to read and terms to write, and the feed queue where it is applied. */
const worldOf = async (given: Asked) => {
  const stage = stageOf(given.stage);
  await enterStage(stage, given.apply ? ["feed"] : []);
  const { createWorld } = await import("../adapters/aws.ts");
  say(`${given.apply ? "importing into" : "dry run against"} ${stage.name} in ${stage.region}; modes ${JSON.stringify(stage.modes)}`);
  const reads = ["bookTable", "marksTable", "outboundTable", "shards", "modes", "defaultPolicy"] as const;
  return createWorld(given.apply ? [...reads, "feedQueueUrl", "breachShareMaxPpm"] : reads);
};

/**
 * `npm run import`: the risk desk's first day. Reads accounts, positions, instruments, tiers, haircuts, policies and
 * contacts, lists every finding by line, and applies nothing unless it is asked to and there is none.
 */
process.exitCode = await runCommand({
  usage: `npm run import -- --stage NAME|FILE.json [files] [--apply]
npm run import -- --check [files]

  --accounts FILE --positions FILE    what each account holds, with the venue's sequence of it
  --instruments FILE  --tiers FILE    terms of instruments, and their brackets
  --policies FILE     --haircuts FILE margin policies, and their collateral terms
  --contacts FILE                     whom notices go to
  --format ${TIER_FORMATS.join("|")}     form of the tier file
  --symbol BTCUSDT=BTC-PERP           instrument of a venue's symbol; repeatable
  --broker ID                         a new broker that is right; repeatable
  --apply                             do it, if there is no finding; without it nothing is written
  --check                             check the files alone, without a stage

  Files are .csv or .json: docs/reference/import.md. Exit code 1 with findings.
  Uses this shell's AWS credentials: reads of the tables book, marks and outbound; with --apply writes of terms and
  contacts, sqs:GetQueueUrl, and the managed policy feed-writer.`,
  options: OPTIONS,
  carryOut: async (given) => {
    if (given.check && (given.apply || given.stage !== undefined))
      throw new Refusal("--check looks at files alone: give no --stage and no --apply");
    const files = filesOf(given);
    const world = given.check ? null : await worldOf(given);
    const imported = await importFiles(files, world, given.apply).catch((error: unknown) => {
      if (!(error instanceof ChangeHeld || error instanceof NoticeTooShort || error instanceof ChangePending)) throw error;
      throw new Refusal(
        `held: ${error.message}. Terms before it are stored, accounts are not sent: make this change with npm run policy, then import again`,
      );
    });
    for (const line of reportOf(imported, { apply: given.apply, stage: world !== null })) say(line);
    return imported.findings.some(({ weight }) => weight === "fault") ? 1 : 0;
  },
});
