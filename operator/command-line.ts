import { type ParseArgsConfig, parseArgs } from "node:util";

import { type Stage, StageError } from "../lib/stage.ts";
import { readStage } from "../lib/stages.ts";

/** A request that cannot be carried out: its words say what is wrong, where, and how to mend it. Exit code 2. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What was given for the options of a command. */
export type Given<Asked extends Options> = ReturnType<
  typeof parseArgs<{ options: Asked; allowPositionals: false; strict: true }>
>["values"];

/** A command of an operator. */
export interface Command<Asked extends Options> {
  /** Shown by `--help` and below a refusal. */
  readonly usage: string;
  readonly options: Asked;
  /** @returns the exit code: 0 for done, 1 for something that a person must look at. @throws Refusal, StageError. */
  readonly carryOut: (given: Given<Asked>) => Promise<number>;
}

/** Writes a line to standard output. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

const HELP = { help: { type: "boolean", default: false } } as const;

/** An option that may be repeated takes every value up to the next option: `--prices A B` is `--prices A --prices B`. */
const repeated = (args: readonly string[], options: Options): string[] => {
  let name: string | null = null;
  return args.flatMap((arg, index) => {
    if (arg.startsWith("-")) {
      name = options[arg.slice(2)]?.multiple === true ? arg : null;
      return [arg];
    }
    return name === null || args[index - 1] === name ? [arg] : [name, arg];
  });
};

const read = <Asked extends Options>(args: readonly string[], options: Asked): Given<Asked> & { help?: boolean } => {
  try {
    return parseArgs({ args: repeated(args, options), options: { ...options, ...HELP }, allowPositionals: false, strict: true })
      .values as never;
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : "unreadable options");
  }
};

/** What AWS refused or could not be asked, in one line; null for an error of our own. SDK errors carry `$metadata`, all but missing credentials. */
const refusalOfAws = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null;
  const isOfSdk = "$metadata" in error || error.name === "CredentialsProviderError";
  return isOfSdk ? `AWS did not do it: ${error.name}: ${error.message}\nCheck AWS_PROFILE, its rights, its Region and the network.` : null;
};

/**
 * Reads a command line and carries it out. @returns the exit code: the command's own, or 2 with the reason on standard
 * error for a command line, a stage or a file that cannot be used (with the usage), and where AWS does not answer.
 */
export const runCommand = async <Asked extends Options>(
  { usage, options, carryOut }: Command<Asked>,
  args: readonly string[] = process.argv.slice(2),
): Promise<number> => {
  try {
    const given = read(args, options);
    if (given.help === true) {
      say(usage);
      return 0;
    }
    return await carryOut(given);
  } catch (error) {
    const ofAws = refusalOfAws(error);
    if (ofAws !== null) process.stderr.write(`${ofAws}\n`);
    if (ofAws !== null) return 2;
    if (!(error instanceof Refusal) && !(error instanceof StageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return 2;
  }
};

/** The stage that `--stage` names. @throws Refusal where it is not given: a command never guesses which deployment it works on. */
export const stageOf = (asked: string | undefined): Stage => {
  if (asked === undefined) throw new Refusal("--stage is missing: name the preset or the .json file that was deployed");
  return readStage(asked);
};
