import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

import { synthesize } from "../local/synthesize.ts";
import { askedOf, USAGE, UsageError } from "./command/options.ts";

/** `npm run simulate`: see docs/operating/simulation.md. Exits 0 when everything holds, 1 when something is broken, 2 for a wrong command line. */
const main = async (): Promise<number> => {
  const asked = askedOf(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-simulation-"));
  const hands = availableParallelism();
  try {
    const assembly = await synthesize(join(folder, "cdk.out"));
    switch (asked.what) {
      case "seeds":
        return await (await import("./command/run-seeds.ts")).runSeeds({ assembly, hands, ...asked });
      case "trace":
        return await (await import("./command/trace-seed.ts")).traceSeed({ assembly, ...asked });
      case "mutants":
        return await (await import("./command/run-mutants.ts")).runMutants({ assembly, hands, ...asked });
      case "sweep":
        return await (await import("./command/run-sweep.ts")).runSweep({ assembly, hands, ...asked });
      case "corpus":
        return await (await import("./command/replay-corpus.ts")).replayCorpus({ assembly, hands, ...asked });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
