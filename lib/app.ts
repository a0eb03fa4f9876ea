import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { App, type AppProps, Validations } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";

import { bundleFunctions } from "./bundle.ts";
import { HouseChecks, StrictSolutionsChecks } from "./checks/plugin.ts";
import { DataStack } from "./data-stack.ts";
import { PipelineStack } from "./pipeline-stack.ts";
import type { FunctionName, Stage } from "./stage.ts";
import { WatchStack } from "./watch-stack.ts";

export interface BuildOptions {
  /** Where the cloud assembly goes; a directory of the CDK's choice by default. */
  readonly outdir?: string;
  /** False leaves the functions empty: for tests that look at the template only. */
  readonly bundle?: boolean;
}

export interface Stacks {
  readonly data: DataStack;
  readonly pipeline: PipelineStack;
  readonly watch: WatchStack;
}

const context = (): Record<string, unknown> => {
  const { context: flags } = JSON.parse(readFileSync(fileURLToPath(new URL("../cdk.json", import.meta.url)), "utf8"));
  return flags;
};

/** An app with the feature flags of cdk.json, whether the CDK's command line starts it or a program does. */
export const createApp = (props: AppProps = {}): App => new App({ ...props, context: context() });

/** Code that answers nothing, for templates that are only looked at. */
const NO_CODE = "export const handler = () => undefined;";

const codeOf = (app: App, bundle: boolean): ((name: FunctionName) => Code) => {
  if (!bundle) return () => Code.fromInline(NO_CODE);
  const directories = bundleFunctions(join(app.outdir, "bundles"));
  return (name) => Code.fromAsset(directories[name]);
};

/** The three stacks of a stage, with cdk-nag and the house's own checks over them: a finding stops the synthesis. */
export const addStacks = (app: App, stage: Stage, options: BuildOptions = {}): Stacks => {
  const data = new DataStack(app, stage);
  const pipeline = new PipelineStack(app, { stage, data, code: codeOf(app, options.bundle ?? true) });
  const watch = new WatchStack(app, { stage, pipeline });
  Validations.of(app).addPlugins(new StrictSolutionsChecks(app), new HouseChecks());
  return { data, pipeline, watch };
};

/** The app of a stage, ready for `synth()`: what `cdk deploy` would deploy, and what the local cloud runs. */
export const buildApp = (stage: Stage, options: BuildOptions = {}): App => {
  const app = createApp(options.outdir === undefined ? {} : { outdir: options.outdir });
  addStacks(app, stage, options);
  return app;
};
