import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { synthesize } from "../../local/synthesize.ts";
import { loadDeployment } from "../../simulation/command/deployment.ts";
import type { Deployment } from "../../simulation/run.ts";

/** The template's deployment for the simulation. It takes some seconds: once for a test file. */
export const synthesizedDeployment = async (): Promise<Deployment> => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-simulation-test-"));
  try {
    return await loadDeployment(await synthesize(join(folder, "cdk.out")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
