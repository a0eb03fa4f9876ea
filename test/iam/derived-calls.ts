import { ROUTES } from "../../adapters/wire/routes.ts";
import { GRANTS, type Role } from "../../api/authorize.ts";
import { at, listed } from "../../lib/checks/template.ts";
import type { Call } from "./call.ts";
import type { Cloud, Declared } from "./cloud.ts";
import { holderOf } from "./grants.ts";

/** One row: calls that nobody's code makes but that a deployment lives by. `asked` are the calls of the rows before it. */
export interface Derivation {
  readonly by: string;
  /** The documentation that says so. */
  readonly source: string;
  readonly calls: (cloud: Cloud, asked: readonly Call[]) => readonly Omit<Call, "by">[];
}

const DOCS = "https://docs.aws.amazon.com";

type Made = Omit<Call, "by">;

const made = (principal: string, resource: string, actions: readonly string[], context: Call["context"] = {}): Made[] =>
  actions.map((action) => ({ principal, action, resource, context }));

const text = (value: unknown, ...path: readonly string[]): string => String(at(value, ...path));

const roleOf = (cloud: Cloud, fn: string): string => {
  const found = cloud.all("AWS::Lambda::Function").find(({ arn, properties }) => arn === fn || text(properties, "FunctionName") === fn);
  if (found === undefined) throw new Error(`the template declares no function ${fn}`);
  return text(found.properties, "Role");
};

const find = (cloud: Cloud, type: string, arn: string): Declared | undefined => cloud.all(type).find((one) => one.arn === arn);

/** The key that a queue, a topic or a table is under. */
const keyOf = (cloud: Cloud, resource: string): string => {
  const place = ["AWS::SQS::Queue", "AWS::SNS::Topic"].map((type) => find(cloud, type, resource)).find((one) => one !== undefined);
  const table = find(cloud, "AWS::DynamoDB::Table", resource.split(/\/(?:index|stream)\//)[0] ?? "");
  const named = at(place?.properties, "KmsMasterKeyId") ?? at(table?.properties, "SSESpecification", "KMSMasterKeyId");
  const key = cloud.all("AWS::KMS::Key").find(({ id, arn }) => arn === named || id === named);
  if (key === undefined) throw new Error(`${resource} is under no key of the template`);
  return key.arn;
};

const via = (cloud: Cloud, service: string): Call["context"] => ({ "kms:ViaService": `${service}.${cloud.region}.amazonaws.com` });

const isService = ({ principal }: Pick<Call, "principal">): boolean => principal.endsWith(".amazonaws.com");

/** Mappings with the role of their function. */
const mappings = (cloud: Cloud, service: "sqs" | "dynamodb") =>
  cloud
    .all("AWS::Lambda::EventSourceMapping")
    .map(({ properties }) => ({
      properties,
      source: text(properties, "EventSourceArn"),
      role: roleOf(cloud, text(properties, "FunctionName")),
    }))
    .filter(({ source }) => source.split(":")[2] === service);

/** Where a schedule goes: those of the template, and the one-off of each deadline, which arm-deadline makes. */
const targets = (cloud: Cloud) => {
  const deadline = cloud.wiring.functions.find(({ environment }) => environment["SCHEDULER_ROLE_ARN"] !== undefined)?.environment ?? {};
  const queue = deadline["EXPIRY_QUEUE_ARN"] ?? "";
  const declared = cloud.all("AWS::Scheduler::Schedule").map(({ properties }) => ({
    group: text(properties, "GroupName"),
    role: text(properties, "Target", "RoleArn"),
    target: text(properties, "Target", "Arn"),
    dead: text(properties, "Target", "DeadLetterConfig", "Arn"),
  }));
  return [
    ...declared,
    { group: deadline["SCHEDULE_GROUP"] ?? "", role: deadline["SCHEDULER_ROLE_ARN"] ?? "", target: queue, dead: `${queue}-dead` },
  ];
};

const groupArn = (cloud: Cloud, group: string): string => `arn:aws:scheduler:${cloud.region}:${cloud.account}:schedule-group/${group}`;

/** Every use of an encrypted queue, topic or table by a role makes its service ask the key in the role's name. */
const inTheirName = (
  cloud: Cloud,
  asked: readonly Call[],
  wanted: string,
  actions: readonly string[],
  context: (resource: string) => Call["context"],
) =>
  asked
    .filter((call) => !isService(call) && call.action.startsWith(wanted))
    .flatMap(({ principal, resource }) =>
      made(principal, keyOf(cloud, resource), actions, { ...via(cloud, wanted.split(":")[0] ?? ""), ...context(resource) }),
    );

const tableName = (resource: string): string => resource.split("/")[1] ?? "";

const postsNothing = (role: Role): boolean => role !== "marks" && role !== "feed";

/** What the venue's own roles do with the managed policies, by the policy's logical id: `authorize` grants it (C2). */
const CALLERS: Readonly<Record<string, (cloud: Cloud) => readonly (readonly [action: string, resource: string])[]>> = {
  MarksWriter: (cloud) => [...routesOf(cloud, (role) => role === "marks"), ["sqs:SendMessage", queueNamed(cloud, "marks")]],
  FeedWriter: (cloud) => [...routesOf(cloud, (role) => role === "feed"), ["sqs:SendMessage", queueNamed(cloud, "feed.fifo")]],
  Caller: (cloud) => routesOf(cloud, postsNothing),
  VenueGateway: (cloud) =>
    ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"].map(
      (action) => [`sqs:${action}`, queueNamed(cloud, "venue.fifo")] as const,
    ),
};

const queueNamed = (cloud: Cloud, name: string): string =>
  cloud.wiring.queues.find((queue) => queue.name.endsWith(`-${name}`))?.arn ?? name;

/** Routes that `authorize` opens to any of these roles. */
const routesOf = (cloud: Cloud, isMeant: (role: Role) => boolean) => {
  const [api] = cloud.all("AWS::ApiGatewayV2::Api");
  const granted = new Set(Object.entries(GRANTS).flatMap(([role, grants]) => (isMeant(role as Role) ? Object.keys(grants) : [])));
  return ROUTES.filter(({ action, access }) => access === "iam" && granted.has(action)).map(
    ({ method, path }) =>
      [
        "execute-api:Invoke",
        `arn:aws:execute-api:${cloud.region}:${cloud.account}:${api?.id}/$default/${method}${path.replaceAll(/\{\w+\}/g, "X-1")}`,
      ] as const,
  );
};

/** The one table of the calls that are not in the code. Rows that need others stand below them. */
export const DERIVATIONS: readonly Derivation[] = [
  {
    by: "Lambda takes the role of a function",
    source: `${DOCS}/lambda/latest/dg/lambda-intro-execution-role.html`,
    calls: (cloud) =>
      cloud
        .all("AWS::Lambda::Function")
        .flatMap(({ properties }) => made("lambda.amazonaws.com", text(properties, "Role"), ["sts:AssumeRole"])),
  },
  {
    by: "Lambda writes a function's log",
    source: `${DOCS}/lambda/latest/dg/monitoring-cloudwatchlogs.html`,
    calls: (cloud) =>
      cloud.all("AWS::Lambda::Function").flatMap(({ properties }) => {
        const group = `arn:aws:logs:${cloud.region}:${cloud.account}:log-group:${text(properties, "LoggingConfig", "LogGroup")}`;
        return made(text(properties, "Role"), `${group}:log-stream:1`, ["logs:CreateLogStream", "logs:PutLogEvents"]);
      }),
  },
  {
    by: "Lambda polls a queue",
    source: `${DOCS}/lambda/latest/dg/services-sqs-configure.html`,
    calls: (cloud) =>
      mappings(cloud, "sqs").flatMap(({ source, role }) =>
        made(role, source, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
      ),
  },
  {
    by: "Lambda reads a stream",
    source: `${DOCS}/lambda/latest/dg/services-dynamodb-eventsourcemapping.html`,
    calls: (cloud) =>
      mappings(cloud, "dynamodb").flatMap(({ source, role }) => [
        ...made(role, source, ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]),
        ...made(role, "*", ["dynamodb:ListStreams"]),
      ]),
  },
  {
    by: "Lambda parks what a function gave up",
    source: `${DOCS}/lambda/latest/dg/invocation-async-retain-records.html`,
    calls: (cloud) =>
      [...cloud.all("AWS::Lambda::EventInvokeConfig"), ...cloud.all("AWS::Lambda::EventSourceMapping")].flatMap(({ properties }) => {
        const dead = at(properties, "DestinationConfig", "OnFailure", "Destination");
        return dead === undefined ? [] : made(roleOf(cloud, text(properties, "FunctionName")), String(dead), ["sqs:SendMessage"]);
      }),
  },
  {
    by: "API Gateway runs a function",
    source: `${DOCS}/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html`,
    calls: (cloud) =>
      cloud.all("AWS::ApiGatewayV2::Integration").flatMap(({ properties }) =>
        made("apigateway.amazonaws.com", text(properties, "IntegrationUri"), ["lambda:InvokeFunction"], {
          "aws:SourceArn": `arn:aws:execute-api:${cloud.region}:${cloud.account}:${text(properties, "ApiId")}/$default/GET/calls`,
        }),
      ),
  },
  {
    by: "Scheduler takes the role of a schedule",
    source: `${DOCS}/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html`,
    calls: (cloud) =>
      targets(cloud).flatMap(({ group, role }) =>
        made("scheduler.amazonaws.com", role, ["sts:AssumeRole"], {
          "aws:SourceAccount": cloud.account,
          "aws:SourceArn": groupArn(cloud, group),
        }),
      ),
  },
  {
    by: "Scheduler fires",
    source: `${DOCS}/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role`,
    calls: (cloud) =>
      targets(cloud).flatMap(({ role, target }) =>
        made(role, target, [target.split(":")[2] === "lambda" ? "lambda:InvokeFunction" : "sqs:SendMessage"]),
      ),
  },
  {
    by: "Scheduler parks what it gave up",
    source: `${DOCS}/scheduler/latest/UserGuide/configuring-schedule-dlq.html`,
    calls: (cloud) => targets(cloud).flatMap(({ role, dead }) => made(role, dead, ["sqs:SendMessage"])),
  },
  {
    by: "Scheduler seals what it parks",
    source: `${DOCS}/scheduler/latest/UserGuide/troubleshooting.html#troubleshooting-target-errors`,
    calls: (cloud) =>
      targets(cloud).flatMap(({ dead }) => made("scheduler.amazonaws.com", keyOf(cloud, dead), ["kms:Decrypt", "kms:GenerateDataKey"])),
  },
  {
    by: "SNS delivers to a queue, or parks it",
    source: `${DOCS}/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html`,
    calls: (cloud) =>
      cloud.all("AWS::SNS::Subscription").flatMap(({ properties }) => {
        const context = { "aws:SourceArn": text(properties, "TopicArn"), "aws:SourceAccount": cloud.account };
        const queue = at(properties, "Protocol") === "sqs" ? [text(properties, "Endpoint")] : [];
        return [...queue, text(properties, "RedrivePolicy", "deadLetterTargetArn")].flatMap((place) => [
          ...made("sns.amazonaws.com", place, ["sqs:SendMessage"], context),
          ...made("sns.amazonaws.com", keyOf(cloud, place), ["kms:GenerateDataKey", "kms:Decrypt"], context),
        ]);
      }),
  },
  {
    by: "CloudWatch tells of an alarm",
    source: `${DOCS}/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services`,
    calls: (cloud) =>
      cloud.all("AWS::CloudWatch::Alarm").flatMap(({ properties }) => {
        const context = { "aws:SourceAccount": cloud.account };
        const topics = [...listed(at(properties, "AlarmActions")), ...listed(at(properties, "OKActions"))].map(String);
        return topics.flatMap((topic) => [
          ...made("cloudwatch.amazonaws.com", topic, ["sns:Publish"], context),
          ...made("cloudwatch.amazonaws.com", keyOf(cloud, topic), ["kms:GenerateDataKey", "kms:Decrypt"], context),
        ]);
      }),
  },
  {
    by: "CloudWatch Logs seals a log group",
    source: `${DOCS}/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html`,
    calls: (cloud) =>
      cloud.all("AWS::Logs::LogGroup").flatMap(({ properties }) => {
        const group = `arn:aws:logs:${cloud.region}:${cloud.account}:log-group:${text(properties, "LogGroupName")}`;
        return made(
          `logs.${cloud.region}.amazonaws.com`,
          text(properties, "KmsKeyId"),
          ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey"].map((action) => `kms:${action}`),
          { "kms:EncryptionContext:aws:logs:arn": group },
        );
      }),
  },
  {
    by: "the venue's own role",
    source: "docs/reference/api.md",
    calls: (cloud) =>
      Object.entries(CALLERS).flatMap(([policy, calls]) =>
        calls(cloud).map(([action, resource]): Made => ({ principal: holderOf(cloud, policy), action, resource, context: {} })),
      ),
  },
  {
    by: "DynamoDB opens a table's key",
    // Of the operations that it asks of the key, only Decrypt is in the name of who reads or writes: table keys are
    // made under DynamoDB's own grants, and the key is described and granted when the table is made.
    source: `${DOCS}/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail`,
    calls: (cloud, asked) =>
      inTheirName(
        cloud,
        asked.filter(({ resource }) => resource !== "*"),
        "dynamodb:",
        ["kms:Decrypt"],
        (resource) => ({
          "kms:EncryptionContext:aws:dynamodb:tableName": tableName(resource),
          "kms:EncryptionContext:aws:dynamodb:subscriberId": cloud.account,
        }),
      ),
  },
  {
    by: "SQS seals a message",
    source: `${DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#send-to-encrypted-queue`,
    calls: (cloud, asked) =>
      inTheirName(cloud, asked, "sqs:SendMessage", ["kms:GenerateDataKey", "kms:Decrypt"], (queue) => ({
        "kms:EncryptionContext:aws:sqs:arn": queue,
      })),
  },
  {
    by: "SQS opens a message",
    source: `${DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#receive-from-encrypted-queue`,
    calls: (cloud, asked) =>
      inTheirName(cloud, asked, "sqs:ReceiveMessage", ["kms:Decrypt"], (queue) => ({ "kms:EncryptionContext:aws:sqs:arn": queue })),
  },
  {
    by: "SNS seals a message",
    source: `${DOCS}/sns/latest/dg/sns-key-management.html#send-to-encrypted-topic`,
    calls: (cloud, asked) =>
      inTheirName(cloud, asked, "sns:Publish", ["kms:GenerateDataKey", "kms:Decrypt"], (topic) => ({
        "kms:EncryptionContext:aws:sns:topicArn": topic,
      })),
  },
];

/** The calls of every row, on top of those that the code makes. */
export const derivedCalls = (cloud: Cloud, recorded: readonly Call[]): readonly Call[] => {
  const asked = [...recorded];
  for (const { by, calls } of DERIVATIONS) asked.push(...calls(cloud, asked).map((call): Call => ({ ...call, by })));
  return asked;
};
