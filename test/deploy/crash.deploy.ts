import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { openPage } from "../../local/page/server.ts";
import { synthesize } from "../../local/synthesize.ts";
import { probeApi } from "./api-probes.ts";
import { byCause, type Difference, describeDifferences, differencesOf } from "./differences.ts";
import { KNOWN } from "./known-differences.ts";
import { startLocalPlace } from "./local-place.ts";
import { startMiniStack } from "./ministack.ts";
import { startMiniStackPlace } from "./ministack-place.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { Place } from "./place.ts";
import { playStory } from "./story.ts";

const FOLDER = fileURLToPath(new URL("../../.plimsoll/", import.meta.url));

/** Plays the story, reads what came of it and does what is done last; the place is stopped then, whatever happened. */
const playAt = async (place: Place, last: () => Promise<void> = () => Promise.resolve()): Promise<Outcome> => {
  const page = await openPage({
    port: 0,
    progress: () => ({ now: place.now(), share: 0, running: true, source: "the story" }),
    timeline: () => Promise.resolve({ status: 404, body: null }),
  });
  try {
    const outcome = await outcomeOf(place, await playStory(place, page), page.receiver.deliveries);
    await last();
    return outcome;
  } finally {
    await page.stop();
    await place.stop();
  }
};

const under = (outcome: Outcome, prefix: string): [string, string][] => [...outcome].filter(([where]) => where.startsWith(`${prefix}/`));

describe("the synthesized stage on an engine that nobody here wrote", () => {
  let directory: string;
  let local: Outcome;
  let independent: Outcome;
  let answers: readonly string[];
  let sound = false;

  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    directory = mkdtempSync(join(FOLDER, "deploy-"));
    const assembly = await synthesize(join(directory, "cdk.out"), { app: fileURLToPath(new URL("./app.ts", import.meta.url)) });
    local = await playAt(await startLocalPlace(assembly, join(directory, "local")));
    const engine = await startMiniStack(process.env["DEPLOY_PYTHON"] ?? "python3", assembly, join(directory, "ministack"));
    independent = await playAt(await startMiniStackPlace(engine), async () => {
      answers = await probeApi(engine);
    });
    sound = true;
  });

  afterEach(({ task }) => {
    sound &&= task.result?.state === "pass";
  });

  afterAll(() => {
    // What a run that failed leaves behind explains it: the engine's log, the templates and the functions' logs.
    if (sound) rmSync(directory, { recursive: true, force: true });
    else process.stdout.write(`logs: ${directory}\n`);
  });

  it("keeps every invariant of the final tables", () => {
    expect(under(independent, "invariants").filter(([, verdict]) => verdict !== "holds")).toEqual([]);
    expect(under(independent, "invariants")).toHaveLength(13);
  });

  it("brings each account to its fate", () => {
    const fates = under(independent, "calls").map(
      ([where, call]) => `${where.split("/")[1]} ${(JSON.parse(call) as { status: string }).status}`,
    );
    expect(fates.sort()).toEqual([
      "closed-out LIQUIDATED",
      "closed-out LIQUIDATED",
      "closed-out LIQUIDATED",
      "in-coin LIQUIDATED",
      "leaves CLOSED_FLAT",
      "pays MET",
      "pays-in-part LIQUIDATED",
      "reduces MET",
      "silent LIQUIDATED",
      "silent-too LIQUIDATED",
    ]);
  });

  it("C2: admits each caller to its routes, signed and judged by IAM, and to no other", () => {
    expect(answers).toEqual([
      "auditor GET /health 200",
      "marks GET /openapi.json 200",
      "operator GET /calls 200",
      "auditor GET /accounts/silent 200",
      "auditor GET /accounts/silent/calls 200",
      "auditor GET /accounts/silent/calls/MC-LKNZ7SHJQ3GC-1 200",
      "auditor GET /accounts/silent/orders 200",
      "operator POST /accounts/silent/calls/MC-LKNZ7SHJQ3GC-1/acknowledgement 409",
      "operator POST /accounts/silent/calls/MC-LKNZ7SHJQ3GC-1/cancellation 409",
      "feed POST /withdrawal-checks 200",
      "operator POST /marks 403",
      "marks POST /feed-entries 403",
      "feed GET /calls 403",
    ]);
  });

  it("differs from the local cloud only where the list of known differences says so", () => {
    const causes = byCause(differencesOf(local, independent), KNOWN);
    const unlisted: readonly Difference[] = causes.get(null) ?? [];
    for (const [cause, differences] of causes) process.stdout.write(`${cause ?? "not on the list"}: ${differences.length}\n`);
    expect(describeDifferences(unlisted)).toBe("");
  });
});
