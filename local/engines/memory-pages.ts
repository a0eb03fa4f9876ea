import type { Item } from "../../simulation/db/expressions.ts";
import { type MemoryTables, PAGE_BYTES_MAX } from "../../simulation/db/memory-tables.ts";
import { bytesOf, keyText } from "../../simulation/db/table.ts";

/** The rows that one answer holds: at most `rowsMax`, and no further one after 1 MB. */
export const firstPage = <Row>(rows: readonly Row[], rowsMax: number, bytes: (row: Row) => number): Row[] => {
  const page: Row[] = [];
  let sum = 0;
  for (const row of rows) {
    if (page.length === rowsMax || sum > PAGE_BYTES_MAX) break;
    sum += bytes(row);
    page.push(row);
  }
  return page;
};

interface ScanRequest {
  readonly TableName: string;
  readonly ExclusiveStartKey?: Item | undefined;
  readonly Limit?: number | undefined;
}

const isAfter = (row: Item, start: Item): boolean => {
  const [pk, startPk] = [keyText(row, "pk"), keyText(start, "pk")];
  return pk > startPk || (pk === startPk && keyText(row, "sk") > keyText(start, "sk"));
};

/** One page of a table, in the order of its keys. */
export const scanPage = (tables: MemoryTables, { TableName, ExclusiveStartKey: start, Limit }: ScanRequest): object => {
  const rows = tables.scan(TableName);
  const first = start === undefined ? 0 : rows.findIndex((row) => isAfter(row, start));
  const left = first < 0 ? [] : rows.slice(first);
  const page = firstPage(left, Limit ?? left.length, bytesOf);
  const last = page.at(-1);
  // As in a query: a limit that is reached says where to go on, whether or not more follows.
  const goesOn = last !== undefined && (page.length < left.length || page.length === Limit);
  return {
    Items: page,
    Count: page.length,
    ScannedCount: page.length,
    ...(goesOn && { LastEvaluatedKey: { pk: last["pk"], sk: last["sk"] } }),
  };
};
