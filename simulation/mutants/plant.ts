import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

import type { Mutant } from "./mutant.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * The edited sources of a mutant by their URLs.
 *
 * @throws Error for a text that its file does not have exactly once: the source has moved on, and the mutant must follow.
 */
export const sourcesOf = ({ name, edits }: Mutant): ReadonlyMap<string, string> => {
  const originals = new Map<string, string>();
  const sources = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const { href } = new URL(file, ROOT);
    const original = originals.get(href) ?? readFileSync(new URL(href), "utf8");
    originals.set(href, original);
    const times = original.split(find).length - 1;
    if (times !== 1) throw new Error(`the mutant "${name}" looks for a text that ${file} has ${times} times, not once: ${find}`);
    sources.set(
      href,
      (sources.get(href) ?? original).replace(find, () => replace),
    );
  }
  return sources;
};

/**
 * Plants a mutant in this thread: from now on its files are loaded with the mistake in them. Modules that are
 * loaded already stay as they are, so this comes first and the import of what plays them afterwards.
 *
 * @throws Error for a text that its file does not have exactly once.
 */
export const plant = (mutant: Mutant): void => {
  const sources = sourcesOf(mutant);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const source = sources.get(url);
      return source === undefined ? loaded : { ...loaded, source };
    },
  });
};
