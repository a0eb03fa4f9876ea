import { parseArgs } from "node:util";

/** What `npm start` was asked for. */
export interface Options {
  readonly prices: readonly string[];
  readonly book: string | null;
  readonly accounts: number;
  readonly seed: number;
  /** True for a venue with options, portfolio margin and isolated pools beside its perpetuals. */
  readonly mixed: boolean;
  readonly realtime: boolean;
  readonly once: boolean;
  readonly json: boolean;
  /** Port of the page; null for the default, or any free one with `--json`. */
  readonly port: number | null;
}

/** A request that cannot be carried out. The message is one line with the way out; the exit code is 2. */
export class Refusal extends Error {
  override name = "Refusal";
}

export const USAGE = `npm start -- [options]

  --prices FILE   play the prices of this CSV file instead of the shipped path (repeatable)
  --book FILE     load the accounts of this JSON file instead of generating them
  --accounts N    accounts to generate (default 1000)
  --seed N        seed of the book, the holders and the venue (default 1)
  --mixed         list options too, and add accounts that sell them, hedge under portfolio margin or hold isolated pools
  --realtime      play on the real clock instead of jumping from event to event
  --once          end when the replay ends; without it the page stays up until Ctrl-C
  --json          print one JSON object at the end and nothing else (implies --once)
  --port N        port of the page (default 4173; 0 for any free one)
  --help          show this`;

const whole = (name: string, text: string | undefined, fallback: number, range: readonly [number, number]): number => {
  if (text === undefined) return fallback;
  const value = Number(text);
  const [from, to] = range;
  if (!/^\d+$/.test(text) || value < from || value > to) {
    throw new Refusal(`--${name} ${text}: give a whole number from ${from} to ${to}`);
  }
  return value;
};

const OPTIONS = {
  prices: { type: "string", multiple: true },
  book: { type: "string" },
  accounts: { type: "string" },
  seed: { type: "string" },
  mixed: { type: "boolean" },
  realtime: { type: "boolean" },
  once: { type: "boolean" },
  json: { type: "boolean" },
  port: { type: "string" },
  help: { type: "boolean" },
} as const;

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(/\.\s/)[0] ?? "") : String(error);
    throw new Refusal(`${reason.replace(/\s+/g, " ")}; see npm start -- --help`);
  }
};

/**
 * Reads the command line.
 *
 * @returns "help" when help was asked for.
 * @throws Refusal for an unknown option or a value out of range, in one line.
 */
export const readOptions = (args: readonly string[]): Options | "help" => {
  const values = parsed(args);
  if (values.help === true) return "help";
  if (values.book !== undefined && values.accounts !== undefined)
    throw new Refusal("--book and --accounts exclude each other: leave one out");
  const json = values.json === true;
  return {
    prices: values.prices ?? [],
    book: values.book ?? null,
    accounts: whole("accounts", values.accounts, 1_000, [1, 1_000_000]),
    seed: whole("seed", values.seed, 1, [0, 4_294_967_295]),
    mixed: values.mixed === true,
    realtime: values.realtime === true,
    once: json || values.once === true,
    json,
    port: values.port === undefined ? null : whole("port", values.port, 0, [0, 65_535]),
  };
};
