import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bundleFunctions } from "../../lib/bundle.ts";
import { FUNCTION_NAMES, type FunctionName } from "../../lib/stage.ts";

/** A package of the lock file, as far as a bill of materials names it. */
interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
}

/** A package of which something stands in a bundle. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** SHA-512 of its tarball, as the lock file demands it. */
  readonly sha512: string;
  readonly functions: readonly FunctionName[];
}

/** The asset of one function. */
export interface ShippedFunction {
  readonly name: FunctionName;
  readonly sha256: string;
  /** Paths of the sources that the bundle holds a part of. */
  readonly sources: readonly string[];
}

export const sha256Of = (content: Buffer | string): string => createHash("sha256").update(content).digest("hex");

/** Bundles every function anew. The same sources and the same lock file give the same bytes on every machine. */
export const shippedFunctions = (): ShippedFunction[] => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-release-"));
  try {
    const directories = bundleFunctions(folder);
    return FUNCTION_NAMES.map((name) => {
      const { sources } = JSON.parse(readFileSync(join(directories[name], "index.mjs.map"), "utf8")) as { readonly sources: string[] };
      return { name, sha256: sha256Of(readFileSync(join(directories[name], "index.mjs"))), sources };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Where a package lies, as the lock file names it: `node_modules/a/node_modules/@b/c`. */
const lockPathOf = (source: string): string | null => {
  const inside = /(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/.exec(source)?.[0];
  return inside === undefined ? null : inside.slice(0, -1);
};

/**
 * The packages of which something is shipped, by name. Read from the bundles themselves: what a package manager
 * calls a dependency of production is neither all of it nor only it.
 *
 * @param lock the packages of `package-lock.json`.
 * @throws Error for a package in a bundle that the lock file does not know.
 */
export const shippedPackages = (
  functions: readonly ShippedFunction[],
  lock: Readonly<Record<string, LockedPackage>>,
): readonly ShippedPackage[] => {
  const holders = new Map<string, Set<FunctionName>>();
  for (const { name, sources } of functions) {
    for (const path of sources.map(lockPathOf)) {
      if (path !== null) holders.set(path, (holders.get(path) ?? new Set()).add(name));
    }
  }
  const packages = [...holders].map(([path, names]): ShippedPackage => {
    const locked = lock[path];
    if (locked === undefined) throw new Error(`${path} is in a bundle and not in package-lock.json: run npm ci`);
    return {
      name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
      version: locked.version,
      license: locked.license ?? "NOASSERTION",
      sha512: Buffer.from((locked.integrity ?? "").replace(/^sha512-/, ""), "base64").toString("hex"),
      functions: [...names],
    };
  });
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
};
