import { fileURLToPath } from "node:url";
import { findPython, preparePython } from "../python.ts";
import { runVitest } from "./processes.ts";

const ENVIRONMENT = fileURLToPath(new URL("../../.plimsoll/ministack", import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL("./requirements.txt", import.meta.url));
const CONFIGURATION = fileURLToPath(new URL("./vitest.config.ts", import.meta.url));

/** `npm run test:deploy`. @returns the exit code. */
const main = async (): Promise<number> => {
  const python = findPython();
  if (python === null) {
    process.stdout.write("skipped: no Python 3 (3.10 or later)\n");
    return 0;
  }
  const own = preparePython(python, ENVIRONMENT, REQUIREMENTS);
  return runVitest(["--config", CONFIGURATION, ...process.argv.slice(2)], { DEPLOY_PYTHON: own });
};

process.exitCode = await main();
