import {
  type AttributeValue,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  type CancellationReason,
  ConditionalCheckFailedException,
  type GetItemCommandInput,
  type GetItemCommandOutput,
  type Put,
  type PutItemCommandInput,
  type PutItemCommandOutput,
  type QueryCommandInput,
  type QueryCommandOutput,
  TransactionCanceledException,
  type TransactWriteItem,
  type TransactWriteItemsCommandInput,
  type TransactWriteItemsCommandOutput,
  type Update,
  type UpdateItemCommandInput,
  type UpdateItemCommandOutput,
} from "@aws-sdk/client-dynamodb";

import type { TableShape } from "../../adapters/dynamodb/schema.ts";
import { type Bindings, conditionOf, type Item, updateOf } from "./expressions.ts";
import { bytesOf, keyText, Table, ValidationException } from "./table.ts";

/** Items and bytes of one transaction, keys of one batch read, bytes of one item and of one result page: the service's quotas. */
const TRANSACTION_MAX = 100;
const TRANSACTION_BYTES_MAX = 4_194_304;
const BATCH_MAX = 100;
const ITEM_BYTES_MAX = 409_600;
export const PAGE_BYTES_MAX = 1_048_576;
/** Writes that a stale read may look behind. */
const LOG_MAX = 64;

const REPLY = { $metadata: {} };

/** One item as a request left it; `before` and `after` are absent where there was none, or is none any more. */
export interface Written {
  readonly table: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/**
 * DynamoDB in memory, with the semantics that the stores rely on: conditions, updates, transactions of up to
 * 100 items with cancellation reasons, sparse keys-only indexes, pages by count and by size. Each request is
 * one step: nothing happens between its parts, and its answer is there at once.
 *
 * Requests throw what the service would: ValidationException, ConditionalCheckFailedException,
 * TransactionCanceledException; and Error for an expression that this table does not understand.
 */
export interface MemoryTables {
  /** Adds an empty table. @throws ResourceInUseException where the name is taken. */
  create(table: string, shape: TableShape): void;
  get(input: GetItemCommandInput): GetItemCommandOutput;
  batchGet(input: BatchGetItemCommandInput): BatchGetItemCommandOutput;
  query(input: QueryCommandInput): QueryCommandOutput;
  put(input: PutItemCommandInput): PutItemCommandOutput;
  update(input: UpdateItemCommandInput): UpdateItemCommandOutput;
  transactWrite(input: TransactWriteItemsCommandInput): TransactWriteItemsCommandOutput;
  /** Takes an item away, as time to live does, or DeleteItem. */
  remove(table: string, key: Item): void;
  /** Every item of a table, in the order of its keys. */
  scan(table: string): Item[];
  /** Answers as they were `writes` writes ago, at most 64: what an eventually consistent read may still see. */
  behind<Answer>(writes: number, read: () => Answer): Answer;
  /** Is told of every request that wrote: all its items at once. */
  onWrite(listener: (written: readonly Written[]) => void): void;
}

interface State {
  readonly tables: Map<string, Table>;
  readonly listeners: ((written: readonly Written[]) => void)[];
  readonly log: Written[];
}

const tableOf = ({ tables }: State, name: string | undefined): Table => {
  const table = tables.get(name ?? "");
  if (table === undefined) throw Object.assign(new Error(`no table ${name}`), { name: "ResourceNotFoundException" });
  return table;
};

const create = ({ tables }: State, name: string, shape: TableShape): void => {
  if (tables.has(name)) throw Object.assign(new Error(`Table already exists: ${name}`), { name: "ResourceInUseException" });
  tables.set(name, new Table(shape));
};

const store = (state: State, written: readonly Written[]): void => {
  for (const one of written) {
    const table = tableOf(state, one.table);
    if (one.after !== undefined) table.put(one.after);
    else if (one.before !== undefined) table.remove(one.before);
    state.log.push(one);
  }
  if (state.log.length > 4 * LOG_MAX) state.log.splice(0, state.log.length - LOG_MAX);
  for (const listener of state.listeners) listener(written);
};

const bindingsOf = (input: Pick<Put, "ExpressionAttributeNames" | "ExpressionAttributeValues">): Bindings => ({
  names: input.ExpressionAttributeNames,
  values: input.ExpressionAttributeValues,
});

type WriteRequest = { readonly Put?: Put; readonly Update?: Update };

/** What a request makes of its item, or that its condition does not hold. Nothing is stored yet. */
const plan = (state: State, { Put: put, Update: update }: WriteRequest): Written | "conditionFailed" => {
  const request = put ?? update;
  if (request === undefined) throw new ValidationException("the simulated table knows Put and Update");
  const key = put?.Item ?? update?.Key ?? {};
  const before = tableOf(state, request.TableName).get(keyText(key, "pk"), keyText(key, "sk"));
  const bindings = bindingsOf(request);
  if (request.ConditionExpression !== undefined && !conditionOf(request.ConditionExpression)(before, bindings)) return "conditionFailed";
  const after = put === undefined ? updateOf(update?.UpdateExpression ?? "")(before ?? { ...key }, bindings) : { ...put.Item };
  if (bytesOf(after) > ITEM_BYTES_MAX) throw new ValidationException("Item size has exceeded the maximum allowed size");
  return { table: request.TableName ?? "", before, after };
};

const alone = (state: State, request: WriteRequest): Item => {
  const planned = plan(state, request);
  if (planned === "conditionFailed") throw new ConditionalCheckFailedException({ message: "The conditional request failed", ...REPLY });
  store(state, [planned]);
  return planned.after ?? {};
};

const targetOf = ({ Put: put, Update: update }: TransactWriteItem): string => {
  const key = put?.Item ?? update?.Key;
  return `${put?.TableName ?? update?.TableName}\n${keyText(key, "pk")}\n${keyText(key, "sk")}`;
};

/** The error of a cancelled transaction, with one reason an item. */
export const cancelled = (codes: readonly string[]): TransactionCanceledException => {
  const CancellationReasons = codes.map(
    (Code): CancellationReason => (Code === "ConditionalCheckFailed" ? { Code, Message: "The conditional request failed" } : { Code }),
  );
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(", ")}]`,
    CancellationReasons,
    ...REPLY,
  });
};

/** All or nothing: every condition is judged on the state before the transaction. */
const transact = (state: State, items: readonly TransactWriteItem[]): void => {
  if (items.length === 0 || items.length > TRANSACTION_MAX) throw new ValidationException(`a transaction of ${items.length} items`);
  if (new Set(items.map(targetOf)).size < items.length) throw new ValidationException("a transaction has one item twice");
  const planned = items.map((item) => plan(state, item as WriteRequest));
  const written = planned.filter((one) => one !== "conditionFailed");
  if (written.length < planned.length) {
    throw cancelled(planned.map((one) => (one === "conditionFailed" ? "ConditionalCheckFailed" : "None")));
  }
  if (written.reduce((sum, { after }) => sum + bytesOf(after ?? {}), 0) > TRANSACTION_BYTES_MAX)
    throw new ValidationException("a transaction of more than 4 MB");
  store(state, written);
};

const only = (item: Item, names: readonly string[]): Record<string, AttributeValue> =>
  Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));

/** The value that a key condition demands of the partition key: its first clause, `name = :value`. */
const partitionOf = (input: QueryCommandInput, partitionKey: string): string => {
  const [, name = "", value = ""] = /^\s*([#\w]+)\s*=\s*(:\w+)/.exec(input.KeyConditionExpression ?? "") ?? [];
  const attribute = name.startsWith("#") ? input.ExpressionAttributeNames?.[name] : name;
  const wanted = input.ExpressionAttributeValues?.[value]?.S;
  if (attribute !== partitionKey || wanted === undefined)
    throw new ValidationException("Query condition missed key schema element: the partition key comes first");
  return wanted;
};

const query = (state: State, input: QueryCommandInput): QueryCommandOutput => {
  const table = tableOf(state, input.TableName);
  const { partitionKey, sortKey } = table.keysOf(input.IndexName);
  if (input.IndexName !== undefined && input.ConsistentRead === true)
    throw new ValidationException("Consistent reads are not supported on global secondary indexes");
  const holds = conditionOf(input.KeyConditionExpression ?? "");
  const bindings = bindingsOf(input);
  const start = input.ExclusiveStartKey;
  const order = table.orderOf(sortKey);
  const keys = [...new Set(["pk", "sk", partitionKey, sortKey])];
  const page: Record<string, AttributeValue>[] = [];
  let bytes = 0;
  let isCut = false;
  for (const item of table.partition(partitionOf(input, partitionKey), input.IndexName)) {
    if (!holds(item, bindings) || (start !== undefined && order(item, start) <= 0)) continue;
    if (page.length === input.Limit || bytes > PAGE_BYTES_MAX) {
      isCut = true;
      break;
    }
    bytes += bytesOf(item);
    page.push(input.IndexName === undefined ? item : only(item, keys));
  }
  const last = page.at(-1);
  // The service says where to go on as soon as the limit is reached, whether or not more follows.
  const goesOn = last !== undefined && (isCut || page.length === input.Limit);
  return { ...REPLY, Items: page, Count: page.length, ScannedCount: page.length, ...(goesOn && { LastEvaluatedKey: only(last, keys) }) };
};

const batchGet = (state: State, { RequestItems }: BatchGetItemCommandInput): BatchGetItemCommandOutput => {
  const asked = Object.entries(RequestItems ?? {});
  const keys = asked.flatMap(([, { Keys }]) => Keys ?? []);
  if (keys.length === 0 || keys.length > BATCH_MAX) throw new ValidationException(`a batch read of ${keys.length} keys`);
  const Responses = asked.map(([name, { Keys, ProjectionExpression }]) => {
    const names = ProjectionExpression?.split(",").map((each) => each.trim());
    const table = tableOf(state, name);
    const items = (Keys ?? []).map((key) => table.get(keyText(key, "pk"), keyText(key, "sk"))).filter((item) => item !== undefined);
    return [name, items.map((item) => (names === undefined ? { ...item } : only(item, names)))] as const;
  });
  return { ...REPLY, Responses: Object.fromEntries(Responses), UnprocessedKeys: {} };
};

/** Undoes the last writes for the time of a read. */
const behind = <Answer>(state: State, writes: number, read: () => Answer): Answer => {
  const undone = state.log.slice(-Math.min(writes, LOG_MAX, state.log.length));
  if (writes === 0 || undone.length === 0) return read();
  const set = (one: Written, item: Item | undefined): void => {
    const table = tableOf(state, one.table);
    if (item !== undefined) table.put(item);
    else table.remove((one.before ?? one.after) as Item);
  };
  for (const one of [...undone].reverse()) set(one, one.before);
  try {
    return read();
  } finally {
    for (const one of undone) set(one, one.after);
  }
};

export const createMemoryTables = (shapes: Readonly<Record<string, TableShape>>): MemoryTables => {
  const tables = new Map(Object.entries(shapes).map(([name, shape]) => [name, new Table(shape)]));
  const state: State = { tables, listeners: [], log: [] };
  return {
    create: (name, shape) => create(state, name, shape),
    get: ({ TableName, Key }) => {
      const item = tableOf(state, TableName).get(keyText(Key, "pk"), keyText(Key, "sk"));
      return item === undefined ? REPLY : { ...REPLY, Item: { ...item } };
    },
    batchGet: (input) => batchGet(state, input),
    query: (input) => query(state, input),
    put: (input) => {
      alone(state, { Put: input as Put });
      return REPLY;
    },
    update: (input) => {
      const Attributes = alone(state, { Update: input as Update });
      return { ...REPLY, ...(input.ReturnValues === "ALL_NEW" && { Attributes: { ...Attributes } }) };
    },
    transactWrite: ({ TransactItems }) => {
      transact(state, TransactItems ?? []);
      return REPLY;
    },
    remove: (table, key) => {
      const before = tableOf(state, table).get(keyText(key, "pk"), keyText(key, "sk"));
      if (before !== undefined) store(state, [{ table, before, after: undefined }]);
    },
    scan: (table) => tableOf(state, table).all(),
    behind: (writes, read) => behind(state, writes, read),
    onWrite: (listener) => void state.listeners.push(listener),
  };
};
