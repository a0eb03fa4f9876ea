import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { FUNCTION_NAMES, type FunctionName } from "../../lib/stage.ts";
import { billOfMaterials, differences, provenance } from "../../operator/release/documents.ts";
import { shippedFunctions, shippedPackages } from "../../operator/release/shipped.ts";

/** Outside the AWS SDK and its runtime. A package more is added here on purpose, or not at all (C13, S57). */
const EVERY_FUNCTION = [
  "@aws-lambda-powertools/commons",
  "@aws-lambda-powertools/logger",
  "@aws-lambda-powertools/metrics",
  "@middy/core",
  "ipaddr.js",
  "mnemonist",
  "obliterator",
  "zod",
];
const MORE: Partial<Record<FunctionName, readonly string[]>> = {
  "deliver-webhook": ["@stablelib/base64", "fast-sha256", "standardwebhooks"],
  "send-email": ["temporal-polyfill", "temporal-utils"],
  operate: [
    "@middy/http-error-handler",
    "@middy/http-json-body-parser",
    "@middy/http-router",
    "@middy/http-security-headers",
    "@middy/util",
  ],
};
const isSdk = (name: string): boolean => /^@(aws|aws-sdk|aws-crypto|smithy)\//.test(name) || name === "tslib" || name === "bowser";

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Parameters<typeof shippedPackages>[1] & Record<string, { dev?: boolean }>;
};
const functions = shippedFunctions();
const packages = shippedPackages(functions, lock.packages);

describe("what a release ships", () => {
  it.each(FUNCTION_NAMES)("%s holds the listed packages beside the SDK, and no other", (name) => {
    const held = packages.filter((one) => one.functions.includes(name) && !isSdk(one.name)).map((one) => one.name);
    expect(held.sort()).toEqual([...EVERY_FUNCTION, ...(MORE[name] ?? [])].sort());
  });

  it("holds no tool: nothing that the lock file keeps for development alone", () => {
    const tools = Object.entries(lock.packages)
      .filter(([, { dev }]) => dev === true)
      .map(([path]) => path);
    expect(packages.filter(({ name }) => tools.includes(`node_modules/${name}`)).map(({ name }) => name)).toEqual([]);
  });

  it("is named in the bill of materials with version, licence and hash", () => {
    const bill = billOfMaterials("0.1.0", packages) as { components: Record<string, unknown>[] };
    expect(bill.components).toHaveLength(packages.length);
    expect(bill.components).toContainEqual(
      expect.objectContaining({ purl: "pkg:npm/%40middy/core@7.9.2", licenses: [{ license: { id: "MIT" } }] }),
    );
    expect(packages.filter(({ sha512 }) => !/^[0-9a-f]{128}$/.test(sha512)).map(({ name }) => name)).toEqual([]);
  });

  it("is refused where a package is in a bundle and not in the lock file", () => {
    const { "node_modules/zod": _, ...others } = lock.packages;
    expect(() => shippedPackages(functions, others)).toThrow("node_modules/zod is in a bundle and not in package-lock.json: run npm ci");
  });

  it("is stated by the hash of each asset; another build agrees, a changed byte is named", () => {
    const statement = provenance(functions, { commit: "c0ffee", lockSha256: "11", node: "v24.21.0", builder: "urn:example:ci" });
    expect(differences(statement, shippedFunctions())).toEqual([]);
    const [first, ...rest] = functions;
    const changed = [{ name: first?.name ?? "operate", sha256: "00", sources: [] }, ...rest];
    expect(differences(statement, changed)).toEqual([`accept-marks/index.mjs: stated ${first?.sha256}, built 00`]);
    expect(differences(statement, rest)).toEqual([`accept-marks/index.mjs: stated ${first?.sha256}, built nothing`]);
  });
});
