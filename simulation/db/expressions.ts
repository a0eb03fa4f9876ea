import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** An item as the table holds it. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** What an expression refers to: `#name` and `:value`. */
export interface Bindings {
  readonly names: Readonly<Record<string, string>> | undefined;
  readonly values: Readonly<Record<string, AttributeValue>> | undefined;
}

type Condition = (item: Item | undefined, bindings: Bindings) => boolean;
type Operand = (item: Item | undefined, bindings: Bindings) => AttributeValue | undefined;
type Update = (item: Item, bindings: Bindings) => Item;

const TOKEN = /\s*(<=|>=|<>|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)/y;

const tokensOf = (text: string): string[] => {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`the simulated table does not read this expression: ${text}`);
    tokens.push(found[1] as string);
  }
  return tokens;
};

const nameOf = (token: string, { names }: Bindings): string => {
  const name = token.startsWith("#") ? names?.[token] : token;
  if (name === undefined) throw new Error(`an expression refers to ${token}, which is not given`);
  return name;
};

const operandOf = (token: string): Operand =>
  token.startsWith(":")
    ? (_, { values }) => {
        const value = values?.[token];
        if (value === undefined) throw new Error(`an expression refers to ${token}, which is not given`);
        return value;
      }
    : (item, bindings) => item?.[nameOf(token, bindings)];

const typeOf = (value: AttributeValue): string => Object.keys(value)[0] ?? "";

/**
 * Orders two attribute values as DynamoDB does: numbers by value, text by its bytes.
 * @returns null where they have no order: one is absent, or of another type.
 */
export const compare = (a: AttributeValue | undefined, b: AttributeValue | undefined): number | null => {
  if (a?.N !== undefined && b?.N !== undefined) return Number(a.N) - Number(b.N);
  if (a?.S !== undefined && b?.S !== undefined) return a.S < b.S ? -1 : a.S > b.S ? 1 : 0;
  return null;
};

const areEqual = (a: AttributeValue | undefined, b: AttributeValue | undefined): boolean => {
  if (a === undefined || b === undefined || typeOf(a) !== typeOf(b)) return false;
  return compare(a, b) === 0 || JSON.stringify(a) === JSON.stringify(b);
};

const ORDERS: Readonly<Record<string, (difference: number) => boolean>> = {
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

/** Reads tokens one by one. */
class Reader {
  private readonly tokens: readonly string[];
  private at = 0;
  constructor(text: string) {
    this.tokens = tokensOf(text);
  }
  peek(): string | undefined {
    return this.tokens[this.at];
  }
  next(): string {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Error("an expression ends too early");
    this.at += 1;
    return token;
  }
  take(word: string): boolean {
    if (this.peek()?.toUpperCase() !== word) return false;
    this.at += 1;
    return true;
  }
  expect(word: string): void {
    if (!this.take(word)) throw new Error(`an expression has ${this.peek() ?? "its end"} where ${word} was due`);
  }
}

const readCall = (reader: Reader, name: string): Condition => {
  reader.expect("(");
  const first = operandOf(reader.next());
  if (name === "begins_with") {
    reader.expect(",");
    const prefix = operandOf(reader.next());
    reader.expect(")");
    return (item, bindings) => {
      const [text, start] = [first(item, bindings)?.S, prefix(item, bindings)?.S];
      return text !== undefined && start !== undefined && text.startsWith(start);
    };
  }
  reader.expect(")");
  if (name === "attribute_exists") return (item, bindings) => first(item, bindings) !== undefined;
  if (name === "attribute_not_exists") return (item, bindings) => first(item, bindings) === undefined;
  throw new Error(`the simulated table does not know the function ${name}`);
};

const readTerm = (reader: Reader): Condition => {
  if (reader.take("NOT")) {
    const inner = readTerm(reader);
    return (item, bindings) => !inner(item, bindings);
  }
  if (reader.take("(")) {
    const inner = readEither(reader);
    reader.expect(")");
    return inner;
  }
  const token = reader.next();
  if (reader.peek() === "(") return readCall(reader, token);
  const left = operandOf(token);
  const operator = reader.next();
  const right = operandOf(reader.next());
  if (operator === "=") return (item, bindings) => areEqual(left(item, bindings), right(item, bindings));
  if (operator === "<>") return (item, bindings) => !areEqual(left(item, bindings), right(item, bindings));
  const holds = ORDERS[operator];
  if (holds === undefined) throw new Error(`the simulated table does not know the operator ${operator}`);
  return (item, bindings) => {
    const difference = compare(left(item, bindings), right(item, bindings));
    return difference !== null && holds(difference);
  };
};

const readAll = (reader: Reader): Condition => {
  const terms = [readTerm(reader)];
  while (reader.take("AND")) terms.push(readTerm(reader));
  return (item, bindings) => terms.every((term) => term(item, bindings));
};

const readEither = (reader: Reader): Condition => {
  const terms = [readAll(reader)];
  while (reader.take("OR")) terms.push(readAll(reader));
  return (item, bindings) => terms.some((term) => term(item, bindings));
};

const remembered = <Compiled>(compile: (text: string) => Compiled): ((text: string) => Compiled) => {
  const known = new Map<string, Compiled>();
  return (text) => {
    const compiled = known.get(text) ?? compile(text);
    known.set(text, compiled);
    return compiled;
  };
};

/**
 * Compiles a condition: comparisons, AND, OR, NOT, brackets, attribute_exists, attribute_not_exists and
 * begins_with. @throws Error for anything else: a condition that is not understood must not hold.
 */
export const conditionOf = remembered((text: string): Condition => {
  const reader = new Reader(text);
  const condition = readEither(reader);
  if (reader.peek() !== undefined) throw new Error(`an expression goes on with ${reader.peek()}`);
  return condition;
});

const readValue = (reader: Reader): Operand => {
  const token = reader.next();
  if (token !== "if_not_exists") return operandOf(token);
  reader.expect("(");
  const present = operandOf(reader.next());
  reader.expect(",");
  const otherwise = operandOf(reader.next());
  reader.expect(")");
  return (item, bindings) => present(item, bindings) ?? otherwise(item, bindings);
};

const sum = (old: AttributeValue | undefined, added: AttributeValue | undefined): AttributeValue => {
  if (added?.N !== undefined) return { N: `${Number(old?.N ?? 0) + Number(added.N)}` };
  if (added?.NS !== undefined) return { NS: [...new Set([...(old?.NS ?? []), ...added.NS])] };
  throw new Error("ADD takes a number or a set of numbers");
};

const CLAUSES = new Set(["SET", "REMOVE", "ADD"]);

/** One action of a clause: the attribute that it changes and its new value, both from the item before the update (undefined removes it). */
type Action = (before: Item, bindings: Bindings) => readonly [name: string, value: AttributeValue | undefined];

const readAction = (reader: Reader, clause: string): Action => {
  const token = reader.next();
  if (clause === "REMOVE") return (_, bindings) => [nameOf(token, bindings), undefined];
  if (clause === "SET") reader.expect("=");
  const value = readValue(reader);
  if (clause === "SET") return (before, bindings) => [nameOf(token, bindings), value(before, bindings)];
  return (before, bindings) => {
    const name = nameOf(token, bindings);
    return [name, sum(before[name], value(before, bindings))];
  };
};

/** Compiles an update: SET with values and if_not_exists, REMOVE, ADD. @throws Error for anything else. */
export const updateOf = remembered((text: string): Update => {
  const reader = new Reader(text);
  const actions: Action[] = [];
  while (reader.peek() !== undefined) {
    const clause = reader.next().toUpperCase();
    if (!CLAUSES.has(clause)) throw new Error(`the simulated table does not know the clause ${clause}`);
    do actions.push(readAction(reader, clause));
    while (reader.take(","));
  }
  return (before, bindings) => {
    const after: Record<string, AttributeValue> = { ...before };
    for (const action of actions) {
      const [name, value] = action(before, bindings);
      if (value === undefined) delete after[name];
      else after[name] = value;
    }
    return after;
  };
});
