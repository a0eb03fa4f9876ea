import { readFileSync } from "node:fs";

import { Refusal } from "./command-line.ts";

/** The text of a file that an option names. @throws Refusal. */
export const contentOf = (option: string, path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(`--${option} ${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unreadable"})`);
  }
};

/** The JSON of a file that an option names. @throws Refusal. */
export const jsonOf = (option: string, path: string): unknown => {
  const text = contentOf(option, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${path}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
};
