import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  /** Part of its parent's tarball, whose hash covers it. */
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const manifest = read("package.json") as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const lock = read("package-lock.json") as { packages: Record<string, Locked> };

const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== "")
  .map(([path, locked]) => ({ name: path.replace(/^.*node_modules\//, ""), ...locked }));

/** Licences under which a part of a bundle may be: whoever deploys it has no duty but to keep the notice. */
const SHIPPED = ["Apache-2.0", "MIT", "MIT-0", "ISC", "0BSD", "Unlicense", "(MIT OR Apache-2.0)"];
/** For tools that stay on the developer's machine. */
const TOOLS = [
  ...SHIPPED,
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "MIT OR Apache-2.0",
  "MIT AND ISC",
  "(MIT OR GPL-3.0-or-later)",
  "MPL-2.0",
];
/** Tools under a licence that would bind what it is part of: named one by one, and no bundle may hold them (bundles.test.ts). */
const COPYLEFT_TOOLS = ["@cloud-copilot/iam-policy", "@cloud-copilot/iam-simulate", "@cloud-copilot/iam-utils"];

describe("the lock file", () => {
  it("names every direct dependency in one exact version", () => {
    const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies });
    expect(asked.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it("has the hash of every package", () => {
    expect(
      packages
        .filter(({ integrity, link, inBundle }) => link !== true && inBundle !== true && !integrity?.startsWith("sha512-"))
        .map(({ name }) => name),
    ).toEqual([]);
  });

  it("lets only the named packages run a script when they are installed", () => {
    const scripted = packages.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ name }) => name);
    expect(scripted.filter((name) => manifest.allowScripts[name] !== true)).toEqual([]);
    expect(Object.keys(manifest.allowScripts).filter((name) => !scripted.includes(name))).toEqual([]);
  });

  it("ships nothing under a licence that binds those who deploy it", () => {
    const bound = packages.filter(({ dev, license }) => dev !== true && !SHIPPED.includes(license ?? "none"));
    expect(bound.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
  });

  it("has tools under known licences, and copyleft ones by name", () => {
    const unknown = packages.filter(({ name, license }) => !TOOLS.includes(license ?? "none") && !COPYLEFT_TOOLS.includes(name));
    expect(unknown.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
    const copyleft = packages.filter(({ license }) => /^A?GPL|^SSPL|^BUSL/.test(license ?? ""));
    expect(copyleft.map(({ name, dev }) => `${name} ${dev === true ? "dev" : "shipped"}`)).toEqual(
      COPYLEFT_TOOLS.map((name) => `${name} dev`),
    );
  });
});
