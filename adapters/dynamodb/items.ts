import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** An item as the plain client gives and takes it. */
export type Item = Record<string, AttributeValue>;

/** A row that does not have the form that this version of the code writes. It stops what it belongs to, and nothing else. */
export class UnreadableRow extends Error {
  override readonly name = "UnreadableRow";
}

export const text = (item: Item, name: string): string => {
  const value = item[name]?.S;
  if (value === undefined) throw new UnreadableRow(`no text in ${name}`);
  return value;
};

export const textOr = (item: Item, name: string, otherwise: string): string => (item[name] === undefined ? otherwise : text(item, name));

/** A non-negative integer. */
export const whole = (item: Item, name: string): number => {
  const value = Number(item[name]?.N);
  if (!Number.isSafeInteger(value) || value < 0) throw new UnreadableRow(`no whole number in ${name}`);
  return value;
};

export const json = (item: Item, name: string): unknown => {
  try {
    return JSON.parse(text(item, name));
  } catch (error) {
    throw error instanceof UnreadableRow ? error : new UnreadableRow(`no JSON in ${name}`);
  }
};

/** Refuses an item of another schema version: it is parked, not guessed (I26). */
export const checkSchema = (item: Item): void => {
  if (item["schema"]?.N !== "1") throw new UnreadableRow(`schema version ${item["schema"]?.N ?? "missing"}`);
};

/**
 * Versions of an account's row: the one before the newest, and the newest. Both are read; the stage says which is
 * written, so that functions of the release before can read what functions of this one write (I26, S33).
 */
export const ROW_SCHEMAS = [1, 2] as const;
export type RowSchema = (typeof ROW_SCHEMAS)[number];

/**
 * Versions of the rows of accounts with isolated pools (3) and with open orders or a leverage of their own (4), whatever the stage says: older ones
 * have no word for them, and a release that does not know it must not read the account as one without (I26). Without
 * either no row is of them.
 */
export type StoredSchema = RowSchema | 3 | 4;

/** @throws UnreadableRow for any other version. */
export const rowSchemaOf = (item: Item): StoredSchema => {
  const version = item["schema"]?.N;
  if (version === "1") return 1;
  if (version === "2") return 2;
  if (version === "3") return 3;
  if (version === "4") return 4;
  throw new UnreadableRow(`schema version ${version ?? "missing"}`);
};

export const SCHEMA = { N: "1" } as const;
