import type { Mode } from "../core/mode.ts";
import { buildApp } from "../lib/app.ts";
import { localStage } from "./stage.ts";

const [outdir, mode] = process.argv.slice(2) as [string, Mode];

/** `node local/app.ts DIR MODE`: synthesizes the local stage, functions bundled, into DIR. A program of its own; see synthesize.ts. */
buildApp(localStage(mode), { outdir }).synth();
