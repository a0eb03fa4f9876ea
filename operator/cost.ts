import type { Stage } from "../lib/stage.ts";
import { readStage } from "../lib/stages.ts";
import { Refusal, runCommand, say } from "./command-line.ts";
import { ASSUMED, type Bill, billOf, type Traffic } from "./cost/bill.ts";
import { PRICE_LIST } from "./cost/prices.ts";
import { thingsOf } from "./cost/things.ts";

const OPTIONS = {
  accounts: { type: "string" },
  ticks: { type: "string" },
  stage: { type: "string", default: "production" },
  positions: { type: "string", default: "10" },
  instruments: { type: "string", default: "40" },
  facts: { type: "string", default: "2" },
  called: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
} as const;

type Given = { readonly [Name in keyof typeof OPTIONS]?: string | boolean };

const numberIn = (given: Given, name: keyof typeof OPTIONS, least: number, most: number): number => {
  const text = given[name];
  if (typeof text !== "string") throw new Refusal(`--${name} is missing: give a number from ${least} to ${most}`);
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new Refusal(`--${name} ${text} cannot be used: give a number from ${least} to ${most}`);
  }
  return value;
};

const wholeIn = (given: Given, name: keyof typeof OPTIONS, least: number, most: number): number => {
  const value = numberIn(given, name, least, most);
  if (!Number.isInteger(value)) throw new Refusal(`--${name} ${value} cannot be used: give a whole number`);
  return value;
};

const dollars = (amount: number): string => amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const counted = (units: number): string => units.toLocaleString("en-US", { maximumFractionDigits: units < 100 ? 2 : 0 });

const print = (stage: Stage, traffic: Traffic, { lines, services, total, rows, sweepsAMinute }: Bill): void => {
  say(`${counted(traffic.accounts)} accounts of ${traffic.positions} positions, ${traffic.instruments} instruments, stage ${stage.name}`);
  say(`prices of ${PRICE_LIST.region}, ${PRICE_LIST.asOf}, in US dollars a month, without free tiers: check them before you quote`);
  if (stage.region !== PRICE_LIST.region)
    say(`the stage is in ${stage.region}: expect up to a fifth more, and put that Region's prices in operator/cost/prices.ts`);
  say("");
  for (const { service, unit, units, usd, per, amount } of lines)
    say(
      `${service.padEnd(14)} ${counted(units).padStart(16)}  ${unit.padEnd(38)} ${`${usd} / ${counted(per)}`.padStart(18)} ${dollars(amount).padStart(12)}`,
    );
  say(`${"total".padEnd(92)} ${dollars(total).padStart(12)}`);
  say("");
  const [first, second] = services;
  if (first !== undefined && second !== undefined && total > 0)
    say(
      `dominates: ${first.service} ${dollars(first.amount)} (${Math.round((100 * first.amount) / total)} %), then ${second.service} ${dollars(second.amount)}`,
    );
  say(
    `rows: an account ${rows.account} bytes, a snapshot ${rows.snapshot}, an envelope ${rows.envelope}; ${counted(sweepsAMinute)} sweeps a minute`,
  );
  say("assumed:");
  say(
    `  ${traffic.facts} facts an account and day; ${traffic.calledPercent} % of accounts called a month, ${100 * ASSUMED.unmetShare} % of them unmet; one email and one webhook endpoint each`,
  );
  say(
    `  tables as after ${ASSUMED.monthsKept} months; ${counted(ASSUMED.accountsPerS)} accounts a second and processor; ${ASSUMED.logBytesPerRun} bytes of log a run`,
  );
  say(
    `  Lambda asks each idle queue ${ASSUMED.idlePollsAMinute} times a minute; ${ASSUMED.metrics} custom metrics; ${counted(ASSUMED.apiRequests)} requests to the API`,
  );
};

process.exitCode = await runCommand({
  usage: `npm run cost -- --accounts N --ticks M [--stage NAME|FILE.json] [--json]

  What a month costs, by service. Asks nothing of AWS.
  --accounts N      accounts of the book
  --ticks M         prices of every instrument, a minute
  --stage S         whose shards and interval of sweeps count; production by default
  --positions N     positions of an account (10)
  --instruments N   instruments of the venue (40)
  --facts N         facts of an account a day (2)
  --called P        percent of the accounts that are called in a month (1)
  --json            one JSON object`,
  options: OPTIONS,
  carryOut: async (given) => {
    const stage = readStage(given.stage);
    const traffic: Traffic = {
      accounts: wholeIn(given, "accounts", 1, 100_000_000),
      ticks: numberIn(given, "ticks", 0, 6_000),
      positions: wholeIn(given, "positions", 0, 500),
      instruments: wholeIn(given, "instruments", 1, 5_000),
      facts: numberIn(given, "facts", 0, 100_000),
      calledPercent: numberIn(given, "called", 0, 100),
    };
    const bill = billOf(stage, traffic, thingsOf(stage), PRICE_LIST);
    if (given.json)
      say(
        JSON.stringify({
          ...traffic,
          stage: stage.name,
          priceRegion: PRICE_LIST.region,
          pricesAsOf: PRICE_LIST.asOf,
          assumed: ASSUMED,
          ...bill,
        }),
      );
    else print(stage, traffic, bill);
    return 0;
  },
});
