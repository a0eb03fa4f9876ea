import { writeFileSync } from "node:fs";

import { type Command, Refusal, runCommand, say } from "./command-line.ts";
import { type ScenarioTerms, scenariosOf } from "./scenarios/joint.ts";
import { strictJson } from "./validate/figure.ts";
import { type Lineage, readPrices } from "./validate/lineage.ts";

const OPTIONS = {
  prices: { type: "string", multiple: true },
  proxy: { type: "string", multiple: true },
  horizon: { type: "string", default: "1" },
  lambda: { type: "string", default: "0.97" },
  quote: { type: "string", default: "USDT" },
  id: { type: "string", default: "joint" },
  version: { type: "string", default: "1" },
  out: { type: "string" },
} as const;

const countOf = (option: string, text: string, most: number): number => {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw new Refusal(`--${option} ${text}: give a whole number from 1 to ${most}`);
  return count;
};

/** 0.97 as 970,000, digit by digit: no float decides a parameter. */
const ppmOf = (option: string, text: string): number => {
  const digits = /^0\.(\d{1,6})$/.exec(text)?.[1] ?? "";
  const ppm = Number(digits.padEnd(6, "0"));
  if (digits === "" || ppm === 0) throw new Refusal(`--${option} ${text}: give a share between 0 and 1 with at most six decimals, as 0.97`);
  return ppm;
};

const matching = (option: string, text: string, form: RegExp, words: string): string => {
  if (!form.test(text)) throw new Refusal(`--${option} ${text}: ${words}`);
  return text;
};

const proxiesOf = (given: readonly string[]): ReadonlyMap<string, string> => {
  const pairs = given.map((text): [string, string] => {
    const [, young, proxy] = /^([A-Z0-9]{1,20})=([A-Z0-9]{1,20})$/.exec(text) ?? [];
    if (young === undefined || proxy === undefined || young === proxy) throw new Refusal(`--proxy ${text}: give YOUNG=OLD, as SUI=SOL`);
    return [young, proxy];
  });
  const proxies = new Map(pairs);
  if (proxies.size < pairs.length) throw new Refusal("--proxy: one unit is given two proxies: give one");
  return proxies;
};

const lineOf = ({ file, sha256, symbol, firstDay, lastDay, rows }: Lineage): string =>
  `${symbol} from ${file}: ${rows} days, ${firstDay} to ${lastDay}, sha256 ${sha256}`;

/** `npm run scenarios`: joint scenarios of price files, for the portfolio model of a policy (M7). */
export const SCENARIOS: Command<typeof OPTIONS> = {
  usage: `npm run scenarios -- --prices FILE [--prices FILE ...] --out FILE [options]

  --prices FILE      daily prices of one asset, CSV; one for each risk unit
  --out FILE         the JSON that a policy holds as model.statistical
  --horizon N        days that one row spans: the margin period of risk (default 1)
  --lambda L         decay of the filter's variance (default 0.97)
  --proxy YOUNG=OLD  a unit with a short file takes the history of another, with a residual; may be repeated
  --quote ASSET      quote asset of the files' symbols: the rest is the risk unit (default USDT)
  --id NAME, --version N   name and version of the scenarios (default joint, 1)

  Asks nothing of AWS. Exit code 0: written. 2: a file or an option cannot be used.`,
  options: OPTIONS,
  carryOut: async ({ prices, proxy, out, ...given }) => {
    if (prices === undefined) throw new Refusal("--prices is missing: name a price file for each risk unit");
    if (out === undefined) throw new Refusal("--out is missing: name the file that the scenarios are written to");
    const asked: ScenarioTerms = {
      scenariosId: matching("id", given.id, /^[A-Za-z0-9._-]{1,64}$/, "give up to 64 letters, digits, dots, dashes"),
      version: countOf("version", given.version, 999_999),
      quoteAsset: matching("quote", given.quote, /^[A-Z0-9]{1,20}$/, "give an asset, as USDT"),
      horizonDays: countOf("horizon", given.horizon, 30),
      decay: ppmOf("lambda", given.lambda),
      proxies: proxiesOf(proxy ?? []),
    };
    const files = prices.map((path) => readPrices("prices", path));
    const { terms, firstDay, lastDay, notes } = scenariosOf(files, asked);
    try {
      writeFileSync(out, `${strictJson(terms)}\n`);
    } catch (error) {
      throw new Refusal(`--out ${out}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unwritable"})`);
    }
    for (const { lineage } of files) say(lineOf(lineage));
    for (const note of notes) say(note);
    say(
      `${out}: ${terms.history.length} rows of ${terms.horizonDays} days, ${firstDay} to ${lastDay}, and ${terms.stress.length} stresses of ${terms.units.join(", ")}`,
    );
    return 0;
  },
};

if (import.meta.main) process.exitCode = await runCommand(SCENARIOS);
