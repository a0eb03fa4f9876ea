import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { variableOf } from "../../adapters/settings.ts";
import { buildApp } from "../../lib/app.ts";
import { at, type Template } from "../../lib/checks/template.ts";
import { FUNCTION_NAMES } from "../../lib/stage.ts";
import { freshOutdir, propertyOf, stageWith, templatesOf } from "./deployment.ts";

const LAMBDA = "AWS::Lambda::Function";
const pascalOf = (name: string): string => name.replaceAll(/(^|-)([a-z])/g, (_match, _hyphen, letter: string) => letter.toUpperCase());

describe("the bundles of a real synthesis", () => {
  let directory: string;
  let template: Template;

  beforeAll(() => {
    const assembly = buildApp(stageWith("sandbox"), { outdir: freshOutdir() }).synth();
    directory = assembly.directory;
    template = assembly.getStackByName("plimsoll-sandbox-pipeline").template as Template;
  });

  const assetOf = (name: string): string => {
    const key = String(at(propertyOf(template, LAMBDA, "Code")[`${pascalOf(name)}Function`], "S3Key"));
    return join(directory, `asset.${key.replace(/\.zip$/, "")}`);
  };

  test("each function has a directory of its own, with one module and its map", () => {
    const assets = FUNCTION_NAMES.map(assetOf);
    expect(new Set(assets).size).toBe(FUNCTION_NAMES.length);
    for (const asset of assets) expect(readdirSync(asset).sort()).toEqual(["index.mjs", "index.mjs.map"]);
  });

  test("a bundle is minified, holds the SDK, and its map holds no source", () => {
    for (const name of FUNCTION_NAMES) {
      const code = readFileSync(join(assetOf(name), "index.mjs"), "utf8");
      expect(code.split("\n").length, name).toBeLessThan(code.length / 100);
      expect(code).not.toMatch(/from\s*"@(aws-sdk|middy|aws-lambda-powertools)\//);
      const map: unknown = JSON.parse(readFileSync(join(assetOf(name), "index.mjs.map"), "utf8"));
      expect(at(map, "sourcesContent")).toBeUndefined();
      expect(at(map, "sources")).toContainEqual(expect.stringMatching(new RegExp(`functions/${name}\\.ts$`)));
      expect(statSync(join(assetOf(name), "index.mjs")).size).toBeLessThan(3_000_000);
    }
  });

  test("a bundle holds nothing of the infrastructure or the tools", () => {
    for (const name of FUNCTION_NAMES) {
      const map = readFileSync(join(assetOf(name), "index.mjs.map"), "utf8");
      expect(map).not.toMatch(/aws-cdk-lib|cdk-nag|vitest|fauxqs|\/lib\/[a-z-]+stack\.ts/);
      expect(existsSync(join(assetOf(name), "node_modules"))).toBe(false);
    }
  });

  test("the same code gives the same assets, wherever the assembly goes", () => {
    const again = buildApp(stageWith("sandbox"), { outdir: freshOutdir() }).synth().getStackByName("plimsoll-sandbox-pipeline");
    expect(propertyOf(again.template as Template, LAMBDA, "Code")).toEqual(propertyOf(template, LAMBDA, "Code"));
  });
});

const { asked } = vi.hoisted(() => ({ asked: [] as string[] }));
vi.mock(import("../../adapters/settings.ts"), async (original) => {
  const settings = await original();
  return {
    ...settings,
    readSettings: (...[needs, env]: Parameters<typeof settings.readSettings>) => {
      asked.push(...needs.map(settings.variableOf));
      return settings.readSettings(needs, env);
    },
  };
});

describe("the environment of each function", () => {
  const template = templatesOf(stageWith("sandbox")).Pipeline;
  const kept = { ...process.env };

  beforeEach(() => {
    vi.resetModules();
    asked.length = 0;
  });
  afterAll(() => {
    process.env = kept;
  });

  test.each(FUNCTION_NAMES)("%s starts with what the template gives it, and is given nothing more", async (name) => {
    const variables = Object.entries(propertyOf(template, LAMBDA, "Environment", "Variables")[`${pascalOf(name)}Function`] as object);
    const given = variables.map(([key, value]) => [
      key,
      typeof value === "string" ? value : "https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
    ]);
    process.env = { ...kept, AWS_REGION: "eu-west-1", ...Object.fromEntries(given) };
    const module: unknown = await import(`../../functions/${name}.ts`);
    expect(at(module, "handler")).toBeTypeOf("function");
    expect([...asked].sort()).toEqual(
      variables
        .map(([key]) => key)
        .filter((key) => !key.startsWith("POWERTOOLS_"))
        .sort(),
    );
    expect(variableOf("bookTable")).toBe("BOOK_TABLE");
  });
});
