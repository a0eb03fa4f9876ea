import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { askAccount } from "./quotas-ask.ts";
import { askOf, type Judged, judge, type Need, needsOf } from "./quotas-needs.ts";

const wholeIn = (name: string, text: string): number => {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new Refusal(`--${name} ${text} cannot be used: give a whole number`);
  return value;
};

/** `NAME=VALUE` as an operator read it in the console or from the AWS command line. */
const knownOf = (given: readonly string[], needs: readonly Need[]): ReadonlyMap<string, number> => {
  const names = needs.map(({ name }) => name);
  return new Map(
    given.map((one): [string, number] => {
      const [name = "", value = ""] = one.split("=");
      if (!names.includes(name)) throw new Refusal(`--known ${one}: the name must be one of ${names.join(", ")}`);
      if (!/^\d{1,12}(\.\d{1,3})?$/.test(value)) throw new Refusal(`--known ${one}: the value must be a number, as in ${name}=1000`);
      return [name, Number(value)];
    }),
  );
};

const print = ({ name, unit, need, has, verdict, protects, raise, ...rest }: Judged): void => {
  const value = has === null ? "?" : has === Number.POSITIVE_INFINITY ? "no limit" : `${has}`;
  say(`${verdict.padEnd(8)} ${name.padEnd(22)} has ${value.padStart(9)}, needs ${`${need}`.padStart(9)} ${unit}`);
  if (verdict === "enough") return;
  say(`           protects ${protects}`);
  const ask = verdict === "unknown" ? askOf({ name, unit, need, protects, raise, ...rest }) : null;
  if (ask !== null) say(`           ask: ${ask}, then give --known ${name}=VALUE`);
  if (verdict === "too low") say(`           raise: ${raise}`);
};

process.exitCode = await runCommand({
  usage: `npm run quotas -- --stage NAME|FILE.json [--accounts N] [--known NAME=VALUE ...] [--json]

  What the stage needs of its AWS account at its size, what the account has, and how to raise what is too low.
  --accounts N      accounts of the book (10000)
  --positions N     positions of an account (10)
  --instruments N   instruments of the venue (40)
  --ticks M         prices of every instrument, a minute (12)
  --breach P        percent of the accounts that are called within one minute of a crash (10)
  --known N=V       a value that this command cannot ask for; it says how you can; repeatable
  --json            one JSON object
  Exit code 1 while something is too low or unknown.
  Uses this shell's AWS credentials: ses:GetAccount, dynamodb:DescribeLimits, dynamodb:DescribeTable.`,
  options: {
    stage: { type: "string" },
    accounts: { type: "string", default: "10000" },
    positions: { type: "string", default: "10" },
    instruments: { type: "string", default: "40" },
    ticks: { type: "string", default: "12" },
    breach: { type: "string", default: "10" },
    known: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const number = (name: "accounts" | "positions" | "instruments" | "ticks" | "breach") => wholeIn(name, given[name] ?? "");
    const size = {
      accounts: number("accounts"),
      positions: number("positions"),
      instruments: number("instruments"),
      ticks: number("ticks"),
    };
    const needs = needsOf(stage, { ...size, breachPercent: number("breach") });
    const known = knownOf(given.known ?? [], needs);
    const { has, unasked } = await askAccount(stage, needs);
    const judged = judge(needs, new Map([...has, ...known]));
    if (given.json === true) say(JSON.stringify({ stage: stage.name, region: stage.region, unasked, quotas: judged }));
    else {
      for (const one of judged) print(one);
      for (const reason of unasked) say(reason);
    }
    return judged.every(({ verdict }) => verdict === "enough") ? 0 : 1;
  },
});
