import { buildApp } from "../../lib/app.ts";
import { deployStage } from "./stage.ts";

/** `node test/deploy/app.ts DIR`: synthesizes the stage of the comparison, functions bundled, into DIR. */
buildApp(deployStage(), { outdir: process.argv[2] as string }).synth();
