import type { Mutant } from "./mutant.ts";
import { MUTANTS_OF_DECISIONS } from "./mutants-of-decisions.ts";
import { MUTANTS_OF_MESSAGES } from "./mutants-of-messages.ts";
import { MUTANTS_OF_WRITES } from "./mutants-of-writes.ts";

export type { Mutant } from "./mutant.ts";

/** Mistakes that the simulator must find, each within its number of seeds. */
export const MUTANTS: readonly Mutant[] = [...MUTANTS_OF_WRITES, ...MUTANTS_OF_MESSAGES, ...MUTANTS_OF_DECISIONS];
