import {
  type AttributeValue,
  type CancellationReason,
  ConditionalCheckFailedException,
  type Put,
  type QueryCommandInput,
  type QueryCommandOutput,
  TransactionCanceledException,
  type TransactWriteItem,
  type Update,
} from "@aws-sdk/client-dynamodb";

import type { TableShape } from "../../adapters/dynamodb/schema.ts";
import type { Db } from "../../adapters/world.ts";
import { type Bindings, conditionOf, type Item, updateOf } from "./expressions.ts";

/** Items of one transaction, keys of one batch read, bytes of one result page: the service's quotas. */
const TRANSACTION_MAX = 100;
const BATCH_MAX = 100;
const PAGE_BYTES_MAX = 1_048_576;

const REPLY = { $metadata: {} };

/** The errors that requests against the service's own rules get. */
export class ValidationException extends Error {
  override readonly name = "ValidationException";
}

interface Table {
  readonly shape: TableShape;
  /** By partition key, then by sort key. */
  readonly partitions: Map<string, Map<string, Item>>;
}

type Tables = ReadonlyMap<string, Table>;

const tableOf = (tables: Tables, name: string | undefined): Table => {
  const table = tables.get(name ?? "");
  if (table === undefined) throw Object.assign(new Error(`no table ${name}`), { name: "ResourceNotFoundException" });
  return table;
};

const keyText = (item: Readonly<Record<string, AttributeValue>> | undefined, name: string): string => {
  const value = item?.[name]?.S;
  if (value === undefined || value === "") throw new ValidationException(`the key ${name} is missing, empty or no text`);
  return value;
};

const bytesOf = (item: Item): number => Buffer.byteLength(JSON.stringify(item));

const read = (table: Table, key: Readonly<Record<string, AttributeValue>> | undefined): Item | undefined =>
  table.partitions.get(keyText(key, "pk"))?.get(keyText(key, "sk"));

const write = (table: Table, item: Item): void => {
  const pk = keyText(item, "pk");
  const partition = table.partitions.get(pk) ?? new Map<string, Item>();
  partition.set(keyText(item, "sk"), item);
  table.partitions.set(pk, partition);
};

const bindingsOf = (input: Pick<Put, "ExpressionAttributeNames" | "ExpressionAttributeValues">): Bindings => ({
  names: input.ExpressionAttributeNames,
  values: input.ExpressionAttributeValues,
});

/** A write that is decided and not yet done: what it makes of the item, or that its condition does not hold. */
type Planned = { readonly table: Table; readonly item: Item } | "conditionFailed";

const plan = (tables: Tables, { Put: put, Update: update }: { readonly Put?: Put; readonly Update?: Update }): Planned => {
  const request = put ?? update;
  if (request === undefined) throw new ValidationException("the simulated table knows Put and Update");
  const table = tableOf(tables, request.TableName);
  const key = put?.Item ?? update?.Key ?? {};
  const before = read(table, key);
  const bindings = bindingsOf(request);
  if (request.ConditionExpression !== undefined && !conditionOf(request.ConditionExpression)(before, bindings)) return "conditionFailed";
  if (put !== undefined) return { table, item: { ...put.Item } };
  return { table, item: updateOf(update?.UpdateExpression ?? "")(before ?? { ...key }, bindings) };
};

const alone = (tables: Tables, request: { readonly Put?: Put; readonly Update?: Update }): Item => {
  const planned = plan(tables, request);
  if (planned === "conditionFailed") throw new ConditionalCheckFailedException({ message: "The conditional request failed", ...REPLY });
  write(planned.table, planned.item);
  return planned.item;
};

const targetOf = ({ Put: put, Update: update }: TransactWriteItem): string => {
  const key = put?.Item ?? update?.Key;
  return `${put?.TableName ?? update?.TableName}\n${keyText(key, "pk")}\n${keyText(key, "sk")}`;
};

/** All or nothing: every condition is judged on the state before the transaction. */
const transact = (tables: Tables, items: readonly TransactWriteItem[]): void => {
  if (items.length === 0 || items.length > TRANSACTION_MAX) throw new ValidationException(`a transaction of ${items.length} items`);
  if (new Set(items.map(targetOf)).size < items.length) throw new ValidationException("a transaction has one item twice");
  const planned = items.map((item) => plan(tables, item as { readonly Put?: Put; readonly Update?: Update }));
  if (planned.includes("conditionFailed")) {
    const CancellationReasons = planned.map(
      (one): CancellationReason =>
        one === "conditionFailed" ? { Code: "ConditionalCheckFailed", Message: "The conditional request failed" } : { Code: "None" },
    );
    const codes = CancellationReasons.map(({ Code }) => Code).join(", ");
    throw new TransactionCanceledException({
      message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
      CancellationReasons,
      ...REPLY,
    });
  }
  for (const one of planned) if (one !== "conditionFailed") write(one.table, one.item);
};

/** Where a query looks: the table's own keys, or an index's. */
const keysOf = ({ shape }: Table, index: string | undefined): { readonly partitionKey: string; readonly sortKey: string } => {
  if (index === undefined) return shape;
  const keys = shape.indexes[index];
  if (keys === undefined) throw new ValidationException(`The table does not have the specified index: ${index}`);
  return keys;
};

const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Order of a query's answer: by the sort key; within an index, where it does not decide, by the item's own keys. */
const inOrder =
  (sortKey: string) =>
  (a: Item, b: Item): number =>
    ascending(keyText(a, sortKey), keyText(b, sortKey)) ||
    ascending(keyText(a, "pk"), keyText(b, "pk")) ||
    ascending(keyText(a, "sk"), keyText(b, "sk"));

const only = (item: Item, names: readonly string[]): Record<string, AttributeValue> =>
  Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));

const query = (tables: Tables, input: QueryCommandInput): QueryCommandOutput => {
  const table = tableOf(tables, input.TableName);
  const { partitionKey, sortKey } = keysOf(table, input.IndexName);
  if (input.IndexName !== undefined && input.ConsistentRead === true)
    throw new ValidationException("Consistent reads are not supported on global secondary indexes");
  const names = [...new Set(["pk", "sk", partitionKey, sortKey])];
  const holds = conditionOf(input.KeyConditionExpression ?? "");
  const bindings = bindingsOf(input);
  // The stores name the partition in one way; any other way is looked for in the whole table.
  const named = input.KeyConditionExpression?.startsWith("pk = :pk") === true ? input.ExpressionAttributeValues?.[":pk"]?.S : undefined;
  const partitions = named === undefined ? [...table.partitions.values()] : [table.partitions.get(named) ?? new Map<string, Item>()];
  const order = inOrder(sortKey);
  const start = input.ExclusiveStartKey;
  const found = partitions
    .flatMap((partition) => [...partition.values()])
    .filter((item) => item[partitionKey] !== undefined && item[sortKey] !== undefined && holds(item, bindings))
    .sort(order)
    .filter((item) => start === undefined || order(item, start) > 0);
  const page: Record<string, AttributeValue>[] = [];
  let bytes = 0;
  for (const item of found) {
    bytes += bytesOf(item);
    page.push(input.IndexName === undefined ? { ...item } : only(item, names));
    if (page.length === input.Limit || bytes > PAGE_BYTES_MAX) break;
  }
  const last = page.at(-1);
  const isCut = last !== undefined && (page.length === input.Limit || page.length < found.length);
  return { ...REPLY, Items: page, Count: page.length, ScannedCount: page.length, ...(isCut && { LastEvaluatedKey: only(last, names) }) };
};

const later = async <Result>(work: () => Result): Promise<Result> => work();

/**
 * DynamoDB in memory, with the semantics that the stores rely on: conditions, updates, transactions of
 * up to 100 items with cancellation reasons, sparse keys-only indexes, pages by count and by size.
 * Each request is one step: nothing happens between its parts.
 *
 * @throws Error for an expression that it does not understand, ValidationException for a request that the
 *   service would refuse.
 */
export const createMemoryDb = (shapes: Readonly<Record<string, TableShape>>): Db => {
  const tables: Tables = new Map(
    Object.entries(shapes).map(([name, shape]): [string, Table] => [name, { shape, partitions: new Map<string, Map<string, Item>>() }]),
  );
  return {
    get: ({ TableName, Key }) =>
      later(() => {
        const item = read(tableOf(tables, TableName), Key);
        return { ...REPLY, ...(item !== undefined && { Item: { ...item } }) };
      }),
    batchGet: ({ RequestItems }) =>
      later(() => {
        const asked = Object.entries(RequestItems ?? {});
        const keys = asked.flatMap(([, { Keys }]) => Keys ?? []);
        if (keys.length === 0 || keys.length > BATCH_MAX) throw new ValidationException(`a batch read of ${keys.length} keys`);
        const Responses = asked.map(([name, { Keys, ProjectionExpression }]) => {
          const names = ProjectionExpression?.split(",").map((each) => each.trim());
          const items = (Keys ?? []).map((key) => read(tableOf(tables, name), key)).filter((item) => item !== undefined);
          return [name, items.map((item) => (names === undefined ? { ...item } : only(item, names)))] as const;
        });
        return { ...REPLY, Responses: Object.fromEntries(Responses), UnprocessedKeys: {} };
      }),
    query: (input) => later(() => query(tables, input)),
    put: (input) =>
      later(() => {
        alone(tables, { Put: input as Put });
        return REPLY;
      }),
    update: (input) =>
      later(() => {
        const Attributes = alone(tables, { Update: input as Update });
        return { ...REPLY, ...(input.ReturnValues === "ALL_NEW" && { Attributes: { ...Attributes } }) };
      }),
    transactWrite: ({ TransactItems }) =>
      later(() => {
        transact(tables, TransactItems ?? []);
        return REPLY;
      }),
  };
};
