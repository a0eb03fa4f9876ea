import "./environment.ts";

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";

import { FUNCTIONS } from "../../lib/flow.ts";

const folder = new URL("../../functions/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length));

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

const load = (name: string): Promise<{ readonly handler?: unknown }> => import(`../../functions/${name}.ts`);

test("every function of the flow has its file, and no file is without one", () => {
  expect([...names].sort()).toEqual(Object.keys(FUNCTIONS).sort());
});

describe.each(names)("%s", (name) => {
  const given: readonly string[] = FUNCTIONS[name as keyof typeof FUNCTIONS].settings;

  test("loads with the variables that its template gives it, and exports its handler", async () => {
    for (const variable of given) vi.stubEnv(variable, process.env[variable] ?? { PRINCIPALS: "{}" }[variable] ?? "http://127.0.0.1:9/q");
    expect((await load(name)).handler).toBeTypeOf("function");
  });

  test("without its variables is refused at load, each missing one by its name, and asks for none that it is not given", async () => {
    for (const variable of given) vi.stubEnv(variable, "");
    const refusal: unknown = await load(name).catch((error: unknown) => error);
    const missing = [...String(refusal).matchAll(/([A-Z_]+) is missing/g)].map(([, variable]) => variable);
    expect(missing.length).toBeGreaterThan(0);
    for (const variable of missing) expect(given).toContain(variable);
  });

  test("fits on a page: at most 70 lines, the use case first, then the handler", () => {
    const lines = readFileSync(new URL(`${name}.ts`, folder), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeLessThanOrEqual(70);
    expect(lines.at(-1)).toMatch(/^export const handler = /);
  });
});
