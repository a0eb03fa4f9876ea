import { addStacks, createApp } from "../lib/app.ts";
import { StageError } from "../lib/stage.ts";
import { readStage } from "../lib/stages.ts";

// npx cdk synth -c stage=sandbox | production | <file.json>
const app = createApp();
try {
  addStacks(app, readStage(app.node.tryGetContext("stage")));
} catch (error) {
  if (!(error instanceof StageError)) throw error;
  console.error(error.message);
  process.exit(1);
}
