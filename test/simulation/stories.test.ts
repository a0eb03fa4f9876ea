import { existsSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { scriptedFaults } from "../../simulation/faults/chance.ts";
import type { Deployment } from "../../simulation/run.ts";
import { DATA } from "../../simulation/stories/data.ts";
import { NOT_APPLICABLE } from "../../simulation/stories/not-applicable.ts";
import { STORIES } from "../../simulation/stories/stories.ts";
import { runStory, type Story } from "../../simulation/stories/story.ts";
import { synthesizedDeployment } from "./deployment.ts";

const missing = ({ needsData = [] }: Story): readonly string[] => needsData.filter((file) => !existsSync(new URL(file, DATA)));
/** Latencies and the venue's luck are drawn from these; what a story expects holds for each. */
const SEEDS = [1, 2, 3];
const nameOf = ({ id, title }: Story): string => `${id} ${title}`;
const without = () => scriptedFaults(new Map());

let deployment: Deployment;

beforeAll(async () => {
  deployment = await synthesizedDeployment();
});

describe("stories without faults come out as they are told, to the last order and notice", () => {
  for (const story of STORIES) {
    const lacks = missing(story);
    it.skipIf(lacks.length > 0)(
      lacks.length > 0 ? `${nameOf(story)} (no ${lacks.join(", ")} in ../shared/data)` : nameOf(story),
      async () => {
        for (const seed of SEEDS) {
          const told = await runStory(deployment, story, without(), { seed });
          expect(told.result.violation).toBeNull();
          expect([...story.expect(told), ...(story.always?.(told) ?? [])]).toEqual([]);
        }
      },
    );
  }

  it("plays a story twice to the same line", async () => {
    const story = STORIES.find(({ id }) => id === "S10") as Story;
    const lines: string[][] = [[], []];
    for (const told of lines) await runStory(deployment, story, without(), { trace: (line) => void told.push(line) });
    expect(lines[0]?.length).toBeGreaterThan(1_000);
    expect(lines[1]).toEqual(lines[0]);
  });
});

describe("the stories", () => {
  it("and the scenarios that no story plays are S01 to S58", () => {
    const played = new Set(STORIES.map(({ id }) => id));
    const left = Object.keys(NOT_APPLICABLE);
    expect(left.filter((id) => played.has(id))).toEqual([]);
    const all =
      "S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11 S12 S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S25 S26 S27 S28 S29 " +
      "S30 S31 S32 S33 S34 S35 S36 S37 S38 S39 S40 S41 S42 S43 S44 S45 S46 S47 S48 S49 S50 S51 S52 S53 S54 S55 S56 S57 S58";
    expect([...played, ...left].sort()).toEqual(all.split(" "));
  });

  it("have names of their own", () => {
    expect(new Set(STORIES.map(nameOf)).size).toBe(STORIES.length);
  });

  it("that sweep are at least a dozen, each with what always holds", () => {
    const sweeping = STORIES.filter(({ sweeps }) => sweeps === true);
    expect(sweeping.length).toBeGreaterThanOrEqual(12);
    expect(sweeping.filter(({ always }) => always === undefined).map(nameOf)).toEqual([]);
  });
});
