/**
 * Checks the documentation: relative links and anchors lead somewhere, `npm run` commands exist,
 * JSON examples parse and the event examples are valid messages, and the catalogue names every event.
 * Prints what is wrong, a line each, and exits 1.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { eventMessage } from "../adapters/wire/events.ts";
import { EVENT_TYPES } from "../core/event.ts";

const root = resolve(import.meta.dirname, "..");
const skipped = new Set(["node_modules", ".git", "cdk.out", "coverage", ".plimsoll"]);
const markdown = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !skipped.has(name))
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? markdown(path) : path.endsWith(".md") ? [path] : []));

/** The anchor that a heading gets: lower case, punctuation dropped, spaces to hyphens. */
const anchor = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
const withoutCode = (text: string): string => text.replace(/```[\s\S]*?```/g, "").replace(/`[^`\n]*`/g, "");
const anchors = (path: string): Set<string> =>
  new Set([...readFileSync(path, "utf8").matchAll(/^#+\s+(.*)$/gm)].map((match) => anchor(match[1] ?? "")));

const linkFaults = (path: string, text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const [target = "", fragment] = (match[1] ?? "").split("#");
    if (/^[a-z]+:/.test(target)) return [];
    const file = target === "" ? path : resolve(dirname(path), target);
    if (!existsSync(file)) return [`link to ${target}, which does not exist`];
    return fragment !== undefined && !anchors(file).has(fragment)
      ? [`link to #${fragment}, which is no heading of ${relative(root, file)}`]
      : [];
  });

const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
const commandFaults = (text: string): string[] =>
  [...text.matchAll(/\bnpm run ([\w:-]+)/g)].flatMap((match) =>
    scripts[match[1] ?? ""] === undefined ? [`\`npm run ${match[1]}\`, which package.json does not have`] : [],
  );

const exampleFaults = (text: string): string[] =>
  [...text.matchAll(/```json( event)?\n([\s\S]*?)```/g)].flatMap((match) => {
    try {
      const example: unknown = JSON.parse(match[2] ?? "");
      const judged = match[1] === undefined ? null : eventMessage.safeParse(example);
      return judged?.success === false ? [`an event example that is no event message: ${judged.error.issues[0]?.path.join(".")}`] : [];
    } catch (fault) {
      return [`a JSON example that does not parse: ${(fault as Error).message}`];
    }
  });

const catalogue = readFileSync(join(root, "docs/reference/events.md"), "utf8");
const faults = [
  ...EVENT_TYPES.filter((type) => !catalogue.includes(`### ${type}\n`)).map((type) => `docs/reference/events.md: no heading for ${type}`),
  ...markdown(root).flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return [...linkFaults(path, text), ...commandFaults(text), ...exampleFaults(text)].map((fault) => `${relative(root, path)}: ${fault}`);
  }),
];
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`documentation: ${faults.length === 0 ? "links, commands and examples hold" : `${faults.length} faults`}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
