import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { parseStage } from "../../lib/stage.ts";
import { PRESETS } from "../../lib/stages.ts";
import { type Laptop, OPENS_WITHIN_MS, openLaptop } from "./laptop.ts";

/** The files of the guide, by name: what a reader would type is what is played. */
const GUIDE = readFileSync(new URL("../../docs/operating/deploy.md", import.meta.url), "utf8");
const FILES = new Map(
  [...GUIDE.matchAll(/^`([\w-]+\.json)`[^\n]*\n+```json\n([\s\S]*?)```/gm)].map(([, name = "", body = ""]) => [
    name,
    JSON.parse(body) as unknown,
  ]),
);
const file = (name: string): unknown => {
  if (!FILES.has(name)) throw new Error(`the guide has no file ${name}: it has ${[...FILES.keys()].join(", ")}`);
  return FILES.get(name);
};
/** `plimsoll PROFILE METHOD PATH FILE` of the guide's shell blocks, in their order. */
const STEPS = [...GUIDE.matchAll(/^plimsoll (\S+) (GET|PUT|POST) (\S+)(?: (\S+\.json))?(?:\s+#.*)?$/gm)].map(
  ([, profile = "", method = "", path = "", body]) => ({
    profile,
    method,
    path,
    body,
  }),
);

test("the guide's stage file is a stage", () => {
  const { preset, ...keys } = file("prod.json") as { preset: keyof typeof PRESETS };
  expect(parseStage("prod.json", { ...PRESETS[preset], ...keys }).name).toBe("prod");
});

describe("the guide, walked on the local cloud", () => {
  const START = Date.UTC(2026, 0, 15, 10);
  let laptop: Laptop;
  beforeAll(async () => {
    laptop = await openLaptop(START);
  }, OPENS_WITHIN_MS);
  afterAll(() => laptop.stop());

  /** The stage's file gives each profile's role its principal. */
  const ROLES: Readonly<Record<string, string>> = { "risk-desk": "operator", "price-feed": "marks", "core-system": "feed" };

  test("each request is taken, and a sweep marks the account", async () => {
    expect(STEPS.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /openapi.json",
      "PUT /instruments/BTC-PERP",
      "PUT /policies/standard",
      "PUT /accounts/A-1/contact",
      "PUT /brokers/B1/endpoints/ep_main",
      "POST /feed-entries",
      "POST /marks",
      "GET /accounts/A-1",
    ]);
    for (const { profile, method, path, body } of STEPS.slice(0, -1)) {
      const reply = await laptop.cloud.request(method, path, body === undefined ? null : file(body), ROLES[profile] ?? profile);
      expect([path, reply.status, reply.status < 300 ? "" : reply.body]).toEqual([path, path.match(/^\/(marks|feed)/) ? 202 : 200, ""]);
    }
    await laptop.cloud.run({ until: START + 61_000 });
    const { status, body } = await laptop.cloud.request("GET", "/accounts/A-1", null, "operator");
    expect(status).toBe(200);
    expect(body).toMatchObject({ accountId: "A-1", level: "HEALTHY" });
    expect(laptop.cloud.invocations["plimsoll-local-mark-accounts"]?.errors).toBe(0);
    expect(laptop.cloud.invocations["plimsoll-local-mark-accounts"]?.invocations).toBeGreaterThan(0);
  });

  test("nothing is parked, as the guide's check says", async () => {
    const { code, stdout } = await laptop.run("redrive", "--dry-run");
    expect([code, stdout]).toEqual([0, "nothing is parked in local\n"]);
  });
});
