/** A value of a JSON text that holds no other: its characters, its type and its line. */
export interface JsonLeaf {
  /** Keys and list indexes from the root: "0.balances.USDT". */
  readonly path: string;
  /** A string's content; of anything else what is written, digit by digit: a number loses nothing (S43). */
  readonly text: string;
  readonly type: "string" | "number" | "boolean" | "null" | "empty";
  readonly line: number;
}

/** Lines of the leaves and of the items of the outer list, and keys that stand twice in one object. */
export interface JsonPlaces {
  readonly leaves: readonly JsonLeaf[];
  /** Line on which each item of the root list starts; empty where the root is an object. */
  readonly itemLines: readonly number[];
  readonly twice: readonly { readonly path: string; readonly line: number }[];
}

const TOKEN = /\s+|[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/gy;

const typeOf = (token: string): JsonLeaf["type"] =>
  token.startsWith('"') ? "string" : token === "null" ? "null" : token === "true" || token === "false" ? "boolean" : "number";

interface Level {
  readonly isList: boolean;
  key: string;
  index: number;
  isEmpty: boolean;
  readonly line: number;
  readonly seen: Set<string>;
}

/**
 * Finds on which line everything stands, which `JSON.parse` does not tell.
 *
 * @param text JSON that `JSON.parse` has read: the grammar is not checked again.
 */
export const placesInJson = (text: string): JsonPlaces => {
  const leaves: JsonLeaf[] = [];
  const itemLines: number[] = [];
  const twice: { path: string; line: number }[] = [];
  const levels: Level[] = [];
  let line = 1;
  let awaitsKey = false;

  const path = (): string => levels.map(({ isList, key, index }) => (isList ? `${index}` : key)).join(".");
  const startValue = (): void => {
    const level = levels.at(-1);
    if (level === undefined) return;
    level.isEmpty = false;
    if (level.isList && levels.length === 1) itemLines.push(line);
  };
  const readKey = (token: string): void => {
    const level = levels.at(-1) as Level;
    level.key = JSON.parse(token) as string;
    if (level.seen.has(level.key)) twice.push({ path: path(), line });
    level.seen.add(level.key);
    awaitsKey = false;
  };

  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (/^\s/.test(token)) line += token.split("\n").length - 1;
    else if (token === "{" || token === "[") {
      startValue();
      levels.push({ isList: token === "[", key: "", index: 0, isEmpty: true, line, seen: new Set() });
      awaitsKey = token === "{";
    } else if (token === "}" || token === "]") {
      levels.pop();
      if (level?.isEmpty) leaves.push({ path: path(), text: token === "}" ? "{}" : "[]", type: "empty", line: level.line });
      awaitsKey = false;
    } else if (token === ",") {
      if (level?.isList) level.index += 1;
      else awaitsKey = true;
    } else if (token !== ":") {
      if (awaitsKey) readKey(token);
      else {
        startValue();
        const type = typeOf(token);
        leaves.push({ path: path(), text: type === "string" ? (JSON.parse(token) as string) : token, type, line });
      }
    }
  }
  return { leaves, itemLines, twice };
};
