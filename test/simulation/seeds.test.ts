import { beforeAll, describe, expect, test } from "vitest";

import { playCase, shrink, wholeCase } from "../../simulation/command/case.ts";
import type { Deployment } from "../../simulation/run.ts";
import { synthesizedDeployment } from "./deployment.ts";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await synthesizedDeployment();
});

const traceOf = async (seed: number): Promise<string> => {
  const lines: string[] = [];
  await playCase(deployment, wholeCase(seed, "standard"), (line) => lines.push(line));
  return lines.join("\n");
};

/** The deployment with a function that does something else. */
const withFunction = (name: string, handler: () => Promise<unknown>): Deployment => ({
  ...deployment,
  functions: deployment.functions.map((fn) => (fn.name.endsWith(`-${name}`) ? { ...fn, create: () => handler } : fn)),
});

describe("a seed", () => {
  test("gives the same trace twice, byte for byte, and another seed another one", async () => {
    const [first, again, other] = [await traceOf(7), await traceOf(7), await traceOf(8)];
    expect(first.length).toBeGreaterThan(50_000);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("holds hundreds of facts, more than a thousand requests and dozens of faults", async () => {
    const { violation, calls, struck, judged } = await playCase(deployment, wholeCase(11, "standard"));
    expect(violation).toBeNull();
    expect(calls).toBeGreaterThan(1_000);
    expect(struck.length).toBeGreaterThan(20);
    expect([...judged.values()].reduce((sum, facts) => sum + facts, 0)).toBeGreaterThan(500);
  });

  test.each(["standard", "calm", "sweeper"] as const)("breaks nothing in the profile %s, twelve times", async (profile) => {
    for (let seed = 101; seed <= 112; seed += 1) {
      const { violation } = await playCase(deployment, wholeCase(seed, profile));
      expect(violation, `seed ${seed}: ${violation?.id} ${violation?.message}`).toBeNull();
    }
  });
});

describe("a deployment that is wrong", () => {
  test("a relay that publishes nothing breaks L07, and shrinks to one account without any fault", async () => {
    const broken = withFunction("publish-events", async () => ({ batchItemFailures: [] }));
    const whole = wholeCase(3, "standard");
    expect((await playCase(broken, whole)).violation?.id).toBe("L07");
    const small = await shrink(broken, whole, "L07");
    expect(small).toMatchObject({ seed: 3, profile: "standard", faults: [] });
    expect(small.accounts).toHaveLength(1);
  });

  test("facts that are taken and never applied leave the book behind the venue", async () => {
    const broken = withFunction("apply-book-feed", async () => ({ batchItemFailures: [] }));
    expect((await playCase(broken, wholeCase(3, "calm"))).violation?.id).toBe("I17");
  });
});
