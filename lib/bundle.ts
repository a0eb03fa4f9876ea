import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { type BuildOptions, buildSync } from "esbuild";

import { FUNCTION_NAMES, type FunctionName } from "./stage.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where the bundler believes it writes: the same for every checkout, so that source maps, and so the assets' hashes, are too. */
const nowhere = join(root, "cdk.out", "bundles");

/** CommonJS packages that ask for a built-in module find `require` here: an ES module has none. */
const banner = 'import{createRequire as plimsollRequire}from"node:module";const require=plimsollRequire(import.meta.url);';

/** How functions are bundled, but for where they are written. */
export const BUNDLE = {
  absWorkingDir: root,
  entryPoints: FUNCTION_NAMES.map((name) => ({ in: `functions/${name}.ts`, out: `${name}/index` })),
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  mainFields: ["module", "main"],
  conditions: ["import", "module"],
  banner: { js: banner },
  minify: true,
  treeShaking: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildOptions;

/**
 * Bundles every function in one step, each with the SDK inside (it starts faster than the
 * runtime's copy) into its own directory: `<directory>/<function>/index.mjs` and its source map.
 * The map is read only where a function's environment says `NODE_OPTIONS=--enable-source-maps`.
 * @returns the directory of each function's asset.
 */
export const bundleFunctions = (directory: string): Readonly<Record<FunctionName, string>> => {
  const { outputFiles } = buildSync({ ...BUNDLE, entryPoints: [...BUNDLE.entryPoints], outdir: nowhere, write: false });
  for (const file of outputFiles) {
    const path = join(directory, file.path.slice(nowhere.length));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.contents);
  }
  return Object.fromEntries(FUNCTION_NAMES.map((name) => [name, join(directory, name)])) as Record<FunctionName, string>;
};
