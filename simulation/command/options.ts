import { parseArgs } from "node:util";

import { isProfile, PROFILE_NAMES, type ProfileName } from "../profiles.ts";

/** What the command line asks for. */
export type Asked = (
  | { readonly what: "seeds"; readonly from: number; readonly seeds: number; readonly keeps: boolean }
  | { readonly what: "trace"; readonly seed: number }
  | { readonly what: "mutants" }
  | { readonly what: "sweep"; readonly only: readonly string[] }
  | { readonly what: "corpus" }
) & { readonly profile: ProfileName; readonly json: boolean };

/** A command line that cannot be carried out; its words say how to mend it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const SEEDS_DEFAULT = 1_000;

export const USAGE = `npm run simulate -- [--seeds N] [--from K] [--profile ${PROFILE_NAMES.join("|")}] [--json]
npm run simulate -- --seed N [--trace]      one seed, with its trace
npm run simulate -- --mutants               planted mistakes, each of which must be found
npm run simulate -- --sweep [--only S42,S50] each story with each fault at each of its requests
npm run simulate -- --corpus                every seed that ever failed`;

const wholeNumber = (name: string, text: string, least: number): number => {
  if (!/^\d{1,12}$/.test(text) || Number(text) < least) {
    throw new UsageError(`--${name} takes a whole number from ${least} on, not ${JSON.stringify(text)}`);
  }
  return Number(text);
};

const read = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string" },
        from: { type: "string" },
        seed: { type: "string" },
        profile: { type: "string", default: "standard" },
        trace: { type: "boolean", default: false },
        mutants: { type: "boolean", default: false },
        sweep: { type: "boolean", default: false },
        only: { type: "string" },
        corpus: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "unreadable options");
  }
};

/** @throws UsageError for an option or a profile that does not exist, and for a seed that is no whole number. */
export const askedOf = (args: readonly string[]): Asked => {
  const given = read(args);
  const { profile, json } = given;
  if (!isProfile(profile)) throw new UsageError(`there is no profile ${JSON.stringify(profile)}: take one of ${PROFILE_NAMES.join(", ")}`);
  const common = { profile, json };
  const modes = [given.mutants, given.sweep, given.corpus, given.seed !== undefined, given.seeds !== undefined || given.from !== undefined];
  if (modes.filter(Boolean).length > 1)
    throw new UsageError("--mutants, --sweep, --corpus, --seed and --seeds are five different runs: take one");
  if (given.trace && given.seed === undefined) throw new UsageError("--trace belongs to one seed: add --seed N");
  if (given.mutants) return { what: "mutants", ...common };
  if (given.only !== undefined && !given.sweep) throw new UsageError("--only names stories of --sweep: add --sweep");
  if (given.sweep) return { what: "sweep", only: given.only?.split(",") ?? [], ...common };
  if (given.corpus) return { what: "corpus", ...common };
  if (given.seed !== undefined) {
    const seed = wholeNumber("seed", given.seed, 0);
    return given.trace ? { what: "trace", seed, ...common } : { what: "seeds", from: seed, seeds: 1, keeps: false, ...common };
  }
  const seeds = given.seeds === undefined ? SEEDS_DEFAULT : wholeNumber("seeds", given.seeds, 1);
  return { what: "seeds", seeds, from: given.from === undefined ? 1 : wholeNumber("from", given.from, 0), keeps: true, ...common };
};
