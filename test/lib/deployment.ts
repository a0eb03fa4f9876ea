import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

import { buildApp } from "../../lib/app.ts";
import { at, type Template } from "../../lib/checks/template.ts";
import { parseStage, type Stage } from "../../lib/stage.ts";
import { PRESETS } from "../../lib/stages.ts";

export type Templates = Readonly<Record<"Data" | "Pipeline" | "Watch", Template>>;

const made: string[] = [];

/** A fresh directory for an assembly; it goes when the test file has ended. */
export const freshOutdir = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-synth-"));
  made.push(directory);
  return directory;
};

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A preset with some keys changed. */
export const stageWith = (preset: keyof typeof PRESETS, changes: Partial<Stage> = {}): Stage =>
  parseStage("of the test", { ...PRESETS[preset], ...changes });

/** The templates of a stage, by stack. cdk-nag and the house's checks run: a finding throws. */
export const templatesOf = (stage: Stage): Templates => {
  const assembly = buildApp(stage, { outdir: freshOutdir(), bundle: false }).synth();
  return Object.fromEntries(assembly.stacks.map((stack) => [stack.id, stack.template as Template])) as Templates;
};

export interface Named {
  readonly id: string;
  readonly properties: unknown;
}

/** The resources of one type in a template. */
export const resourcesOf = (template: Template, type: string): readonly Named[] =>
  Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => ({ id, properties: resource.Properties }));

/** One property of all resources of a type, by logical id. */
export const propertyOf = (template: Template, type: string, ...path: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(resourcesOf(template, type).map(({ id, properties }) => [id, at(properties, ...path)]));
