import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as z from "zod";

import { Refusal, runCommand, say } from "./command-line.ts";
import { billOfMaterials, differences, provenance } from "./release/documents.ts";
import { sha256Of, shippedFunctions, shippedPackages } from "./release/shipped.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const BILL = "sbom.cdx.json";
const STATEMENT = "provenance.intoto.json";

const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

const statement = z.object({ subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) })).min(1) });

const write = (out: string, builder: string): number => {
  if (git("status", "--porcelain") !== "") throw new Refusal("the tree has changes that are not committed: a release is of a commit");
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const { version, packages } = JSON.parse(lock) as { version: string; packages: Parameters<typeof shippedPackages>[1] };
  const functions = shippedFunctions();
  const shipped = shippedPackages(functions, packages);
  const origin = { commit: git("rev-parse", "HEAD"), lockSha256: sha256Of(lock), node: process.version, builder };
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, BILL), `${JSON.stringify(billOfMaterials(version, shipped), null, 2)}\n`);
  writeFileSync(join(out, STATEMENT), `${JSON.stringify(provenance(functions, origin), null, 2)}\n`);
  say(`${BILL}: ${shipped.length} packages in ${functions.length} functions`);
  say(`${STATEMENT}: the assets of commit ${origin.commit}; sign it, and keep it with the release`);
  return 0;
};

const readStatement = (path: string): z.infer<typeof statement> => {
  try {
    return statement.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw new Refusal(`${path} is no statement of provenance: give the ${STATEMENT} of a release`);
  }
};

const verify = (path: string): number => {
  const found = differences(readStatement(path), shippedFunctions());
  for (const line of found) say(line);
  say(found.length === 0 ? "every asset is what this tree builds" : `${found.length} assets are not what this tree builds`);
  return found.length === 0 ? 0 : 1;
};

/** `npm run release`: the bill of materials and the provenance of a release (C13), and anybody's check of them. */
process.exitCode = await runCommand({
  usage: `npm run release -- --out FOLDER [--builder URI]   writes ${BILL} and ${STATEMENT} for this commit
npm run release -- --verify FILE                    builds this commit again and compares it with a statement`,
  options: { out: { type: "string" }, builder: { type: "string", default: "urn:plimsoll:builder:unnamed" }, verify: { type: "string" } },
  carryOut: async ({ out, builder, verify: path }) => {
    if ((out === undefined) === (path === undefined)) throw new Refusal("give either --out FOLDER or --verify FILE");
    return path === undefined ? write(out as string, builder) : verify(path);
  },
});
