import { fileURLToPath } from "node:url";
import { runVitest } from "../../../deploy/processes.ts";
import { findPython, preparePython } from "../../../python.ts";

const ENVIRONMENT = fileURLToPath(new URL("../../../../.plimsoll/quantlib", import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL("./requirements.txt", import.meta.url));

/** `npm run test:quantlib`. @returns the exit code. */
const main = async (): Promise<number> => {
  const python = findPython();
  if (python === null) {
    process.stdout.write("skipped: no Python 3 (3.10 or later)\n");
    return 0;
  }
  const own = preparePython(python, ENVIRONMENT, REQUIREMENTS);
  return runVitest(["--project", "engine", "test/core/pricing/quantlib.test.ts", ...process.argv.slice(2)], { QUANTLIB_PYTHON: own });
};

process.exitCode = await main();
