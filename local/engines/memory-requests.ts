import * as z from "zod";

import type { Item } from "../../simulation/db/expressions.ts";
import { ValidationException } from "../../simulation/db/table.ts";

/**
 * What the engine in memory reads of each request. A member that it does not know is refused by name:
 * a filter that is passed over would answer wrongly in silence.
 */

const text = z.string().min(1);

const isText = (content: unknown): boolean => typeof content === "string";
const isNumber = (content: unknown): boolean => typeof content === "string" && /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(content);
const isSetOf = (isMember: (content: unknown) => boolean) => (content: unknown) =>
  Array.isArray(content) && content.length > 0 && content.every(isMember);

const KINDS = new Map<string, (content: unknown) => boolean>([
  ["S", isText],
  ["N", isNumber],
  ["BOOL", (content) => typeof content === "boolean"],
  ["NULL", (content) => content === true],
  ["SS", isSetOf(isText)],
  ["NS", isSetOf(isNumber)],
  ["L", (content) => Array.isArray(content) && content.every(isValue)],
  ["M", (content) => isItem(content)],
]);

const isValue = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false;
  const [[kind, content] = ["", null], ...others] = Object.entries(value);
  return others.length === 0 && KINDS.get(kind)?.(content) === true;
};

const isItem = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isValue);

const item = z.custom<Item>(
  isItem,
  `expected attribute values, each one of ${[...KINDS.keys()].join(", ")}: the table in memory holds no binary`,
);

const keyPart = z.strictObject({ S: text });
const key = z.strictObject({ pk: keyPart, sk: keyPart });

const bindings = { ExpressionAttributeNames: z.record(z.string(), text).optional(), ExpressionAttributeValues: item.optional() };
const conditioned = { TableName: text, ConditionExpression: text.optional(), ...bindings };
/** Figures that a caller may ask for by name; there are none here. */
const figures = { ReturnConsumedCapacity: z.literal("NONE").optional(), ReturnItemCollectionMetrics: z.literal("NONE").optional() };
const limit = (max: number) => z.int().min(1).max(max).optional();

const put = { ...conditioned, Item: item };
const update = { ...conditioned, Key: key, UpdateExpression: text };

export const getItem = z.strictObject({ ...figures, TableName: text, Key: key, ConsistentRead: z.boolean().optional() });

export const batchGetItem = z.strictObject({
  ...figures,
  RequestItems: z.record(
    z.string(),
    z.strictObject({
      Keys: z.array(key),
      ConsistentRead: z.boolean().optional(),
      ProjectionExpression: z
        .string()
        .regex(/^\s*\w+(\s*,\s*\w+)*\s*$/, "expected names of attributes")
        .optional(),
    }),
  ),
});

export const query = z.strictObject({
  ...figures,
  ...bindings,
  TableName: text,
  IndexName: text.optional(),
  KeyConditionExpression: text,
  ConsistentRead: z.boolean().optional(),
  ExclusiveStartKey: item.optional(),
  Limit: limit(Number.MAX_SAFE_INTEGER),
});

export const scan = z.strictObject({
  ...figures,
  TableName: text,
  ConsistentRead: z.boolean().optional(),
  ExclusiveStartKey: key.optional(),
  Limit: limit(Number.MAX_SAFE_INTEGER),
});

export const putItem = z.strictObject({ ...figures, ...put, ReturnValues: z.literal("NONE").optional() });
export const updateItem = z.strictObject({ ...figures, ...update, ReturnValues: z.enum(["NONE", "ALL_NEW"]).optional() });
export const deleteItem = z.strictObject({ ...figures, TableName: text, Key: key, ReturnValues: z.literal("NONE").optional() });

export const batchWriteItem = z.strictObject({
  ...figures,
  RequestItems: z.record(z.string(), z.array(z.strictObject({ PutRequest: z.strictObject({ Item: item }) })).min(1)),
});

export const transactWriteItems = z.strictObject({
  ...figures,
  /** A client that sends the same request again sends the same token: on loopback no answer is lost on its way. */
  ClientRequestToken: text.optional(),
  TransactItems: z.array(z.union([z.strictObject({ Put: z.strictObject(put) }), z.strictObject({ Update: z.strictObject(update) })])),
});

/** What the table in memory takes by its form: a text `pk` and `sk`, and two texts for each index. */
const keySchema = z.tuple([
  z.object({ AttributeName: text, KeyType: z.literal("HASH") }),
  z.object({ AttributeName: text, KeyType: z.literal("RANGE") }),
]);

/** Members that change nothing in memory, such as a billing mode or tags, are passed over. */
export const createTable = z.object({
  TableName: text,
  KeySchema: z.tuple([
    z.object({ AttributeName: z.literal("pk"), KeyType: z.literal("HASH") }),
    z.object({ AttributeName: z.literal("sk"), KeyType: z.literal("RANGE") }),
  ]),
  AttributeDefinitions: z.array(z.object({ AttributeName: text, AttributeType: z.literal("S") })),
  GlobalSecondaryIndexes: z
    .array(z.object({ IndexName: text, KeySchema: keySchema, Projection: z.object({ ProjectionType: z.literal("KEYS_ONLY") }) }))
    .default([]),
  LocalSecondaryIndexes: z.undefined("the table in memory has no local indexes").optional(),
  StreamSpecification: z
    .union([
      z.object({ StreamEnabled: z.literal(true), StreamViewType: z.literal("NEW_IMAGE") }),
      z.object({ StreamEnabled: z.literal(false) }).transform(() => undefined),
    ])
    .optional(),
});
export type CreateTable = z.infer<typeof createTable>;

export const describeTable = z.strictObject({ TableName: text });
export const listTables = z.strictObject({});
export const updateTimeToLive = z.strictObject({
  TableName: text,
  TimeToLiveSpecification: z.strictObject({ AttributeName: text, Enabled: z.boolean() }),
});

export const describeStream = z.strictObject({ StreamArn: text });
export const getShardIterator = z.strictObject({
  StreamArn: text,
  ShardId: text,
  ShardIteratorType: z.enum(["TRIM_HORIZON", "LATEST"]),
});
export const getRecords = z.strictObject({ ShardIterator: text, Limit: limit(1_000) });

/** @throws ValidationException in one line that names each member at fault. */
export const parse = <Schema extends z.ZodType>(schema: Schema, request: unknown): z.infer<Schema> => {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  throw new ValidationException(faults.join("; "));
};
