import { writeFileSync } from "node:fs";

import { type Command, Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { readRiskBook } from "./risk/book.ts";
import { readLimits } from "./risk/exposures.ts";
import { riskLines } from "./risk/lines.ts";
import { type RiskInputs, riskOf } from "./risk/report.ts";
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
  out: { type: "string" },
} as const;

const write = (path: string, text: string): void => {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Refusal(`--out ${path}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unwritable"})`);
  }
};

/** `npm run risk`: the risk of a stage's whole book on its newest marks (M15, M16). Read only. */
export const RISK: Command<typeof OPTIONS> = {
  usage: `npm run risk -- --stage NAME|FILE.json [options]

  --prices FILE      daily prices of an asset, CSV, for volatilities and correlations; may be repeated
  --quote ASSET      quote asset of the files' symbols (default USDT)
  --scenarios FILE   stresses for a book whose policies hold none, as npm run scenarios writes them
  --limits FILE      limits by broker as JSON: {"brokers": {"B1": {"notional": "1000000", "shortfall": "0", "stress": "50000"}}}
  --out FILE         the whole report as JSON

  Reads the tables book and marks with this shell's AWS credentials, and writes nothing to them.
  Exit code 0: within limits. 1: a broker is beyond one, or an account cannot be valued. 2: it cannot be carried out.`,
  options: OPTIONS,
  carryOut: async ({ stage, prices, quote, scenarios, limits, out }) => {
    const entered = stageOf(stage);
    const inputs: RiskInputs = {
      files: (prices ?? []).map((path) => readPrices("prices", path)),
      quoteAsset: quote,
      scenarios: scenarios === undefined ? null : readScenarios(scenarios),
      limits: limits === undefined ? {} : readLimits(limits),
    };
    await enterStage(entered, []);
    const { createWorld } = await import("../adapters/aws.ts");
    const { openDesk } = await import("../adapters/decide-account.ts");
    const desk = openDesk(createWorld(["bookTable", "marksTable", "shards", "modes", "defaultPolicy"]));
    const report = riskOf(await readRiskBook(desk), inputs);
    if (out !== undefined) write(out, `${strictJson(report)}\n`);
    for (const line of riskLines(report)) say(line);
    const isBeyond = report.sections.some(({ exposures }) => exposures.some(({ exceeded }) => exceeded.length > 0));
    return isBeyond || report.leftOut.length > 0 ? 1 : 0;
  },
};

if (import.meta.main) process.exitCode = await runCommand(RISK);
