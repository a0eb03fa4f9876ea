import { describe, expect, test } from "vitest";

import { buildApp } from "../../lib/app.ts";
import type { Stage } from "../../lib/stage.ts";
import { PRESETS } from "../../lib/stages.ts";
import { type Consent, consequencesOf, destroyOf, refusalsOf, STACKS, type Standing } from "../../operator/teardown-plan.ts";

const CLEAR: Standing = { openCalls: 0, protectedTables: [] };
const open = (openCalls: number): Standing => ({ ...CLEAR, openCalls });
const said = (confirm: string | undefined, openCalls?: string): Consent => ({ confirm, openCalls });
const { sandbox, production } = PRESETS;
const guarded: Standing = { openCalls: 0, protectedTables: ["plimsoll-sandbox-book"] };

describe("what teardown refuses", () => {
  test.each<[string, Stage, Standing, Consent, readonly RegExp[]]>([
    ["nothing: a sandbox at rest, by its name", sandbox, CLEAR, said("sandbox"), []],
    ["no name", sandbox, CLEAR, said(undefined), [/^--confirm must repeat the name of the stage: sandbox$/]],
    ["another stage's name", sandbox, CLEAR, said("production"), [/: sandbox$/]],
    ["a name in other letters", sandbox, CLEAR, said("Sandbox"), [/: sandbox$/]],
    ["deletionProtection", production, CLEAR, said("production"), [/^deletionProtection of production is true: set it to false/]],
    ["tables that are still deployed with it", sandbox, guarded, said("sandbox"), [/^plimsoll-sandbox-book are deployed with/]],
    ["open calls", sandbox, open(3), said("sandbox"), [/^3 calls are open: .* say --open-calls 3$/]],
    ["another number of them than there are", sandbox, open(3), said("sandbox", "2"), [/^3 calls are open/]],
    ["a number with a word", sandbox, open(3), said("sandbox", "3 or so"), [/^3 calls are open/]],
    ["nothing where the number is right", sandbox, open(3), said("sandbox", "3"), []],
    ["everything at once", production, open(1), said("prod"), [/--confirm/, /deletionProtection/, /1 calls are open/]],
  ])("%s", (_, stage, standing, consent, words) => {
    const refusals = refusalsOf(stage, standing, consent);
    expect(refusals).toHaveLength(words.length);
    for (const [index, word] of words.entries()) expect(refusals[index]).toMatch(word);
  });
});

test("stacks go in the order that the template's own dependencies ask for, each alone", () => {
  const { stacks } = buildApp(sandbox, { bundle: false }).synth();
  expect(stacks.map(({ id }) => id).sort()).toEqual([...STACKS].sort());
  for (const stack of stacks) {
    const needs = stack.dependencies.map(({ id }) => id).filter((id) => STACKS.includes(id as (typeof STACKS)[number]));
    for (const needed of needs)
      expect(STACKS.indexOf(stack.id as (typeof STACKS)[number])).toBeLessThan(STACKS.indexOf(needed as (typeof STACKS)[number]));
  }
  expect(destroyOf("Watch", "prod.json")).toEqual(["destroy", "Watch", "--exclusively", "--force", "-c", "stage=prod.json"]);
});

test("what stays is what the stage retains", () => {
  expect(consequencesOf(production).join("\n")).toMatch(/stays: the four tables with their point-in-time recovery, the data key/);
  expect(consequencesOf(sandbox).join("\n")).toMatch(/goes with Data: the four tables and the log groups/);
});
