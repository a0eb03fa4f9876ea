import { MUTANTS, type Mutant } from "../mutants/mutants.ts";
import { isProfile } from "../profiles.ts";
import { hire } from "./crew.ts";
import { progressBar, say } from "./terminal.ts";

/** Seeds that a mutant is given at a time. */
const CHUNK = 25;

interface Hunt {
  readonly mutant: Mutant;
  /** The first seed that broke something, and what; null where none did. */
  readonly seed: number | null;
  readonly id: string | null;
  readonly words: string;
}

const hunt = async (assembly: string, mutant: Mutant): Promise<Hunt> => {
  const profile = mutant.profile !== undefined && isProfile(mutant.profile) ? mutant.profile : "standard";
  const hand = await hire(assembly, mutant.name);
  try {
    for (let from = 1; from <= mutant.seedsMax; from += CHUNK) {
      const seeds = Math.min(CHUNK, mutant.seedsMax - from + 1);
      const answer = await hand.do({ kind: "seeds", from, seeds, profile, stopsAtFirst: true });
      const first = "tally" in answer ? answer.tally.broken[0] : undefined;
      if (first !== undefined) return { mutant, seed: first.failing.seed, id: first.id, words: first.words };
    }
    return { mutant, seed: null, id: null, words: "" };
  } finally {
    await hand.stop();
  }
};

/** Plants each mistake by itself and plays seeds until one breaks a property. @returns 1 when a mistake stays unfound. */
export const runMutants = async ({ assembly, hands, json }: { assembly: string; hands: number; json: boolean }): Promise<number> => {
  const bar = progressBar(MUTANTS.length, "mutants");
  const hunts: Hunt[] = [];
  const queue = [...MUTANTS];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      hunts.push(await hunt(assembly, next));
      bar.at(hunts.length, next.name);
    }
  };
  await Promise.all(Array.from({ length: hands }, lane));
  bar.end();
  const order = new Map(MUTANTS.map(({ name }, index) => [name, index]));
  hunts.sort((a, b) => (order.get(a.mutant.name) ?? 0) - (order.get(b.mutant.name) ?? 0));
  const rows = hunts.map(({ mutant, seed, id }) => ({
    name: mutant.name,
    mistake: mutant.mistake,
    seedsMax: mutant.seedsMax,
    foundAt: seed,
    by: id,
  }));
  const unfound = rows.filter(({ foundAt }) => foundAt === null);
  if (json) say(JSON.stringify({ mutants: rows.length, killed: rows.length - unfound.length, rows }));
  else {
    for (const row of rows)
      say(
        `${row.foundAt === null ? "NOT FOUND" : `seed ${row.foundAt}`.padEnd(9)} ${(row.by ?? "").padEnd(4)} ${row.name}: ${row.mistake}`,
      );
    say(`${rows.length - unfound.length} of ${rows.length} mutants found`);
  }
  return unfound.length === 0 ? 0 : 1;
};
