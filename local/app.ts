import { buildApp } from "../lib/app.ts";
import { localStage } from "./stage.ts";

/** `node local/app.ts DIR`: synthesizes the local stage, functions bundled, into DIR. A program of its own; see synthesize.ts. */
buildApp(localStage(), { outdir: process.argv[2] as string }).synth();
