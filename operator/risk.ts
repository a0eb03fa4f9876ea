import { writeFileSync } from "node:fs";

import { RELEASE } from "../adapters/release.ts";
import type { World } from "../adapters/world.ts";
import { type Command, Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { readRiskBook } from "./risk/book.ts";
import { readLimits } from "./risk/exposures.ts";
import { readFunding } from "./risk/funding.ts";
import { riskLines } from "./risk/lines.ts";
import { type RiskInputs, type RiskReport, riskOf } from "./risk/report.ts";
import { readScenarios } from "./scenarios/read.ts";
import { enterStage } from "./stage-world.ts";
import { strictJson } from "./validate/figure.ts";
import { readPrices } from "./validate/lineage.ts";

const OPTIONS = {
  stage: { type: "string" },
  prices: { type: "string", multiple: true },
  quote: { type: "string", default: "USDT" },
  scenarios: { type: "string" },
  limits: { type: "string" },
  macro: { type: "string", multiple: true },
  "balance-sheet": { type: "string" },
  lgd: { type: "string", default: "1000000" },
  publish: { type: "boolean", default: false },
  out: { type: "string" },
} as const;

const write = (path: string, text: string): void => {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Refusal(`--out ${path}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unwritable"})`);
  }
};

const shareOf = (text: string): number => {
  const share = Number(text);
  if (/^\d+$/.test(text) && share <= 1_000_000) return share;
  throw new Refusal(`--lgd ${text}: give the share that is lost in a default as whole ppm, from 0 to 1000000`);
};

/** Stores the report for `GET /risk`. @throws Refusal where one on newer marks is there, or it is too large. */
const publish = async (world: World, report: RiskReport): Promise<void> => {
  const { createRiskReports, RiskReportTooLarge } = await import("../adapters/dynamodb/risk-report.ts");
  const marksAt = Date.parse(report.marksAt);
  try {
    const outcome = await createRiskReports(world).publish({ report, marksAt, publishedAt: world.clock.now(), release: RELEASE });
    if (outcome === "superseded") throw new Refusal("--publish: a report on newer marks is published already; run it again");
  } catch (error) {
    if (error instanceof RiskReportTooLarge) throw new Refusal(`--publish: the report is too large for one row: ${error.message}`);
    throw error;
  }
};

/** `npm run risk`: the risk of a stage's whole book on its newest marks (M15, M16). Reads only, but for `--publish`. */
export const RISK: Command<typeof OPTIONS> = {
  usage: `npm run risk -- --stage NAME|FILE.json [options]

  --prices FILE      daily prices of an asset, CSV, for volatilities and correlations; may be repeated
  --quote ASSET      quote asset of the files' symbols (default USDT)
  --scenarios FILE   stresses for a book whose policies hold none, as npm run scenarios writes them
  --limits FILE      limits by broker as JSON: {"brokers": {"B1": {"notional": "1000000", "shortfall": "0", "stress": "50000", "potential": "20000"}}}
  --macro FILE       daily values of a series that the assets are correlated with, CSV; may be repeated
  --balance-sheet FILE  available and required stable funding as JSON, for the net stable funding ratio
  --lgd PPM          share of an exposure that is lost in a default (default 1000000, all of it)
  --publish          stores the report, for GET /risk
  --out FILE         the whole report as JSON

  Reads the tables book and marks with this shell's AWS credentials. Writes nothing to them but the report's row with
  --publish (dynamodb:PutItem on marks).
  Exit code 0: within limits. 1: a broker is beyond one, or an account cannot be valued. 2: it cannot be carried out.`,
  options: OPTIONS,
  carryOut: async ({ stage, prices, quote, scenarios, limits, macro, lgd, out, ...given }) => {
    const entered = stageOf(stage);
    const inputs: RiskInputs = {
      files: (prices ?? []).map((path) => readPrices("prices", path)),
      quoteAsset: quote,
      scenarios: scenarios === undefined ? null : readScenarios(scenarios),
      limits: limits === undefined ? {} : readLimits(limits),
      macro: (macro ?? []).map((path) => readPrices("macro", path)),
      lossGivenDefaultPpm: shareOf(lgd),
      funding: given["balance-sheet"] === undefined ? null : readFunding(given["balance-sheet"]),
    };
    await enterStage(entered, []);
    const { createWorld } = await import("../adapters/aws.ts");
    const { openDesk } = await import("../adapters/decide-account.ts");
    const desk = openDesk(createWorld(["bookTable", "marksTable", "shards", "modes", "defaultPolicy"]));
    const report = riskOf(await readRiskBook(desk), inputs);
    if (given.publish === true) await publish(desk.world, report);
    if (out !== undefined) write(out, `${strictJson(report)}\n`);
    for (const line of riskLines(report)) say(line);
    const isBeyond = report.sections.some(({ exposures }) => exposures.some(({ exceeded }) => exceeded.length > 0));
    return isBeyond || report.leftOut.length > 0 ? 1 : 0;
  },
};

if (import.meta.main) process.exitCode = await runCommand(RISK);
