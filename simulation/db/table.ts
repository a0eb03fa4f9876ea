import type { AttributeValue } from "@aws-sdk/client-dynamodb";

import type { TableShape } from "../../adapters/dynamodb/schema.ts";
import type { Item } from "./expressions.ts";

/** The error that a request against the service's own rules gets. */
export class ValidationException extends Error {
  override readonly name = "ValidationException";
}

export const keyText = (item: Readonly<Record<string, AttributeValue>> | undefined, name: string): string => {
  const value = item?.[name]?.S;
  if (value === undefined || value === "") throw new ValidationException(`the key ${name} is missing, empty or no text`);
  return value;
};

const NUMBER_BYTES = 21;

const valueBytes = (value: AttributeValue): number => {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.min(NUMBER_BYTES, Math.ceil(value.N.length / 2) + 1);
  if (value.L !== undefined) return value.L.reduce((sum, each) => sum + 1 + valueBytes(each), 3);
  if (value.M !== undefined) return Object.entries(value.M).reduce((sum, [name, each]) => sum + name.length + 1 + valueBytes(each), 3);
  if (value.NS !== undefined) return value.NS.reduce((sum, each) => sum + Math.ceil(each.length / 2) + 1, 0);
  if (value.SS !== undefined) return value.SS.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  if (value.B !== undefined) return value.B.byteLength;
  return 1;
};

const sizes = new WeakMap<Item, number>();

/** Bytes of an item as DynamoDB counts them: names and values as UTF-8. An item never changes, so it is counted once. */
export const bytesOf = (item: Item): number => {
  const known = sizes.get(item);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const name in item) bytes += name.length + valueBytes(item[name] as AttributeValue);
  sizes.set(item, bytes);
  return bytes;
};

const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Items under one partition key, by an id of their own, sorted when asked for. */
class Partition {
  private readonly items = new Map<string, Item>();
  private sorted: Item[] | null = [];
  private readonly order: (a: Item, b: Item) => number;
  constructor(order: (a: Item, b: Item) => number) {
    this.order = order;
  }
  get(id: string): Item | undefined {
    return this.items.get(id);
  }
  put(id: string, item: Item): void {
    this.items.set(id, item);
    this.sorted = null;
  }
  remove(id: string): void {
    if (this.items.delete(id)) this.sorted = null;
  }
  inOrder(): readonly Item[] {
    this.sorted ??= [...this.items.values()].sort(this.order);
    return this.sorted;
  }
}

interface Index {
  readonly keys: { readonly partitionKey: string; readonly sortKey: string };
  readonly partitions: Map<string, Partition>;
}

const partitionIn = (partitions: Map<string, Partition>, pk: string, order: (a: Item, b: Item) => number): Partition => {
  const known = partitions.get(pk);
  if (known !== undefined) return known;
  const made = new Partition(order);
  partitions.set(pk, made);
  return made;
};

/** One table with its sparse indexes: an item stands in an index while it has both of its keys. */
export class Table {
  private readonly partitions = new Map<string, Partition>();
  private readonly indexes: ReadonlyMap<string, Index>;
  private readonly shape: TableShape;
  constructor(shape: TableShape) {
    this.shape = shape;
    this.indexes = new Map(Object.entries(shape.indexes).map(([name, keys]) => [name, { keys, partitions: new Map() }]));
  }

  get(pk: string, sk: string): Item | undefined {
    return this.partitions.get(pk)?.get(sk);
  }

  put(item: Item): void {
    const [pk, sk] = [keyText(item, "pk"), keyText(item, "sk")];
    if (this.indexes.size > 0) this.reindex(`${pk}\n${sk}`, this.get(pk, sk), item);
    partitionIn(this.partitions, pk, this.orderOf("sk")).put(sk, item);
  }

  remove(key: Item): void {
    const [pk, sk] = [keyText(key, "pk"), keyText(key, "sk")];
    this.reindex(`${pk}\n${sk}`, this.get(pk, sk), undefined);
    this.partitions.get(pk)?.remove(sk);
  }

  private reindex(id: string, before: Item | undefined, after: Item | undefined): void {
    for (const { keys, partitions } of this.indexes.values()) {
      const left = before?.[keys.sortKey] === undefined ? undefined : before[keys.partitionKey]?.S;
      if (left !== undefined) partitions.get(left)?.remove(id);
      const entered = after?.[keys.sortKey] === undefined ? undefined : after[keys.partitionKey]?.S;
      if (entered !== undefined && after !== undefined) partitionIn(partitions, entered, this.orderOf(keys.sortKey)).put(id, after);
    }
  }

  /** @throws ValidationException for an index that the table does not have. */
  keysOf(index: string | undefined): { readonly partitionKey: string; readonly sortKey: string } {
    if (index === undefined) return this.shape;
    const found = this.indexes.get(index);
    if (found === undefined) throw new ValidationException(`The table does not have the specified index: ${index}`);
    return found.keys;
  }

  /** Order of a query's answer: by the sort key; within an index, where it does not decide, by the item's own keys. */
  orderOf(sortKey: string): (a: Item, b: Item) => number {
    if (sortKey === "sk") return (a, b) => ascending(keyText(a, "sk"), keyText(b, "sk"));
    return (a, b) =>
      ascending(keyText(a, sortKey), keyText(b, sortKey)) ||
      ascending(keyText(a, "pk"), keyText(b, "pk")) ||
      ascending(keyText(a, "sk"), keyText(b, "sk"));
  }

  /** The items of a partition in order, of the table itself or of an index. */
  partition(pk: string, index: string | undefined): readonly Item[] {
    const partitions = index === undefined ? this.partitions : this.indexes.get(index)?.partitions;
    return partitions?.get(pk)?.inOrder() ?? [];
  }

  /** Every item, by its keys. */
  all(): Item[] {
    return [...this.partitions].sort(([a], [b]) => ascending(a, b)).flatMap(([, partition]) => partition.inOrder());
  }
}
