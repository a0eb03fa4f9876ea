import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

import { PROFILE_NAMES, type ProfileName } from "../profiles.ts";
import type { Case } from "./case.ts";
import { UsageError } from "./options.ts";

/**
 * What a seed means changes when the draws change: of the plan, of the faults, of the latencies. Then this number
 * goes up, and the entries of before are found anew or taken out.
 */
export const CORPUS_VERSION = 1;

export const CORPUS_FOLDER = fileURLToPath(new URL("../corpus/", import.meta.url));

const entry = z.strictObject({
  version: z.number().int(),
  seed: z.number().int().min(0),
  profile: z.enum(PROFILE_NAMES as [ProfileName, ...ProfileName[]]),
  faults: z.array(z.string().regex(/^[cdp]\d+$/)).nullable(),
  accounts: z.array(z.string()).nullable(),
  /** What it broke when it was found. */
  broke: z.string(),
  words: z.string(),
});
export type CorpusEntry = z.output<typeof entry>;

const readEntry = (path: string): CorpusEntry => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`the corpus entry ${path} does not read: ${error instanceof Error ? error.message : "unknown"}`);
  }
  const version = (content as { readonly version?: unknown } | null)?.version;
  if (version !== CORPUS_VERSION) {
    throw new UsageError(
      `the corpus entry ${path} is of version ${String(version)}, this simulator is ${CORPUS_VERSION}: its seed means something else now, find the failure anew or remove the entry`,
    );
  }
  const read = entry.safeParse(content);
  if (!read.success) throw new UsageError(`the corpus entry ${path} has another form: ${z.prettifyError(read.error)}`);
  return read.data;
};

/** Every entry, by its file. @throws UsageError for one that does not read, or is of another version. */
export const readCorpus = (folder: string = CORPUS_FOLDER): CorpusEntry[] => {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => readEntry(join(folder, file)));
};

/** Keeps a failing case for ever. Written beside and renamed: a crash leaves the old entry or the new one, nothing in between. */
export const keep = (failing: Case, broke: string, words: string, folder: string = CORPUS_FOLDER): string => {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${failing.profile}-${failing.seed}.json`);
  const content: CorpusEntry = {
    version: CORPUS_VERSION,
    ...failing,
    faults: failing.faults === null ? null : [...failing.faults],
    accounts: failing.accounts === null ? null : [...failing.accounts],
    broke,
    words,
  };
  writeFileSync(`${path}.part`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${path}.part`, path);
  return path;
};
