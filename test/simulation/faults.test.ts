import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { CALL_FAULTS, COVERAGE, FAULT_KINDS } from "../../simulation/faults/alphabet.ts";
import { drawRates, scriptedFaults, seededFaults } from "../../simulation/faults/chance.ts";

/** Methods of the ports, read from the text of the world: `db.get`, ... */
const portMethods = (): string[] => {
  const text = readFileSync(new URL("../../adapters/world.ts", import.meta.url), "utf8");
  const world = /export interface World \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? "";
  const ports = [...world.matchAll(/readonly (\w+): (\w+);/g)].filter(([, , type]) => type !== "Settings");
  return ports.flatMap(([, port, type]) => {
    const body = new RegExp(`export interface ${type} \\{([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? "";
    return [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, method]) => `${port}.${method}`);
  });
};

describe("the alphabet of faults", () => {
  test("covers every method of every port, and no other: a port that gains a method fails here", () => {
    const methods = portMethods();
    expect(methods.length).toBeGreaterThanOrEqual(18);
    expect(Object.keys(COVERAGE).sort()).toEqual(methods.sort());
  });

  test("has no fault that no boundary knows", () => {
    const used = new Set<string>(Object.values(COVERAGE).flat());
    for (const kind of CALL_FAULTS) expect(used, kind).toContain(kind);
  });
});

describe("faults of a seed", () => {
  test("are the same for the same seed, others for another, and none at an intensity of 0", () => {
    expect(drawRates(5, 1)).toEqual(drawRates(5, 1));
    expect(drawRates(5, 1)).not.toEqual(drawRates(6, 1));
    expect([...drawRates(5, 0).values()].every((rate) => rate === 0)).toBe(true);
  });

  const strikes = (kept: ReadonlySet<string> | null): string[] => {
    const faults = seededFaults(5, drawRates(5, 1), kept);
    for (let call = 0; call < 500; call += 1) faults.atCall("db.transactWrite");
    return faults.struck.map(({ site, kind }) => `${site} ${kind}`);
  };

  test("stay where they are when one of them is left out", () => {
    const all = strikes(null);
    expect(all.length).toBeGreaterThan(5);
    const without = all.slice(1);
    expect(strikes(new Set(without.map((one) => one.split(" ")[0] ?? "")))).toEqual(without);
  });

  test("end when they are stopped", () => {
    const faults = seededFaults(5, new Map(FAULT_KINDS.map((kind) => [kind, 0.05])));
    faults.stop();
    for (let call = 0; call < 100; call += 1) expect(faults.atCall("db.get")).toBeNull();
  });

  test("a script strikes at its request, where the boundary knows the fault", () => {
    const faults = scriptedFaults(
      new Map([
        [2, "crashAfter"],
        [3, "staleRead"],
      ]),
    );
    expect([faults.atCall("db.get"), faults.atCall("db.put"), faults.atCall("db.put"), faults.atCall("db.get")]).toEqual([
      null,
      "crashAfter",
      null,
      null,
    ]);
    expect(faults.struck).toEqual([{ site: "c2", kind: "crashAfter" }]);
  });
});
