import * as z from "zod";

/** CloudFormation's own property names, as far as the local cloud reads them. Unknown properties are left to the cloud. */

const text = z.string().min(1);
const count = z.coerce.number().int();
const keySchema = z.array(z.object({ AttributeName: text, KeyType: z.enum(["HASH", "RANGE"]) }));

export const table = z.object({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: text, AttributeType: z.enum(["S", "N", "B"]) })),
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: text,
        KeySchema: keySchema,
        Projection: z.object({ ProjectionType: z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]), NonKeyAttributes: z.array(text).optional() }),
      }),
    )
    .default([]),
  StreamSpecification: z.object({ StreamViewType: z.enum(["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"]) }).optional(),
  TimeToLiveSpecification: z.object({ AttributeName: text.optional(), Enabled: z.boolean() }).optional(),
});
export type Table = z.infer<typeof table>;

export const QUEUE_ATTRIBUTES = [
  "FifoQueue",
  "ContentBasedDeduplication",
  "VisibilityTimeout",
  "MessageRetentionPeriod",
  "RedrivePolicy",
] as const;

export const queue = z.object({
  FifoQueue: z.boolean().optional(),
  ContentBasedDeduplication: z.boolean().optional(),
  VisibilityTimeout: count.optional(),
  MessageRetentionPeriod: count.optional(),
  DelaySeconds: z.literal(0, "the local cloud delays messages, not queues").optional(),
  RedrivePolicy: z.object({ deadLetterTargetArn: text, maxReceiveCount: count }).optional(),
});
export type Queue = z.infer<typeof queue>;

export const topic = z.object({ FifoTopic: z.boolean().default(false) });

export const subscription = z.object({
  TopicArn: text,
  Protocol: z.literal("sqs", "only queues are subscribed to a topic here: SNS gives up on other endpoints too early"),
  Endpoint: text,
  RawMessageDelivery: z.boolean().default(false),
  FilterPolicy: z.record(z.string(), z.unknown()).optional(),
  FilterPolicyScope: z.enum(["MessageAttributes", "MessageBody"]).default("MessageAttributes"),
  RedrivePolicy: z.object({ deadLetterTargetArn: text }).optional(),
});
export type Subscription = z.infer<typeof subscription>;

/** An alarm on one metric of one dimension. What the alarms of the project do not use is refused, not guessed. */
export const alarm = z.object({
  AlarmName: text,
  AlarmDescription: text,
  Namespace: text,
  MetricName: text,
  Dimensions: z.tuple([z.object({ Name: text, Value: text })]),
  Statistic: z.enum(["Sum", "Maximum"]),
  Period: count,
  EvaluationPeriods: count,
  DatapointsToAlarm: count.optional(),
  Threshold: z.number(),
  ComparisonOperator: z.enum(["GreaterThanThreshold", "LessThanThreshold"]),
  TreatMissingData: z.enum(["breaching", "notBreaching"]),
  AlarmActions: z.array(text),
});
export type Alarm = z.infer<typeof alarm>;

export const lambdaFunction = z.object({
  Handler: text,
  Code: z.object({ S3Key: text.optional() }),
  Timeout: count.default(3),
  MemorySize: count.default(128),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
});

export const mapping = z.object({
  FunctionName: text,
  EventSourceArn: text,
  Enabled: z.boolean().default(true),
  BatchSize: count.optional(),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: count }).optional(),
  FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: text })) }).optional(),
  BisectBatchOnFunctionError: z.boolean().default(false),
  MaximumRetryAttempts: count.default(-1),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: text }) }).optional(),
});
export type Mapping = z.infer<typeof mapping>;

/** What Lambda does with an event that nobody waits for when the function fails. */
export const asynchronous = z.object({
  FunctionName: text,
  MaximumRetryAttempts: count.default(2),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: text }).optional() }).optional(),
});

const target = z.object({
  Arn: text,
  Input: z.string().default("{}"),
  SqsParameters: z.object({ MessageGroupId: text.optional() }).optional(),
  DeadLetterConfig: z.object({ Arn: text }).optional(),
});
export type Target = z.infer<typeof target>;

export const schedule = z.object({
  Name: text.optional(),
  GroupName: text.default("default"),
  ScheduleExpression: text,
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Target: target,
});

/** What the Scheduler service accepts from a function: a one-off instant in UTC. */
export const oneOff = z.object({
  ScheduleExpression: z.string().regex(/^at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)$/, "expected at(yyyy-mm-ddThh:mm:ss)"),
  ScheduleExpressionTimezone: z.literal("UTC").default("UTC"),
  FlexibleTimeWindow: z.object({ Mode: z.literal("OFF") }),
  ActionAfterCompletion: z.literal("DELETE", "a one-off schedule that is not deleted stays for ever"),
  GroupName: text.default("default"),
  Target: target,
});

export const route = z.object({
  RouteKey: text,
  Target: text,
  AuthorizationType: z.enum(["AWS_IAM", "NONE"]).default("NONE"),
});

export const integration = z.object({ IntegrationUri: text });

/** @throws Error in one line that names the resource and the property. */
export const parse = <T extends z.ZodType>(schema: T, where: string, value: unknown): z.infer<T> => {
  const parsed = schema.safeParse(dropAbsent(value));
  if (parsed.success) return parsed.data;
  throw new Error(`${where}: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`);
};

/** CloudFormation's `AWS::NoValue` resolves to null, which here means that the property is not there. */
const dropAbsent = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
};
