type Pattern = { readonly [key: string]: Pattern | readonly Condition[] };
type Condition = null | boolean | number | string | { readonly [operator: string]: unknown };

const fold = (value: unknown): string => String(value).toLowerCase();

const OPERATORS: Readonly<Record<string, (value: unknown, operand: unknown) => boolean>> = {
  exists: (value, operand) => (value !== undefined) === operand,
  prefix: (value, operand) => typeof value === "string" && value.startsWith(String(operand)),
  suffix: (value, operand) => typeof value === "string" && value.endsWith(String(operand)),
  "equals-ignore-case": (value, operand) => typeof value === "string" && fold(value) === fold(operand),
  "anything-but": (value, operand) => value !== undefined && !(Array.isArray(operand) ? operand : [operand]).includes(value),
};

const meets = (value: unknown, condition: Condition): boolean => {
  if (typeof condition !== "object" || condition === null) return value === condition;
  return Object.entries(condition).every(([operator, operand]) => {
    const test = OPERATORS[operator];
    if (test === undefined) throw new Error(`the local cloud does not know the filter operator ${operator}`);
    return test(value, operand);
  });
};

/**
 * Whether an event source mapping's filter pattern lets an event through: each leaf of the pattern
 * is a list of conditions of which one must hold, and every leaf must.
 *
 * @throws Error that names an operator it does not know: letting everything through would hide a gap.
 */
export const matchesPattern = (pattern: unknown, event: unknown): boolean =>
  Object.entries(pattern as Pattern).every(([key, part]) => {
    const value = typeof event === "object" && event !== null ? (event as Record<string, unknown>)[key] : undefined;
    return Array.isArray(part) ? part.some((condition) => meets(value, condition as Condition)) : matchesPattern(part, value);
  });
