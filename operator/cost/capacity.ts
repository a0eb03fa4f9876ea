import type { AttributeValue } from "@aws-sdk/client-dynamodb";

import type { Item } from "../../adapters/dynamodb/items.ts";

/**
 * Sizes and capacity as DynamoDB counts them (developer guide, "item sizes and formats" and "read and write
 * consumption"). An item is the bytes of its names and values; a number is about a byte for two significant digits.
 */

const READ_BLOCK_BYTES = 4_096;
const WRITE_BLOCK_BYTES = 1_024;
/** Most that one page of a query reads. */
export const PAGE_BYTES_MAX = 1_048_576;

const utf8 = (text: string): number => Buffer.byteLength(text);

const numberBytes = (text: string): number => {
  const digits = text
    .replace(/^-/, "")
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith("-") ? 1 : 0);
};

const valueBytes = (value: AttributeValue): number => {
  if (value.S !== undefined) return utf8(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return value.SS.reduce((sum, one) => sum + utf8(one), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, one) => sum + numberBytes(one), 0);
  throw new TypeError("an attribute of a kind that the stores do not write");
};

/** Bytes of an item. @throws TypeError for a kind of attribute that no row of the product has. */
export const itemBytes = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + utf8(name) + valueBytes(value), 0);

/** Request units of one read of this many bytes: an eventually consistent one costs half. A read of nothing costs one block. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_BLOCK_BYTES)) * (consistent ? 1 : 0.5);

/** Request units of one write: the larger of the item before and after it counts. */
export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_BLOCK_BYTES));

/** A write within a transaction costs twice. */
export const transactionUnits = (bytes: number): number => 2 * writeUnits(bytes);
