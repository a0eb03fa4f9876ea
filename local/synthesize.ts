import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Mode } from "../core/mode.ts";

const APP = fileURLToPath(new URL("./app.ts", import.meta.url));

/**
 * Synthesizes the local stage, functions bundled, into `outdir`, in a process of its own: what the CDK and the
 * bundler leave in memory ends with it, and a replay need not carry and collect it.
 *
 * @param given Another program that synthesizes into the folder that it is given.
 * @returns the folder of the cloud assembly. @throws Error with what the synthesis said, a finding of its checks for example.
 */
export const synthesize = async (
  outdir: string,
  { app = APP, mode = "enforce" }: { readonly app?: string; readonly mode?: Mode } = {},
): Promise<string> => {
  await promisify(execFile)(process.execPath, [app, outdir, mode]);
  return outdir;
};
